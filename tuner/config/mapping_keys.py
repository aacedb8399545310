"""Keys that take a mapping: as YAML, as JSON text, or as the path of a JSON file; and what the mappings may hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tuner.config.model_keys import check_loading
from tuner.config.sources import at_home
from tuner.config.trl_schema import Unfit
from tuner.errors import brief, nearest

MODEL_KEYS = ("model_init_kwargs", "teacher_model_init_kwargs")
JSON_KEYS = (
    *("accelerator_config", "deepspeed", "fsdp_config", "dataset_kwargs", "lr_scheduler_kwargs"),
    *("gradient_checkpointing_kwargs", "activation_checkpointing_kwargs", "generation_kwargs", "chat_template_kwargs"),
    *("transformers_continuous_batching_config", "liger_kernel_config", *MODEL_KEYS),
)
FROM_FILES = ("accelerator_config", "deepspeed", "fsdp_config")
"""Those of them that may be the path of a JSON file."""
MAX_JSON_BYTES = 2**20
LIGER_KERNELS = (
    *("rope", "rms_norm", "layer_norm", "swiglu", "geglu", "relu_squared"),
    *("cross_entropy", "fused_linear_cross_entropy"),
)
"""What liger-kernel 0.8 has for some model or other; a name that the model's function does not take is dropped."""
OF_THE_TRAINER = (
    *("conversation", "tools", "chat_template", "add_generation_prompt", "continue_final_message", "tokenize"),
    *("padding", "truncation", "max_length", "return_tensors", "return_dict", "return_assistant_tokens_mask"),
    *("tokenizer_kwargs", "processor_kwargs", "tokenizer", "example"),
)
"""Arguments of ``apply_chat_template`` that are no variable of the template; TRL gives them itself."""


def mapping_of(key: str, value: Any) -> dict[Any, Any]:
    """The mapping that a key is given, in any of the three ways; raises ``Unfit`` where it is none."""
    if isinstance(value, Mapping):
        return dict(value)
    wanted = "must be a mapping" + (", or the path of a JSON file with one" if key in FROM_FILES else "")
    is_text = isinstance(value, str) and value.lstrip().startswith("{")
    if not isinstance(value, str) or not (is_text or key in FROM_FILES):
        raise Unfit(f"{wanted}, not {brief(value)}")
    try:
        made = json.loads(value if is_text else _file_text(key, at_home(value), wanted))
    except (ValueError, RecursionError) as error:
        if isinstance(error, Unfit):
            raise
        made = None
    if not isinstance(made, dict):
        raise Unfit(f"{wanted}; {'its text' if is_text else brief(value)} is not one")
    return made


def _file_text(key: str, path: Path, wanted: str) -> str:
    if not path.is_file():
        named = key == "deepspeed" or path.suffix.lower() == ".json"
        raise Unfit(f"{wanted}; there is no file {brief(str(path))}" if named else f"{wanted}, not {brief(str(path))}")
    if path.stat().st_size > MAX_JSON_BYTES:
        raise Unfit(f"{wanted}; {brief(str(path))} is larger than {MAX_JSON_BYTES // 2**20} MiB")
    return path.read_text(encoding="utf-8", errors="replace")


def mapping_faults(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with the mappings of a config, as (key, what); needs no library of the training."""
    for key in JSON_KEYS:
        if config.get(key) in (None, ""):
            continue
        try:
            given = mapping_of(key, config[key])
            check_names(given)
            if key in MODEL_KEYS:
                check_loading(given)
            if key in CHECKS:
                CHECKS[key](given)
        except Unfit as error:
            yield key, str(error)


def check_names(given: Mapping[Any, Any], known: Iterable[str] | None = None) -> None:
    """Raise ``Unfit`` for a key that is no text, or not among the known ones."""
    names = None if known is None else list(known)
    for name in given:
        if not isinstance(name, str):
            raise Unfit(f"its keys must be texts, not {brief(name)}")
        if names is not None and name not in names:
            raise Unfit(f"has no key {brief(name)}{nearest(name, names) or '; it has ' + ', '.join(names)}")


def _check_dataset(given: Mapping[str, Any]) -> None:
    """TRL reads one key, which says that the rows are tokenized."""
    check_names(given, ("skip_prepare_dataset",))
    if given.get("skip_prepare_dataset", False) is not False:
        raise Unfit("skip_prepare_dataset: the rows are text and must be tokenized to be trained on; remove it")


def _check_template(given: Mapping[str, Any]) -> None:
    """The variables of a template."""
    for name in given:
        if name in OF_THE_TRAINER:
            raise Unfit(f"{name}: is set by the trainer and is no variable of the template; remove it")


def _check_liger(given: Mapping[str, Any]) -> None:
    """The kernels, each on or off."""
    check_names(given, LIGER_KERNELS)
    for name, value in given.items():
        if not isinstance(value, bool):
            raise Unfit(f"{name}: must be true or false, not {brief(value)}")
    if given.get("cross_entropy") and given.get("fused_linear_cross_entropy"):
        raise Unfit("cross_entropy and fused_linear_cross_entropy exclude each other; keep one")


CHECKS: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
    "dataset_kwargs": _check_dataset,
    "chat_template_kwargs": _check_template,
    "liger_kernel_config": _check_liger,
}
"""What the names and values in a mapping must be."""

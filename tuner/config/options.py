"""Options whose value is a name or a file, checked before a model is loaded: the trainer refuses them only then."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tuner.config.methods import TrlMethod
from tuner.config.trl_schema import Unfit
from tuner.errors import brief, error_text, nearest

JSON_KEYS = (
    *("accelerator_config", "deepspeed", "fsdp_config", "dataset_kwargs", "lr_scheduler_kwargs"),
    *("gradient_checkpointing_kwargs", "activation_checkpointing_kwargs", "model_init_kwargs"),
)
"""Keys that take a mapping, JSON text, or the path of a JSON file."""
REPORTERS: Mapping[str, str] = {
    **{name: name for name in ("clearml", "codecarbon", "comet_ml", "dagshub", "dvclive", "mlflow", "neptune")},
    **{name: name for name in ("swanlab", "tensorboard", "trackio", "wandb")},
    "azure_ml": "azureml",
    "flyte": "flytekit",
}
"""Where transformers can report to, and the package that each needs."""
ATTENTION = ("eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention")
LOGGED_BESIDE = (
    *("num_tokens", "runtime", "samples_per_second", "steps_per_second", "logits/chosen", "logits/rejected"),
    *("rewards/chosen", "rewards/rejected", "rewards/accuracies", "rewards/margins", "logps/chosen", "logps/rejected"),
)
MAX_JSON_BYTES = 2**20


def faults(config: Mapping[str, Any], method: TrlMethod) -> Iterator[tuple[str, str]]:
    """What is wrong with the named options of a config, as (key, what); needs no library of the training."""
    for key in JSON_KEYS:
        if isinstance(config.get(key), str):
            yield from ((key, why) for why in _not_a_mapping(key, config[key]))
    yield from (("report_to", why) for why in _reporters(_listed(config.get("report_to"))))
    for key, check in (("attn_implementation", _attention), ("chat_template_path", _template)):
        if isinstance(config.get(key), str):
            yield from ((key, why) for why in check(config[key]))
    if config.get("deepspeed") and find_spec("deepspeed") is None:
        yield "deepspeed", "the package deepspeed is not installed"
    if isinstance(config.get("metric_for_best_model"), str):
        yield from (("metric_for_best_model", why) for why in _metric(config["metric_for_best_model"], method))
    yield from (("lora_target_modules", why) for why in _modules(_listed(config.get("lora_target_modules"))))


def _listed(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [one for one in listed if isinstance(one, str)]


def _not_a_mapping(key: str, text: str) -> Iterator[str]:
    """What is wrong with a text that should be JSON or the path of a JSON file."""
    wanted = "must be a mapping, or the path of a JSON file with one"
    if text.lstrip().startswith("{"):
        source, path = text, None
    else:
        path = Path(text).expanduser()
        if key != "deepspeed" and path.suffix.lower() != ".json" and not path.is_file():
            yield f"{wanted}, not {brief(text)}"
            return
        if not path.is_file():
            yield f"{wanted}; there is no file {brief(text)}"
            return
        if path.stat().st_size > MAX_JSON_BYTES:
            yield f"{wanted}; {brief(text)} is larger than {MAX_JSON_BYTES // 2**20} MiB"
            return
        source = path.read_text(encoding="utf-8", errors="replace")
    try:
        made = json.loads(source)
    except (ValueError, RecursionError) as error:
        made = error
    if not isinstance(made, dict):
        yield f"{wanted}; {'its text' if path is None else brief(text)} is not one"


def _reporters(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        if name in ("none", "all", "tensorboard"):
            continue
        if name not in REPORTERS:
            yield f"must be one of none, all, {', '.join(REPORTERS)}, not {brief(name)}{nearest(name, REPORTERS)}"
        elif find_spec(REPORTERS[name]) is None:
            yield f"{name} needs the package {REPORTERS[name]}, which is not installed"


def _attention(name: str) -> Iterator[str]:
    plain = name.removeprefix("paged|")
    if plain not in ATTENTION and "/" not in plain:
        yield f"must be one of {', '.join(ATTENTION)}, not {brief(name)}{nearest(name, ATTENTION)}"
    elif plain.startswith("flash") and find_spec("flash_attn") is None and find_spec("kernels") is None:
        yield f"{name} needs the package flash_attn, which is not installed; use sdpa"
    elif "/" in plain and find_spec("kernels") is None:
        yield f"{brief(name)} needs the package kernels, which is not installed; use sdpa"


def _template(name: str) -> Iterator[str]:
    is_path = (
        name.startswith((".", "/", "~")) or name.count("/") > 1 or Path(name).suffix in (".jinja", ".jinja2", ".j2")
    )
    if is_path and not Path(name).exists():
        yield f"{brief(name)}: no such file or folder"


def _metric(name: str, method: TrlMethod) -> Iterator[str]:
    known = {*method.metrics, *method.metrics.values(), *LOGGED_BESIDE}
    if name.removeprefix("eval_") not in known:
        names = [f"eval_{one}" for one in method.metrics.values()]
        hint = nearest(name, names) or f"; it logs {', '.join(names)}"
        yield f"method {method.name} logs no {brief(name)}{hint}"


def _modules(names: Sequence[str]) -> Iterator[str]:
    """What is wrong with the names of modules: a single one is read as a regular expression."""
    for name in names:
        if not name:
            yield "must not be empty"
    if len(names) == 1:
        try:
            re.compile(names[0])
        except (re.error, RecursionError, OverflowError) as error:
            yield f"{brief(names[0])} is not a regular expression: {error_text(error, 100)}"


def check_accelerator_config(value: Mapping[str, Any]) -> None:
    """Raise ``Unfit`` for a key that accelerate's configuration does not have; imports transformers."""
    from dataclasses import fields

    from transformers.trainer_pt_utils import AcceleratorConfig

    known = [one.name for one in fields(AcceleratorConfig)]
    for name in value:
        if name not in known:
            raise Unfit(f"has no key {brief(name)}{nearest(str(name), known) or '; it has ' + ', '.join(known)}")

"""Options whose value is a name or a file, checked before a model is loaded: the trainer refuses them only then."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_type_hints

from tuner.config.mapping_keys import check_names, mapping_faults
from tuner.config.methods import TrlMethod
from tuner.config.model_keys import attention_faults
from tuner.config.trl_schema import Unfit, as_type
from tuner.errors import brief, error_text, nearest

REPORTERS: Mapping[str, str] = {
    **{name: name for name in ("clearml", "codecarbon", "comet_ml", "dagshub", "dvclive", "mlflow", "neptune")},
    **{name: name for name in ("swanlab", "tensorboard", "trackio", "wandb")},
    "azure_ml": "azureml",
    "flyte": "flytekit",
}
"""Where transformers can report to, and the package that each needs."""
OF_A_TOKENIZER = ("tokenizer_config.json", "tokenizer.json", "chat_template.jinja")
MAX_TEMPLATE_BYTES = 2**20
LOGGED_BESIDE = (
    *("num_tokens", "runtime", "samples_per_second", "steps_per_second", "logits/chosen", "logits/rejected"),
    *("rewards/chosen", "rewards/rejected", "rewards/accuracies", "rewards/margins", "logps/chosen", "logps/rejected"),
)


def faults(config: Mapping[str, Any], method: TrlMethod) -> Iterator[tuple[str, str]]:
    """What is wrong with the named options of a config, as (key, what); needs no library of the training."""
    yield from mapping_faults(config)
    yield from (("report_to", why) for why in _reporters(_listed(config.get("report_to"))))
    for key, check in (("attn_implementation", attention_faults), ("chat_template_path", _template)):
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


def _reporters(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        if name in ("none", "all", "tensorboard"):
            continue
        if name not in REPORTERS:
            yield f"must be one of none, all, {', '.join(REPORTERS)}, not {brief(name)}{nearest(name, REPORTERS)}"
        elif find_spec(REPORTERS[name]) is None:
            yield f"{name} needs the package {REPORTERS[name]}, which is not installed"


def _template(name: str) -> Iterator[str]:
    """What is wrong with a template: a file of Jinja, or the folder or hub id of a tokenizer."""
    is_path = (
        name.startswith((".", "/", "~")) or name.count("/") > 1 or Path(name).suffix in (".jinja", ".jinja2", ".j2")
    )
    path = Path(name)
    if is_path and not path.exists():
        yield f"{brief(name)}: no such file or folder"
    elif path.is_file():
        yield from _no_jinja(path)
    elif path.exists() and not any((path / one).is_file() for one in OF_A_TOKENIZER):
        yield f"{brief(name)}: contains no tokenizer; give a template's file, or the folder of a tokenizer"


def _no_jinja(path: Path) -> Iterator[str]:
    from jinja2 import Environment, TemplateError

    try:
        if path.stat().st_size > MAX_TEMPLATE_BYTES:
            yield f"{brief(str(path))}: is larger than {MAX_TEMPLATE_BYTES // 2**20} MiB, so not a template"
            return
        Environment().parse(path.read_text(encoding="utf-8"))
    except (TemplateError, UnicodeDecodeError, OSError) as error:
        yield f"{brief(str(path))}: is no template of Jinja: {error_text(error, 160)}"


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


def check_accelerator_config(value: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as accelerate's own types; raises ``Unfit`` for what it would refuse. Imports transformers."""
    from accelerate.utils import GradientAccumulationPlugin
    from transformers.trainer_pt_utils import AcceleratorConfig

    made = _as_record("", value, AcceleratorConfig)
    key = "gradient_accumulation_kwargs"
    if made.get(key) is not None:
        made[key] = _as_record(f"{key}: ", made[key], GradientAccumulationPlugin)
        if "num_steps" in made[key]:
            raise Unfit(f"{key}: num_steps: write gradient_accumulation_steps as a key of the file")
    if made.get("use_configured_state"):
        raise Unfit("use_configured_state: there is no state that was configured before; remove it")
    return made


def _as_record(where: str, given: Mapping[str, Any], kind: Any) -> dict[str, Any]:
    """The values as the types of a dataclass's fields."""
    hints = get_type_hints(kind)
    try:
        check_names(given, [one.name for one in fields(kind)])
    except Unfit as error:
        raise Unfit(f"{where}{error}") from None
    made = {}
    for name, value in given.items():
        try:
            made[name] = as_type(value, hints[name])
        except Unfit as error:
            raise Unfit(f"{where}{name}: {error}") from None
    return made

"""What some of TRL's trainers take beside the model and the data: rewards, a teacher, a quantization."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from tuner.config.sources import located
from tuner.config.trl_method import TrlMethod
from tuner.training.model_rehearsal import check_found, rehearse_model
from tuner.training.rewards import reward_functions


def more_arguments(parsed: Any, trainer_class: Any, start: Path, where: Path) -> dict[str, Any]:
    """The arguments that this trainer has beyond those of all; raises ``SpecError`` for a reward that cannot load.

    A trainer without ``quantization_config`` loads its model with the keys of ``model_init_kwargs``, so it goes there.
    """
    from trl import get_quantization_config

    takes = inspect.signature(trainer_class.__init__).parameters
    made: dict[str, Any] = {}
    quantization = get_quantization_config(parsed.model)
    if "quantization_config" in takes:
        made["quantization_config"] = quantization
    elif quantization is not None:
        parsed.training.model_init_kwargs["quantization_config"] = quantization
    if "reward_funcs" in takes:
        made["reward_funcs"] = reward_functions(parsed, start, where)
    if "teacher_model" in takes:
        made["teacher_model"] = _teacher(parsed, start, where)
    return made


def _teacher(parsed: Any, start: Path, where: Path) -> str:
    """The teacher's name; it is loaded as TRL's distillation script does, in the student's number format."""
    training, model = parsed.training, parsed.model
    name = str(training.teacher_model_name_or_path)
    name = str(located(name, start) or name)
    own = training.teacher_model_init_kwargs
    key, revision = f"{where}: teacher_model_name_or_path", (own or {}).get("revision")
    check_found(name, training.trust_remote_code, key, revision)
    if own:
        key = f"{where}: teacher_model_init_kwargs"
        rehearse_model(name, own, TrlMethod.loads_with, training.trust_remote_code, key)
    training.teacher_model_init_kwargs = {
        "trust_remote_code": training.trust_remote_code,
        "attn_implementation": model.attn_implementation,
        "dtype": model.dtype,
        **(own or {}),
    }
    return name

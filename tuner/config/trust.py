"""Which lines of a config can run code from elsewhere, and in whose files they count."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tuner.errors import SpecError

CONFIG_FILE = "config.yaml"
"""What a run leaves in its folder, to be trained again."""
RUN_FILES = ("trainer_state.json", "diagnosis.json", "adapter_config.json", "command.json")
"""What else lies in the folder of a run."""
TRUST = "trust_remote_code"
FLAG = "--trust-remote-code"
HARMLESS = frozenset(
    {
        *("CUDA_VISIBLE_DEVICES", "HF_HUB_OFFLINE", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "PYTORCH_ALLOC_CONF"),
        *("PYTORCH_CUDA_ALLOC_CONF", "TOKENIZERS_PARALLELISM", "TRANSFORMERS_OFFLINE"),
    }
)
"""Variables that make nothing run; of the others too many do (``LD_PRELOAD``, ``PYTHONPATH``, ``CC``)."""
TRL_REWARDS = ("accuracy_reward", "reasoning_accuracy_reward", "think_format_reward", "get_soft_overlong_punishment")
"""Reward functions that TRL's scripts know by name; any other name is that of somebody's code."""
NOT_SET = (None, False, 0, "")
MAX_DEPTH = 20


def can_run_code(key: str, value: Any) -> bool:
    """Whether this entry, at any depth of a config, can make a library run code that it finds or fetches."""
    if key in (TRUST, "allow_all_kernels", "use_kernels", "kernel_config"):
        return not _is_off(value)
    if key == "weights_only":  # off, weights are unpickled
        return _is_off(value)
    if key == "attn_implementation":  # with a slash it names a repository of compiled kernels
        return not isinstance(value, str | None) or "/" in (value or "")
    if key == "reward_funcs":
        return not set(value if isinstance(value, list) else [value]) <= {*TRL_REWARDS, *NOT_SET}
    if key in ("metric", "answer_metrics"):
        return any(".py:" in name for name in (value if isinstance(value, list) else [value]) if isinstance(name, str))
    if key == "judge":  # it would get the key of the environment
        return bool(value)
    return key == "env" and not (isinstance(value, Mapping) and HARMLESS.issuperset(value)) and bool(value)


def _is_off(value: Any) -> bool:
    return value in NOT_SET or (isinstance(value, str) and value.strip().lower() in ("false", "no", "off", "0"))


def code_lines(config: Mapping[str, Any]) -> list[str]:
    """The entries of a config that can run code, as dotted names, at any depth and in JSON text as well."""
    return [".".join(path) for path, key, value in _entries(config, ()) if can_run_code(key, value)]


def _entries(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    if len(path) > MAX_DEPTH:
        return
    value = from_json(value)
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield (*path, str(key)), str(key), item
            yield from _entries(item, (*path, str(key)))
    elif isinstance(value, (list, tuple)):
        for place, item in enumerate(value):
            yield from _entries(item, (*path, str(place)))


def without_code(value: Any, depth: int = 0) -> Any:
    """The config without the entries that can run code; what is nested too deeply for a config is left out."""
    if depth > MAX_DEPTH:
        return None
    read = from_json(value)
    if isinstance(read, Mapping):
        kept = {key: without_code(item, depth + 1) for key, item in read.items() if not can_run_code(str(key), item)}
        return json.dumps(kept) if isinstance(value, str) else kept
    return [without_code(item, depth + 1) for item in value] if isinstance(value, (list, tuple)) else value


def from_json(value: Any) -> Any:
    """The mapping that a JSON text holds, which is how TRL also takes mappings; anything else as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith("{"):
        return value
    try:
        read = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return read if isinstance(read, dict) else value


def is_run_file(path: Path) -> bool:
    """Whether a config is what a run left behind, which may be anybody's, and not a file that its user wrote."""
    return bool(run_file_reason(path))


def run_file_reason(path: Path) -> str:
    """Why a config counts as what a run left behind, as a part of a sentence; empty where it does not."""
    for one in (path, path.resolve()):  # a link to the file of a run is one, too
        if one.name == CONFIG_FILE:
            return f"is called {CONFIG_FILE}, as the file of a run is"
        beside = next((name for name in RUN_FILES if (one.parent / name).exists()), None)
        if beside is not None:
            return f"lies beside {beside}, as the file of a run does"
    return ""


def check_trust(config: Mapping[str, Any], path: Path) -> None:
    """Raise ``SpecError`` for a line in a run's file that can run code: only the command line can allow that there."""
    found = code_lines(config) if is_run_file(path) else []
    if found:
        raise SpecError(
            f"{path}: {found[0]}: can run code, and the file {run_file_reason(path)}; remove the line, or give "
            f"{FLAG} if you trust the run and its model"
        )

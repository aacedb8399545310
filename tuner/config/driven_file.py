"""A study file of another trainer: its own config with a ``study`` block, or a block that names the config."""

from __future__ import annotations

import shlex
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuner.config.environment import check_environment, environment
from tuner.config.methods import TRL_METHODS
from tuner.config.overrides import setting_value
from tuner.config.search_space import Space, shown
from tuner.config.secret_keys import is_secret, without_secrets
from tuner.config.sources import located
from tuner.config.space_block import read_space
from tuner.config.study_block import STUDY_KEYS, budget_of, check_comparable, direction_of, read_block
from tuner.config.study_spec import StudyBlock, StudySpec
from tuner.config.trainers.dotted import Flat, flat
from tuner.config.trainers.driver import Driver
from tuner.config.trainers.others import COMMAND
from tuner.config.trainers.own_keys import our_config, our_names, space_keys, with_batch, with_numbers
from tuner.config.trainers.placeholders import check_command
from tuner.config.trainers.profile import HeldOut, Profile
from tuner.config.trainers.recognized import PROFILES, recognized
from tuner.config.trust import FLAG, check_trust, is_run_file, run_file_reason
from tuner.config.yaml_file import read_yaml
from tuner.errors import SpecError, brief, brief_name, nearest

DRIVER_KEYS: Mapping[str, Any] = {
    "trainer": str,
    "command": str,
    "config": str,
    "method": str,
    "log": str,
    "stop": str,
    "resume": str,
    "env": dict,
    "knobs": dict[str, str],
}
"""Keys of the block beside those of every study."""
OURS_ALONE = ("exact_match_rows", "answer_metrics", "judge", "watch_forgetting", "forgetting_limit")
NOWHERE = Path("no such folder")
"""In which a pattern finds nothing, and shows whether it is one."""
STOPS = ("SIGTERM", "SIGINT", "SIGUSR1", "SIGUSR2", "SIGKILL")


def is_driven(raw: Mapping[str, Any]) -> bool:
    """Whether the file is for another trainer: its block says so, or its keys are only that trainer's."""
    block = raw.get("study")
    if not isinstance(block, Mapping) or "method" in raw:
        return False
    return any(key in block for key in ("trainer", "command", "config")) or recognized(raw) is not None


def load_driven(raw: Mapping[str, Any], path: Path, *, trusted: bool = False) -> StudySpec:
    """The study of another trainer's file; raises ``SpecError`` with one line that names file and key."""
    if is_run_file(path) and not trusted:
        raise SpecError(
            f"{path}: study: would start a command, and {run_file_reason(path)}, which may be anybody's; copy your "
            f"file elsewhere under another name, or give {FLAG}"
        )
    _check_trainer(raw["study"], path)
    block = read_block(raw["study"], path, {**STUDY_KEYS, **DRIVER_KEYS})
    for key in OURS_ALONE:
        if block.get(key):
            raise SpecError(f"{path}: study.{key}: is measured only where tuner's own trainer trains")
    own = _own(raw, block, path, trusted=trusted)
    profile = _profile(block, own, path)
    _check_secrets(own, path)
    devices = int(block.get("gpus_per_trial", 1))
    keys = {**profile.keys, **block.get("knobs", {})}
    given = with_numbers(flat(own), keys, str(path))
    method = _method(profile, block, given, path)
    config, unknown = with_batch(our_config(profile, keys, given, devices), profile)
    driver = Driver(
        profile=profile,
        command=_command(profile, block, method, path),
        given=given,
        keys=keys,
        trains=method if profile is not COMMAND or "method" in block else None,
        devices=devices,
        stop=_stop(profile, block, path),
        log=_log(block, path),
        resume=block.get("resume", ""),
        environment=_environment(block, path),
        unknown=unknown,
    )
    study = _study(block, config, driver, method, path)
    spec = StudySpec(path, path.stem, method, config, study, driver)
    _check_together(spec, driver)
    return spec


def _check_trainer(block: Any, path: Path) -> None:
    """Raise ``SpecError`` for a trainer of an unknown name: what else is said of the file may depend on it."""
    name = block.get("trainer") if isinstance(block, Mapping) else None
    if name is not None and not (isinstance(name, str) and name in PROFILES):
        listed = ", ".join(PROFILES)
        hint = nearest(str(name), PROFILES)
        raise SpecError(f"{path}: study.trainer: must be one of {listed}, not {brief(name)}{hint}")


def _own(raw: Mapping[str, Any], block: Mapping[str, Any], path: Path, *, trusted: bool) -> dict[str, Any]:
    """The trainer's own config: beside the block, or in the file that the block names."""
    own = {key: value for key, value in raw.items() if key != "study"}
    if "config" not in block:
        return own
    if own:
        raise SpecError(
            f"{path}: {next(iter(own))}: belongs into study.config ({brief_name(block['config'])}); keep one of the two"
        )
    file = located(block["config"], path.parent)
    if file is None:
        raise SpecError(
            f"{path}: study.config: {brief_name(block['config'])}: no such file, from here or from {path.parent}"
        )
    own = read_yaml(file)
    if not trusted:
        check_trust(own, file)
    own.pop("study", None)
    return own


def _profile(block: Mapping[str, Any], own: Mapping[str, Any], path: Path) -> Profile:
    name = block.get("trainer")
    if name is not None:
        return PROFILES[name]
    found = recognized(own)
    if found is not None:
        return found
    if "command" in block:
        return PROFILES["command"]
    raise SpecError(
        f"{path}: study.trainer is missing: no trainer is known by these keys; one of {', '.join(PROFILES)}"
    )


def _check_secrets(own: Mapping[str, Any], path: Path) -> None:
    """Raise ``SpecError`` for a secret: the config of every trial would hold it."""
    kept = flat(without_secrets(own))
    for key, value in flat(own).items():
        if is_secret(key.rpartition(".")[2]) and key not in kept and value not in (None, ""):
            raise SpecError(
                f"{path}: {key}: holds a secret, and each trial gets a copy of the file; put it in a variable"
            )


def _method(profile: Profile, block: Mapping[str, Any], given: Flat, path: Path) -> str:
    """The training method that the block names, else what the trainer's own keys mean."""
    name = block.get("method")
    if name is None:
        found = [known[given[key]] for key, known in profile.methods.items() if _is_one(given.get(key), known)]
        return found[-1] if found else "sft"
    if name not in TRL_METHODS:
        raise SpecError(f"{path}: study.method: must be one of {', '.join(TRL_METHODS)}, not {brief(name)}")
    return str(name)


def _is_one(value: Any, known: Mapping[Any, str]) -> bool:
    return isinstance(value, (str, int, bool)) and value in known


def _command(profile: Profile, block: Mapping[str, Any], method: str, path: Path) -> str:
    usual = profile.preference_command if method != "sft" and profile.preference_command else profile.command
    command = block.get("command", usual)
    by_config = profile.methods or "{method}" in usual or profile.preference_command or profile is COMMAND
    if method != "sft" and not by_config and "command" not in block:
        raise SpecError(f"{path}: study.method: {profile.name} is known for sft alone; give study.command for {method}")
    if not command:
        raise SpecError(
            f"{path}: study.command is missing; such as `python train.py --config {{config}} --out {{run}}`"
        )
    return str(command)


def _stop(profile: Profile, block: Mapping[str, Any], path: Path) -> str:
    name = block.get("stop", profile.stop)
    if name not in STOPS or not hasattr(signal, name):
        raise SpecError(f"{path}: study.stop: must be one of {', '.join(STOPS)}, not {brief(name)}")
    return str(name)


def _log(block: Mapping[str, Any], path: Path) -> str:
    """Where the trainer logs: a pattern of files below its output, or ``stdout``; empty for wherever a log is found."""
    pattern = str(block.get("log", ""))
    parts = Path(pattern).parts
    try:
        is_below = not pattern or (bool(parts) and ".." not in parts and not any(NOWHERE.glob(pattern)))
    except (ValueError, NotImplementedError):
        is_below = False
    if not is_below:
        raise SpecError(f"{path}: study.log: must be a file below {{run}} such as logs/*.jsonl, not {brief(pattern)}")
    return pattern


def _environment(block: Mapping[str, Any], path: Path) -> dict[str, str]:
    check_environment(block, path)
    return environment(block)


def _study(block: Mapping[str, Any], config: dict[str, Any], driver: Driver, method: str, path: Path) -> StudyBlock:
    from diagnostics.model.curves import canonical_name

    row = TRL_METHODS[method]
    usual = "train_loss" if driver.profile.held_out is HeldOut.NONE else row.method.metric
    metric = canonical_name(block.get("metric", usual))
    names = our_names(driver.keys)
    raw = {_ours(name, names, driver, config): span for name, span in block.get("space", {}).items()}
    space: Space = read_space(raw, space_keys(config, raw), f"{path}: study.space")
    check_comparable(metric, space, row, path)
    direction = direction_of(block, metric, row.method, path)
    return StudyBlock(metric=metric, direction=direction, space=space, **budget_of(block))


def _ours(name: str, names: Mapping[str, str], driver: Driver, config: Flat) -> str:
    """Our name of a setting of the space, which may stand there under the trainer's own."""
    return name if name in driver.keys or name == "batch_size" else names.get(name, name)


def _check_together(spec: StudySpec, driver: Driver) -> None:
    """Raise ``SpecError`` where trial 0, the file itself, is not in the space, or the command cannot take a setting."""
    for name, span in spec.study.space.items():
        at = f"{spec.path}: study.space.{name}"
        known = name in spec.config or name in ("batch_size", "warmup_ratio")
        value = setting_value(spec.config, spec.method, name) if known else None
        if value is None:
            raise SpecError(f"{at}: the file has no {driver.key(name)}; trial 0 is the file, so give it there")
        if not span.holds(value):
            raise SpecError(
                f"{at}: the file's own {driver.key(name)} {shown(value)} is outside {span}; trial 0 is the file"
            )
        if name == "batch_size" and "batch_size" in driver.unknown:
            raise SpecError(
                f"{at}: the file has no batch size; give batch_size, or {', '.join(sorted(driver.unknown))}"
            )
    check_command(spec.config, driver, spec.study.space, spec.path)


def check_program(spec: StudySpec) -> None:
    """Raise ``SpecError`` where another trainer's program is not there to be started."""
    if spec.driver is None:
        return
    program = shlex.split(spec.driver.command)[0]
    if "{" not in program and shutil.which(program) is None:
        raise SpecError(
            f"{spec.path}: study.command: {program}: no such program; give the whole path of the one in the trainer's "
            f"own environment, such as /envs/{spec.driver.profile.name}/bin/{Path(program).name}"
        )

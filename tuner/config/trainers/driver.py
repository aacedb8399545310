"""How another trainer is driven in one study, and a trial's settings in that trainer's own keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tuner.config.search_space import LIST_SEPARATOR
from tuner.config.trainers.dotted import Flat
from tuner.config.trainers.profile import Profile, WarmUp
from tuner.errors import SpecError

ROWS, TIMES = "per_device_train_batch_size", "gradient_accumulation_steps"


@dataclass(frozen=True)
class Driver:
    """A trainer, and what the study file says of how it is run.

    ``given`` is its own config, flat, and ``keys`` our names of the settings in it. ``trains`` is the training method,
    None where nobody knows. ``devices`` are those that the
    file's batch is meant for, and that a run gets. ``log`` is where it logs, below its output (empty: wherever a log is
    found there). ``unknown`` are settings of ours that it has no key for. ``environment`` comes on top of the
    profile's; ``resume`` is added to the command of a run that continues.
    """

    profile: Profile
    command: str
    given: Flat
    keys: Mapping[str, str]
    trains: str | None = None
    devices: int = 1
    stop: str = "SIGTERM"
    log: str = ""
    resume: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()

    def key(self, name: str) -> str:
        """The trainer's own key for a setting of ours."""
        return self.keys.get(name, name)

    def renamed(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Settings under the trainer's own keys, as far as it has any; values as they are."""
        return {self.key(name): value for name, value in settings.items()}


def own_config(driver: Driver, base: Flat, made: Flat, devices: int) -> dict[str, Any]:
    """The trainer's flat config for the settings ``made`` of the file's ``base``, both by our names.

    What a trial does not change stays as the file has it. The rows of an optimizer step stay what ``made`` says on any
    number of ``devices``. Raises ``SpecError`` for settings that the trainer cannot be given.
    """
    values = dict(driver.given)
    moved = {name: value for name, value in made.items() if base.get(name, _NOTHING) != value}
    for name in base.keys() - made.keys() - {"batch_size", "warmup_ratio"}:
        values.pop(driver.key(name), None)
    batch = _batch(driver, made, devices)
    _set_warm_up(driver, values, moved.pop("warmup_steps", None), base, made)
    if "lora_r" in moved and driver.profile.alpha_follows and driver.key("lora_alpha") not in values:
        moved.setdefault("lora_alpha", made["lora_alpha"])  # it would follow the rank
    moved = {name: value for name, value in moved.items() if name not in (ROWS, TIMES)}
    for name, value in {**moved, **batch, "seed": made["seed"]}.items():
        if name not in driver.unknown:
            key = driver.key(name)
            values[key] = _as_given(values.get(key), value)
    return values


_NOTHING = object()


def _as_given(old: Any, new: Any) -> Any:
    """The value in the form that the file has it: a list of modules may be one text there, epochs a whole number."""
    if type(old) is int and isinstance(new, float) and new.is_integer():
        return int(new)
    if isinstance(new, list) and isinstance(old, str):
        return ",".join(map(str, new))
    if isinstance(new, str) and isinstance(old, list) and LIST_SEPARATOR in new:
        return new.split(LIST_SEPARATOR)
    return new


def _batch(driver: Driver, made: Flat, devices: int) -> dict[str, int]:
    """Rows and accumulation on so many devices, as the trainer counts them."""
    whole = int(made[ROWS]) * int(made[TIMES])
    if ROWS in driver.unknown:
        return {"batch_size": whole}  # how it is split is the command's own business
    share, rest = divmod(whole, devices)
    if rest or not share:
        raise SpecError(f"batch_size {whole} cannot be shared by {devices} devices; use a multiple of {devices}")
    rows = next(size for size in range(min(int(made[ROWS]), share), 0, -1) if share % size == 0)
    if driver.profile.total_batch:
        return {ROWS: rows, "batch_size": whole}
    return {ROWS: rows, TIMES: share // rows}


def _set_warm_up(driver: Driver, values: dict[str, Any], new: Any, base: Flat, made: Flat) -> None:
    """Set a warm-up that changed: a share where the trainer takes one, else a number of steps."""
    if new is None or new == base.get("warmup_ratio"):
        return
    steps, ratio = driver.key("warmup_steps"), driver.key("warmup_ratio")
    if driver.profile.warm_up is WarmUp.RATIO and new < 1:
        values.pop(steps, None)
        values[ratio] = new
    elif driver.profile.warm_up is WarmUp.COUNT and new < 1:
        total = int(made.get("max_steps") or 0)
        if total <= 0:
            raise SpecError(
                f"warmup_ratio: {driver.profile.name} takes warm-up as a number of steps; give the file "
                f"{driver.key('max_steps')}, or take warmup_ratio out of study.space"
            )
        values[steps] = round(new * total)
    else:
        values.pop(ratio, None)
        values[steps] = new

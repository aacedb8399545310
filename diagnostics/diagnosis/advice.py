"""From a fix to advice: which knob, from which value to which, within the caps, in words where the log is silent."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, isfinite, log10

from diagnostics.model.methods import method_record
from diagnostics.model.rate_estimate import TELLS, RateSide
from diagnostics.model.rate_prior import MAX_RATE_CUT, MAX_RATE_FACTOR, Bounds
from diagnostics.model.records import Advice
from diagnostics.rules.rule import Case, Fix

ADVICE_RANGES: Mapping[str, tuple[float, float]] = {
    "batch_size": (1, 1024),
    "warmup_ratio": (0.0, 0.1),
    "num_train_epochs": (0.1, 5.0),
    "lora_r": (1, 256),
    "lora_dropout": (0.0, 0.1),
    "neftune_noise_alpha": (0.0, 15.0),
    "beta": (0.01, 0.5),
    "num_generations": (2, 64),
    "temperature": (0.1, 1.2),
    "max_completion_length": (16, 4096),
    "epsilon_high": (0.1, 0.4),
    "label_smoothing": (0.0, 0.2),
    "adam_beta2": (0.9, 0.999),
}
"""The range that advice stays in where the user gives none; the learning rate has its prior."""

RATE_LEADS = (1.0, 3.0)
OF_ADAPTERS = ("lora_r", "lora_alpha", "lora_dropout", "target_modules")
"""Settings of an adapter: no advice where nothing says that there is one."""
BETA_OF_REWARDS = (0.0, 0.1)
"""With rewards that can be checked 0 is usual, and more than 0.1 is never advised."""
WHOLE_NUMBERS = ("batch_size", "max_steps", "lora_r", "num_generations", "max_completion_length", "num_iterations")
NOT_SETTINGS = ("data", "checkpoint", "eval_set", "target_modules")


def advise(fixes: tuple[Fix, ...], case: Case, *, because: str, confidence: float, bounds: Bounds) -> list[Advice]:
    """The advice of a rule's fixes, one for each knob, in their order; what would change nothing is left out."""
    found: dict[str, Advice] = {}
    for fix in fixes:
        if fix.knob in found or (fix.when is not None and not fix.when(case)) or _denied(fix, case):
            continue
        if fix.knob in OF_ADAPTERS and not case.settings.has_adapter:
            continue
        advice = _advice(fix, case, because, confidence * fix.weight, bounds)
        if advice is not None:
            found[fix.knob] = advice
    return list(found.values())


def _advice(fix: Fix, case: Case, because: str, confidence: float, bounds: Bounds) -> Advice | None:
    """The advice of one fix, or None when the knob is already there or may not move that way."""
    old = getattr(case.settings, fix.knob, None)
    if old is None and fix.knob == "learning_rate":
        old = case.measured.get("rate")
    if isinstance(fix.to, str):
        if old == fix.to:
            return None
        return Advice(fix.knob, old, fix.to, None, because, fix.expect, confidence, fix.description)
    nominal, aim = _times(fix, case), _number(fix.to, case)
    known = float(old) if isinstance(old, (int, float)) else None
    if known is None and aim is None:
        return Advice(fix.knob, None, None, nominal, because, fix.expect, confidence, fix.description, nominal)
    new = _new_value(fix, case, known, nominal, aim, bounds)
    if new is None:
        return None
    factor = new / known if known and isfinite(new / known) else None
    shown = nominal if factor and nominal and abs(factor / nominal - 1.0) < 0.12 else factor
    usual = case.rate_prior.usual if fix.knob == "learning_rate" else None
    if usual and _passes(known, new, usual):
        usual = None  # the curve asks for more than is usual
    return Advice(fix.knob, old, new, factor, because, fix.expect, confidence, fix.description, shown, usual=usual)


def _passes(old: float | None, new: float, usual: tuple[float, float]) -> bool:
    """Whether a change leaves the usual range on the side to which it moves."""
    return old is not None and (new > max(old, usual[1]) or new < min(old, usual[0]))


def _denied(fix: Fix, case: Case) -> bool:
    """Whether the fix moves the learning rate in the direction that its estimate denies."""
    times = _number(fix.times, case) if fix.by_estimate else None
    if times is None or times == 1.0 or case.rate_estimate is None:
        return False
    return case.rate_estimate.chance(RateSide.TOO_HIGH if times > 1.0 else RateSide.TOO_LOW) >= TELLS


def _times(fix: Fix, case: Case) -> float | None:
    """The factor of a fix: the estimate's where it gives one, to two digits, else the fix's own."""
    times = _number(fix.times, case)
    if not fix.by_estimate or times is None or case.rate_estimate is None:
        return times
    step = case.rate_estimate.step(RateSide.TOO_LOW if times > 1.0 else RateSide.TOO_HIGH)
    return times if step is None else float(f"{step:.2g}")


def _number(value: object, case: Case) -> float | None:
    """A factor or target, computed from the case where it is a function."""
    found = value(case) if callable(value) else value
    return float(found) if isinstance(found, (int, float)) and isfinite(found) else None


def _new_value(
    fix: Fix, case: Case, old: float | None, times: float | None, aim: float | None, bounds: Bounds
) -> float | None:
    """The value advised, inside the fix's own limits and the caps; None when that leaves no move in its direction."""
    if aim is None:
        if old is None or times is None:
            return None
        up = times > 1.0
        aim = old * times
    else:
        up = old is None or aim > old
    if fix.knob == "learning_rate" and old:
        aim = min(max(aim, old / MAX_RATE_CUT), old * MAX_RATE_FACTOR)
    aim = max(aim, fix.at_least) if fix.at_least is not None else aim
    aim = min(aim, fix.at_most) if fix.at_most is not None and up else aim
    low, high = _range(fix.knob, case, bounds)
    if not up and fix.knob not in bounds:
        high = max(high, aim)  # a cap stops a raise; it does not make a cut deeper
    aim = min(max(_tidy(fix.knob, min(max(aim, low), high), old), low), high)
    if old is not None and not (aim > old * (1 + 1e-9) if up else aim < old * (1 - 1e-9)):
        return None
    return aim


def _range(knob: str, case: Case, bounds: Bounds) -> tuple[float, float]:
    """The user's own range of the knob, else the cap."""
    if knob in bounds:
        return bounds[knob]
    if knob == "learning_rate":
        return case.rate_prior.floor or 0.0, case.rate_prior.cap or float("inf")
    if knob == "beta" and not method_record(case.settings.method).loss_is_objective:
        return BETA_OF_REWARDS
    return ADVICE_RANGES.get(knob, (0.0, float("inf")))


def _tidy(knob: str, value: float, old: float | None) -> float:
    """The value as a person would write it: whole where it counts things, else two digits.

    Learning rates stay on the grid 1e-5, 3e-5, 1e-4, ...: three times a rate is the next one.
    """
    if knob in WHOLE_NUMBERS:
        return float(max(1, round(value)))
    if value <= 0.0:
        return value
    if knob == "learning_rate" and old is not None and _on_rate_grid(old):
        grid = [rate for rate in (_grid_rate(value, k) for k in (-1, 0, 1)) if rate > 0.0]
        near = min(grid, key=lambda r: abs(log10(r / value)), default=value)
        if abs(log10(near / value)) < 0.06:
            return near
    digits = 1 - floor(log10(value))
    return round(value, digits) if digits < 300 else value


def _on_rate_grid(value: float) -> bool:
    """Whether a rate is one or three times a power of ten."""
    lead = float(f"{value:e}".partition("e")[0])  # also of a rate so small that its power of ten is 0
    return min(abs(lead - r) for r in (*RATE_LEADS, 10.0)) < 0.02


def _grid_rate(value: float, offset: int) -> float:
    """The rate on the grid near a value, ``offset`` places further."""
    exponent = floor(log10(value))
    lead = 3.0 if value / 10.0**exponent >= 3.0 else 1.0
    index = 2 * exponent + (1 if lead == 3.0 else 0) + offset
    return float(f"{RATE_LEADS[index % 2]:g}e{index // 2}")

"""The next move as a pure function of all trials so far: the verdict gives the direction, the values decide."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from diagnostics.wording import plain_name, setting
from tuner.search.credit import RuleRecord, rule_records
from tuner.search.distributions import Distributions, alike, moved_to, neighbour, snapped, tried_before
from tuner.search.record import Tried, beyond_noise, noise_of
from tuner.search.trust_region import Line, next_step, promised

RATE = "learning_rate"
ORDER = ("batch_size", "warmup_ratio", "lora_r", "beta", "num_train_epochs")
"""The knobs after the learning rate, the more telling first; the rest follow in the order of the space."""
ORDER_SFT = ("batch_size", "lora_r", "warmup_ratio", "num_train_epochs")
"""For supervised fine-tuning the rank is worth 1 to 2 % at a good rate (548 LoRA runs), and leaving warm-up out cost
nothing (Pareja 2024); every DPO recipe warms up."""
PRIOR = 2.0
"""The confidence of an advice weighs as much as this many trials that followed its rule."""
LONE = "sampler:trust-region"
COARSE = 0.4
"""Decades. A finer step of the rate is worth half a percent at most (3.1 % a decade squared in 548 LoRA runs), so the
other knobs are asked first."""
RANK = 0.0114
"""What one step of another knob may save of the loss: half of what the best rank does at a good rate (2.28 % in 548
LoRA runs). A rate that promises more comes first."""
HARDLY_WORSE = 0.03
"""A rate ten times too low costs 2 to 4 % of the loss: within that, a verdict weighs more than a value."""


@dataclass(frozen=True)
class Move:
    """Settings for the next trial, who proposed them and why; ``parent`` is the trial that they start from."""

    settings: Mapping[str, Any]
    moved_by: str
    because: str
    parent: int


def incumbent(trials: Sequence[Tried]) -> Tried | None:
    """The best trial so far; among near ties an unstable one gives way.

    Where seeds were compared, a loss counts with its doubt: settings that ran once must be that much better.
    """
    usable = [trial for trial in trials if trial.usable]
    if not usable:
        return None
    best = min(usable, key=_doubted)
    ties = [trial for trial in usable if not beyond_noise(best, trial)]
    calm = [trial for trial in ties if trial.label not in ("unstable", "broken")]
    return min(calm or [best], key=_doubted)


def _doubted(trial: Tried) -> float:
    return _loss(trial) + trial.doubt


def _loss(trial: Tried) -> float:
    return math.inf if trial.loss is None else trial.loss


def next_move(trials: Sequence[Tried], space: Distributions) -> Move | None:
    """What to try next: learning rate first, then the other knobs; None when the advisor has nothing left to say."""
    best = incumbent(trials)
    if best is None:
        best = min((t for t in trials if t.diverged), key=lambda t: t.settings.get(RATE, 0.0), default=None)
    if best is None:
        return None
    return next(_moves(best, trials, space), None)


def settled(trials: Sequence[Tried], space: Distributions) -> bool:
    """Whether the learning rate is resolved to a few tenths of a decade at one setting of the other knobs at least."""
    if not _has_rate(space):
        return True
    return any(
        sum(t.usable for t in trials if _beside(t, trial, space)) >= 2
        and not _is_coarse(_rate_move(trial, trials, space), trial, trials, space)
        for trial in trials
        if trial.usable and trial is incumbent([t for t in trials if _beside(t, trial, space)])
    )


def _is_coarse(move: Move | None, best: Tried, trials: Sequence[Tried], space: Distributions) -> bool:
    """Whether a move of the learning rate is more than a refinement.

    It is the first, goes far beyond what was tried, or into a gap that promises more than another knob.
    """
    if move is None:
        return False
    step = _decades(move.settings, best)
    beside = [t for t in trials if t.usable and _beside(t, best, space)]
    if len(beside) < 2:
        return True
    if any(_beyond(t, best) * step > 0 for t in beside):
        return promised(rate_line(best, trials, space)) > RANK
    return abs(step) > COARSE


def _decades(settings: Mapping[str, Any], other: Tried) -> float:
    """How many decades the rate of some settings lies above a trial's."""
    return math.log10(settings[RATE] / other.settings[RATE])


def _moves(best: Tried, trials: Sequence[Tried], space: Distributions) -> Iterator[Move]:
    """All moves from the best trial, the first to be made first."""
    rate = _rate_move(best, trials, space) if _has_rate(space) else None
    if (
        rate is not None
        and _is_coarse(rate, best, trials, space)
        and (rate.moved_by != LONE or not settled(trials, space))
    ):
        yield rate
    yield from _advised(best, trials, space)
    yield from _probes(best, trials, space)
    yield from _some(rate)


def _some(move: Move | None) -> Iterator[Move]:
    if move is not None:
        yield move


def _has_rate(space: Distributions) -> bool:
    return isinstance(space.get(RATE), FloatDistribution)


def _rate_move(best: Tried, trials: Sequence[Tried], space: Distributions) -> Move | None:
    """The next learning rate, everything else as in the best trial."""
    advice = _rate_advice(best)
    target = _target(advice, best) if advice else None
    advised = math.log10(target / best.settings[RATE]) if isinstance(target, float) and target > 0 else 0.0
    line = rate_line(best, trials, space)
    if not line.points:
        return _retreat(best, advised, advice, trials, space)
    onward = _onward(best, advised, line, trials, space)
    if onward is not None:
        return onward
    step = next_step(line, advised)
    if step is None:
        return None
    follows = advice is not None and advised * step.direction(line) > 0
    why = _reason(advice, best) if follows and advice else step.why
    return _made(best, RATE, 10**step.position, why, advice if follows else None, trials, space)


def _rate_advice(trial: Tried) -> Mapping[str, Any] | None:
    """What the trial's verdict says of the learning rate."""
    return next((advice for advice in trial.advice if advice.get("knob") == RATE), None)


def _onward(best: Tried, advised: float, line: Line, trials: Sequence[Tried], space: Distributions) -> Move | None:
    """A step from the furthest trial the advised way whose own verdict points on, None when there is no such trial.

    Runs that have hardly begun to learn differ by chance: the best of them is no reason to stay.
    """
    if not advised:
        return None
    further = [t for t in trials if t.usable and _beside(t, best, space) and _beyond(t, best) * advised > 0]
    further = [t for t in further if _loss(t) - _loss(best) <= HARDLY_WORSE * abs(_loss(best))]
    furthest = max(further, key=lambda t: abs(_beyond(t, best)), default=None)
    advice = _rate_advice(furthest) if furthest else None
    target = _target(advice, furthest) if advice and furthest else None
    if furthest is None or advice is None or not isinstance(target, float) or target <= 0:
        return None
    step = math.log10(target / furthest.settings[RATE])
    position = min(max(math.log10(target), line.low), line.top)
    if step * advised <= 0 or (position - math.log10(furthest.settings[RATE])) * advised <= 0:
        return None
    return _made(furthest, RATE, 10**position, _reason(advice, furthest), advice, trials, space)


def _beyond(trial: Tried, other: Tried) -> float:
    """How many decades a trial's rate lies above another's."""
    return _decades(trial.settings, other)


def rate_line(best: Tried, trials: Sequence[Tried], space: Distributions) -> Line:
    """The trials that differ from the best one in the learning rate alone, as a line of decades."""
    span = space[RATE]
    assert isinstance(span, FloatDistribution)
    beside = [t for t in trials if _beside(t, best, space)]
    usable = [t for t in beside if t.usable]
    walls = [t.settings[RATE] for t in trials if t.diverged and _no_calmer(best, t)]
    walls = [rate for rate in walls if not usable or rate > best.settings[RATE]]
    pending = [math.log10(t.settings[RATE]) for t in beside if t.running]
    points = [(math.log10(t.settings[RATE]), _loss(t)) for t in usable]
    wall = math.log10(min(walls)) if walls else None
    return Line(points, math.log10(span.low), math.log10(span.high), wall, noise_of(*usable), pending)


def _beside(trial: Tried, other: Tried, space: Distributions) -> bool:
    """Whether two trials differ in nothing but the learning rate."""
    return all(
        knob in trial.settings and knob in other.settings and alike(trial.settings[knob], other.settings[knob], span)
        for knob, span in space.items()
        if knob != RATE
    )


def _no_calmer(candidate: Tried, hot: Tried) -> bool:
    """Whether the candidate has no more warm-up, clipping or batch than a trial that diverged, and the same beta."""

    def knob(trial: Tried, name: str, default: float) -> float:
        value = trial.settings.get(name, default)
        return float(value) if isinstance(value, (int, float)) else default

    if RATE not in hot.settings:
        return False
    longer = knob(candidate, "warmup_ratio", 0) > 1.5 * knob(hot, "warmup_ratio", 0) + 0.005
    tighter = knob(candidate, "max_grad_norm", 1) < 0.7 * knob(hot, "max_grad_norm", 1)
    bigger = knob(candidate, "batch_size", 1) > knob(hot, "batch_size", 1)
    other = candidate.settings.get("beta") != hot.settings.get("beta")
    return not (longer or tighter or bigger or other)


def _retreat(
    worst: Tried, advised: float, advice: Mapping[str, Any] | None, trials: Sequence[Tried], space: Distributions
) -> Move | None:
    """Down from a trial that diverged when nothing else is known: what the verdict says, at least ×0.3."""
    rate = worst.settings[RATE] * 10 ** min(advised, -0.5)
    return _made(worst, RATE, rate, "every rate so far diverged", advice if advised < 0 else None, trials, space)


def _advised(best: Tried, trials: Sequence[Tried], space: Distributions) -> Iterator[Move]:
    """One move for each advice of the best trial's verdict: the surer first, by its rule's record in this study."""
    records = rule_records(trials)
    for advice in sorted(best.advice, key=lambda one: -_trust(one, records)):
        knob = str(advice.get("knob"))
        if knob not in space or knob == RATE or _lost(str(advice.get("because")), knob, trials):
            continue
        target = _target(advice, best)
        value = None if target is None else moved_to(best.settings[knob], target, space[knob])
        if value is not None:
            yield from _some(_made(best, knob, value, _reason(advice, best), advice, trials, space))


def _trust(advice: Mapping[str, Any], records: Mapping[str, RuleRecord]) -> float:
    """How likely the advice is to help: its own confidence, worth ``PRIOR`` trials, and what its rule has brought."""
    known = records.get(str(advice.get("because")))
    sure = float(advice.get("confidence") or 0.5)
    return sure if known is None else (PRIOR * sure + known.helped) / (PRIOR + known.followed)


def _lost(rule: str, knob: str, trials: Sequence[Tried]) -> bool:
    """Whether this rule's advice on this knob failed the last two times it was followed."""
    by_number = {trial.number: trial for trial in trials}
    tests = [t for t in trials if t.moved_by == f"advice:{rule}" and not t.running and t.parent in by_number]
    tests = [t for t in tests if t.settings.get(knob) != by_number[t.parent or 0].settings.get(knob)]
    return len(tests) >= 2 and not any(beyond_noise(t, by_number[t.parent or 0]) for t in tests[-2:])


def _target(advice: Mapping[str, Any], best: Tried) -> Any:
    """The value that the advice asks for, from its new value or its factor; None when it is in words only."""
    now = best.settings.get(str(advice.get("knob")))
    new, factor = advice.get("new"), advice.get("factor")
    if isinstance(factor, (int, float)) and isinstance(now, (int, float)) and not isinstance(now, bool) and now:
        return float(now) * float(factor)
    return float(new) if isinstance(new, (int, float)) and not isinstance(new, bool) else new


def _probes(best: Tried, trials: Sequence[Tried], space: Distributions) -> Iterator[Move]:
    """The neighbours of the best trial, one knob at a time; a knob that was never turned comes first.

    A larger batch comes last of all: at the same rate and the same samples it takes fewer steps, which LoRA pays for
    (LoRA without regret, 2025); where it is called for, a verdict says so.
    """
    first = ORDER_SFT if best.method == "sft" else ORDER
    knobs = [knob for knob in first if knob in space]
    knobs += [knob for knob in space if knob not in knobs and knob != RATE]
    knobs.sort(key=lambda one: was_turned(one, trials, space[one]))
    steps = [(knob, way) for knob in knobs for way in _ways(knob)]
    for knob, way in sorted(steps, key=lambda step: step == ("batch_size", 1)):
        value = neighbour(best.settings[knob], way, space[knob])
        if value is not None and not _probed(knob, value, best, trials, space):
            text = f"{plain_name(knob)} {setting(knob, value)} lies next to trial {best.number}, the best so far"
            yield from _some(_made(best, knob, value, text, None, trials, space))


def was_turned(knob: str, trials: Sequence[Tried], span: BaseDistribution) -> bool:
    """Whether two trials differ in a knob."""
    values = [trial.settings[knob] for trial in trials if knob in trial.settings]
    return any(not alike(value, values[0], span) for value in values)


def _probed(knob: str, value: Any, best: Tried, trials: Sequence[Tried], space: Distributions) -> bool:
    """Whether this very step of a knob was tried from another trial and lost beyond noise: it need not lose again."""
    by_number = {trial.number: trial for trial in trials}
    for trial in trials:
        parent = by_number.get(-1 if trial.parent is None else trial.parent)
        if trial.moved_by != LONE or parent is None or trial.running:
            continue
        same_step = alike(trial.settings.get(knob), value, space[knob])
        same_start = alike(parent.settings.get(knob), best.settings[knob], space[knob])
        if same_step and same_start and (not trial.usable or beyond_noise(parent, trial)):
            return True
    return False


def _ways(knob: str) -> tuple[int, int]:
    """The order of a probe's two ways: a smaller batch gives more updates; of the rest more is tried first."""
    return (-1, 1) if knob == "batch_size" else (1, -1)


def _made(
    best: Tried,
    knob: str,
    value: Any,
    why: str,
    advice: Mapping[str, Any] | None,
    trials: Sequence[Tried],
    space: Distributions,
) -> Move | None:
    """The move, or None when the space does not hold it or it was tried before."""
    fitting = snapped(_round(value, space[knob]), space[knob])
    wanted = {**{name: best.settings[name] for name in space if name in best.settings}, knob: fitting}
    if fitting is None or tried_before(wanted, [t.settings for t in trials], space):
        return None
    by = f"advice:{advice['because']}" if advice else LONE
    return Move(wanted, by, why, best.number)


def _round(value: Any, span: object) -> Any:
    """A rate to two digits, as a person would write it; other values as they are."""
    if isinstance(span, (FloatDistribution, IntDistribution)) and isinstance(value, float) and value:
        return float(f"{value:.1e}") if isinstance(span, FloatDistribution) and span.log else value
    return value


def _reason(advice: Mapping[str, Any], best: Tried) -> str:
    """Why the advice was given: the rule, the trial where it fired, and what was measured there."""
    rule = str(advice.get("because"))
    found = best.findings.get(rule)
    return f"{plain_name(rule)} in trial {best.number}" + (f": {found}" if found else "")

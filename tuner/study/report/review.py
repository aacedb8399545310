"""What only all trials together show: one paragraph each, with the lines to put into the study file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from optuna.distributions import BaseDistribution, FloatDistribution

from diagnostics.formatting import sentence
from diagnostics.messages import finding_message
from diagnostics.model.message import message
from diagnostics.model.records import Finding
from tuner.config.direction import Direction
from tuner.config.overrides import with_overrides
from tuner.config.search_space import Choice, Range
from tuner.search.distributions import Distributions, edge_of, position, span_of
from tuner.search.importance import parameter_effect
from tuner.search.noise import RELATIVE_NOISE_FLOOR
from tuner.study.context import file_value
from tuner.study.failure import Failure
from tuner.study.fit_memory import MemoryLimit
from tuner.study.noise import Noise
from tuner.study.report.yaml_patch import BATCH_KEYS, patch, rounded, widen
from tuner.study.results import Gain, Paragraph, TrialResult, TrialState
from tuner.study.words import failure_words, gain_words

if TYPE_CHECKING:
    from tuner.config.study_file import StudySpec

MANY_UNSTABLE = 0.3
"""The share of unstable trials from which on the space is at fault."""
MIN_UPDATES = 100
"""Below this many optimizer steps LoRA learns little at any rate (tinker: at least 100, best 1000 and more)."""
BEST_LATE = 0.9
BEST_EARLY = 0.3
"""A best value after so much of the run, or before so much of it: the schedule is too short, or longer than needed."""
MIN_DISTANCE_FROM_EDGE = 0.05
"""So far from the edge, as a share of the range, another value says whether the edge matters."""
RATE = "learning_rate"


def review(
    trials: Sequence[TrialResult],
    best: int | None,
    spec: StudySpec,
    space: Distributions,
    gain: Gain | None,
    limits: Sequence[MemoryLimit] = (),
    noise: Noise | None = None,
    missing: int = 0,
) -> tuple[Paragraph, ...]:
    """The points that the trials raise together, the more pressing first; empty when there is nothing to say.

    ``missing`` counts the repeats that are still to be trained.
    """
    winner = next((trial for trial in trials if trial.number == best), None)
    ended = [trial for trial in trials if not trial.is_running]
    points: list[Paragraph | None] = [_broken(ended), _unstable(ended, spec, space), _failed(ended)]
    points += [_does_not_fit(ended, spec), _little_memory(limits, spec)]
    if winner is not None:
        apart = _apart(winner, noise)
        known = [trial for trial in ended if trial.value is not None]
        points += [_edge(winner, known, knob, space, spec, apart) for knob in space if knob in winner.settings]
        points += [_too_few_updates(winner, spec), _too_short(winner, spec), _too_long(winner, spec)]
        points += [_no_effect(winner, ended, knob, space, spec) for knob in space]
    points.append(_within_noise(gain, spec, missing))
    return tuple(point for point in points if point is not None)


def _broken(trials: Sequence[TrialResult]) -> Paragraph | None:
    """The data or the log is broken: what to check before anything else."""
    hurt = [trial for trial in trials if trial.label == "broken" and trial.diagnosis]
    if not hurt:
        return None
    findings = (hurt[0].diagnosis or {}).get("findings") or []
    found = finding_message(Finding.from_dict(findings[0])) if findings else hurt[0].cause
    what = message("broken-finding", trial=hurt[0].number, finding=found)
    return Paragraph(message("broken-run"), (what, message("look-first")))


def _apart(winner: TrialResult, noise: Noise | None) -> float:
    """The difference that is more than noise, as far as the study knows: from its seeds once it has some."""
    floor = RELATIVE_NOISE_FLOOR * abs(winner.value or 0.0)
    return max(floor, noise.counts_from, 2 * (noise.seeds or 0.0)) if noise else floor


def _edge(
    winner: TrialResult,
    trials: Sequence[TrialResult],
    knob: str,
    space: Distributions,
    spec: StudySpec,
    apart: float,
) -> Paragraph | None:
    """The best value lies at the edge of its range (the bad-boundary test of Google's tuning playbook).

    Only where the values further inside are worse beyond noise: else the edge may be best by chance.
    """
    value, span = winner.settings[knob], space[knob]
    side, known = edge_of(value, span), span_of(span)
    inside = [trial for trial in trials if _is_inside(trial.settings.get(knob), value, span)]
    further = widen(knob, known, value, side) if side and known is not None else None
    sign = Direction(spec.study.direction).sign
    if not inside or further is None:
        return None
    if min(sign * ((trial.value or 0.0) - (winner.value or 0.0)) for trial in inside) <= apart:
        return None
    what = message("edge-highest" if side > 0 else "edge-lowest", knob=knob, value=value)
    changes = patch(spec, space={knob: further})
    return Paragraph(message("edge-of-range", knob=knob), (what, message("beyond-edge")), changes)


def _is_inside(value: Any, edge: Any, span: BaseDistribution) -> bool:
    """Whether a value lies clearly apart from one at the edge of the range."""
    here, there = position(value, span), position(edge, span)
    return value not in (edge, None) and (here is None or there is None or abs(here - there) > MIN_DISTANCE_FROM_EDGE)


def _unstable(trials: Sequence[TrialResult], spec: StudySpec, space: Distributions) -> Paragraph | None:
    """Many trials were unstable: the space reaches too far up, or the warm-up is too short."""
    unstable = [trial for trial in trials if trial.label == "unstable"]
    share = len(unstable) / max(1, len(trials))
    if len(trials) < 3 or share < MANY_UNSTABLE:
        return None
    count = message("unstable-count", unstable=len(unstable), trials=len(trials), share=share)
    others = [trial for trial in trials if trial not in unstable and trial.value is not None]
    stable = [float(trial.settings[RATE] or 0) for trial in others if RATE in trial.settings]
    span = span_of(space[RATE]) if isinstance(space.get(RATE), FloatDistribution) else None
    if stable and isinstance(span, Range):
        highest = max(stable)
        ended = Range(min(span.low, highest), min(span.high, rounded(2 * highest)), span.log)
        what = message("highest-stable-rate", knob=RATE, rate=highest)
        return Paragraph(message("unstable-trials"), (count, what), patch(spec, space={RATE: ended}))
    rates = [float(trial.settings.get(RATE) or file_value(spec, RATE)) for trial in unstable]
    changes = patch(spec, {RATE: rounded(min(rates) / 10)})
    return Paragraph(message("unstable-trials"), (count, message("begin-lower")), changes)


def _failed(trials: Sequence[TrialResult]) -> Paragraph | None:
    """Some trials ended with an error: say how many and with which."""
    failed = [trial for trial in trials if trial.state is TrialState.FAILED]
    if not failed:
        return None
    errors = sorted({_error_name(trial.failure) for trial in failed})
    what = message("failed-with", count=len(failed), numbers=_numbers(failed), errors=", ".join(errors))
    return Paragraph(message("failed-trials"), (what,))


def _error_name(failure: Failure | None) -> str:
    """The class of an error, or what else a run failed with."""
    return "no value" if failure is None else failure.error or failure_words(failure)


def _numbers(trials: Sequence[TrialResult]) -> str:
    """``3, 5``."""
    return ", ".join(str(trial.number) for trial in trials)


def _does_not_fit(trials: Sequence[TrialResult], spec: StudySpec) -> Paragraph | None:
    """Some settings need more memory than there is, even one row at a time."""
    hurt = [trial for trial in trials if trial.state is TrialState.INFEASIBLE]
    if not hurt:
        return None
    what = message("did-not-fit", count=len(hurt), numbers=_numbers(hurt))
    needs_less, change = message("checkpoint-gradients"), dict[str, Any](gradient_checkpointing=True)
    if file_value(spec, "gradient_checkpointing"):
        length = int(file_value(spec, "max_length") or 1024)
        needs_less, change = message("shorter-rows"), {"max_length": length // 2}
    return Paragraph(message("infeasible-trials"), (what, needs_less), patch(spec, change))


def _little_memory(limits: Sequence[MemoryLimit], spec: StudySpec) -> Paragraph | None:
    """The file's device batch does not fit: what did, so that the next study begins with it."""
    if not limits:
        return None
    least = min(limits, key=lambda limit: (limit.fits.train, limit.fits.evaluation))
    runs = ", ".join(limit.run for limit in limits)
    sentences = [
        message("memory-ran-out", runs=runs, train=least.fits.train, evaluation=least.fits.evaluation),
        message("write-rows"),
    ]
    guessed = ", ".join(limit.run for limit in limits if limit.likely)
    sentences += [message("only-kills", runs=guessed)] if guessed else []
    whole = with_overrides(spec.config, least.fits.overrides)
    changes = patch(spec, {key: whole[key] for key in BATCH_KEYS})
    return Paragraph(message("rows-lowered"), tuple(sentences), changes)


def _too_few_updates(winner: TrialResult, spec: StudySpec) -> Paragraph | None:
    """The best run made very few optimizer steps."""
    if not 0 < winner.steps < MIN_UPDATES:
        return None
    what = message("updates", steps=winner.steps, needed=MIN_UPDATES)
    batch = winner.settings.get("batch_size") or file_value(spec, "batch_size")
    if isinstance(batch, (int, float)) and batch > 4:
        changes = patch(spec, {"batch_size": max(1, int(batch) // 4)})
        return Paragraph(message("few-updates"), (what, message("smaller-batch")), changes)
    return Paragraph(message("few-updates"), (what, message("more-data")), _as_long(spec, 2))


def _as_long(spec: StudySpec, times: float) -> dict[str, Any]:
    """The keys that make a run so many times as long."""
    steps = file_value(spec, "max_steps") or 0
    if steps > 0:
        return patch(spec, {"max_steps": max(1, round(times * steps))})
    return patch(spec, {"num_train_epochs": float(f"{times * float(file_value(spec, 'num_train_epochs') or 1):.2g}")})


def _best_share(trial: TrialResult) -> float | None:
    """The share of the run at which its metric was best (the playbook's question)."""
    if len(trial.curve) < 4 or not trial.steps or trial.value is None:
        return None
    step = min(trial.curve, key=lambda point: abs(point[1] - (trial.value or 0.0)))[0]
    return step / trial.steps


def _too_short(winner: TrialResult, spec: StudySpec) -> Paragraph | None:
    """The best trial still improved when its schedule ended."""
    share = _best_share(winner)
    if share is None or share < BEST_LATE:
        return None
    values = [value for _, value in winner.curve]
    late = values[-max(2, len(values) // 4) :]
    fell = abs(late[0] - late[-1])
    if fell <= 2 * RELATIVE_NOISE_FLOOR * abs(late[-1]):
        return None
    what = message("still-improving", first=late[0], last=late[-1])
    return Paragraph(message("schedule-too-short"), (what, message("twice-as-long")), _as_long(spec, 2))


def _too_long(winner: TrialResult, spec: StudySpec) -> Paragraph | None:
    """The best trial was at its best early on."""
    share = _best_share(winner)
    if share is None or share > BEST_EARLY:
        return None
    what = message("best-early", share=share)
    return Paragraph(message("schedule-too-long"), (what,), _as_long(spec, max(0.1, 1.5 * share)))


def _no_effect(
    winner: TrialResult, trials: Sequence[TrialResult], knob: str, space: Distributions, spec: StudySpec
) -> Paragraph | None:
    """A knob that moved, and whose moves did not change the metric beyond noise."""
    effect = parameter_effect(trials, knob, space)
    floor = RELATIVE_NOISE_FLOOR * abs(winner.value or 0.0)
    if effect is None or effect > floor or knob not in winner.settings:
        return None
    value = winner.settings[knob]
    sentences = (message("below-noise", knob=knob, noise=floor), message("keep-value", knob=knob, value=value))
    return Paragraph(message("no-effect", knob=knob), sentences, patch(spec, {knob: value}, {knob: Choice((value,))}))


def _within_noise(gain: Gain | None, spec: StudySpec, missing: int) -> Paragraph | None:
    """The repeats do not prove a gain: train those that are missing, then more seeds, or a larger held-out set."""
    if gain is None or gain.claimed or not gain.pairs:
        return None
    words = sentence(gain_words(gain, spec.study.metric, Direction(spec.study.direction)))
    if missing:
        return Paragraph(message("gain-not-proved"), (words, message("still-to-train", repeats=missing)))
    seeds = max(5, 2 * len(gain.pairs), 2 * spec.study.seeds)
    return Paragraph(message("gain-not-proved"), (words, message("more-seeds")), patch(spec, study={"seeds": seeds}))

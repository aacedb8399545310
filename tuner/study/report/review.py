"""What only all trials together show: one paragraph each, with the lines to put into the study file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from optuna.distributions import BaseDistribution, FloatDistribution

from diagnostics.formatting import number, percent, plain_name, setting
from diagnostics.messages import finding_message
from diagnostics.model.records import Finding
from tuner.config.overrides import with_overrides
from tuner.config.search_space import Choice, Range
from tuner.search.distributions import Distributions, edge_of, position, span_of
from tuner.search.importance import parameter_effect
from tuner.search.noise import RELATIVE_NOISE_FLOOR
from tuner.study.context import file_value
from tuner.study.fit_memory import MemoryLimit
from tuner.study.noise import Noise
from tuner.study.report.yaml_patch import BATCH_KEYS, rounded, widen, yaml_patch
from tuner.study.results import Gain, Paragraph, TrialResult
from tuner.training.device_batch import rows

if TYPE_CHECKING:
    from tuner.config.study_file import StudySpec

MANY_UNSTABLE = 0.3
FEW_UPDATES = 100
"""Below this many optimizer steps LoRA learns little whatever the rate (tinker: at least 100, best 1000 and more)."""
LATE = 0.9
SATURATED = 0.3
INSIDE = 0.05
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
) -> tuple[Paragraph, ...]:
    """The points that the trials raise together, the more pressing first; empty when there is nothing to say."""
    winner = next((trial for trial in trials if trial.number == best), None)
    ended = [trial for trial in trials if trial.state != "running"]
    points: list[Paragraph | None] = [_broken(ended), _unstable(ended, spec, space), _failed(ended)]
    points += [_does_not_fit(ended, spec), _little_memory(limits, spec)]
    if winner is not None:
        apart = _apart(winner, noise)
        known = [trial for trial in ended if trial.value is not None]
        points += [_edge(winner, known, knob, space, spec, apart) for knob in space if knob in winner.settings]
        points += [_too_few_updates(winner, spec), _too_short(winner, spec), _too_long(winner, spec)]
        points += [_no_effect(winner, ended, knob, space, spec) for knob in space]
    points.append(_within_noise(gain, spec))
    return tuple(point for point in points if point is not None)


def _broken(trials: Sequence[TrialResult]) -> Paragraph | None:
    """The data or the log is broken: what to look at before anything else is believed."""
    hurt = [trial for trial in trials if trial.label == "broken" and trial.diagnosis]
    if not hurt:
        return None
    findings = (hurt[0].diagnosis or {}).get("findings") or []
    found = finding_message(Finding.from_dict(findings[0])) if findings else hurt[0].cause
    text = f"Trial {hurt[0].number}: {found}. Look at this first: "
    text += "the search goes on, but its comparisons mean little until it is mended."
    return Paragraph("Something is broken that no setting cures", text)


def _apart(winner: TrialResult, noise: Noise | None) -> float:
    """The difference from which two trials are told apart, as far as the study knows: by seeds once it has some."""
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
    sign = 1.0 if spec.study.direction == "minimize" else -1.0
    if not inside or further is None:
        return None
    if min(sign * ((trial.value or 0.0) - (winner.value or 0.0)) for trial in inside) <= apart:
        return None
    word = "highest" if side > 0 else "lowest"
    text = f"The best {plain_name(knob)}, {setting(knob, value)}, is the {word} that the space allows. "
    text += "A better one may lie beyond it: widen the range in a new study (with another --out)."
    title = f"The best {plain_name(knob)} lies at the edge of its range"
    return Paragraph(title, text, yaml_patch(spec, space={knob: further}))


def _is_inside(value: Any, edge: Any, span: BaseDistribution) -> bool:
    """Whether a value lies clearly off one at the edge of the range."""
    here, there = position(value, span), position(edge, span)
    return value not in (edge, None) and (here is None or there is None or abs(here - there) > INSIDE)


def _unstable(trials: Sequence[TrialResult], spec: StudySpec, space: Distributions) -> Paragraph | None:
    """Many trials were unstable: the space reaches too far up, or the warm-up is too short."""
    hot = [trial for trial in trials if trial.label == "unstable"]
    if len(trials) < 3 or len(hot) < MANY_UNSTABLE * len(trials):
        return None
    text = f"{len(hot)} of {len(trials)} trials were unstable ({percent(len(hot) / len(trials))})."
    calm = [float(t.settings[RATE] or 0) for t in trials if t not in hot and t.value is not None and RATE in t.settings]
    span = span_of(space[RATE]) if isinstance(space.get(RATE), FloatDistribution) else None
    title = "Many trials are unstable"
    if calm and isinstance(span, Range):
        text += f" The highest learning rate that stayed calm was {setting(RATE, max(calm))}; "
        text += "end the range there in a new study (with another --out), or warm up for longer."
        ended = Range(min(span.low, max(calm)), min(span.high, rounded(2 * max(calm))), span.log)
        return Paragraph(title, text, yaml_patch(spec, space={RATE: ended}))
    rates = [float(t.settings.get(RATE) or file_value(spec, RATE)) for t in hot]
    text += " Begin with a tenth of the lowest of their learning rates, or warm up for longer."
    return Paragraph(title, text, yaml_patch(spec, {RATE: rounded(min(rates) / 10)}))


def _failed(trials: Sequence[TrialResult]) -> Paragraph | None:
    """Some trials ended with an error: say how many and with which."""
    failed = [trial for trial in trials if trial.state == "failed"]
    if not failed:
        return None
    causes = sorted({(trial.error or "an error").split(":")[0] for trial in failed})
    text = f"{_numbers(failed)} ended with {', '.join(causes)}; each keeps its traceback in error.txt."
    return Paragraph("Some trials failed", text)


def _numbers(trials: Sequence[TrialResult]) -> str:
    """``Trial 3`` or ``Trials 3, 5``."""
    return f"Trial{'s' if len(trials) > 1 else ''} {', '.join(str(trial.number) for trial in trials)}"


def _does_not_fit(trials: Sequence[TrialResult], spec: StudySpec) -> Paragraph | None:
    """Some settings need more memory than there is, even one row at a time."""
    hurt = [trial for trial in trials if trial.state == "infeasible"]
    if not hurt:
        return None
    text = f"{_numbers(hurt)} did not fit in memory with one row on the device, so the search stays away from there. "
    text += "Gradient checkpointing needs less memory for more time."
    if file_value(spec, "gradient_checkpointing"):
        length = int(file_value(spec, "max_length") or 1024)
        text = text.replace("Gradient checkpointing needs less memory for more time", "Shorter rows need less")
        return Paragraph("Some settings do not fit in memory", text, yaml_patch(spec, {"max_length": length // 2}))
    return Paragraph("Some settings do not fit in memory", text, yaml_patch(spec, {"gradient_checkpointing": True}))


def _little_memory(limits: Sequence[MemoryLimit], spec: StudySpec) -> Paragraph | None:
    """The file's device batch does not fit: what did, so that the next study begins with it."""
    if not limits:
        return None
    least = min(limits, key=lambda limit: (limit.fits.train, limit.fits.evaluation))
    runs = ", ".join(limit.run for limit in limits)
    text = f"Memory ran out in {runs}; the study went on with {rows(least.fits)} and more accumulation, "
    text += "so the effective batch sizes are what they were. Write it into the file to save the attempts."
    guessed = ", ".join(limit.run for limit in limits if limit.likely)
    text += f" In {guessed} nothing says so but workers that were killed without an error." if guessed else ""
    whole = with_overrides(spec.config, least.fits.overrides)
    return Paragraph(
        "The device batch was lowered to fit", text, yaml_patch(spec, {key: whole[key] for key in BATCH_KEYS})
    )


def _too_few_updates(winner: TrialResult, spec: StudySpec) -> Paragraph | None:
    """The best run made very few optimizer steps."""
    if not 0 < winner.steps < FEW_UPDATES:
        return None
    text = f"The best trial made {winner.steps:.0f} optimizer steps; LoRA needs about {FEW_UPDATES} to settle. "
    batch = winner.settings.get("batch_size") or file_value(spec, "batch_size")
    if isinstance(batch, (int, float)) and batch > 4:
        text += "A smaller batch makes more of them from the same data."
        return Paragraph("Few updates", text, yaml_patch(spec, {"batch_size": max(1, int(batch) // 4)}))
    return Paragraph("Few updates", text + "More data or more epochs make more of them.", _as_long(spec, 2))


def _as_long(spec: StudySpec, times: float) -> str:
    """The lines that make a run so many times as long."""
    steps = file_value(spec, "max_steps") or 0
    if steps > 0:
        return yaml_patch(spec, {"max_steps": max(1, round(times * steps))})
    return yaml_patch(
        spec, {"num_train_epochs": float(f"{times * float(file_value(spec, 'num_train_epochs') or 1):.2g}")}
    )


def _best_share(trial: TrialResult) -> float | None:
    """The share of the run at which its metric was best (the playbook's question)."""
    if len(trial.curve) < 4 or not trial.steps or trial.value is None:
        return None
    step = min(trial.curve, key=lambda point: abs(point[1] - (trial.value or 0.0)))[0]
    return step / trial.steps


def _too_short(winner: TrialResult, spec: StudySpec) -> Paragraph | None:
    """The best trial still improved when its schedule ended."""
    share = _best_share(winner)
    if share is None or share < LATE:
        return None
    values = [value for _, value in winner.curve]
    late = values[-max(2, len(values) // 4) :]
    fell = abs(late[0] - late[-1])
    if fell <= 2 * RELATIVE_NOISE_FLOOR * abs(late[-1]):
        return None
    text = f"The best trial still improved at the end: {number(late[0])} to {number(late[-1])} in the last quarter. "
    return Paragraph("The schedule is too short", text + "Twice the length is worth a try.", _as_long(spec, 2))


def _too_long(winner: TrialResult, spec: StudySpec) -> Paragraph | None:
    """The best trial was at its best early on."""
    share = _best_share(winner)
    if share is None or share > SATURATED:
        return None
    text = f"The best trial was at its best after {percent(share)} of its steps; the rest of the time was not needed."
    return Paragraph("The schedule is longer than needed", text, _as_long(spec, max(0.1, 1.5 * share)))


def _no_effect(
    winner: TrialResult, trials: Sequence[TrialResult], knob: str, space: Distributions, spec: StudySpec
) -> Paragraph | None:
    """A knob that moved, and whose moves did not change the metric beyond noise."""
    effect = parameter_effect(trials, knob, space)
    floor = RELATIVE_NOISE_FLOOR * abs(winner.value or 0.0)
    if effect is None or effect > floor or knob not in winner.settings:
        return None
    name, value = plain_name(knob), winner.settings[knob]
    text = (
        f"Moving {name} across its range changed the metric by less than its noise ({number(float(f'{floor:.1g}'))}). "
    )
    text += f"Keep it at {setting(knob, value)}, so that the trials go to knobs that matter."
    lines = yaml_patch(spec, {knob: value}, {knob: Choice((value,))})
    return Paragraph(f"{name.capitalize()} has no effect here", text, lines)


def _within_noise(gain: Gain | None, spec: StudySpec) -> Paragraph | None:
    """The repeats do not prove a gain: more seeds, or a larger held-out set."""
    if gain is None or gain.claimed or not gain.pairs:
        return None
    seeds = max(5, 2 * len(gain.pairs), 2 * spec.study.seeds)
    text = f"{gain.message[0].upper()}{gain.message[1:]}. More seeds or more held-out rows would tell; "
    text += "the same study goes on with more seeds."
    return Paragraph("The gain is not proved", text, yaml_patch(spec, study={"seeds": seeds}))

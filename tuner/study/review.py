"""What only all trials together show: one paragraph each, with the lines to put into the study file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from diagnostics.wording import number, percent, plain_name, setting
from tuner.search.distributions import Distributions, edge_of, position
from tuner.search.record import FLOOR
from tuner.study.results import Gain, Paragraph, TrialResult
from tuner.study.setup import file_value

if TYPE_CHECKING:
    from tuner.spec import StudySpec

MANY_UNSTABLE = 0.3
FEW_UPDATES = 100
"""Below this many optimizer steps LoRA learns little whatever the rate (tinker: at least 100, best 1000 and more)."""
LATE = 0.9
SATURATED = 0.3
TRIALS_TO_JUDGE = 8


def review(
    trials: Sequence[TrialResult],
    best: int | None,
    spec: StudySpec,
    space: Distributions,
    gain: Gain | None,
) -> tuple[Paragraph, ...]:
    """The points that the trials raise together, the more pressing first; empty when there is nothing to say."""
    winner = next((trial for trial in trials if trial.number == best), None)
    ended = [trial for trial in trials if trial.state != "running"]
    points: list[Paragraph | None] = [_broken(ended), _unstable(ended, space), _failed(ended)]
    if winner is not None:
        points += [_edge(winner, ended, knob, span) for knob, span in space.items() if knob in winner.settings]
        points += [_too_few_updates(winner, spec), _too_short(winner, spec), _too_long(winner)]
        points += [_no_effect(ended, knob, space, spec.study.direction) for knob in space]
    points.append(_within_noise(gain, spec))
    return tuple(point for point in points if point is not None)


def _broken(trials: Sequence[TrialResult]) -> Paragraph | None:
    """The data or the log is broken: what to look at before anything else is believed."""
    hurt = [trial for trial in trials if trial.label == "broken" and trial.diagnosis]
    if not hurt:
        return None
    findings = (hurt[0].diagnosis or {}).get("findings") or [{"message": hurt[0].cause}]
    text = f"Trial {hurt[0].number}: {findings[0]['message']}. Look at this first: "
    text += "the search goes on, but its comparisons mean little until it is mended."
    return Paragraph("Something is broken that no setting cures", text)


def _edge(winner: TrialResult, trials: Sequence[TrialResult], knob: str, span: BaseDistribution) -> Paragraph | None:
    """The best value lies at the edge of its range (the bad-boundary test of Google's tuning playbook)."""
    value = winner.settings[knob]
    side = edge_of(value, span)
    tried = {trial.settings.get(knob) for trial in trials if trial.value is not None}
    if not side or len(tried) < 2 or _at_natural_end(knob, value, side):
        return None
    word = "highest" if side > 0 else "lowest"
    text = f"The best {plain_name(knob)}, {setting(knob, value)}, is the {word} that the space allows. "
    text += "A better one may lie beyond it: widen the range in a new study."
    return Paragraph(
        f"The best {plain_name(knob)} lies at the edge of its range", text, _wider(knob, value, side, span)
    )


def _at_natural_end(knob: str, value: Any, side: int) -> bool:
    """Whether nothing lies beyond: a share or a count that cannot be lower."""
    return side < 0 and (value == 0 or (knob in ("batch_size", "lora_r") and value == 1))


def _wider(knob: str, value: Any, side: int, span: BaseDistribution) -> str | None:
    """The study file's lines with the range one rung wider."""
    if isinstance(span, (FloatDistribution, IntDistribution)):
        low, high = span.low, span.high
        if span.log:
            low, high = (low, high * 3) if side > 0 else (low / 3, high)
        else:
            low, high = (low, high + (high - low) / 2) if side > 0 else (max(0.0, low - (high - low) / 2), high)
        if isinstance(span, IntDistribution):
            low, high = max(1, int(low)), int(high)
        log = ", log: true" if span.log else ""
        return _space_lines(knob, f"{{low: {_plain(low)}, high: {_plain(high)}{log}}}")
    numbers = sorted(choice for choice in getattr(span, "choices", ()) if isinstance(choice, (int, float)))
    further = value * 2 if side > 0 else value / 2
    further = int(further) if isinstance(value, int) else further
    wider = sorted({*numbers, further}) if further else numbers
    return _space_lines(knob, f"[{', '.join(_plain(number_) for number_ in wider)}]")


def _space_lines(knob: str, span: str) -> str:
    return f"study:\n  space:\n    {knob}: {span}\n"


def _plain(value: float) -> str:
    """A number as YAML reads it as one: ``1.0e-05`` needs its dot."""
    if isinstance(value, int) or (value == int(value) and abs(value) < 1e6):
        return str(int(value))
    text = f"{value:.3g}"
    return text if "e" not in text or "." in text else text.replace("e", ".0e")


def _unstable(trials: Sequence[TrialResult], space: Distributions) -> Paragraph | None:
    """Many trials were unstable: the space reaches too far up, or the warm-up is too short."""
    hot = [trial for trial in trials if trial.label == "unstable"]
    if len(trials) < 3 or len(hot) < MANY_UNSTABLE * len(trials):
        return None
    text = f"{len(hot)} of {len(trials)} trials were unstable ({percent(len(hot) / len(trials))})."
    calm = [t.settings["learning_rate"] for t in trials if t not in hot and "learning_rate" in t.settings]
    span = space.get("learning_rate")
    if calm and isinstance(span, FloatDistribution):
        highest = max(float(rate or 0) for rate in calm)
        text += f" The highest learning rate that stayed calm was {setting('learning_rate', highest)}; "
        text += "end the range there in a new study, or warm up for longer."
        lines = f"{{low: {_plain(span.low)}, high: {_plain(min(span.high, 2 * highest))}, log: true}}"
        return Paragraph("Many trials are unstable", text, _space_lines("learning_rate", lines))
    return Paragraph("Many trials are unstable", text + " Lower the learning rate or warm up for longer.")


def _failed(trials: Sequence[TrialResult]) -> Paragraph | None:
    """Some trials ended with an error: say how many and with which."""
    failed = [trial for trial in trials if trial.state == "failed"]
    if not failed:
        return None
    causes = sorted({(trial.error or "an error").split(":")[0] for trial in failed})
    names = ", ".join(str(trial.number) for trial in failed)
    text = f"Trial {names} ended with {', '.join(causes)}; each keeps its traceback in error.txt."
    out_of_memory = any("memory" in (trial.error or "").lower() for trial in failed)
    if out_of_memory:
        text += " Halve per_device_train_batch_size: the effective batch stays as it is, through accumulation."
    return Paragraph("Some trials failed", text)


def _too_few_updates(winner: TrialResult, spec: StudySpec) -> Paragraph | None:
    """The best run made very few optimizer steps."""
    if not 0 < winner.steps < FEW_UPDATES:
        return None
    text = f"The best trial made {winner.steps:.0f} optimizer steps; LoRA needs about {FEW_UPDATES} to settle. "
    batch = winner.settings.get("batch_size") or file_value(spec, "batch_size")
    if isinstance(batch, (int, float)) and batch > 4:
        text += "A smaller batch makes more of them from the same data."
        return Paragraph("Few updates", text, f"per_device_train_batch_size: {max(1, int(batch) // 4)}\n")
    return Paragraph("Few updates", text + "More data or more epochs make more of them.", _longer(spec))


def _longer(spec: StudySpec) -> str:
    steps = file_value(spec, "max_steps") or 0
    if steps > 0:
        return f"max_steps: {int(2 * steps)}\n"
    epochs = float(file_value(spec, "num_train_epochs") or 1)
    return f"num_train_epochs: {_plain(2 * epochs)}\n"


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
    if fell <= 2 * FLOOR * abs(late[-1]):
        return None
    text = f"The best trial still improved at the end: {number(late[0])} to {number(late[-1])} in the last quarter. "
    return Paragraph("The schedule is too short", text + "Twice the length is worth a try.", _longer(spec))


def _too_long(winner: TrialResult) -> Paragraph | None:
    """The best trial was at its best early on."""
    share = _best_share(winner)
    if share is None or share > SATURATED:
        return None
    text = f"The best trial was at its best after {percent(share)} of its steps; the rest of the time was not needed."
    return Paragraph("The schedule is longer than needed", text)


def _no_effect(trials: Sequence[TrialResult], knob: str, space: Distributions, direction: str) -> Paragraph | None:
    """A knob that moved, and whose moves did not change the metric beyond noise."""
    effect = knob_effect(trials, knob, space)
    values = [trial.value for trial in trials if trial.value is not None]
    if effect is None or effect > FLOOR * abs(min(values) if direction == "minimize" else max(values)):
        return None
    text = f"Moving {plain_name(knob)} across its range changed the metric by less than {percent(0.01)}. "
    return Paragraph(f"{plain_name(knob).capitalize()} has no effect here", text + "Take it out of the space.")


def knob_effect(trials: Sequence[TrialResult], knob: str, space: Distributions) -> float | None:
    """The change of the metric when ``knob`` goes through its range, the learning rate's parabola taken out.

    A least-squares plane over the better half of the trials; None when there are too few to say.
    """
    known = [trial for trial in trials if trial.value is not None]
    if len(known) < TRIALS_TO_JUDGE or knob == "learning_rate":
        return None
    knobs = [name for name in space if all(position(t.settings.get(name), space[name]) is not None for t in known)]
    columns = {name: np.array([position(t.settings[name], space[name]) for t in known], float) for name in knobs}
    columns = {name: column for name, column in columns.items() if np.ptp(column) > 0.2}
    if knob not in columns or len(known) < len(columns) + 4:
        return None
    table = [np.ones(len(known)), *columns.values()]
    if "learning_rate" in columns:
        table.append(columns["learning_rate"] ** 2)
    values = np.array([trial.value for trial in known], float)
    solution, *_ = np.linalg.lstsq(np.stack(table, axis=1), values, rcond=None)
    slope = solution[1 + list(columns).index(knob)]
    residual = values - np.stack(table, axis=1) @ solution
    unsure = float(np.std(residual)) / (np.std(columns[knob]) * np.sqrt(len(known)))
    return float(abs(slope) + unsure)


def _within_noise(gain: Gain | None, spec: StudySpec) -> Paragraph | None:
    """The repeats do not prove a gain: more seeds, or a larger held-out set."""
    if gain is None or gain.claimed or not gain.pairs:
        return None
    seeds = max(5, 2 * len(gain.pairs))
    text = f"{gain.message[0].upper()}{gain.message[1:]}. More seeds or more held-out rows would tell."
    return Paragraph("The gain is not proved", text, f"study:\n  seeds: {seeds}\n")

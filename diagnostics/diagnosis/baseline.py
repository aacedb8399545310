"""A run against one that is known to be good: how low it came, how far, how fast, and with what gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from diagnostics.model.comparison import Compared, Comparison, Outcome, Question
from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints, Run
from diagnostics.model.message import Message, message
from diagnostics.signals import difference_noise, means_from, median

MIN_STANDARD_ERRORS = 3.0
"""Standard errors by which two levels must differ."""

MIN_SHARE_OF_DESCENT = 0.02
"""The share of the baseline's descent by which two levels must differ."""

MIN_DESCENT_RATIO = 0.9
"""A run whose loss fell by less than this share of the baseline's descent fell short of it."""

MAX_PACE_RATIO = 1.5
"""A run that needs this many times the baseline's rows (or steps) to half of the descent is slower."""

MAX_NORM_RATIO = 2.0
"""Gradient norms that differ by this factor are not alike."""

MAX_START_RATIO = 1.5
"""Losses whose starts differ by this factor come from another tokenizer, model or method."""

FINISHED_SHARE = 0.95
"""The share of the planned steps after which a run counts as finished."""

MIN_POINTS = 3
"""The fewest points of a loss that can be compared."""


@dataclass(frozen=True, eq=False)
class _Calm:
    """A loss as levels that scatter little: their steps, and the standard error of one level."""

    steps: FloatArray
    levels: FloatArray
    error: float

    def at(self, step: float) -> float:
        """The level at a step."""
        return float(np.interp(step, self.steps, self.levels))

    def reached(self, level: float, since: float) -> float | None:
        """The steps since ``since`` until the loss first came down to a level, None when it never did."""
        down = np.flatnonzero((self.levels <= level) & (self.steps >= since))
        if not down.size:
            return None
        k = int(down[0])
        if k == 0 or self.steps[k - 1] < since:
            return float(self.steps[k] - since)
        share = (self.levels[k - 1] - level) / (self.levels[k - 1] - self.levels[k])
        return float(self.steps[k - 1] + share * (self.steps[k] - self.steps[k - 1]) - since)


@dataclass(frozen=True, eq=False)
class _Pair:
    """Both runs and their calm losses since the first step that both have."""

    run: Run
    baseline: Run
    mine: _Calm
    theirs: _Calm
    since: float

    @property
    def descent(self) -> float:
        """How far the baseline's loss came down."""
        return self.theirs.at(self.since) - float(self.theirs.levels.min())


def compare(run: Run, baseline: Run) -> Comparison:
    """The run against the baseline: floor, descent, speed of the descent, gradient norm, each with its evidence.

    Losses of different methods, or that start far apart, are refused: their levels mean different things. For a run
    that is not over yet the baseline is looked at up to the same step.
    """
    until = _so_far(run, baseline)
    if until is not None:
        curves = {name: curve.between(-np.inf, until) for name, curve in baseline.curves.items()}
        baseline = replace(baseline, curves=curves)
    name = next((n for n in ("eval_loss", "train_loss") if _points(run, n) and _points(baseline, n)), None)
    refused = _methods_differ(run, baseline)
    if refused is None and name is None:
        refused = message("no-common-loss", need=MIN_POINTS)
    if name is None or refused is not None:
        return Comparison(baseline.name, name, refused=refused, until=until)
    mine, theirs = (_calm(one.curves[name]) for one in (run, baseline))
    since = max(float(mine.steps[0]), float(theirs.steps[0]))
    pair = _Pair(run, baseline, mine, theirs, since)
    refused = _scales_differ(pair)
    if refused is not None:
        return Comparison(baseline.name, name, refused=refused, until=until)
    answers: list[Compared] = []
    skipped: dict[Question, Message] = {}
    for question, answer in ANSWERS.items():
        try:
            answers.append(answer(pair))
        except NotEnoughPoints as why:
            skipped[question] = why.reason
    return Comparison(baseline.name, name, tuple(answers), skipped, until=until)


def _so_far(run: Run, baseline: Run) -> float | None:
    """The last step of a run that has some way to go and is behind the baseline, else None."""
    planned = run.settings.max_steps
    if planned is None or run.last_step >= FINISHED_SHARE * planned or run.last_step >= baseline.last_step:
        return None
    return run.last_step


def _points(run: Run, name: str) -> bool:
    curve = run.curve(name)
    return curve is not None and len(curve) >= MIN_POINTS


def _methods_differ(run: Run, baseline: Run) -> Message | None:
    mine, theirs = run.settings.method, baseline.settings.method
    if mine is None or theirs is None or set(mine.split(" or ")) & set(theirs.split(" or ")):
        return None
    return message("methods-differ", mine=mine.upper(), baseline=theirs.upper())


def _scales_differ(pair: _Pair) -> Message | None:
    """Why the losses are of different scales, None when they start near one another."""
    mine, theirs = pair.mine.at(pair.since), pair.theirs.at(pair.since)
    if min(mine, theirs) <= 0 or max(mine, theirs) <= MAX_START_RATIO * min(mine, theirs):
        return None
    return message("starts-differ", mine=mine, baseline=theirs, step=pair.since)


def _calm(curve: Curve) -> _Calm:
    """The loss as means of blocks, 20 of a long curve, of three values each on a short one."""
    size = len(curve)
    count = 20 if size >= 60 else max(MIN_POINTS, size // 3)
    if size < 2 * MIN_POINTS:
        return _Calm(curve.steps, curve.values, difference_noise(curve.values))
    starts = np.arange(count) * size // count
    error = difference_noise(curve.values) / float(np.sqrt(size / count))
    return _Calm(means_from(curve.steps, starts), means_from(curve.values, starts), error)


def _floor(pair: _Pair) -> Compared:
    """The lowest level of each."""
    mine, theirs = float(pair.mine.levels.min()), float(pair.theirs.levels.min())
    error = float(np.hypot(pair.mine.error, pair.theirs.error))
    noise = max(MIN_STANDARD_ERRORS * error, MIN_SHARE_OF_DESCENT * abs(pair.descent))
    outcome = Outcome.ALIKE if abs(mine - theirs) <= noise else Outcome.WORSE if mine > theirs else Outcome.BETTER
    evidence = message("floors", mine=mine, baseline=theirs, noise=noise)
    return Compared(Question.FLOOR, mine, theirs, outcome, evidence)


def _descent(pair: _Pair) -> Compared:
    """How far each came down from where both logs begin."""
    fell, theirs = pair.mine.at(pair.since) - float(pair.mine.levels.min()), pair.descent
    error = MIN_STANDARD_ERRORS * float(np.hypot(pair.mine.error, pair.theirs.error))
    if theirs <= error:
        raise NotEnoughPoints("baseline-within-noise")
    share, doubt = fell / theirs, error / theirs
    evidence = message("descents", mine=fell, baseline=theirs, share=share)
    outcome = Outcome.ALIKE
    if share + doubt < MIN_DESCENT_RATIO:
        outcome = Outcome.WORSE
    elif share - doubt > 2.0 - MIN_DESCENT_RATIO:
        outcome = Outcome.BETTER
    return Compared(Question.DESCENT, fell, theirs, outcome, evidence)


def _speed(pair: _Pair) -> Compared:
    """How long each took to half of the baseline's descent, in rows where both batch sizes are known, else in steps."""
    goal = pair.theirs.at(pair.since) - 0.5 * pair.descent
    theirs = pair.theirs.reached(goal, pair.since)
    if pair.descent <= MIN_STANDARD_ERRORS * pair.theirs.error or not theirs:
        raise NotEnoughPoints("baseline-descent-over")
    mine = pair.mine.reached(goal, pair.since)
    sizes = [one.settings.batch_size for one in (pair.run, pair.baseline)]
    unit, rows = ("rows", [float(size or 1) for size in sizes]) if all(sizes) else ("steps", [1.0, 1.0])
    if mine is None:
        evidence = message("half-never-reached", baseline=theirs * rows[1], unit=unit)
        return Compared(Question.SPEED, float("inf"), theirs * rows[1], Outcome.WORSE, evidence)
    ratio = mine * rows[0] / (theirs * rows[1])
    outcome = Outcome.ALIKE
    if ratio > MAX_PACE_RATIO:
        outcome = Outcome.WORSE
    elif ratio < 1.0 / MAX_PACE_RATIO:
        outcome = Outcome.BETTER
    same = f"{ratio:.2g}" == "1"
    evidence = message("half-reached-alike" if same else "half-reached", mine=mine * rows[0], unit=unit, ratio=ratio)
    return Compared(Question.SPEED, mine * rows[0], theirs * rows[1], outcome, evidence)


def _gradients(pair: _Pair) -> Compared:
    """The usual gradient norm of each in the second half of its run."""
    norms = []
    for whose, one in (("run", pair.run), ("baseline", pair.baseline)):
        curve = one.curve("grad_norm")
        if curve is None or len(curve) < 2 * MIN_POINTS:
            raise NotEnoughPoints("no-grad-norm-in", whose=whose)
        norms.append(median(curve.values[len(curve) // 2 :]))
    ratio = norms[0] / norms[1] if norms[1] > 0 else float("inf")
    outcome = Outcome.ALIKE
    if not 1.0 / MAX_NORM_RATIO <= ratio <= MAX_NORM_RATIO:
        outcome = Outcome.HIGHER if ratio > 1.0 else Outcome.LOWER
    evidence = message("gradient-norms", mine=norms[0], baseline=norms[1])
    return Compared(Question.GRADIENT_NORM, norms[0], norms[1], outcome, evidence)


ANSWERS: Mapping[Question, Callable[[_Pair], Compared]] = {
    Question.FLOOR: _floor,
    Question.DESCENT: _descent,
    Question.SPEED: _speed,
    Question.GRADIENT_NORM: _gradients,
}

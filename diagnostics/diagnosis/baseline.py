"""A run against one that is known to be good: how low it came, how far, how fast, and with what gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from diagnostics.formatting import percent
from diagnostics.messages import text
from diagnostics.model.comparison import Compared, Comparison
from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints, Run
from diagnostics.signals import difference_noise, means_from, median

ERRORS = 3.0
"""Standard errors by which two levels must differ."""

SHARE = 0.02
"""The share of the baseline's descent by which two levels must differ."""

LITTLE = 0.9
"""A run that made less of the baseline's descent than this fell short of it."""

PACE = 1.5
"""So many times as many rows, or steps, to half of the baseline's descent are slower."""

NORMS = 2.0
"""So many times the baseline's gradient norm is another one."""

OTHER_SCALE = 1.5
"""Losses that start so many times apart are of another tokenizer, model or method."""

OVER = 0.95
"""The share of the planned steps from which on a run is over."""

FEWEST = 3


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
        refused = f"no loss with {FEWEST} points or more in both logs"
    if name is None or refused is not None:
        return Comparison(baseline.name, name, refused=refused, until=until)
    mine, theirs = (_calm(one.curves[name]) for one in (run, baseline))
    since = max(float(mine.steps[0]), float(theirs.steps[0]))
    pair = _Pair(run, baseline, mine, theirs, since)
    refused = _scales_differ(pair)
    if refused is not None:
        return Comparison(baseline.name, name, refused=refused, until=until)
    answers: list[Compared] = []
    skipped: dict[str, str] = {}
    for question, ask in QUESTIONS.items():
        try:
            answers.append(ask(pair))
        except NotEnoughPoints as why:
            skipped[question] = text(why.reason)
    return Comparison(baseline.name, name, tuple(answers), skipped, until=until)


def _so_far(run: Run, baseline: Run) -> float | None:
    """The last step of a run that has some way to go and is behind the baseline, else None."""
    planned = run.settings.max_steps
    if planned is None or run.last_step >= OVER * planned or run.last_step >= baseline.last_step:
        return None
    return run.last_step


def _points(run: Run, name: str) -> bool:
    curve = run.curve(name)
    return curve is not None and len(curve) >= FEWEST


def _methods_differ(run: Run, baseline: Run) -> str | None:
    mine, theirs = run.settings.method, baseline.settings.method
    if mine is None or theirs is None or set(mine.split(" or ")) & set(theirs.split(" or ")):
        return None
    return f"the run is {mine.upper()} and the baseline {theirs.upper()}: their losses are of different kinds"


def _scales_differ(pair: _Pair) -> str | None:
    """Why the losses are of different scales, None when they start near one another."""
    mine, theirs = pair.mine.at(pair.since), pair.theirs.at(pair.since)
    if min(mine, theirs) <= 0 or max(mine, theirs) <= OTHER_SCALE * min(mine, theirs):
        return None
    words = "another tokenizer, base model, masking or data, and the levels do not compare"
    return f"the losses start at {mine:.3g} and {theirs:.3g} (step {pair.since:.10g}): {words}"


def _calm(curve: Curve) -> _Calm:
    """The loss as means of blocks, 20 of a long curve, of three values each on a short one."""
    size = len(curve)
    count = 20 if size >= 60 else max(FEWEST, size // 3)
    if size < 2 * FEWEST:
        return _Calm(curve.steps, curve.values, difference_noise(curve.values))
    starts = np.arange(count) * size // count
    error = difference_noise(curve.values) / float(np.sqrt(size / count))
    return _Calm(means_from(curve.steps, starts), means_from(curve.values, starts), error)


def _floor(pair: _Pair) -> Compared:
    """The lowest level of each."""
    mine, theirs = float(pair.mine.levels.min()), float(pair.theirs.levels.min())
    least = max(ERRORS * float(np.hypot(pair.mine.error, pair.theirs.error)), SHARE * abs(pair.descent))
    verdict = "alike" if abs(mine - theirs) <= least else "worse" if mine > theirs else "better"
    words = f"the lowest loss is {mine:.4g}, the baseline's {theirs:.4g}"
    return Compared("floor", mine, theirs, verdict, f"{words} (differences below {least:.2g} are noise)")


def _descent(pair: _Pair) -> Compared:
    """How far each came down from where both logs begin."""
    fell, theirs = pair.mine.at(pair.since) - float(pair.mine.levels.min()), pair.descent
    error = ERRORS * float(np.hypot(pair.mine.error, pair.theirs.error))
    if theirs <= error:
        raise NotEnoughPoints("baseline-within-noise")
    share, doubt = fell / theirs, error / theirs
    verdict = "worse" if share + doubt < LITTLE else "better" if share - doubt > 2.0 - LITTLE else "alike"
    words = f"the loss comes down by {fell:.3g}, {percent(share)} of the baseline's {theirs:.3g}"
    return Compared("descent", fell, theirs, verdict, words)


def _speed(pair: _Pair) -> Compared:
    """How long each took to half of the baseline's descent, in rows where both batch sizes are known, else in steps."""
    goal = pair.theirs.at(pair.since) - 0.5 * pair.descent
    theirs = pair.theirs.reached(goal, pair.since)
    if pair.descent <= ERRORS * pair.theirs.error or not theirs:
        raise NotEnoughPoints("baseline-descent-over")
    mine = pair.mine.reached(goal, pair.since)
    sizes = [one.settings.batch_size for one in (pair.run, pair.baseline)]
    unit, rows = ("rows", [float(size or 1) for size in sizes]) if all(sizes) else ("steps", [1.0, 1.0])
    if mine is None:
        words = f"never reaches half of the baseline's descent, which took {theirs * rows[1]:,.0f} {unit}"
        return Compared("speed", float("inf"), theirs * rows[1], "worse", words)
    ratio = mine * rows[0] / (theirs * rows[1])
    verdict = "worse" if ratio > PACE else "better" if ratio < 1.0 / PACE else "alike"
    many = f"{ratio:.2g} times as many" if f"{ratio:.2g}" != "1" else "as many"
    words = f"half of the baseline's descent takes {mine * rows[0]:,.0f} {unit}, {many} as there"
    return Compared("speed", mine * rows[0], theirs * rows[1], verdict, words)


def _gradients(pair: _Pair) -> Compared:
    """The usual gradient norm of each in the second half of its run."""
    norms = []
    for whose, one in (("run", pair.run), ("baseline", pair.baseline)):
        curve = one.curve("grad_norm")
        if curve is None or len(curve) < 2 * FEWEST:
            raise NotEnoughPoints("no-grad-norm-in", whose=whose)
        norms.append(median(curve.values[len(curve) // 2 :]))
    ratio = norms[0] / norms[1] if norms[1] > 0 else float("inf")
    verdict = "alike" if 1.0 / NORMS <= ratio <= NORMS else "higher" if ratio > 1.0 else "lower"
    words = f"the usual gradient norm of the second half is {norms[0]:.3g}, the baseline's {norms[1]:.3g}"
    return Compared("gradient norm", norms[0], norms[1], verdict, words)


QUESTIONS: Mapping[str, Callable[[_Pair], Compared]] = {
    "floor": _floor,
    "descent": _descent,
    "speed": _speed,
    "gradient norm": _gradients,
}

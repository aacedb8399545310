"""Programs that read a finished log and say what is wrong with it."""

from __future__ import annotations

import numpy as np

from benchmarks.verdicts.rivals.rival import has_nan, paired, slope_and_p, values_of
from diagnostics.model.curves import FloatArray, Run


def trainproof(run: Run) -> str:
    """The TP rules of trainproof: NAN, DIVERGE, GRAD-SPIKE and STEP-CLIFF are unstable, FLAT and DEAD-RUN underfit.

    DIVERGE: the end is 1.5 times the minimum; GRAD-SPIKE: a norm 10 times the median; STEP-CLIFF: a rise to 3 times the
    log before; DEAD-RUN: the medians of the first and the last five differ by less than 5 %; FLAT: relative variance
    below 0.001; OVERFIT: the median of the last three of four or more evaluations is 1.2 times the minimum while the
    training loss falls. OVERFIT goes before the warnings (spike, cliff), and an exact 0 throughout is no label of ours.
    """
    train, held, norms = values_of(run, "train_loss"), values_of(run, "eval_loss"), values_of(run, "grad_norm")
    if has_nan(run) or not train.size:
        return "unstable" if has_nan(run) else "healthy"
    if train.size >= 5 and min(train[-1], np.median(train[-5:])) > 1.5 * train.min() > 0:
        return "unstable"
    falls = train[-1] < train[0]
    if held.size >= 4 and falls and np.median(held[-3:]) > 1.2 * held.min() > 0:
        return "overfit"
    if norms.size >= 5 and norms.max() > 10 * np.median(norms) > 0:
        return "unstable"
    if np.any(train[1:] > 3 * train[:-1]) and train.size >= 5:
        return "unstable"
    first, last = float(np.median(train[:5])), float(np.median(train[-5:]))
    dead = train.size >= 10 and first - last < 0.05 * abs(first)
    return "underfit" if dead or train.std() < 0.001 * abs(train.mean()) else "healthy"


def trainspotter(run: Run) -> str:
    """The checks of trainspotter: spikes and divergence are unstable, overfitting overfit, one long plateau underfit.

    Spikes: |0.6745 (x - median) / MAD| above 6, here of what is left over a moving median of 51 logs; divergence: nan,
    or a rising line (p < .05) that ends at 1.5 times the minimum; overfitting: after the minimum a rising line (p < .1)
    of 1 %; plateau: no line (p >= .2) and less than 2 % of change. Every good run ends on a plateau, so it counts here
    only when the whole run is one. Its notes on schedule, throughput, evaluation noise and loss floor are no label.
    """
    train, held = values_of(run, "train_loss"), values_of(run, "eval_loss")
    if has_nan(run):
        return "unstable"
    slope, p = slope_and_p(train)
    if p < 0.05 and slope > 0 and train[-1] >= 1.5 * train.min() > 0:
        return "unstable"
    if held.size >= 4:
        late = held[int(np.argmin(held)) :]
        slope, p = slope_and_p(late)
        if p < 0.1 and slope > 0 and late[-1] >= 1.01 * late[0]:
            return "overfit"
    if train.size >= 20 and _spikes(train, 6.0, 51).any():
        return "unstable"
    _, p = slope_and_p(train)
    flat = train.size >= 10 and p >= 0.2 and abs(train[-1] - train[0]) < 0.02 * abs(train[0])
    return "underfit" if flat else "healthy"


def autod(run: Run) -> str:
    """The absolute limits of sk-autod: a fall below 0.5 that ends above 0.8 is underfit, two turns are a rate too high.

    Its overfitting rule is published without its numbers; here: the held-out loss ends 0.1 above its minimum while the
    training loss fell. It needs both losses; with one alone the same curve is given twice, as its users do.
    """
    train, held = paired(run)
    if not held.size:
        train = held = values_of(run, "train_loss")
    if train.size < 3:
        return "unstable" if has_nan(run) else "healthy"
    if held[-1] - held.min() > 0.1 and train[-1] < train[0]:
        return "overfit"
    if has_nan(run) or int(np.sum(np.diff(np.sign(np.diff(train))) != 0)) >= 2:
        return "unstable"
    return "underfit" if train[0] - train[-1] < 0.5 and train[-1] > 0.8 else "healthy"


def runwise(run: Run) -> str:
    """The rules of runwise: spikes of 3.5 MAD over 100 steps and a tenfold gradient are unstable.

    Silent below 500 steps. Overfit: the ratio of held-out to training loss grew 1.5 times over what it was in steps 100
    to 500. A plateau (under 1 % over the last quarter) is how a good run ends, so it counts as underfit only where the
    run lost under 1 % in all. One spike is read as none: three are needed here.
    """
    train, norms = values_of(run, "train_loss"), values_of(run, "grad_norm")
    if has_nan(run):
        return "unstable"
    if run.last_step < 500 or train.size < 20:
        return "healthy"
    seen, held = paired(run)
    if held.size >= 2 and np.all(seen > 0):
        steps = run.curves["eval_loss"].steps
        ratio = held / seen
        early = ratio[(steps >= 100) & (steps <= 500)]
        if early.size and ratio[-1] > 1.5 * early.mean():
            return "overfit"
    if _spikes(train, 3.5, 100).sum() >= 3 or (norms.size and norms[-1] > 10 * np.median(norms) > 0):
        return "unstable"
    return "underfit" if abs(train[-1] - train[0]) < 0.01 * abs(train[0]) else "healthy"


def _spikes(values: FloatArray, deviations: float, window: int) -> np.ndarray:
    """Which values stand that many scaled median deviations above the moving median of a window."""
    from scipy.ndimage import median_filter

    rest = values - median_filter(values, size=min(window, values.size), mode="nearest")
    scale = float(np.median(np.abs(rest - np.median(rest)))) / 0.6745
    return np.asarray(rest > deviations * scale) if scale > 0 else np.zeros(values.size, dtype=bool)

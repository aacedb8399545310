"""Does one run get one verdict, however it was logged?

    python -m benchmarks.fresh --seed S --keep FOLDER       # trains; then, as often as wanted:
    python -m benchmarks.fresh.changed FOLDER [FOLDER ...]

Writes each kept run as other programs and people would have: smoothed, noisy, in other units or counts, with rows that
are lost, repeated, out of order or not finite. Beside how often the verdict is right stands how often its label is that
of the log as it was, where both have one. That a loss is in another unit is a broken log as well as what it was.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.fresh.judge import Judged, judged_run
from benchmarks.fresh.labels import Answer
from benchmarks.fresh.partial import COLUMNS, kept, under_way
from benchmarks.fresh.summary import figures
from diagnostics.model.curves import Curve, FloatArray, Run
from diagnostics.model.settings import Settings
from diagnostics.readers.assemble.build_run import assemble
from diagnostics.readers.tabular.rows import Row, log_of_rows
from diagnostics.signals import difference_noise

LOSSES = ("train_loss", "eval_loss")
LEAST = 8
"""A log of fewer training losses is not changed."""
KEPT = 0.9
"""The share of the average that an exponential moving average keeps at each log."""
DENSE = 50
"""Logs for each one, of a log that is written at every step."""
OTHER_UNITS = frozenset({"in bits", "perplexity called loss", "sum over 10"})

Change = Callable[[Run], Run]


class Pair(NamedTuple):
    """What is said of a run as it was logged, and of the same run in another log."""

    before: Judged
    now: Judged


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the other logs of kept runs and print a line for each kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="what benchmarks.fresh --keep left")
    known = [pair for folder in parser.parse_args(arguments).folders for pair in kept(folder)]
    known = [(run, label) for run, label in known if len(run.curves["train_loss"]) >= LEAST]
    before = [judged_run("", run.name, label, run) for run, label in known]
    for line in lines({name: pairs(known, before, name) for name in KINDS}):
        print(line)
    return 0


def pairs(known: Sequence[tuple[Run, Answer]], before: Sequence[Judged], name: str) -> list[Pair]:
    """What is said of each run in that kind of log, beside what was said before."""
    found = []
    for (run, label), said in zip(known, before, strict=True):
        accepted = replace(label, acceptable=label.acceptable | {"broken"}) if name in OTHER_UNITS else label
        found.append(Pair(said, judged_run("", run.name, accepted, KINDS[name](run))))
    return found


def smoothed(run: Run) -> Run:
    """An exponential moving average in place of the training loss, as fastai logs it."""

    def average(values: FloatArray) -> FloatArray:
        weights = KEPT ** np.arange(values.size)
        return np.array([np.average(values[: at + 1], weights=weights[at::-1]) for at in range(values.size)])

    return _valued(run, average, ("train_loss",))


def running(run: Run, parts: int) -> Run:
    """The mean since the start of the epoch in place of the training loss, as Keras' progress bar shows it."""

    def means(values: FloatArray) -> FloatArray:
        return np.concatenate([np.cumsum(p) / np.arange(1, p.size + 1) for p in np.array_split(values, parts)])

    return _valued(run, means, ("train_loss",))


def noisy(run: Run, share: float) -> Run:
    """The training loss with noise of that share of it on every log, as of smaller batches."""
    draw = _draw(run)
    return _valued(run, lambda values: values * np.exp(share * draw.standard_normal(values.size)), ("train_loss",))


def scaled(run: Run, convert: Callable[[FloatArray], FloatArray]) -> Run:
    """Both losses in another unit."""
    return _valued(run, convert, LOSSES)


def perplexity(values: FloatArray) -> FloatArray:
    """exp(loss) as far as a number can hold it."""
    return np.exp(np.minimum(values, 700.0))


def counted(run: Run, factor: float) -> Run:
    """Steps counted in something else than updates, with nothing that says how many were planned."""
    curves = {
        name: Curve(curve.steps * factor, curve.values, tuple(step * factor for step in curve.broken))
        for name, curve in run.curves.items()
    }
    settings = replace(run.settings, max_steps=None)
    return replace(
        run, curves=curves, settings=settings, discontinuities=tuple(s * factor for s in run.discontinuities)
    )


def skipped(run: Run) -> Run:
    """The run in fp16, whose loss scaler skipped a step: one training loss is nan, and nothing else."""
    return replace(not_finite(run), settings=replace(run.settings, fp16=True))


def not_finite(run: Run) -> Run:
    """One training loss, a third into the run, is nan."""
    train = run.curves["train_loss"]
    at = len(train) // 3
    step = float(train.steps[at])
    broken = tuple(sorted((*train.broken, step)))
    return _with(run, train_loss=Curve(np.delete(train.steps, at), np.delete(train.values, at), broken))


def thinned(run: Run, keep: Callable[[FloatArray], NDArray[np.bool_]]) -> Run:
    """Only the training losses at some places, given as shares of the run; every other curve stays."""
    train = run.curves["train_loss"]
    there = keep(train.steps / run.last_step)
    return _with(run, train_loss=Curve(train.steps[there], train.values[there], train.broken))


def dense(run: Run) -> Run:
    """Many training losses in place of one, each with the noise of the log."""
    train = run.curves["train_loss"]
    draw = _draw(run)
    steps = np.interp(np.arange(DENSE * len(train)), DENSE * (np.arange(len(train)) + 1) - 1, train.steps)
    steps[:DENSE] = np.linspace(0.0, train.steps[0], DENSE + 1)[1:]
    values = np.repeat(train.values, DENSE) + difference_noise(train.values) * draw.standard_normal(steps.size)
    return _with(run, train_loss=Curve(steps, np.maximum(values, train.values.min()), train.broken))


def few_evaluations(run: Run) -> Run:
    """Two evaluations: halfway and at the end."""
    held = run.curves.get("eval_loss")
    if held is None or len(held) < 3:
        return run
    at = np.array([(len(held) - 1) // 2, len(held) - 1])
    return _with(run, eval_loss=Curve(held.steps[at], held.values[at], held.broken))


def other_grid(run: Run) -> Run:
    """Evaluations between the steps at which they were made."""
    held = run.curves.get("eval_loss")
    if held is None or len(held) < 3:
        return run
    steps = (held.steps[1:] + held.steps[:-1]) / 2
    return _with(run, eval_loss=Curve(np.append(steps, held.steps[-1]), np.append(held.at(steps), held.values[-1])))


def evaluated_first(run: Run) -> Run:
    """An evaluation before the first step, at the level at which training begins."""
    held, train = run.curves.get("eval_loss"), run.curves["train_loss"]
    if held is None or held.steps[:1].tolist() == [0.0]:
        return run
    first = max(train.values[0], held.values[0]) if len(held) else train.values[0]
    return _with(run, eval_loss=Curve(np.append(0.0, held.steps), np.append(first, held.values), held.broken))


def unfinished(run: Run) -> Run:
    """All but the last tenth of a run whose planned steps are known."""
    return next(under_way(run, 0.9))


def rewritten(run: Run, change: Callable[[list[Row]], list[Row]]) -> Run:
    """The run as a log of rows that was changed, read as any such log is; the settings are those known before."""
    rows: dict[float, dict[str, object]] = {}
    for name, curve in run.curves.items():
        tag = {"train_loss": "loss"}.get(name, name)
        for step, value in [*zip(curve.steps, curve.values, strict=True), *((s, np.nan) for s in curve.broken)]:
            rows.setdefault(float(step), {"step": float(step)})[tag] = float(value)
    log = log_of_rows(change([rows[step] for step in sorted(rows)]))
    read = assemble(Path(run.name), log)
    settings = run.settings if run.settings != Settings() else read.settings
    return replace(read, settings=settings, discontinuities=(*run.discontinuities, *read.discontinuities))


def named_so(rows: list[Row]) -> list[Row]:
    """The rows with both losses under the names of perplexities."""
    names = {"loss": "ppl", "eval_loss": "eval_ppl"}
    return [{names.get(name, name): value for name, value in row.items()} for row in rows]


def resumed(rows: list[Row]) -> list[Row]:
    """The rows of a run that crashed after 60 % and went on from a checkpoint at 45 %."""
    return rows[: int(0.6 * len(rows))] + rows[int(0.45 * len(rows)) :]


def summed_up(rows: list[Row]) -> list[Row]:
    """With a last row that gives the mean training loss of the whole run, as transformers writes it."""
    losses = [float(row["loss"]) for row in rows if "loss" in row]  # type: ignore[arg-type]
    return [*rows, {"step": rows[-1]["step"], "train_loss": float(np.mean(losses)), "train_runtime": 100.0}]


def shuffled(rows: list[Row]) -> list[Row]:
    """The rows in any order."""
    return [rows[at] for at in np.random.default_rng(len(rows)).permutation(len(rows))]


def with_constants(rows: list[Row]) -> list[Row]:
    """With columns that a program names and never fills, where the log has none of that name."""
    logged = {name for row in rows for name in row}
    empty = {name: 0.0 for name in ("epoch", "num_tokens", "rank", "accuracy") if name not in logged}
    return [{**row, **empty} for row in rows]


def with_second_set(rows: list[Row]) -> list[Row]:
    """With the losses on a second held-out set, which stay higher."""
    return [{**row, "eval_other_loss": 1.2 * row["eval_loss"]} if "eval_loss" in row else row for row in rows]  # type: ignore[operator]


def _valued(run: Run, convert: Callable[[FloatArray], FloatArray], names: Sequence[str]) -> Run:
    there = {name: run.curves[name] for name in names if name in run.curves}
    return _with(run, **{name: Curve(c.steps, convert(c.values), c.broken) for name, c in there.items()})


def _draw(run: Run) -> np.random.Generator:
    """Random numbers of the run's own: those of its length alone would be the same in many runs."""
    return np.random.default_rng(zlib.crc32(run.curves["train_loss"].values.tobytes()))


def _with(run: Run, **curves: Curve) -> Run:
    return replace(run, curves={**run.curves, **curves})


KINDS: Mapping[str, Change] = {
    "as logged": lambda run: run,
    "EMA of the loss": smoothed,
    "running mean, 1 epoch": lambda run: running(run, 1),
    "running mean, 4 epochs": lambda run: running(run, 4),
    "10 % noise": lambda run: noisy(run, 0.1),
    "30 % noise": lambda run: noisy(run, 0.3),
    "one nan": not_finite,
    "one nan, in fp16": skipped,
    "two decimals": lambda run: scaled(run, lambda values: np.round(values, 2)),
    "in bits": lambda run: scaled(run, lambda values: values / np.log(2)),
    "sum over 10": lambda run: scaled(run, lambda values: 10 * values),
    "perplexity": lambda run: rewritten(scaled(run, perplexity), named_so),
    "perplexity called loss": lambda run: scaled(run, perplexity),
    "steps in epochs": lambda run: counted(run, 3 / max(run.last_step, 1.0)),
    "steps in tokens": lambda run: counted(run, 8192.0),
    "last row twice": lambda run: rewritten(run, lambda rows: [*rows, rows[-1]]),
    "summary row": lambda run: rewritten(run, summed_up),
    "rows out of order": lambda run: rewritten(run, shuffled),
    "crash and resume": lambda run: rewritten(run, resumed),
    "constant columns": lambda run: rewritten(run, with_constants),
    "second held-out set": lambda run: rewritten(run, with_second_set),
    "seldom at first": lambda run: thinned(run, lambda at: (at > 0.5) | (np.arange(at.size) % 4 == 3)),
    "seldom later": lambda run: thinned(run, lambda at: (at <= 0.5) | (np.arange(at.size) % 4 == 3)),
    "30 % of logs lost": lambda run: thinned(run, lambda at: _draw(run).random(at.size) > 0.3),
    "first log missing": lambda run: thinned(run, lambda at: np.arange(at.size) > 0),
    "50 logs for each": dense,
    "two evaluations": few_evaluations,
    "evaluated between": other_grid,
    "evaluated at step 0": evaluated_first,
    "last 10 % to come": unfinished,
}


def lines(found: Mapping[str, Sequence[Pair]]) -> Iterator[str]:
    """A line a kind of log."""
    shares = ("sick called healthy", "healthy called sick", ">= 95 %, hold", "same label")
    yield f"{'':24}{'logs':>6}" + "".join(f"{n:>12}" for n in COLUMNS) + "".join(f"{n:>24}" for n in shares)
    for name, seen in found.items():
        of = figures([pair.now for pair in seen])
        labeled = [pair for pair in seen if "unknown" not in (pair.before.said, pair.now.said)]
        same = sum(pair.before.said == pair.now.said for pair in labeled)
        cells = (
            f"{of['sick_called_healthy']} of {of['sick']}",
            f"{of['healthy_called_sick']} of {of['healthy']}",
            f"{of['sure_right']:.1%} of {of['sure']}",
            f"{same} of {len(labeled)}",
        )
        counts = "".join(f"{of[column]:>12}" for column in COLUMNS)
        yield f"{name:24}{of['runs']:>6}" + counts + "".join(f"{cell:>24}" for cell in cells)


if __name__ == "__main__":
    sys.exit(main())

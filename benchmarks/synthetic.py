"""How often does each rule find its own fault, and how often does it cry wolf, by strength and noise?

    python -m benchmarks.synthetic [--seeds 200] [--first 0] [--rule NAME ...] [--csv FILE]

Every fault of ``diagnostics.synthetic`` is made at four strengths and three noises of the training loss, and every
kind of healthy run at three noises, ``--seeds`` times each; the table prints for each rule:

- *found*: the share of runs with its own fault in which it fires, at each strength (all noises), and at each noise; or
  in which a plainer rule of the same label does, beside which it is silent;
- *named*: the share of its own runs, at strength 0.5 and more, whose label is the rule's (rules that are only noted
  name no run);
- *healthy*: the share of healthy runs in which it fires, over all kinds, and the worst kind at its worst noise;
- *elsewhere*: the worst other fault (strength 0.5 and more) whose runs it names although that fault has another label.

``--csv`` writes every cell. With ``--rule`` only these rules are asked, and their own and the healthy runs are made.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one process a core; more threads would only get in their way
if __package__ in (None, ""):  # run as a file: the packages lie beside the folder of this script
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.model.records import Label
from diagnostics.rules import RULES, Rule
from diagnostics.synthetic import FAULTS, HEALTHY, make

STRENGTHS = (0.25, 0.5, 0.75, 1.0)
NOISES = (0.01, 0.03, 0.1)
TRUE = {
    "healthy-packed-later": ("batches-change-size",),
    "healthy-epochs": ("repeats-memorized", "gap-grows"),
    "healthy-rewards-solved": ("prompts-solved",),
}
"""What is noted of a healthy kind because it is so."""
BY_NAME = {rule.name: rule for rule in RULES}


@dataclass
class Cell:
    """What the verdicts on the runs of one cause, strength and noise were: counts of rules, causes and labels."""

    cause: str
    strength: float
    noise: float
    runs: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)


def judged(work: tuple[str, float, float, range, tuple[str, ...]]) -> Cell:
    """The cell of one cause: every seed made and diagnosed."""
    cause, strength, noise, seeds, asked = work
    rules = tuple(BY_NAME[name] for name in asked) if asked else RULES
    cell, plainer = Cell(cause, strength, noise), plainer_than(cause)
    for seed in seeds:
        verdict = diagnose(make(cause, strength, noise, seed), rules)
        cell.runs += 1
        found = {finding.rule for finding in verdict.findings}
        cell.fired.update(found | ({cause} if found & plainer else set()))
        cell.named.update([verdict.cause] if verdict.cause else [])
        cell.labels[str(verdict.label)] += 1
    return cell


def plainer_than(cause: str) -> frozenset[str]:
    """The rules that call a fault by the same label and silence its own."""
    rule = BY_NAME.get(cause)
    if rule is None:
        return frozenset()
    return frozenset(name for name in rule.unless_found if BY_NAME[name].label is rule.label)


def plan(seeds: range, asked: tuple[str, ...]) -> Iterator[tuple[str, float, float, range, tuple[str, ...]]]:
    """The cells to judge: the asked rules' faults (all of them when none is asked), and the healthy kinds."""
    faults = asked or tuple(FAULTS)
    yield from ((c, s, n, seeds, asked) for c, s, n in product(faults, STRENGTHS, NOISES))
    yield from ((c, 0.0, n, seeds, asked) for c, n in product(HEALTHY, NOISES))


def share(cells: Iterable[Cell], rule: str) -> float:
    """The share of the cells' runs in which a rule fired; nan without runs."""
    chosen = list(cells)
    runs = sum(cell.runs for cell in chosen)
    return sum(cell.fired[rule] for cell in chosen) / runs if runs else float("nan")


def percent(value: float) -> str:
    """A share in whole percent, a dash where there was nothing to count, and a mark for less than a half."""
    if value != value:
        return "-"
    return f"{100 * value:.0f}" if value == 0 or value >= 0.005 else "<1"


def own_row(rule: Rule, cells: Sequence[Cell]) -> list[str]:
    """A line of the table: the rule, where it found its fault, how it was named, and its false alarms."""
    own = [c for c in cells if c.cause == rule.name]
    healthy = [c for c in cells if c.cause in HEALTHY and rule.name not in TRUE.get(c.cause, ())]
    strong = [c for c in own if c.strength >= 0.5]
    runs = sum(c.runs for c in strong)
    named = sum(c.labels[str(rule.label)] for c in strong) / runs if runs and rule.sets_label else float("nan")
    worst = max(healthy, key=lambda c: c.fired[rule.name] / c.runs, default=None)
    row = [rule.name, str(rule.label) if rule.sets_label else "(noted)"]
    row += [percent(share((c for c in own if c.strength == s), rule.name)) for s in STRENGTHS]
    row += [percent(share((c for c in own if c.noise == n), rule.name)) for n in NOISES]
    row += [percent(named), percent(share(healthy, rule.name))]
    row += [percent(worst.fired[rule.name] / worst.runs) if worst else "-"]
    return [*row, elsewhere(rule, cells)]


def elsewhere(rule: Rule, cells: Sequence[Cell]) -> str:
    """The worst other fault that the rule names although its own label is another one: ``12 (loss-jumps)``."""
    others = [c for c in cells if c.cause in BY_NAME and BY_NAME[c.cause].label is not rule.label and c.strength >= 0.5]
    worst = max(others, key=lambda c: c.named[rule.name] / c.runs, default=None)
    if worst is None or not worst.named[rule.name]:
        return ""
    return f"{percent(worst.named[rule.name] / worst.runs)} ({worst.cause} {worst.strength:g}/{worst.noise:g})"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of words as lines with straight columns; numbers stand to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    last = len(widths) - 1
    return "\n".join(
        "  ".join(
            w.ljust(n) if i in (0, 1, last) else w.rjust(n) for i, (w, n) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def alarms(cells: Sequence[Cell]) -> str:
    """How many runs of each healthy kind are not called healthy, by noise, and which rules say so."""
    rows = [["healthy kind", "", *(f"noise {n:g}" for n in NOISES), "named by"]]
    for kind in HEALTHY:
        mine = [c for c in cells if c.cause == kind]
        causes: Counter[str] = sum((c.named for c in mine), Counter())
        rates = [percent(1.0 - c.labels[str(Label.HEALTHY)] / c.runs) for c in mine]
        rows.append([kind, "", *rates, ", ".join(f"{name} {count}" for name, count in causes.most_common(3))])
    runs = sum(c.runs for c in cells if c.cause in HEALTHY)
    good = sum(c.labels[str(Label.HEALTHY)] for c in cells if c.cause in HEALTHY)
    return f"{aligned(rows)}\n\n{runs - good} of {runs} healthy runs not called healthy ({1 - good / runs:.2%})"


def worst_cells(cells: Sequence[Cell], count: int = 12) -> str:
    """The healthy cells in which a rule fires most often, noted or not."""
    found = [(c.fired[name] / c.runs, name, c.cause, c.noise) for c in cells if c.cause in HEALTHY for name in c.fired]
    found = [one for one in found if one[1] not in TRUE.get(one[2], ())]
    rows = [["rule", "healthy kind", "noise", "fires"]]
    rows += [
        [name, kind, f"{noise:g}", percent(rate)] for rate, name, kind, noise in sorted(found, reverse=True)[:count]
    ]
    return aligned(rows) if len(rows) > 1 else "no rule fires on any healthy run"


def write_csv(path: Path, cells: Sequence[Cell]) -> None:
    """Every cell and rule that fired in it, a line each."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["cause", "strength", "noise", "runs", "rule", "fired", "named"])
        for cell in cells:
            for name in sorted({cell.cause, *cell.fired} - set(HEALTHY)) or [""]:
                counts = [cell.fired[name], cell.named[name]]
                table.writerow([cell.cause, cell.strength, cell.noise, cell.runs, name, *counts])


def main() -> None:
    """Judge all cells on all cores and print the tables."""
    parser = argparse.ArgumentParser(description="detection and false alarms of every rule on made-up runs")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--rule", nargs="*", default=[], choices=sorted(FAULTS), metavar="NAME")
    parser.add_argument("--csv", type=Path)
    given = parser.parse_args()
    began, asked = time.perf_counter(), tuple(given.rule)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        cells = list(pool.map(judged, plan(range(given.first, given.first + given.seeds), asked), chunksize=4))
    heads = ["rule", "label", *(f"s{s:g}" for s in STRENGTHS), *(f"n{n:g}" for n in NOISES)]
    heads += ["named", "healthy", "worst", "elsewhere"]
    rows = [own_row(rule, cells) for rule in RULES if not asked or rule.name in asked]
    print(f"per cent of {given.seeds} runs a cell; s: found at that strength, n: found at that noise\n")
    print(aligned([heads, *rows]), *([] if asked else [alarms(cells)]), worst_cells(cells), sep="\n\n")
    labels = defaultdict(int, {cell.cause: 0 for cell in cells})
    seconds = time.perf_counter() - began
    print(f"\n{sum(c.runs for c in cells)} runs of {len(labels)} causes in {seconds:.0f} s on {os.cpu_count()} cores")
    if given.csv:
        write_csv(given.csv, cells)


if __name__ == "__main__":
    main()

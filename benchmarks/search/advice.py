"""How often does advice help? Each run of the tables against the run at the setting that its diagnosis advises.

    python -m benchmarks.search.advice            # hit rate by rule, and whether rates off the best are told
    python -m benchmarks.search.advice --left-out # with the estimate of the rate fitted without the table judged
    python -m benchmarks.search.advice --unseen   # on the tables that nothing was chosen on

A move helps when the advised setting is better by more than twice the noise of one seed at each of the two, and hurts
when it is worse by as much. The run at the setting advised is the nearest of the grid on that side. Optional advice
(of a healthy run) is left out: nobody is asked to follow it. "Lower" counts every move to a setting whose mean over its
seeds is lower, by however little. "Ceiling" is what perfect advice on the rate would reach by the same count: the share
of these runs for which the best rate of their row is better beyond noise. Of the others nobody can do better; the
second half of the table of rates is without them.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rate.left_out import estimated_without
from benchmarks.search.grids import Setting
from benchmarks.search.table import Judge, Table, load_all
from diagnostics.model.curves import Run
from diagnostics.model.rate_estimate import RateSide
from diagnostics.model.records import Advice, Diagnosis

RATE = "learning_rate"
OFF = 3.0
"""A rate is off from this factor on: the grid's next one."""
GOAL = (0.85, 0.05)


@dataclass(frozen=True)
class Moved:
    """One advised move, what came of it (helped, hurt, no change), and how many times off the best rate it began.

    ``gain`` is how much lower the advised setting ends, in the mean of its seeds; ``can_help``: the best rate of its
    row would help.
    """

    table: str
    rule: str
    knob: str
    first: bool
    off: float
    outcome: str
    gain: float
    can_help: bool
    said: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Print hit rates and the confusion of rates; 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, metavar="FOLDER", help="rows of benchmarks.search.make, not yet packed")
    parser.add_argument("--misses", action="store_true", help="list the moves that hurt")
    parser.add_argument("--unseen", action="store_true", help="judge the tables that are only for scoring")
    parser.add_argument("--left-out", action="store_true", help="fit the estimate of the rate without the table judged")
    given = parser.parse_args(arguments)
    tables = [table for table in load_all(given.runs, unseen=given.unseen) if table.metric == "eval_loss"]
    judges = [Judge(table) for table in tables]
    moves = []
    for table, judge in zip(tables, judges, strict=True):
        with estimated_without(table.name) if given.left_out else nullcontext():
            moves += advised(table, judge)
    for table in tables:
        _print_moves(table.name, [move for move in moves if move.table == table.name])
    _print_moves("all tables", moves)
    for table, judge in zip(tables, judges, strict=True):
        _print_rates(table, judge)
    if given.misses:
        for move in (m for m in moves if m.outcome == "hurt"):
            print(f"hurt: {move.table}: {move.rule}: {move.said}")
    helped, hurt = shares([move for move in moves if move.first and move.off >= OFF])
    return int(helped < GOAL[0] or hurt >= GOAL[1])


def advised(table: Table, judge: Judge) -> Iterator[Moved]:
    """Every move that the verdicts of a table's runs ask for, as far as the grid has it."""
    for at, by_seed in table.runs.items():
        for run in by_seed.values():
            yield from _moves_of(table, at, run, judge.of(run, 1.0))


def _moves_of(table: Table, at: Setting, run: Run, verdict: Diagnosis) -> Iterator[Moved]:
    first = True
    for advice in (one for one in verdict.advice if not one.optional):
        to = target(table, at, advice)
        if to is None:
            continue
        said = (
            f"{run.name}: {advice.knob} -> {dict(to)[advice.knob]:g}: {table.truths[at]:.4g} -> {table.truths[to]:.4g}"
        )
        gain = table.truths[at] - table.truths[to]
        came, can = outcome(table, at, to), can_help(table, at)
        yield Moved(table.name, advice.because, advice.knob, first, times_off(table, at), came, gain, can, said)
        first = False


def target(table: Table, at: Setting, advice: Advice) -> Setting | None:
    """The setting of the grid that an advice leads to; None when it is no number, or the table ends there."""
    now = dict(at)
    if advice.knob not in now or (now[advice.knob] == 0 and not isinstance(advice.new, (int, float))):
        return None
    wanted = now[advice.knob] * advice.factor if advice.factor and now[advice.knob] else advice.new
    if not isinstance(wanted, (int, float)) or wanted == now[advice.knob]:
        return None
    up = wanted > now[advice.knob]
    side = [
        value for value in table.axes[advice.knob] if (value > now[advice.knob]) == up and value != now[advice.knob]
    ]
    if not side:
        return None
    value = min(side, key=lambda known: abs(math.log((known + 1e-9) / (wanted + 1e-9))))
    to = tuple((knob, value if knob == advice.knob else kept) for knob, kept in at)
    return to if to in table.runs else None


def outcome(table: Table, at: Setting, to: Setting) -> str:
    """Whether the move helped, hurt, or changed less than the noise of seeds."""
    gain = table.truths[at] - table.truths[to]
    noise = 2 * math.hypot(table.noise_at(at), table.noise_at(to))
    return "helped" if gain > noise else "hurt" if gain < -noise else "no change"


def best_beside(table: Table, at: Setting) -> Setting:
    """The setting with the best learning rate and the other knobs as in a setting."""
    beside = [other for other in table.truths if all(a == b or a[0] == RATE for a, b in zip(other, at, strict=True))]
    return min(beside, key=lambda other: table.truths[other])


def best_rate(table: Table, at: Setting) -> float:
    """The best learning rate with the other knobs as in a setting."""
    return dict(best_beside(table, at))[RATE]


def can_help(table: Table, at: Setting) -> bool:
    """Whether the best learning rate with the other knobs as in a setting is better beyond the noise of seeds."""
    return outcome(table, at, best_beside(table, at)) == "helped"


def times_off(table: Table, at: Setting) -> float:
    """By which factor a setting's rate lies above or below the best for its other knobs; at least 1."""
    ratio = dict(at)[RATE] / best_rate(table, at)
    return max(ratio, 1 / ratio)


def shares(moves: Iterable[Moved]) -> tuple[float, float]:
    """The shares of moves that helped and that hurt."""
    counts = Counter(move.outcome for move in moves)
    total = max(1, sum(counts.values()))
    return counts["helped"] / total, counts["hurt"] / total


def _print_moves(title: str, moves: Sequence[Moved]) -> None:
    columns = f"{'moves':>8}{'helped':>9}{'hurt':>8}{'lower':>8}{'ceiling':>9}"
    print(f"\n{title}: advised moves, and what came of them{'':<8}{columns}")
    followed = [move for move in moves if move.first]
    far = [move for move in followed if move.off >= OFF]
    _line("first advice, rate 3 times off or more", far)
    _line("first advice, rate near the best", [move for move in followed if move.off < OFF])
    _line("all advice", moves)
    for rule, knob in sorted({(move.rule, move.knob) for move in moves}):
        _line(f"  {rule}: {knob}", [move for move in moves if (move.rule, move.knob) == (rule, knob)])


def _line(title: str, moves: Sequence[Moved]) -> None:
    helped, hurt = shares(moves)
    lower = sum(move.gain > 0.0 for move in moves) / max(1, len(moves))
    ceiling = sum(move.can_help for move in moves) / max(1, len(moves))
    print(f"  {title:<56}{len(moves):>6}{helped:>9.0%}{hurt:>8.0%}{lower:>8.0%}{ceiling:>9.0%}")


def _print_rates(table: Table, judge: Judge) -> None:
    """Rows: where the rate lies; columns: where the advice sends it. All runs, then those that can be helped."""
    _print_settings(f"{table.name}: the rate is / is sent", table, judge, list(table.runs))
    _print_settings("  where the best rate helps", table, judge, [at for at in table.runs if can_help(table, at)])


def _print_settings(title: str, table: Table, judge: Judge, settings: Sequence[Setting]) -> None:
    found: Counter[tuple[str, str]] = Counter()
    told: Counter[tuple[str, str]] = Counter()
    for at in settings:
        by_seed = table.runs[at]
        ratio = dict(at)[RATE] / best_rate(table, at)
        place = "low" if ratio < 1 else "high" if ratio > 1 else "near"
        place += ", 10 times" if max(ratio, 1 / ratio) > 9 else ", 3 times" if ratio != 1 else ""
        found.update((place, _sent(judge.of(run, 1.0))) for run in by_seed.values())
        told.update((place, _told(judge.of(run, 1.0))) for run in by_seed.values())
    print(f"\n{title:<40}{'runs':>6}{'up':>10}{'stays':>8}{'down':>8}   told: low   neither  high")
    for place in ("low, 10 times", "low, 3 times", "near", "high, 3 times", "high, 10 times"):
        runs = sum(found[place, way] for way in ("up", "stays", "down"))
        total = max(1, runs)
        sent = "".join(f"{found[place, way] / total:>8.0%}" for way in ("up", "stays", "down"))
        print(
            f"  {place:<38}{runs:>6}  {sent}   "
            + "".join(f"{told[place, way] / total:>8.0%}" for way in ("low", "-", "high"))
        )


def _told(verdict: Diagnosis) -> str:
    """On which side of the best one the rate is told to lie, whatever the verdict."""
    side = verdict.rate and next((side for side in RateSide if verdict.rate.tells(side)), None)
    return {RateSide.TOO_LOW: "low", RateSide.TOO_HIGH: "high"}.get(side, "-") if side else "-"


def _sent(verdict: Diagnosis) -> str:
    advice = next((a for a in verdict.advice if a.knob == RATE and not a.optional), None)
    if advice is None:
        return "stays"
    factor = advice.factor or 1.0
    return "up" if factor > 1 else "down" if factor < 1 else "stays"


if __name__ == "__main__":
    sys.exit(main())

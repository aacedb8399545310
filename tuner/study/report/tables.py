"""The tables of a study's report: what changed, what it brought, and what the repeats prove."""

from __future__ import annotations

from dataclasses import dataclass

from diagnostics.formatting import plain_name, setting
from tuner.messages import filled
from tuner.messages.en import HEADS, PRICE, RECORD_COUNTS
from tuner.study.price import prices
from tuner.study.report.beside import Beside
from tuner.study.report.path_gain import gain_along_path
from tuner.study.report.words import changed, measure, measured, proof, report_phrase
from tuner.study.results import Gain, StudyResult


@dataclass(frozen=True)
class Table:
    """Rows of text under heads, and what to know before reading them."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: str = ""


def settings_table(result: StudyResult) -> Table | None:
    """The settings that differ between the user's file and the best trial."""
    rows = tuple((name, setting(name, old), setting(name, new)) for name, old, new in changed(result))
    return Table((HEADS["setting"], HEADS["file"], report_phrase("trial", trial=result.best)), rows) if rows else None


def metrics_table(result: StudyResult) -> Table | None:
    """The metrics of the untouched model, of the user's file and of the best trial."""
    rows = tuple(
        (capital(plain_name(name)), *(measure(name, value) if value is not None else "–" for value in values))
        for name, *values in measured(result)
    )
    return Table(tuple(HEADS[name] for name in ("metric-table", "model", "file", "best")), rows) if rows else None


def gains_table(result: StudyResult) -> Table | None:
    """What each change on the way to the best trial brought."""
    noise = result.noise.get("counts_from", 0.0)
    rows = []
    for step in gain_along_path(result):
        moved = ", ".join(
            f"{name} {setting(name, old)} → {setting(name, new)}" for name, (old, new) in step.moved.items()
        )
        gain = measure(result.metric, step.gain)
        gain = gain if abs(step.gain) > noise else report_phrase("within-noise", gain=gain)
        values = (measure(result.metric, step.before), measure(result.metric, step.after), gain)
        way = report_phrase("trial-to-trial", start=step.start, trial=step.trial)
        rows.append((way, moved or report_phrase("only-seed"), *values))
    heads = tuple(HEADS[name] for name in ("step", "moved", "before", "after", "better-by"))
    return Table(heads, tuple(rows), report_phrase("gains")) if rows else None


def proof_table(result: StudyResult, gain: Gain, found: Beside) -> Table:
    """The repeats, pair by pair, with the verdict on each and the mean gain."""
    rows: list[tuple[str, ...]] = []
    for pair in gain.pairs:
        better = result.direction.gain(pair.baseline, pair.winner)
        first, best = (str(found.labels.get((trial, pair.seed), "")) for trial in (0, result.best or 0))
        file, winner, more = (measure(result.metric, value) for value in (pair.baseline, pair.winner, better))
        rows.append((str(pair.seed), file, first, winner, best, more))
    means = (measure(result.metric, value) for value in gain.means)
    spread = f"{measure(result.metric, gain.mean)} ± {measure(result.metric, float(f'{gain.stderr:.2g}'))}"
    rows.append((HEADS["mean"], next(means), "", next(means), "", spread))
    heads: tuple[str, ...] = tuple(
        HEADS[name] for name in ("seed", "file", "verdict", "best-settings", "verdict", "better-by")
    )
    words = report_phrase("proof", words=proof(result))
    if not found.labels:
        rows = [(row[0], row[1], row[3], row[5]) for row in rows]
        heads = (heads[0], heads[1], heads[3], heads[5])
    return Table(heads, tuple(rows), words)


def records_table(result: StudyResult) -> Table | None:
    """How the advice of each rule did."""
    rows = tuple(
        (plain_name(one.rule), *map(str, (one.advised, one.followed, one.helped, one.hurt, one.even)))
        for one in result.records
    )
    return Table((HEADS["rule"], *RECORD_COUNTS), rows, report_phrase("records")) if rows else None


def price_table(result: StudyResult) -> Table | None:
    """What each trial reached and what it forgot, those that forgot less first; None where that was not watched."""
    known = sorted(prices(result), key=lambda one: one.forgotten)
    rows = tuple((str(p.trial.number), measure(result.metric, p.value), f"{p.forgotten:+.3f}") for p in known)
    heads = (HEADS["trial"], plain_name(result.metric), HEADS["general-rise"])
    return Table(heads, rows, price_limit(result)) if rows else None


def price_limit(result: StudyResult) -> str:
    """The limit of what may be forgotten, in words; empty without one."""
    return filled(PRICE["within"], {"limit": result.forgetting_limit}) if result.forgetting_limit is not None else ""


def capital(words: str) -> str:
    """The words with a capital letter in front."""
    return words[:1].upper() + words[1:]

"""The content of a study's report, section by section, as text: what its HTML and its Markdown both set."""

from __future__ import annotations

from dataclasses import dataclass

from diagnostics.formatting import duration, plain_name, sentence, setting
from tuner.messages import text
from tuner.messages.en import HEADS, RECORD_COUNTS
from tuner.study.patch_lines import patch_lines
from tuner.study.report.words import (
    best_folder,
    changed,
    commands,
    counts,
    headline,
    lead,
    measure,
    measured,
    noise,
    outcome,
    place,
    proof,
    report_phrase,
    snippet,
    steps,
)
from tuner.study.results import Gain, StudyResult, TrialResult
from tuner.study.words import (
    direction_words,
    memory_words,
    moves,
    paragraph_words,
    proposer_words,
    title_words,
    unmoved,
)

__all__ = ["Sections", "ShownPoint", "ShownTrial", "Table", "sections"]
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """Rows of text under heads, and what to know before reading them."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: str = ""


@dataclass(frozen=True)
class ShownTrial:
    """One trial as a row: its metric, its verdict with ``remarks``, what moved, who proposed it and why.

    ``moves`` are (setting, old, new); ``report`` is the address of its own report where it lies beside this one.
    """

    number: int
    is_best: bool
    report: str
    value: str
    label: str
    remarks: tuple[str, ...]
    moves: tuple[tuple[str, str, str], ...]
    unmoved: str
    proposer: str
    why: str


@dataclass(frozen=True)
class ShownPoint:
    """One point of the review, with the lines for the study file, if any."""

    title: str
    text: str
    yaml: str


@dataclass(frozen=True)
class Sections:
    """The content of a report on one study; a section without content is empty or None."""

    name: str
    headline: str
    lead: str
    facts: Pairs
    settings: Table | None
    metrics: Table | None
    trial_heads: tuple[str, ...]
    trials: tuple[ShownTrial, ...]
    proof: Table | None
    records: Table | None
    review: tuple[ShownPoint, ...]
    shell: str
    python: str
    space: Pairs
    versions: Pairs
    notes: tuple[str, ...]


def sections(result: StudyResult) -> Sections:
    """What there is to say of a study."""
    return Sections(
        name=result.name,
        headline=_capital(text(headline(result))),
        lead=lead(result),
        facts=_facts(result),
        settings=_settings(result),
        metrics=_metrics(result),
        trial_heads=(HEADS["trial"], plain_name(result.metric), *(HEADS[name] for name in ("verdict", "moved", "why"))),
        trials=tuple(_trial(result, trial) for trial in result.trials),
        proof=_proof(result, result.gain) if result.gain is not None and result.gain.pairs else None,
        records=_records(result),
        review=tuple(
            ShownPoint(title_words(one), paragraph_words(one), patch_lines(one.patch)) for one in result.review
        ),
        shell="\n\n".join(f"# {what}\n{command}" for what, command in commands(result)),
        python=snippet(best_folder(result)) if result.winner is not None else "",
        space=tuple((name, str(span)) for name, span in result.space.items()),
        versions=tuple(result.versions.items()),
        notes=tuple(text(note) for note in result.notes),
    )


def _facts(result: StudyResult) -> Pairs:
    """The study in numbers: how its trials ended, what it cost, what it measured."""
    facts = {
        "trials": counts(result),
        "time": duration(result.seconds),
        "steps": steps(result),
        "exact-match": _exact_match(result),
        "method": result.method.upper(),
        "metric": f"{plain_name(result.metric)} ({direction_words(result.direction)})",
        "noise": noise(result),
    }
    return tuple((HEADS[name], value) for name, value in facts.items() if value)


def _exact_match(result: StudyResult) -> str:
    """From the untouched model to the best trial, where both were measured."""
    pairs = [(name, model, best) for name, model, _, best in measured(result) if name.endswith("exact_match")]
    known = [f"{measure(name, a)} → {measure(name, b)}" for name, a, b in pairs if a is not None and b is not None]
    return known[0] if known else ""


def _settings(result: StudyResult) -> Table | None:
    """The settings that differ between the user's file and the best trial."""
    rows = tuple((name, setting(name, old), setting(name, new)) for name, old, new in changed(result))
    return Table((HEADS["setting"], HEADS["file"], report_phrase("trial", trial=result.best)), rows) if rows else None


def _metrics(result: StudyResult) -> Table | None:
    """The metrics of the untouched model, of the user's file and of the best trial."""
    rows = tuple(
        (_capital(plain_name(name)), *(measure(name, value) if value is not None else "–" for value in values))
        for name, *values in measured(result)
    )
    return Table(tuple(HEADS[name] for name in ("metric-table", "model", "file", "best")), rows) if rows else None


def _trial(result: StudyResult, trial: TrialResult) -> ShownTrial:
    remarks = (plain_name(trial.cause) if trial.cause else "", outcome(trial), memory_words(trial), place(trial))
    return ShownTrial(
        number=trial.number,
        is_best=trial.number == result.best,
        report="" if trial.host else trial.folder,
        value=measure(result.metric, trial.value),
        label=trial.label or "",
        remarks=tuple(filter(None, remarks)),
        moves=tuple(moves(trial)),
        unmoved="" if trial.moved else unmoved(trial.proposer),
        proposer=proposer_words(trial.proposer),
        why=sentence(text(trial.because)),
    )


def _proof(result: StudyResult, gain: Gain) -> Table:
    """The repeats, pair by pair, with the mean gain."""
    rows = [
        (str(pair.seed), *(measure(result.metric, value) for value in (pair.baseline, pair.winner, better)))
        for pair in gain.pairs
        for better in (result.direction.gain(pair.baseline, pair.winner),)
    ]
    spread = f"{measure(result.metric, gain.mean)} ± {measure(result.metric, float(f'{gain.stderr:.2g}'))}"
    rows.append((HEADS["mean"], "", "", spread))
    words = report_phrase("proof-claimed" if gain.claimed else "proof", words=proof(result))
    return Table(tuple(HEADS[name] for name in ("seed", "file", "best-settings", "better-by")), tuple(rows), words)


def _records(result: StudyResult) -> Table | None:
    """How the advice of each rule did."""
    rows = tuple(
        (plain_name(one.rule), *map(str, (one.advised, one.followed, one.helped, one.hurt, one.even)))
        for one in result.records
    )
    return Table((HEADS["rule"], *RECORD_COUNTS), rows, report_phrase("records")) if rows else None


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]

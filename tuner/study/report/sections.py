"""The content of a study's report, section by section, as text: what its HTML and its Markdown both set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from diagnostics.formatting import duration, plain_name, sentence
from tuner.messages import filled, text
from tuner.messages.en import HEADS, PRICE
from tuner.study.answers import AnswerPair, shown_and_missed
from tuner.study.patch_lines import patch_lines
from tuner.study.price import price_of_best
from tuner.study.report.beside import Beside
from tuner.study.report.tables import (
    Table,
    capital,
    gains_table,
    metrics_table,
    price_table,
    proof_table,
    records_table,
    settings_table,
)
from tuner.study.report.words import (
    best_folder,
    commands,
    counts,
    early_notes,
    headline,
    lead,
    measure,
    measured,
    noise_notes,
    outcome,
    place,
    repeats_disagree,
    report_phrase,
    seed_noise,
    snippet,
    steps,
)
from tuner.study.results import StudyResult, TrialResult
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
NOTHING = Beside()


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
class ShownAnswers:
    """Answers that became right, those that are still wrong, and how many there are of each."""

    fixed: tuple[AnswerPair, ...]
    missed: tuple[AnswerPair, ...]
    count: str
    missed_title: str


@dataclass(frozen=True)
class Sections:
    """The content of a report on one study; a section without content is empty or None.

    ``doubt`` is what speaks against the headline.
    """

    name: str
    headline: str
    lead: str
    doubt: str
    facts: Pairs
    settings: Table | None
    answers: ShownAnswers | None
    winner_file: str
    gains: Table | None
    metrics: Table | None
    trial_heads: tuple[str, ...]
    trials: tuple[ShownTrial, ...]
    proof: Table | None
    price: Table | None
    records: Table | None
    review: tuple[ShownPoint, ...]
    shell: str
    python: str
    space: Pairs
    versions: Pairs
    notes: tuple[str, ...]


def sections(result: StudyResult, found: Beside = NOTHING) -> Sections:
    """What there is to say of a study, ``found`` beside its result."""
    return Sections(
        name=result.name,
        headline=capital(text(headline(result))),
        lead=lead(result),
        doubt=repeats_disagree(result, found.labels),
        facts=_facts(result),
        settings=settings_table(result),
        answers=_answers(found.answers),
        winner_file=found.winner_file if result.best else "",
        gains=gains_table(result),
        metrics=metrics_table(result),
        trial_heads=(HEADS["trial"], plain_name(result.metric), *(HEADS[name] for name in ("verdict", "moved", "why"))),
        trials=tuple(_trial(result, trial) for trial in result.trials),
        proof=proof_table(result, result.gain, found) if result.gain is not None and result.gain.pairs else None,
        price=price_table(result),
        records=records_table(result),
        review=tuple(
            ShownPoint(title_words(one), paragraph_words(one), patch_lines(one.patch)) for one in result.review
        ),
        shell="\n\n".join(f"# {what}\n{command}" for what, command in commands(result, found.command)),
        python=snippet(best_folder(result)) if result.winner is not None and not result.trainer else "",
        space=tuple((name, str(span)) for name, span in result.space.items()),
        versions=tuple(result.versions.items()),
        notes=(
            *map(text, result.notes),
            *early_notes(result),
            *noise_notes(result),
            *([report_phrase("steps-note")] if result.steps else []),
        ),
    )


def _facts(result: StudyResult) -> Pairs:
    """The study in numbers: what it measured, how its trials ended, what it cost."""
    gain = result.gain if result.gain is not None and result.gain.pairs else None
    facts = {
        "exact-match": _exact_match(result),
        "single-run": _single_run(result),
        "new-seeds": measure(result.metric, gain.means[1]) if gain else "",
        "seed-noise": seed_noise(result),
        "forgotten": _forgotten(result),
        "trials": counts(result),
        "time": duration(result.seconds),
        "steps": steps(result),
        "method": result.method.upper(),
        "metric": f"{plain_name(result.metric)} ({direction_words(result.direction)})",
    }
    seeds = len(gain.pairs) if gain else 0
    return tuple((filled(HEADS[name], {"seeds": seeds}), value) for name, value in facts.items() if value)


def _forgotten(result: StudyResult) -> str:
    """How far the loss on general text rose in the best trial; empty where that was not watched."""
    best = price_of_best(result)
    return filled(PRICE["rise"], {"rise": best.forgotten}) if best else ""


def _single_run(result: StudyResult) -> str:
    """The value of the best trial, which one run reached."""
    best = result.winner
    if best is None or best.value is None:
        return ""
    return report_phrase("single-run", value=measure(result.metric, best.value), trial=best.number)


def _exact_match(result: StudyResult) -> str:
    """From the untouched model to the best trial, where both were measured."""
    pairs = [(name, model, best) for name, model, _, best in measured(result) if name.endswith("exact_match")]
    known = [f"{measure(name, a)} → {measure(name, b)}" for name, a, b in pairs if a is not None and b is not None]
    return known[0] if known else ""


def _trial(result: StudyResult, trial: TrialResult) -> ShownTrial:
    cause, beyond = plain_name(trial.cause) if trial.cause else "", _beyond_limit(result, trial)
    remarks = (cause, outcome(trial), beyond, memory_words(trial), place(trial))
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


def _beyond_limit(result: StudyResult, trial: TrialResult) -> str:
    """That a trial forgot more than the study allows, and how much; else empty."""
    rise, limit = result.forgotten(trial), result.forgetting_limit
    return filled(PRICE["over"], {"rise": rise}) if rise is not None and limit is not None and rise > limit else ""


def _answers(pairs: Sequence[AnswerPair]) -> ShownAnswers | None:
    """What the best settings answer, beside what the user's file did."""
    if not pairs:
        return None
    fixed, missed = shown_and_missed(pairs)
    right, after = (sum(getattr(pair, name) for pair in pairs) for name in ("matched_before", "matches"))
    count = report_phrase("counted", right=right, total=len(pairs), after=after)
    return ShownAnswers(tuple(fixed), tuple(missed), count, report_phrase("misses", count=len(missed)))

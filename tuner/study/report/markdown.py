"""The report of a study as Markdown."""

from __future__ import annotations

import re

from diagnostics.chart.markup import printable
from diagnostics.formatting import duration, number, plain_name, sentence, setting
from diagnostics.report.markdown import cell, grid, listed
from tuner.messages import text
from tuner.study.report.words import (
    RECORD,
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
    record,
    snippet,
    steps,
)
from tuner.study.results import StudyResult, TrialResult
from tuner.study.words import direction_words, moves_line, paragraph_words, proposer_words, title_words


def as_markdown(result: StudyResult) -> str:
    """What came out, how the search went, the proof, and what to do next."""
    parts = [f"# Study {cell(result.name)}", f"**{cell(headline(result))}.** {cell(lead(result))}", _facts(result)]
    parts += _settings(result) + _metrics(result) + _trials(result) + _proof(result) + _records(result)
    parts += ["## Across all trials"] if result.review else []
    for one in result.review:
        parts += [f"### {cell(title_words(one))}", cell(paragraph_words(one))] + (
            [_code("yaml", one.yaml)] if one.yaml else []
        )
    if result.winner is not None:
        shell = "\n\n".join(f"# {what}\n{command}" for what, command in commands(result).items())
        parts += ["## Next steps", _code("sh", shell), _code("python", snippet(result))]
    if result.space:
        rows = [(f"`{knob}`", str(span)) for knob, span in result.space.items()]
        parts += ["## The space that was searched", grid(("setting", "values"), rows)]
    if result.notes:
        parts += ["## Notes", listed(cell(text(note)) for note in result.notes)]
    if result.versions:
        parts.append("Versions: " + ", ".join(f"{cell(name)} {cell(one)}" for name, one in result.versions.items()))
    return "\n\n".join(parts) + "\n"


def _facts(result: StudyResult) -> str:
    rows = (
        ("trials", counts(result)),
        ("time", duration(result.seconds)),
        ("steps", steps(result)),
        ("metric", f"{cell(result.metric)} ({direction_words(result.direction)})"),
        ("noise", noise(result)),
    )
    return listed(f"{name}: {value}" for name, value in rows if value)


def _settings(result: StudyResult) -> list[str]:
    rows = [(f"`{knob}`", setting(knob, old), setting(knob, new)) for knob, old, new in changed(result)]
    return [grid(("setting", "your file", f"trial {result.best}"), rows)] if rows else []


def _metrics(result: StudyResult) -> list[str]:
    rows = [
        (f"`{name}`", *(measure(name, value) if value is not None else "–" for value in values))
        for name, *values in measured(result)
    ]
    heads = ("metric (eval: held-out rows)", "untouched model", "your file", "best trial")
    return ["## Before and after", grid(heads, rows)] if rows else []


def _trials(result: StudyResult) -> list[str]:
    heads = ("trial", plain_name(result.metric), "verdict", "what moved", "who moved it, and why")
    return ["## All trials", grid(heads, [_trial(result, trial) for trial in result.trials])]


def _trial(result: StudyResult, trial: TrialResult) -> tuple[str, ...]:
    name = f"{trial.number} (best)" if trial.number == result.best else f"{trial.number}"
    verdict = ", ".join(filter(None, (trial.label, trial.cause, outcome(trial), trial.memory, place(trial))))
    why = ". ".join(filter(None, (proposer_words(trial.proposer), sentence(text(trial.because)))))
    return name, measure(result.metric, trial.value), verdict, moves_line(trial), why


def _proof(result: StudyResult) -> list[str]:
    gain = result.gain
    if gain is None or not gain.pairs:
        return []
    values = [(pair.seed, pair.baseline, pair.winner) for pair in gain.pairs]
    rows = [(f"{seed}", measure(result.metric, a), measure(result.metric, b)) for seed, a, b in values]
    words = f"Mean gain {number(gain.mean)}, standard error {number(gain.stderr)}. {cell(proof(result))}"
    return ["## The proof", words, grid(("seed", "your file", "best settings"), rows)]


def _records(result: StudyResult) -> list[str]:
    rows = [(one.rule, *map(str, record(one))) for one in result.records]
    return ["## How the advice did", grid(("rule", *RECORD), rows)] if rows else []


def _code(language: str, text: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{printable(text).rstrip()}\n{fence}"

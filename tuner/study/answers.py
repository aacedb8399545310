"""The answers that the user's file and the best trial gave to the same held-out questions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tuner.study.results import StudyResult

SAMPLES = "samples.jsonl"
MAX_ANSWERS = 500
SHOWN = 3
"""How many pairs of answers show what a study changed."""
LAST_QUESTION = (
    re.compile(r"<\|im_start\|>user\n(.*?)<\|im_end\|>", re.S),
    re.compile(r"<\|start_header_id\|>user<\|end_header_id\|>\s*(.*?)<\|eot_id\|>", re.S),
    re.compile(r"<start_of_turn>user\n(.*?)<end_of_turn>", re.S),
    re.compile(r"\[INST\](.*?)\[/INST\]", re.S),
)
"""What the user says in the chat templates of common models."""


@dataclass(frozen=True)
class AnswerPair:
    """A question with its reference, the answer before (by the user's file) and after (by the best trial)."""

    prompt: str
    reference: str
    before: str
    after: str
    matched_before: bool
    matches: bool

    @property
    def question(self) -> str:
        """The last turn of the user in the prompt, without the marks of its chat template."""
        return question_of(self.prompt)


def question_of(prompt: str) -> str:
    """The last turn of the user in a prompt, without the marks of its chat template."""
    for pattern in LAST_QUESTION:
        if turns := pattern.findall(prompt):
            return str(turns[-1]).strip()
    return re.sub(r"<\|[^<>|]{1,40}\|>", " ", prompt).strip()


def answer_pairs(result: StudyResult, folder: Path) -> list[AnswerPair]:
    """The questions that trial 0 and the best trial both answered, those whose answer became right first.

    ``folder`` is the study's; nothing outside it is read. Empty where either left no answers there, or trial 0 is the
    best.
    """
    first, best = result.baseline, result.winner
    if first is None or best is None or first.number == best.number or first.host or best.host:
        return []
    return paired(*(_lines(folder, trial.folder) for trial in (first, best)))


def paired(before: Iterable[str], after: Iterable[str]) -> list[AnswerPair]:
    """The answers of two runs as they stand in the lines of their ``samples.jsonl``; damaged lines are left out."""
    known = {prompt: (answer, right) for prompt, _, answer, right in _samples(before)}
    pairs = [
        AnswerPair(prompt, reference, known[prompt][0], answer, known[prompt][1], right)
        for prompt, reference, answer, right in _samples(after)
        if prompt in known
    ]
    return sorted(pairs, key=lambda pair: (pair.matched_before, not pair.matches))


def shown_and_missed(pairs: Iterable[AnswerPair]) -> tuple[list[AnswerPair], list[AnswerPair]]:
    """A few answers that became right, and all that are wrong after the study."""
    pairs = list(pairs)
    fixed = [pair for pair in pairs if pair.matches and not pair.matched_before]
    return fixed[:SHOWN], [pair for pair in pairs if not pair.matches]


def _lines(study: Path, trial: str) -> list[str]:
    """The lines of a trial's answers; its folder comes out of a file, so nothing outside the study's own is read."""
    try:
        path = (study / trial / SAMPLES).resolve()
        inside = path.is_relative_to(study.resolve())
        return path.read_text(encoding="utf-8", errors="replace").splitlines()[:MAX_ANSWERS] if inside else []
    except (OSError, ValueError):
        return []


def _samples(lines: Iterable[str]) -> Iterable[tuple[str, str, str, bool]]:
    """Prompt, reference, answer, and whether they match, spaces around them aside."""
    for line in lines:
        try:
            sample = json.loads(line)
            prompt, reference, answer = (str(sample[key]) for key in ("prompt", "reference", "answer"))
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        yield prompt, reference, answer, answer.strip() == reference.strip()

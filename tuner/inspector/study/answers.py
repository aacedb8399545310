"""The answers that two trials of a study gave to the same held-out questions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.inspector.study.read import report
from tuner.study.results import StudyResult

SAMPLES = "samples.jsonl"
MAX_ANSWERS = 500


@dataclass(frozen=True)
class AnswerPair:
    """A question with its reference, the answer before (by the user's file) and after (by the best trial)."""

    prompt: str
    reference: str
    before: str
    after: str
    matched_before: bool
    matches: bool


def answer_pairs(study: StudyResult, path: Path) -> list[AnswerPair]:
    """The questions that both trial 0 and the best trial answered: the answers that became right first, then misses.

    ``path`` is the study's file. Empty where either has left no answers, or trial 0 is the best.
    """
    first, best = study.baseline, study.winner
    if first is None or best is None or first.number == best.number:
        return []
    before, after = _answers(path, first.folder), _answers(path, best.folder)
    pairs = [
        AnswerPair(
            prompt, one["reference"], before[prompt]["answer"], one["answer"], _right(before[prompt]), _right(one)
        )
        for prompt, one in after.items()
        if prompt in before
    ]
    return sorted(pairs, key=lambda pair: (pair.matched_before, not pair.matches))


def _answers(path: Path, folder: str) -> dict[str, dict[str, Any]]:
    """The samples that a trial left, by their question; what is damaged is left out."""
    content = report(path, folder, SAMPLES) if folder else None
    found: dict[str, dict[str, Any]] = {}
    for line in (content or b"").splitlines()[:MAX_ANSWERS]:
        try:
            sample = json.loads(line)
            found[str(sample["prompt"])] = {"reference": str(sample["reference"]), "answer": str(sample["answer"])}
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _right(sample: dict[str, Any]) -> bool:
    return bool(sample["answer"].strip() == sample["reference"].strip())

"""How good generated answers are: the metrics that a study file can name, and functions of the user's own."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tuner.config.answer_metrics import PASS_AT, AnswerMetric
from tuner.config.own_code import load_function
from tuner.errors import SpecError, error_text
from tuner.training.generation import Sample, exact_match

Scorer = Callable[[Sequence[Sample]], float]


def scorer_of(metric: AnswerMetric, start: Path, where: Path) -> Scorer:
    """The function from samples to a number; raises ``SpecError`` when the user's own cannot be loaded."""
    if metric.function is not None:
        at = f"{where}: study.metric: {metric.function}"
        return _own(load_function(metric.function, start, at), at)
    return _pass_at_k if PASS_AT.fullmatch(metric.name) else SCORERS[metric.name]


def _own(function: Callable[..., Any], where: str) -> Scorer:
    """The user's function, given what it asks for by name; errors and wrong results are one line."""
    takes = inspect.signature(function).parameters
    takes_all = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in takes.values())

    def scored(samples: Sequence[Sample]) -> float:
        columns = {name for sample in samples for name in sample.columns}
        given: dict[str, Any] = {name: [sample.columns.get(name) for sample in samples] for name in columns}
        given |= {
            "answers": [sample.answer for sample in samples],
            "references": [sample.reference for sample in samples],
            "prompts": [sample.prompt for sample in samples],
        }
        try:
            made = function(**{name: value for name, value in given.items() if takes_all or name in takes})
            number = float(sum(made) / len(made)) if isinstance(made, (list, tuple)) else float(made)
        except Exception as error:
            raise SpecError(f"{where}: {type(error).__name__}: {error_text(error)}") from error
        if not math.isfinite(number):
            raise SpecError(f"{where}: returned {number}; return a finite number, or one for each answer")
        return number

    return scored


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _json_valid(samples: Sequence[Sample]) -> float:
    """The share of answers that are JSON."""
    return _mean([float(_is_json(sample.answer)) for sample in samples])


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _rouge(kind: str) -> Scorer:
    """The mean F1 of a ROUGE, 0 to 1, with stems, as rouge-score computes it (Lin, 2004)."""

    def scored(samples: Sequence[Sample]) -> float:
        from rouge_score.rouge_scorer import RougeScorer

        scorer = RougeScorer([kind], use_stemmer=True)
        return _mean([scorer.score(one.reference, one.answer)[kind].fmeasure for one in samples])

    return scored


def _sacrebleu(name: str) -> Scorer:
    """A score of the whole set, 0 to 100, as sacrebleu computes it (Post, 2018)."""

    def scored(samples: Sequence[Sample]) -> float:
        import sacrebleu

        compute = getattr(sacrebleu, name)
        return float(compute([one.answer for one in samples], [[one.reference for one in samples]]).score)

    return scored


def _pass_at_k(samples: Sequence[Sample]) -> float:
    """The share of questions of whose answers one passes the row's tests; answers to one question stand together."""
    from tuner.training.code_tests import passes

    passed: dict[tuple[str, str], bool] = {}
    for sample in samples:
        key = (sample.prompt, sample.reference)
        passed[key] = passed.get(key, False) or passes(sample.answer, sample.columns)
    return _mean([float(one) for one in passed.values()])


SCORERS: Mapping[str, Scorer] = {
    "exact_match": exact_match,
    "json_valid": _json_valid,
    "rouge_1": _rouge("rouge1"),
    "rouge_2": _rouge("rouge2"),
    "rouge_l": _rouge("rougeL"),
    "bleu": _sacrebleu("corpus_bleu"),
    "chrf": _sacrebleu("corpus_chrf"),
}
"""The metrics by name, except pass@k and the judge."""

"""Metrics of generated answers: the ready ones by name, and functions of the user's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tuner.config.own_code import check_function, is_reference
from tuner.errors import SpecError, brief_name, nearest

EXACT_MATCH, JUDGE = "exact_match", "judge_win_rate"
PASS_AT = re.compile(r"pass(?:@|_at_)([1-9]\d{0,2})")
PACKAGES: Mapping[str, str] = {
    **dict.fromkeys(("rouge_1", "rouge_2", "rouge_l"), "rouge_score"),
    **dict.fromkeys(("bleu", "chrf"), "sacrebleu"),
}
"""Metrics that a package computes."""
PLAIN = (EXACT_MATCH, "json_valid", *PACKAGES, JUDGE)


@dataclass(frozen=True)
class AnswerMetric:
    """A metric of generated answers: the name of its curve, and the user's own function where it is one."""

    name: str
    function: str | None = None

    @property
    def curve(self) -> str:
        """The canonical name of its curve."""
        return f"eval_{self.name}"

    @property
    def attempts(self) -> int:
        """How many answers it wants to each question: k for pass@k, else one."""
        found = PASS_AT.fullmatch(self.name)
        return int(found.group(1)) if found else 1


def answer_metric(name: str) -> AnswerMetric | None:
    """The metric of that name, None when it is none of generated answers."""
    plain = name.removeprefix("eval_").removeprefix("eval/")
    if (found := PASS_AT.fullmatch(plain)) is not None:
        return AnswerMetric(f"pass_at_{found.group(1)}")
    if ".py:" in name or (is_reference(name) and "/" not in name):
        return AnswerMetric(re.split(r"[:.]", name)[-1], name)
    plain = plain.lower().replace("-", "_")
    known = {"rougel": "rouge_l", "rouge1": "rouge_1", "rouge2": "rouge_2", "rouge": "rouge_l"}
    plain = known.get(plain, plain)
    return AnswerMetric(plain) if plain in PLAIN else None


def check_answer_metric(metric: AnswerMetric, start: Path, where: str) -> None:
    """Raise ``SpecError`` when its package, its file or its function is missing."""
    package = PACKAGES.get(metric.name)
    if metric.function is not None:
        check_function(metric.function, start, where)
    elif package is not None and find_spec(package) is None:
        raise SpecError(f"{where}: {metric.name} needs the package {package}: pip install 'curvetuner[metrics]'")


def read_answer_metrics(block: Mapping[str, Any], rows: int, has_judge: bool, path: Path) -> tuple[AnswerMetric, ...]:
    """What a study measures of the answers to ``rows`` questions; raises ``SpecError`` for what it cannot."""
    made = {found.curve: (found, name, where) for found, name, where in _named(block, f"{path}: study")}
    for found, name, where in made.values():
        if not rows:
            raise SpecError(f"{where}: {name} needs study.exact_match_rows, such as 32")
        if found.name == JUDGE and not has_judge:
            raise SpecError(f"{where}: {name} needs study.judge with base_url and model")
        check_answer_metric(found, path.parent, where)
    if has_judge and not rows:
        raise SpecError(f"{path}: study.judge: needs study.exact_match_rows, such as 32")
    return tuple(found for found, _, _ in made.values())


def _named(block: Mapping[str, Any], where: str) -> Iterator[tuple[AnswerMetric, str, str]]:
    """The metrics of answers, as they are written and where; the study's own metric may be another one."""
    own = answer_metric(block["metric"]) if "metric" in block else None
    if own is not None:
        yield own, block["metric"], f"{where}.metric"
    for name in block.get("answer_metrics", []):
        found = answer_metric(name)
        if found is None:
            hint = nearest(name, PLAIN) or f"; known: {', '.join(PLAIN)}, pass@k, my_metrics.py:name"
            raise SpecError(f"{where}.answer_metrics: unknown metric {brief_name(name)}{hint}")
        yield found, name, f"{where}.answer_metrics"

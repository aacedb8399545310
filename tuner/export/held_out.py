"""The held-out questions that an exported model is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from diagnostics.errors import BadInput
from tuner.config.sources import located
from tuner.config.trust import CONFIG_FILE
from tuner.config.yaml_file import read_yaml
from tuner.data import load_data
from tuner.drivers.held_out import FOLDER
from tuner.export.source import Source
from tuner.study.answers import SAMPLES
from tuner.training.generation import Question, as_text, questions

ASKED = 32
"""Questions: the share of equal answers is known to within a tenth."""
MOST_ROWS = 2000


def held_out_questions(source: Source, tokenizer: Any) -> list[Question]:
    """Up to ``ASKED`` questions as the model reads them, with their references; empty where the run left none.

    They are those that the run itself was asked, else held-out rows: those that its study wrote, or those of a local
    file that its config names.
    """
    return _asked(source.run / SAMPLES) or [
        Question(as_text(tokenizer, one.prompt), one.reference) for one in _of_rows(source)
    ]


def _asked(path: Path) -> list[Question]:
    found = []
    for line in _lines(path):
        try:
            sample = json.loads(line)
            found.append(Question(str(sample["prompt"]), str(sample["reference"])))
        except (ValueError, KeyError, TypeError):
            continue
    return found[:ASKED]


def _lines(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return [line for line, _ in zip(file, range(MOST_ROWS), strict=False)]
    except OSError:
        return []


def _of_rows(source: Source) -> list[Question]:
    for config, method, start in _data_of(source):
        try:
            data = load_data(config, method, start)
            rows = data.test if start == source.run else data.train
            return questions((row for row, _ in zip(rows, range(ASKED), strict=False)), ASKED)
        except (BadInput, OSError, ValueError, KeyError, TypeError):
            continue
    return []


def _data_of(source: Source) -> Iterator[tuple[dict[str, Any], str, Path]]:
    """Where held-out rows may lie: config, method and the folder that its paths start from."""
    for path in _written(source.study_folder):
        yield {"dataset_name": str(path)}, "sft", path.parent
    if (source.run / CONFIG_FILE).exists():
        config = read_yaml(source.run / CONFIG_FILE)
        name = config.get("dataset_name")
        if isinstance(name, str) and located(name, source.run) is not None:  # nothing is fetched
            yield config, str(config.get("method", "sft")), source.run


def _written(study: Path | None) -> Sequence[Path]:
    """The held-out rows that a study with another trainer wrote."""
    folder = study / FOLDER if study is not None else None
    if folder is None or not folder.is_dir():
        return ()
    return sorted(path for path in folder.rglob("*") if path.name.endswith(("-held-out.json", "test.jsonl")))

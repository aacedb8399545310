"""What lies beside the report of a study and belongs into it: answers, the winner's file, the verdicts of repeats."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from diagnostics.model.records import Label
from diagnostics.readers.discovery import DRIVEN
from tuner.config.bounded_read import read_json
from tuner.config.trust import CONFIG_FILE
from tuner.drivers.plan import OWN_CONFIG
from tuner.study.answers import AnswerPair, answer_pairs
from tuner.study.folder import repeat_folder
from tuner.study.results import StudyResult


@dataclass(frozen=True)
class Beside:
    """The pairs of answers, the winner's YAML file, the label of each repeat by (trial, seed).

    ``command`` started the winner where another trainer trained it.
    """

    answers: tuple[AnswerPair, ...] = ()
    winner_file: str = ""
    labels: Mapping[tuple[int, int], Label] = field(default_factory=dict)
    command: str = ""


def beside(result: StudyResult, folder: Path) -> Beside:
    """What the study's folder holds of it; what is missing or on another machine is left out."""
    best = result.winner
    run = None if best is None or best.host else folder / best.folder
    file = _text(run / (OWN_CONFIG if result.trainer else CONFIG_FILE)) if run is not None else ""
    command = _command(run / DRIVEN) if run is not None and result.trainer else ""
    return Beside(tuple(answer_pairs(result, folder)), file, _labels(result, folder), command)


def _command(record: Path) -> str:
    """The command line that a driven run was started with; empty where nothing says."""
    try:
        return shlex.join(map(str, read_json(record)["argv"]))
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def disagreement(result: StudyResult, labels: Mapping[tuple[int, int], Label]) -> tuple[Label, int, int] | None:
    """The label that most repeats of the best settings have, how many of how many; None where the trial has it too."""
    best = result.winner
    found = [label for (trial, _), label in labels.items() if best is not None and trial == best.number]
    if best is None or not found or not best.label:
        return None
    label, count = Counter(found).most_common(1)[0]
    return (label, count, len(found)) if label != best.label and 2 * count > len(found) else None


def _labels(result: StudyResult, folder: Path) -> dict[tuple[int, int], Label]:
    pairs = result.gain.pairs if result.gain else ()
    runs = [(trial, pair.seed) for pair in pairs for trial in (0, result.best) if trial is not None]
    known = ((run, _label(folder / repeat_folder(*run) / "diagnosis.json")) for run in runs)
    return {run: label for run, label in known if label is not None}


def _label(path: Path) -> Label | None:
    try:
        return Label(read_json(path)["label"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""

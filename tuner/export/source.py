"""What is exported: a run, or the best trial of a study."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tuner.errors import SpecError
from tuner.study.folder import RESULT
from tuner.study.results import StudyResult
from tuner.study.stored import load_study
from tuner.training.merge import adapter_of


@dataclass(frozen=True)
class Source:
    """The folder of a run, and the study that it won (None: a run by itself).

    ``name`` is what files and models are called: letters, digits and dashes. ``adapter`` is the folder of the adapter,
    ``model`` that of a fully fine-tuned model; one of the two is there.
    """

    run: Path
    name: str
    study: StudyResult | None = None
    study_folder: Path | None = None
    adapter: Path | None = None
    model: Path | None = None


def source_of(path: Path) -> Source:
    """The run at ``path``, or the best trial of the study there.

    Raises ``SpecError`` where there is no run, no finished trial, or neither an adapter nor a model.
    """
    if not path.exists():
        raise SpecError(f"{path}: no such folder; give the folder of a run or of a study")
    if not (path / RESULT).is_file():
        return _with_weights(path, path.resolve().name)
    study = load_study(path / RESULT)
    best = study.winner
    if best is None:
        raise SpecError(f"{path}: no trial of this study has finished; run `tuner study` again to continue it")
    if best.host:
        raise SpecError(f"{path}: the best trial is on {best.host} in {best.folder}; export it there")
    run = path / best.folder
    if not run.resolve().is_relative_to(path.resolve()):
        raise SpecError(f"{path}: the best trial lies outside this folder, in {run}; give the run itself")
    return _with_weights(run, study.name, study, path)


def _with_weights(run: Path, name: str, study: StudyResult | None = None, folder: Path | None = None) -> Source:
    whole = run / "model"
    plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower() or "model"
    if (whole / "config.json").is_file():
        return Source(run, plain, study, folder, model=whole)
    return Source(run, plain, study, folder, adapter=adapter_of(run))

"""``tuner card``: the picture of a run or a study to share, and the badge of a run."""

from __future__ import annotations

import errno
import sys
from collections.abc import Mapping
from pathlib import Path

from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.errors import BadInput
from diagnostics.readers import read
from diagnostics.report.badge import as_badge
from diagnostics.report.card import as_card
from diagnostics.report.write import BADGE, write_card, write_text
from tuner.config.bounded_read import read_json

STUDY = "study.json"
NO_RIGHT = (errno.EACCES, errno.EPERM, errno.EROFS)
NO_PICTURE = "a PNG beside it needs: pip install 'curvetuner[card]'"


def card(path: Path, *, out: Path | None = None, tags: Mapping[str, str] | None = None) -> int:
    """Write the card of the run or the study at ``path`` and print where it is.

    ``out`` is by default the folder of the run or the study. Raises ``UnreadableLog`` when no run is there, and
    ``BadInput`` when the study's file cannot be read, or the folder cannot be made or written to.
    """
    study = path / STUDY if path.is_dir() else path
    folder = out or (path if path.is_dir() else path.parent)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {folder}: cannot be made ({error.strerror}); choose another place") from error
    is_study = study.name == STUDY and study.is_file()
    try:
        written = write_card(_study_card(study), folder) if is_study else _run_cards(path, folder, tags)
    except OSError as error:
        if error.errno not in NO_RIGHT:
            raise
        raise BadInput(f"{folder}: cannot write there ({error.strerror}); give another --out") from error
    for one in written:
        print(f"wrote {one}")
    if not any(one.suffix == ".png" for one in written):
        print(NO_PICTURE, file=sys.stderr)
    return 0


def _run_cards(path: Path, folder: Path, tags: Mapping[str, str] | None) -> tuple[Path, ...]:
    """The card and the badge of a run."""
    run = read(path, tags)
    diagnosis = diagnose(run)
    write_text(folder / BADGE, as_badge(diagnosis))
    return (*write_card(as_card(run, diagnosis), folder), folder / BADGE)


def _study_card(path: Path) -> str:
    from tuner.study.report.card import as_card as as_study_card
    from tuner.study.results import StudyResult

    try:
        return as_study_card(StudyResult.from_dict(read_json(path)))
    except (OSError, KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise BadInput(f"{path}: not the record of a study ({type(error).__name__}); give a study's folder") from error

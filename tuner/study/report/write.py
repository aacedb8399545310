"""What a study leaves for people and programs: ``study.html``, ``study.md`` and ``study.json``."""

from __future__ import annotations

from pathlib import Path

from diagnostics.report.write import dumped, write_text
from tuner.study.folder import HTML_REPORT, MARKDOWN_REPORT, RESULT
from tuner.study.report.beside import beside
from tuner.study.report.html import as_html
from tuner.study.report.markdown import as_markdown
from tuner.study.results import StudyResult
from tuner.study.words import with_words

__all__ = ["as_html", "as_json", "as_markdown", "write_study_reports"]


def as_json(result: StudyResult) -> str:
    """The whole record of the study as one JSON object; numbers that are not finite become null."""
    return dumped(with_words(result))


def write_study_reports(result: StudyResult, folder: Path | str) -> tuple[Path, ...]:
    """Write ``study.json``, ``study.md`` and ``study.html`` into the folder, each whole or not at all."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    found = beside(result, folder)
    texts = {
        RESULT: as_json(result),
        MARKDOWN_REPORT: as_markdown(result, found),
        HTML_REPORT: as_html(result, found),
    }
    for name, text in texts.items():
        write_text(folder / name, text)
    return tuple(folder / name for name in texts)

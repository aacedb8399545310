"""What a study leaves for people and programs: ``study.html``, ``study.md``, ``study.json`` and a card."""

from __future__ import annotations

from pathlib import Path

from diagnostics.report.write import dumped, picture, write_card, write_text
from tuner.study.folder import HTML_REPORT, MARKDOWN_REPORT, RESULT
from tuner.study.report.beside import beside
from tuner.study.report.card import as_card
from tuner.study.report.html import as_html
from tuner.study.report.markdown import as_markdown
from tuner.study.results import StudyResult
from tuner.study.words import with_words

__all__ = ["as_html", "as_json", "as_markdown", "write_study_reports"]


def as_json(result: StudyResult) -> str:
    """The whole record of the study as one JSON object; numbers that are not finite become null."""
    return dumped(with_words(result))


def write_study_reports(result: StudyResult, folder: Path | str) -> tuple[Path, ...]:
    """Write ``study.json``, ``study.md``, ``study.html`` and the card into the folder, each whole or not at all."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    found, cards = beside(result, folder), write_card(as_card(result), folder)
    texts = {
        RESULT: as_json(result),
        MARKDOWN_REPORT: as_markdown(result, found),
        HTML_REPORT: as_html(result, found, image=picture(cards)),
    }
    for name, text in texts.items():
        write_text(folder / name, text)
    return (*(folder / name for name in texts), *cards)

"""What people and programs see of a diagnosis: text, Markdown, HTML and JSON."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diagnostics.formatting import encodable
from diagnostics.messages import advice_action, advice_line, diagnosis_notes, finding_message, skipped_reason, text
from diagnostics.model.comparison import Comparison
from diagnostics.model.curves import Run
from diagnostics.model.records import Diagnosis
from diagnostics.report.badge import as_badge
from diagnostics.report.card import as_card
from diagnostics.report.drafts import draft_of, sweep
from diagnostics.report.html import as_html
from diagnostics.report.markdown import as_markdown
from diagnostics.report.png import as_png
from diagnostics.report.terminal import as_text

__all__ = [
    "UnreadRun",
    "as_html",
    "as_json",
    "as_markdown",
    "as_plain",
    "as_text",
    "dumped",
    "json_list",
    "json_object",
    "write_reports",
    "write_text",
]

NEW_LINE = "\n"
STEERING = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that steer a terminal or turn the direction of writing around; JSON itself escapes those below 32."""
CARD_SVG, CARD_PNG, BADGE = "card.svg", "card.png", "badge.svg"
Errors = Mapping[str, str] | Iterable[tuple[str, str]]


@dataclass(frozen=True)
class UnreadRun:
    """A path that gave no run, and why; stands in the list where its diagnosis would."""

    run: str
    error: str


def as_json(diagnoses: Iterable[Diagnosis | UnreadRun], errors: Errors = ()) -> str:
    """A JSON list with one object a run, in the given order.

    A path that could not be read is an ``Unreadable`` in its place, or a (path, reason) of ``errors``, at the end.
    """
    pairs = errors.items() if isinstance(errors, Mapping) else errors
    failed = [UnreadRun(path, why) for path, why in pairs]
    return "".join(json_list(map(json_object, (*diagnoses, *failed))))


def json_object(item: Diagnosis | UnreadRun, path: str | None = None) -> str:
    """A diagnosis, or a path that could not be read, as one object of the list, with the path where it is given."""
    data = with_words(item) if isinstance(item, Diagnosis) else {"run": item.run, "error": item.error}
    placed = data if path is None else {"run": data["run"], "path": path, **data}
    return dumped(placed).rstrip("\n")


def json_list(objects: Iterable[str]) -> Iterator[str]:
    """The JSON list of these objects, piece by piece."""
    before = "["
    for item in objects:
        yield f"{before}\n  {item.replace(NEW_LINE, NEW_LINE + '  ')}"
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"


def with_words(diagnosis: Diagnosis) -> dict[str, Any]:
    """The diagnosis as ``tuner diagnose --json`` prints it: its data, and the sentence that goes with each part."""
    data = diagnosis.to_dict()
    findings = (*diagnosis.findings, *([diagnosis.borderline] if diagnosis.borderline else []))
    for raw, finding in zip((*data["findings"], *filter(None, [data.get("borderline")])), findings, strict=True):
        raw["message"] = finding_message(finding)
        del raw["template"]
    for raw, advice in zip(data["advice"], diagnosis.advice, strict=True):
        raw["message"], raw["fix"] = advice_line(advice), advice_action(advice)
    for raw, skipped in zip(data["skipped"], diagnosis.skipped, strict=True):
        raw["why"] = skipped_reason(skipped)
    if diagnosis.baseline is not None:
        _put_comparison_in_words(data["baseline"], diagnosis.baseline)
    data["notes"] = list(diagnosis_notes(diagnosis))
    return data


def _put_comparison_in_words(data: dict[str, Any], comparison: Comparison) -> None:
    for raw, answer in zip(data["answers"], comparison.answers, strict=True):
        raw["message"] = text(answer.evidence)
    for raw, why in zip(data["skipped"], comparison.skipped.values(), strict=True):
        raw["why"] = text(why)
    data["refused"] = text(comparison.refused) if comparison.refused else None


def dumped(value: object) -> str:
    """Indented JSON that every parser takes: nan and infinity become null."""
    text = json.dumps(as_plain(value), indent=2, ensure_ascii=False, allow_nan=False)
    return STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def as_plain(value: object) -> Any:
    """The value made of what JSON knows; numbers that are not finite become None."""
    if isinstance(value, Mapping):
        return {encodable(str(key)): as_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [as_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return encodable(str(value))
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    item = getattr(value, "item", None)  # a numpy scalar
    return as_plain(item()) if callable(item) else str(value)


def write_text(path: Path, text: str) -> None:
    """Write the whole text or nothing: a reader never sees half a file."""
    _write_whole(path, text.encode("utf-8"))


def _write_whole(path: Path, content: bytes) -> None:
    draft = draft_of(path)
    try:
        draft.write_bytes(content)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    sweep(path)


def write_reports(run: Run, diagnosis: Diagnosis, folder: Path | str, *, next_run: str = "") -> tuple[Path, ...]:
    """Write ``diagnosis.json``, ``report.md``, ``report.html``, the cards and the badge into the folder.

    The folder is made if need be. ``next_run`` is the YAML file of the next run, which the page offers to copy.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    cards = write_card(as_card(run, diagnosis), folder)
    pages = {
        "diagnosis.json": dumped(with_words(diagnosis)),
        "report.md": as_markdown(run, diagnosis),
        "report.html": as_html([(run, diagnosis)], next_runs=[next_run], image=picture(cards)),
        BADGE: as_badge(diagnosis),
    }
    for name, page in pages.items():
        write_text(folder / name, page)
    return (*(folder / name for name in pages), *cards)


def write_card(svg: str, folder: Path) -> tuple[Path, ...]:
    """Write a card as ``card.svg``, and as ``card.png`` where that can be drawn; a picture of before is removed."""
    drawn, image = folder / CARD_SVG, folder / CARD_PNG
    write_text(drawn, svg)
    png = as_png(svg)
    if png is None:
        image.unlink(missing_ok=True)
        return (drawn,)
    _write_whole(image, png)
    return drawn, image


def picture(cards: Iterable[Path]) -> str:
    """The address of the card for a page beside it, where it is a picture that other sites show."""
    return next((path.name for path in cards if path.name == CARD_PNG), "")

"""The general text on which a run's forgetting is measured: the packaged one, or a file of the user's own."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tuner.config.sources import PACKAGED, located
from tuner.config.trl_method import TrlMethod
from tuner.errors import SpecError, brief_name, error_text

ENDINGS = (".txt", ".jsonl")
MIN_CHARACTERS = 1000
"""Some 250 tokens: with fewer, the loss of a few words decides."""
MAX_BYTES = 64_000_000
SURROGATE = re.compile("[\ud800-\udfff]")
Document = str | list[dict[str, Any]]
"""A text, or a conversation as a list of messages."""


def general_text(watched: bool | str | None, config: Mapping[str, Any], method: TrlMethod, path: Path) -> Path | None:
    """The file that ``study.watch_forgetting`` of the study file ``path`` means, None where nothing is watched.

    Raises ``SpecError`` with one line for a file that cannot be used, and where a run has no such loss.
    """
    if not watched:
        return None
    where = f"{path}: study.watch_forgetting"
    if method.loads_with != "AutoModelForCausalLM":
        raise SpecError(f"{where}: method {method.name} trains a model that writes no text; remove it")
    if config.get("eval_strategy") == "no" or config.get("eval_on_start") is False:
        key = "eval_strategy: no" if config.get("eval_strategy") == "no" else "eval_on_start: false"
        raise SpecError(f"{where}: the text is scored at evaluations, one before training among them; remove {key}")
    file = _packaged(config) if isinstance(watched, bool) else located(watched, path.parent)
    if file is None:
        raise SpecError(f"{where}: {brief_name(watched)}: no such file, from here or from {path.parent}")
    read_documents(file, where)
    return file


def _packaged(config: Mapping[str, Any]) -> Path:
    """The packaged text; the packaged model knows no plain English, so it has a text of its own."""
    from tuner.assets import GENERAL_TEXT, TINY_TEXT

    return TINY_TEXT if config.get("model_name_or_path") == PACKAGED else GENERAL_TEXT


def digest(file: Path) -> str:
    """What tells one general text from another."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def read_documents(file: Path, where: str) -> list[Document]:
    """The documents of a text file (one), or of the lines of a JSON Lines file with ``text`` or ``messages``.

    Raises ``SpecError`` with one line that begins with ``where``.
    """
    at = f"{where}: {file}"
    if not file.is_file() or file.suffix.lower() not in ENDINGS:
        raise SpecError(f"{at}: must be a .txt file, or a .jsonl file with text or messages in each line")
    try:
        if file.stat().st_size > MAX_BYTES:
            raise SpecError(f"{at}: larger than {MAX_BYTES // 10**6} MB; a few kilobytes are enough")
        whole = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{at}: cannot be read as UTF-8 text: {error_text(error, 120)}") from error
    found: list[Document] = [whole] if file.suffix.lower() == ".txt" else list(_rows(whole.split("\n"), at))
    characters = sum(len(one) if isinstance(one, str) else sum(len(m["content"]) for m in one) for one in found)
    if characters < MIN_CHARACTERS:
        raise SpecError(f"{at}: holds {characters} characters of text; at least {MIN_CHARACTERS} are needed")
    return found


def _rows(lines: Iterable[str], at: str) -> Iterable[Document]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise SpecError(f"{at}: line {number} is not JSON") from None
        found = _document(row) if isinstance(row, dict) else None
        if found is None:
            raise SpecError(f"{at}: line {number} has neither a text nor messages with role and content")
        if SURROGATE.search(json.dumps(found, ensure_ascii=False)):
            raise SpecError(f"{at}: line {number} holds half of a character (a lone surrogate), which no model reads")
        yield found


def _document(row: Mapping[str, Any]) -> Document | None:
    """The text or the conversation of a row, None where it has neither."""
    if isinstance(row.get("text"), str):
        return str(row["text"])
    turns = row.get("messages")
    if not isinstance(turns, list) or not all(isinstance(one, dict) for one in turns):
        return None
    whole = all(isinstance(one.get(key), str) for one in turns for key in ("role", "content"))
    return turns if turns and whole else None

"""Sentences and records as they are kept in study.json, by this version or an earlier one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from diagnostics.model.message import Message

Text = Message | str
"""A sentence as data; text is what an earlier version wrote, or somebody else."""
Record = TypeVar("Record")


def known_values(kind: type[Record], raw: Mapping[str, Any]) -> Record:
    """The record of those values that it knows: a file of a later version may hold more."""
    names = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    return kind(**{key: value for key, value in raw.items() if key in names})


def text_from(raw: Any) -> Text | None:
    """A stored sentence: ``Message.to_dict`` of this version, text of an earlier one; None for nothing."""
    if not raw:
        return None
    return Message.from_dict(raw) if isinstance(raw, Mapping) else str(raw)


def texts_from(raw: Iterable[Any] | None) -> tuple[Text, ...]:
    """Stored sentences, those that say nothing left out; a text of an earlier version is one."""
    stored = [raw] if isinstance(raw, (str, Mapping)) else raw or ()
    return tuple(one for one in map(text_from, stored) if one is not None)

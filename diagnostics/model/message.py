"""A sentence as data: a code and the values in it. Words are made from it in ``diagnostics.messages`` alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Value = float | int | str | bool | None
"""What a message may hold: plain JSON values, so that it can be stored."""


@dataclass(frozen=True)
class Message:
    """A sentence before its words: ``code`` names it, ``values`` fill it.

    Two messages are equal when code and values are; a message can be stored as JSON and read back.
    """

    code: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def __hash__(self) -> int:
        """By code and values, so that messages can be counted and de-duplicated."""
        return hash((self.code, tuple(sorted(self.values.items(), key=lambda item: item[0]))))

    def to_dict(self) -> dict[str, Any]:
        """The message as plain JSON values: ``{"code": ..., "values": {...}}``."""
        return {"code": self.code, "values": dict(self.values)}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Message:
        """The message that ``to_dict`` wrote; raises ``KeyError`` when there is no code."""
        return cls(str(raw["code"]), dict(raw.get("values") or {}))

    @classmethod
    def from_stored(cls, stored: Any) -> Message:
        """The message that ``to_dict`` wrote, or the finished sentence that earlier versions stored."""
        return cls.from_dict(stored) if isinstance(stored, Mapping) else as_message(str(stored))


def as_message(content: Message | str) -> Message:
    """The message itself; text that somebody else wrote becomes a message that holds it."""
    return content if isinstance(content, Message) else Message("text", {"text": content})


def message(code: str, **values: Value) -> Message:
    """``Message(code, values)`` with the values by keyword."""
    return Message(code, values)

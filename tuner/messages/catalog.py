"""A message in words: its code looked up in the language's templates, its values filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from diagnostics.formatting import setting
from diagnostics.messages import finding_message
from diagnostics.messages.catalog import filled as filled_plainly
from diagnostics.messages.catalog import in_words
from diagnostics.messages.catalog import text as text_of_run
from diagnostics.model.message import Message
from diagnostics.model.records import Finding, Label
from tuner.messages import en

FIELD = re.compile(r"\{(\w+):(finding|of)(?::(\w+))?\}")
"""``{rule:finding}``: what the rule says of the numbers among the values, by the rule's ``template`` there;
``{value:of:knob}``: the value of the setting that another value names."""


def filled(template: str, values: Mapping[str, Any]) -> str:
    """The template with its values, in the fields of ``FIELD`` and in those of ``diagnostics.messages``."""

    def shown(found: re.Match[str]) -> str:
        return _shown(values.get(found[1]), found[2], found[3], values).replace("{", "{{").replace("}", "}}")

    return filled_plainly(FIELD.sub(shown, template), values)


def _shown(value: Any, kind: str, option: str | None, values: Mapping[str, Any]) -> str:
    if kind == "finding":
        measured = {key: one for key, one in values.items() if isinstance(one, (int, float))}
        return finding_message(
            Finding(str(value), Label.UNKNOWN, 0.0, 0.0, measured, str(values.get("template") or ""))
        )
    return setting(str(values.get(option or "")), value)


def text(message: Message | str) -> str:
    """The message as a sentence without a capital or a full stop; text that somebody else wrote stays as it is.

    A code without a template reads as the code and its values.
    """
    if isinstance(message, str):
        return message
    # A note of a training has its words beside those of its log.
    return in_words(message, en.MESSAGES, filled) if message.code in en.MESSAGES else text_of_run(message)

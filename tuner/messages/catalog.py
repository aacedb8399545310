"""A message in words: its code looked up in the language's templates, its values filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from diagnostics.formatting import number, percent, plain_name, setting
from diagnostics.messages import finding_message
from diagnostics.messages.catalog import filled as filled_plainly
from diagnostics.model.message import Message
from diagnostics.model.records import Finding, Label
from tuner.messages import en

FIELD = re.compile(r"\{(\w+):(name|number|percent|finding|of)(?::(\w+))?\}")
"""``{knob:name}``, ``{gain:number}``, ``{noise:number:1}`` (to one digit), ``{share:percent}``,
``{rule:finding}`` (what the rule says of the numbers among the values, by the rule's ``template`` there), and
``{value:of:knob}``: the value of the knob that another value names."""


def filled(template: str, values: Mapping[str, Any]) -> str:
    """The template with its values, in the fields of ``FIELD`` and in those of ``diagnostics.messages``."""

    def shown(found: re.Match[str]) -> str:
        return _shown(values.get(found[1]), found[2], found[3], values).replace("{", "{{").replace("}", "}}")

    return filled_plainly(FIELD.sub(shown, template), values)


def _shown(value: Any, kind: str, option: str | None, values: Mapping[str, Any]) -> str:
    if kind == "name":
        return plain_name(str(value))
    if kind == "finding":
        measured = {key: one for key, one in values.items() if isinstance(one, (int, float))}
        return finding_message(
            Finding(str(value), Label.UNKNOWN, 0.0, 0.0, measured, str(values.get("template") or ""))
        )
    if kind == "of":
        return setting(str(values.get(option or "")), value)
    if kind == "percent":
        return percent(float(value))
    return number(float(f"{value:.{option}g}") if option else value)


def text(message: Message | str) -> str:
    """The message as a sentence without a capital or a full stop; text that somebody else wrote stays as it is.

    A code that this language has no template for reads as the code and its values.
    """
    if isinstance(message, str):
        return message
    template = en.MESSAGES.get(message.code)
    if template is None:
        values = ", ".join(f"{key} {value}" for key, value in message.values.items())
        return message.code.replace("-", " ") + (f" ({values})" if values else "")
    return filled(template, message.values)

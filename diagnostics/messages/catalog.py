"""A message in words: its code looked up in the language's templates, its values filled in."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from diagnostics.formatting import encodable, number, percent, plain_name
from diagnostics.messages.language import words
from diagnostics.model.message import Message

PLURAL = re.compile(r"\{(\w+):plural:([^{}|]*)\|([^{}|]*)\}")
"""``{lines:plural:line|lines}``: the number with the word that goes with it."""


class _Values(dict[str, Any]):
    """Values for a template: shares as ``1.3 %``; a number that was not finite and so is missing is "very large"."""

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            return _VeryLarge()
        value = super().__getitem__(key)
        if isinstance(value, str):
            return _Text(words.TERMS.get(value) or encodable(value))
        if value is None:
            return _Text("–")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return value
        return _Number(value) if math.isfinite(value) else _VeryLarge()


class _Text(str):
    def __format__(self, spec: str) -> str:
        return plain_name(self) if spec == "name" else str(self)  # where a number was expected it stays as it is


class _Number(float):
    def __format__(self, spec: str) -> str:
        kind, _, digits = spec.partition(":")
        if not spec:
            return f"{float(self):,.0f}" if float(self).is_integer() else f"{float(self):g}"
        if kind == "number":
            return number(float(f"{float(self):.{digits}g}") if digits else float(self))
        if kind == "percent":
            return percent(self)
        if kind == "times":
            return times_of(self)
        sign = spec[0] if spec[0] in "+- " else ""
        return super().__format__(f"{sign}z{spec.removeprefix(sign)}").replace("%", " %")  # z: no -0.0


def times_of(factor: float) -> str:
    """A factor before what it multiplies: ``half``, ``a third of``, ``1.5 times``."""
    rounded = float(f"{factor:.2g}")
    return words.FACTORS.get(rounded, words.OTHER_FACTOR.format(factor=number(rounded)))


class _VeryLarge:
    def __format__(self, spec: str) -> str:
        return words.VERY_LARGE


def filled(template: str, values: Mapping[str, Any]) -> str:
    """The template with its values.

    Beside Python's own formats: ``{rise:.1%}`` has a space before the sign, ``{n:plural:line|lines}`` is the number
    with its word, ``{share:percent}`` a share as a whole percentage, ``{gain:number}`` a number as people write it
    (``{gain:number:2}``: to two digits), ``{rule:name}`` a name without its dashes, ``{factor:times}`` a factor in
    words (``half``, ``twice``).
    """

    def plural(found: re.Match[str]) -> str:
        count = values.get(found[1]) or 0
        return f"{_Number(count)} {found[2] if count == 1 else found[3]}"

    return PLURAL.sub(plural, template).format_map(_Values(values))


def text(message: Message) -> str:
    """The message as a sentence without a capital or a full stop."""
    return in_words(message, words.MESSAGES, filled)


def in_words(message: Message, templates: Mapping[str, str], fill: Callable[[str, Mapping[str, Any]], str]) -> str:
    """The message's template with its values; a code without a template reads as the code and its values."""
    template = templates.get(message.code)
    if template is None:
        values = ", ".join(f"{key} {value}" for key, value in message.values.items())
        return message.code.replace("-", " ") + (f" ({values})" if values else "")
    return fill(template, message.values)


def phrase(code: str, **values: Any) -> str:
    """The words that stand around a fact, by their code; raises ``KeyError`` for a code that has none."""
    return filled(words.PHRASES[code], values)

"""What ``tuner export --to`` can make."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tuner.errors import SpecError, brief, nearest

DIRECT = ("f32", "f16", "bf16", "q8_0")
"""Number formats of a GGUF file that the converter itself writes."""
WHOLE = ("f32", "f16", "bf16")
"""Those that round no more than the merge does."""
QUANTIZED = (
    *("q2_k", "q3_k_s", "q3_k_m", "q3_k_l", "q4_0", "q4_1", "q4_k_s", "q4_k_m"),
    *("q5_0", "q5_1", "q5_k_s", "q5_k_m", "q6_k"),
)
"""Those that ``llama-quantize`` makes out of one of 16 bits, without an importance matrix."""


class Kind(StrEnum):
    """A part of an export, in the order in which they are made."""

    MERGED = "merged"
    GGUF = "gguf"
    OLLAMA = "ollama"
    VLLM = "vllm"
    CARD = "card"


@dataclass(frozen=True)
class Part:
    """One part; ``form`` is the number format of a GGUF file, empty for all others."""

    kind: Kind
    form: str = ""

    def __str__(self) -> str:
        """As it is written after ``--to``."""
        return f"{self.kind}:{self.form}" if self.form else str(self.kind)


def parts_of(text: str) -> tuple[Part, ...]:
    """The parts in a list such as ``merged,gguf:q8_0,card``, each once and in the order in which they are made.

    Raises ``SpecError`` for a part or a number format that is not known.
    """
    named = [_part(word.strip()) for word in text.split(",") if word.strip()]
    if not named:
        raise SpecError(f"--to: names nothing to make; known: {', '.join(Kind)}")
    return tuple(sorted(dict.fromkeys(named), key=lambda part: list(Kind).index(part.kind)))


def _part(word: str) -> Part:
    name, colon, form = word.lower().partition(":")
    if name not in list(Kind):
        raise SpecError(f"--to: no part {brief(word)}{nearest(name, Kind)}; known: {', '.join(Kind)}")
    if Kind(name) is not Kind.GGUF:
        if colon:
            raise SpecError(f"--to: {name} takes no number format, got {brief(form)}")
        return Part(Kind(name))
    known = (*DIRECT, *QUANTIZED)
    form = form or "q8_0"
    if form not in known:
        raise SpecError(f"--to: gguf: no number format {brief(form)}{nearest(form, known)}; known: {', '.join(known)}")
    return Part(Kind.GGUF, form)

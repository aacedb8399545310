"""Output to a terminal or file whose encoding lacks the signs that tuner prints."""

from __future__ import annotations

import codecs
import io
import sys

SIGNS, PLAIN = "→×–…±·≈✓✕↗★▸“”’│▲≥≤", '-> x - ... +/- - ~ + x / * > " " \' | ^ >= <='
IN_ASCII = dict(zip(SIGNS, PLAIN.split(), strict=True))
"""What is printed for the signs that tuner uses."""
HANDLER = "tuner-in-ascii"


def show_what_the_terminal_can() -> None:
    """Make standard output and error print signs that their encoding lacks in ASCII instead of failing on them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not stream.encoding.lower().startswith("utf"):
            codecs.register_error(HANDLER, _in_ascii)
            stream.reconfigure(errors=HANDLER)


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(IN_ASCII.get(sign, "?") for sign in lost), error.end

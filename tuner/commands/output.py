"""Printing to what standard output is: a terminal with color, a file without, in any encoding."""

from __future__ import annotations

import codecs
import io
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

SIGNS, PLAIN = "→×–…±·≈✓✕↗★▸“”’│▲≥≤", '-> x - ... +/- - ~ + x / * > " " \' | ^ >= <='
IN_ASCII = dict(zip(SIGNS, PLAIN.split(), strict=True))
"""What is printed for the signs that tuner uses."""
HANDLER = "tuner-in-ascii"
ENDLESS = re.compile(r"\S{301,}")
"""What no name is that a person wrote; a path may be long."""
LONGEST_LINE = 2000


def show_what_the_terminal_can() -> None:
    """Make standard output and error print what their encoding lacks in ASCII instead of failing on it.

    UTF-8 lacks the bytes in the names of files that are not UTF-8.
    """
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if stream.errors == "strict" or not stream.encoding.lower().startswith("utf"):
            codecs.register_error(HANDLER, _in_ascii)
            stream.reconfigure(errors=HANDLER)


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(IN_ASCII.get(sign, "?") for sign in lost), error.end


def complain(line: str) -> None:
    """Print an error in one line on standard error: what it quotes is cut in the middle where it is endless."""
    print(f"tuner: {one_line(line)}", file=sys.stderr)


def one_line(text: str) -> str:
    """A text without characters that steer a terminal, its endless words and itself cut in the middle."""
    plain = "".join(sign if sign.isprintable() or "\ud800" <= sign <= "\udfff" else ascii(sign)[1:-1] for sign in text)
    return _cut(ENDLESS.sub(lambda found: _cut(found[0], 300), plain), LONGEST_LINE)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 2 :]}"


def announce(words: str) -> None:
    """Print what is about to take a while, where somebody sits in front of it."""
    if sys.stdout.isatty():
        print(words, flush=True)


def show(console: Console, content: RenderableType) -> None:
    """Print to a console; where it is not a terminal, without spaces at the ends of lines."""
    from diagnostics.report.terminal import plain_text

    if console.is_terminal:
        console.print(content)
    else:
        print(plain_text(content, console.width), file=console.file)

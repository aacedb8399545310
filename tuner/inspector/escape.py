"""Text that is safe and short: what a log holds, shown as the characters that it is made of."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

MARKUP = re.compile(r"([!-/:-@\[-`{-~])")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
WORD_JOINER = "\u2060"
# Streamlit's Markdown looks for :icons: and bare addresses once more after it has removed the escapes.
SECOND_LOOK = re.compile(r"(:)(?=\S)|(www)(?=\.)|(\S)(?=@)", re.IGNORECASE)


def one_line(text: object, longest: int = 200) -> str:
    """``text`` without control characters and direction marks, cut to ``longest`` characters."""
    clean = CONTROL.sub(" ", str(text)).strip()
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def plain(text: object, longest: int = 600) -> str:
    """Markdown that shows exactly ``text``: no link, color, icon, formula or HTML can come of it."""
    apart = SECOND_LOOK.sub(lambda found: found.group(0) + WORD_JOINER, one_line(text, longest))
    return MARKUP.sub(r"\\\1", apart)


def chip(text: object, longest: int = 120) -> str:
    """Markdown that shows ``text`` as code, even where it holds backticks."""
    clean = one_line(text, longest) or " "
    fence = "`" * (max((len(run) for run in re.findall("`+", clean)), default=0) + 1)
    padding = " " if clean.startswith("`") or clean.endswith("`") else ""
    return f"{fence}{padding}{clean}{padding}{fence}"


def age(seconds: float) -> str:
    """A span of time in its largest unit: ``5 s``, ``3 min``, ``2 h``, ``4 days``."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size or (seconds >= size and unit != "days"):
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


def file_name(run_id: str, ending: str) -> str:
    """A download's name made of a run's name, with nothing in it that a file system could trip over."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", PurePosixPath(run_id).as_posix()).strip("-.")
    return f"{stem[:80] or 'run'}{ending}"

"""The files of a trainer that may be running: it deletes old checkpoints while somebody looks."""

from __future__ import annotations

from pathlib import Path

TRIES = 20
"""A folder that vanishes under a search is searched again; a trainer deletes one checkpoint at a time."""


def paths_below(folder: Path, pattern: str = "**/*") -> list[Path]:
    """The paths below a folder that match a pattern; none where there is no folder.

    Raises ``FileNotFoundError`` where a folder vanished at every try.
    """
    for left in reversed(range(TRIES)):
        try:
            return list(folder.glob(pattern))
        except FileNotFoundError:
            if not left:
                raise
    return []

"""Drafts: a file or folder is written beside its place and then moved there, so that nobody sees half of it."""

from __future__ import annotations

import glob
import os
import platform
import shutil
import zlib
from pathlib import Path

MACHINE = f"{zlib.crc32(platform.node().encode()):08x}"
"""Machines that share a disk do not know of each other's processes."""


def draft_of(path: Path) -> Path:
    """Where this process writes what is to become ``path``."""
    return path.with_name(f".{path.name}.{MACHINE}-{os.getpid()}.part")


def sweep(path: Path) -> None:
    """Remove the drafts of ``path`` that processes of this machine left which were killed as they wrote."""
    for draft in path.parent.glob(f".{glob.escape(path.name)}.{MACHINE}-*.part"):
        number = draft.name.removesuffix(".part").rpartition("-")[2]
        if number.isdigit() and not _is_alive(int(number)):
            shutil.rmtree(draft, ignore_errors=True) if draft.is_dir() else draft.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    if os.name == "nt":  # there the same call would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

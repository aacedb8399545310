"""Imports TRL and what it stands on: half a million objects, which live as long as the process."""

from __future__ import annotations

import gc
from functools import cache


@cache
def import_trl() -> None:
    """Import TRL, once a process, and keep what that makes out of the garbage collector's sight.

    The collector would walk over all of it while it is made, and again at every full collection, which accelerate
    forces before each training: together 1.5 of 5.9 s of CPU time of a run of three steps.
    """
    watching = gc.isenabled()
    gc.disable()
    try:
        from trl import SFTConfig  # noqa: F401  imports transformers, torch, accelerate and PEFT
    finally:
        gc.freeze()
        if watching:
            gc.enable()

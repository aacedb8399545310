"""Slots 1 to 4: runs that blow up, jump or jitter. They come first, for nothing else can be read from them."""

from diagnostics.rules.unstable.blowups import DIVERGED, SUDDEN
from diagnostics.rules.unstable.jitter import JITTER
from diagnostics.rules.unstable.signs import SIGNS

UNSTABLE = (*SUDDEN, *JITTER, *SIGNS)

__all__ = ["DIVERGED", "UNSTABLE"]

"""What a library says when it refuses to run code that came with a file, in words that name the way out."""

from __future__ import annotations

from pickle import UnpicklingError

from tuner.config.trust import FLAG, TRUST
from tuner.errors import error_text


def refusal(error: BaseException, longest: int = 200) -> str:
    """The error as one line; libraries advise arguments of their own functions, which a command does not have."""
    if isinstance(error, UnpicklingError):
        return "a file holds objects that only a pickle can make, which could run code, so it was not loaded"
    if TRUST in str(error):
        return f"it needs code that comes with the model; give {FLAG} if you trust that code"
    return error_text(error, longest)

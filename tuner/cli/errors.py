"""What the user can do about an error, in one line."""

from __future__ import annotations

import errno

from diagnostics.errors import BadInput
from tuner.errors import error_text

FULL = (errno.ENOSPC, errno.EDQUOT)
REFUSALS = {
    **dict.fromkeys((errno.EACCES, errno.EPERM), "change its permissions, or choose another place"),
    errno.EROFS: "choose another place",
    **dict.fromkeys(FULL, "free some space, and run the same command again"),
}
"""What the machine can refuse to any program, and what the user can do about it."""
HINTS = {
    "train": " (on Linux several gigabytes with CUDA; for the CPU build alone add --extra-index-url "
    "https://download.pytorch.org/whl/cpu)"
}
"""What to know before an extra is installed."""
EXTRAS = {
    **dict.fromkeys(
        ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "optuna", "bitsandbytes", "tensorboard"),
        "train",
    ),
    **dict.fromkeys(("streamlit", "altair", "pandas"), "app"),
    "ray": "ray",
    "submitit": "slurm",
}


def explained(error: Exception) -> str | None:
    """One line about an error that the user can fix; None for a bug, which keeps its traceback."""
    if isinstance(error, BadInput):
        return error_text(error, None)
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.split(".")[0] in EXTRAS:
        extra = EXTRAS[error.name.split(".")[0]]
        install = f"pip install 'curvetuner[{extra}]'{HINTS.get(extra, '')}"
        return f"{error.name} is not installed; this command needs: {install}"
    if isinstance(error, OSError) and error.errno in REFUSALS:
        return f"{error.filename or 'a file'}: {(error.strerror or 'cannot be used').lower()}; {REFUSALS[error.errno]}"
    return None

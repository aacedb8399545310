"""The process of a started run: a command of ``tuner``, and its exit status left in a file.

    python -m tuner.inspector.jobs.worker FOLDER train FILE --out OUT

The server that started it may be gone by the time it ends, so nobody else could tell how it ended.
"""

from __future__ import annotations

import runpy
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

EXIT = "exit"


def main(argv: Sequence[str]) -> int:
    """The exit status of the command, which is also written to ``FOLDER/exit``."""
    folder, command = Path(argv[0]), list(argv[1:])

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    # Training takes the signal over once it has begun; before that there is nothing to be saved.
    signal.signal(signal.SIGTERM, interrupt)
    status = 1
    try:
        # As its own program would: the inspector stands beside the command line, not above it.
        sys.argv = ["tuner", *command]
        runpy.run_module("tuner", run_name="__main__")
    except KeyboardInterrupt:
        status = 130
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 2
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        (folder / EXIT).write_text(str(status))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""``python -m tuner`` is the command ``tuner``."""

import sys


def run() -> int:
    """Run the command; Ctrl-C while it is still being imported ends it without a traceback too."""
    try:
        from tuner.cli import main
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return main()


if __name__ == "__main__":
    raise SystemExit(run())

"""The command line: one function a command, heavy imports inside it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tuner import __version__
from tuner.cli.errors import FULL, explained
from tuner.cli.making import add_making
from tuner.cli.parser import Parser
from tuner.cli.reading import add_reading
from tuner.cli.training import add_training
from tuner.commands.output import complain, show_what_the_terminal_can
from tuner.errors import Unfinished, error_text

STATUSES = (
    "Exit status: 0 when done; 1 only if `--fail-on` names a verdict that was found, or a "
    "check of `tuner check` or a part of `tuner export` failed; 2 for bad input; 3 when there is "
    "no result yet, because no trial has a value, or a full disk, a database or a network ended the command: the same "
    "command continues; 130 after Ctrl-C. Statuses 2 and 3 come with one line on standard error."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is one of ``STATUSES``."""
    show_what_the_terminal_can()
    parser = parser_of_all()
    args = argparse.Namespace(command=None, stopped="stopped")
    try:
        if "" in (sys.argv[1:] if argv is None else argv):
            parser.error("an argument is empty; a variable in the command may not be set")
        parser.parse_args(argv, args)
        if args.command is None:
            parser.print_help()
            return 0
        return int(args.command(args))
    except KeyboardInterrupt:
        print(args.stopped, file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Unfinished as error:
        complain(error_text(error, None))
        return 3
    except (ValueError, ImportError, OSError) as error:
        line = explained(error)
        if line is None:
            raise
        complain(line)
        return 3 if isinstance(error, OSError) and error.errno in FULL else 2


def parser_of_all() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = Parser(
        prog="tuner",
        description="Read the loss curve, say what is wrong, change it, train again, show that it helped.",
        epilog=STATUSES.replace("`", ""),
    )
    parser.add_argument(
        "--version", action="version", version=f"tuner {__version__}", help="print the version and exit"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    add_training(commands)
    add_reading(commands)
    add_making(commands)
    return parser

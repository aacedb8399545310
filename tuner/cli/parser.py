"""A parser whose errors are one line, and the options that several commands share."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import NoReturn, TypeAlias

from tuner.commands.options import curve_tag
from tuner.commands.output import one_line
from tuner.errors import nearest


class Parser(argparse.ArgumentParser):
    """A parser, for each command as well, whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Print the message in one line, and exit with 2."""
        self.exit(2, f"{self.prog}: {one_line(_without_choices(message))}; see {self.prog} --help\n")


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
"""What a command is added to."""


def _without_choices(message: str) -> str:
    """The message, with the nearest choice or the command for a path in place of the list of all choices."""
    found = re.fullmatch(r"(.*invalid choice: '(.*)') \(choose from (.*)\)", message, re.DOTALL)
    if found is None:
        return message
    says, word, choices = found.groups()
    if "COMMAND" in says and Path(word).exists():
        return f"{says}; did you mean `tuner diagnose {word}`?"
    hint = nearest(word, re.findall(r"[\w-]+", choices))
    return f"{says}{hint}" if hint else message


def add_trust(parser: argparse.ArgumentParser) -> None:
    """The option that lets code run that comes with a model."""
    parser.add_argument(
        "--trust-remote-code",
        action="store_true",
        help="run the code that comes with the model, and let a run's own config.yaml say so (default: never)",
    )


def add_tags(parser: argparse.ArgumentParser) -> None:
    """The option that names a log's curves."""
    parser.add_argument(
        "--tag",
        action="append",
        default=[],
        type=curve_tag,
        metavar="CURVE=TAG",
        help="the log's own name for a curve, such as train_loss=my/loss; repeatable",
    )

"""``tuner diagnose``, ``watch``, ``inspect`` and ``rules``: their options, and what they call."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from tuner.cli.parser import Commands, add_tags
from tuner.commands.options import LABELS, curve_tags, labels, positive

PAGE = Path("diagnosis.html")
"""What ``tuner diagnose --html`` writes unless another file is given."""


def add_reading(commands: Commands) -> None:
    """Add these commands."""
    _add_diagnose(commands)
    _add_watch(commands)
    _add_inspect(commands)
    _add_rules(commands)


def _add_diagnose(commands: Commands) -> None:
    diagnose = commands.add_parser("diagnose", help="diagnose the curves of any log")
    diagnose.add_argument(
        "paths", type=Path, nargs="+", metavar="PATH", help="a log, a run, a folder of runs, or - for standard input"
    )
    form = diagnose.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON: a list with one object per run")
    form.add_argument("--md", action="store_true", help="print Markdown")
    form.add_argument(
        "--html",
        type=Path,
        nargs="?",
        const=PAGE,
        metavar="FILE",
        help=f"write a self-contained HTML file (default: {PAGE}); above 200 runs, an index and a file for each run",
    )
    diagnose.add_argument(
        "-v", "--verbose", action="store_true", help="print all findings, advice, skipped checks and notes"
    )
    diagnose.add_argument(
        "--fail-on",
        type=labels,
        default=(),
        metavar="LABELS",
        help=f"exit with 1 if any run has one of these labels, such as unstable,overfit; known: {', '.join(LABELS)}",
    )
    diagnose.add_argument(
        "--baseline", type=Path, metavar="PATH", help="a run known to be good, to compare each run with"
    )
    add_tags(diagnose)
    diagnose.set_defaults(command=_diagnose)


def _diagnose(args: argparse.Namespace) -> int:
    from tuner.commands.diagnose import diagnose

    form = "json" if args.json else "md" if args.md else "text"
    tags, baseline = curve_tags(args.tag), args.baseline
    return diagnose(
        args.paths,
        form=form,
        html=args.html,
        fail_on=args.fail_on,
        tags=tags,
        baseline=baseline,
        verbose=args.verbose,
    )


def _add_watch(commands: Commands) -> None:
    watch = commands.add_parser("watch", help="follow a run that another program is writing")
    watch.add_argument("path", type=Path, metavar="PATH", help="a log file, a run, or a folder where runs appear")
    watch.add_argument(
        "--every",
        type=positive("seconds"),
        default=5.0,
        metavar="SECONDS",
        help="how often to check the files (default: 5)",
    )
    add_tags(watch)
    watch.set_defaults(command=_watch)


def _watch(args: argparse.Namespace) -> int:
    from tuner.commands.watch import watch

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    watch(args.path, every=args.every, tags=curve_tags(args.tag), width=width)
    return 0


def _add_inspect(commands: Commands) -> None:
    inspect = commands.add_parser("inspect", help="open the curve inspector in the browser")
    inspect.add_argument(
        "path", type=Path, nargs="?", default=Path("runs"), metavar="PATH", help="the folder to show (default: runs)"
    )
    inspect.add_argument("--port", type=int, help="the port (default: the first free one from 8501)")
    inspect.add_argument("--no-browser", action="store_true", help="serve the pages without opening a browser")
    inspect.add_argument("--allow-run", action="store_true", help="let the pages start runs, only below PATH")
    inspect.set_defaults(command=_inspect)


def _inspect(args: argparse.Namespace) -> int:
    from tuner.inspector import launch

    return launch(args.path, port=args.port, browser=not args.no_browser, allow_run=args.allow_run)


def _add_rules(commands: Commands) -> None:
    rules = commands.add_parser("rules", help="print the rule table, or explain one rule")
    rules.add_argument(
        "name", nargs="?", metavar="NAME", help="the rule to explain, such as eval-loss-rises, or a label to list"
    )
    rules.add_argument(
        "--record",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="print how each rule's advice worked out in the studies there",
    )
    rules.add_argument("--json", action="store_true", help="print the record as JSON")
    rules.set_defaults(command=_rules)


def _rules(args: argparse.Namespace) -> int:
    from tuner.commands.rules import rules

    return rules(args.name, record=args.record or (), as_json=args.json)

"""The command line: one function a command, heavy imports inside it."""

from __future__ import annotations

import argparse
import errno
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tuner.errors import STOPPED

LABELS = ("broken", "unstable", "overfit", "underfit", "healthy", "unknown")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0 when done, 1 when ``--fail-on`` matched, 2 for bad input."""
    parser = _parser()
    args = argparse.Namespace(command=None)
    try:
        parser.parse_args(argv, args)
        if args.command is None:
            parser.print_help()
            return 0
        return int(args.command(args))
    except KeyboardInterrupt:
        print(STOPPED if args.command in (_study, _train) else "stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except (ValueError, ImportError, OSError) as error:
        line = _one_line(error)
        if line is None:
            raise
        print(f"tuner: {line}", file=sys.stderr)
        return 2


def _one_line(error: Exception) -> str | None:
    """What to tell a person about an error that is theirs to mend; None for a bug, which keeps its traceback."""
    from diagnostics.errors import BadInput

    if isinstance(error, BadInput):
        return " ".join(str(error).split())
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.split(".")[0] in EXTRAS:
        extra = EXTRAS[error.name.split(".")[0]]
        return f"{error.name} is not installed; this command needs: pip install 'tuner[{extra}]'"
    if isinstance(error, OSError) and error.errno in NOT_OURS:
        return f"{error.filename or 'a file'}: {(error.strerror or 'cannot be used').lower()}; {NOT_OURS[error.errno]}"
    return None


NOT_OURS = {
    **dict.fromkeys((errno.EACCES, errno.EPERM), "change its permissions, or choose another place"),
    errno.EROFS: "choose another place",
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "make room, and give the same command again"),
}
"""What the machine may refuse whatever the program does, and what a person can do about it."""


EXTRAS = {
    **dict.fromkeys(
        ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "optuna", "bitsandbytes", "tensorboard"),
        "train",
    ),
    **dict.fromkeys(("streamlit", "altair", "pandas"), "app"),
}


class _Parser(argparse.ArgumentParser):
    """A parser, for each command as well, whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = _Parser(
        prog="tuner", description="Read the loss curve, say what is wrong, change it, train again, show that it helped."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and end")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_training(commands)
    _add_reading(commands)
    _add_making(commands)
    return parser


class _Version(argparse.Action):
    """Prints the installed version, which is looked up only here (importlib.metadata costs 20 ms)."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import version

        print(f"tuner {version('tuner')}")
        parser.exit()


def _add_training(commands: argparse._SubParsersAction[_Parser]) -> None:
    study = commands.add_parser("study", help="train, diagnose, change and train again, until the budget is spent")
    study.add_argument("file", type=Path, metavar="FILE", help="a TRL config file with `method` and `study`")
    study.add_argument(
        "--trials", type=_count, metavar="N", help="the total number of trials (default: what the file says)"
    )
    study.add_argument("--minutes", type=_minutes, metavar="N", help="the time for trials and repeats together")
    study.add_argument("--steps", type=_count, metavar="N", help="training steps in all, counted in batches of trial 0")
    study.add_argument(
        "--no-stop-early", action="store_true", help="train all trials, even when no gain beyond noise is in sight"
    )
    study.add_argument(
        "--out", type=Path, metavar="DIR", help="where the study lives (default: runs/<name of the file>)"
    )
    study.add_argument(
        "--storage",
        metavar="URL",
        help="a database that workers share, sqlite:/// or postgresql:// (default: in --out)",
    )
    study.add_argument("--verbose", action="store_true", help="let the libraries underneath speak")
    study.set_defaults(command=_study)

    train = commands.add_parser("train", help="one run, with its diagnosis report")
    train.add_argument(
        "file", type=Path, metavar="FILE", help="a TRL config file with `method` (a `study` block is ignored)"
    )
    train.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="the run's folder (default: output_dir of the file, or runs/<name>-train)",
    )
    train.add_argument("--verbose", action="store_true", help="let the libraries underneath speak")
    train.set_defaults(command=_train)


def _add_reading(commands: argparse._SubParsersAction[_Parser]) -> None:
    diagnose = commands.add_parser("diagnose", help="judge the curves of any log")
    diagnose.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="a log file, a run, or a folder of runs")
    form = diagnose.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON, a list with one object a run")
    form.add_argument("--md", action="store_true", help="print Markdown")
    form.add_argument("--html", type=Path, metavar="FILE", help="write one self-contained HTML file")
    diagnose.add_argument(
        "--fail-on",
        type=_labels,
        default=(),
        metavar="LABELS",
        help=f"exit with 1 where a run is one of these, such as unstable,overfit; of {', '.join(LABELS)}",
    )
    diagnose.add_argument("--baseline", type=Path, metavar="PATH", help="a run known to be good, to compare with")
    _add_tags(diagnose)
    diagnose.set_defaults(command=_diagnose)

    watch = commands.add_parser("watch", help="follow a run that another program writes")
    watch.add_argument("path", type=Path, metavar="PATH", help="a log file, a run, or a folder where runs appear")
    watch.add_argument("--every", type=_seconds, default=5.0, metavar="SECONDS", help="how often to look (default: 5)")
    _add_tags(watch)
    watch.set_defaults(command=_watch)

    inspect = commands.add_parser("inspect", help="the curve inspector in the browser")
    inspect.add_argument(
        "path", type=Path, nargs="?", default=Path("runs"), metavar="PATH", help="the folder to show (default: runs)"
    )
    inspect.add_argument("--port", type=int, help="default: the first free one from 8501")
    inspect.add_argument("--no-browser", action="store_true", help="only serve; open no browser")
    inspect.add_argument("--allow-run", action="store_true", help="let the pages start runs, below PATH only")
    inspect.set_defaults(command=_inspect)

    rules = commands.add_parser("rules", help="the rule table, or one rule in full")
    rules.add_argument("name", nargs="?", metavar="NAME", help="the rule to explain, such as eval-loss-rises")
    rules.add_argument(
        "--record", type=Path, nargs="+", metavar="PATH", help="what following the advice brought, in the studies there"
    )
    rules.add_argument("--json", action="store_true", help="print that record as JSON")
    rules.set_defaults(command=_rules)


def _add_making(commands: argparse._SubParsersAction[_Parser]) -> None:
    init = commands.add_parser("init", help="write a study file to start from")
    init.add_argument("method", choices=("sft", "dpo"))
    init.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="the folder to write to (default: here)")
    init.set_defaults(command=_init)

    merge = commands.add_parser("merge", help="merge a run's adapter into its base model")
    merge.add_argument("run", type=Path, metavar="RUN", help="the run's folder, such as runs/sft/trial-005")
    merge.add_argument("out", type=Path, metavar="OUT", help="a new folder for the merged model and its tokenizer")
    merge.set_defaults(command=_merge)


def _add_tags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tag",
        action="append",
        default=[],
        type=_tag,
        metavar="CURVE=TAG",
        help="where the log has a name of its own for a curve: train_loss=my/loss; may be given again",
    )


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number of 1 or more")
    return int(text)


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of minutes above 0")
    return minutes


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return seconds


def _tag(text: str) -> tuple[str, str]:
    curve, equals, tag = text.partition("=")
    if not (curve and equals and tag):
        raise argparse.ArgumentTypeError(f"{text!r}: write CURVE=TAG, such as train_loss=my/loss")
    return curve, tag


def _tags(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The log's name of each curve; raises ``BadInput`` for a curve that is named twice."""
    from diagnostics.errors import BadInput

    tags: dict[str, str] = {}
    for curve, tag in pairs:
        if curve in tags:
            raise BadInput(f"--tag {curve} is given twice, as {tags[curve]} and {tag}; keep one")
        tags[curve] = tag
    return tags


def _labels(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    wrong = [name for name in names if name not in LABELS]
    if wrong or not names:
        raise argparse.ArgumentTypeError(
            f"{', '.join(wrong) or 'nothing'!r} is no label; choose of {', '.join(LABELS)}"
        )
    return names


def _study(args: argparse.Namespace) -> int:
    from tuner.commands.study import study

    budget = {"trials": args.trials, "minutes": args.minutes, "steps": args.steps}
    stop_early = False if args.no_stop_early else None
    return study(args.file, budget, stop_early=stop_early, out=args.out, storage=args.storage, verbose=args.verbose)


def _train(args: argparse.Namespace) -> int:
    from tuner.commands.train import train

    return train(args.file, out=args.out, verbose=args.verbose)


def _diagnose(args: argparse.Namespace) -> int:
    from tuner.commands.diagnose import diagnose

    form = "json" if args.json else "md" if args.md else "text"
    tags, baseline = _tags(args.tag), args.baseline
    return diagnose(args.paths, form=form, html=args.html, fail_on=args.fail_on, tags=tags, baseline=baseline)


def _watch(args: argparse.Namespace) -> int:
    from tuner.commands.watch import watch

    watch(args.path, every=args.every, tags=_tags(args.tag))
    return 0


def _inspect(args: argparse.Namespace) -> int:
    from tuner.inspector import launch

    return launch(args.path, port=args.port, browser=not args.no_browser, allow_run=args.allow_run)


def _rules(args: argparse.Namespace) -> int:
    from diagnostics.errors import BadInput

    if args.record:
        from tuner.commands.rule_records import print_record

        return print_record(args.record, args.name, as_json=args.json)
    if args.json:
        raise BadInput("--json belongs to --record PATH; `tuner rules` prints a table")
    from tuner.commands.rules import rules

    return rules(args.name)


def _init(args: argparse.Namespace) -> int:
    from tuner.commands.init import init

    return init(args.method, args.out)


def _merge(args: argparse.Namespace) -> int:
    from tuner.commands.merge import merge

    return merge(args.run, args.out)

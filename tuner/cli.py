"""The command line: one function a command, heavy imports inside it."""

from __future__ import annotations

import argparse
import errno
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from diagnostics.errors import BadInput
from tuner import __version__
from tuner.commands.init import STARTS
from tuner.commands.options import LABELS, count, curve_tag, curve_tags, labels, positive
from tuner.commands.output import show_what_the_terminal_can
from tuner.errors import STOPPED, Unfinished, error_text, nearest

PAGE = Path("diagnosis.html")
"""What ``tuner diagnose --html`` writes unless another file is given."""
STATUSES = (
    "Exit status: 0 when done; 1 only if `--fail-on` names a verdict that was found; 2 for bad input; 3 when there is "
    "no result yet, because no trial has a value, or a full disk, a database or a network ended the command: the same "
    "command continues; 130 after Ctrl-C. Statuses 2 and 3 come with one line on standard error."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is one of ``STATUSES``."""
    show_what_the_terminal_can()
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
    except Unfinished as error:
        print(f"tuner: {error_text(error, None)}", file=sys.stderr)
        return 3
    except (ValueError, ImportError, OSError) as error:
        line = _explained(error)
        if line is None:
            raise
        print(f"tuner: {line}", file=sys.stderr)
        return 3 if isinstance(error, OSError) and error.errno in FULL else 2


def _explained(error: Exception) -> str | None:
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
}


class _Parser(argparse.ArgumentParser):
    """A parser, for each command as well, whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {_without_choices(message)}; see {self.prog} --help\n")


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


def _parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = _Parser(
        prog="tuner",
        description="Read the loss curve, say what is wrong, change it, train again, show that it helped.",
        epilog=STATUSES.replace("`", ""),
    )
    parser.add_argument(
        "--version", action="version", version=f"tuner {__version__}", help="print the version and exit"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_training(commands)
    _add_reading(commands)
    _add_making(commands)
    return parser


def _add_training(commands: argparse._SubParsersAction[_Parser]) -> None:
    study = commands.add_parser("study", help="train, diagnose, change and train again until the budget is spent")
    study.add_argument("file", type=Path, metavar="FILE", help="a TRL config file with `method` and `study`")
    study.add_argument("--trials", type=count, metavar="N", help="the total number of trials (default: as in the file)")
    study.add_argument(
        "--minutes", type=positive("minutes"), metavar="N", help="the time budget for trials and repeats together"
    )
    study.add_argument("--steps", type=count, metavar="N", help="the budget of training steps, in batches of trial 0")
    study.add_argument(
        "--no-stop-early", action="store_true", help="train all trials, even when no gain beyond noise is likely"
    )
    study.add_argument("--out", type=Path, metavar="DIR", help="the study's folder (default: runs/<name of the file>)")
    study.add_argument(
        "--storage",
        metavar="URL",
        help="a database that workers share, sqlite:/// or postgresql:// (default: a file in --out)",
    )
    study.add_argument(
        "--workers", type=count, metavar="N", help="so many processes on this machine share the trials (default: 1)"
    )
    study.add_argument(
        "--gpus", metavar="LIST", help="the GPUs to share out, such as 0,1,2,3 (default: all, for each trial)"
    )
    study.add_argument("--gpus-per-trial", type=count, metavar="N", help="GPUs of one trial (default: 1)")
    study.add_argument("--slots-per-gpu", type=count, metavar="N", help="trials that share a GPU (default: 1)")
    study.add_argument("--verbose", action="store_true", help="show the output of the training libraries")
    _add_trust(study)
    study.set_defaults(command=_study)

    check = commands.add_parser("check", help="find out in a minute whether the study of a file would work")
    check.add_argument("file", type=Path, metavar="FILE", help="a study file, of tuner's own trainer or of another one")
    check.add_argument(
        "--minutes", type=positive("minutes"), default=10.0, metavar="N", help="patience for two steps (default: 10)"
    )
    check.add_argument("--json", action="store_true", help="print the checks as JSON")
    _add_trust(check)
    check.set_defaults(command=_check)

    train = commands.add_parser("train", help="train once and report the diagnosis")
    train.add_argument(
        "file", type=Path, metavar="FILE", help="a TRL config file with `method` (a `study` block is ignored)"
    )
    train.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="the run's folder (default: output_dir of the file, or runs/<name>-train)",
    )
    train.add_argument("--verbose", action="store_true", help="show the output of the training libraries")
    _add_trust(train)
    train.set_defaults(command=_train)


def _add_reading(commands: argparse._SubParsersAction[_Parser]) -> None:
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
    _add_tags(diagnose)
    diagnose.set_defaults(command=_diagnose)

    watch = commands.add_parser("watch", help="follow a run that another program is writing")
    watch.add_argument("path", type=Path, metavar="PATH", help="a log file, a run, or a folder where runs appear")
    watch.add_argument(
        "--every",
        type=positive("seconds"),
        default=5.0,
        metavar="SECONDS",
        help="how often to check the files (default: 5)",
    )
    _add_tags(watch)
    watch.set_defaults(command=_watch)

    inspect = commands.add_parser("inspect", help="open the curve inspector in the browser")
    inspect.add_argument(
        "path", type=Path, nargs="?", default=Path("runs"), metavar="PATH", help="the folder to show (default: runs)"
    )
    inspect.add_argument("--port", type=int, help="the port (default: the first free one from 8501)")
    inspect.add_argument("--no-browser", action="store_true", help="serve the pages without opening a browser")
    inspect.add_argument("--allow-run", action="store_true", help="let the pages start runs, only below PATH")
    inspect.set_defaults(command=_inspect)

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


def _add_making(commands: argparse._SubParsersAction[_Parser]) -> None:
    demo = commands.add_parser("demo", help="diagnose three made-up logs, and open the report on them")
    demo.add_argument("--no-browser", action="store_true", help="write the report without opening a browser")
    demo.add_argument("--out", type=Path, metavar="DIR", help="the folder to write to (default: a temporary one)")
    demo.set_defaults(command=_demo)

    init = commands.add_parser("init", help="write a study file to start from")
    init.add_argument("method", choices=tuple(STARTS))
    init.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="the folder to write to (default: here)")
    init.set_defaults(command=_init)

    card = commands.add_parser("card", help="draw a picture of a run or a study to share")
    card.add_argument("path", type=Path, metavar="RUN|STUDY", help="a log, a run's folder, or a study's folder")
    card.add_argument("--out", type=Path, metavar="DIR", help="the folder to write to (default: beside the log)")
    _add_tags(card)
    card.set_defaults(command=_card)

    merge = commands.add_parser("merge", help="merge a run's adapter into its base model")
    merge.add_argument("run", type=Path, metavar="RUN", help="the run's folder, such as runs/sft/trial-005")
    merge.add_argument("out", type=Path, metavar="OUT", help="a new folder for the merged model and its tokenizer")
    _add_trust(merge)
    merge.set_defaults(command=_merge)


def _add_trust(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--trust-remote-code",
        action="store_true",
        help="run the code that comes with the model, and let a run's own config.yaml say so (default: never)",
    )


def _add_tags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tag",
        action="append",
        default=[],
        type=curve_tag,
        metavar="CURVE=TAG",
        help="the log's own name for a curve, such as train_loss=my/loss; repeatable",
    )


def _study(args: argparse.Namespace) -> int:
    from tuner.commands.study import study

    budget = {"trials": args.trials, "minutes": args.minutes, "steps": args.steps}
    stop_early = False if args.no_stop_early else None
    gpus = {"gpus": args.gpus, "gpus_per_trial": args.gpus_per_trial, "slots_per_gpu": args.slots_per_gpu}
    return study(
        args.file,
        budget,
        stop_early=stop_early,
        out=args.out,
        storage=args.storage,
        workers=args.workers,
        gpus=gpus,
        verbose=args.verbose,
        trust_remote_code=args.trust_remote_code,
    )


def _check(args: argparse.Namespace) -> int:
    from tuner.commands.check import check

    return check(args.file, minutes=args.minutes, as_json=args.json, trust_remote_code=args.trust_remote_code)


def _train(args: argparse.Namespace) -> int:
    from tuner.commands.train import train

    return train(args.file, out=args.out, verbose=args.verbose, trust_remote_code=args.trust_remote_code)


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


def _watch(args: argparse.Namespace) -> int:
    from tuner.commands.watch import watch

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    watch(args.path, every=args.every, tags=curve_tags(args.tag), width=width)
    return 0


def _inspect(args: argparse.Namespace) -> int:
    from tuner.inspector import launch

    return launch(args.path, port=args.port, browser=not args.no_browser, allow_run=args.allow_run)


def _rules(args: argparse.Namespace) -> int:
    from tuner.commands.rules import rules

    return rules(args.name, record=args.record or (), as_json=args.json)


def _demo(args: argparse.Namespace) -> int:
    from tuner.commands.demo import demo

    return demo(args.out, browser=not args.no_browser)


def _init(args: argparse.Namespace) -> int:
    from tuner.commands.init import init

    return init(args.method, args.out)


def _card(args: argparse.Namespace) -> int:
    from tuner.commands.card import card

    return card(args.path, out=args.out, tags=curve_tags(args.tag))


def _merge(args: argparse.Namespace) -> int:
    from tuner.commands.merge import merge

    return merge(args.run, args.out, trust_remote_code=args.trust_remote_code)

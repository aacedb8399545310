"""``tuner demo``, ``init``, ``card``, ``merge`` and ``export``: their options, and what they call."""

from __future__ import annotations

import argparse
from pathlib import Path

from tuner.cli.parser import Commands, add_tags, add_trust
from tuner.commands.init import STARTS
from tuner.commands.options import curve_tags


def add_making(commands: Commands) -> None:
    """Add these commands."""
    _add_demo(commands)
    _add_init(commands)
    _add_card(commands)
    _add_merge(commands)
    _add_export(commands)


def _add_demo(commands: Commands) -> None:
    demo = commands.add_parser("demo", help="diagnose three made-up logs, and open the report on them")
    demo.add_argument("--no-browser", action="store_true", help="write the report without opening a browser")
    demo.add_argument("--out", type=Path, metavar="DIR", help="the folder to write to (default: a temporary one)")
    demo.set_defaults(command=_demo)


def _demo(args: argparse.Namespace) -> int:
    from tuner.commands.demo import demo

    return demo(args.out, browser=not args.no_browser)


def _add_init(commands: Commands) -> None:
    init = commands.add_parser("init", help="write a study file to start from")
    init.add_argument("method", choices=tuple(STARTS))
    init.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="the folder to write to (default: here)")
    init.set_defaults(command=_init)


def _init(args: argparse.Namespace) -> int:
    from tuner.commands.init import init

    return init(args.method, args.out)


def _add_card(commands: Commands) -> None:
    card = commands.add_parser("card", help="draw a picture of a run or a study to share")
    card.add_argument("path", type=Path, metavar="RUN|STUDY", help="a log, a run's folder, or a study's folder")
    card.add_argument("--out", type=Path, metavar="DIR", help="the folder to write to (default: beside the log)")
    add_tags(card)
    card.set_defaults(command=_card)


def _card(args: argparse.Namespace) -> int:
    from tuner.commands.card import card

    return card(args.path, out=args.out, tags=curve_tags(args.tag))


def _add_merge(commands: Commands) -> None:
    merge = commands.add_parser("merge", help="merge a run's adapter into its base model")
    merge.add_argument("run", type=Path, metavar="RUN", help="the run's folder, such as runs/sft/trial-005")
    merge.add_argument("out", type=Path, metavar="OUT", help="a new folder for the merged model and its tokenizer")
    add_trust(merge)
    merge.set_defaults(command=_merge)


def _merge(args: argparse.Namespace) -> int:
    from tuner.commands.merge import merge

    return merge(args.run, args.out, trust_remote_code=args.trust_remote_code)


def _add_export(commands: Commands) -> None:
    export = commands.add_parser("export", help="make a run or the best trial of a study ready for other programs")
    export.add_argument("path", type=Path, metavar="RUN|STUDY", help="a run's folder, or a study's for its best trial")
    export.add_argument("out", type=Path, metavar="OUT", help="a new folder for all parts")
    export.add_argument(
        "--to", required=True, metavar="PARTS", help="what to make, such as merged,gguf:q8_0,ollama,vllm,card"
    )
    export.add_argument(
        "--push", metavar="REPO", help="push OUT to this repository of the Hugging Face hub, with the token in HF_TOKEN"
    )
    add_trust(export)
    export.set_defaults(command=_export)


def _export(args: argparse.Namespace) -> int:
    from tuner.commands.export import export

    return export(args.path, args.to, args.out, push=args.push, trust_remote_code=args.trust_remote_code)

"""``tuner study``, ``check`` and ``train``: their options, and what they call."""

from __future__ import annotations

import argparse
from pathlib import Path

from tuner.cli.parser import Commands, add_trust
from tuner.commands.options import count, key_and_value, positive
from tuner.errors import STOPPED


def add_training(commands: Commands) -> None:
    """Add these commands."""
    _add_study(commands)
    _add_check(commands)
    _add_train(commands)


def _add_study(commands: Commands) -> None:
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
    study.add_argument(
        "--engine",
        choices=("local", "ray", "slurm"),
        default="local",
        help="where the workers run: here, on a Ray cluster, or as Slurm jobs (default: local)",
    )
    study.add_argument(
        "--ray-address", metavar="HOST:PORT", help="the Ray cluster (default: RAY_ADDRESS, or the one of this machine)"
    )
    study.add_argument(
        "--slurm",
        action="append",
        default=[],
        type=key_and_value,
        metavar="KEY=VALUE",
        help="an option of sbatch for the jobs, such as partition=gpu or time=240 (minutes); repeatable",
    )
    study.add_argument("--verbose", action="store_true", help="show the output of the training libraries")
    add_trust(study)
    study.set_defaults(command=_study, stopped=STOPPED)


def _study(args: argparse.Namespace) -> int:
    from tuner.commands.study import study
    from tuner.config.cluster import Cluster

    budget = {"trials": args.trials, "minutes": args.minutes, "steps": args.steps}
    stop_early = False if args.no_stop_early else None
    gpus = {"gpus": args.gpus, "gpus_per_trial": args.gpus_per_trial, "slots_per_gpu": args.slots_per_gpu}
    cluster = Cluster(args.engine, args.ray_address, dict(args.slurm))
    return study(
        args.file,
        budget,
        stop_early=stop_early,
        out=args.out,
        storage=args.storage,
        workers=args.workers,
        gpus=gpus,
        cluster=cluster,
        verbose=args.verbose,
        trust_remote_code=args.trust_remote_code,
    )


def _add_check(commands: Commands) -> None:
    check = commands.add_parser("check", help="find out in a minute whether the study of a file would work")
    check.add_argument("file", type=Path, metavar="FILE", help="a study file, of tuner's own trainer or of another one")
    check.add_argument(
        "--minutes", type=positive("minutes"), default=10.0, metavar="N", help="patience for two steps (default: 10)"
    )
    check.add_argument("--json", action="store_true", help="print the checks as JSON")
    add_trust(check)
    check.set_defaults(command=_check)


def _check(args: argparse.Namespace) -> int:
    from tuner.commands.check import check

    return check(args.file, minutes=args.minutes, as_json=args.json, trust_remote_code=args.trust_remote_code)


def _add_train(commands: Commands) -> None:
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
    add_trust(train)
    train.set_defaults(command=_train, stopped=STOPPED)


def _train(args: argparse.Namespace) -> int:
    from tuner.commands.train import train

    return train(args.file, out=args.out, verbose=args.verbose, trust_remote_code=args.trust_remote_code)

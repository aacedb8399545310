"""Ladders of learning rates for every method: what each run is, by its end, and what the diagnosis calls it.

`python -m benchmarks.method_ladders OUT [--methods NAME ...] [--kinds KIND ...]` trains the study of `tuner init` for
each method with the packaged model at rates from a thirtieth to 30 times a good one: as packaged; the whole model in
place of LoRA with few logs; and a quarter of the rows with another rank and seed. What a run is follows from its
held-out metric beside the best of its ladder, and is written down before the verdict is asked for. Runs that OUT
already holds are judged again instead of trained again; all take some 50 minutes of one core.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

import diagnostics
from benchmarks.methods import GOOD_RATES
from diagnostics.model.curves import Run
from diagnostics.model.methods import method_record
from tuner.commands.init import STARTS, init
from tuner.commands.loading import load_study_file

TEACHER = "teacher"
WELL, MISSES = 0.1, 0.25
"""A run went well that misses less of what the best rate gains than the first, and did not that misses the second."""
RISES = 0.1
"""A run overfits that ends so much of that gain behind its own best evaluation, at a rate up to the best one."""


@dataclass(frozen=True)
class Kind:
    """A kind of run: what it changes in the packaged file, the share of the rows, and its rates as times a good one."""

    times: tuple[float, ...]
    rows: float = 1.0
    config: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 42


KINDS: Mapping[str, Kind] = {
    "packaged": Kind((1 / 30, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)),
    "full": Kind((1 / 300, 1 / 30, 0.1, 1.0, 10.0), config={"use_peft": None, "logging_steps": 0.05}, seed=7),
    "small": Kind((1 / 30, 0.1, 1.0, 10.0), rows=0.25, config={"lora_r": 2, "lora_alpha": 4}, seed=11),
}
SAID = {"well": ("healthy", ""), "slow": ("underfit", ""), "hot": ("unstable", "broken"), "overfit": ("overfit", "")}
"""The labels that are right, and those that are let pass, for what a run is."""


def main(out: Path, methods: Sequence[str], kinds: Sequence[str]) -> None:
    """Train what is missing, and print what each run is beside what was said of it."""
    counts: dict[str, Counter[str]] = {method: Counter() for method in methods}
    for kind in kinds:
        for method in methods:
            for line, score in judged(trained(out / f"{method}-{kind}", method, KINDS[kind]), method):
                print(f"{method:<7}{kind:<9}{line}", flush=True)
                counts[method][score] += 1
    for method, found in counts.items():
        print(f"{method:<7}", ", ".join(f"{count} {name}" for name, count in sorted(found.items())))
    print("all    ", dict(sum(counts.values(), Counter())))


def trained(folder: Path, method: str, kind: Kind) -> Mapping[float, Run]:
    """The runs of a ladder by their rates, as times the good one."""
    folder = folder.resolve()
    if not (folder / f"{method}.yaml").exists():
        init(method, folder)
        _keep_rows(folder / "data", kind.rows)
    if (folder / f"{TEACHER}.yaml").exists() and not (folder / "runs" / f"{TEACHER}-train" / "diagnosis.json").exists():
        _train(folder, f"{TEACHER}.yaml", {}, folder / "runs" / f"{TEACHER}-train")
    config = yaml.safe_load((folder / f"{method}.yaml").read_text()) | dict(kind.config)
    config["study"] = {"metric": config["study"]["metric"]}
    kept = {key: value for key, value in config.items() if value is not None}
    (folder / "ladder.yaml").write_text(yaml.safe_dump(kept))
    for times in kind.times:
        place = folder / "runs" / f"{times:.3g}"
        if not (place / "diagnosis.json").exists():
            _train(folder, "ladder.yaml", {"learning_rate": times * GOOD_RATES[method], "seed": kind.seed}, place)
    return {times: diagnostics.read(folder / "runs" / f"{times:.3g}") for times in kind.times}


def _keep_rows(data: Path, share: float) -> None:
    """Keep the first rows of the training set."""
    (file,) = data.rglob("train.jsonl")
    rows = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(rows[: round(share * len(rows))]), encoding="utf-8")


def _train(folder: Path, file: str, overrides: Mapping[str, float], out: Path) -> None:
    from tuner.training.train import train as train_once

    os.chdir(folder)
    train_once(load_study_file(Path(file), False, False), overrides, out, lambda *_: None)


def truths(runs: Mapping[float, Run], method: str) -> Mapping[float, str]:
    """What each run of a ladder is by its end; "between" where that is not clear."""
    record = method_record(method)
    sign = 1.0 if record.direction == "minimize" else -1.0
    held = {times: sign * run.curves[record.metric].values for times, run in runs.items()}
    ends = {times: float(values[-1]) for times, values in held.items()}
    best = min(ends, key=lambda times: ends[times])
    reach = float(held[best][0]) - ends[best]
    found = {}
    for times, values in held.items():
        regret, rise = (ends[times] - ends[best]) / reach, (ends[times] - float(values.min())) / reach
        side = "slow" if times < best else "hot"
        overfit = rise >= RISES and times <= best
        found[times] = (
            "overfit" if overfit else "well" if regret <= WELL else side if regret >= MISSES else f"between, {side}"
        )
    return found


def judged(runs: Mapping[float, Run], method: str) -> Iterator[tuple[str, str]]:
    """A line for each run of a ladder, and how the verdict scores."""
    for times, truth in truths(runs, method).items():
        values = runs[times].curves[method_record(method).metric].values
        said = diagnostics.diagnose(runs[times])
        score = scored(truth, str(said.label))
        factors = (f"{one.knob} x{one.factor:g}" for one in said.advice if one.factor)
        noted = f"({said.findings[0].rule})" if said.findings else ""
        words = f"{said.label} {said.confidence:.2f} {said.cause or noted} {next(factors, '')}"
        yield f"{times:>6.3g}{values[0]:>8.3f} ->{values[-1]:>8.3f}  {truth:<14} {score:<11} {words}", score


def scored(truth: str, said: str) -> str:
    """Right, acceptable, wrong or refused."""
    if said == "unknown":
        return "refused"
    if truth.startswith("between"):
        right, passed = SAID[truth.split(", ")[1]]
        return "acceptable" if said in ("healthy", right, passed) else "wrong"
    right, passed = SAID[truth]
    return "right" if said == right else "acceptable" if said == passed else "wrong"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="what each run of a ladder of rates is, and what is said of it")
    parser.add_argument("out", type=Path)
    parser.add_argument("--methods", nargs="+", choices=list(STARTS), default=list(STARTS))
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    given = parser.parse_args()
    main(given.out.resolve(), given.methods, given.kinds)

"""By how much the metric of each method differs from seed to seed: ``seed_sd`` in ``diagnostics.model.methods``.

`python -m benchmarks.method_noise OUT [METHOD ...]` trains the study of `tuner init` for each method with the packaged
model, at a good rate, at half and at a quarter of it, with three seeds each, and prints the standard deviation between
seeds of the difference between two rates that are trained with the same seed, on the logarithm of the metric, on which
the search compares them. It takes some 40 minutes of one core for all methods; runs that OUT already holds are not
trained again.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import yaml

from benchmarks.methods import GOOD_RATES
from diagnostics.model.methods import method_record
from tuner.commands.init import STARTS, init
from tuner.commands.loading import load_study_file

SHARES = (1.0, 0.5, 0.25)
"""Rates between which a search would choose, of the good one."""
LOWER = {"simpo": (0.125, 0.0625), "gkd": (0.125, 0.0625)}
"""More of them for methods whose loss comes near 0 at the others, where it differs by more of itself."""
SEEDS = (11, 12, 13)
TEACHER = "teacher"

Ends = Mapping[tuple[float, int], float]
"""The metric at the end of the run at a share of the good rate with a seed."""


def main(out: Path, methods: Sequence[str]) -> None:
    """Train what is missing and print a line for each method."""
    print("| method | metric | its mean at the three rates | deviation between seeds | of differences: `seed_sd` |")
    print("|---|---|---|---|---|")
    for method in methods:
        ends = trained(out / method, method)
        shares = shares_of(method)
        levels = [np.mean([ends[share, seed] for seed in SEEDS]) for share in shares]
        alone = np.median([deviation([np.log(ends[share, seed]) for seed in SEEDS]) for share in shares])
        means = ", ".join(f"{level:.3g}" for level in levels)
        cells = (f"`{method}`", f"`{method_record(method).metric}`", means, f"{alone:.1%}", f"{seed_sd(ends):.1%}")
        print("|", " | ".join(cells), "|", flush=True)


def deviation(values: Sequence[float]) -> float:
    """The standard deviation of a sample."""
    return float(np.std(values, ddof=1))


def seed_sd(ends: Ends) -> float:
    """The median over pairs of rates of the deviation of the logarithm of their ratio."""
    shares = dict.fromkeys(share for share, _ in ends)
    pairs = [deviation([np.log(ends[a, seed] / ends[b, seed]) for seed in SEEDS]) for a, b in combinations(shares, 2)]
    return float(np.median(pairs))


def shares_of(method: str) -> tuple[float, ...]:
    """The rates of a method, as shares of its good one."""
    return SHARES + LOWER.get(method, ())


def trained(folder: Path, method: str) -> Ends:
    """The ends of the method's runs, those that are known already from the file in ``folder``."""
    if not (folder / f"{method}.yaml").exists():
        init(method, folder)
    if (folder / f"{TEACHER}.yaml").exists() and not (folder / "runs" / f"{TEACHER}-train" / "diagnosis.json").exists():
        _train(folder, f"{TEACHER}.yaml", {}, folder / "runs" / f"{TEACHER}-train")
    known = folder / "noise.json"
    ends = json.loads(known.read_text()) if known.exists() else {}
    config = yaml.safe_load((folder / f"{method}.yaml").read_text()) | {"eval_steps": 0.5}
    config["study"] = {"metric": config["study"]["metric"]}
    (folder / "noise.yaml").write_text(yaml.safe_dump(config))
    for share in shares_of(method):
        for seed in SEEDS:
            name = f"{share:g}-{seed}"
            if name not in ends:
                overrides = {"learning_rate": share * GOOD_RATES[method], "seed": seed}
                ends[name] = _train(folder, "noise.yaml", overrides, folder / "runs" / f"noise-{name}")
                known.write_text(json.dumps(ends, indent=1))
    return {(share, seed): ends[f"{share:g}-{seed}"] for share in shares_of(method) for seed in SEEDS}


def _train(folder: Path, file: str, overrides: Mapping[str, float], out: Path) -> float:
    """Train once; the study's metric at the end."""
    from tuner.training.train import train as train_once

    os.chdir(folder)
    spec = load_study_file(Path(file), False, False)
    run = train_once(spec, overrides, out, lambda *_: None)
    return float(run.curves[method_record(spec.method).metric].values[-1])


if __name__ == "__main__":
    if len(sys.argv) < 2 or not set(sys.argv[2:]) <= set(STARTS):
        sys.exit("usage: python -m benchmarks.method_noise OUT [METHOD ...]")
    main(Path(sys.argv[1]).resolve(), sys.argv[2:] or [name for name in STARTS if name in GOOD_RATES])

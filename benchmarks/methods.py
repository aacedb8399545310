"""What each packaged study learns at a good rate, and what the diagnosis says of the same run made sick.

`python -m benchmarks.methods OUT [METHOD ...]` writes the study of `tuner init` for each method into OUT, trains it
once at a good rate for the packaged model, at 30 times that and at a thirtieth of it, and prints a table. It takes some
15 minutes of one core for all methods; runs that OUT already holds are judged again instead of trained again.
"""

import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

import diagnostics
from diagnostics.model.methods import method_record
from tuner.commands.init import STARTS, init

GOOD_RATES: Mapping[str, float] = {
    "sft": 3e-3,
    "dpo": 1e-3,
    "kto": 1e-2,
    "orpo": 3e-3,
    "simpo": 9e-3,
    "cpo": 7.5e-3,
    "reward": 3e-3,
    "grpo": 3e-3,
    "rloo": 3e-3,
    "gkd": 3e-3,
}
"""Rates at which the packaged model, which is much smaller than any in use, does well."""
SICK = 30.0
TIMES: Mapping[str, float] = {"good": 1.0, "30 times": SICK, "a thirtieth": 1 / SICK}


@dataclass(frozen=True)
class Trained:
    """A run: its metric before and after, what the diagnosis said, and the seconds of processor time.

    ``cause`` and ``advice`` are of what is only noted, in brackets, where nothing sets the label.
    """

    before: float
    after: float
    label: str
    cause: str
    advice: str
    seconds: float | None


def main(out: Path, methods: tuple[str, ...]) -> None:
    """Train what is missing and print the table."""
    print("| method | rate | metric | before | after | verdict | first advice | processor time |")
    print("|---|---|---|---|---|---|---|---|")
    for method in methods:
        for name, run in trained(out, method):
            record = method_record(method)
            rate = GOOD_RATES[method] * TIMES[name]
            spent = "" if run.seconds is None else f"{run.seconds:.0f} s"
            cells = (method, f"{rate:.0e} ({name})", record.metric, f"{run.before:.3f}", f"{run.after:.3f}")
            print("|", " | ".join((*cells, f"{run.label} {run.cause}".strip(), run.advice, spent)), "|", flush=True)


def trained(out: Path, method: str) -> Iterator[tuple[str, Trained]]:
    """The three runs of a method."""
    folder = out / method
    if not (folder / f"{method}.yaml").exists():
        init(method, folder)
    if method == "gkd" and not (folder / "runs" / "teacher-train" / "diagnosis.json").exists():
        _train(folder, "teacher.yaml", "runs/teacher-train")
    for name, times in TIMES.items():
        place = name.replace(" ", "-")
        seconds = None
        if not (folder / "runs" / place / "diagnosis.json").exists():
            config = yaml.safe_load((folder / f"{method}.yaml").read_text())
            config["learning_rate"] = GOOD_RATES[method] * times
            config["study"] = {
                key: config["study"][key] for key in ("metric", "exact_match_rows") if key in config["study"]
            }
            (folder / f"{place}.yaml").write_text(yaml.safe_dump(config))
            seconds = _train(folder, f"{place}.yaml", f"runs/{place}")
        yield name, read(folder / "runs" / place, method, seconds)


def _train(folder: Path, file: str, out: str) -> float:
    """Train once; the seconds of processor time it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(
        [sys.executable, "-m", "tuner", "train", file, "--out", out], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def read(run: Path, method: str, seconds: float | None) -> Trained:
    """What the run's log says, judged by the rules as they are now."""
    logged = diagnostics.read(run)
    curve = logged.curve(method_record(method).metric)
    if curve is None:
        sys.exit(f"{run}: no {method_record(method).metric} is logged")
    found = diagnostics.diagnose(logged)
    first = next((one for one in found.advice if not one.optional or found.cause is None), None)
    noted = f"({found.findings[0].rule})" if found.findings else ""
    known = first is not None and isinstance(first.old, (int, float)) and isinstance(first.new, (int, float))
    advice = f"{first.knob} {first.old:g} -> {first.new:g}" if first and known else ""
    return Trained(curve.values[0], curve.values[-1], str(found.label), found.cause or noted, advice, seconds)


if __name__ == "__main__":
    if len(sys.argv) < 2 or not set(sys.argv[2:]) <= set(STARTS):
        sys.exit("usage: python -m benchmarks.methods OUT [METHOD ...]")
    main(Path(sys.argv[1]), tuple(sys.argv[2:]) or tuple(STARTS))

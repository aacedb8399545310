"""What is left of a study after all that was done to it: everything counted here must be 0."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import optuna

from benchmarks.chaos.life import Life, trainer
from benchmarks.must_be_empty import MustBeEmpty
from diagnostics.model.curves import Run
from tuner.search.attributes import ERROR
from tuner.search.seeds import replicate_of, seed_of
from tuner.study import repeats
from tuner.study.fit_memory import limits
from tuner.study.folder import database_url, trial_folder
from tuner.study.history import best_number
from tuner.study.workers.storage import database_at

MARK = "TUNER_CHAOS"
"""The variable by which processes of this benchmark are known."""
FILE_SEED = 7
"""The seed of the made-up study's file."""
DRAFTS = (".part", ".tmp", "-journal", "-wal", "-shm")


@dataclass
class Tally(MustBeEmpty):
    """Counts of one scenario; ``signals``, ``points`` and ``restarts`` are what was done, the rest must not be."""

    signals: Counter[str] = field(default_factory=Counter)
    points: set[str] = field(default_factory=set)
    lives: int = 0
    restarts: int = 0
    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    blamed: list[str] = field(default_factory=list)
    zombies: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)

    def judge(self, life: Life, outs: list[Path]) -> None:
        """Count what is left of a study in these folders."""
        study = _study(life, outs[0])
        self.lost += _lost(study, life) + _unreported(outs, life)
        self.invented += list(_invented(study, life, outs))
        self.blamed += [f"memory: {limit}" for limit in limits(study)]
        self.repeated += _repeated(Path(life.ledger))
        self.left += [str(path) for out in outs for path in _leftovers(out, best_number(study))]
        strikes = [line for line in _ledger(Path(life.ledger)) if line[0] == "struck"]
        self.signals += Counter(line[-1] for line in strikes)
        self.points |= {" ".join(line[1:-1]) for line in strikes}


def _study(life: Life, out: Path) -> optuna.Study:
    database = database_at(life.storage or database_url(out))
    (name,) = optuna.get_all_study_names(database)
    return optuna.load_study(study_name=name, storage=database)


def _lost(study: optuna.Study, life: Life) -> list[str]:
    """Trials and repeats that are missing, not complete, or failed."""
    trials = study.get_trials(deepcopy=False)
    lost = [f"trial {number} missing" for number in range(len(trials), life.trials)]
    lost += [
        f"trial {t.number} {t.state.name} {t.user_attrs.get(ERROR, '')}" for t in trials if t.state.name != "COMPLETE"
    ]
    lost += [f"trial {t.number} too many" for t in trials[life.trials :]]
    done = repeats.all_of(study)
    lost += [f"repeat {one.trial} of seed {one.seed}: {one.failure}" for one in done if one.value is None]
    values = [t.value for t in trials if t.value is not None]
    wanted = 2 * life.seeds if values and min(values) < (trials[0].value or 0.0) else 0
    return lost + [f"{wanted - len(done)} repeats missing"] * (len(done) < wanted)


def _unreported(outs: list[Path], life: Life) -> list[str]:
    """Reports that are not there, not whole, or without a trial."""
    missing = []
    for out in outs:
        try:
            known = json.loads((out / "study.json").read_text())["trials"]
        except (OSError, ValueError, KeyError) as error:
            missing.append(f"{out / 'study.json'}: {error}")
            continue
        missing += [f"{out}: reports {len(known)} trials"] * (len(known) != life.trials)
        missing += [f"{out / name} cut" for name in ("study.html", "study.md") if not (out / name).exists()]
    return missing


def _invented(study: optuna.Study, life: Life, outs: list[Path]) -> Iterator[str]:
    """Values that no run has logged."""
    for trial in study.get_trials(deepcopy=False):
        seed = {"seed": seed_of(trial, FILE_SEED)} if replicate_of(trial) else {}
        seen = _seen(life, outs, f"trial-{trial.number:03d}", {**trial.params, **seed})
        if trial.value is not None and not _is_among(trial.value, seen):
            yield f"trial {trial.number}: {trial.value}"
    for one in repeats.all_of(study):
        seen = _seen(life, outs, f"repeat-{one.trial}-seed-{one.seed}", {**one.settings, "seed": one.seed})
        if one.value is not None and not _is_among(one.value, seen):
            yield f"repeat {one.trial} of seed {one.seed}: {one.value}"


def _seen(life: Life, outs: list[Path], name: str, moves: dict[str, object]) -> list[float]:
    """The held-out losses of a run: computed again, or as the trainer's own log has them."""
    if life.file:
        states = [out / name / "trainer_state.json" for out in outs if (out / name / "trainer_state.json").exists()]
        rows = [row for path in states for row in json.loads(path.read_text())["log_history"]]
        return [float(row["eval_loss"]) for row in rows if "eval_loss" in row]
    bowl = trainer(life)
    run: Run = bowl.run(moves, name, bowl.points(moves), 1.0)
    return [float(value) for value in run.curves["eval_loss"].values]


def _is_among(value: float, seen: list[float]) -> bool:
    return any(abs(value - one) <= 1e-6 * abs(one) for one in seen)


def _ledger(path: Path) -> list[list[str]]:
    return [line.split(" ") for line in path.read_text().splitlines()] if path.exists() else []


def _repeated(path: Path) -> list[str]:
    """Runs that were trained again after they had been trained to their end."""
    ended: set[str] = set()
    again = []
    for word, name, first in (line for line in _ledger(path) if line[0] in ("begin", "end")):
        if word == "begin" and name in ended and int(first) < 9:
            again.append(name)
        if word == "end":
            ended.add(name)
    return again


def _leftovers(out: Path, best: int | None) -> Iterator[Path]:
    """Drafts, journals, checkpoints, and adapters of others than the best trial."""
    for path in out.rglob("*"):
        is_spare = path.name == "adapter" and (best is None or path.parent.name != trial_folder(best))
        if is_spare or path.name.endswith(DRAFTS) or path.name.startswith("checkpoint-"):
            yield path


def alive(mark: str) -> list[str]:
    """The processes of a scenario that still run, or ran and were not waited for."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(f"{folder.name} {(folder / 'cmdline').read_bytes()[:200]!r}")
        except OSError:
            continue
    return found

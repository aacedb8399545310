"""Runs and studies written to disk as programs leave them, for the inspector's tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tuner.config.direction import Direction
from tuner.config.search_space import Range
from tuner.search.proposer import Proposer, advice_of
from tuner.study.results import Gain, Pair, Paragraph, RuleRecord, StudyResult, TrialResult, TrialState

Points = Sequence[tuple[float, float]]


def falling(points: int = 120, seed: int = 0, every: float = 1.0) -> list[tuple[float, float]]:
    """A loss that falls from about 3 to about 1.2, with a little noise."""
    noise = np.random.default_rng(seed).normal(0, 0.02, points)
    return [(every * (k + 1), float(1 + 2 / np.sqrt(1 + k / 4) + noise[k])) for k in range(points)]


def overfitting(evals: int = 12) -> list[tuple[float, float]]:
    """An eval loss that is lowest a third of the way and a third higher at the end, every 10 steps."""
    lowest = evals // 3
    return [
        (10.0 * (k + 1), 1.5 + (0.2 * abs(k - lowest) if k < lowest else 0.08 * (k - lowest))) for k in range(evals)
    ]


def write_csv(path: Path, curves: Mapping[str, Points]) -> Path:
    """A table with a column for each curve; nan is written as ``nan``, nothing where nothing was logged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows: dict[float, dict[str, float]] = {}
    for name, points in curves.items():
        for step, value in points:
            rows.setdefault(step, {})[name] = value
    lines = [",".join(["step", *curves])]
    lines += [",".join([f"{s:g}", *(str(rows[s].get(name, "")) for name in curves)]) for s in sorted(rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_state(folder: Path, logs: Sequence[Mapping[str, float]]) -> Path:
    """A run's folder with the ``trainer_state.json`` of transformers."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {"global_step": max(log["step"] for log in logs), "max_steps": 0, "log_history": list(logs)}
    (folder / "trainer_state.json").write_text(json.dumps(state))
    return folder


def write_fine_run(folder: Path, points: int = 120, seed: int = 0, rate: float = 2e-4) -> Path:
    """A run with train and eval loss, epochs, a warm-up of 10 steps, tokens."""
    logs: list[dict[str, float]] = []
    for step, loss in falling(points, seed):
        warm = min(1.0, step / 10)
        logs.append(
            {"step": step, "loss": loss, "learning_rate": rate * warm, "epoch": step / 40, "num_tokens": step * 512}
        )
    logs += [
        {"step": step, "eval_loss": loss + 0.02, "epoch": step / 40} for step, loss in falling(points, seed)[9::10]
    ]
    return write_state(folder, sorted(logs, key=lambda log: log["step"]))


def write_slow_run(folder: Path) -> Path:
    """A run whose learning rate is far too low, and the ``config.yaml`` that trains it again on the tiny model."""
    noise = np.random.default_rng(0).normal(0, 0.05, 80)
    logs: list[dict[str, float]] = [
        {"step": k + 1, "loss": float(6.5 - k / 2000 + noise[k]), "learning_rate": 1e-5} for k in range(80)
    ]
    logs += [{"step": 10 * k, "eval_loss": 6.4 - k / 100} for k in range(9)]
    config = {
        "method": "sft",
        "model_name_or_path": "tuner/tiny",
        "dataset_name": str(Path(__file__).parents[3] / "studies" / "data" / "orders-sft"),
        "learning_rate": 1e-5,
        "per_device_train_batch_size": 4,
        "max_steps": 80,
        "logging_steps": 1,
        "eval_steps": 10,
        "use_peft": True,
        "lora_r": 4,
        "max_length": 128,
        "bf16": False,
        "gradient_checkpointing": False,
        "use_cpu": True,
    }
    write_state(folder, sorted(logs, key=lambda log: log["step"]))
    (folder / "config.yaml").write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in config.items()))
    return folder


def write_overfit_run(path: Path) -> Path:
    """A CSV run whose eval loss rises while its train loss falls."""
    return write_csv(path, {"train_loss": falling(), "eval_loss": overfitting()})


def a_study(**changes: object) -> StudyResult:
    """A study of four trials: the file, two advised, one sampled and pruned; trial 2 is best."""
    first = {"learning_rate": 1e-5, "batch_size": 8}
    rise = {"learning_rate": (1e-5, 3e-5)}
    why = "the loss was still falling"
    trials = (
        TrialResult(0, first, 2.0, TrialState.COMPLETE, "underfit", "slow", curve=((1, 3), (2, 2))),
        TrialResult(
            1,
            {**first, "learning_rate": 3e-5},
            1.8,
            TrialState.COMPLETE,
            "underfit",
            "slow",
            None,
            advice_of("slow"),
            rise,
            why,
        ),
        TrialResult(
            2,
            {**first, "learning_rate": 1e-4},
            1.5,
            TrialState.COMPLETE,
            "healthy",
            proposer=advice_of("slow"),
            folder="trial-002",
        ),
        TrialResult(
            3,
            {"learning_rate": 1e-2, "batch_size": 16},
            None,
            TrialState.PRUNED,
            "unstable",
            proposer=Proposer.from_text("sampler:GP"),
        ),
    )
    known: dict[str, object] = {
        "name": "demo",
        "path": "demo.yaml",
        "method": "sft",
        "metric": "eval_loss",
        "direction": Direction.MINIMIZE,
        "space": {"learning_rate": Range(1e-6, 1e-2, log=True)},
        "trials": trials,
        "best": 2,
        "gain": Gain((Pair(1, 2.0, 1.5), Pair(2, 2.1, 1.6)), 0.5, 0.01),
        "records": (RuleRecord("slow", 2, 2, 0, 0),),
        "review": (
            Paragraph("The best rate is inside its range", ("Nothing to widen.",), {"learning_rate": {"low": 1e-5}}),
        ),
    }
    return StudyResult(**{**known, **changes})  # type: ignore[arg-type]


def write_study(folder: Path, study: StudyResult | None = None) -> Path:
    """``study.json`` as ``tuner study`` writes it, and the runs of trial 2."""
    folder.mkdir(parents=True, exist_ok=True)
    write_fine_run(folder / "trial-002")
    (folder / "trial-002" / "report.html").write_text("<p>the report of trial 2</p>")
    from tuner.study.report.write import as_json

    path = folder / "study.json"
    path.write_text(as_json(study or a_study()))
    return path


HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1)) **bold** :red[x] $x^2$ `code` https://example.com",
    "# heading\n- list",
    "=1+1",
    "\u202egpj.exe",
    "名前 run ñ",
)
"""Names that are markup, formulas, links or tricks of writing direction."""

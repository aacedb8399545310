"""Runs with a hand-made diagnosis, for the tests of charts and reports."""

from __future__ import annotations

import numpy as np

from diagnostics.model.curves import Curve, Run
from diagnostics.model.message import message
from diagnostics.model.records import Advice, Diagnosis, Finding, Label, Skipped
from diagnostics.model.settings import Settings

EMPTY = (Run("runs/empty", {}), Diagnosis("runs/empty", Label.UNKNOWN, None, 0.0, None))
HOSTILE = "runs/<script>alert('x')</script>\x1b[31m|`a`\n\"q\" & [b](javascript:c)"


def overfitted(name: str = "runs/a", n: int = 600) -> tuple[Run, Diagnosis]:
    """Three epochs over ``2 n`` steps; the held-out loss is lowest at step 400 of 1,200."""
    noise = np.random.default_rng(0).normal(0, 0.05, n)
    steps = 2.0 * np.arange(1, n + 1)
    share = steps / steps[-1]
    evals = np.linspace(100, 1200, 12)
    rate = 3e-4 * np.minimum(share / 0.1, 1.0) * (1.0 - 0.9 * share)
    run = Run(
        name,
        {
            "train_loss": Curve.from_points(steps, 2.5 - 1.5 * share + noise),
            "eval_loss": Curve.from_points(evals, 1.5 + ((evals - 400) / 800) ** 2),
            "learning_rate": Curve.from_points(steps, np.maximum(rate, 0.0)),
            "grad_norm": Curve.from_points(steps, 1.0 + np.abs(noise)),
            "epoch": Curve.from_points(steps, 3.0 * share),
        },
        Settings(method="sft", learning_rate=3e-4, num_train_epochs=3, max_grad_norm=1.0),
        ("one row was dropped",),
    )
    return run, overfit_verdict(name)


def overfit_verdict(name: str) -> Diagnosis:
    """An overfit with one finding, three kinds of advice and two rules that could not be evaluated."""
    finding = Finding(
        "eval-loss-rises", Label.OVERFIT, 400, 1200, {"rise": 0.183}, "the held-out loss rises by 18 %", 0.9
    )
    advice = (
        Advice("num_train_epochs", 3, 1, 1 / 3, "eval-loss-rises", "a lower end", 0.8, "train for one epoch"),
        Advice("learning_rate", None, None, 0.5, "eval-loss-rises", "a later minimum", 0.5, "halve it"),
        Advice("data", None, None, None, "eval-loss-rises", "a later rise", 0.3, "add rows"),
    )
    skipped = (
        Skipped("clipped-too-often", message("curve-missing", curves="grad_norm"), Label.UNSTABLE),
        Skipped("reward-collapse", message("curve-missing", curves="rewards_margins"), Label.UNSTABLE),
    )
    return Diagnosis(
        name, Label.OVERFIT, "eval-loss-rises", 0.9, 400, (finding,), advice, skipped, (message("text", text="a note"),)
    )


def healthy(run: Run) -> Diagnosis:
    """A verdict without a finding."""
    return Diagnosis(run.name, Label.HEALTHY, None, 0.8, None)


def of_points(name: str = "runs/points", **curves: list[tuple[float, float]]) -> tuple[Run, Diagnosis]:
    """A run of the given points with a healthy verdict."""
    run = Run.from_points(name, curves)
    return run, healthy(run)

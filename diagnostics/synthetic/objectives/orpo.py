"""Runs of ORPO."""

from __future__ import annotations

import numpy as np

from diagnostics.synthetic.synthetic_run import SyntheticRun, draw_accuracy


def orpo(run: SyntheticRun, strength: float) -> None:
    """A healthy ORPO run: the likelihood part falls as in SFT, and the odds of the chosen answers rise."""
    run.settings |= {"method": "orpo", "learning_rate": 6e-5, "beta": 0.1}
    run.rate *= 6e-5 / run.rate.max()
    _odds(run, 0.8 * (1.0 - np.exp(-3.0 * run.share)), 0.58 + 0.14 * (1.0 - np.exp(-3.0 * run.share)))


def _odds(run: SyntheticRun, log_odds: np.ndarray, accuracy: np.ndarray) -> None:
    """ORPO's tags for log odds and accuracies, whose part is added to both losses."""
    ratio = -np.log1p(np.exp(-log_odds))
    wiggle = run.rng.standard_normal((2, ratio.size))
    run.extra |= {"nll_loss": run.train.copy(), "eval_nll_loss": run.held.copy()}
    run.extra |= {"log_odds_ratio": ratio + 0.01 * wiggle[0], "eval_log_odds_ratio": ratio}
    run.extra |= {"log_odds_chosen": log_odds + 0.02 * wiggle[1], "eval_log_odds_chosen": log_odds}
    draw_accuracy(run, accuracy, accuracy)
    run.train = run.train - 0.1 * ratio
    run.held = run.held - 0.1 * ratio


def odds_dead(run: SyntheticRun, strength: float) -> None:
    """Only the likelihood part learns."""
    orpo(run, strength)
    run.train, run.held = run.extra["nll_loss"].copy(), run.extra["eval_nll_loss"].copy()
    moved = 0.12 * (1.0 - strength) * run.share
    _odds(run, 0.1 + moved, np.full_like(moved, 0.56))


def rejected_likelier(run: SyntheticRun, strength: float) -> None:
    """The columns are swapped."""
    orpo(run, strength)
    run.train, run.held = run.extra["nll_loss"].copy(), run.extra["eval_nll_loss"].copy()
    _odds(run, -0.3 - 1.2 * strength + 0.1 * run.share, np.full_like(run.share, 0.06))

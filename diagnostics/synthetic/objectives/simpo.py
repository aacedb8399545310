"""Runs of SimPO."""

from __future__ import annotations

import numpy as np

from diagnostics.synthetic.synthetic_run import SyntheticRun, draw_accuracy

SOFTPLUS_OF_ONE = 1.313
"""The loss that SimPO starts from at gamma 1."""


def simpo(run: SyntheticRun, strength: float) -> None:
    """A healthy SimPO run: the loss leaves softplus(gamma), the chosen answers lose a little likelihood."""
    gone = 1.0 - np.exp(-8.0 * run.share)
    run.settings |= {"method": "simpo", "learning_rate": 5e-6, "beta": 2.0, "loss_type": "simpo", "simpo_gamma": 1.0}
    run.rate *= 5e-6 / run.rate.max()
    _simpo_rewards(run, -1.0 - 0.06 * gone, -1.05 - 0.5 * gone)
    draw_accuracy(run, 0.55 + 0.2 * gone, 0.55 + 0.18 * gone)
    run.train = SOFTPLUS_OF_ONE - 0.35 * gone
    run.held = SOFTPLUS_OF_ONE - 0.3 * gone


def _simpo_rewards(run: SyntheticRun, chosen: np.ndarray, rejected: np.ndarray) -> None:
    """SimPO's rewards, which are beta times the mean log-probability of a token."""
    run.extra |= {"logps_chosen": chosen, "logps_rejected": rejected, "eval_logps_chosen": chosen}
    run.extra |= {"rewards_chosen": 2.0 * chosen, "rewards_rejected": 2.0 * rejected}
    run.extra |= {"rewards_margins": 2.0 * (chosen - rejected), "eval_rewards_margins": 2.0 * (chosen - rejected)}


def simpo_still(run: SyntheticRun, strength: float) -> None:
    """The loss hardly leaves softplus(gamma)."""
    simpo(run, strength)
    gone = (1.0 - strength) * run.share
    _simpo_rewards(run, -1.0 - 0.01 * gone, -1.05 - 0.03 * gone)
    draw_accuracy(run, 0.55 + 0.04 * gone, 0.55 + 0.04 * gone)
    run.train = SOFTPLUS_OF_ONE * (1.0 - 0.06 * gone)
    run.held = run.train.copy()
    run.settings["learning_rate"] = 5e-8
    run.rate *= 5e-8 / run.rate.max()


def simpo_degenerates(run: SyntheticRun, strength: float) -> None:
    """Both answers become far less likely, the rejected ones more so."""
    simpo(run, strength)
    fall = (0.3 + 2.5 * strength) * run.share
    _simpo_rewards(run, -1.0 - fall, -1.05 - 2.5 * fall)

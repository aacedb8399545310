"""Runs of KTO, ORPO, SimPO, of reward models and of distillation, sound and with the faults of their losses."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics.synthetic.synthetic_run import Fault, SyntheticRun, draw_accuracy, draw_rewards

LN2 = float(np.log(2.0))
SOFTPLUS_OF_ONE = 1.313
"""The loss that SimPO starts from at gamma 1."""


def kto(run: SyntheticRun, strength: float) -> None:
    """A healthy KTO run: the loss leaves 0.5, the margin grows to 2."""
    gone = 1.0 - np.exp(-8.0 * run.share)
    run.settings |= {"method": "kto", "learning_rate": 5e-6, "beta": 0.1, "loss_type": None}
    run.rate *= 5e-6 / run.rate.max()
    draw_rewards(run, 0.6 * gone, -1.4 * gone)
    run.extra["kl"] = 2.0 * gone
    _without_accuracies(run)
    run.train = 0.5 - 0.09 * gone
    run.held = 0.5 - 0.08 * gone


def kto_away(run: SyntheticRun, strength: float) -> None:
    """Both rewards run far below 0 together, and the loss is back at 0.5."""
    kto(run, strength)
    fall = (4.0 + 60.0 * strength) * np.minimum(1.0, 2.0 * run.share)
    draw_rewards(run, -fall, -fall - 0.5)
    _without_accuracies(run)
    run.train = 0.5 - 0.02 * run.share * (1.0 - run.share)
    run.held = run.train * 1.001
    run.settings["learning_rate"] = 2e-4
    run.rate *= 2e-4 / run.rate.max()


def kto_still(run: SyntheticRun, strength: float) -> None:
    """The policy hardly leaves its reference."""
    kto(run, strength)
    draw_rewards(run, 0.04 * (1.0 - strength) * run.share, -0.1 * (1.0 - strength) * run.share)
    _without_accuracies(run)
    run.train = 0.5 - 0.015 * (1.0 - strength) * run.share
    run.held = run.train.copy()
    run.train_noise = 0.1
    run.settings["learning_rate"] = 5e-8
    run.rate *= 5e-8 / run.rate.max()


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


def reward_model(run: SyntheticRun, strength: float) -> None:
    """A healthy reward model: the loss leaves ln 2, the accuracy reaches 72 %."""
    gone = 1.0 - np.exp(-8.0 * run.share)
    run.settings |= {"method": "reward", "learning_rate": 1e-4, "loss_type": None, "beta": None}
    run.rate *= 1e-4 / run.rate.max()
    _scores(run, 0.9 * gone, 0.5 + 0.24 * gone, 0.5 + 0.22 * gone)
    run.train = LN2 - 0.14 * gone
    run.held = LN2 - 0.12 * gone


def _scores(run: SyntheticRun, margin: np.ndarray, train: np.ndarray, held: np.ndarray) -> None:
    """A reward model's tags, with the scatter of batches."""
    for tag in [tag for tag in run.extra if "rewards" in tag or "logps" in tag]:
        del run.extra[tag]
    wiggle = run.rng.standard_normal((2, margin.size))
    run.extra |= {"accuracy": np.clip(train + 0.03 * wiggle[0], 0.0, 1.0), "eval_accuracy": held}
    run.extra |= {"margin": margin + 0.005 * wiggle[1], "eval_margin": 0.9 * margin, "reward": 0.2 * margin}


def scores_still(run: SyntheticRun, strength: float) -> None:
    """A reward model that tells nothing apart."""
    reward_model(run, strength)
    _scores(run, 0.03 * (1.0 - strength) * run.share, np.full_like(run.share, 0.5), np.full_like(run.share, 0.5))
    run.train = LN2 - 0.01 * (1.0 - strength) * run.share
    run.held = run.train.copy()
    run.train_noise = 0.1
    run.settings |= {"learning_rate": None}
    run.unlogged = frozenset({"learning_rate"})


def scores_below(run: SyntheticRun, strength: float) -> None:
    """Training pairs are fitted, held-out pairs are ranked the wrong way round."""
    reward_model(run, strength)
    gone = 1.0 - np.exp(-3.0 * run.share)
    _scores(run, 3.0 * gone, 0.5 + 0.45 * gone, 0.5 - (0.05 + 0.3 * strength) * gone)
    run.train = LN2 - 0.5 * gone
    run.held = LN2 + 0.01 * gone


def hidden_overfit(run: SyntheticRun, strength: float) -> None:
    """Three epochs: the held-out loss turns and rises, the accuracy stays."""
    reward_model(run, strength)
    run.settings["num_train_epochs"] = 3.0
    run.train = run.train - 0.35 * np.clip(run.share - 0.3, 0.0, None)
    run.held = LN2 - 0.1 * np.minimum(1.0, run.share / 0.3) + 0.3 * strength * np.clip(run.share - 0.4, 0.0, None)
    run.extra["eval_accuracy"] = np.full_like(run.share, 0.7)


def scores_drift(run: SyntheticRun, strength: float) -> None:
    """All scores move away from 0 together."""
    reward_model(run, strength)
    run.extra["reward"] = (5.0 + 20.0 * strength) * run.share


def distillation(run: SyntheticRun, strength: float) -> None:
    """A healthy GKD run: given answers on one batch, the student's own on the next, whose losses are another's."""
    run.settings |= {"method": "gkd", "learning_rate": 1.5e-4, "beta": 0.0, "lmbda": 0.5}
    run.rate *= 1.5e-4 / run.rate.max()
    own = run.rng.random(run.train.size) < 0.5
    run.held = 0.2 + 1.2 * (1.0 + 40.0 * run.share) ** -0.7
    run.train = run.held * np.where(own, 0.3, 1.0)
    run.unlogged = run.unlogged | {"entropy", "eval_entropy", "mean_token_accuracy", "eval_mean_token_accuracy"}


def teacher_far(run: SyntheticRun, strength: float) -> None:
    """The distance to the teacher hardly falls."""
    distillation(run, strength)
    run.held = 1.4 * (1.0 - 0.05 * (1.0 - strength) * run.share)
    run.train = run.held.copy()
    run.settings |= {"learning_rate": None, "lr_scheduler_type": None}
    run.unlogged = run.unlogged | {"learning_rate"}


def above_bound(run: SyntheticRun, strength: float) -> None:
    """The divergence is summed over the tokens."""
    distillation(run, strength)
    run.settings["beta"] = 0.5
    run.train, run.held = run.train * (1.0 + 30.0 * strength), run.held * (1.0 + 30.0 * strength)


def _without_accuracies(run: SyntheticRun) -> None:
    """KTO has no pairs, so none are ranked."""
    for tag in ("rewards_accuracies", "eval_rewards_accuracies"):
        run.extra.pop(tag, None)


OBJECTIVES_OF_PAIRS: Mapping[str, Fault] = {
    "kto-policy-runs-away": kto_away,
    "kto-policy-hardly-moves": kto_still,
    "simpo-hardly-learns": simpo_still,
    "simpo-degenerates": simpo_degenerates,
    "scores-at-chance": scores_still,
    "scores-below-chance": scores_below,
    "accuracy-hides-overfit": hidden_overfit,
    "scores-drift": scores_drift,
}
OBJECTIVES_OF_TOKENS: Mapping[str, Fault] = {
    "odds-ratio-part-dead": odds_dead,
    "rejected-stays-likelier": rejected_likelier,
    "teacher-not-approached": teacher_far,
    "distance-above-bound": above_bound,
}
HEALTHY_OF_PAIRS: Mapping[str, Fault] = {"healthy-kto": kto, "healthy-simpo": simpo, "healthy-reward": reward_model}
HEALTHY_OF_TOKENS: Mapping[str, Fault] = {"healthy-orpo": orpo, "healthy-gkd": distillation}

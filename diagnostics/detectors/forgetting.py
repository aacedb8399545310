"""What a run forgets: the loss on general text rises, far or for nothing."""

from __future__ import annotations

import math

import numpy as np

from diagnostics.detectors.preconditions import enough, finite
from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings


def general_text_forgotten(
    eval_general_loss: Curve, settings: Settings, *, rise: float, min_evals: int
) -> Evidence | None:
    """The loss on general text ends ``rise`` nats a token above where it began."""
    began, ended = _ends(eval_general_loss, settings, min_evals)
    if ended - began < rise:
        return None
    return _since_half(eval_general_loss, {"rise": ended - began, "start": began, "end": ended}, 0.6 + ended - began)


def forgets_for_nothing(
    eval_general_loss: Curve,
    settings: Settings,
    eval_loss: Curve | None = None,
    eval_reward: Curve | None = None,
    *,
    rise: float,
    late_share: float,
    gain: float,
    min_evals: int,
) -> Evidence | None:
    """The loss on general text ends ``rise`` above its start, and the last ``late_share`` of that bought nothing.

    Nothing is bought where no evaluation since then is better than the best until then by ``gain`` of it. What the run
    is for is the held-out reward where it is logged, else the held-out loss.
    """
    began, ended = _ends(eval_general_loss, settings, min_evals)
    target = eval_loss if eval_reward is None else eval_reward
    if target is None:
        raise NotEnoughPoints("curve-missing", curves="eval_loss")
    if ended - began < rise:
        return None
    lower = np.flatnonzero(eval_general_loss.values <= ended - late_share * (ended - began))
    turn = float(eval_general_loss.steps[lower[-1]])
    losses = target.values if eval_reward is None else -target.values
    until, since = losses[target.steps <= turn], losses[target.steps > turn]
    if not until.size or not since.size:
        raise NotEnoughPoints("too-few-points", have=len(target), need=min_evals, what="evaluations")
    bought = float(until.min() - since.min())
    if bought >= gain * max(abs(float(until.min())), _scale(losses)):
        return None
    measured = {"rise": ended - began, "start": began, "end": ended, "step": turn, "bought": bought}
    return Evidence(turn, float(eval_general_loss.steps[-1]), finite(measured), min(1.0, 0.7 + ended - began))


def _ends(curve: Curve, settings: Settings, min_evals: int) -> tuple[float, float]:
    """Where the loss on general text began, and the mean of its last two values.

    Raises ``NotEnoughPoints`` for a text that the model never knew: what it predicts worse than chance, it cannot
    forget.
    """
    enough(curve, min_evals, "evaluations of general text")
    began = float(curve.values[0])
    if settings.vocab_size and began >= math.log(settings.vocab_size):
        raise NotEnoughPoints("general-text-unknown", start=began, chance=math.log(settings.vocab_size))
    return began, float(np.mean(curve.values[-2:]))


def _scale(losses: FloatArray) -> float:
    """How far the target came in all: a reward near 0 has no level to take a share of."""
    return float(np.ptp(losses)) if losses.size and losses.min() <= 0.0 else 0.0


def _since_half(curve: Curve, measured: dict[str, float], strength: float) -> Evidence:
    """Evidence from where half of the rise was reached."""
    half = np.flatnonzero(curve.values >= measured["start"] + 0.5 * measured["rise"])
    return Evidence(float(curve.steps[half[0]]), float(curve.steps[-1]), finite(measured), min(1.0, strength))

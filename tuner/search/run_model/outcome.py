"""How likely a run under way turns out the best: what the model expects of its settings, and where its curve goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from diagnostics.model.curves import FloatArray
from tuner.search.forecast import Chances
from tuner.search.run_model.acquire import expected_improvement
from tuner.search.run_model.posterior import Posterior


def chances_by_model(model: Posterior, settings: Mapping[str, Any], ends: FloatArray) -> Chances:
    """What finishing a run may bring, where its end is as likely at each of ``ends`` (heights) by its curve alone.

    For each particle the end is the height of the settings and the noise between seeds; both together tell the height.
    """
    from scipy.special import ndtr

    means, variances = (found[:, 0, None] for found in model.heights([settings]))
    noise = model.noises[:, None] ** 2
    log_weights = -0.5 * (ends - means) ** 2 / (variances + noise) - 0.5 * np.log(variances + noise)
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    share = variances / (variances + noise)
    drop = model.lowest[:, None] - (means + share * (ends - means))
    deviation = np.sqrt(share * noise)
    improvement = expected_improvement(drop, deviation)
    return Chances(float((weights * ndtr(drop / deviation)).sum()), float((weights * improvement).sum()))

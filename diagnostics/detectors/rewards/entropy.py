"""The entropy of the policy and its distance to the sampler: a policy that dissolves, one that no longer explores."""

from __future__ import annotations

import numpy as np

from diagnostics.detectors.preconditions import enough, finite
from diagnostics.detectors.rewards.windows import (
    Groups,
    at_ceiling,
    best_window,
    end,
    end_window,
    judged,
    last_logs,
    rises,
    runs_of,
    start,
    t_between,
    thirds_t,
)
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence


def entropy_explodes(
    entropy: Curve,
    reward: Curve,
    sampler_gap: Curve | None = None,
    *,
    times: float,
    more: float,
    gap: float,
    left: float,
    t: float,
    confirm: int,
    min_points: int,
) -> Evidence | None:
    """The entropy ends far above its start, beside a sampler that left the trainer or a reward that fell."""
    enough(entropy, min_points, "entropies")
    began = start(entropy.values)
    high = entropy.values > times * began
    if not last_logs(high, confirm) or began <= 0.0:
        return None
    apart = sampler_gap is not None and last_logs(sampler_gap.values > gap, confirm)
    best, last = best_window(reward.values), end_window(reward.values)
    lost = last.mean < left * best.mean and t_between(last, best) > t and end(entropy.values) > began + more
    if not apart and not lost:
        return None
    first = float(entropy.steps[int(np.argmax(high))])
    return Evidence(first, float(entropy.steps[-1]), finite({"start": began, "end": end(entropy.values)}))


def exploration_gone(
    entropy: Curve, groups: Groups, *, left: float, lowest: float, noise: float, t: float, min_points: int
) -> Evidence | None:
    """The entropy is nearly gone, more and more groups are equal, and the reward does not rise, below its ceiling."""
    reward = groups.reward
    enough(entropy, min_points, "entropies")
    enough(reward, min_points, "rewards")
    began, ends = start(entropy.values), end(entropy.values)
    if began <= 0.0 or not (ends < left * began or ends < lowest < began):
        return None
    judged(reward, noise)
    if not groups.known:
        raise NotEnoughPoints("curve-missing", curves="frac_reward_zero_std, reward_std, grad_norm")
    if rises(reward.values) or at_ceiling(reward) or thirds_t(groups.equal) < t:
        return None
    low = np.flatnonzero(entropy.values < max(left * began, lowest))
    return Evidence(float(entropy.steps[low[0]]), float(entropy.steps[-1]), finite({"start": began, "end": ends}))


def sampler_drifts(
    sampler_gap: Curve, importance_ratio: Curve | None = None, *, gap: float, times: float, ratio: float, confirm: int
) -> Evidence | None:
    """The sampler's log-probabilities are far from the trainer's in several logs in a row."""
    enough(sampler_gap, confirm, "log-probability gaps")
    values = sampler_gap.values
    first = runs_of(values > gap, confirm)
    grown = runs_of((values > times * max(start(values), 1e-12)) & (values > 0.5 * gap), confirm - 1)
    below = None
    if importance_ratio is not None and len(importance_ratio) >= confirm:
        below = runs_of(importance_ratio.values < ratio, confirm - 1)
    hits = [one for one in (first, grown, below) if one is not None]
    if not hits:
        return None
    at = min(min(hits), len(sampler_gap) - 1)
    measured = {"gap": float(values.max()), "start": start(values)}
    return Evidence(float(sampler_gap.steps[at]), float(sampler_gap.steps[-1]), finite(measured))


def clips_many_tokens(clip_ratio: Curve, *, ratio: float, confirm: int) -> Evidence | None:
    """A large share of the tokens is clipped in several logs in a row: the sampled answers are stale."""
    enough(clip_ratio, confirm, "shares of clipped tokens")
    first = runs_of(clip_ratio.values > ratio, confirm)
    if first is None:
        return None
    measured = {"ratio": float(clip_ratio.values[first:].mean())}
    return Evidence(float(clip_ratio.steps[first]), float(clip_ratio.steps[-1]), finite(measured))

"""Programs that watch runs which learn from rewards: their published limits, as questions whether a run is in trouble.

What a program cannot be asked on a log counts as no alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.verdicts.rivals.rival import values_of
from diagnostics.model.curves import FloatArray, Run


def _end(values: FloatArray) -> float:
    """The mean of the last tenth, nan where nothing is logged."""
    return float(values[-max(1, values.size // 10) :].mean()) if values.size else float("nan")


def _start(values: FloatArray) -> float:
    return float(values[: max(1, values.size // 10)].mean()) if values.size else float("nan")


def _in_a_row(found: FloatArray | np.ndarray, count: int) -> bool:
    """Whether a condition holds in so many logs in a row."""
    longest = current = 0
    for one in found:
        current = current + 1 if one else 0
        longest = max(longest, current)
    return longest >= count


def rldoctor(run: Run) -> bool:
    """Rldoctor 0.2.0, any critical finding.

    Equal groups 0.75, gradients of exactly 0 in 40 % of the logs, entropy below a tenth of its start, 15 % of the
    answers cut off, divergence above 2, 40 % of the tokens clipped.
    """
    equal, norm, entropy = (values_of(run, name) for name in ("frac_reward_zero_std", "grad_norm", "entropy"))
    cut, kl, clip = (values_of(run, name) for name in ("clipped_ratio", "kl_divergence", "clip_ratio"))
    return bool(
        (equal.size and equal.mean() >= 0.75)
        or (norm.size and np.mean(norm == 0.0) >= 0.4)
        or _end(entropy) < 0.1 * _start(entropy)
        or _end(cut) >= 0.15
        or _end(kl) > 2.0
        or _end(clip) > 0.4
    )


def rlprobe(run: Run) -> bool:
    """Rlprobe 0.1.0.

    Equal groups above 0.4 in 15 logs in a row; a spread of the rewards below 0.05 that began three times as large; half
    of the answers cut off, twice as many as at the start; an entropy of 1 that falls below 0.25; a divergence of eight
    times its early median and 0.5.
    """
    equal, spread, cut = (values_of(run, name) for name in ("frac_reward_zero_std", "reward_std", "clipped_ratio"))
    entropy, kl = values_of(run, "entropy"), values_of(run, "kl_divergence")
    early = float(np.median(kl[: max(1, kl.size // 3)])) if kl.size else float("nan")
    return bool(
        _in_a_row(equal > 0.4, 15)
        or (_end(spread) < 0.05 and _start(spread) >= 0.15)
        or (_end(cut) > 0.5 and _end(cut) > 2.0 * _start(cut))
        or (_start(entropy) > 1.0 and _end(entropy) < 0.25)
        or (_end(kl) > 8.0 * early and _end(kl) > 0.5)
    )


def rlwatch(run: Run) -> bool:
    """Rlwatch 0.5.1: entropy below 1 for 50 steps, or a gradient norm 3 deviations above the first 20 logs."""
    entropy, norm = run.curves.get("entropy"), values_of(run, "grad_norm")
    if entropy is not None and len(entropy) > 1:
        a_log = float(np.median(np.diff(entropy.steps)))
        if _in_a_row(entropy.values < 1.0, max(1, round(50.0 / a_log))):
            return True
    return bool(norm.size > 20 and norm[20:].max() > norm[:20].mean() + 3.0 * norm[:20].std())


def axolotl(run: Run) -> bool:
    """The ranges of Axolotl's page on stability, at the end of a run.

    Entropy from 0.05 to 0.5, at most 0.8 equal groups and 30 % of the answers cut off, divergence up to 2, sampler and
    trainer within 0.1 nats; reward 0.15 at step 20.
    """
    reward = run.curves.get("reward")
    slow = reward is not None and len(reward) > 1 and reward.steps[-1] >= 20 and float(reward.at([20.0])[0]) < 0.15
    entropy, gap = _end(values_of(run, "entropy")), values_of(run, "sampler_gap")
    return bool(
        slow
        or entropy < 0.05
        or entropy > 0.5
        or _end(values_of(run, "frac_reward_zero_std")) > 0.8
        or _end(values_of(run, "clipped_ratio")) > 0.3
        or _end(values_of(run, "kl_divergence")) > 2.0
        or (gap.size and gap.max() > 0.1)
    )


def soup(run: Run) -> bool:
    """Soup, ``soup why``: a loss above three times its start has diverged, whatever the method."""
    loss = values_of(run, "train_loss")
    return bool(loss.size > 2 and _end(loss) > 3.0 * loss[0] > 0.0)


DOCTORS: Mapping[str, Callable[[Run], bool]] = {
    "rldoctor": rldoctor,
    "rlprobe": rlprobe,
    "rlwatch": rlwatch,
    "Axolotl's ranges": axolotl,
    "Soup": soup,
}

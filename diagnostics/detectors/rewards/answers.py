"""The lengths of the answers: cut off by the limit, without an end, longer or shorter for nothing."""

from __future__ import annotations

from diagnostics.detectors.preconditions import enough, finite, throughout
from diagnostics.detectors.rewards.windows import (
    at_ceiling,
    end,
    judged,
    noise,
    rises,
    scale_of,
    start,
    third,
    thirds_t,
)
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings


def answers_cut_off(
    clipped_ratio: Curve, reward: Curve, *, ratio: float, first: float, min_points: int, min_steps: float
) -> Evidence | None:
    """From the first log to the last nearly all answers are cut off by the length limit, short of the best reward."""
    enough(clipped_ratio, min_points, "shares of answers cut off")
    if clipped_ratio.steps[-1] < min_steps:
        raise NotEnoughPoints("too-few-points", have=int(clipped_ratio.steps[-1]), need=int(min_steps), what="steps")
    values = clipped_ratio.values
    if values[0] < first or min(third(values, 0).mean(), third(values, -1).mean()) < ratio or at_ceiling(reward):
        return None
    return throughout(clipped_ratio, {"ratio": float(values.mean())})


def answers_run_into_limit(
    clipped_ratio: Curve, *, ratio: float, falls: float, early: float, min_points: int
) -> Evidence | None:
    """In the last third many answers are cut off by the length limit, and the share is not on its way to 0.

    Where it began below ``early``, that is the rule on lost ends.
    """
    enough(clipped_ratio, min_points, "shares of answers cut off")
    values = clipped_ratio.values
    late = third(values, -1)
    leaves = thirds_t(values) <= -falls and end(values) < ratio
    if late.mean() < ratio or leaves or (start(values) < early and end(values) > ratio):
        return None
    first = float(clipped_ratio.steps[-late.size])
    return Evidence(first, float(clipped_ratio.steps[-1]), finite({"ratio": float(late.mean())}))


def stop_token_lost(
    clipped_ratio: Curve,
    settings: Settings,
    completion_length: Curve | None = None,
    *,
    early: float,
    late: float,
    of_limit: float,
    min_points: int,
) -> Evidence | None:
    """Answers ended by themselves at first and no longer do: most now run on until the limit cuts them."""
    enough(clipped_ratio, min_points, "shares of answers cut off")
    values = clipped_ratio.values
    began, ends = start(values), end(values)
    if began >= early or ends <= late:
        return None
    limit = settings.max_completion_length
    measurable = limit and completion_length is not None and len(completion_length) >= min_points
    if measurable and end(completion_length.values) < of_limit * limit:  # type: ignore[union-attr,operator]
        return None
    first = float(clipped_ratio.steps[int((values > late).argmax())])
    return Evidence(first, float(clipped_ratio.steps[-1]), finite({"start": began, "end": ends}))


def answers_lengthen_for_nothing(
    completion_length: Curve, reward: Curve, *, times: float, t: float, earned: float, noise: float, min_points: int
) -> Evidence | None:
    """The answers grow far longer while the reward does not rise in step."""
    enough(completion_length, min_points, "lengths")
    enough(reward, min_points, "rewards")
    began, ends = start(completion_length.values), end(completion_length.values)
    if began <= 0.0 or ends < times * began or thirds_t(completion_length.values) < t:
        return None
    judged(reward, noise)
    gain = _gain(reward)
    if rises(reward.values) and gain >= earned * (ends / began - 1.0):
        return None
    if at_ceiling(reward) or (rises(reward.values) and gain > 0.5 * earned):
        return None
    return throughout(completion_length, {"start": began, "end": ends, "times": ends / began})


def answers_shrink(
    completion_length: Curve, reward: Curve, *, times: float, t: float, noise: float, min_points: int
) -> Evidence | None:
    """The answers shrink to less than half while the reward does not rise."""
    enough(completion_length, min_points, "lengths")
    enough(reward, min_points, "rewards")
    began, ends = start(completion_length.values), end(completion_length.values)
    if began <= 0.0 or ends > times * began or thirds_t(completion_length.values) > -t:
        return None
    judged(reward, noise)
    if rises(reward.values) or at_ceiling(reward):
        return None
    return throughout(completion_length, {"start": began, "end": ends, "times": ends / began})


def _gain(reward: Curve) -> float:
    """The rise of the reward as a share of where it began, or of its width where that was near 0."""
    began, ends = start(reward.values), end(reward.values)
    level = max(abs(began), noise(reward.values), 0.05 * scale_of(reward))
    return (ends - began) / level

"""Findings weighed against one another: one reading of a run decides, and doubt lowers its confidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from diagnostics import signals
from diagnostics.detectors.preconditions import share_of_run
from diagnostics.model.curves import Curve
from diagnostics.model.evidence import Evidence
from diagnostics.model.outlook import MANY_PASSES, Outlook
from diagnostics.model.rate_estimate import RateEstimate, RateSide
from diagnostics.model.records import Label
from diagnostics.rules import Case, Rule

Fired = tuple[Rule, Evidence]

MIN_CALM_EVALS = 6
CALM_RISE = 0.05
"""A held-out loss is calm while it rises by no more than this share of its descent above its lowest value so far."""
CALM_FROM = 0.25
"""The share of the run by which its evaluations must begin."""
OF_BATCHES, NOISY = ("loss-spikes", "jitter-grows"), 0.1
"""Rules that a calm held-out loss overrules, where the training loss scatters by this share of itself."""
OUTWEIGHED = (
    "loss-spikes",
    "train-and-eval-jitter",
    "loss-swings",
    "jitter-grows",
    "warmup-too-short",
    "gradients-grow",
    "gradients-spike",
    "eval-jitters-more",
    "clips-most-steps",
)
"""Signs of too high a rate that a run at too low a rate may show too."""
UNSHARED = 0.6
"""What remains of the confidence of a finding that blames too high a rate and that the look of the run does not share.

That a rate is too low is inferred from the form of the whole fall, which the look and the estimate of the rate read by
runs whose end is known: such a finding is no surer than the surer of the two. (Of findings with a look of 0.6 to 0.8
three in five were of sick runs, whatever the rule claimed, of those with 0.98 99 in 100. Too high a rate shows by
itself: of 95 findings with a look below 0.8 one was wrong.)"""
LEAST_UNSHARED, LEAST_OF_LOW = 0.45, 0.75
"""A finding that blames a rate and that the look does not share is named from this confidence on. One of too low a rate
takes the second, unless it is known which rates such runs take, which no look asks: of eleven such findings below it
five held, of four above it all. After many passes it is not named."""
ABSENT = ("fall-not-shown",)
"""What was not seen outweighs nothing that was."""
RATE = "learning_rate"
RAISES = {Label.UNDERFIT: 1}
"""Where a fix computes its factor, the label says which way it goes."""


@dataclass(frozen=True)
class Weighed:
    """The findings that remain, in the order of the table, and how sure the first deciding one is beside the others.

    ``share`` is 1 where nothing spoke for another reading, else what the reading has of the weight of both.
    ``overruled``: a calm held-out loss spoke against a finding. No verdict is surer than ``most``, and none less sure
    than ``least`` is given: then the look does not share what decides.
    """

    fired: tuple[Fired, ...]
    share: float = 1.0
    overruled: bool = False
    most: float = 1.0
    least: float = 0.0

    @property
    def deciding(self) -> tuple[Fired, ...]:
        """The findings that may set the label; the first one does."""
        return tuple((rule, found) for rule, found in self.fired if rule.sets_label)


def weigh(
    fired: Sequence[Fired],
    case: Case,
    curves: Mapping[str, Curve],
    rate: RateEstimate | None,
    look: Outlook | None = None,
) -> Weighed:
    """The findings that stand beside one another.

    Two rules. A held-out loss that falls calmly, always of the same rows, decides over spikes and jitter of training
    losses that are noisy by themselves: those findings are kept and set no label. And the learning rate moves one way:
    of findings that would raise it and findings that would cut it those remain whose confidence times the probability
    of their direction is higher. Nothing outweighs a run that blew up or overfits. Where the look of the run does not
    share what decides, less of its confidence remains.
    """
    calm = _falls_calmly(curves.get("train_loss"), curves.get("eval_loss"))
    overruled = [rule for rule, _ in fired if calm and _is_of_batches(rule, curves.get("train_loss"))]
    kept = [(replace(rule, sets_label=False) if rule in overruled else rule, found) for rule, found in fired]
    weighed = _one_direction(kept, case, rate)
    weighed = replace(weighed, overruled=bool(overruled))
    main = weighed.deciding[0][0] if weighed.deciding else None
    if main is None or main.blames is None or look is None:
        return weighed
    return _beside_look(weighed, main, case, rate, look)


def _beside_look(weighed: Weighed, main: Rule, case: Case, rate: RateEstimate | None, look: Outlook) -> Weighed:
    """The findings with what the look of the run leaves of the one that decides and blames the rate."""
    shared = look.shares(main.label)
    if main.blames is RateSide.TOO_HIGH:
        return weighed if shared else replace(weighed, least=LEAST_UNSHARED, share=UNSHARED * weighed.share)
    by_estimate = rate.chance(RateSide.TOO_LOW) if rate is not None else 0.0
    least = 0.0 if shared else _least_of_low(case, rate, look)
    return replace(weighed, least=least, most=max(look.of_label(main.label), by_estimate))


def _least_of_low(case: Case, rate: RateEstimate | None, look: Outlook) -> float:
    """From which confidence on a finding of too low a rate is named that the look does not share; by 1 it never is."""
    if look.passes >= MANY_PASSES:
        return 1.0
    known = rate is not None and case.rate_prior.relative(rate.rate) is not None
    return LEAST_UNSHARED if known else LEAST_OF_LOW


def _is_of_batches(rule: Rule, train_loss: Curve | None) -> bool:
    """Whether a rule finds unrest that single batches of a noisy loss may show."""
    return rule.name in OF_BATCHES and train_loss is not None and signals.jitter(train_loss.values) >= NOISY


def _falls_calmly(train_loss: Curve | None, eval_loss: Curve | None) -> bool:
    """Whether the held-out loss comes down without rising on its way, from early in the run on."""
    if train_loss is None or eval_loss is None or len(eval_loss) < MIN_CALM_EVALS or eval_loss.broken:
        return False
    values = eval_loss.values
    descent = float(values[0] - values.min())
    early = share_of_run(train_loss, float(eval_loss.steps[0])) <= CALM_FROM
    return early and descent > 0.0 and signals.largest_rise(values) <= CALM_RISE * descent


def _one_direction(fired: Sequence[Fired], case: Case, rate: RateEstimate | None) -> Weighed:
    """The findings of the direction that weighs more, and those of none."""
    sides = [_direction(rule, found, case) if rule.sets_label else 0 for rule, found in fired]
    if rate is None or not {-1, 1} <= set(sides):
        return Weighed(tuple(fired))
    chances = {-1: rate.probability_above(0.0), 1: rate.probability_below(0.0)}
    weights = {
        side: max(
            rule.confidence * found.strength * chances[side] * (rule.name not in ABSENT)
            for (rule, found), mine in zip(fired, sides, strict=True)
            if mine == side
        )
        for side in (-1, 1)
    }
    certain = any(side < 0 and rule.name not in OUTWEIGHED for (rule, _), side in zip(fired, sides, strict=True))
    winner = 1 if weights[1] > weights[-1] and not certain else -1
    kept = tuple(pair for pair, side in zip(fired, sides, strict=True) if side != -winner)
    return Weighed(kept, 1.0 if certain else weights[winner] / max(weights[1] + weights[-1], 1e-9))


def _direction(rule: Rule, found: Evidence, case: Case) -> int:
    """1 where the rule's first fix raises the learning rate, -1 where it cuts it, 0 where it is another one."""
    mine = replace(case, measured=found.measured)
    first = next((fix for fix in rule.fixes if fix.when is None or fix.when(mine)), None)
    if first is None or first.knob != RATE:
        return 0
    return (1 if first.times > 1.0 else -1) if isinstance(first.times, float) else RAISES.get(rule.label, -1)

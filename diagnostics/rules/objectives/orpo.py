"""ORPO, which adds the odds of an answer to the likelihood: a part that is dead, pairs the wrong way round."""

from __future__ import annotations

from diagnostics.detectors.objectives import orpo
from diagnostics.model.records import Label
from diagnostics.rules.rule import Fix, Rule

ODDS_RATIO_PART_DEAD = Rule(
    name="odds-ratio-part-dead",
    label=Label.UNDERFIT,
    check=orpo.odds_ratio_part_dead,
    limits={
        "moves": 0.03,  # the most that the log odds ratio moved
        "accuracy": 0.02,  # the most that the share of pairs ranked right moved
        "nll_fall": 0.05,  # the least share that the likelihood part lost meanwhile
        "min_points": 8,
        "min_share_done": 0.9,  # of the planned steps
    },
    message="the likelihood part falls to {nll:.3g} while the log odds ratio stays ({start:.2g} to {end:.2g})",
    cause="Beta or the learning rate is too small for the part that compares answers: this is supervised fine-tuning.",
    fixes=(
        Fix("beta", "use {factor:times} the beta", "log odds that rise", times=3.0, at_most=1.0),
        Fix("learning_rate", "use {factor:times} the learning rate", "log odds that rise", times=3.0, weight=0.7),
    ),
    confidence=0.75,
    example="nll_loss 1.4 to 1.1, log_odds_ratio -0.66 to -0.65, accuracy 0.55 all along",
    sources=("ORPO, 2403.07691", "TRL's ORPO loss: at beta 0.1 this part is 0.069 of 1 to 3"),
    not_when="less than 100 steps",
    methods=("orpo",),
)

REJECTED_STAYS_LIKELIER = Rule(
    name="rejected-stays-likelier",
    label=Label.BROKEN,
    check=orpo.rejected_stays_likelier,
    limits={
        "accuracy": 0.2,  # the most pairs ranked right, at the start and at the end
        "log_odds": -0.5,  # the highest log odds of the chosen answers, at the start and at the end
        "min_points": 8,
    },
    message="the rejected answers stay likelier: {accuracy:.0%} of the pairs ranked right, log odds {log_odds:.2g}",
    cause="The columns are swapped, or the chosen answers are far longer or of another model than the one trained.",
    fixes=(
        Fix(
            "data",
            "read five pairs and compare their lengths; train on the chosen answers first",
            "more pairs ranked right",
        ),
    ),
    confidence=0.8,
    example="accuracy 0.0 for 100 steps, log_odds_chosen -1.0 to -0.8",
    sources=("yuholens' ORPO run of a 14B model",),
    not_when="the log odds rise fast",
    methods=("orpo",),
)

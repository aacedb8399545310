"""KTO, which judges single answers: a policy that runs away, one that hardly moves, one that memorizes."""

from __future__ import annotations

from diagnostics.detectors.objectives import kto
from diagnostics.model.rate_estimate import RateSide
from diagnostics.model.records import Label
from diagnostics.rules.pair_remedies import NEAR_REFERENCE, higher_beta, more_epochs, one_epoch
from diagnostics.rules.remedies import CHECKPOINT, RAISE_RATE, TENTH_WARMUP, cut_rate
from diagnostics.rules.rule import Rule, Sign

WENI = "Weni's five public KTO runs with LoRA: three at about 2e-4 collapsed"

KTO_RUNS_AWAY = Rule(
    name="kto-policy-runs-away",
    label=Label.UNSTABLE,
    sign=Sign.BLOW_UP,
    check=kto.kto_runs_away,
    limits={
        "reward": 5.0,  # below 0, of desirable and undesirable answers at the end
        "margin": 2.0,  # between them: less is no preference
        "of_start": 0.96,  # of the first loss, which is that of a policy that never moved
        "min_points": 8,
    },
    message="the rewards of all answers fall to {chosen:.2g} and {rejected:.2g}, at a loss of {loss:.3g}",
    cause="The learning rate is far too high: the policy left its reference, and a saturated sigmoid has no gradient.",
    fixes=(
        NEAR_REFERENCE,
        higher_beta(3.0, 0.6),
        TENTH_WARMUP,
    ),
    confidence=0.95,
    example="rewards/chosen -59, rewards/rejected -59, loss 0.51, grad_norm 0",
    sources=(WENI, "KTO, 2402.01306: the gradient vanishes as the reward grows in size"),
    not_when="the rewards are far apart and the loss is low",
    methods=("kto",),
)

KTO_HARDLY_MOVES = Rule(
    name="kto-policy-hardly-moves",
    label=Label.UNDERFIT,
    sign=Sign.SLOW,
    blames=RateSide.TOO_LOW,
    check=kto.kto_hardly_moves,
    limits={
        "of_start": 0.96,  # of the first loss at the end: 0.48 of 0.5
        "margin": 0.2,  # between desirable and undesirable answers
        "min_points": 8,
        "min_share_done": 0.9,  # of the planned steps
    },
    borderline={"of_start": 0.92, "margin": 0.4},
    message="the loss is {end:.3g} ({start:.3g} before training) and the margin {margin:.2g}: the policy hardly moved",
    cause="The learning rate is too low for LoRA, or the steps are too few.",
    fixes=(
        RAISE_RATE,
        more_epochs(0.6),
    ),
    confidence=0.85,
    example="loss 0.499, margin 0.028 after an epoch at 5e-7 with LoRA",
    sources=("PaulD's KTO run with QLoRA at 5e-7", "HALOs and LLaMA-Factory: 5e-6"),
    not_when="one kind of answers is four times as frequent and its weight was not set",
    methods=("kto",),
)

KTO_MEMORIZED = Rule(
    name="kto-answers-memorized",
    label=Label.OVERFIT,
    check=kto.kto_memorized,
    limits={
        "of_start": 0.4,  # of the first loss: 0.2 of 0.5
        "margin": 8.0,  # at half of which on either side the sigmoid has 2 % of its slope left
        "rise": 0.03,  # of the held-out loss above its minimum
        "min_points": 8,
    },
    message="the training answers are told apart at a loss of {loss:.2g} and a margin of {margin:.2g}; the held-out "
    "answers gain nothing",
    cause="The policy has memorized which answers are wanted: the rate is too high, or the passes too many.",
    fixes=(
        CHECKPOINT,
        one_epoch(0.9),
        cut_rate(1.0 / 3.0, "use {factor:times} the learning rate", expect="a slower fit of the answers", weight=0.8),
        higher_beta(3.0, 0.7),
    ),
    confidence=0.7,
    example="loss 0.39 to 0.12 and a margin of 10 at 2e-4 with LoRA",
    sources=("WeniGPT-QA-Mixtral's KTO run at 2e-4", "KTO, 2402.01306: the gradient vanishes as the reward grows"),
    not_when="the held-out loss still falls",
    methods=("kto",),
)

"""Faults that only one loss can have: KTO's saturation, ORPO's dead part, SimPO's drift, reward models, GKD."""

from __future__ import annotations

from diagnostics.detectors import objectives
from diagnostics.model.rate_estimate import RateSide
from diagnostics.model.records import Label
from diagnostics.rules.remedies import CHECKPOINT, RAISE_RATE, TENTH_WARMUP, cut_rate, halve_rate
from diagnostics.rules.rule import Fix, Rule, Sign

KTO, ORPO, SIMPO, REWARD_MODEL, GKD = ("kto",), ("orpo",), ("simpo",), ("reward",), ("gkd",)
WENI = "Weni's five public KTO runs with LoRA: three at about 2e-4 collapsed"

KTO_RUNS_AWAY = Rule(
    name="kto-policy-runs-away",
    label=Label.UNSTABLE,
    sign=Sign.BLOW_UP,
    check=objectives.kto_runs_away,
    limits={
        "reward": 5.0,  # below 0, of desirable and undesirable answers at the end
        "margin": 2.0,  # between them: less is no preference
        "of_start": 0.96,  # of the first loss, which is that of a policy that never moved
        "min_points": 8,
    },
    message="the rewards of all answers fall to {chosen:.2g} and {rejected:.2g}, at a loss of {loss:.3g}",
    cause="The learning rate is far too high: the policy left its reference, and a saturated sigmoid has no gradient.",
    fixes=(
        cut_rate(0.1, "use {factor:times} the learning rate", expect="rewards near 0 whose margin grows"),
        Fix(
            "beta",
            "use {factor:times} the beta",
            "a policy closer to its reference",
            times=3.0,
            at_most=0.5,
            weight=0.6,
        ),
        TENTH_WARMUP,
    ),
    confidence=0.95,
    example="rewards/chosen -59, rewards/rejected -59, loss 0.51, grad_norm 0",
    sources=(WENI, "KTO, 2402.01306: the gradient vanishes as the reward grows in size"),
    not_when="the rewards are far apart and the loss is low",
    methods=KTO,
)

KTO_HARDLY_MOVES = Rule(
    name="kto-policy-hardly-moves",
    label=Label.UNDERFIT,
    sign=Sign.SLOW,
    blames=RateSide.TOO_LOW,
    check=objectives.kto_hardly_moves,
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
        Fix(
            "num_train_epochs",
            "train for {factor:times} the epochs, up to three in all",
            "a margin that grows",
            times=2.0,
            at_most=3.0,
            weight=0.6,
        ),
    ),
    confidence=0.85,
    example="loss 0.499, margin 0.028 after an epoch at 5e-7 with LoRA",
    sources=("PaulD's KTO run with QLoRA at 5e-7", "HALOs and LLaMA-Factory: 5e-6"),
    not_when="one kind of answers is four times as frequent and its weight was not set",
    methods=KTO,
)

ODDS_RATIO_PART_DEAD = Rule(
    name="odds-ratio-part-dead",
    label=Label.UNDERFIT,
    check=objectives.odds_ratio_part_dead,
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
    methods=ORPO,
)

REJECTED_STAYS_LIKELIER = Rule(
    name="rejected-stays-likelier",
    label=Label.BROKEN,
    check=objectives.rejected_stays_likelier,
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
    methods=ORPO,
)

SIMPO_HARDLY_LEARNS = Rule(
    name="simpo-hardly-learns",
    label=Label.UNDERFIT,
    sign=Sign.SLOW,
    blames=RateSide.TOO_LOW,
    check=objectives.simpo_hardly_learns,
    limits={
        "of_start": 0.95,  # of the loss at the start, which is near softplus(gamma), not ln 2
        "accuracy": 0.05,  # the least gain of pairs ranked right
        "min_points": 8,
        "min_share_done": 0.9,  # of the planned steps
    },
    message="the loss is {end:.3g} ({start:.3g} at the start), and {accuracy:.0%} of the pairs are ranked right",
    cause="The learning rate is too low for a model of this size, or for LoRA, which takes ten times more.",
    fixes=(
        RAISE_RATE,
        Fix("beta", "use {factor:times} the beta", "margins that count", times=2.0, at_most=10.0, weight=0.4),
    ),
    confidence=0.8,
    example="loss 1.66 of 1.70 after an epoch at 5e-7",
    sources=("SimPO README: the rate is the setting that matters", "Ejafa's three public runs: 1.62 to 1.66 of 1.70"),
    methods=SIMPO,
)

SIMPO_DEGENERATES = Rule(
    name="simpo-degenerates",
    label=Label.UNSTABLE,
    check=objectives.simpo_degenerates,
    limits={
        "fall": 0.5,  # nats a token of the chosen answers
        "min_points": 8,
    },
    message="the chosen answers lose {fall:.2g} nats a token while the margin grows",
    cause="Without a reference nothing holds their likelihood up: at this rate the model ends in repeated text.",
    fixes=(
        cut_rate(0.3, "use {factor:times} the learning rate", expect="chosen answers that stay likely"),
        Fix(
            "cpo_alpha",
            "add a likelihood term: cpo_alpha {new}",
            "chosen answers that stay likely",
            to=0.05,
            weight=0.6,
        ),
    ),
    confidence=0.85,
    example="logps/chosen -0.9 to -2.1 a token, margin 1 to 9",
    sources=("SimPO README: 1e-5 gives incoherent, repeating models",),
    not_when="a slow fall of a few hundredths: that is how SimPO works",
    methods=SIMPO,
)

SCORES_AT_CHANCE = Rule(
    name="scores-at-chance",
    label=Label.UNDERFIT,
    sign=Sign.SLOW,
    check=objectives.scores_at_chance,
    limits={
        "off": 0.01,  # the distance of the loss from ln 2
        "margin": 0.02,  # the largest margin between chosen and rejected answers
        "min_points": 8,
        "min_share_done": 0.9,  # of the planned steps
    },
    message="the reward model ends at a loss of {loss:.4g} (ln 2 is 0.6931) and a margin of {margin:.1g}: a coin",
    cause="The rate is too low, or so high for full training that the features died, or the pairs are cut to be equal.",
    fixes=(
        RAISE_RATE,
        Fix(
            "data", "check the pad token and whether max_length cuts off where the answers differ", "a loss below ln 2"
        ),
    ),
    confidence=0.8,
    example="loss 0.6931 after 200 steps of full training at 1e-4",
    sources=("alexwb's OPT-350m reward model at 1e-4", "trl#937: padding"),
    methods=REWARD_MODEL,
)

SCORES_BELOW_CHANCE = Rule(
    name="scores-below-chance",
    label=Label.OVERFIT,
    check=objectives.scores_below_chance,
    limits={
        "accuracy": 0.45,  # the most held-out pairs ranked right, in the last three evaluations
        "loss": 0.5,  # the highest training loss
        "min_evals": 3,
        "min_points": 8,
    },
    message="{accuracy:.0%} of the held-out pairs are ranked right, less than by a coin, at a loss of {loss:.2g}",
    cause="The model ranks by a shortcut of the training pairs, or the labels of one split are flipped.",
    fixes=(
        Fix(
            "eval_set", "check five pairs of each split: which answer is in the column chosen", "an accuracy above 50 %"
        ),
        Fix("num_train_epochs", "train {new:plural:epoch|epochs}", "no pair is seen twice", to=1.0, weight=0.7),
    ),
    confidence=0.75,
    example="accuracy 0.31 on held-out pairs at a training loss of 0.2",
    sources=("bmaltbie's reward models: 0.26 to 0.40 in 12 runs",),
    not_when="less than 100 held-out pairs",
    methods=REWARD_MODEL,
)

ACCURACY_HIDES_OVERFIT = Rule(
    name="accuracy-hides-overfit",
    label=Label.OVERFIT,
    check=objectives.accuracy_hides_overfit,
    limits={
        "rise": 0.02,  # of the held-out loss above its minimum
        "noise": 3.0,  # times the noise of an evaluation
        "level": 0.02,  # the most that the accuracy moved since the minimum
        "min_evals": 4,
    },
    message="the held-out loss rises {rise:.1%} above its minimum of {lowest:.3g}; the accuracy stays {accuracy:.0%}",
    cause="After one pass a reward model only gets surer of what it thinks already, of its mistakes too.",
    fixes=(
        CHECKPOINT,
        Fix("num_train_epochs", "train {new:plural:epoch|epochs}", "no pair is seen twice", to=1.0, weight=0.9),
        cut_rate(0.3, "use {factor:times} the learning rate", expect="a held-out loss that turns later", weight=0.7),
        Fix(
            "center_rewards_coefficient",
            "hold the scores near 0: center_rewards_coefficient {new}",
            "bounded scores",
            to=0.01,
            weight=0.4,
        ),
    ),
    confidence=0.85,
    example="held-out loss 0.63 to 0.74, accuracy 0.88 all along",
    sources=("Abhay11's reward model: three epochs", "Ouyang et al. 2022, InstructGPT: one epoch"),
    methods=REWARD_MODEL,
)

SCORES_DRIFT = Rule(
    name="scores-drift",
    label=Label.OVERFIT,
    check=objectives.scores_drift,
    limits={
        "size": 10.0,  # of the mean score at the end
        "min_points": 8,
    },
    message="the mean score is {score:.2g}, far from 0",
    cause="The loss sees differences only, so all scores may drift together.",
    fixes=(
        Fix("center_rewards_coefficient", "set center_rewards_coefficient to {new}", "scores around 0", to=0.01),
        halve_rate("a slower drift", weight=0.4),
    ),
    confidence=0.6,
    example="mean_reward 0 to -14",
    sources=("TRL documentation: center_rewards_coefficient 0.01",),
    sets_label=False,
    methods=REWARD_MODEL,
)

TEACHER_NOT_APPROACHED = Rule(
    name="teacher-not-approached",
    label=Label.UNDERFIT,
    sign=Sign.SLOW,
    blames=RateSide.TOO_LOW,
    check=objectives.teacher_not_approached,
    limits={
        "fall": 0.05,  # of the distance to the teacher
        "min_points": 12,
        "min_share_done": 0.9,  # of the planned steps
    },
    message="the distance to the teacher goes from {start:.3g} to {end:.3g} only",
    cause="The learning rate is too low, the teacher too far, or the chat template is not the teacher's.",
    fixes=(
        RAISE_RATE,
        Fix("data", "compare the chat templates; train on answers of the teacher first", "a distance that falls"),
    ),
    confidence=0.75,
    example="loss 0.45 to 0.44 after 100 steps at 1e-6 with LoRA",
    sources=("tinker cookbook: 1e-4 with LoRA, 5e-5 without", "NeMo-RL#1527"),
    methods=GKD,
)

DISTANCE_ABOVE_BOUND = Rule(
    name="distance-above-bound",
    label=Label.BROKEN,
    sign=Sign.IMPOSSIBLE_LOG,
    check=objectives.distance_above_bound,
    limits={
        "bound": 1.01,  # times the largest divergence that there is
        "min_points": 3,
    },
    message="the divergence from the teacher is {loss:.3g}, above its bound of {bound:.3g}",
    cause="It is summed and not averaged over the tokens, or the vocabularies of student and teacher differ.",
    fixes=(
        Fix("data", "compare the vocabularies of both models and how the loss is reduced", "a loss below the bound"),
    ),
    confidence=0.8,
    example="loss 5.2 at beta 0.5, where it is ln 2 at most",
    sources=("Lin 1991: the Jensen-Shannon divergence is bounded by the entropy of its weights",),
    not_when="an SFT term is added (seq_kd)",
    methods=GKD,
)

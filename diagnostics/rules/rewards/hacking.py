"""Rewards that rise while what they are meant for does not: by the parts of the reward, and on held-out prompts."""

from __future__ import annotations

from diagnostics.detectors.rewards import hacking
from diagnostics.detectors.rewards.windows import FEW_LOGS
from diagnostics.model.records import Label
from diagnostics.rules.rewards.collapse import NOISE
from diagnostics.rules.rewards.remedies import MORE_BETA, MORE_IN_GROUP, REWARDS, SMALL_BETA
from diagnostics.rules.rule import Fix, Rule

GAO = "Gao et al. 2210.10760: scaling laws for reward model over-optimization"

HACKED_HELD_OUT = Rule(
    name="reward-hacked-held-out",
    label=Label.OVERFIT,
    check=hacking.hacked_held_out,
    limits={
        "up": 2.5,  # Welch's t, by which the training reward rises between its thirds
        "fall": 0.05,  # of the held-out reward's width, below its best
        "noise": 4.0,  # times the scatter of the evaluations
        "min_evals": 6,
        "min_points": 20,
    },
    message="the held-out reward falls from {best:.3g} to {end:.3g} while the training reward rises to {reward:.3g}",
    cause="The policy found what the training reward pays for and the task does not.",
    fixes=(
        Fix("checkpoint", "use the checkpoint at the best held-out reward", "the best policy of this run, at no cost"),
        Fix("data", "read 20 answers with the highest reward and close the gap in the function", "a reward that holds"),
        MORE_BETA,
        SMALL_BETA,
    ),
    confidence=0.85,
    example="reward 0.4 to 0.9, eval_reward 0.5 to 0.3",
    sources=(GAO, "rldoctor 0.2.0: reward hacking"),
    not_when="the held-out answers are sampled at another temperature",
    methods=REWARDS,
)

HACKED_BY_PARTS = Rule(
    name="reward-hacked-by-parts",
    label=Label.OVERFIT,
    check=hacking.hacked_by_parts,
    limits={
        "up": 2.5,  # Welch's t, by which the reward and one of its parts rise between their thirds
        "down": 3.5,  # Welch's t, by which another part falls below its best...
        "left": 0.5,  # ... to less than this share of it
        "min_points": FEW_LOGS,
        "min_share_done": 0.3,  # of the planned steps: content may come after form
    },
    message="the reward rises to {reward:.3g} while one of its parts falls from {best:.3g} to {end:.3g}",
    cause="One part of the reward is cheaper than another, and the policy gives up the dear one for it.",
    fixes=(
        Fix(
            "data",
            "weigh the cheap part a quarter, or multiply the parts instead of adding them",
            "parts that all rise",
        ),
        Fix("checkpoint", "use the checkpoint before the part falls", "the best policy of this run, at no cost"),
        SMALL_BETA,
    ),
    confidence=0.8,
    example="rewards/style 0.2 to 2.0, rewards/correct 0.5 to 0",
    sources=("open-instruct: added format rewards are undesirable", "rlprobe 0.1.0: format gaming", GAO),
    not_when="the part that falls is one for form or length",
    methods=REWARDS,
)

TASK_PART_FLAT = Rule(
    name="task-part-stays-flat",
    label=Label.UNDERFIT,
    check=hacking.task_part_flat,
    limits={
        "up": 2.5,  # Welch's t, by which the reward and a part for form rise between their thirds
        "noise": NOISE,  # of the part's width: where a smaller rise drowns, nothing is said
        "min_points": 20,
        "min_share_done": 0.5,  # of the planned steps: content may come after form
    },
    message="the reward rises to {reward:.3g} by its form alone: the part for content stays ({start:.3g} to {end:.3g})",
    cause="The part for form is cheaper to learn, and says nothing about which answers are right.",
    fixes=(
        Fix(
            "data",
            "multiply the parts instead of adding them, or drop the part for form once it is above 0.95",
            "a part for content that rises",
        ),
        MORE_IN_GROUP,
        Fix("max_steps", "train for {factor:times} the steps", "content that comes after form", times=2.0, weight=0.5),
    ),
    confidence=0.6,
    example="rewards/format 0.2 to 0.98, rewards/correct 0.31 all along",
    sources=("open-instruct: added format rewards are undesirable", "CoursIA#9583: dominance is not exploitation"),
    not_when="the first half of a run, or a part near its ceiling",
    sets_label=False,
    unless_found=("reward-hacked-by-parts", "reward-collapses", "reward-stays-dead", "answers-cut-off"),
    methods=REWARDS,
)

"""Runs of KTO, ORPO, SimPO, of reward models and of distillation, sound and with the faults of their losses."""

from __future__ import annotations

from collections.abc import Mapping

from diagnostics.synthetic.objectives import gkd, kto, orpo, reward_model, simpo
from diagnostics.synthetic.synthetic_run import Fault

OBJECTIVES_OF_PAIRS: Mapping[str, Fault] = {
    "kto-policy-runs-away": kto.kto_away,
    "kto-policy-hardly-moves": kto.kto_still,
    "kto-answers-memorized": kto.kto_memorized,
    "simpo-hardly-learns": simpo.simpo_still,
    "simpo-degenerates": simpo.simpo_degenerates,
    "scores-at-chance": reward_model.scores_still,
    "scores-below-chance": reward_model.scores_below,
    "accuracy-hides-overfit": reward_model.hidden_overfit,
    "scores-drift": reward_model.scores_drift,
}
OBJECTIVES_OF_TOKENS: Mapping[str, Fault] = {
    "odds-ratio-part-dead": orpo.odds_dead,
    "rejected-stays-likelier": orpo.rejected_likelier,
    "teacher-not-approached": gkd.teacher_far,
    "distance-above-bound": gkd.above_bound,
}
HEALTHY_OF_PAIRS: Mapping[str, Fault] = {
    "healthy-kto": kto.kto,
    "healthy-simpo": simpo.simpo,
    "healthy-reward": reward_model.reward_model,
}
HEALTHY_OF_TOKENS: Mapping[str, Fault] = {"healthy-orpo": orpo.orpo, "healthy-gkd": gkd.distillation}

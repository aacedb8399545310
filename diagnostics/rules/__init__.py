"""THE TABLE: every rule, in order of precedence. The first that fires names the run, the others are reported.

Broken logs come first, then runs that blow up or jitter, for nothing else can be read from those; then overfitting,
whose first remedy is free; then the causes of underfitting in the order of their odds.
"""

from diagnostics.rules import (
    accuracy,
    divergence,
    entropy,
    epochs,
    eval_rise,
    frozen,
    gap,
    gradients,
    jitter,
    learning_rate,
    lengths,
    overshoot,
    preference,
    sanity,
    schedule,
    spikes,
    swings,
    tokens,
    underfit_causes,
)
from diagnostics.rules.rule import Case, Fix, Rule

RULES: tuple[Rule, ...] = (
    # Broken: the log or the set-up cannot be right.
    sanity.LOSS_IS_ZERO,
    sanity.RATE_IS_ZERO,
    sanity.START_LOSS_WRONG,
    sanity.DPO_START_LOSS_WRONG,
    sanity.POLICY_NEVER_MOVES,
    sanity.LOSS_SCALED_BY_ACCUMULATION,
    sanity.EPOCH_END_LOG_LOW,
    sanity.EVAL_DIFFERS_AT_START,
    frozen.GRADIENT_IS_ZERO,
    frozen.EVAL_LOSS_NEVER_MOVES,
    preference.HELD_OUT_PAIRS_SWAPPED,
    accuracy.ROWS_KNOWN_FROM_THE_START,
    accuracy.ACCURACY_CONTRADICTS_LOSS,
    tokens.BATCHES_CHANGE_SIZE,
    # Unstable: the run blows up, collapses, jumps or jitters.
    divergence.LOSS_NOT_FINITE,
    divergence.LOSS_DIVERGES,
    overshoot.LOSS_OVERSHOOTS,
    preference.LIKELIHOOD_COLLAPSES,
    entropy.ENTROPY_COLLAPSES,
    accuracy.TOKEN_ACCURACY_FALLS,
    spikes.LOSS_JUMPS,
    spikes.LOSS_SPIKES,
    jitter.TRAIN_AND_EVAL_JITTER,
    swings.LOSS_SWINGS,
    jitter.JITTER_GROWS,
    jitter.WARMUP_TOO_SHORT,
    swings.LOSS_ZIGZAGS,
    gradients.GRADIENTS_GROW,
    gradients.GRADIENTS_SPIKE,
    jitter.EVAL_JITTERS_MORE,
    gradients.CLIPS_MOST_STEPS,
    # Overfit: the run learns the training rows rather than the task.
    preference.PREFERENCES_SATURATE,
    eval_rise.EVAL_LOSS_RISES,
    epochs.LOSS_STEPS_DOWN_AT_EPOCHS,
    epochs.REPEATS_MEMORIZED,
    gap.GAP_GROWS,
    gap.TINY_RATE_MANY_EPOCHS,
    accuracy.TRAIN_TOKENS_MEMORIZED,
    entropy.OVERCONFIDENT,
    # Underfit: the run could have learned more.
    preference.PREFERENCES_NOT_LEARNED,
    gap.TRAIN_FALLS_ALONE,
    learning_rate.RATE_TOO_LOW,
    schedule.RATE_RUNS_OUT,
    underfit_causes.TOO_FEW_UPDATES,
    tokens.TOO_FEW_TOKENS,
    learning_rate.RATE_LOW_FOR_BATCH,
    underfit_causes.BATCH_TOO_LARGE,
    underfit_causes.REGULARIZATION_TOO_STRONG,
    underfit_causes.ADAPTER_TOO_SMALL,
    underfit_causes.STILL_IMPROVING,
    underfit_causes.LOSS_BARELY_FALLS,
    schedule.LOSS_PLATEAUS,
    # Preference runs that drift: reported only.
    preference.CHOSEN_LIKELIHOOD_FALLS,
    preference.MARGINS_RUN_AWAY,
    lengths.ANSWERS_GROW_LONG,
)

__all__ = ["RULES", "Case", "Fix", "Rule"]

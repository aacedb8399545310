"""The search: an Optuna sampler and pruner that read verdicts."""

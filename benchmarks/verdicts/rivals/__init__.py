"""The rules of other tools, rebuilt from their documentation; none of their code is here.

Each is a function from a run to one of our four labels, with the most favorable reading wherever the documentation
leaves a choice; the docstring says how its findings map to labels. What a tool cannot be asked (too few points, a curve
that is missing) counts as healthy.
"""

from __future__ import annotations

from benchmarks.verdicts.rivals import correlation, doctors, frameworks, papers, stopping, trainers
from benchmarks.verdicts.rivals.rival import ALL, OVERFIT, Rival

RIVALS: tuple[Rival, ...] = (
    Rival("trainproof", doctors.trainproof),
    Rival("trainspotter", doctors.trainspotter),
    Rival("sk-autod", doctors.autod),
    Rival("runwise", doctors.runwise),
    Rival("SageMaker Debugger", frameworks.sagemaker),
    Rival("SageMaker Overtraining", frameworks.overtraining, OVERFIT),
    Rival("UMLAUT", papers.umlaut),
    Rival("AUTOTRAINER", papers.autotrainer, ALL - OVERFIT),
    Rival("Surogate", trainers.surogate, ALL - OVERFIT),
    Rival("patience 5", stopping.patience, OVERFIT),
    Rival("Prechelt GL 2", stopping.generalization_loss, OVERFIT),
    Rival("Prechelt PQ 0.75", stopping.progress_quotient, OVERFIT),
    Rival("Prechelt UP 3", stopping.successive_strips, OVERFIT),
    Rival("Spearman", correlation.spearman, OVERFIT),
    Rival("autocorrelation", correlation.autocorrelation, OVERFIT),
)

__all__ = ["RIVALS", "Rival"]

"""How likely a run under way turns out the best, asked of the model of the run where it knows the settings."""

from __future__ import annotations

from optuna.search_space import intersection_search_space
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from diagnostics.model.curves import FloatArray
from diagnostics.model.training_method import TrainingMethod
from tuner.search.attributes import METHOD, METRIC
from tuner.search.forecast import Chances, chances, ends, noise_of, ranks_late
from tuner.search.progress import Rivals
from tuner.search.rescaling import searched_space
from tuner.search.run_model.outcome import chances_by_model
from tuner.search.run_model.posterior import Posterior, RunModel
from tuner.search.run_model.priors import stored_rate
from tuner.search.trial_view import USUAL_NAMES, forgetting_limit, sign_of, trial_view

ENDED = (TrialState.COMPLETE, TrialState.PRUNED)


def chances_at(
    looks: FloatArray, study: Study, trial: FrozenTrial, rivals: Rivals, method: TrainingMethod, margin: float
) -> list[Chances]:
    """What finishing a run may bring, seen from each of ``looks`` (shares of its schedule).

    Where early ranks mislead, and for metrics that are no loss, the curve alone counts: asked of the model, DPO runs on
    three trained tables are stopped more often, and a study takes longer to settle on the best.
    """
    noise = noise_of(method, is_loss=rivals.scale.is_log, evaluations=rivals.noise)
    run = rivals.run.better_by(margin)
    model = None if ranks_late(method) or not rivals.scale.is_log else _model(study, trial)
    if model is None:
        return [chances(run, rivals.whole, at, noise) for at in looks]
    settings = {USUAL_NAMES.get(name, name): value for name, value in trial.params.items()}
    return [chances_by_model(model, settings, ends(run, rivals.whole, at, noise.spread)) for at in looks]


def _model(study: Study, trial: FrozenTrial) -> Posterior | None:
    """The posterior of the trials that have ended; None where it does not know the settings, or none ran to its end."""
    finished = [one for one in study.get_trials(deepcopy=False, states=ENDED) if one.number != trial.number]
    found = intersection_search_space(finished, include_pruned=True)
    named = {USUAL_NAMES.get(name, name): span for name, span in found.items() if not span.single()}
    space = searched_space(named, trial.user_attrs.get(METHOD), trial.user_attrs.get(METRIC))
    if not RunModel.serves(space):
        return None
    limit = forgetting_limit(study)
    views = [trial_view(one, sign_of(study), USUAL_NAMES, limit) for one in finished]
    model = RunModel(space, stored_rate(study.user_attrs)).posterior(views)
    return model if model is not None and model.scale.is_log and model.seen.tried.any() else None

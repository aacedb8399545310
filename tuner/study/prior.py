"""``study.prior``: what is known of the best learning rate before a study, with a width that says how well."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.config.bounds import STUDY_BOUNDS, limit_broken
from tuner.config.trust import CONFIG_FILE
from tuner.config.yaml_file import read_yaml
from tuner.errors import SpecError, brief_name
from tuner.search.proposal import RATE
from tuner.study.folder import RESULT, trial_folder
from tuner.study.stored import NoStudy, load_study

if TYPE_CHECKING:
    from tuner.config.study_file import StudySpec

GIVEN_DEVIATION = 0.5
"""Decades. A rate of a recipe is one of 1e-5, 3e-5, 1e-4 ...: right to a step or so either way."""
SAME_DEVIATION, OTHER_DEVIATION = 0.35, 0.7
"""What a study found on the same model and data, and on another model or other data: between the tables of the search
benchmark best rates differ by half a decade, and of LoRA from 1 to 70 billion parameters by less than one (Schulman
2025)."""
WHAT_IS_TRAINED = ("model_name_or_path", "dataset_name", "dataset_config")


def rate_prior(spec: StudySpec) -> dict[str, Any] | None:
    """The prior of a study file as plain values: what was given, and the decades with their deviation; None without.

    Raises ``SpecError`` where the folder that is given holds no study of the method with a best learning rate.
    """
    given = spec.study.prior
    if given is None:
        return None
    if isinstance(given, str):
        rate, deviation = _of_study(Path(given), spec)
    else:
        rate, deviation = given, GIVEN_DEVIATION
    return {"given": given, "decades": math.log10(rate), "deviation": deviation}


def _of_study(folder: Path, spec: StudySpec) -> tuple[float, float]:
    """The best rate of a study, and how well it is known for this one."""
    where = f"{spec.path}: study.prior: {brief_name(str(folder))}"
    try:
        found = load_study(folder / RESULT)
    except NoStudy as error:
        raise SpecError(f"{where}: {error}; give a rate or the folder of a study") from None
    if found.method != spec.method:
        raise SpecError(
            f"{where}: that study is of method {brief_name(found.method)}: its rates say nothing of {spec.method}"
        )
    rate = found.winner.settings.get(RATE) if found.winner is not None else None
    if not isinstance(rate, (int, float)) or isinstance(rate, bool) or limit_broken("prior", rate, STUDY_BOUNDS):
        raise SpecError(f"{where}: that study has no best {RATE}; give a rate or the folder of another study")
    return float(rate), SAME_DEVIATION if _trained(_config_of(folder)) == _trained(spec.config) else OTHER_DEVIATION


def _config_of(folder: Path) -> Mapping[str, Any]:
    """What trial 0 of a study was trained with; nothing where that is not known any more."""
    try:
        return read_yaml(folder / trial_folder(0) / CONFIG_FILE)
    except SpecError:
        return {}


def _trained(config: Mapping[str, Any]) -> list[str | None]:
    """The model and the data of a config, by their names: a run's own config has other paths to them."""
    return [Path(str(config[key])).name if config.get(key) else None for key in WHAT_IS_TRAINED]

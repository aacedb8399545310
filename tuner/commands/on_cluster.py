"""``tuner study --engine ray|slurm``: the engine by its name, and the command of each worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.config.cluster import Cluster
from tuner.config.slots import with_slots
from tuner.config.study_spec import StudySpec
from tuner.config.trust import FLAG

if TYPE_CHECKING:
    from tuner.study.engines.engine import Engine
    from tuner.study.events import Show
    from tuner.study.results import StudyResult

JOBS = "jobs"
"""The folder below a study's with the files of its Slurm jobs."""
OPTIONS: Mapping[str, str] = {
    "trials": "--trials",
    "minutes": "--minutes",
    "steps": "--steps",
    "storage": "--storage",
    "gpus_per_trial": "--gpus-per-trial",
    "slots_per_gpu": "--slots-per-gpu",
}


def worker_words(file: Path, out: Path, given: Mapping[str, Any]) -> list[str]:
    """The words of ``tuner`` for one worker of the study, from the options that its command was ``given``."""
    words = ["study", str(file.resolve()), "--engine", "local", "--workers", "1", "--out", str(out.resolve())]
    for name, option in OPTIONS.items():
        if given.get(name) is not None:
            words += [option, str(given[name])]
    words += ["--no-stop-early"] if given.get("stop_early") is False else []
    words += ["--verbose"] if given.get("verbose") else []
    return [*words, *([FLAG] if given.get("trust_remote_code") else [])]


def study_on(
    cluster: Cluster, spec: StudySpec, out: Path, given: Mapping[str, Any], workers: int | None, show: Show
) -> StudyResult:
    """The study by workers on a cluster: as many as ``workers`` or the file says, else one for each place there."""
    from tuner.study.engines.run import run_on

    apart = with_slots(replace(spec, study=replace(spec.study, gpus=())), None)
    engine = _engine(cluster, apart, out)
    many = workers or (apart.study.workers if apart.study.workers > 1 else engine.places or 1)
    words = worker_words(spec.path, out, given)
    return run_on(engine, apart, out, words, workers=many, storage=given.get("storage"), show=show)


def _engine(cluster: Cluster, spec: StudySpec, out: Path) -> Engine:
    block = spec.study
    if cluster.engine == "ray":
        from tuner.study.engines.on_ray import Ray

        return Ray(cluster.ray_address, block.gpus_per_trial, block.slots_per_gpu)
    from tuner.study.engines.on_slurm import Slurm

    return Slurm(out.resolve() / JOBS, cluster.slurm, block.gpus_per_trial)

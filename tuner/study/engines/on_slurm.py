"""Workers as Slurm jobs, through submitit: they wait in the queue, and are requeued when they are preempted."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diagnostics.errors import BadInput
from diagnostics.report.write import write_text
from tuner.errors import error_text
from tuner.study.engines.engine import Ended, Order
from tuner.study.engines.queues import LocalQueue, SlurmQueue, State
from tuner.study.engines.worker import Worker

JOBS = "jobs.json"
"""The jobs of a study that were submitted, beside submitit's own files: they outlive the command."""
CLUSTERS = ("slurm", "local")
GENERIC: Mapping[str, type] = {
    "nodes": int,
    "cpus_per_task": int,
    "gpus_per_node": int,
    "mem_gb": float,
    "name": str,
}
"""Keys that submitit has for every cluster; any other is one of sbatch."""
REQUEUES = 1000
"""How often a job that reached its time limit may be requeued: a study is as long as it is."""
A_WEEK = 7 * 24 * 60


class Job(Worker):
    """A worker as a job's function; a job that is preempted, or at its time limit, stops it first."""

    def __call__(self, order: Order) -> Ended:
        """Start the worker and wait for its end."""
        return self.run(order)

    def checkpoint(self, order: Order) -> Any:
        """The same job once more, after the worker has saved its step and left; called in a signal handler."""
        from submitit.helpers import DelayedSubmission

        self.end()
        return DelayedSubmission(Job(), order)


def parameters(options: Mapping[str, str], gpus_per_trial: int) -> dict[str, Any]:
    """``KEY=VALUE`` of the command line as submitit's parameters; raises ``BadInput`` for one that cannot be.

    ``time`` is in minutes. A job gets the GPUs of a trial, unless ``gpus_per_node`` says otherwise.
    """
    given = dict(options)
    cluster, minutes = given.pop("cluster", "slurm"), given.pop("time", None)
    if cluster not in CLUSTERS:
        raise BadInput(f"--slurm cluster={cluster}: must be slurm, or local for jobs on this machine")
    if minutes is None and cluster == "slurm":
        raise BadInput("--slurm time=MINUTES is missing: how long a job may take; it is requeued to continue")
    if minutes is not None and not minutes.isdigit():
        raise BadInput(f"--slurm time={minutes}: must be a whole number of minutes")
    made: dict[str, Any] = {"timeout_min": int(minutes or A_WEEK), "name": "tuner", "stderr_to_stdout": True}
    made |= {"gpus_per_node": gpus_per_trial} if cluster == "slurm" else {}
    for key, value in given.items():
        try:
            made |= {key: GENERIC[key](value)} if key in GENERIC else {f"slurm_{key}": value}
        except ValueError:
            raise BadInput(f"--slurm {key}={value}: must be a number") from None
    return made


class Slurm:
    """Jobs that submitit submits; their files, and the study's folder, lie where every node sees them."""

    name = "slurm"
    places: int | None = None

    def __init__(self, folder: Path, options: Mapping[str, str], gpus_per_trial: int) -> None:
        import submitit

        cluster = options.get("cluster", "slurm")
        made = parameters(options, gpus_per_trial)
        self.hosts = 1 if cluster == "local" else 2
        self._folder, self._submitit = folder, submitit
        self._queue = LocalQueue() if cluster == "local" else SlurmQueue()
        logging.getLogger("submitit").setLevel(logging.ERROR)
        try:
            self._executor = submitit.AutoExecutor(folder, cluster=cluster, slurm_max_num_timeout=REQUEUES)
            self._executor.update_parameters(**made)
        except (NameError, RuntimeError, AssertionError, ValueError) as error:
            raise BadInput(f"--engine slurm: {error_text(error, 200)}") from error

    def is_there(self) -> bool:
        """True: jobs live without the command, and a queue that does not answer is asked again."""
        return True

    def left(self) -> list[Any]:
        """The jobs of an earlier command that still run or wait in the queue."""
        jobs = [self._job(identity, Path(log)) for identity, log in self._known().items()]
        return [job for job in jobs if not job.paths.result_pickle.exists() and self._queue.holds(job)]

    def start(self, order: Order) -> Any:
        """A job that runs the worker; its number is kept, so that a later command finds it."""
        try:
            job = self._executor.submit(Job(), order)
        except (self._submitit.core.utils.FailedJobError, OSError) as error:
            raise BadInput(f"--engine slurm: {error_text(error, 300)}") from error
        job.tuner_log = order.log
        write_text(self._folder / JOBS, json.dumps({**self._known(), job.job_id: str(order.log)}))
        return job

    def has_begun(self, handle: Any) -> bool:
        """Whether the job runs."""
        return self._queue.state(handle) is not State.WAITS

    def ended(self, handle: Any) -> Ended | None:
        """How the worker ended; a job that left no result has no status."""
        result = handle.paths.result_pickle
        if not result.exists():
            gone = self._queue.state(handle) is State.GONE
            return Ended(None, f"job {handle.job_id} ended without a result") if gone else None
        outcome, found = self._submitit.core.utils.pickle_load(result)
        if outcome == "success":
            end: Ended = found
            return end
        return Ended(None, str(found).strip().rpartition("\n")[2])

    def stop(self, handle: Any) -> None:
        """Ask the worker to stop; a job that still waits is taken from the queue."""
        if self.has_begun(handle):
            handle.tuner_log.with_suffix(".stop").touch()
        else:
            handle.cancel(check=False)

    def kill(self, handle: Any) -> None:
        """End the job; the keeper of its worker notices."""
        handle.cancel(check=False)

    def _known(self) -> dict[str, str]:
        """The logs of the workers of all jobs so far, by the jobs' numbers."""
        try:
            return dict(json.loads((self._folder / JOBS).read_text()))
        except (OSError, ValueError):
            return {}

    def _job(self, identity: str, log: Path) -> Any:
        kind = self._submitit.SlurmJob if isinstance(self._queue, SlurmQueue) else self._submitit.LocalJob
        job = kind(folder=self._folder, job_id=identity)
        job.tuner_log = log
        return job

"""A study on a cluster: its workers are started there, watched from here, and all that they find is in its storage."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from diagnostics.errors import BadInput
from tuner.search.distributions import distributions
from tuner.study.context import StudyContext
from tuner.study.engines.crew import Crew
from tuner.study.engines.engine import KEPT_VARIABLES, Engine, Order
from tuner.study.engines.follow import Follow
from tuner.study.events import Closed, Show
from tuner.study.interruptible import interruptible
from tuner.study.loop import opening
from tuner.study.open_study import opened
from tuner.study.outcome import write_outcome
from tuner.study.results import StudyResult

if TYPE_CHECKING:
    from tuner.config.study_spec import StudySpec

WORKERS = "workers"
"""The folder below a study's with the logs of its workers."""


def run_on(
    engine: Engine,
    spec: StudySpec,
    out: Path,
    words: Sequence[str],
    *,
    workers: int,
    storage: str | None = None,
    show: Show = lambda event: None,
) -> StudyResult:
    """As ``run_study``, by ``workers`` processes on a cluster, each of which runs ``tuner`` with these words.

    A worker that is lost leaves its trial to the others and is replaced. Ctrl-C and SIGTERM stop all of them; each ends
    its step and saves it. Raises ``BadInput`` and ``Unfinished`` as the first worker that ends so.
    """
    check_storage(engine, storage)
    with opened(spec, out, storage, show=show) as (study, locks):
        space = distributions(spec.study.space)
        context = StudyContext(spec, _never, out, study, space, spec.study.trials, locks, show)
        show(opening(context, workers))
        crew = Crew(engine, lambda: order(out, words), workers, Follow(context), show)
        with interruptible():
            try:
                crew.work()
            except BaseException:
                with suppress(Exception):
                    write_outcome(context)
                raise
        result = write_outcome(context)
        show(Closed(result))
        return result


def check_storage(engine: Engine, storage: str | None) -> None:
    """Raise ``BadInput`` where workers on several machines would share a file: SQLite is not safe across machines."""
    if engine.hosts > 1 and (storage is None or storage.startswith("sqlite")):
        raise BadInput(
            f"--engine {engine.name}: workers on several machines need a database server; give --storage "
            "postgresql://USER@HOST/NAME"
        )


def order(out: Path, words: Sequence[str]) -> Order:
    """A new worker of the study in ``out``."""
    name = f"worker-{uuid.uuid4().hex[:8]}"
    kept = {key: os.environ[key] for key in KEPT_VARIABLES if key in os.environ}
    return Order(name, tuple(words), Path.cwd(), out.resolve() / WORKERS / f"{name}.log", kept)


def _never(settings: Mapping[str, Any], folder: Path, report: Any) -> NoReturn:
    raise AssertionError("a command with an engine trains nothing itself")

"""The workers of a study on an engine: started, replaced where they are lost, and stopped together."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from diagnostics.errors import BadInput
from diagnostics.model.message import message
from tuner.errors import Unfinished
from tuner.messages import text
from tuner.study.engines.engine import Ended, Engine, Order
from tuner.study.events import Notice, Show

POLL_SECONDS = 1.0
PATIENCE = 30.0
"""Seconds after which a worker that has got no place yet is worth a line."""
STOPS_IN = 90.0
"""Seconds in which workers that are asked to stop may end their step and save it."""
GONE_AFTER = 15.0
"""Seconds after which a cluster that does not answer counts as gone."""
MAX_LOSSES = 10
"""So many workers lost in a row, with no trial ended between them, are reason to stop."""
BROKEN, BAD_INPUT, UNFINISHED = 1, 2, 3
"""Statuses of ``tuner`` that come with one line, and that another worker would end with as well."""


class Crew:
    """The workers of one command. ``look`` is called now and then, and says how many runs have ended so far."""

    def __init__(self, engine: Engine, order: Callable[[], Order], workers: int, look: Callable[[], int], show: Show):
        self._engine, self._order, self._workers, self._look, self._show = engine, order, workers, look, show
        self._handles: list[Any] = []
        self._losses = self._ended = 0
        self._done = False

    def work(self) -> None:
        """Have the workers finish the study; raises what ended them early, with the others stopped."""
        try:
            self._handles = self._engine.left()[: self._workers]
            while len(self._handles) < self._workers:
                self._handles.append(self._engine.start(self._order()))
            self._wait()
        except BaseException:
            self._stop()
            raise

    def _wait(self) -> None:
        began, waits = time.monotonic(), False
        while self._handles:
            self._check_cluster()
            ended = self._look()
            self._losses = 0 if ended > self._ended else self._losses
            self._ended = ended
            for handle in list(self._handles):
                end = self._engine.ended(handle)
                if end is not None:
                    self._handles.remove(handle)
                    self._answer(end)
                elif self._done and not self._engine.has_begun(handle):
                    self._engine.stop(handle)
                    self._handles.remove(handle)
            begun = sum(map(self._engine.has_begun, self._handles))
            if not waits and begun < len(self._handles) and time.monotonic() > began + PATIENCE:
                waits = True
                self._show(Notice(message("waiting-for-places", begun=begun, workers=self._workers)))
            time.sleep(POLL_SECONDS)

    def _check_cluster(self) -> None:
        """Wait a while for a cluster that does not answer; raise ``Unfinished`` when it is gone."""
        end = time.monotonic() + GONE_AFTER
        while not self._engine.is_there():
            if time.monotonic() > end:
                self._handles = []  # nobody is left to be asked to stop
                raise Unfinished(text(message("cluster-gone", engine=self._engine.name)))
            time.sleep(POLL_SECONDS)

    def _answer(self, end: Ended) -> None:
        """Take note of a worker that ended: with the study, by an error that all would meet, or lost."""
        if end.status == 0:
            self._done = True
        elif end.status in (BAD_INPUT, UNFINISHED):
            raise (BadInput if end.status == BAD_INPUT else Unfinished)(end.line.removeprefix("tuner: "))
        elif end.status == BROKEN:
            raise Unfinished(text(message("worker-broke", line=end.line, folder=str(self._order().log.parent))))
        elif not self._done:
            self._replace(end.line if end.status is None else f"status {end.status}")

    def _replace(self, why: str) -> None:
        """Start another worker in the place of one that was lost."""
        self._losses += 1
        if self._losses >= MAX_LOSSES:
            raise Unfinished(text(message("workers-lost-in-a-row", losses=self._losses, why=why)))
        self._show(Notice(message("worker-lost", why=why)))
        self._handles.append(self._engine.start(self._order()))

    def _stop(self) -> None:
        """Ask all workers to stop, and end those that do not, or all when interrupted again."""
        for handle in self._handles:
            self._engine.stop(handle)
        end = time.monotonic() + STOPS_IN
        try:
            while (left := [one for one in self._handles if self._runs(one)]) and time.monotonic() < end:
                time.sleep(POLL_SECONDS / 4)
        except KeyboardInterrupt:
            left = self._handles
        for handle in left:
            self._engine.kill(handle)

    def _runs(self, handle: Any) -> bool:
        return self._engine.has_begun(handle) and self._engine.ended(handle) is None

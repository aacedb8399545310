"""What stops a run early: a reason from the study, a loss that is not finite, Ctrl-C or SIGTERM."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from transformers import TrainerCallback

from diagnostics.model.curves import Run
from tuner.training.protocol import Report
from tuner.training.team import ALONE, Team


class StopCallback(TrainerCallback):  # type: ignore[misc]
    """Stops when ``report`` gives a reason at an evaluation, on a loss that is not finite, and on a signal.

    ``reason`` says why the run was stopped, None for one that ran to its end; ``interrupted`` that a signal did it.
    """

    def __init__(self, run: Callable[[], Run], report: Report | None, team: Team = ALONE) -> None:
        self.run = run
        self.report = report
        self.team = team
        self.reason: str | None = None
        self.interrupted = False

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Stop when the training or the held-out loss is not finite."""
        for name in ("loss", "eval_loss"):
            value = (logs or {}).get(name)
            if isinstance(value, float) and not math.isfinite(value):
                self._stop(control, f"diverged: {name} is {value} at step {state.global_step}")

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Ask ``report`` whether to continue."""
        if not (self.report and state.global_step) or self.reason:
            return
        reason = self.report(self.run(), min(state.global_step / max(state.max_steps, 1), 1.0))
        if reason:
            self._stop(control, reason)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """After a signal, to any process of the run, save, so that it can continue from here, and stop."""
        self.interrupted = self.team.any(self.interrupted)
        if self.interrupted:
            control.should_save = True
            control.should_evaluate = False
            control.should_training_stop = True

    def _stop(self, control: Any, reason: str) -> None:
        self.reason = self.reason or reason
        control.should_training_stop = True

    @contextmanager
    def signals(self) -> Iterator[None]:
        """A block in which Ctrl-C and SIGTERM end the run after its step; a second one at once.

        A signal that the process was started to ignore stays ignored, as shells have it with Ctrl-C and ``command &``.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        known = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        before = {number: handler for number, handler in known.items() if handler is not signal.SIG_IGN}

        def note(number: int, frame: Any) -> None:
            if self.interrupted:
                raise KeyboardInterrupt
            self.interrupted = True

        for number in before:
            signal.signal(number, note)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler if handler is not None else signal.SIG_DFL)

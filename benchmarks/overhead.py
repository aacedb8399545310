"""What watching costs: the time of a run with our callback and logging against plain TRL, on the packaged model.

``python benchmarks/overhead.py [--repeats 5] [--steps 60]`` trains the same runs in turn, plain and watched, with the
same evaluations and logs, and prints the medians, their ratio, and the share of a watched run spent in the callback
itself (which is measured directly, and so is not lost in the noise between runs). Then it feeds a callback, and lets
``tuner watch`` follow a file, with a log every few milliseconds: looks grow longer with the log, and are spaced so
that they stay below 1 % of the time.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

STUDY = Path(__file__).parents[1] / "studies" / "sft.yaml"


def main() -> None:
    """Print plain and watched seconds, the ratio of the medians, and the callback's own share."""
    parser = argparse.ArgumentParser(description="time of a watched run against plain TRL")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--logs", type=int, default=2000, help="logs of the long runs, one every 10 ms")
    given = parser.parse_args()
    from tuner.config.library_logging import quiet

    times: dict[str, list[float]] = {"plain": [], "watched": []}
    shares: dict[str, list[float]] = {"all": [], "looks": [], "end": []}
    with quiet():
        measured("plain", given.steps, given.batch)  # the first run pays for imports and caches
        for _ in range(given.repeats):
            for kind in times:
                seconds, clock = measured(kind, given.steps, given.batch)
                times[kind].append(seconds)
                if kind == "watched":
                    shares["all"].append(clock.seconds / seconds)
                    shares["looks"].append((clock.by_event["on_log"] + clock.by_event["on_evaluate"]) / seconds)
                    shares["end"].append(clock.by_event["on_train_end"])
    plain, watched = (statistics.median(times[kind]) for kind in ("plain", "watched"))
    print(f"{given.repeats} runs of {given.steps} steps each, in turn")
    for kind, seconds in times.items():
        print(f"{kind:8} median {statistics.median(seconds):6.2f} s   {' '.join(f'{one:.2f}' for one in seconds)}")
    print(f"watched / plain: {watched / plain:.4f}")
    print(f"in the callbacks and the event file: {statistics.median(shares['all']):.2%} of a watched run")
    looks, end = statistics.median(shares["looks"]), statistics.median(shares["end"])
    print(f"  of it in DiagnosisCallback while it trains: {looks:.2%}; its last look and reports, once: {end:.2f} s")
    print(f"a log every 10 ms, {given.logs} of them, looked at whenever the share allows:")
    print(f"  DiagnosisCallback {long_log(given.logs)}")
    print(f"  tuner watch       {followed(given.logs)}")


def long_log(count: int, pause: float = 0.01) -> str:
    """The share of a core's time that a callback needs for a log that grows without an end."""
    from transformers import TrainerControl, TrainerState, TrainingArguments

    from tuner.callback import DiagnosisCallback

    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(folder, max_steps=10**6, report_to="none", use_cpu=True)
        state, control, clock = TrainerState(max_steps=10**6), TrainerControl(), Clock(time.thread_time)
        watch = DiagnosisCallback(say=lambda line: None, every=1)
        clock.watch(watch, "looks")
        watch.on_train_begin(args, state, control)
        began = time.perf_counter()
        for state.global_step in range(1, count + 1):
            time.sleep(pause)
            watch.on_log(args, state, control, logs={"loss": 1.0 + 100.0 / (100.0 + state.global_step), "epoch": 0.1})
        took = time.perf_counter() - began
    return f"{clock.by_event['on_log'] / took:.2%} of {took:.0f} s"


def followed(count: int, pause: float = 0.01) -> str:
    """The share of a core's time that ``watch`` needs beside a program that writes a log."""
    from tuner.commands.watch import watch

    used: list[float] = []

    def follow(path: Path, rounds: int) -> None:
        before = time.thread_time()
        watch(path, every=0.5, rounds=rounds, say=lambda line: None)
        used.append(time.thread_time() - before)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.csv"
        path.write_text("step,train_loss\n")
        began = time.perf_counter()
        thread = threading.Thread(target=follow, args=(path, max(2, int(count * pause / 0.5))))
        thread.start()
        with path.open("a") as file:
            for step in range(1, count + 1):
                file.write(f"{step},{1.0 + 100.0 / (100.0 + step):.6f}\n")
                file.flush()
                time.sleep(pause)
        thread.join()
        took = time.perf_counter() - began
    return f"{used[0] / took:.2%} of {took:.0f} s"


def measured(kind: str, steps: int, batch: int) -> tuple[float, Clock]:
    """Seconds that ``Trainer.train`` took, and the clock of our callbacks in it (at 0 for a plain run)."""
    with tempfile.TemporaryDirectory() as folder:
        trainer, ours = trainer_of(kind, steps, batch, Path(folder))
        clock = Clock()
        for callback in ours:
            clock.watch(callback, "looks" if callback is ours[0] else "rest")
        began = time.perf_counter()
        trainer.train()
        return time.perf_counter() - began, clock


class Clock:
    """Adds up the time spent in the methods of callbacks, and by event in those named "looks"; a call within a call
    counts once."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self.now = now
        self.seconds = 0.0
        self.by_event: Counter[str] = Counter()
        self._depth = 0

    def watch(self, callback: Any, kind: str) -> None:
        """Time every event method of a callback."""
        for name in dir(callback):
            if name.startswith("on_"):
                setattr(callback, name, self._timed(getattr(callback, name), name if kind == "looks" else ""))

    def _timed(self, method: Any, event: str) -> Any:
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._depth += 1
            began = self.now()
            try:
                return method(*args, **kwargs)
            finally:
                self._depth -= 1
                took = self.now() - began
                self.seconds += took if self._depth == 0 else 0.0
                self.by_event.update({event: took} if event else {})

        return timed


def trainer_of(kind: str, steps: int, batch: int, out: Path) -> tuple[Any, list[Any]]:
    """A trainer of the packaged study, plain or watched, and our callbacks in it."""
    from transformers import PrinterCallback

    from tuner.callback import DiagnosisCallback
    from tuner.config.overrides import with_overrides
    from tuner.config.study_file import load_spec
    from tuner.data import load_data
    from tuner.training.callbacks.stopping import StopCallback
    from tuner.training.callbacks.tensorboard import EventFileCallback
    from tuner.training.logging_defaults import with_logging_defaults
    from tuner.training.trainers import make_trainer, parse

    spec = load_spec(STUDY)
    config = with_overrides(spec.config, {"max_steps": steps, "batch_size": batch, "learning_rate": 1e-3})
    data = load_data(config, spec.method, STUDY.parent)
    parsed = parse(with_logging_defaults({**config, "save_strategy": "no"}), spec.method, out, STUDY)
    ours: list[Any] = []
    if kind == "watched":
        watch = DiagnosisCallback(out / "reports", say=lambda line: None, bounds=spec.study.bounds)
        ours = [watch, StopCallback(lambda: watch.run, None), EventFileCallback(out)]
    trainer = make_trainer(parsed, spec.method, data, STUDY.parent, STUDY, ours)
    trainer.remove_callback(PrinterCallback)
    return trainer, ours


if __name__ == "__main__":
    main()

"""What watching costs: the time of a run with our callback and logging against plain TRL, on the packaged model.

``python benchmarks/overhead.py [--repeats 5] [--steps 60]`` trains the same runs in turn, plain and watched, with the
same evaluations and logs, and prints the medians, their ratio, and the share of a watched run spent in the callback
itself (which is measured directly, and so is not lost in the noise between runs).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

STUDY = Path(__file__).parents[1] / "studies" / "sft.yaml"


def main() -> None:
    """Print plain and watched seconds, the ratio of the medians, and the callback's own share."""
    parser = argparse.ArgumentParser(description="time of a watched run against plain TRL")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--batch", type=int, default=8)
    given = parser.parse_args()
    from tuner.training.quiet import quiet

    times: dict[str, list[float]] = {"plain": [], "watched": []}
    shares: list[float] = []
    with quiet():
        measured("plain", given.steps, given.batch)  # the first run pays for imports and caches
        for _ in range(given.repeats):
            for kind in times:
                seconds, inside = measured(kind, given.steps, given.batch)
                times[kind].append(seconds)
                shares += [inside / seconds] if kind == "watched" else []
    plain, watched = (statistics.median(times[kind]) for kind in ("plain", "watched"))
    print(f"{given.repeats} runs of {given.steps} steps each, in turn")
    for kind, seconds in times.items():
        print(f"{kind:8} median {statistics.median(seconds):6.2f} s   {' '.join(f'{one:.2f}' for one in seconds)}")
    print(f"watched / plain: {watched / plain:.4f}")
    print(f"in the callback and the event file: {statistics.median(shares):.2%} of a watched run")


def measured(kind: str, steps: int, batch: int) -> tuple[float, float]:
    """Seconds that ``Trainer.train`` took, and the seconds of them inside our callbacks (0 for a plain run)."""
    with tempfile.TemporaryDirectory() as folder:
        trainer, ours = trainer_of(kind, steps, batch, Path(folder))
        clock = Clock()
        for callback in ours:
            clock.watch(callback)
        began = time.perf_counter()
        trainer.train()
        return time.perf_counter() - began, clock.seconds


class Clock:
    """Adds up the time spent in the methods of callbacks; a call within a call counts once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0

    def watch(self, callback: Any) -> None:
        """Time every event method of a callback."""
        for name in dir(callback):
            if name.startswith("on_"):
                setattr(callback, name, self._timed(getattr(callback, name)))

    def _timed(self, method: Any) -> Any:
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._depth += 1
            began = time.perf_counter()
            try:
                return method(*args, **kwargs)
            finally:
                self._depth -= 1
                self.seconds += time.perf_counter() - began if self._depth == 0 else 0.0

        return timed


def trainer_of(kind: str, steps: int, batch: int, out: Path) -> tuple[Any, list[Any]]:
    """A trainer of the packaged study, plain or watched, and our callbacks in it."""
    from transformers import PrinterCallback

    from tuner.callback import DiagnosisCallback
    from tuner.data import load_data
    from tuner.knobs import with_knobs
    from tuner.spec import load_spec
    from tuner.training.board import Board
    from tuner.training.observation import observed
    from tuner.training.steering import Steering
    from tuner.training.trainers import make_trainer, parse

    spec = load_spec(STUDY)
    config = with_knobs(spec.config, spec.method, {"max_steps": steps, "batch_size": batch, "learning_rate": 1e-3})
    data = load_data(config, spec.method, STUDY.parent)
    parsed = parse(observed({**config, "save_strategy": "no"}), spec.method, out, STUDY)
    ours: list[Any] = []
    if kind == "watched":
        watch = DiagnosisCallback(out / "reports", say=lambda line: None, bounds=spec.study.bounds)
        ours = [watch, Steering(lambda: watch.run, None), Board(out)]
    trainer = make_trainer(parsed, spec.method, data, STUDY.parent, STUDY, ours)
    trainer.remove_callback(PrinterCallback)
    return trainer, ours


if __name__ == "__main__":
    main()

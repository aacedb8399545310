"""Live one life, which ends by a signal at a named point or with the study: ``python -m benchmarks.chaos.live``.

The study's own code knows nothing of this: the points are patched in here, in a process of its own.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import benchmarks.chaos.clock  # noqa: F401  # before anybody asks what time it is
from benchmarks.chaos.life import Life, made_up, note, trainer
from benchmarks.chaos.points import POINTS, Strike
from diagnostics.model.curves import Run


def live(life: Life) -> int:
    """Work on the study until the point is reached or the study is finished; the status of the command."""
    from tuner.study import retry

    retry.RETRY_PAUSES = life.pauses
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if life.point:
            POINTS[life.point](Strike(life))
        return _real(life) if life.file else _made_up(life)
    except KeyboardInterrupt:
        return 130


def _made_up(life: Life) -> int:
    from optuna.samplers import RandomSampler

    from diagnostics.errors import BadInput
    from tuner.errors import Unfinished
    from tuner.study.loop import run_study

    try:
        run_study(
            made_up(life), trainer(life), Path(life.out), storage=life.storage or None, base=RandomSampler(seed=0)
        )
    except (BadInput, Unfinished) as error:
        print(f"tuner: {error}", flush=True)
        return 3 if isinstance(error, Unfinished) else 2
    return 0


def _real(life: Life) -> int:
    from tuner import cli
    from tuner.training import train

    plain = train._train_once

    def noted(*given: Any) -> Run:
        note(life.ledger, "begin", given[2].name, 0)
        run = plain(*given)
        note(life.ledger, "end", given[2].name, 0)
        return run

    train._train_once = noted
    return cli.main(["study", life.file, "--out", life.out, "--trials", str(life.trials), "--no-stop-early"])


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    sys.exit(live(Life(**{**given, "pauses": tuple(given["pauses"])})))

"""Our own trainer as a command: a check starts, stops and continues it as it does any other."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path

from tuner.config.overrides import setting_value
from tuner.config.study_spec import StudySpec
from tuner.config.trainers.dotted import flat
from tuner.config.trainers.driver import ROWS, TIMES, Driver
from tuner.config.trainers.others import OURS
from tuner.config.trainers.own_keys import EVAL_ROWS
from tuner.config.trust import FLAG
from tuner.training.run_config import rerun_config


def as_driven(spec: StudySpec, out: Path, trusted: bool = False) -> StudySpec:
    """The study with ``tuner train`` as its trainer; paths are found from the run's folder ``out``."""
    given = flat(rerun_config(spec, spec.config, out))
    command = f"{shlex.quote(sys.executable)} -m tuner train {{config}} --out {{output}}" + (
        f" {FLAG}" if trusted else ""
    )
    needed = {name: setting_value(spec.config, spec.method, name) for name in (ROWS, TIMES, EVAL_ROWS, "seed")}
    driver = Driver(OURS, command, given, {}, spec.method, unknown=frozenset({ROWS, TIMES, EVAL_ROWS, "batch_size"}))
    return replace(spec, config={**needed, **spec.config}, driver=driver)

"""A study of a real script: its file, and what its runs leave."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Any

import yaml

from tuner.config.study_file import load_spec
from tuner.config.study_spec import StudySpec
from tuner.drivers.keeper import of_run
from tuner.drivers.process import tag_of

ROOT = Path(__file__).parents[3]
SCRIPT = Path(__file__).with_name("train.py")
COMMAND = f"{sys.executable} {SCRIPT} --config {{config}} --lr {{learning_rate}} --out {{run}}"
RATE = {"low": 1e-5, "high": 1e-1, "log": True}


def file(folder: Path, block: dict[str, Any] | None = None, **keys: Any) -> Path:
    """A study file of the script."""
    study = {"trainer": "command", "command": COMMAND, "space": {"learning_rate": RATE}, **(block or {})}
    content = {"learning_rate": 1e-4, "steps": 40, **keys, "study": study}
    path = folder / "bowl.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def spec(folder: Path, block: dict[str, Any] | None = None, **keys: Any) -> StudySpec:
    return load_spec(file(folder, block, **keys))


def steps_logged(run: Path) -> list[int]:
    """The steps in the log, in its order; one that was logged and not saved before a kill is there twice in a row."""
    lines = (run / "output" / "log.jsonl").read_text().splitlines()
    return [step for step, _ in itertools.groupby(json.loads(line)["step"] for line in lines)]


def left(run: Path) -> list[int]:
    """The processes of a run that are alive."""
    return [one for one in of_run(tag_of(run)) if Path(f"/proc/{one}").exists()]

"""The example of the page on Optuna studies, run as it is printed: with torch, and on a machine without it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "quickstart" / "my-optuna-study.md"
EXAMPLE = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[0]
OURS = ("import DiagnosisPruner", "record(trial", "sampler=DiagnosisSampler(")
"""The three lines that make a study one that reads its curves."""
TRAINING = """
import json, math, warnings
from pathlib import Path
warnings.simplefilter("ignore")

def my_training(learning_rate, log):
    decades = abs(math.log10(learning_rate / 3e-4))
    folder = Path(log)
    folder.mkdir(parents=True)
    losses = [1 + 0.1 * decades**2 + math.exp(-step * min(learning_rate, 3e-4) / 3e-3) for step in range(101)]
    lines = [{"step": s, "loss": x} | ({"eval_loss": x} if s % 10 == 0 else {}) for s, x in enumerate(losses)]
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + chr(10) for line in lines))
    return losses[-1]
"""
RESULT = """
known = [(trial.params["learning_rate"], trial.user_attrs) for trial in study.trials]
print(json.dumps([[rate, kept.get("moved_by"), "diagnosis" in kept] for rate, kept in known]))
"""


def test_the_example_has_three_lines_of_ours():
    lines = EXAMPLE.splitlines()
    assert [sum(mark in line for line in lines) for mark in OURS] == [1, 1, 1]
    assert sum("tuner" in line or "Diagnosis" in line or "record" in line for line in lines) == 3


@pytest.mark.parametrize("torch", ["without", pytest.param("with", marks=pytest.mark.long)])
def test_the_example_runs_as_it_is_printed(torch: str, tmp_path: Path):
    blocked = "import sys; sys.modules['torch'] = None\n" if torch == "without" else ""
    code = blocked + TRAINING + EXAMPLE + RESULT
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    trials = json.loads(done.stdout.splitlines()[-1])
    assert len(trials) == 20
    assert all(judged for _, _, judged in trials)
    assert any(abs(rate / 3e-4 - 1) < 1 for rate, _, _ in trials)
    assert all(by for _, by, _ in trials[1:]), "every proposal says whose it is"

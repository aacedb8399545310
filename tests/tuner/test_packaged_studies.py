import shutil
from pathlib import Path

import pytest
import yaml

from tuner.commands.init import STARTS
from tuner.config.methods import TRL_METHODS
from tuner.config.study_file import load_spec

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", sorted((ROOT / "studies").glob("*.yaml")), ids=lambda path: path.name)
def test_every_packaged_study_loads_and_says_its_question(path, tmp_path):
    text = path.read_text()
    assert text.startswith("#")
    assert "?" in text.splitlines()[0]
    raw = yaml.safe_load(text)
    if raw["model_name_or_path"] != "tuner/tiny":  # its model and data are fetched by hand; all other keys are checked
        text = yaml.safe_dump({**raw, "model_name_or_path": "tuner/tiny", "dataset_name": "rows.jsonl"})
        (tmp_path / "rows.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
        path = tmp_path / "x.yaml"
        path.write_text(text)
    assert load_spec(path).study.space


@pytest.mark.parametrize("method", TRL_METHODS)
def test_the_template_of_init_is_a_study(method, tmp_path):
    text = (ROOT / "tuner" / "assets" / "templates" / f"{method}.yaml").read_text()
    for folder in (f"data/orders-{STARTS[method].rows}", "runs/teacher-train/model"):
        (tmp_path / folder).mkdir(parents=True)
    for name in STARTS[method].beside:
        shutil.copy(ROOT / "tuner" / "assets" / name, tmp_path)
    (tmp_path / f"{method}.yaml").write_text(text)
    assert load_spec(tmp_path / f"{method}.yaml").method == method

"""Vision-language models: the rows with images take TRL's own path."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.tuner import vision
from tuner.data import DataError, load_data
from tuner.errors import SpecError
from tuner.training.train import train

pytest.importorskip("PIL")


@pytest.fixture(scope="module")
def seeing(tmp_path_factory):
    return vision.model_folder(tmp_path_factory.mktemp("vision") / "model")


@pytest.mark.long
@pytest.mark.parametrize("method", ["sft", "dpo", "grpo"])
def test_a_vision_language_model_trains_on_images(make, tmp_path, seeing, method):
    rows = vision.rows_file(tmp_path / "rows", method)
    keys = {"max_length": None, "lora_target_modules": "all-linear"}
    spec = make(method, model_name_or_path=str(seeing), dataset_name=str(rows), **keys)
    run = train(spec, {}, tmp_path / "run")
    assert len(run.curves["train_loss"]) == 3
    assert np.isfinite(run.curves["eval_loss"].values).all()
    weights = load_file(tmp_path / "run" / "adapter" / "adapter_model.safetensors")
    in_text = [name for name in weights if "lora_B" in name and "vision" not in name]
    assert in_text and all(np.abs(weights[name]).max() > 0 for name in in_text)
    in_sight = [name for name in weights if "lora_B" in name and ("vision" in name or "projector" in name)]
    assert any(np.abs(weights[name]).max() > 0 for name in in_sight), "no gradient came through the images"
    assert (tmp_path / "run" / "adapter" / "processor_config.json").exists()


def test_images_are_found_beside_the_file_and_a_missing_one_is_one_line(tmp_path):
    rows = vision.rows_file(tmp_path / "rows", "sft")
    data = load_data({"dataset_name": str(rows)}, "sft", tmp_path)
    assert data.train[0]["image"].size == (vision.SIDE, vision.SIDE)
    (tmp_path / "rows" / "7.png").unlink()
    rows.touch()
    with pytest.raises(DataError, match=r"row 8: image: .*7\.png: no such file"):
        load_data({"dataset_name": str(rows), "test_split_size": 3}, "sft", tmp_path)


def test_a_text_model_refuses_images_in_one_line(make, tmp_path):
    rows = vision.rows_file(tmp_path / "rows", "sft")
    with pytest.raises(SpecError, match="image") as caught:
        train(make(dataset_name=str(rows)), {}, tmp_path / "run")
    assert "\n" not in str(caught.value)

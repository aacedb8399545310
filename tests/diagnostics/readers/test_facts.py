"""What is learned of a run from the files in and beside its folder, and what those files cannot make us do."""

from __future__ import annotations

import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest

from diagnostics.readers import read
from diagnostics.readers.facts.model_config import MAX_BYTES

FACTS = Path(__file__).parents[2] / "data" / "logs" / "facts"
LOG = "step,loss\n1,2.5\n2,2.25\n3,2.1\n"
MODEL = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 2048, "vocab_size": 128256}
ADAPTER = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 16, "lora_alpha": 32, "base_model_name_or_path": "m/x"}


def known(folder: Path, files: dict[str, str | bytes | dict[str, Any]], log: str = "metrics.csv") -> dict[str, Any]:
    """The settings of a run whose folder holds these files beside its log."""
    for name, said in {log: LOG, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        raw = json.dumps(said) if isinstance(said, dict) else said
        (folder / name).write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    return read(folder / log).settings.known()


def holds(settings: dict[str, Any], **wanted: object) -> bool:
    return {name: settings.get(name) for name in wanted} == wanted


def test_training_arguments_are_read_out_of_their_pickle(tmp_path: Path):
    found = known(tmp_path, {"training_args.bin": (FACTS / "training_args.bin").read_bytes()})
    assert holds(found, method="dpo", beta=0.1, learning_rate=3e-4, lr_scheduler_type="cosine", optim="adamw_torch")
    assert holds(found, per_device_train_batch_size=4, gradient_accumulation_steps=8, warmup_ratio=0.05)


class Bomb:
    """A pickle that leaves a file behind when it is loaded."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.place}",)


@pytest.mark.parametrize("damage", ["call", "cut", "loop", "bomb", "none"])
def test_a_hostile_pickle_is_not_carried_out(tmp_path: Path, damage: str):
    scar = tmp_path / "scar"
    program = pickle.dumps({"learning_rate": 1.0, "x": Bomb(scar)}, protocol=2)
    program = {"cut": program[:-9], "loop": b"\x80\x02" + b"(" * 50_000 + b"t" * 49_999 + b"."}.get(damage, program)
    with zipfile.ZipFile(tmp_path / "training_args.bin", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", bytes(1 << 28) if damage == "bomb" else b"" if damage == "none" else program)
    assert "learning_rate" not in known(tmp_path, {})
    assert not scar.exists()


def test_a_models_own_config_gives_its_width_and_the_adapters_the_rest(tmp_path: Path):
    found = known(tmp_path, {"config.json": MODEL, "adapter_config.json": ADAPTER})
    assert holds(found, hidden_size=2048, vocab_size=128256, model_type="llama", lora_r=16, use_peft=True, method="sft")


@pytest.mark.parametrize("relative", [True, False])
def test_the_config_of_a_local_model_that_the_run_names_is_read(tmp_path: Path, relative: bool):
    run = tmp_path / "runs" / "a"
    (tmp_path / "models" / "x").mkdir(parents=True)
    (tmp_path / "models" / "x" / "config.json").write_text(json.dumps(MODEL))
    name = "models/x" if relative else str(tmp_path / "models" / "x")
    found = known(run, {"adapter_config.json": {**ADAPTER, "base_model_name_or_path": name}})
    assert holds(found, hidden_size=2048, vocab_size=128256)


def test_a_model_in_the_hubs_cache_is_found_and_nothing_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    model, commit = tmp_path / "hub" / "models--m--x", "0" * 40
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text(commit)
    (model / "snapshots" / commit).mkdir(parents=True)
    (model / "snapshots" / commit / "config.json").write_text(json.dumps(MODEL))
    assert "hidden_size" not in known(tmp_path / "run", {"adapter_config.json": ADAPTER})
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    assert holds(known(tmp_path / "run", {"adapter_config.json": ADAPTER}), hidden_size=2048)


@pytest.mark.parametrize(
    "name", ["//host/share", "\\\\host\\share", "~root", "https://host/x", "/proc/self", "a\0b", "x" * 2000]
)
def test_addresses_and_what_the_system_shows_as_files_are_not_looked_at(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []
    monkeypatch.setattr("diagnostics.readers.facts.model_config.os.path.isfile", lambda path: asked.append(str(path)))
    from diagnostics.readers.facts.model_config import of_named_model

    assert of_named_model(name, tmp_path) == {}
    assert asked == []


@pytest.mark.parametrize("what", ["fifo", "huge", "folder", "deep", "text", "link"])
def test_what_lies_at_the_models_path_may_be_anything(tmp_path: Path, what: str):
    model = tmp_path / "model"
    model.mkdir()
    config = model / "config.json"
    if what == "fifo":
        os.mkfifo(config)
    elif what == "folder":
        config.mkdir()
    elif what == "link":
        config.symlink_to("/dev/zero")
    else:
        texts = {"huge": " " * (MAX_BYTES + 1) + json.dumps(MODEL), "deep": "[" * 200_000, "text": "hello"}
        config.write_text(texts[what])
    found = known(tmp_path / "run", {"adapter_config.json": {**ADAPTER, "base_model_name_or_path": str(model)}})
    assert "hidden_size" not in found and found["lora_r"] == 16


def test_a_model_card_gives_the_base_model_the_adapter_the_method_and_the_settings(tmp_path: Path):
    card = (
        "---\nlibrary_name: peft\nbase_model: m/x\ntags:\n- trl\n- dpo\n- generated_from_trainer\n---\n\n# run\n"
        "- learning_rate: 2e-05\n- train_batch_size: 4\n- gradient_accumulation_steps: 8\n- num_epochs: 3\n"
        "- lr_scheduler_type: cosine\n- lr_scheduler_warmup_ratio: 0.1\n"
    )
    found = known(tmp_path, {"README.md": card})
    assert holds(found, model_name_or_path="m/x", use_peft=True, method="dpo", learning_rate=2e-5, batch_size=32)
    assert holds(found, num_train_epochs=3.0, lr_scheduler_type="cosine", warmup_ratio=0.1)
    assert "method" not in known(tmp_path / "b", {"README.md": "# sft\n- learning_rate: 1.0\n"})


def test_weights_of_a_whole_model_say_that_no_adapter_was_trained(tmp_path: Path):
    assert holds(known(tmp_path / "a", {"model.safetensors": b"", "config.json": MODEL}), use_peft=False)
    assert holds(known(tmp_path / "b", {"model.safetensors": b"", "adapter_config.json": ADAPTER}), use_peft=True)
    assert "use_peft" not in known(tmp_path / "c", {"adapter_model.safetensors": b""})


def test_a_classifier_says_how_many_classes_it_tells_apart(tmp_path: Path):
    labels = {str(number): "x" for number in range(7)}
    model = {**MODEL, "architectures": ["BertForSequenceClassification"], "id2label": labels}
    assert holds(known(tmp_path, {"config.json": model}), num_labels=7)


def test_a_config_that_is_no_models_holds_settings(tmp_path: Path):
    found = known(tmp_path, {"config.json": {"lr": 3e-4, "batch_size": 32, "model": {"name": "x"}}})
    assert holds(found, learning_rate=3e-4, batch_size=32)


def test_settings_inside_others_are_found_where_they_are_one(tmp_path: Path):
    recipe = (
        "model:\n  _component_: torchtune.models.llama3_2.lora_llama3_2_1b\n  lora_rank: 64\n  lora_alpha: 128\n"
        "batch_size: 4\ngradient_accumulation_steps: 8\nepochs: 1\noptimizer:\n  lr: 3e-4\n  weight_decay: 0.01\n"
        "lr_scheduler:\n  num_warmup_steps: 100\n"
    )
    found = known(tmp_path / "a", {"torchtune_config.yaml": recipe}, log="log_1755850000.txt.csv")
    assert holds(found, learning_rate=3e-4, weight_decay=0.01, lora_r=64, use_peft=True, method="sft")
    assert holds(found, per_device_train_batch_size=4, batch_size=32, num_train_epochs=1.0)
    two = "actor: {optim: {lr: 1.0e-6}}\ncritic: {optim: {lr: 1.0e-5}}\nmodel: {lora_rank: 8}\n"
    found = known(tmp_path / "b", {".hydra/config.yaml": two})
    assert "learning_rate" not in found and found["lora_r"] == 8


def test_mlx_lms_adapter_config_holds_its_arguments(tmp_path: Path):
    config = {"fine_tune_type": "lora", "learning_rate": 1e-5, "batch_size": 4, "grad_accumulation_steps": 2}
    config |= {"iters": 600, "model": "m/x", "lora_parameters": {"rank": 8, "scale": 20.0, "dropout": 0.0}}
    found = known(tmp_path, {"adapter_config.json": config})
    assert holds(found, method="sft", use_peft=True, lora_r=8, lora_alpha=160.0, learning_rate=1e-5, batch_size=8)


def test_what_lies_above_a_log_folder_is_the_runs_and_weaker_than_what_lies_in_it(tmp_path: Path):
    (tmp_path / "args.json").write_text(json.dumps({"learning_rate": 1.0, "lora_rank": 8}))
    found = known(tmp_path / "logs", {"config.yaml": "learning_rate: 2.0e-4\n"})
    assert holds(found, learning_rate=2e-4, lora_r=8)


def test_a_file_with_a_name_of_its_own_has_the_settings_beside_it_where_it_is_alone(tmp_path: Path):
    assert holds(known(tmp_path, {"config.yaml": "learning_rate: 2.0e-4\n"}, log="mine.csv"), learning_rate=2e-4)
    (tmp_path / "other.csv").write_text(LOG)
    assert "learning_rate" not in read(tmp_path / "mine.csv").settings.known()


def test_a_warm_up_is_seen_in_the_learning_rate(tmp_path: Path):
    rates = [3e-4 * min(1.0, step / 50) * (1.0 if step < 50 else 1 - (step - 50) / 450) for step in range(10, 501, 10)]
    rows = "".join(f"{10 * n},2.5,{rate}\n" for n, rate in enumerate(rates, 1))
    (tmp_path / "a.csv").write_text(f"step,loss,lr\n{rows}")
    assert read(tmp_path / "a.csv").settings.warmup_ratio == pytest.approx(0.1, abs=0.005)
    (tmp_path / "b.csv").write_text("step,loss,lr\n1,2.5,1e-4\n2,2.5,1e-4\n3,2.5,1e-4\n")
    assert read(tmp_path / "b.csv").settings.warmup_ratio is None

import json
import shutil

import pytest

from tuner.config.library_logging import quiet
from tuner.errors import SpecError
from tuner.training.merge import merge, trained_dtype
from tuner.training.train import train

PROMPT = "What is color 3?"


def logits(model, tokenizer):
    import torch

    ids = tokenizer(PROMPT, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        return model(ids).logits


def test_the_merged_model_answers_as_base_and_adapter_do(make, tmp_path):
    import torch
    from peft import AutoPeftModelForCausalLM
    from transformers import AutoModelForCausalLM, AutoTokenizer

    train(make(lora_target_modules="all-linear"), {}, tmp_path / "run")
    with quiet():
        out = merge(tmp_path / "run", tmp_path / "merged")
        tokenizer = AutoTokenizer.from_pretrained(out)
        adapted = AutoPeftModelForCausalLM.from_pretrained(tmp_path / "run" / "adapter", dtype="float32")
        merged = AutoModelForCausalLM.from_pretrained(out)
        bare = adapted.get_base_model()
        assert merged.dtype == torch.float32
        assert torch.allclose(logits(merged, tokenizer), logits(adapted, tokenizer), atol=1e-4)
        with adapted.disable_adapter():
            assert not torch.allclose(logits(merged, tokenizer), logits(bare, tokenizer), atol=1e-2)
        again = merge(_as_another_trainer_leaves_it(tmp_path / "run" / "adapter", tmp_path / "other"), tmp_path / "too")
        too = AutoModelForCausalLM.from_pretrained(again)
        assert torch.allclose(logits(too, AutoTokenizer.from_pretrained(again)), logits(merged, tokenizer), atol=1e-6)


def _as_another_trainer_leaves_it(adapter, run):
    """A run whose best adapter lies in a checkpoint that is not the newest, without a tokenizer."""
    shutil.copytree(adapter, run / "output" / "checkpoint-2", ignore=shutil.ignore_patterns("token*", "chat*"))
    shutil.copytree(run / "output" / "checkpoint-2", run / "output" / "checkpoint-4")
    (run / "output" / "checkpoint-4" / "adapter_model.safetensors").write_bytes(b"")
    state = {"best_model_checkpoint": "/elsewhere/output/checkpoint-2"}
    (run / "output" / "checkpoint-4" / "trainer_state.json").write_text(json.dumps(state))
    return run


def test_a_4_bit_run_is_merged_into_16_bit_weights(make, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM

    train(make(load_in_4bit=True), {}, tmp_path / "run")
    with quiet():
        merge(tmp_path / "run" / "adapter", tmp_path / "merged")
        merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype="auto")
    assert merged.dtype == torch.bfloat16
    assert "quantization_config" not in json.loads((tmp_path / "merged" / "config.json").read_text())
    assert (tmp_path / "merged" / "tokenizer_config.json").exists()


def test_what_cannot_be_merged_is_one_line(tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(SpecError, match=r"run: .*adapter_config\.json"):
        merge(tmp_path / "run", tmp_path / "out")
    with pytest.raises(SpecError, match="gone: "):
        merge(tmp_path / "gone", tmp_path / "out")
    (tmp_path / "run" / "model").mkdir()
    with pytest.raises(SpecError, match="run/model"):
        merge(tmp_path / "run", tmp_path / "out")


def test_a_reward_model_is_not_merged_into_a_language_model(tmp_path, small_model):
    config = {"peft_type": "LORA", "task_type": "SEQ_CLS", "base_model_name_or_path": str(small_model), "r": 4}
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(SpecError, match="reward model"):
        merge(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_output_folder_in_use_is_left_alone(make, tmp_path):
    train(make(), {}, tmp_path / "run")
    with pytest.raises(SpecError, match=r"run: .*another folder"):
        merge(tmp_path / "run", tmp_path / "run")
    (tmp_path / "file").touch()
    with pytest.raises(SpecError, match=r"file: .*new folder"):
        merge(tmp_path / "run", tmp_path / "file")


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_config.json", "tokenizer.json"])
def test_an_adapter_that_is_cut_off_is_one_line(make, tmp_path, name):
    train(make(), {}, tmp_path / "run")
    whole = (tmp_path / "run" / "adapter" / name).read_bytes()
    (tmp_path / "run" / "adapter" / name).write_bytes(whole[:90])
    with quiet(), pytest.raises(SpecError, match=r"adapter: ") as caught:
        merge(tmp_path / "run", tmp_path / "out")
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


def test_a_merge_that_is_cut_leaves_nothing_and_an_empty_folder_is_filled(make, tmp_path, monkeypatch):
    from transformers import PreTrainedTokenizerBase

    train(make(), {}, tmp_path / "run")
    (tmp_path / "out").mkdir()

    def cut(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(PreTrainedTokenizerBase, "save_pretrained", cut)
        with quiet(), pytest.raises(KeyboardInterrupt):
            merge(tmp_path / "run", tmp_path / "out")
    assert not list((tmp_path / "out").iterdir()) and not list(tmp_path.glob(".*.part"))
    with quiet():
        merge(tmp_path / "run", tmp_path / "out")
    assert (tmp_path / "out" / "tokenizer_config.json").exists() and not list(tmp_path.glob(".*.part"))


def test_a_base_model_that_is_gone_is_named(make, tmp_path, small_model):
    moved = tmp_path / "base"
    shutil.copytree(small_model, moved)
    train(make(model_name_or_path=str(moved)), {}, tmp_path / "run")
    shutil.rmtree(moved)
    with quiet(), pytest.raises(SpecError, match=r"its base model .*base cannot be loaded"):
        merge(tmp_path / "run", tmp_path / "out")


@pytest.mark.parametrize(
    ("config", "dtype"),
    [
        ({}, "float32"),
        ({"dtype": "bfloat16"}, "bfloat16"),
        ({"load_in_4bit": True}, "bfloat16"),
        ({"load_in_8bit": True, "dtype": "float32"}, "bfloat16"),
    ],
)
def test_the_merge_is_done_in_what_the_run_trained_in(config, dtype):
    assert trained_dtype(config) == dtype

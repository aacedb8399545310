"""What TRL offers, trained for a few steps: losses, packing, precision, schedules."""

import math
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file

from tuner.config.library_logging import quiet
from tuner.config.methods import TRL_METHODS
from tuner.errors import SpecError
from tuner.training.logging_defaults import with_logging_defaults
from tuner.training.train import train


def final(run, name):
    return float(run.curves[name].values[-1])


SFT_OPTIONS = {
    "packing": {"packing": True, "max_length": 32},
    "packing the wrapped way": {"packing": True, "max_length": 32, "packing_strategy": "wrapped"},
    "neftune": {"neftune_noise_alpha": 5},
    "loss on all": {"completion_only_loss": False},
    "loss on the assistant": {"dataset_name": "messages", "assistant_only_loss": True},
    "messages": {"dataset_name": "messages"},
    "plain text": {"dataset_name": "text"},
    "gradient checkpointing": {"gradient_checkpointing": True},
    "bfloat16": {"dtype": "bfloat16", "bf16": True},
    "4 bit": {"load_in_4bit": True},
    "8 bit": {"load_in_8bit": True},
    "DoRA": {"use_dora": True},
    "dft": {"loss_type": "dft"},
    "accumulation": {"batch_size": 8},
    "cosine, warm-up, 8-bit optimizer": {"lr_scheduler_type": "cosine", "warmup_ratio": 0.4, "optim": "adamw_bnb_8bit"},
    "an epoch at a time": {"max_steps": None, "num_train_epochs": 2, "eval_strategy": "epoch"},
    "no evaluation": {"eval_strategy": "no"},
    "saves apart from evaluations": {"eval_steps": 2, "save_steps": 3},
}


@pytest.mark.long
@pytest.mark.parametrize("name", SFT_OPTIONS)
def test_an_option_of_trl_trains(make, tmp_path, small_rows, name):
    keys = dict(SFT_OPTIONS[name])
    if "dataset_name" in keys:
        keys["dataset_name"] = str(small_rows / keys["dataset_name"])
    run = train(make(**keys), {}, tmp_path / "run")
    assert math.isfinite(final(run, "train_loss"))
    assert not run.curves["train_loss"].broken
    assert (tmp_path / "run" / "adapter" / "adapter_model.safetensors").exists()
    assert (run.curve("eval_loss") is None) is (name == "no evaluation")


DPO_OPTIONS = {
    **{loss: {"loss_type": loss} for loss in TRL_METHODS["dpo"].loss_types},
    "exo_pair": {"loss_type": "exo_pair", "label_smoothing": 1e-3},
    "robust": {"loss_type": "robust", "label_smoothing": 0.1},
    "three losses with weights": {"loss_type": ["sigmoid", "bco_pair", "sft"], "loss_weights": [0.8, 0.2, 1.0]},
    "4 bit": {"load_in_4bit": True},
    "bfloat16": {"dtype": "bfloat16", "bf16": True},
    "reference computed once": {"precompute_ref_log_probs": True},
}


@pytest.mark.long
@pytest.mark.parametrize("name", DPO_OPTIONS)
def test_an_option_of_dpo_trains(make, tmp_path, name):
    run = train(make("dpo", max_steps=1, **DPO_OPTIONS[name]), {}, tmp_path / "run")
    assert math.isfinite(final(run, "train_loss"))
    assert math.isfinite(final(run, "eval_rewards_margins"))
    assert math.isfinite(final(run, "eval_loss"))


def test_a_4_bit_run_trains_adapters_over_4_bit_weights(make, tmp_path):
    run = train(make(load_in_4bit=True), {}, tmp_path / "run")
    assert run.settings.load_in_4bit
    weights = load_file(tmp_path / "run" / "adapter" / "adapter_model.safetensors")
    assert all(np.abs(weight).max() > 0 for weight in weights.values())


@pytest.mark.long
@pytest.mark.parametrize("bits", ["load_in_4bit", "load_in_8bit"])
def test_evaluating_does_not_change_how_a_quantized_model_trains(make, tmp_path, bits):
    keys = {bits: True, "lora_target_modules": "all-linear", "max_steps": 4, "logging_steps": 1}
    seen = train(make(**keys, eval_steps=1, save_steps=1), {}, tmp_path / "seen")
    unseen = train(make(**keys, eval_strategy="no"), {}, tmp_path / "unseen")
    assert seen.curves["grad_norm"].values == pytest.approx(unseen.curves["grad_norm"].values, rel=1e-3)


def test_full_fine_tuning_leaves_a_model(make, tmp_path):
    from transformers import AutoModelForCausalLM

    run = train(make(use_peft=None, lora_r=None, lora_dropout=None), {}, tmp_path / "run")
    assert not (tmp_path / "run" / "adapter").exists()
    with quiet():
        assert AutoModelForCausalLM.from_pretrained(tmp_path / "run" / "model").num_parameters() > 0
    assert run.settings.lora_r is None


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"load_in_8bit": True, "load_in_4bit": True}, "8 bit and 4 bit"),
        ({"load_best_model_at_end": True, "eval_steps": 2, "save_steps": 3}, "load_best_model_at_end requires"),
        ({"eos_token": "<gone>"}, "eos_token"),
        ({"lora_target_modules": ["gone_proj"]}, "gone_proj"),
        ({"fp16": True, "bf16": True}, "fp16 and bf16"),
        ({"max_length": 1}, "max_length: 1 .*training"),
    ],
)
def test_options_that_do_not_work_together_are_one_line(make, tmp_path, keys, named):
    with pytest.raises(SpecError, match=named) as caught:
        train(make(**keys), {}, tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert "study.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"optim": "schedule_free_adamw"}, "optim: schedule_free_adamw: .*install"),
        ({"optim": "galore_adamw"}, "optim: galore_adamw: .*galore_torch"),
        ({"optim_args": "x=="}, "optim_args: "),
        ({"lr_scheduler_type": "cosine_with_min_lr"}, "lr_scheduler_type: cosine_with_min_lr: .*min_lr"),
        ({"lr_scheduler_kwargs": {"nonsense": 1}}, "lr_scheduler_type: linear: .*nonsense"),
        ({"gradient_checkpointing": True, "gradient_checkpointing_kwargs": {"use_reentrantt": True}}, "use_reentrant"),
        ({"fsdp": "full_shard"}, "fsdp: "),
        ({"padding_free": True}, "padding_free: "),
        ({"eos_token": "<gone>"}, "eos_token: "),
        ({"debug": "nonsense"}, "debug: "),
        ({"torch_compile": True}, r"torch_compile: .*C\+\+"),
        ({"torch_compile_backend": "inductr"}, "torch_compile: .*inductor"),
        ({"torch_compile_mode": "nonsense"}, "torch_compile: .*nonsense"),
        ({"gradient_checkpointing": True, "gradient_checkpointing_kwargs": {"debug": "x"}}, "kwargs: debug: must be"),
        ({"model_init_kwargs": {"nonsense": 1}}, "model_init_kwargs: has no key 'nonsense'"),
        ({"model_init_kwargs": {"hidden_sise": 64}}, "hidden_size"),
        ({"model_init_kwargs": {"hidden_size": 32}}, "hidden_size: does not fit the weights"),
        ({"model_init_kwargs": {"num_hidden_layers": 10**9}}, "num_hidden_layers: the model has 2"),
        ({"model_init_kwargs": {"num_hidden_layers": -1}}, "num_hidden_layers: must be 1 or more"),
        ({"model_init_kwargs": {"id2label": 3}}, "id2label: must be a mapping"),
        ({"model_init_kwargs": {"is_encoder_decoder": "x"}}, "is_encoder_decoder: must be true or false"),
        ({"model_init_kwargs": {"to_dict": 3}}, "has no key 'to_dict'"),
        ({"model_init_kwargs": {"attention_dropout": "x"}}, "attention_dropout"),
        ({"model_init_kwargs": {"hidden_act": "x"}}, "cannot be built"),
        ({"model_init_kwargs": {"device_map": "cuda:77"}}, "device_map: "),
        ({"model_init_kwargs": {"device_map": {"": "nonsense"}}}, "device_map: "),
        ({"model_init_kwargs": {"max_memory": {"cpu": "1QB"}}}, "max_memory: 'cpu'"),
        ({"model_init_kwargs": {"variant": "x"}}, "variant: "),
        ({"model_init_kwargs": {"quantization_config": {"x": 1}}}, "quantization_config: "),
        ({"fp16": True}, "fp16: "),
    ],
)
def test_what_the_trainer_would_refuse_is_refused_before_the_model_is_loaded(make, tmp_path, monkeypatch, keys, named):
    import torch
    from transformers import PreTrainedModel

    if "fp16" in keys and torch.accelerator.is_available():
        pytest.skip("this machine has a GPU")
    monkeypatch.setattr(PreTrainedModel, "from_pretrained", None)
    monkeypatch.setenv("CXX", "no-such-compiler" if keys == {"torch_compile": True} else sys.executable)
    with pytest.raises(SpecError, match=named) as caught:
        train(make(**keys), {}, tmp_path / "run")
    assert "\n" not in str(caught.value) and "study.yaml" in str(caught.value)


@pytest.mark.parametrize("given", [{"nonsense": 1}, {"num_beams": 0}, {"max_new_tokens": -1}])
def test_what_cannot_shape_an_answer_is_refused_before_the_model_is_loaded(make, tmp_path, monkeypatch, given):
    from transformers import PreTrainedModel

    monkeypatch.setattr(PreTrainedModel, "from_pretrained", None)
    with pytest.raises(SpecError, match=f"generation_kwargs: .*{next(iter(given))}"):
        train(make("grpo", generation_kwargs=given), {}, tmp_path / "run")


@pytest.mark.long
@pytest.mark.parametrize(
    "keys",
    [
        {"lr_scheduler_type": "cosine_with_min_lr", "lr_scheduler_kwargs": {"min_lr_rate": 0.1}},
        {"optim": "rmsprop", "optim_args": "momentum=0.1,alpha=0.9"},
        {"gradient_checkpointing": True, "gradient_checkpointing_kwargs": {"use_reentrant": False}},
        {"model_init_kwargs": {"attention_dropout": 0.1, "num_hidden_layers": 1, "device_map": {"": "cpu"}}},
        {"accelerator_config": {"gradient_accumulation_kwargs": {"sync_each_batch": "yes"}}},
    ],
)
def test_options_with_arguments_of_their_own_train(make, tmp_path, keys):
    assert math.isfinite(final(train(make(max_steps=1, **keys), {}, tmp_path / "run"), "train_loss"))


def test_the_user_s_own_logging_keys_win():
    made = with_logging_defaults({"logging_steps": 5, "eval_strategy": "epoch", "logging_nan_inf_filter": True})
    assert (made["logging_steps"], made["eval_strategy"], made["logging_nan_inf_filter"]) == (5, "epoch", True)
    assert made["save_strategy"] == "epoch"
    assert "eval_steps" not in made


@pytest.mark.parametrize("steps", [1, 3, 10, 80, 100, 159, 1000, 12345])
def test_a_silent_file_logs_fifty_to_eighty_points_and_evaluates_a_dozen_times(steps):
    made = with_logging_defaults({})
    logs = steps // math.ceil(steps * made["logging_steps"])
    evals = steps // math.ceil(steps * made["eval_steps"])
    assert min(steps, 50) <= logs <= 80
    assert min(steps, 7) <= evals <= 14

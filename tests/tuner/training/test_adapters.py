"""Adapters of every kind: they train, and what is saved is the model that was evaluated."""

import json

import numpy as np
import pytest
import yaml

from tuner.config.library_logging import quiet
from tuner.config.overrides import setting_value
from tuner.errors import SpecError
from tuner.study.report.yaml_patch import patch
from tuner.training.train import train

NO_LORA = {"lora_r": None, "lora_dropout": None}
QUICK = {
    "pissa": {"peft": {"init_lora_weights": "pissa"}},
    "ia3": {**NO_LORA, "peft": {"peft_type": "ia3"}},
}
LONG = {
    "lora+": {"peft": {"loraplus_lr_ratio": 16}},
    "prompt": {**NO_LORA, "peft": {"peft_type": "PROMPT_TUNING", "num_virtual_tokens": 4}},
    "dora": {"use_dora": True},
    "rslora": {"use_rslora": True},
    "prefix": {**NO_LORA, "peft": {"peft_type": "PREFIX_TUNING", "num_virtual_tokens": 4}},
    "p-tuning": {**NO_LORA, "peft": {"peft_type": "P_TUNING", "num_virtual_tokens": 4}},
    "oft": {**NO_LORA, "peft": {"peft_type": "OFT", "oft_block_size": 8, "target_modules": ["q_proj"]}},
    "boft": {**NO_LORA, "peft": {"peft_type": "BOFT", "boft_block_size": 8, "target_modules": ["q_proj"]}},
    "loha": {**NO_LORA, "peft": {"peft_type": "LOHA", "r": 4, "target_modules": ["q_proj"]}},
    "lokr": {**NO_LORA, "peft": {"peft_type": "LOKR", "r": 4, "target_modules": ["q_proj"]}},
    "vera": {**NO_LORA, "peft": {"peft_type": "VERA", "r": 16, "target_modules": ["q_proj"]}},
    "ln": {**NO_LORA, "peft": {"peft_type": "LN_TUNING"}},
    "adalora": {**NO_LORA, "peft": {"peft_type": "ADALORA", "init_r": 6, "target_r": 2, "total_step": 6, "tfinal": 1}},
    "tokens": {**NO_LORA, "peft": {"peft_type": "TRAINABLE_TOKENS", "token_indices": [1, 2]}},
    "full": {**NO_LORA, "use_peft": False},
}
SLOW = pytest.mark.long


@pytest.mark.parametrize(
    "keys",
    [*(pytest.param(keys, id=name) for name, keys in QUICK.items())]
    + [pytest.param(keys, id=name, marks=SLOW) for name, keys in LONG.items()],
)
def test_an_adapter_trains_and_is_saved_as_it_was_evaluated(make, tmp_path, small_rows, keys):
    spec = make(max_steps=6, eval_steps=2, learning_rate=0.02, **keys)
    run = train(spec, {}, tmp_path / "run")
    losses = run.curves["eval_loss"].values
    assert losses[1:].min() < losses[0]
    assert held_out_loss(tmp_path / "run", small_rows) == pytest.approx(losses[1:].min(), rel=0.02)


LOHA = {**NO_LORA, "peft": {"peft_type": "LOHA", "r": 4, "target_modules": ["q_proj"]}}


def test_a_space_holds_the_keys_of_the_adapter_and_a_trial_trains_with_them(make, tmp_path):
    space = {"peft.r": [2, 4], "peft.alpha": {"low": 4, "high": 32}}
    spec = make(study={"space": space}, **LOHA)
    assert str(spec.study.space["peft.alpha"]) == "4 to 32"
    assert [setting_value(spec.config, "sft", name) for name in space] == [4, 8]  # the file's own, and PEFT's
    train(spec, {"peft.r": 2, "peft.alpha": 16}, tmp_path / "run")
    saved = json.loads((tmp_path / "run" / "adapter" / "adapter_config.json").read_text())
    assert (saved["r"], saved["alpha"], saved["target_modules"]) == (2, 16, ["q_proj"])
    assert yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["peft"]["alpha"] == 16
    assert patch(spec, {"peft.r": 2}) == {"peft": {**spec.config["peft"], "r": 2}}


@pytest.mark.parametrize(
    ("keys", "space", "says"),
    [
        (LOHA, {"peft.rank": [2, 4]}, "unknown key study.space.peft.rank"),
        (LOHA, {"peft.peft_type": ["LOHA", "LOKR"]}, "a study has one adapter"),
        (LOHA, {"peft.r": [2, 8]}, "the file's own peft.r 4 is outside 2, 8"),
        (LOHA, {"peft.r": ["many"]}, "study.space.peft.r"),
        ({}, {"peft.alpha": [2, 8]}, "the file has no peft"),
        ({}, {"peft.r": [2, 8]}, "tune lora_r"),
        ({"peft": {"loraplus_lr_ratio": 4}}, {"peft.lora_alpha": [2, 8]}, "tune lora_alpha"),
        (
            {"peft": {"peft_type": "OFT", "oft_block_size": 8, "r": 0}, **NO_LORA},
            {"peft.r": [0, 4]},
            "study.space.peft.r: OFT refuses",
        ),
    ],
)
def test_a_wrong_key_of_the_adapter_in_the_space_is_one_line(make, keys, space, says):
    with pytest.raises(SpecError) as caught:
        make(study={"space": space}, **keys)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def held_out_loss(run, rows):
    """The mean loss of the saved model over the answers of the held-out rows, computed without a trainer."""
    import torch
    from peft import AutoPeftModelForCausalLM
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = next(run / name for name in ("adapter", "model") if (run / name).exists())
    auto = AutoPeftModelForCausalLM if folder.name == "adapter" else AutoModelForCausalLM
    with quiet():
        model = auto.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    sums, count = 0.0, 0
    for line in (rows / "sft" / "test.jsonl").read_text().splitlines():
        row = json.loads(line)
        asked = tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True)["input_ids"]
        ids = tokenizer.apply_chat_template(row["prompt"] + row["completion"])["input_ids"]
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids])).logits[0, -len(ids) :]
        answered = torch.log_softmax(logits[len(asked) - 1 : -1].float(), -1)
        wanted = torch.tensor(ids[len(asked) :])
        sums -= answered.gather(1, wanted[:, None]).sum().item()
        count += len(wanted)
    return sums / count


@pytest.mark.long
def test_lora_plus_gives_b_a_rate_of_its_own(make, tmp_path):
    from safetensors.numpy import load_file

    moved = {}
    for ratio in (1, 16):
        spec = make(max_steps=1, lr_scheduler_type="constant", peft={"loraplus_lr_ratio": ratio})
        train(spec, {}, tmp_path / str(ratio))
        weights = load_file(tmp_path / str(ratio) / "adapter" / "adapter_model.safetensors")
        moved[ratio] = np.mean([np.abs(weight).max() for name, weight in weights.items() if "lora_B" in name])
    assert moved[16] == pytest.approx(16 * moved[1], rel=0.01)  # Adam's first step is the rate


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"peft": {"peft_type": "IA4"}}, "peft.peft_type: unknown adapter IA4; did you mean IA3?"),
        ({"peft": {"init_lora_weight": "pissa"}}, "peft: LORA has no key init_lora_weight; did you mean"),
        ({"peft": {"r": 8}}, "lora_r and the peft block both set it"),
        ({"peft": {"peft_type": "IA3"}, "lora_dropout": None}, "lora_r: is a key of LoRA, and peft.peft_type is IA3"),
        ({"peft": {"init_lora_weights": "pissa"}, "use_peft": False}, "use_peft is false"),
        ({**NO_LORA, "peft": {"peft_type": "PROMPT_TUNING", "num_virtual_tokens": "many"}}, "must be a whole number"),
        ({**NO_LORA, "peft": {"peft_type": "PROMPT_TUNING", "prompt_tuning_init": "TEXT"}}, "PROMPT_TUNING refuses"),
        ({"peft": {"auto_mapping": {"parent_library": "os"}}}, "has no key auto_mapping"),
    ],
)
def test_a_block_that_peft_does_not_know_is_one_line(make, keys, says):
    with pytest.raises(SpecError) as caught:
        make(**keys)
    assert says in str(caught.value) and "\n" not in str(caught.value)

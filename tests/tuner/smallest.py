"""A two-layer model made from a config, a handful of rows, and study files over them, for tests that really train."""

import json
from pathlib import Path

import yaml

from tuner.assets import TINY
from tuner.config.study_file import StudySpec, load_spec

ANSWERS = ("red", "green", "blue", "white")


def model_folder(folder: Path) -> Path:
    """A two-layer Llama with random weights and the packaged tokenizer."""
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, set_seed

    tokenizer = AutoTokenizer.from_pretrained(TINY)
    set_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,  # bitsandbytes packs 4-bit weights in blocks of 64
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=256,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def rows_folder(folder: Path) -> Path:
    """Rows for methods: ``sft``, ``dpo``, ``kto`` and ``grpo`` (conversational); ``text`` and ``messages``."""
    asked = [(f"What is color {n}?", ANSWERS[n % 4], ANSWERS[(n + 1) % 4]) for n in range(24)]
    kinds = {
        "sft": [{"prompt": [_user(q)], "completion": [_bot(a)]} for q, a, _ in asked],
        "dpo": [{"prompt": [_user(q)], "chosen": [_bot(a)], "rejected": [_bot(b)]} for q, a, b in asked],
        "kto": [
            {"prompt": [_user(q)], "completion": [_bot(one)], "label": one == a}
            for n, (q, a, b) in enumerate(asked)
            for one in ((a, b)[n % 2],)
        ],
        "grpo": [{"prompt": [_user(q)], "answer": a} for q, a, _ in asked],
        "text": [{"text": f"{q} {a}"} for q, a, _ in asked],
        "messages": [{"messages": [_user(q), _bot(a)]} for q, a, _ in asked],
    }
    for kind, rows in kinds.items():
        (folder / kind).mkdir(parents=True)
        for split, part in (("train", rows[:16]), ("test", rows[16:])):
            (folder / kind / f"{split}.jsonl").write_text("\n".join(map(json.dumps, part)))
    return folder


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def _bot(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


ROWS = {"orpo": "dpo", "cpo": "dpo", "simpo": "dpo", "reward": "dpo", "rloo": "grpo", "gkd": "sft"}
"""Methods that train on the rows of another."""
WRITES_ANSWERS = {
    "reward_funcs": [f"{Path(__file__).with_name('rewards.py')}:length"],
    "max_completion_length": 8,
    "num_generations": 2,
    "max_length": None,
}


def own_keys(method: str, model: Path) -> dict[str, object]:
    """The keys that a method needs beyond those of all."""
    teacher = {"teacher_model_name_or_path": str(model), "max_new_tokens": 8}
    return {"grpo": WRITES_ANSWERS, "rloo": WRITES_ANSWERS, "gkd": teacher}.get(method, {})


def study_file(folder: Path, model: Path, rows: Path, method: str = "sft", **keys: object) -> Path:
    """A study file of three short steps over those; ``keys`` come on top, None takes a key out."""
    config: dict[str, object] = {
        "method": method,
        "model_name_or_path": str(model),
        "dataset_name": str(rows / ROWS.get(method, method)),
        "learning_rate": 1e-2,
        "per_device_train_batch_size": 4,
        "max_steps": 3,
        "use_peft": True,
        "lora_r": 4,
        "lora_dropout": 0.0,
        "max_length": 64,
        "gradient_checkpointing": False,
        "bf16": False,
    }
    config |= own_keys(method, model) | keys
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in config.items() if value is not None}))
    return path


def study(folder: Path, model: Path, rows: Path, method: str = "sft", **keys: object) -> StudySpec:
    """The same, loaded."""
    return load_spec(study_file(folder, model, rows, method, **keys))

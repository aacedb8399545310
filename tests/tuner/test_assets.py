"""The packaged model loads and knows its text; the task data are what the generator writes, without leaks."""

import json
import math
import re
import subprocess
import sys
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from benchmarks.base_model import pretrain
from benchmarks.base_model.text import END, PAD, documents
from tuner.assets import TINY, order_rewards, order_rows, orders

DATA = Path(__file__).parents[2] / "studies" / "data"
FILES = [f"orders-{name}/{split}.jsonl" for name, made in order_rows.SETS.items() for split in made.counts]
LIMIT = 4 * 2**20


def rows(file: str) -> list[dict]:
    return [json.loads(line) for line in (DATA / file).read_text(encoding="utf-8").splitlines()]


def conversations(file: str) -> list[list[dict[str, str]]]:
    answers = ("completion", "chosen", "rejected")
    return [row["prompt"] + row.get(key, []) for row in rows(file) for key in answers if key in row or "answer" in row]


def made(row: dict) -> dict:
    return json.loads(answer(row))


def answer(row: dict) -> str:
    return row["answer"] if "answer" in row else row["completion" if "completion" in row else "chosen"][0]["content"]


@pytest.fixture(scope="module")
def words():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(TINY)


@pytest.fixture(scope="module")
def net():
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(TINY, dtype=torch.float32)


@pytest.mark.parametrize("said", [str, lambda text: [{"role": "assistant", "content": text}]])
def test_the_rewards_of_orders_score_answers_to_texts_and_to_messages(said) -> None:
    right = '{"item": "screws", "quantity": 8}'
    answers = [said(text) for text in (right, '{"item": "screws"}', "", "[1]")]
    assert order_rewards.parses(answers) == [1.0, 1.0, 0.0, 0.0]
    assert order_rewards.facts(answers, answer=[right] * 4) == [1.0, 0.5, 0.0, 0.0]


def test_the_committed_data_are_what_the_generator_writes(tmp_path: Path) -> None:
    order_rows.write(tmp_path)
    for file in FILES:
        assert (tmp_path / file).read_bytes() == (DATA / file).read_bytes(), file


@pytest.mark.parametrize("make", [one.rows for one in order_rows.SETS.values()])
def test_a_seed_names_its_rows(make) -> None:
    first, again, other = (list(islice(make("train", seed), 5)) for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("kind", ["orders-sft", "orders-dpo", "orders-grpo"])
def test_no_held_out_row_was_trained_on(kind: str) -> None:
    train, test = (rows(f"{kind}/{split}.jsonl") for split in ("train", "test"))
    assert not {row["prompt"][0]["content"] for row in train} & {row["prompt"][0]["content"] for row in test}
    assert not {made(row)["customer"] for row in train} & {made(row)["customer"] for row in test}
    held_out = set(orders.HELD_OUT_ITEMS)
    assert {made(row)["item"] for row in test} & held_out and not {made(row)["item"] for row in train} & held_out


def test_the_pretraining_text_holds_neither_the_task_nor_a_held_out_word() -> None:
    held_out = {*orders.HELD_OUT_SURNAMES, *orders.HELD_OUT_CITIES, *orders.HELD_OUT_ITEMS}
    text = "".join(islice(documents(0), 20_000))
    assert not re.search(rf"\b({'|'.join(held_out)})\b", text)
    assert '"item":' not in text and '"customer":' not in text
    assert not re.search(r"user\nOrder: [^\n]*\n<\|im_start\|>assistant\n{", text)


@pytest.mark.parametrize("file", FILES)
def test_answers_are_compact_json_that_says_what_the_sentence_says(file: str) -> None:
    for row in rows(file):
        if not row.get("label", True):
            continue
        order = made(row)
        assert orders.compact(order) == answer(row)
        asked = row["prompt"][0]["content"]
        quantity = order.pop("quantity")
        assert str(quantity) in asked or orders.NUMBERS[quantity] in asked.lower()
        assert orders.UNITS[order.pop("unit")] in asked
        assert all(str(value).lower() in asked.lower() for value in order.values())
        assert ("city" in order) == any(city in asked for city in orders.POOLS["test"].cities)
        assert ("day" in order) == any(day in asked for day in orders.DAYS)


def test_each_kind_of_rejected_answer_differs_from_the_chosen_one() -> None:
    for row in rows("orders-dpo/train.jsonl") + rows("orders-dpo/test.jsonl"):
        assert row["chosen"] != row["rejected"]
    random, pool = Random(0), orders.POOLS["train"]
    order = next(orders.orders(random, pool))
    assert len({orders.spoilt(random, order, pool, fault) for fault in orders.FAULTS}) == len(orders.FAULTS)
    with pytest.raises(ValueError, match="unknown fault 'late'; one of value, "):
        orders.spoilt(random, order, pool, "late")


def test_an_optional_part_goes_with_its_word() -> None:
    pattern = "{customer}[ in {city}] waits[ until {day}]."
    assert orders.filled(pattern, {"customer": "ann", "day": "Friday"}) == "Ann waits until Friday."


def test_the_model_folder_is_small_and_complete() -> None:
    names = {file.name for file in TINY.iterdir()}
    assert {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json"} <= names
    assert sum(file.stat().st_size for file in TINY.iterdir()) <= LIMIT


def test_the_model_knows_its_pretraining_text(words, net) -> None:
    import torch

    assert type(net).__name__ == "LlamaForCausalLM"
    text = list(islice(documents(12345), 64))
    batch = words(text, return_tensors="pt", padding=True)
    labels = batch.input_ids.masked_fill(batch.attention_mask == 0, -100)
    with torch.no_grad():
        loss = net(**batch, labels=labels).loss.item()
    assert math.isfinite(loss) and loss < math.log(len(words)) / 2


@pytest.mark.parametrize("text", ["Zoë paid 5 € 😀\n\tfor tea", "Anna Weber, 12 boxes", ""])
def test_the_tokenizer_gives_any_text_back(words, text: str) -> None:
    assert words.decode(words(text)["input_ids"]) == text


def test_the_tokenizer_ends_turns_and_pads_with_different_tokens(words) -> None:
    assert words.eos_token == END and words.pad_token == PAD
    assert words.chat_template == pretrain.CHAT_TEMPLATE


@pytest.mark.parametrize("file", FILES)
def test_the_prompt_is_a_prefix_of_the_conversation(words, file: str) -> None:
    for row in rows(file)[:40]:
        prompt = words.apply_chat_template(row["prompt"], add_generation_prompt=True)["input_ids"]
        for key in row.keys() & {"completion", "chosen", "rejected"}:
            whole = words.apply_chat_template(row["prompt"] + row[key])["input_ids"]
            assert whole[: len(prompt)] == prompt
            assert words.eos_token_id in whole[len(prompt) :]


@pytest.mark.parametrize("file", FILES)
def test_rows_are_short(words, file: str) -> None:
    lengths = [len(words.apply_chat_template(turns)["input_ids"]) for turns in conversations(file)]
    assert max(lengths) <= 128


def test_the_mask_marks_the_answer_and_its_end(words) -> None:
    turns = conversations("orders-sft/test.jsonl")[0]
    coded = words.apply_chat_template(turns, return_dict=True, return_assistant_tokens_mask=True)
    marked = [token for token, mask in zip(coded["input_ids"], coded["assistant_masks"], strict=True) if mask]
    assert words.decode(marked) == turns[1]["content"] + END


def test_the_folder_is_found_without_torch() -> None:
    code = "import sys, tuner.assets, benchmarks.base_model.pretrain; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.long
def test_the_pretraining_script_leaves_a_model_that_loads(tmp_path, monkeypatch, net) -> None:
    from transformers import AutoModelForCausalLM

    stages = (pretrain.Stage(0, 2, 8e-3), pretrain.Stage(1, 2, 6e-3))
    monkeypatch.setattr(pretrain, "STAGES", stages)
    monkeypatch.setattr(pretrain, "BATCH", 4)
    monkeypatch.setattr("sys.argv", ["pretrain", str(tmp_path / "made")])
    pretrain.main()
    made = AutoModelForCausalLM.from_pretrained(tmp_path / "made")
    assert made.num_parameters() == net.num_parameters()

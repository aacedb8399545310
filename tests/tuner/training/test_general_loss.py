"""The loss on general text: what it measures, where it is logged, and what a file of it may hold."""

import json
import math

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.base_model.text import documents
from tests.tuner import vision
from tuner.assets import GENERAL_TEXT, TINY, TINY_TEXT
from tuner.config.general_text import read_documents
from tuner.errors import SpecError
from tuner.training.general_loss import MAX_TOKENS, WINDOW, GeneralLoss
from tuner.training.train import train

WATCHED = {"watch_forgetting": True}


class Bare:
    """What ``GeneralLoss`` needs of a trainer."""

    compute_loss_context_manager = staticmethod(torch.no_grad)

    def __init__(self, model):
        self.model = model


def test_the_loss_is_the_model_s_own_mean_over_the_windows(tmp_path):
    model, tokenizer = AutoModelForCausalLM.from_pretrained(TINY), AutoTokenizer.from_pretrained(TINY)
    model.to(torch.float32).train()
    general = GeneralLoss(TINY_TEXT, tokenizer, model, tmp_path)
    assert 0.7 * MAX_TOKENS < sum(map(len, general.windows)) <= MAX_TOKENS
    assert max(map(len, general.windows)) <= WINDOW
    found = general(Bare(model))
    assert model.training
    model.eval()
    with torch.no_grad():
        losses = [
            model(torch.tensor([w]), labels=torch.tensor([w])).loss.item() * (len(w) - 1) for w in general.windows
        ]
    assert found == pytest.approx(sum(losses) / sum(len(w) - 1 for w in general.windows), rel=1e-4)
    assert found < 1.2  # the model knows this text, and no English
    assert GeneralLoss(GENERAL_TEXT, tokenizer, model, tmp_path)(Bare(model)) > math.log(1024)


def test_the_packaged_text_of_the_tiny_model_is_what_its_program_makes():
    made = documents(1000)
    assert read_documents(TINY_TEXT, "") == [next(made) for _ in range(64)]


def test_windows_come_from_all_over_a_long_text(tmp_path, small_model):
    tokenizer = AutoTokenizer.from_pretrained(small_model)
    model = AutoModelForCausalLM.from_pretrained(small_model)
    file = tmp_path / "long.txt"
    file.write_text("alpha " * 20_000 + "omega " * 20_000)
    windows = GeneralLoss(file, tokenizer, model, tmp_path).windows
    texts = tokenizer.batch_decode(windows)
    assert len(windows) == MAX_TOKENS // WINDOW
    assert 3 <= sum("alpha" in text for text in texts) <= 5
    assert "omega" in texts[-1]


@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_every_evaluation_logs_it(make, tmp_path, method):
    run = train(make(method, eval_steps=1, study=WATCHED), {}, tmp_path / "run")
    curve = run.curve("eval_general_loss")
    assert curve.steps.tolist() == [0, 1, 2, 3]
    assert len(set(curve.values.tolist())) > 1
    logged = json.loads((tmp_path / "run" / "trainer_state.json").read_text())["log_history"]
    assert [one["eval_general_loss"] for one in logged if "eval_general_loss" in one] == curve.values.tolist()


@pytest.mark.long
@pytest.mark.parametrize("method", ["kto", "orpo", "cpo", "simpo", "grpo", "rloo", "gkd"])
def test_the_other_methods_log_it_too(make, tmp_path, method):
    run = train(make(method, eval_steps=1, study=WATCHED), {}, tmp_path / "run")
    assert len(run.curve("eval_general_loss")) == 4


@pytest.mark.long
def test_an_adapter_that_puts_prompts_in_front_and_a_model_that_sees_are_measured(make, tmp_path):
    prompts = {"peft": {"peft_type": "PROMPT_TUNING", "num_virtual_tokens": 4}, "use_peft": True, "lora_r": None}
    run = train(make("sft", eval_steps=1, study=WATCHED, lora_dropout=None, **prompts), {}, tmp_path / "prompts")
    assert len(run.curve("eval_general_loss")) == 4
    seeing, rows = vision.model_folder(tmp_path / "model"), vision.rows_file(tmp_path / "rows", "sft")
    keys = {"model_name_or_path": str(seeing), "dataset_name": str(rows), "max_length": None, "eval_steps": 1}
    keys["lora_target_modules"] = "all-linear"
    run = train(make("sft", study=WATCHED, **keys), {}, tmp_path / "seeing")
    assert len(run.curve("eval_general_loss")) == 4


def test_a_file_of_text_or_conversations_is_taken(make, tmp_path):
    (tmp_path / "own.txt").write_text("Plain words. " * 100)
    turns = [{"role": "user", "content": "Say it again. " * 50}, {"role": "assistant", "content": "Again. " * 100}]
    (tmp_path / "own.jsonl").write_text(json.dumps({"messages": turns}) + "\n\n" + json.dumps({"text": "More. " * 9}))
    for name in ("own.txt", "own.jsonl"):
        assert make(study={"watch_forgetting": name}).study.general_text == tmp_path / name
    model, tokenizer = AutoModelForCausalLM.from_pretrained(TINY), AutoTokenizer.from_pretrained(TINY)
    first = GeneralLoss(tmp_path / "own.jsonl", tokenizer, model, tmp_path).windows[0]
    assert tokenizer.decode(first).startswith("<|im_start|>user\nSay it again.")


def test_true_is_the_packaged_text_and_the_tiny_model_has_its_own(make):
    assert make(study=WATCHED).study.general_text == GENERAL_TEXT
    assert make(model_name_or_path="tuner/tiny", study=WATCHED).study.general_text == TINY_TEXT
    assert make(study={"watch_forgetting": False}).study.general_text is None
    assert make().study.general_text is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"too short", "holds 9 characters of text; at least 1000 are needed"),
        (b"\xff\xfe" * 900, "cannot be read as UTF-8 text"),
    ],
)
def test_a_wrong_text_file_is_one_line(make, tmp_path, content, says):
    (tmp_path / "own.txt").write_bytes(content)
    assert says in refused(make, "own.txt")


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("{", "line 1 is not JSON"),
        ("\n[1]", "line 2 has neither a text nor messages"),
        ('{"prompt": "a"}', "line 1 has neither a text nor messages"),
        ('{"messages": [{"role": "user"}]}', "line 1 has neither a text nor messages"),
    ],
)
def test_a_wrong_line_is_named(make, tmp_path, lines, says):
    (tmp_path / "own.jsonl").write_text(lines)
    assert says in refused(make, "own.jsonl")


def test_what_cannot_be_watched_is_one_line(make, tmp_path):
    assert "gone.txt: no such file" in refused(make, "gone.txt")
    assert "must be a .txt file, or a .jsonl file" in refused(make, str(tmp_path))
    assert "method reward trains a model that writes no text" in refused(make, True, "reward")
    assert "remove eval_strategy: no" in refused(make, True, eval_strategy="no")
    assert "remove eval_on_start: false" in refused(make, True, eval_on_start=False)
    with pytest.raises(SpecError, match=r"study.forgetting_limit: needs study.watch_forgetting"):
        make(study={"forgetting_limit": 0.1})
    with pytest.raises(SpecError, match=r"study.forgetting_limit: must be above 0, not 0"):
        make(study={"forgetting_limit": 0, **WATCHED})


def refused(make, watched, method="sft", **keys):
    """The line that a study file with this general text is refused with."""
    with pytest.raises(SpecError) as caught:
        make(method, study={"watch_forgetting": watched}, **keys)
    assert "study.watch_forgetting" in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_line_is_what_ends_in_a_line_feed_and_half_a_character_is_none(tmp_path):
    path, words = tmp_path / "text.jsonl", "word " * 300
    path.write_text(json.dumps({"text": f"one\u2028line {words}"}, ensure_ascii=False) + "\n")
    assert len(read_documents(path, "x.yaml")) == 1
    path.write_text('{"text": "\\ud800 ' + words + '"}\n')
    with pytest.raises(SpecError, match="line 1 holds half of a character"):
        read_documents(path, "x.yaml")

"""Rows for the methods that learn from labels, from rewards and from a teacher."""

import json

import pytest

from tuner.config.methods import TRL_METHODS
from tuner.data import DataError, load_data
from tuner.data.conversion import convert

KTO, GRPO, GKD, REWARD = (TRL_METHODS[name] for name in ("kto", "grpo", "gkd", "reward"))


def user(text):
    return {"role": "user", "content": text}


def bot(text):
    return {"role": "assistant", "content": text}


def lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


LABELED = {"prompt": [user("q")], "completion": [bot("a")], "label": True}


@pytest.mark.parametrize(
    ("row", "made"),
    [
        ({"prompt": "q", "completion": "a", "label": True}, {"prompt": "q", "completion": "a", "label": True}),
        ({"prompt": [user("q")], "completion": [bot("a")], "label": 1}, LABELED),
        ({"question": "q", "answer": "a", "label": "True"}, LABELED),
        ({"instruction": "q", "input": "", "output": "a", "kto_tag": "true"}, LABELED),
        ({"messages": [user("q"), bot("a")], "kto_tag": True}, LABELED),
        ({"prompt": "q", "chosen": "good", "rejected": "bad"}, {"prompt": "q", "chosen": "good", "rejected": "bad"}),
    ],
)
def test_kto_takes_labels_and_pairs(row, made):
    assert convert([row], KTO, "rows").rows == [made]


@pytest.mark.parametrize(
    ("row", "made"),
    [
        ({"prompt": "q", "right": 3}, {"prompt": "q", "right": 3}),
        ({"prompt": [user("q")], "answer": "a"}, {"prompt": [user("q")], "answer": "a"}),
        ({"question": "q", "solution": "s"}, {"prompt": [user("q")], "question": "q", "solution": "s"}),
        ({"question": "q", "answer": "a"}, {"prompt": [user("q")], "question": "q", "answer": "a"}),
        ({"prompt": "q", "completion": "a"}, {"prompt": "q", "answer": "a"}),
        ({"messages": [user("q"), bot("a")]}, {"prompt": [user("q")], "answer": "a"}),
    ],
)
def test_prompts_keep_the_columns_of_their_rewards(row, made):
    assert convert([row], GRPO, "rows").rows == [made]


@pytest.mark.parametrize(
    "row",
    [
        {"question": "q", "answer": "a"},
        {"prompt": "q", "completion": "a"},
        {"prompt": "q", "answer": "a"},
        {"messages": [user("q"), bot("a")]},
    ],
)
def test_a_student_gets_conversations(row):
    assert convert([row], GKD, "rows").rows == [{"messages": [user("q"), bot("a")]}]


@pytest.mark.parametrize(
    ("method", "row", "says"),
    [
        (KTO, {"prompt": "q", "completion": "a", "label": "maybe"}, "rows: row 1: label must be true or false"),
        (KTO, {"prompt": "q", "completion": "a"}, "use method: sft"),
        (TRL_METHODS["dpo"], {"prompt": "q", "chosen": "a"}, "has a column chosen and no rejected"),
        (REWARD, {"prompt": "q", "rejected": "a"}, "has a column rejected and no chosen"),
        (TRL_METHODS["dpo"], LABELED, "use method: kto"),
        (REWARD, {"prompt": "q", "answer": "a"}, "use method: grpo"),
        (TRL_METHODS["sft"], {"prompt": "q"}, "use method: grpo"),
        (GKD, {"text": "all of it"}, "plain text"),
        (GRPO, {"frage": "q"}, "columns: {prompt: my_column}"),
        (GRPO, {"prompt": ""}, "rows: row 1: prompt is empty"),
    ],
)
def test_rows_that_do_not_fit_are_one_line(method, row, says):
    with pytest.raises(DataError) as caught:
        convert([row], method, "rows")
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_any_column_can_be_mapped(tmp_path):
    rows = [{"Frage": f"q{n}", "Lösung": f"a{n}", "prompt": "n"} for n in range(20)]
    path = lines(tmp_path / "rows.jsonl", rows)
    config = {"dataset_name": str(path), "columns": {"prompt": "Frage", "answer": "Lösung"}}
    data = load_data(config, "grpo", tmp_path)
    assert set(data.train.column_names) == {"prompt", "answer", "prompt_"}
    assert {row["prompt"].replace("q", "a") for row in data.train} == set(data.train["answer"])
    assert set(load_data(config, "sft", tmp_path).train.column_names) >= {"prompt", "completion"}
    with pytest.raises(DataError, match=r"columns\.prompt: no column Frag; did you mean Frage\?"):
        load_data(config | {"columns": {"prompt": "Frag"}}, "grpo", tmp_path)


def test_a_column_of_several_types_is_one_line(tmp_path):
    rows = [{"prompt": f"q{n}", "answer": n if n % 2 else str(n)} for n in range(20)]
    with pytest.raises(DataError, match="answer: its values are of different types") as caught:
        load_data({"dataset_name": str(lines(tmp_path / "rows.jsonl", rows))}, "grpo", tmp_path)
    assert "\n" not in str(caught.value)


def test_prompts_are_held_out_by_question(tmp_path):
    rows = [{"prompt": f"q{n % 10}", "answer": str(n)} for n in range(100)]
    data = load_data({"dataset_name": str(lines(tmp_path / "rows.jsonl", rows))}, "grpo", tmp_path)
    assert len(data.test) == 10
    assert not set(data.test["prompt"]) & set(data.train["prompt"])

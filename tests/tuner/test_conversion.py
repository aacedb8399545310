import json

import pytest

from tuner.config.methods import TRL_METHODS
from tuner.data import DataError
from tuner.data.conversion import convert
from tuner.data.formats import formats

SFT, DPO = TRL_METHODS["sft"], TRL_METHODS["dpo"]


def user(text):
    return {"role": "user", "content": text}


def bot(text):
    return {"role": "assistant", "content": text}


ASKED, GOOD, BAD = [user("q")], [bot("good")], [bot("bad")]
PAIR = {"prompt": ASKED, "chosen": GOOD, "rejected": BAD}


@pytest.mark.parametrize(
    ("row", "made"),
    [
        ({"instruction": "q", "input": "", "output": "a"}, {"prompt": ASKED, "completion": [bot("a")]}),
        ({"instruction": "q", "input": "x", "output": "a"}, {"prompt": [user("q\n\nx")], "completion": [bot("a")]}),
        ({"instruction": "q", "output": "a"}, {"prompt": ASKED, "completion": [bot("a")]}),
        (
            {"instruction": "q", "input": None, "output": "a", "system": "be", "history": [["h", "i"]]},
            {
                "prompt": [{"role": "system", "content": "be"}, user("h"), bot("i"), user("q")],
                "completion": [bot("a")],
            },
        ),
        (
            {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}], "system": "be"},
            {"messages": [{"role": "system", "content": "be"}, user("q"), bot("a")]},
        ),
        (
            {
                "conversations": [
                    {"from": "system", "value": "be"},
                    {"from": "user", "value": "q"},
                    {"from": "assistant", "value": "a"},
                ]
            },
            {"messages": [{"role": "system", "content": "be"}, user("q"), bot("a")]},
        ),
        ({"messages": [user("q"), bot("a")], "source": "x"}, {"messages": [user("q"), bot("a")]}),
        ({"messages": json.dumps([user("q"), bot("a")])}, {"messages": [user("q"), bot("a")]}),
        ({"prompt": "q", "completion": "a"}, {"prompt": "q", "completion": "a"}),
        ({"prompt": [user("q")], "completion": [bot("a")]}, {"prompt": ASKED, "completion": [bot("a")]}),
        ({"question": "q", "answer": "a"}, {"prompt": ASKED, "completion": [bot("a")]}),
        ({"instruction": "q", "response": "a"}, {"prompt": ASKED, "completion": [bot("a")]}),
        ({"text": "all of it"}, {"text": "all of it"}),
        (
            {"instruction": "q", "input": "", "output": "a", "chosen": "good", "rejected": "bad"},
            {"prompt": ASKED, "completion": [bot("a")]},
        ),
    ],
)
def test_instruction_rows_become_trl_s_columns(row, made):
    assert convert([row], SFT, "rows").rows == [made]


@pytest.mark.parametrize(
    ("row", "made"),
    [
        ({"prompt": "q", "chosen": "good", "rejected": "bad"}, {"prompt": "q", "chosen": "good", "rejected": "bad"}),
        (PAIR, PAIR),
        ({"prompt": "q", "chosen": GOOD, "rejected": BAD}, PAIR),
        (
            {"question": "q", "system": "be", "chosen": "good", "rejected": "bad"},
            {**PAIR, "prompt": [{"role": "system", "content": "be"}, *ASKED]},
        ),
        ({"prompt": "q", "chosen": ASKED + GOOD, "rejected": ASKED + BAD}, PAIR),
        ({"chosen": ASKED + GOOD, "rejected": ASKED + BAD}, PAIR),
        ({"chosen": "q good", "rejected": "q bad"}, {"chosen": "q good", "rejected": "q bad"}),
        ({"instruction": "q", "input": "", "output": "a", "chosen": "good", "rejected": "bad"}, PAIR),
        ({"instruction": "q", "chosen": "good", "rejected": "bad"}, PAIR),
        (
            {
                "conversations": [{"from": "human", "value": "q"}],
                "chosen": {"from": "gpt", "value": "good"},
                "rejected": {"from": "gpt", "value": "bad"},
            },
            PAIR,
        ),
    ],
)
def test_preference_rows_become_trl_s_columns(row, made):
    assert convert([row], DPO, "rows").rows == [made]


@pytest.mark.parametrize(
    ("method", "row", "named"),
    [
        (SFT, {"instruction": "q", "output": ""}, "output is empty"),
        (SFT, {"instruction": "q", "output": None}, "output is missing"),
        (SFT, {"instruction": "q"}, "output is missing"),
        (SFT, {"instruction": 3, "output": "a"}, "instruction must be"),
        (SFT, {"instruction": ["q"], "output": "a"}, "instruction must be"),
        (SFT, {"instruction": "q", "input": 1, "output": "a"}, "input must be"),
        (DPO, {"prompt": "q", "chosen": "a", "rejected": ["b"]}, "rejected, turn 1"),
        (DPO, {"prompt": "q", "chosen": "a", "rejected": [bot("b")]}, "chosen and rejected"),
        (DPO, {"prompt": "q", "chosen": "a", "rejected": " "}, "rejected is empty"),
    ],
)
def test_a_row_that_does_not_fit_is_named_by_its_number(method, row, named):
    good = {"instruction": "q", "output": "a"} if method is SFT else {"prompt": "q", "chosen": "a", "rejected": "b"}
    with pytest.raises(DataError) as caught:
        convert([good] * 16 + [row], method, "orders.jsonl")
    assert str(caught.value).startswith("orders.jsonl: row 17: ")
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("turns", "named"),
    [
        ([], "messages is empty"),
        (None, "messages is missing"),
        ("hello", "messages must be"),
        ([user("q")], "assistant"),
        ([user("q"), {"role": "robot", "content": "a"}], "'robot'"),
        ([user("q"), {"content": "a"}], "turn 2"),
        ([user("q"), {"role": "assistant", "content": None}], "turn 2"),
        ([user("q"), bot("")], "turn 2"),
        ([user("q"), "a"], "turn 2"),
    ],
)
def test_a_conversation_that_does_not_fit_says_which_turn(turns, named):
    with pytest.raises(DataError, match="row 1: ") as caught:
        convert([{"messages": turns}], SFT, "x.jsonl")
    assert named in str(caught.value)


def test_an_implicit_prompt_needs_a_shared_first_turn():
    with pytest.raises(DataError, match="row 1: chosen and rejected"):
        convert([{"chosen": [user("a"), bot("b")], "rejected": [user("c"), bot("d")]}], DPO, "x")


def test_a_longer_shared_start_is_all_prompt():
    start = [user("a"), bot("b"), user("c")]
    made = convert([{"chosen": [*start, bot("x")], "rejected": [*start, bot("y")]}], DPO, "x").rows[0]
    assert made == {"prompt": start, "chosen": [bot("x")], "rejected": [bot("y")]}


def test_data_of_the_other_method_is_one_clear_line():
    with pytest.raises(DataError, match=r"method sft .*method: dpo"):
        convert([PAIR], SFT, "x")
    with pytest.raises(DataError, match=r"method dpo .*method: sft"):
        convert([{"question": "q", "answer": "a"}], DPO, "x")


def test_unknown_columns_are_listed_with_the_formats_that_are_known():
    with pytest.raises(DataError, match=r"body, title .*messages, ShareGPT"):
        convert([{"title": "t", "body": "b"}], SFT, "x")


def test_pairs_without_a_difference_are_left_out_and_counted():
    same = {"prompt": "q", "chosen": "a", "rejected": "a"}
    made = convert([same, {**same, "rejected": "b"}], DPO, "x")
    assert (len(made.rows), made.dropped) == (1, 1)
    with pytest.raises(DataError, match=r"x: .*chosen.*rejected"):
        convert([same], DPO, "x")


def test_every_format_has_its_own_name():
    names = [form.name for form in formats()]
    assert len(names) == len(set(names))

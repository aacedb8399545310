import csv
import json
import time

import pytest

from diagnostics.model.message import message
from tests.tuner.test_conversion import bot, user
from tuner.data import DataError, load_data
from tuner.data.splits import held_out, prompt_key

ROWS = [{"question": f"q{n}", "answer": f"a{n}"} for n in range(30)]


def written(path, rows):
    if path.suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows))
    elif path.suffix == ".csv":
        with path.open("w", newline="") as lines:
            writer = csv.DictWriter(lines, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        from datasets import Dataset

        Dataset.from_list(rows).to_parquet(path)
    return path


def loaded(path, method="sft", **config):
    return load_data({"dataset_name": str(path), **config}, method, path.parent)


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "parquet"])
def test_files_of_every_kind_hold_the_same_rows(tmp_path, kind):
    data = loaded(written(tmp_path / f"rows.{kind}", ROWS))
    asked = [row["prompt"][0]["content"] for split in (data.train, data.test) for row in split]
    assert sorted(asked) == sorted(row["question"] for row in ROWS)
    assert len(data.test) == 3
    assert message("rows-held-out", test=3, train=27) in data.notes


def test_json_under_data_and_lines_under_the_wrong_name_are_read(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"version": "1", "data": ROWS}))
    written(tmp_path / "b.jsonl", ROWS).rename(tmp_path / "b.json")
    assert len(loaded(tmp_path / "a.json").train) == len(loaded(tmp_path / "b.json").train) == 27


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("a.jsonl", '{"question": "q", "answer": "a"}\n{"question": \n', "row 2: "),
        ("a.jsonl", "[1]\n", "row 1: "),
        ("a.json", '{"a": 1}', "a.json: .*list"),
        ("a.json", "[{]", "line 1: "),
        ("a.jsonl", "", "a.jsonl: "),
        ("a.csv", "question,answer\na,b,c\n", "row 1: .*header"),
        ("a.parquet", "nothing", "a.parquet: "),
    ],
)
def test_a_broken_file_says_where(tmp_path, name, text, named):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=named):
        loaded(tmp_path / name)


@pytest.mark.parametrize("test_name", ["test.jsonl", "validation.jsonl", "eval-00000.jsonl", "dev/rows.jsonl"])
def test_a_folder_is_split_by_its_file_names(tmp_path, test_name):
    (tmp_path / test_name).parent.mkdir(exist_ok=True)
    written(tmp_path / "train.jsonl", ROWS)
    written(tmp_path / test_name, ROWS[:4])
    data = loaded(tmp_path)
    assert (len(data.train), len(data.test)) == (30, 4)


def test_splits_are_chosen_by_the_names_of_files_and_folders(tmp_path):
    for name in ("train_sft", "train_gen-00000-of-00002", "train_gen-00001-of-00002"):
        written(tmp_path / f"{name}.jsonl", ROWS[:12])
    (tmp_path / "late").mkdir()
    written(tmp_path / "late" / "rows.jsonl", ROWS[:4])
    assert len(loaded(tmp_path, dataset_train_split="train_sft", dataset_test_split="late").train) == 12
    data = loaded(tmp_path, dataset_train_split="train_gen", dataset_test_split="late")
    assert (len(data.train), len(data.test)) == (24, 4)
    data = loaded(tmp_path, dataset_test_split="train_sft")
    assert (len(data.train), len(data.test)) == (24, 12)


@pytest.mark.parametrize("key", ["dataset_train_split", "dataset_test_split", "dataset_config"])
def test_a_split_or_a_configuration_that_files_do_not_have_is_refused(tmp_path, key):
    written(tmp_path / "train.jsonl", ROWS)
    for place in (tmp_path, tmp_path / "train.jsonl"):
        with pytest.raises(DataError, match=key):
            loaded(place, **{key: "gone"})


def test_the_names_that_splits_have_anyway_are_taken(tmp_path):
    path = written(tmp_path / "rows.jsonl", ROWS)
    data = loaded(path, dataset_train_split="train", dataset_test_split="test", dataset_config="default")
    assert (len(data.train), len(data.test)) == (27, 3)


def test_a_folder_of_shards_is_one_training_set(tmp_path):
    written(tmp_path / "part-1.jsonl", ROWS[:15])
    written(tmp_path / "part-2.csv", ROWS[15:])
    data = loaded(tmp_path)
    assert (len(data.train), len(data.test)) == (27, 3)


def test_a_folder_without_training_rows_says_what_it_found(tmp_path):
    written(tmp_path / "test.jsonl", ROWS)
    with pytest.raises(DataError, match=r"test\.jsonl"):
        loaded(tmp_path)


def test_a_saved_dataset_with_its_own_split_is_taken_as_it_is(tmp_path):
    from datasets import Dataset, DatasetDict

    sets = DatasetDict(train=Dataset.from_list(ROWS), validation=Dataset.from_list(ROWS[:5]))
    sets.save_to_disk(tmp_path / "saved")
    data = loaded(tmp_path / "saved")
    assert (len(data.train), len(data.test)) == (30, 5)
    assert data.train.column_names == ["prompt", "completion"]
    with pytest.raises(DataError, match=r"held.*train, validation"):
        loaded(tmp_path / "saved", dataset_test_split="held")


def test_a_bad_row_of_a_saved_dataset_is_named_too(tmp_path):
    from datasets import Dataset

    Dataset.from_list([*ROWS, {"question": "q", "answer": ""}]).save_to_disk(tmp_path / "saved")
    with pytest.raises(DataError, match="row 31: answer"):
        loaded(tmp_path / "saved")


def test_a_mixture_goes_through_trl(tmp_path):
    files = str(written(tmp_path / "rows.jsonl", ROWS))
    sources = [{"path": "json", "data_files": files}, {"path": "json", "data_files": files}]
    data = load_data({"datasets": sources, "test_split_size": 0.25}, "sft", tmp_path)
    assert (len(data.train), len(data.test)) == (45, 15)


def test_the_same_prompt_is_never_on_both_sides():
    keys = [f"prompt {number % 20}" for number in range(200)]
    train, test = held_out(keys, 42, "x")
    assert {keys[n] for n in train}.isdisjoint(keys[n] for n in test)
    assert sorted(train + test) == list(range(200))
    assert len(test) == 20


def test_the_held_out_rows_follow_from_the_seed_and_not_from_the_order_of_calls():
    keys = [str(number) for number in range(50)]
    assert held_out(keys, 1, "x") == held_out(keys, 1, "x")
    assert held_out(keys, 1, "x") != held_out(keys, 2, "x")


def test_two_rows_are_enough_and_one_prompt_is_not():
    assert [len(side) for side in held_out(["a", "b"], 0, "x")] == [1, 1]
    with pytest.raises(DataError, match=r"x: .*two"):
        held_out(["a", "a"], 0, "x")


def test_messages_with_the_same_question_share_a_key():
    assert prompt_key({"messages": [user("q"), bot("a")]}) == prompt_key({"messages": [user("q"), bot("b")]})
    assert prompt_key({"prompt": "q"}) != prompt_key({"prompt": "r"})


def test_data_is_read_once_and_again_when_the_file_changed(tmp_path):
    path = written(tmp_path / "rows.jsonl", ROWS)
    first = loaded(path)
    assert loaded(path) is first
    written(path, ROWS[:20])
    assert len(loaded(path).train) == 18


@pytest.mark.long
def test_a_hundred_thousand_rows_take_seconds(tmp_path):
    rows = [{"instruction": f"question {n}", "input": "", "output": f"answer {n}"} for n in range(100_000)]
    path = written(tmp_path / "rows.jsonl", rows)
    began = time.process_time()
    data = loaded(path)
    assert time.process_time() - began < 15
    assert len(data.train) + len(data.test) == 100_000
    assert len(data.test) == 1000

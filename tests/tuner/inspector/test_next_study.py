from pathlib import Path

import pytest
import yaml

from tests.tuner.inspector.material import a_study, write_study
from tuner.config.search_space import Choice, Range
from tuner.config.study_file import load_spec
from tuner.inspector.jobs.next_study import merged, next_study, offered
from tuner.study.results import Paragraph, TrialResult, TrialState
from tuner.study.stored import load_study

DATA = Path(__file__).parents[3] / "studies" / "data" / "orders-sft"
FIRST = {
    "method": "sft",
    "model_name_or_path": "tuner/tiny",
    "dataset_name": str(DATA),
    "learning_rate": 1e-5,
    "per_device_train_batch_size": 8,
    "gradient_accumulation_steps": 1,
    "warmup_steps": 0.03,
}
SPACE = {"learning_rate": Range(1e-6, 1e-2, log=True), "batch_size": Choice((4, 8)), "warmup_ratio": Range(0.0, 0.2)}
WIDER = Paragraph("Wider", ("…",), {"study": {"space": {"batch_size": [2, 4, 8]}}})
LONGER = Paragraph("Longer", ("…",), {"max_steps": 128})
SMALLER = Paragraph("Smaller", ("…",), {"per_device_train_batch_size": 2})


def test_only_paragraphs_with_lines_are_offered() -> None:
    stored = [Paragraph.from_dict({"title": "a", "text": "b", "yaml": yaml}) for yaml in (None, "key: [", "- list")]
    assert offered(a_study(review=(*stored, WIDER))) == [WIDER]


def test_the_next_study_is_trial_0_with_the_space_and_the_changes(tmp_path: Path) -> None:
    study = a_study(space=SPACE, review=(WIDER, LONGER))
    path = tmp_path / "next.yaml"
    path.write_text(next_study(study, FIRST, [WIDER, LONGER, SMALLER]))
    spec = load_spec(path)
    assert spec.config["max_steps"] == 128
    assert str(spec.study.space["batch_size"]) == "2, 4, 8"
    assert (spec.study.trials, spec.study.seeds) == (4, 2)
    assert path.read_text().startswith("# the next study after demo\n# Wider\n# Longer\n")


def test_the_file_s_own_value_lies_in_its_space(tmp_path: Path) -> None:
    path = tmp_path / "next.yaml"
    path.write_text(next_study(a_study(space=SPACE), {**FIRST, "learning_rate": 0.5}, [SMALLER]))
    spec = load_spec(path)
    assert spec.study.bounds["learning_rate"] == (1e-6, 0.5)
    assert spec.study.bounds["batch_size"] == (2, 16)  # a trial of the study tried 16


SPACE_BLOCK = """\
learning_rate: {low: 1.23456789e-06, high: 0.0123456789, log: true}
max_length: {low: 256, high: 1024, step: 128}
lora_r: [64, 8, 16]
optim_args: ["1", "a=1,b=2", null]
warmup_ratio: {low: 0, high: 0.2, step: 0.05}
"""


def test_the_space_comes_back_whole_through_the_stored_study(tmp_path: Path) -> None:
    space = yaml.safe_load(SPACE_BLOCK)
    own = {**FIRST, "optim_args": "1", "lora_r": 8, "warmup_steps": 0.05}
    (tmp_path / "first.yaml").write_text(yaml.safe_dump({**own, "study": {"space": space}}))
    first = load_spec(tmp_path / "first.yaml")
    trial = TrialResult(
        0, {"learning_rate": 1e-5, "max_length": 1024, "lora_r": 8, "optim_args": "1"}, 1.0, TrialState.COMPLETE
    )
    stored = write_study(tmp_path / "study", a_study(space=first.study.space, trials=(trial,)))
    (tmp_path / "next.yaml").write_text(next_study(load_study(stored), own, []))
    again = load_spec(tmp_path / "next.yaml").study.space
    assert repr(again) == repr(first.study.space)


def test_what_is_not_known_is_left_to_fill_in() -> None:
    text = next_study(a_study(), None, [])
    assert yaml.safe_load(text)["dataset_name"] == "FILL-IN"
    assert any(line.startswith("#") and "FILL-IN" in line for line in text.splitlines())


def test_a_study_that_compared_answers_asks_for_them_again() -> None:
    text = next_study(a_study(before={"eval_exact_match": 0.0}), FIRST, [])
    assert yaml.safe_load(text)["study"]["exact_match_rows"] == 32


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ({"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"c": 3}}, {"a": 1, "b": {"c": 3, "d": 2}}),
        ({"a": {"low": 1, "high": 2, "log": True}}, {"a": {"low": 0, "high": 2}}, {"a": {"low": 0, "high": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_blocks_are_merged_and_ranges_replaced(one: dict, other: dict, both: dict) -> None:  # type: ignore[type-arg]
    before = repr(one)
    assert merged(one, other) == both
    assert repr(one) == before

"""Metrics of generated answers: the ready ones, the user's own, and tests that answers of code must pass."""

import json
import sys
import time

import pytest

from tuner.config.answer_metrics import answer_metric
from tuner.errors import SpecError
from tuner.training.answer_metrics import scorer_of
from tuner.training.generation import Sample
from tuner.training.train import train


def score(name, samples, tmp_path):
    return scorer_of(answer_metric(name), tmp_path, tmp_path / "x.yaml")(samples)


SAME = [Sample("q", "the cat sat on the mat today", "the cat sat on the mat today")]
OTHER = [Sample("q", "the cat sat on the mat today", "nothing of it")]
HALF = [Sample("q", "the cat sat", "the cat ran")]


@pytest.mark.parametrize(
    ("name", "package", "best", "half"),
    [
        ("rouge_1", "rouge_score", 1.0, 2 / 3),
        ("rouge_2", "rouge_score", 1.0, 1 / 2),
        ("ROUGE-L", "rouge_score", 1.0, 2 / 3),
        ("bleu", "sacrebleu", 100.0, None),
        ("chrf", "sacrebleu", 100.0, None),
        ("exact_match", "json", 1.0, 0.0),
    ],
)
def test_the_ready_metrics_are_right_at_their_ends(tmp_path, name, package, best, half):
    pytest.importorskip(package)
    assert score(name, SAME, tmp_path) == pytest.approx(best)
    assert score(name, OTHER, tmp_path) <= 0.1 * best
    assert half is None or score(name, HALF, tmp_path) == pytest.approx(half)


def test_json_valid_counts_what_parses(tmp_path):
    samples = [Sample("q", "r", answer) for answer in ('{"a": 1}', "[1", "Sure: {}", "3")]
    assert score("json_valid", samples, tmp_path) == 0.5


CODE = "def add(a, b):\n    return a + b"
TEST = "assert add(2, 3) == 5"


@pytest.mark.parametrize(
    ("answer", "tests", "passed"),
    [
        (CODE, TEST, True),
        (f"Here:\n```python\n{CODE}\n```\nThat is it.", [TEST, "assert add(0, 0) == 0"], True),
        ("def add(a, b):\n    return a - b", TEST, False),
        ("import sys\nsys.exit(0)", TEST, False),
        ("def add(:", TEST, False),
        ("open('big', 'w').write('y' * 10**8)\n" + CODE, TEST, False),
        ("x = 'y' * 10**10\n" + CODE, TEST, False),
        ("import os\nassert not os.environ.get('HOME')\n" + CODE, TEST, True),
    ],
)
def test_code_passes_its_tests_or_does_not(tmp_path, answer, tests, passed):
    assert score("pass@1", [Sample("q", "r", answer, {"test": tests})], tmp_path) == float(passed)


def test_code_that_never_ends_is_ended_with_all_it_started(tmp_path, monkeypatch):
    monkeypatch.setattr("tuner.training.code_tests.SECONDS", 1)
    started = time.monotonic()
    answer = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'while 1: pass'])\nwhile 1: pass"
    assert score("pass@1", [Sample("q", "r", answer, {"test": TEST})], tmp_path) == 0.0
    assert time.monotonic() - started < 5


def test_pass_at_k_needs_one_good_answer_of_k(tmp_path):
    answers = [*(("q1", text) for text in ("no", CODE)), *(("q2", text) for text in ("no", "no"))]
    samples = [Sample(asked, "r", answer, {"test": TEST}) for asked, answer in answers]
    assert score("pass@2", samples, tmp_path) == 0.5
    assert answer_metric("pass@2").attempts == 2
    with pytest.raises(SpecError, match="needs a column of tests"):
        score("pass@1", [Sample("q", "r", "a")], tmp_path)


OWN = """
def short(answers, references, note):
    return [float(len(one) < 100 and n.startswith("n")) for one, n in zip(answers, note)]

def broken(answers):
    raise KeyError("x")

def endless(answers):
    return float("inf")
"""


def test_a_function_of_the_user_s_own_is_the_metric_of_a_study(make, tmp_path):
    (tmp_path / "mine.py").write_text(OWN)
    rows = [{"prompt": f"q{n}", "completion": "a", "note": f"n{n}"} for n in range(20)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    study = {"metric": "mine.py:short", "exact_match_rows": 2, "answer_metrics": ["json_valid", "pass@1"]}
    with pytest.raises(SpecError, match="needs a column of tests"):
        train(make(dataset_name=str(tmp_path / "rows.jsonl"), study=study), {}, tmp_path / "run")
    study["answer_metrics"] = ["json_valid"]
    spec = make(dataset_name=str(tmp_path / "rows.jsonl"), study=study)
    assert (spec.study.metric, spec.study.direction) == ("eval_short", "maximize")
    run = train(spec, {}, tmp_path / "run")
    assert [*run.curve("eval_short").steps] == [0, 3]
    assert [*run.curve("eval_short").values] == [1.0, 1.0]
    assert len(run.curve("eval_json_valid")) == len(run.curve("eval_exact_match")) == 2


@pytest.mark.parametrize(("name", "says"), [("broken", "KeyError: 'x'"), ("endless", "returned inf")])
def test_what_an_own_metric_does_wrong_is_one_line(tmp_path, name, says):
    (tmp_path / "mine.py").write_text(OWN)
    with pytest.raises(SpecError) as caught:
        score(f"mine.py:{name}", SAME, tmp_path)
    assert says in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("study", "says"),
    [
        ({"metric": "rouge_l"}, "rouge_l needs study.exact_match_rows"),
        ({"answer_metrics": ["bleuu"], "exact_match_rows": 2}, "unknown metric bleuu; did you mean bleu?"),
        ({"metric": "mine.py:gone", "exact_match_rows": 2}, "mine.py: no such file"),
        ({"metric": "judge_win_rate", "exact_match_rows": 2}, "needs study.judge"),
    ],
)
def test_a_metric_that_cannot_be_measured_is_refused_before_anything_trains(make, study, says):
    with pytest.raises(SpecError) as caught:
        make(study=study)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_a_package_that_is_missing_is_named(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "rouge_score", None)
    with pytest.raises(SpecError, match=r"needs the package rouge_score: pip install 'curvetuner\[metrics\]'"):
        make(study={"metric": "rouge_l", "exact_match_rows": 2})

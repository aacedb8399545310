"""Reward functions: where they come from, what they may return, and what a run logs of them."""

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.tuner import smallest
from tuner.config.study_file import load_spec
from tuner.errors import SpecError
from tuner.training.rewards import check_part, reward_functions
from tuner.training.train import train

REWARDS = smallest.WRITES_ANSWERS["reward_funcs"][0].rpartition(":")[0]


@pytest.fixture
def own(tmp_path):
    """A file of rewards beside the study file, with that text."""

    def written(text):
        (tmp_path / "mine.py").write_text(text)
        return "mine.py:score"

    return written


def test_the_metric_of_a_study_is_the_held_out_reward_of_any_function(make, tmp_path):
    functions = [f"{REWARDS}:length", f"{REWARDS}:right"]
    metric = "eval_rewards/length/mean"
    spec = make("grpo", reward_funcs=functions, reward_weights=[0.5, 2.0], study={"metric": metric})
    assert (spec.study.metric, spec.study.direction) == (metric, "maximize")
    assert make("grpo").study.metric == "eval_reward"
    run = train(spec, {}, tmp_path / "run")
    parts = [run.curve(f"eval_rewards/{name}/mean") for name in ("length", "right")]
    assert all(len(part) == 4 for part in parts)
    weighted = 0.5 * parts[0].values + 2.0 * parts[1].values
    assert run.curve("eval_reward").values == pytest.approx(weighted, rel=1e-3)
    state = json.loads((tmp_path / "run" / "trainer_state.json").read_text())
    assert state["best_metric"] == max(parts[0].values[1:])


def test_a_rerun_finds_the_rewards_and_must_be_trusted(make, tmp_path, own):
    name = own("def score(completions, **kw):\n    return [1.0] * len(completions)\n")
    train(make("grpo", reward_funcs=[name]), {}, tmp_path / "run")
    config = tmp_path / "run" / "config.yaml"
    with pytest.raises(SpecError, match="reward_funcs: can run code"):
        load_spec(config)
    assert load_spec(config, trust_remote_code=True).config["reward_funcs"] == [f"{tmp_path / 'mine.py'}:score"]


@pytest.mark.parametrize(
    ("functions", "says"),
    [
        (["gone.py:score"], "reward_funcs: gone.py: no such file"),
        ([f"{REWARDS}:lenght"], "did you mean length?"),
        (["no.such.module.f"], "no such module"),
        (["think_format_rewards"], "did you mean think_format_reward?"),
        (None, "reward_funcs or reward_model_name_or_path is missing"),
    ],
)
def test_a_function_that_is_not_there_is_one_line_before_anything_loads(make, functions, says):
    with pytest.raises(SpecError) as caught:
        make("grpo", reward_funcs=functions)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_weights_need_a_function_each(make):
    with pytest.raises(SpecError, match="reward_weights: 2 weights for 1 rewards"):
        make("grpo", reward_weights=[1.0, 2.0])


def test_a_file_in_the_folder_of_a_run_is_not_believed(make, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "trainer_state.json").write_text("{}")
    (tmp_path / "run" / "evil.py").write_text("def score(completions, **kw): ...\n")
    with pytest.raises(SpecError, match="lies in the folder of a run"):
        make("grpo", reward_funcs=["run/evil.py:score"])


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("raise KeyError('answer')", r"KeyError: 'answer' \(mine.py, line 2\)"),
        ("return [1.0]", "returned 1 rewards for"),
        ("return [None] * len(completions)", "eval_reward has no value"),
        pytest.param("return 1.0", "must return a list of numbers", marks=pytest.mark.long),
        pytest.param("return [float('nan')] * len(completions)", "not finite", marks=pytest.mark.long),
    ],
)
def test_what_a_function_does_wrong_is_one_line(make, tmp_path, own, body, says):
    name = own(f"def score(completions, **kw):\n    {body}\n")
    with pytest.raises(SpecError, match=says) as caught:
        train(make("grpo", reward_funcs=[name]), {}, tmp_path / "run")
    assert "\n" not in str(caught.value)


def test_a_function_that_does_not_take_the_columns_of_the_rows_is_told_what_to_take(tmp_path, own):
    name = own("def score(answers):\n    return [1.0] * len(answers)\n")
    named = SimpleNamespace(reward_model_name_or_path=None, reward_funcs=[name])
    (function,) = reward_functions(SimpleNamespace(script=named, training=None), tmp_path, tmp_path / "grpo.yaml")
    with pytest.raises(SpecError, match=r"must take completions, and all other columns as \*\*columns: score\(\) got"):
        function(completions=["a"], answer=["b"])


def test_a_column_that_the_rows_do_not_have_is_named_with_those_they_have(tmp_path, own):
    name = own("def score(completions, answer, *, weight=1.0, **columns):\n    return [1.0] * len(completions)\n")
    named = SimpleNamespace(reward_model_name_or_path=None, reward_funcs=[name])
    (function,) = reward_functions(SimpleNamespace(script=named, training=None), tmp_path, tmp_path / "grpo.yaml")
    with pytest.raises(SpecError, match=r"mine\.py:score: takes answer, .* they have solution$"):
        function(prompts=["q"], completions=["a"], solution=["b"], trainer_state=None)
    assert function(prompts=["q"], completions=["a"], answer=["b"], trainer_state=None) == [1.0]


def test_a_reward_model_that_is_none_is_named_by_its_key(tmp_path):
    named = SimpleNamespace(reward_model_name_or_path=str(tmp_path), reward_funcs=None)
    parsed = SimpleNamespace(script=named, training=SimpleNamespace(trust_remote_code=False))
    with pytest.raises(SpecError, match="reward_model_name_or_path: cannot load") as caught:
        reward_functions(parsed, tmp_path, tmp_path / "grpo.yaml")
    assert "\n" not in str(caught.value)


def test_a_metric_that_no_reward_function_gives_is_refused():
    check_part("eval_rewards/facts/mean", ["facts", "parses"], Path("grpo.yaml"))
    check_part("eval_reward", ["facts"], Path("grpo.yaml"))
    with pytest.raises(SpecError, match="no reward function is called fact; did you mean facts"):
        check_part("eval_rewards/fact/mean", ["facts", "parses"], Path("grpo.yaml"))


@pytest.mark.parametrize("body", ["return [1.0]", "raise SystemExit(3)"])
def test_what_an_awaited_function_does_wrong_is_one_line(tmp_path, own, body):
    named = SimpleNamespace(reward_model_name_or_path=None, reward_funcs=[own(f"async def score(**kw):\n    {body}\n")])
    (function,) = reward_functions(SimpleNamespace(script=named, training=None), tmp_path, tmp_path / "grpo.yaml")
    with pytest.raises(SpecError, match=r"mine\.py:score"):
        asyncio.run(function(completions=["a", "b"]))


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"num_generations": 3}, "batch_size 4 does not hold whole groups of num_generations 3"),
        ({"study": {"space": {"batch_size": [4, 5]}}}, "batch_size 5 does not hold"),
        ({"study": {"space": {"num_generations": [2, 3]}}}, "num_generations 3"),
        ({"study": {"space": {"reward_weights": [1.0]}}}, "reward_weights"),
        ({"study": {"metric": "eval_accuracy"}}, "method grpo logs no eval_accuracy"),
    ],
)
def test_a_study_whose_batches_hold_no_whole_groups_is_refused(make, keys, says):
    with pytest.raises(SpecError) as caught:
        make("grpo", **keys)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("ppo", "use method: rloo or grpo"),
        ("gspo", "importance_sampling_level: sequence"),
        ("rm", "called reward here"),
        ("grppo", "did you mean grpo?"),
    ],
)
def test_a_method_that_is_gone_or_called_otherwise_names_its_successor(make, name, says):
    with pytest.raises(SpecError) as caught:
        make(name)
    assert says in str(caught.value) and "\n" not in str(caught.value)

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tuner.commands.loading import load_study_file
from tuner.config.methods import TRL_METHODS
from tuner.config.study_file import Choice, Range, SpecError, environment, load_spec, located
from tuner.config.trl_schema import keys_of

ROOT = Path(__file__).parents[2]
HEAD = """\
method: sft
model_name_or_path: tuner/tiny
dataset_name: rows.jsonl
"""
DPO = HEAD.replace("sft", "dpo")


@pytest.fixture
def write(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')

    def written(text):
        path = tmp_path / "x.yaml"
        path.write_text(text)
        return path

    return written


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "mapping"),
        ("- a\n", "mapping"),
        (HEAD + "learning_rate: 1\nlearning_rate: 2\n", "learning_rate … lines 4 and 5"),
        (HEAD + "study:\n  seeds: 1\n  seeds: 2\n", "seeds … lines 5 and 6"),
        (HEAD + "study:\n\ttrials: 3\n", "line 5 … tab"),
        (HEAD + "study:\n  a: 1\n b: 2\n", "line 6"),
        (HEAD.replace("method: sft\n", ""), "method is … sft"),
        (
            "base_model: a/b\ndatasets: [{path: c}]\nsequence_len: 9\n",
            "config file of axolotl … study: … space",
        ),
        ("stage: sft\nmodel_name_or_path: a\ncutoff_len: 9\n", "config file of llamafactory … study: … space"),
        (HEAD.replace("sft", "sfr"), "method 'sfr' … sft, dpo … sft?"),
        (HEAD.replace("sft", "[sft]"), "method ['sft'] … sft, dpo"),
        (HEAD.replace("model_name_or_path: tuner/tiny\n", ""), "model_name_or_path is"),
        (HEAD.replace("dataset_name: rows.jsonl\n", ""), "dataset_name is"),
        (HEAD.replace("rows.jsonl", "gone.jsonl"), "dataset_name: gone.jsonl"),
        (HEAD.replace("tuner/tiny", "./gone"), "model_name_or_path: ./gone"),
        (HEAD + "lerning_rate: 1\n", "key lerning_rate … learning_rate?"),
        (HEAD + "study:\n  steps: 0\n", "study.steps: … not 0"),
        (HEAD + "study:\n  steps: many\n", "study.steps: … 'many'"),
        (HEAD + "study:\n  stop_early: maybe\n", "study.stop_early: … 'maybe'"),
        (HEAD + "trials: 3\n", "key trials … study.trials?"),
        (HEAD + "beta: 0.1\n", "key beta … method sft … method dpo"),
        (HEAD + "learning_rate: fast\n", "learning_rate: … 'fast'"),
        (HEAD + "learning_rate: [1, 2]\n", "learning_rate: … [1, 2]"),
        (HEAD + "learning_rate: -1\n", "learning_rate: … not -1"),
        (HEAD + "lora_r: 8.5\n", "lora_r: … whole … 8.5"),
        (HEAD + "packing: maybe\n", "packing: … 'maybe'"),
        (HEAD + "lr_scheduler_type: cosin\n", "lr_scheduler_type: … cosine?"),
        (HEAD + "loss_type: nil\n", "loss_type: … nll?"),
        (DPO + "loss_type: [sigmoid, hing]\n", "loss_type: … hinge?"),
        (HEAD + "batch_size: 0\n", "batch_size: … 1 or more"),
        (HEAD + "study: 3\n", "study: … mapping"),
        (HEAD + "study:\n  trails: 3\n", "key study.trails … study.trials?"),
        (HEAD + "study:\n  workers: 0\n", "study.workers: … 1 or more … not 0"),
        (HEAD + "study:\n  trials: 0\n", "study.trials: … 1 or more … not 0"),
        (HEAD + "study:\n  trials: many\n", "study.trials: … whole … 'many'"),
        (HEAD + "study:\n  minutes: 0\n", "study.minutes: … 0.01 or more"),
        (HEAD + "study:\n  direction: up\n", "study.direction: … minimize … maximize … 'up'"),
        (HEAD + "study:\n  metric: eval_los\n", "study.metric: … sft … eval_los … eval_loss?"),
        (HEAD + "study:\n  metric: eval_rewards/margins\n", "study.metric: … sft … eval_rewards/margins"),
        (HEAD + "study:\n  metric: eval_exact_match\n", "study.metric: … study.exact_match_rows"),
        (HEAD + "study:\n  space: {}\n", "study.space: … ranges"),
        (HEAD + "study:\n  space: {learning_rate: 1e-4}\n", "study.space.learning_rate: … {low … '1e-4'"),
        (HEAD + "study:\n  space: {lerning_rate: [1]}\n", "key study.space.lerning_rate … learning_rate?"),
        (HEAD + "study:\n  space: {batch_size: []}\n", "study.space.batch_size: … empty"),
        (HEAD + "study:\n  space: {batch_size: [8, 8]}\n", "study.space.batch_size: 8  … twice"),
        (HEAD + "study:\n  space: {batch_size: [8, 1.5]}\n", "study.space.batch_size: … whole … 1.5"),
        (HEAD + "study:\n  space: {lora_r: {low: 8, high: 8}}\n", "study.space.lora_r: … low 8 … high 8"),
        (HEAD + "study:\n  space: {lora_r: {low: 8}}\n", "study.space.lora_r: … high"),
        (HEAD + "study:\n  space: {lora_r: {low: 8, high: 9, lg: true}}\n", "study.space.lora_r: … key lg … log?"),
        (
            HEAD + "study:\n  space: {warmup_ratio: {low: 0, high: 0.1, log: true}}\n",
            "study.space. … log … low … above 0",
        ),
        (
            HEAD + "study:\n  space: {learning_rate: {low: 0, high: 0.1, log: true}}\n",
            "study.space. … log … low … above 0",
        ),
        (
            HEAD + "study:\n  space: {lora_r: {low: 1, high: 9, log: true, step: 2}}\n",
            "study.space.lora_r: … log … step",
        ),
        (HEAD + "study:\n  space: {packing: {low: 0, high: 1}}\n", "study.space.packing: … list of values"),
        (HEAD + "study:\n  space: {seed: [1, 2]}\n", "study.space.seed: … tuned"),
        (
            HEAD + "study:\n  space: {per_device_train_batch_size: [8]}\n",
            "study.space.per_device_train_batch_size: … tune batch_size",
        ),
        (HEAD + "study:\n  space: {warmup_steps: [0, 5]}\n", "study.space.warmup_steps: … tune warmup_ratio"),
        (HEAD + "study:\n  space: {dataset_name: [a, b]}\n", "study.space.dataset_name: … tuned"),
        (HEAD + "study:\n  space: {batch_size: [4, 16]}\n", "study.space.batch_size: … batch_size 8 … 4, 16"),
        (
            HEAD + "learning_rate: 1e-8\nstudy:\n  space: {learning_rate: {low: 1e-6, high: 1e-2}}\n",
            "study.space.learning_rate: … learning_rate 1e-8 … 1e-6 to 0.01",
        ),
        (
            HEAD + "warmup_steps: 10\nstudy:\n  space: {warmup_ratio: {low: 0, high: 1}}\n",
            "study.space.warmup_ratio: … warmup_steps",
        ),
        (
            HEAD + "max_steps: 10\nstudy:\n  space: {num_train_epochs: [1, 3]}\n",
            "study.space.num_train_epochs: … max_steps",
        ),
        (HEAD + "eval_strategy: no\nstudy:\n  space: {lora_r: [8, 16]}\n", "eval_strategy: … study.metric eval_loss"),
        (DPO + "study:\n  space: {beta: {low: 0.01, high: 0.5}}\n", "study.metric: … beta … eval_rewards_accuracies"),
        (
            DPO + "study:\n  metric: eval_rewards/margins\n  space: {beta: [0.1, 0.2]}\n",
            "study.metric: … eval_rewards_margins … beta",
        ),
        (HEAD + "batch_size: 32\ngradient_accumulation_steps: 2\n", "batch_size 32 … gradient_accumulation_steps"),
        (HEAD + "warmup_ratio: 0.1\nwarmup_steps: 5\n", "warmup_ratio … warmup_steps"),
        (HEAD + "env: 3\n", "env: … not 3"),
        (HEAD + "datasets: [{pth: a}]\n", "datasets:"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_key(write, text, named):
    path = write(text)
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    line = str(caught.value).removeprefix(f"{path}: ")
    assert [part for part in named.split(" … ") if part not in line] == []
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SpecError, match=r"gone.yaml: "):
        load_spec(tmp_path / "gone.yaml")


def test_numbers_that_yaml_reads_as_text_are_numbers(write):
    text = (
        HEAD
        + "learning_rate: 1e-5\nmax_steps: 1e2\nweight_decay: '0.1'\neval_strategy: no\n"
        + "lora_target_modules: all-linear\n"
    )
    config = load_spec(write(text)).config
    assert config["learning_rate"] == 1e-5
    assert config["max_steps"] == 100
    assert isinstance(config["max_steps"], int)
    assert config["weight_decay"] == 0.1
    assert config["eval_strategy"] == "no"
    assert config["lora_target_modules"] == ["all-linear"]


def test_the_study_block_has_its_defaults_and_types(write):
    study = load_spec(write(HEAD)).study
    assert (study.trials, study.metric, study.direction, study.seeds) == (12, "eval_loss", "minimize", 3)
    assert (study.minutes, study.exact_match_rows, dict(study.space)) == (None, 0, {})


def test_a_space_becomes_ranges_and_choices(write):
    text = HEAD + (
        "warmup_ratio: 0.1\nstudy:\n  space:\n    learning_rate: {low: 1e-6, high: 1e-2, log: true}\n"
        "    batch_size: [4, 8]\n    lora_r: {low: 4, high: 64, log: true}\n    warmup_ratio: {low: 0, high: 0.2}\n"
        "    lr_scheduler_type: [linear, cosine]\n    neftune_noise_alpha: [null, 5]\n"
    )
    spec = load_spec(write(text))
    assert spec.study.space == {
        "learning_rate": Range(1e-6, 1e-2, log=True),
        "batch_size": Choice((4, 8)),
        "lora_r": Range(4, 64, log=True, integer=True),
        "warmup_ratio": Range(0.0, 0.2),
        "lr_scheduler_type": Choice(("linear", "cosine")),
        "neftune_noise_alpha": Choice((None, 5.0)),
    }
    assert spec.study.bounds == {
        "learning_rate": (1e-6, 1e-2),
        "batch_size": (4, 8),
        "lora_r": (4, 64),
        "warmup_ratio": (0.0, 0.2),
    }


@pytest.mark.parametrize(
    ("metric", "name", "direction"),
    [
        ("eval_loss", "eval_loss", "minimize"),
        ("eval_rewards/accuracies", "eval_rewards_accuracies", "maximize"),
        ("eval_rewards_margins", "eval_rewards_margins", "maximize"),
        ("eval_mean_token_accuracy", "eval_mean_token_accuracy", "maximize"),
        ("eval_exact_match", "eval_exact_match", "maximize"),
        ("exact_match", "eval_exact_match", "maximize"),
        ("loss", "train_loss", "minimize"),
    ],
)
def test_the_direction_follows_from_the_metric(write, metric, name, direction):
    study = load_spec(write(DPO + f"study: {{metric: {metric}, exact_match_rows: 4}}\n")).study
    assert (study.metric, study.direction) == (name, direction)


def test_a_direction_that_is_given_wins(write):
    assert load_spec(write(HEAD + "study: {direction: maximize}\n")).study.direction == "maximize"


def test_reading_a_file_leaves_the_environment_alone_and_a_command_that_trains_sets_it(write, monkeypatch):
    path = write(HEAD + "env: {TUNER_TEST_VALUE: 3, TOKENIZERS_PARALLELISM: true}\n")
    before = dict(os.environ)
    spec = load_spec(path)
    assert dict(os.environ) == before
    assert environment(spec.config) == {"TUNER_TEST_VALUE": "3", "TOKENIZERS_PARALLELISM": "True"}
    for name in environment(spec.config):
        monkeypatch.setenv(name, "before")
    load_study_file(path, verbose=False)
    assert {name: os.environ[name] for name in environment(spec.config)} == environment(spec.config)


def required(method: str) -> list[str]:
    return [one.keys[0] for one in TRL_METHODS[method].required]


@pytest.mark.parametrize("method", TRL_METHODS)
def test_every_key_of_trl_is_known_with_its_default(write, method):
    keys = keys_of(method)
    assert len(keys) > 150
    for key in keys.values():
        assert key.coerced(key.default) == key.default or key.default is None
    skipped = ("model_name_or_path", "dataset_name", "save_steps", "datasets", "warmup_steps")
    config = {key.name: key.default for key in keys.values() if key.name not in skipped and key.default is not None}
    raw = {"method": method, "model_name_or_path": "tuner/tiny", "dataset_name": "rows.jsonl", **config}
    raw |= {key: ["think_format_reward"] if key == "reward_funcs" else "tuner/tiny" for key in required(method)}
    assert dict(load_spec(write(yaml.safe_dump(raw))).config).keys() == raw.keys() - {"method"}


def test_paths_are_found_from_the_file_and_its_parents(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.jsonl").touch()
    deep = tmp_path / "runs" / "x"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert located("data/a.jsonl", deep) == tmp_path / "data" / "a.jsonl"
    assert located("data/b.jsonl", deep) is None


def test_cheap_mistakes_are_found_before_a_heavy_library_is_imported(write):
    for text in (HEAD + "study: {trails: 3}\n", HEAD.replace("rows.jsonl", "gone.jsonl"), HEAD + "a: 1\na: 2\n"):
        code = (
            "import sys\nfrom tuner.config.study_file import load_spec, SpecError\n"
            f"try:\n    load_spec({str(write(text))!r})\nexcept SpecError:\n    pass\n"
            "print(sorted({'torch', 'trl', 'transformers'} & set(sys.modules)))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
        assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("block", "trials", "given"),
    [
        ("trials: 5", 5, True),
        ("seeds: 2", 12, False),
        ("minutes: 30", 1000, False),
        ("steps: 2e3", 1000, False),
        ("{minutes: 30, trials: 7}", 7, True),
    ],
)
def test_a_budget_of_minutes_or_steps_takes_the_place_of_a_number_of_trials(write, block, trials, given):
    text = f"study:\n  {block}\n" if block[0] != "{" else f"study: {block}\n"
    study = load_spec(write(HEAD + text)).study
    assert (study.trials, study.trials_given) == (trials, given)

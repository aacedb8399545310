"""Study files that are wrong: one line each, before a model is loaded, at once; and what looks wrong and is right."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.wrong_files import FOLDERS, HEAD, TEXTS, outcome, wrong_files
from diagnostics.errors import BadInput
from tests.tuner.madeup import Bowl, run
from tuner.config.bounds import BOUNDS, STUDY_BOUNDS, early_fault, limit_broken
from tuner.config.overrides import with_overrides
from tuner.config.search_space import Choice
from tuner.config.study_block import STUDY_KEYS
from tuner.config.study_file import StudySpec, load_spec
from tuner.config.trl_schema import keys_of
from tuner.config.yaml_file import read_yaml
from tuner.errors import SpecError

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    (tmp_path / "rows.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')

    def written(text: str = "", **keys: Any) -> Path:
        path = tmp_path / "x.yaml"
        path.write_text(yaml.safe_dump({**HEAD, **keys}) + text, encoding="utf-8")
        return path

    return written


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "empty"])
def test_a_file_that_cannot_be_read_safely_is_one_line_at_once(write: Write, name: str):
    keys_of("sft")
    path = write(TEXTS[name])
    begun = time.process_time()  # a loaded machine takes longer by the clock
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert time.process_time() - begun < 5
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600


def test_a_sample_of_the_generated_files_neither_crashes_nor_hangs(tmp_path: Path):
    (tmp_path / "rows.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    found = set()
    for one in list(wrong_files())[len(TEXTS) :: 12]:
        (tmp_path / "x.yaml").write_text(one.text, encoding="utf-8")
        found.add(outcome(tmp_path / "x.yaml", 5.0))
    assert found == {"refused", "accepted"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_that_is_no_data_is_refused(write: Write, folder: str):
    with pytest.raises(SpecError, match=r"dataset_name: .*(of the system|contains more than)"):
        load_spec(write(dataset_name=folder))


@pytest.mark.parametrize("key", BOUNDS)
def test_each_bound_holds_at_both_ends_and_trl_s_own_default_is_inside(key: str):
    bound = BOUNDS[key]
    assert limit_broken(key, bound.highest) is None
    assert limit_broken(key, bound.high * 2)
    assert (limit_broken(key, bound.low) is not None) is bound.above
    assert limit_broken(key, bound.low - 1) or (bound.low - 1) in bound.also
    assert all(limit_broken(key, one) is None for one in bound.also)
    for method in ("sft", "dpo"):
        default = keys_of(method)[key].default if key in keys_of(method) else None
        assert default is None or early_fault(key, default) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("max_steps", 0),
        ("max_steps", -5),
        ("adam_beta1", 1),
        ("eval_steps", 0),
        ("eval_steps", 2.5),
        ("logging_steps", -1),
        ("save_total_limit", 0),
        ("test_split_size", 1.5),
        ("dataloader_num_workers", -1),
        ("neftune_noise_alpha", -5),
        ("weight_decay", 1e300),
        ("lora_r", 1e9),
        ("seed", 2**32),
        ("learning_rate", float("inf")),
        ("report_to", "nobody"),
        ("attn_implementation", "who/kernel"),
        ("metric_for_best_model", "nonsense"),
        ("lora_target_modules", "((("),
        ("accelerator_config", {"x": 1}),
        ("accelerator_config", "/etc/passwd"),
        ("accelerator_config", {"split_batches": "x"}),
        ("accelerator_config", {"gradient_accumulation_kwargs": {"nonsense": 1}}),
        ("accelerator_config", {"gradient_accumulation_kwargs": {"num_steps": 2}}),
        ("accelerator_config", '{"use_configured_state": true}'),
        ("dataset_kwargs", {"skip_prepare_dataset": True}),
        ("dataset_kwargs", '{"skip_prepare_dataset": true}'),
        ("dataset_kwargs", {"nonsense": 1}),
        ("model_init_kwargs", {"dtype": "nonsense"}),
        ("model_init_kwargs", {"torch_dtype": "float32"}),
        ("model_init_kwargs", '{"use_safetensors": "maybe"}'),
        ("model_init_kwargs", {"attn_implementation": "nonsense"}),
        ("model_init_kwargs", {"output_loading_info": True}),
        ("model_init_kwargs", {1: 2}),
        ("model_init_kwargs", {"model_type": "gpt2"}),
        ("model_init_kwargs", {"kernel_config": {}}),
        ("model_init_kwargs", {"key_mapping": {"(((": "x"}}),
        ("model_init_kwargs", {"key_mapping": {"x": 3}}),
        ("liger_kernel_config", {"ropes": True}),
        ("liger_kernel_config", {"rope": "x"}),
        ("liger_kernel_config", {"cross_entropy": True, "fused_linear_cross_entropy": True}),
        ("chat_template_kwargs", {"tokenize": False}),
        ("chat_template_kwargs", {1: 2}),
        ("dataset_name", "x" * 5000),
        ("model_name_or_path", "a/" + "x" * 300),
        ("chat_template_path", "/nonexistent"),
        ("chat_template_path", "/"),
        ("deepspeed", "/etc/passwd"),
        ("lr_scheduler_kwargs", "{nonsense"),
    ],
)
def test_a_value_that_the_trainer_would_refuse_or_misread_names_its_key(write: Write, key: str, value: Any):
    with pytest.raises(SpecError, match=f"x.yaml: {key}: "):
        load_spec(write(**{key: value}))


@pytest.mark.parametrize(
    ("key", "value"),
    [(key, end) for key in STUDY_KEYS if (bound := STUDY_BOUNDS.get(key)) for end in (bound.low - 1, bound.high * 10)]
    + [("direction", ""), ("minutes", float("inf")), ("minutes", 1e-9), ("trials", 1e30)],
)
def test_the_study_block_has_bounds(write: Write, key: str, value: Any):
    with pytest.raises(SpecError, match=rf"study\.{key}: "):
        load_spec(write(study={key: value}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("max_steps", -1),
        ("save_total_limit", None),
        ("eval_steps", 0.1),
        ("pad_to_multiple_of", "auto"),
        ("report_to", ["none"]),
        ("attn_implementation", "sdpa"),
        ("metric_for_best_model", "eval_mean_token_accuracy"),
        ("lora_target_modules", r".*\.(q|v)_proj"),
        ("accelerator_config", {"split_batches": True}),
        ("accelerator_config", '{"gradient_accumulation_kwargs": {"sync_each_batch": true}}'),
        ("dataset_kwargs", {"skip_prepare_dataset": False}),
        ("model_init_kwargs", {"dtype": "bfloat16", "low_cpu_mem_usage": True, "use_cache": False}),
        ("liger_kernel_config", {"rope": True, "fused_linear_cross_entropy": False}),
        ("env", {"A": 1, "B": "x=y", "C": True}),
    ],
)
def test_a_value_that_works_is_accepted(write: Write, key: str, value: Any):
    assert key in load_spec(write(**{key: value})).config


def test_a_template_that_is_no_jinja_is_refused(write: Write, tmp_path: Path):
    (tmp_path / "x.jinja").write_text("{% for %}")
    with pytest.raises(SpecError, match=r"chat_template_path: .*Jinja"):
        load_spec(write(chat_template_path=str(tmp_path / "x.jinja")))


def test_a_pipe_that_nobody_writes_to_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tuner.config.bounded_read.PATIENCE", 0.1)
    os.mkfifo(tmp_path / "x.yaml")
    with pytest.raises(SpecError, match=r"x\.yaml: cannot be read: nothing came"):
        read_yaml(tmp_path / "x.yaml")


def test_a_study_file_may_come_from_a_pipe(tmp_path: Path):
    os.mkfifo(tmp_path / "x.yaml")
    text = "method: sft\n" + "# " + "x" * 200_000
    writing = threading.Thread(target=(tmp_path / "x.yaml").write_text, args=(text,))
    writing.start()
    assert read_yaml(tmp_path / "x.yaml") == {"method": "sft"}
    writing.join()


def test_a_study_file_from_a_pipe_is_read_once(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from tuner.commands.loading import load_study_file

    text = write(learning_rate=1e-3).read_text()
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.yaml")
    writing = threading.Thread(target=Path("pipe.yaml").write_text, args=(text,))
    writing.start()
    assert load_study_file(Path("pipe.yaml"), verbose=False).config["learning_rate"] == 1e-3
    writing.join()


@pytest.mark.parametrize("key", ["dataset_name", "model_name_or_path"])
def test_a_pipe_is_no_data_and_a_home_that_nobody_has_is_no_folder(write: Write, tmp_path: Path, key: str):
    os.mkfifo(tmp_path / "pipe.jsonl")
    for name in ("pipe.jsonl", "~nobodyhere/x.jsonl"):
        with pytest.raises(SpecError, match=rf"{key}: \S*{name}"):
            load_spec(write(**{key: name}))


def test_merge_keys_and_aliases_are_yaml(write: Write):
    text = "base: &base {trials: 3, seeds: 1}\nstudy:\n  <<: *base\n  seeds: 2\n"
    path = write(text)
    assert read_yaml(path)["study"] == {"trials": 3, "seeds": 2}


def test_a_date_is_text(write: Write):
    assert load_spec(write("run_name: 2024-01-31\n")).config["run_name"] == "2024-01-31"


def modules(write: Write, own: Any) -> StudySpec:
    space = {"lora_target_modules": ["all-linear", "q_proj", ["q_proj", "v_proj"]]}
    return load_spec(write(lora_target_modules=own, use_peft=True, study={"trials": 3, "seeds": 0, "space": space}))


@pytest.mark.parametrize(
    ("own", "start"),
    [("all-linear", "all-linear"), (["q_proj"], "q_proj"), (["q_proj", "v_proj"], "q_proj, v_proj")],
)
def test_lists_are_choices_of_a_space(write: Write, own: Any, start: str):
    from tuner.study.open_study import start_settings

    spec = modules(write, own)
    assert spec.study.space["lora_target_modules"] == Choice(("all-linear", "q_proj", "q_proj, v_proj"))
    assert start_settings(spec) == {"lora_target_modules": start}
    made = with_overrides(spec.config, {"lora_target_modules": "q_proj, v_proj"})
    assert made["lora_target_modules"] == ["q_proj", "v_proj"]
    assert with_overrides(spec.config, {"lora_target_modules": "all-linear"})["lora_target_modules"] == "all-linear"


def test_a_study_over_lists_runs_to_its_end(tmp_path: Path):
    seen = list[Any]()

    def note(moves: Any, call: int) -> None:
        seen.append(moves["lora_target_modules"])

    trainer = Bowl(evaluations=4, fails=note)

    def rated(moves: Any, out: Path, report: Any) -> Any:
        return trainer({**moves, "learning_rate": 1e-4}, out, report)

    space = {"lora_target_modules": Choice(("all-linear", "q_proj", "q_proj, v_proj"))}
    result = run(tmp_path / "out", rated, trials=3, space=space, lora_target_modules=["q_proj", "v_proj"])
    assert sorted(seen) == ["all-linear", "q_proj", "q_proj, v_proj"]
    assert seen[0] == "q_proj, v_proj" and result.best is not None


def test_the_environment_is_checked_before_it_is_set(write: Write):
    from tuner.commands.loading import load_study_file

    for name in ("env name with =", "env without a name", "env NUL"):
        with pytest.raises(BadInput, match=r"x\.yaml: "):
            load_study_file(write(TEXTS[name]), verbose=False)

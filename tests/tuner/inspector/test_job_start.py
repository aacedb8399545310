from pathlib import Path

import pytest

from tests.tuner.inspector.test_jobs import TEXT
from tuner.commands.init import init
from tuner.config.trl_schema import keys_of
from tuner.config.tunable import PSEUDO_KEYS
from tuner.inspector.jobs.allowed import FLAGS, MOST, WORDS, NotAllowed, Origin
from tuner.inspector.jobs.start import NotStarted, free_name, plan


@pytest.mark.parametrize(
    "name", ["", "../a", "/etc/a", "a/../../b", ".hidden", "a b", "-x", "a\0b", "link/a", "x" * 200]
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "link").symlink_to(tmp_path)
    with pytest.raises(NotStarted, match=r"no name for a run|leads out of the opened folder"):
        plan(tmp_path / "open", name, TEXT)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("output_dir: ../outside", "output_dir: ../outside leads out"),
        ("logging_dir: /var/log", "logging_dir: /var/log leads out"),
        ("push_to_hub: true", "push_to_hub: sends the model away"),
        ("trust_remote_code: true", "trust_remote_code: runs code"),
        ("env: {PATH: x}", "env: changes the environment"),
        ("learning_rate: FILL-IN", "learning_rate: replace FILL-IN"),
        ("a: [", "not YAML"),
    ],
)
def test_a_file_that_reaches_out_is_refused(tmp_path: Path, line: str, why: str) -> None:
    with pytest.raises((NotStarted, NotAllowed), match=why):
        plan(tmp_path, "next", TEXT + line + "\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "line",
    [
        "model_init_kwargs: {trust_remote_code: true}",
        "model_init_kwargs: '{\"trust_remote_code\": true}'",
        "model_init_kwargs: {weights_only: false}",
        "attn_implementation: who/kernel",
        "liger_kernel_config: {a: true}",
        "report_to: wandb",
        "report_to: [none, trackio]",
        "trackio_space_id: me/space",
        "hub_token: x",
        "hub_model_id: me/model",
        "deepspeed: /etc/passwd",
        "fsdp_config: /etc/passwd",
        "accelerator_config: /etc/passwd",
        "parallelism_config: {tp_size: 2}",
        "chat_template_path: /etc/passwd",
        "resume_from_checkpoint: /elsewhere",
        "torch_compile: true",
        "datasets: [{path: json, data_files: 'http://localhost:9/x.json'}]",
        "dataset_name: ../rows.jsonl",
        "dataset_name: /etc",
        "dataset_name: https://example.org/rows.json",
        "dataset_name: who/rows",
        "model_name_or_path: ../model",
        "model_name_or_path: out/model",
        "model_name_or_path: who/model",
        "dataloader_num_workers: 100000",
        "dataloader_num_workers: '1e5'",
        "max_length: 1.0e+300",
        "num_train_epochs: .inf",
        "learning_rate: .nan",
        "lr_scheduler_kwargs: {a: {b: {c: 1}}}",
        "lr_scheduler_kwargs: '{}'",
        "lora_target_modules: [[a]]",
        "lora_target_modules: [" + "a, " * 100 + "]",
        "run_name: " + "x" * 500,
        'run_name: "a\\0b"',
        'output_dir: "a\\0b"',
        "study: {trials: 1000000}",
        "study: {storage: postgresql://x}",
        "study: {space: {dataset_name: [a, b]}}",
        "study: {space: {attn_implementation: [who/kernel]}}",
        "study: {space: {batch_size: {low: 1, high: 1.0e+20}}}",
        "study: {space: {lora_r: {low: 1, high: 8, run: x}}}",
        "no_such_key: 1",
        "5: 6",
    ],
)
def test_a_page_starts_only_keys_and_values_of_its_list(tmp_path: Path, line: str) -> None:
    (tmp_path / "open").mkdir()
    for name in ("rows.jsonl", "model"):
        (tmp_path / name).touch()
    (tmp_path / "open" / "out").symlink_to(tmp_path)
    text = TEXT.replace("dataset_name: rows.jsonl\n", "") if line.startswith("dataset_name") else TEXT
    text = text.replace("model_name_or_path: tuner/tiny\n", "") if line.startswith("model_name") else text
    (tmp_path / "open" / "rows.jsonl").touch()
    with pytest.raises(NotAllowed) as caught:
        plan(tmp_path / "open", "next", text + line + "\n")
    assert str(caught.value).startswith(line.split(":")[0]) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [TEXT + "x: &a [1]\ny: [*a, *a]\n", "[" * 20_000, TEXT + "# " + "x" * 200_000, TEXT + "seed: " + "9" * 5000,
     TEXT + "run_name: 2024-13-45\n"],
)  # fmt: skip
def test_a_text_that_blows_up_is_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises((NotStarted, NotAllowed)) as caught:
        plan(tmp_path, "next", text)
    assert "\n" not in str(caught.value)


def test_a_run_s_own_model_and_data_may_be_named_again_from_where_they_lie(tmp_path: Path) -> None:
    root = tmp_path / "open"
    (root / "run").mkdir(parents=True)
    (tmp_path / "rows.jsonl").touch()
    own = {"model_name_or_path": "who/model", "dataset_name": str(tmp_path / "rows.jsonl")}
    text = f"method: sft\nmodel_name_or_path: who/model\ndataset_name: {tmp_path}/rows.jsonl\n"
    assert plan(root, "next", text, Origin(own, root / "run")).kind == "train"
    with pytest.raises(NotAllowed, match="model_name_or_path: other/model"):
        plan(root, "next", text.replace("who/model", "other/model"), Origin(own, root / "run"))
    # The same words mean another place from the run's own folder.
    (root / "run" / "here").mkdir()
    (tmp_path / "here").mkdir()
    named = {**own, "dataset_name": "here"}
    with pytest.raises(NotAllowed, match="dataset_name: here"):
        plan(root, "next", text.replace(f"{tmp_path}/rows.jsonl", "here"), Origin(named, root / "run"))


@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_the_files_that_tuner_writes_to_begin_with_can_be_started(tmp_path: Path, method: str) -> None:
    init(method, tmp_path)
    text = (tmp_path / f"{method}.yaml").read_text()
    assert plan(tmp_path, "next", text).kind == "study"


def test_each_allowed_key_is_one_of_trl_or_ours() -> None:
    known = {"method", *PSEUDO_KEYS, *keys_of("sft"), *keys_of("dpo")}
    assert {*MOST, *WORDS, *FLAGS} <= known
    assert not {*MOST, *WORDS, *FLAGS} & {"env", "hub_token", "push_to_hub", "trust_remote_code", "model_init_kwargs"}


def test_only_a_mapping_with_a_method_is_a_file_to_start(tmp_path: Path) -> None:
    for text in ("", "- a", "learning_rate: 1"):
        with pytest.raises(NotStarted, match="method"):
            plan(tmp_path, "next", text)
    assert plan(tmp_path, "next", TEXT + "output_dir: next\n").kind == "train"


def test_a_name_that_is_taken_is_refused_and_a_free_one_is_offered(tmp_path: Path) -> None:
    assert free_name(tmp_path, "sft/trial-003-next") == "sft-trial-003-next"
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "trainer_state.json").write_text("{}")
    (tmp_path / "a-2.yaml").write_text("")
    assert free_name(tmp_path, "a") == "a-3"
    assert free_name(tmp_path, "名前") == "next"
    for name in ("a", "a-2"):
        with pytest.raises(NotStarted, match="choose another name"):
            plan(tmp_path, name, TEXT)

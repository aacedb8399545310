"""Secrets of a study file are used and stored nowhere: not in the database, the runs' files, reports or messages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml

from tests.tuner import smallest
from tuner.cli import main
from tuner.config.secret_keys import is_secret, masked, without_secrets
from tuner.config.study_file import load_spec
from tuner.study.folder import database_url
from tuner.study.open_study import DEFINITION, opened
from tuner.study.workers.storage import shown
from tuner.training.run_config import own_config

SECRET = "x9secret9x"
KEYS: dict[str, Any] = {
    "hub_token": f"hf_{SECRET}",
    "env": {
        "TUNER_TEST_DB_PASS": SECRET,
        "TUNER_TEST_PGPASSWORD": SECRET,
        "tuner_test_api_key": SECRET,
        "TUNER_TEST_DATABASE_URL": f"postgresql://me:{SECRET}@localhost/runs",
        "TUNER_TEST_PLAIN": "plain",
    },
    "model_init_kwargs": {"token": SECRET, "dtype": "float32"},
}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", *KEYS["env"]):
        monkeypatch.setenv(name, "")


@pytest.mark.parametrize(
    "name",
    [
        *("hub_token", "HF_TOKEN", "token", "DB_PASS", "PGPASSWORD", "db-password", "MyPasswd", "openaiApiKey"),
        *("AWS_SECRET_ACCESS_KEY", "WANDB_API_KEY", "APIKEY", "credentials", "GOOGLE_CREDENTIALS", "MYSQL_PWD"),
        "passphrase",
    ],
)  # fmt: skip
def test_these_names_are_secrets(name: str) -> None:
    assert is_secret(name)
    assert without_secrets({"a": {name: SECRET, "b": 1}, "c": [{name: 5}]}) == {"a": {"b": 1}, "c": [{}]}
    assert SECRET not in str(without_secrets({"a": f'{{"{name}": "{SECRET}"}}'}))


@pytest.mark.parametrize(
    "name",
    [
        *("pad_token", "eos_token", "include_num_input_tokens_seen", "average_tokens_across_devices", "bypass"),
        *("TOKENIZERS_PARALLELISM", "PYTHONPATH", "compass", "monkey", "learning_rate", "max_tokens", "compat"),
        "author",
    ],
)  # fmt: skip
def test_these_names_are_none(name: str) -> None:
    assert not is_secret(name)
    assert without_secrets({name: "a"}) == {name: "a"}


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://me:{SECRET}@host:5432/runs",
        f"postgresql://me:a/{SECRET}@b@host/runs",
        f"redis://:{SECRET}@host",
        f"https://{SECRET}@huggingface.co/me/rows",
        f"https://host/rows.json?a=1&X-Amz-Signature={SECRET}&b=2",
        f"not a scheme://me:{SECRET}@host",
    ],
)
def test_no_address_is_shown_with_its_password(address: str) -> None:
    assert SECRET not in masked(address) and "***" in masked(address)
    assert SECRET not in shown(address)
    assert masked("postgresql://me@host:5432/runs") == "postgresql://me@host:5432/runs"


def test_a_study_leaves_no_secret_behind(
    tmp_path: Path, small_model: Path, small_rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = {"trials": 2, "seeds": 1, "space": {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}}}
    file = smallest.study_file(tmp_path, small_model, small_rows, study=study, **KEYS)
    out = tmp_path / "out"
    assert main(["study", str(file), "--out", str(out)]) == 0
    assert os.environ["HF_TOKEN"] == KEYS["hub_token"]
    assert os.environ["TUNER_TEST_DB_PASS"] == SECRET
    assert [path for path in out.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()] == []
    written = yaml.safe_load((out / "trial-000" / "config.yaml").read_text())
    assert written["env"] == {"TUNER_TEST_PLAIN": "plain"}
    assert written["model_init_kwargs"] == {"dtype": "float32"}
    assert SECRET not in str(capsys.readouterr())
    # Another token is not another study, and no message repeats it.
    file = smallest.study_file(tmp_path, small_model, small_rows, study=study, **{**KEYS, "hub_token": "hf_other"})
    assert main(["study", str(file), "--out", str(out)]) == 0
    assert "hf_" not in str(capsys.readouterr())


def test_a_checkpoint_holds_no_secret(make: Any, tmp_path: Path) -> None:
    from tuner.training.train import train

    train(make(**KEYS), {}, tmp_path / "run", keep_checkpoints=True)
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert any(path.name == "training_args.bin" for path in files)
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []


def test_a_study_of_yesterday_loses_the_secrets_that_it_stored(make: Any, tmp_path: Path) -> None:
    study = {"space": {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}}}
    spec, out = make(study=study, **KEYS), tmp_path / "out"
    with opened(spec, out) as (made, _):
        old = made.user_attrs[DEFINITION]
        made.set_user_attr(DEFINITION, {**old, "config": {**old["config"], "hub_token": SECRET}})
    with opened(spec, out) as (made, _):
        assert made.user_attrs[DEFINITION] == old
    (again,) = optuna.get_all_study_summaries(database_url(out))
    assert SECRET not in str(again.user_attrs)


@pytest.mark.parametrize("line", [f"hub_token: [{SECRET}]", f"env: DB_PASS={SECRET}", f"hub_token: {{a: {SECRET}}}"])
def test_a_message_about_a_secret_does_not_repeat_it(tmp_path: Path, line: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(f"method: sft\nmodel_name_or_path: tuner/tiny\ndataset_name: who/rows\n{line}\n")
    with pytest.raises(ValueError, match=line.split(":")[0]) as caught:
        load_spec(path)
    assert SECRET not in str(caught.value)


def test_the_next_run_is_made_without_the_secrets_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"method": "sft", "max_steps": 3, **KEYS}))
    assert SECRET not in str(own_config(tmp_path))

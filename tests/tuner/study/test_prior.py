from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from diagnostics.model.message import Message
from tests.tuner.madeup import RATE, Bowl, run, spec
from tuner.errors import SpecError
from tuner.search.attributes import RATE_PRIOR
from tuner.study.folder import database_url
from tuner.study.prior import GIVEN_DEVIATION, OTHER_DEVIATION, SAME_DEVIATION, rate_prior

SPACE = {"learning_rate": RATE}


def second_trial(folder: Path, prior: float | None) -> tuple[float, float]:
    """The rate of the first trial after the file's own, and the best rate that the search expects then."""
    trial = run(folder, Bowl(evaluations=6), trials=2, seeds=0, space=SPACE, prior=prior).trials[1]
    assert isinstance(trial.because, Message)
    return float(trial.settings["learning_rate"]), float(trial.because.values["best"])


def test_a_rate_that_is_known_beforehand_leads_the_first_step(tmp_path: Path):
    """The curve of trial 0 has its say as well: it speaks for 2e-4 to 5e-4."""
    lowest, low, plain, high, highest = (
        second_trial(tmp_path / str(prior), prior) for prior in (1e-6, 2e-5, None, 1e-3, 5e-3)
    )
    assert lowest[0] < low[0] <= plain[0] <= high[0] < highest[0]
    assert lowest[1] < low[1] < plain[1] < high[1] < highest[1]


def test_a_study_says_where_the_best_rate_lies_and_surer_for_the_same_model_and_data(tmp_path: Path):
    done = run(tmp_path / "first", trials=6, seeds=0, space=SPACE)
    assert done.winner is not None
    wanted = spec(tmp_path, space=SPACE, prior=str(tmp_path / "first"))
    other = rate_prior(wanted)
    (tmp_path / "first" / "trial-000" / "config.yaml").write_text(f"model_name_or_path: {MODEL}\n")
    same = rate_prior(replace(wanted, config={"model_name_or_path": f"elsewhere/{MODEL}"}))
    assert other is not None and same is not None
    assert other["decades"] == same["decades"] == math.log10(done.winner.settings["learning_rate"])
    assert (other["deviation"], same["deviation"]) == (OTHER_DEVIATION, SAME_DEVIATION)


MODEL = "some-model"


@pytest.mark.long
def test_a_study_keeps_the_prior_that_it_began_with(tmp_path: Path):
    run(tmp_path / "first", trials=4, seeds=0, space=SPACE)
    given = str(tmp_path / "first")
    run(tmp_path / "out", trials=2, seeds=0, space=SPACE, prior=given)
    stored = tmp_path / "first" / "study.json"
    stored.write_text(json.dumps({**json.loads(stored.read_text()), "best": 0}))
    run(tmp_path / "out", trials=3, seeds=0, space=SPACE, prior=given)
    kept = optuna.load_study(study_name="bowl", storage=database_url(tmp_path / "out")).user_attrs[RATE_PRIOR]
    assert kept["given"] == given
    assert kept["decades"] != math.log10(1e-5)
    run(tmp_path / "out", trials=4, seeds=0, space=SPACE, prior=1e-4)
    kept = optuna.load_study(study_name="bowl", storage=database_url(tmp_path / "out")).user_attrs[RATE_PRIOR]
    assert (kept["decades"], kept["deviation"]) == (-4.0, GIVEN_DEVIATION)


@pytest.mark.parametrize("fault", ["nothing there", "another method", "no rate"])
def test_what_holds_no_rate_for_this_study_is_refused_in_one_line_and_makes_nothing(tmp_path: Path, fault: str):
    folder = tmp_path / "first"
    if fault != "nothing there":
        run(folder, trials=2, seeds=0, space=SPACE)
        stored = json.loads((folder / "study.json").read_text())
        change = {"method": "dpo"} if fault == "another method" else {"best": None}
        (folder / "study.json").write_text(json.dumps({**stored, **change}))
    with pytest.raises(SpecError, match=r"study\.prior") as error:
        run(tmp_path / "out", trials=2, seeds=0, space=SPACE, prior=str(folder))
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", ["[" * 200_000, "null", '{"trials": 3}', "{", "rate"])
def test_a_study_that_somebody_made_up_is_refused_in_one_line(tmp_path: Path, content: str):
    if content == "rate":
        run(tmp_path / "first", Bowl(evaluations=4), trials=1, seeds=0, space=SPACE)
        made = json.loads((tmp_path / "first" / "study.json").read_text())
        made["trials"][0]["settings"]["learning_rate"] = 10**400
        content = json.dumps(made)
    (tmp_path / "first").mkdir(exist_ok=True)
    (tmp_path / "first" / "study.json").write_text(content)
    with pytest.raises(SpecError, match=r"study\.prior: ") as caught:
        rate_prior(spec(tmp_path, space=SPACE, prior=str(tmp_path / "first")))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600

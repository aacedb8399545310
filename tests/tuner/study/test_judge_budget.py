"""What a study's judge may cost: counted in the storage, by all runs and workers, and by the same command again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest

from diagnostics.model.curves import Curve
from tests.tuner.judge_endpoint import endpoint as stand_in
from tests.tuner.judge_endpoint import longer
from tests.tuner.madeup import Bowl, notices, run
from tuner.config.judge import JudgeBlock
from tuner.study.folder import database_url
from tuner.study.judge_ledger import JudgeLedger, costs, judged_within
from tuner.study.loop import run_study
from tuner.study.results import StudyResult
from tuner.training.generation import Sample
from tuner.training.judge import Judge
from tuner.training.judge_budget import Cost, total
from tuner.training.train import train

PAIRS = 4


class Judged(Bowl):
    """The bowl, whose answers a judge compares with those before the run."""

    def __call__(self, moves: Any, out: Path, report: Any) -> Any:
        """The run, with what the judge said of it."""
        made = super().__call__(moves, out, report)
        before = [Sample(f"q{k}", "r", "short") for k in range(PAIRS)]
        after = [Sample(f"q{k}", "r", f"longer {out.name}") for k in range(PAIRS)]
        found = Judge(self.block).compared(before, after)
        curves = {name: Curve.from_points([made.last_step], [value]) for name, value in found.items()}
        return replace(made, curves={**made.curves, **curves})


@pytest.fixture
def judge() -> Iterator[Any]:
    with stand_in() as server:
        server.judge = staticmethod(longer)
        yield server


def study(judge: Any, out: Path, *, trials: int = 9, seeds: int = 0, show: Any = None, **limits: int) -> StudyResult:
    block = JudgeBlock(judge.address, "m", **limits)
    trainer = Judged(evaluations=4)
    trainer.block = block
    keys = {"metric": "eval_judge_win_rate", "direction": "maximize", "judge": block, "stop_early": False}
    return run(out, trainer, trials=trials, show=show, seeds=seeds, **keys)


def test_no_trial_begins_that_the_judge_could_not_be_asked_about(judge: Any, tmp_path: Path):
    events: list[Any] = []
    result = study(judge, tmp_path / "out", max_study_calls=2 * 2 * PAIRS + 1, show=events.append)
    assert len(result.trials) == 2
    assert len(judge.seen) == 2 * 2 * PAIRS
    (spent,) = [note for note in notices(events) if note.code == "judge-spent"]
    assert spent.values["calls"] == 16 and spent.values["knob"] == "max_study_calls"


def test_the_same_command_again_keeps_to_the_budget_until_it_is_raised(judge: Any, tmp_path: Path):
    out, limit = tmp_path / "out", 2 * 2 * PAIRS
    study(judge, out, trials=1, max_study_calls=limit)
    assert len(study(judge, out, max_study_calls=limit).trials) == 2
    assert len(study(judge, out, max_study_calls=limit).trials) == 2
    assert len(judge.seen) == limit
    assert len(study(judge, out, max_study_calls=limit + 2 * PAIRS).trials) == 3
    assert len(judge.seen) == limit + 2 * PAIRS


def test_what_the_repeats_will_cost_is_kept_aside(judge: Any, tmp_path: Path):
    study(judge, tmp_path / "out", seeds=1, max_study_calls=5 * 2 * PAIRS)
    kept = costs(optuna.load_study(study_name="bowl", storage=database_url(tmp_path / "out")))
    assert total(kept.values()).calls == len(judge.seen) <= 5 * 2 * PAIRS
    assert len([name for name in kept if "seed" not in name]) == 3


@pytest.mark.parametrize(("usage", "trials"), [(200, 2), (500, 1), (None, 3)])
def test_tokens_are_those_that_the_endpoint_counts_else_those_expected(
    judge: Any, tmp_path: Path, usage: int | None, trials: int
):
    judge.usage = usage
    result = study(judge, tmp_path / "out", max_study_tokens=3500)
    assert len(result.trials) == trials
    kept = total(costs(optuna.load_study(study_name="bowl", storage=database_url(tmp_path / "out"))).values())
    assert kept.calls == len(judge.seen)
    assert kept.tokens == pytest.approx((usage or 131) * kept.calls, rel=0.1)


def test_another_metric_goes_on_without_the_judge_and_says_so_once(
    judge: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    trainer = Judged(evaluations=4)
    trainer.block = JudgeBlock(judge.address, "m", max_study_calls=2 * PAIRS + 2)
    result = run(tmp_path / "out", trainer, trials=2, judge=trainer.block, stop_early=False)
    assert len(result.trials) == 2
    assert len(judge.seen) == 2 * PAIRS + 2
    assert len([record for record in caplog.records if "max_study_calls" in record.getMessage()]) == 1


def test_workers_that_ask_at_once_never_get_more_than_is_left(tmp_path: Path):
    url, block = f"sqlite:///{tmp_path / 'shared.db'}", JudgeBlock("http://localhost/v1", "m", max_study_calls=9)
    optuna.create_study(study_name="one", storage=url)
    taken: list[bool] = []

    def ask(worker: int) -> None:
        ledger = JudgeLedger(optuna.load_study(study_name="one", storage=url), f"trial-{worker}", block)
        taken.extend(ledger.take(Cost(1, 100)) for _ in range(4))

    workers = [threading.Thread(target=ask, args=(k,)) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(taken) == 16
    assert 1 <= sum(taken) <= 9
    kept = total(costs(optuna.load_study(study_name="one", storage=url)).values())
    assert kept == Cost(sum(taken), 100 * sum(taken))


def test_a_call_that_nobody_came_back_from_is_paid_for(tmp_path: Path):
    kept = optuna.create_study(study_name="one", storage=f"sqlite:///{tmp_path / 'shared.db'}")
    block = JudgeBlock("http://localhost/v1", "m", max_study_calls=2, max_study_tokens=150)
    assert JudgeLedger(kept, "trial-000", block).take(Cost(1, 60))  # and dies
    again = JudgeLedger(kept, "trial-000", block)
    assert again.take(Cost(1, 60))
    again.correct(Cost(1, 60), Cost(1, 9))
    assert costs(kept)["trial-000"] == Cost(2, 69)
    assert not JudgeLedger(kept, "trial-001", block).take(Cost(1, 1))
    more = replace(block, max_study_calls=9)
    assert not JudgeLedger(kept, "trial-001", more).take(Cost(1, 82))
    assert JudgeLedger(kept, "trial-001", more).take(Cost(1, 81))


def test_a_run_without_a_study_keeps_to_the_same_limit(judge: Any):
    before, after = ([Sample(f"q{k}", "r", word) for k in range(PAIRS)] for word in ("short", "a longer one"))
    Judge(JudgeBlock(judge.address, "m", max_study_calls=3)).compared(before, after)
    assert len(judge.seen) == 3
    with judged_within(optuna.create_study(), "trial-000", None):
        Judge(JudgeBlock(judge.address, "m", max_study_calls=2)).compared(before, after)
    assert len(judge.seen) == 5


@pytest.mark.long
def test_real_runs_of_a_study_share_the_budget(judge: Any, tmp_path: Path, make: Any):
    block = {"base_url": judge.address, "model": "m", "rows": 3, "max_study_calls": 9}
    space = {"learning_rate": {"low": 1e-3, "high": 1e-1, "log": True}}
    keys = {"metric": "judge_win_rate", "exact_match_rows": 3, "judge": block, "trials": 4, "seeds": 0}
    spec = make(max_steps=2, eval_steps=1, study={**keys, "space": space, "stop_early": False})
    result = run_study(spec, lambda moves, out, report: train(spec, moves, out, report), tmp_path / "out")
    kept = costs(optuna.load_study(study_name=spec.name, storage=database_url(tmp_path / "out")))
    assert total(kept.values()).calls == len(judge.seen) <= 9
    assert [trial.value is not None for trial in result.trials] == [True] * len(result.trials)
    assert len(result.trials) == len(kept) < 4

"""Made-up tables of DPO, and the search replayed on them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.search import made_up as source
from benchmarks.search.drawn import NEVER_COUNTS, WITHIN, main, study
from benchmarks.search.made_up import MadeUp, known, made_up
from benchmarks.search.replay import STARTS
from tuner.search.proposal import RATE
from tuner.search.run_model import form


@pytest.fixture(scope="module", autouse=True)
def one_real_table():
    """The verdicts of one real table are enough here, and read in a second."""
    with pytest.MonkeyPatch.context() as patch:
        tables = source.tables_of_dpo()
        patch.setattr(source, "tables_of_dpo", lambda: {"later-deep-dpo": tables["later-deep-dpo"]})
        known.cache_clear()
        yield
    known.cache_clear()


@pytest.fixture(scope="module")
def table() -> MadeUp:
    return made_up(0)


def decades(table: MadeUp, number: int) -> float:
    return math.log10(dict(table.settings[number])[RATE])


def test_a_number_names_a_table(table: MadeUp):
    again, other = made_up(0), made_up(2)
    assert np.array_equal(table.ends, again.ends) and np.array_equal(table.truths, again.truths)
    assert not np.array_equal(table.truths, other.truths)
    assert [len(made_up(number).plain.axes) for number in (0, 1)] == [2, 3]


def test_constants_lie_about_those_of_a_real_table_or_where_the_search_expects_them():
    depths = [source._constants(np.random.default_rng(n), by_prior=False)[form.DEPTH] for n in range(50)]
    assert np.allclose(depths, known().constants[0, form.DEPTH])
    expected = [source._constants(np.random.default_rng(n), by_prior=True)[form.DEPTH] for n in range(50)]
    assert np.std(expected) > 0.5


def test_studies_start_where_those_of_real_tables_do(table: MadeUp):
    best = int(table.truths.argmin())
    far = [decades(table, table.start(offset)) - decades(table, best) for offset in STARTS.values()]
    assert np.allclose(far, [-1.5, 1.0, 0.0], atol=0.05)
    assert table.regret(best) == 0 and all(table.regret(one) > 0 for one in range(len(table.truths)) if one != best)


def test_a_setting_is_worth_the_mean_of_its_runs():
    tables = [made_up(number) for number in range(20)]
    shares = np.concatenate([(one.ends / one.truths[:, None]).ravel() for one in tables])
    assert np.mean(shares) == pytest.approx(1, abs=0.01) and np.std(shares) > 0.01


def test_a_run_has_the_verdict_of_one_that_stands_alike(table: MadeUp):
    at = table.start(STARTS["30 times too low"])
    settings = dict(table.settings[at])
    trial = table.trial(3, settings, at, 1)
    assert (trial.number, trial.settings, trial.loss, trial.seed) == (3, settings, table.ends[at, 1], 1)
    told: dict[str, list[float]] = {name: [] for name in STARTS}
    for one in map(made_up, range(20)):
        for name, offset in STARTS.items():
            at = one.start(offset)
            found = one.trial(0, dict(one.settings[at]), at, 0)
            assert found.rate is not None and found.rate.rate == dict(one.settings[at])[RATE]
            told[name].append(found.rate.alone.median)
    low, high, near = (float(np.mean(medians)) for medians in told.values())
    assert low < near - 0.3 and near < high - 0.3


def test_a_study_counts_the_trials_until_it_is_near_the_best(table: MadeUp):
    near = study(table, 0, 6)
    if table.regret(table.start(0)) == 0:
        assert near == [1.0] * len(WITHIN)
    low = study(table, STARTS["30 times too low"], 6)
    assert low == sorted(low, reverse=True) and low[-1] >= 2 and low[0] <= 6 + NEVER_COUNTS
    held = study(table, STARTS["30 times too low"], 9, held=True)
    assert len(held) == len(WITHIN) + 3 and all(0 <= regret < math.inf for regret in held[len(WITHIN) :])


def test_two_versions_are_compared_study_by_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    before = tmp_path / "before.json"
    main(["--studies", "2", "--trials", "3", "--json", str(before)])
    assert {len(rows) for rows in json.loads(before.read_text()).values()} == {2}
    capsys.readouterr()
    main(["--studies", "1", "--trials", "3", "--against", str(before)])
    changes = [line for line in capsys.readouterr().out.splitlines() if "change" in line]
    assert len(changes) == len(STARTS) + 1 and all(line.count("0.000") == 2 * len(WITHIN) for line in changes)

"""Made-up tables of DPO for the search: drawn about the real ones, each run with the verdict of a real run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

import numpy as np
import optuna

from benchmarks.search.bound import START, fitted, tables_of_dpo
from benchmarks.search.failures import off
from benchmarks.search.grids import LATE_RATES, Setting
from benchmarks.search.replay import start_from, start_of
from benchmarks.search.table import Judge, Table
from diagnostics.model.curves import FloatArray
from tuner.search.log_diagnosis import record
from tuner.search.proposal import RATE
from tuner.search.run_model import form
from tuner.search.run_model.evidence import MIN_PROGRESS, SEED_SHARE
from tuner.search.run_model.features import Frame
from tuner.search.run_model.priors import RATE_DEVIATION, Normal, prior
from tuner.search.run_model.residual import LEAST_RESIDUAL, MISFITS, RESIDUAL_OVER_NOISE, Likeness
from tuner.search.run_model.verdicts import side_of
from tuner.search.trial_view import TrialView, trial_view

AXES: Sequence[Mapping[str, tuple[float, ...]]] = (
    {RATE: LATE_RATES, "batch_size": (4, 12, 36)},
    {RATE: LATE_RATES, "batch_size": (4, 16), "lora_r": (4, 16)},
)
MIDDLE, REACH = -2.5, 0.6
"""The best rate of a drawn table lies within so many decades of this one, as on the real tables."""
BANDWIDTH = 0.5
"""How far constants lie from those of a real table, as a share of their spread over all tables."""
REPEATS = 3
"""Settings run on so many seeds at most."""
ALIKE_DECADES, ALIKE_PROGRESS, ALIKE_RUNS = 0.25, 0.1, 10
"""A verdict is that of one of so many runs, the nearest ones in these units."""
WORST = 1.0
"""No run ends higher than this height."""


@dataclass(frozen=True)
class Known:
    """What the real tables say: the constants of each with its noise of seeds, how all seeds scatter in units of that
    noise, and every run with where it stands (decades from the best rate, share of the table's descent)."""

    constants: FloatArray
    scatter: FloatArray
    stands: FloatArray
    runs: tuple[TrialView, ...]


@dataclass(frozen=True)
class MadeUp:
    """A made-up table: what each setting is worth, where its runs end (settings x seeds), and their verdicts."""

    plain: Table
    settings: tuple[Setting, ...]
    truths: FloatArray
    ends: FloatArray
    verdicts: tuple[TrialView, ...]

    def start(self, offset: int) -> int:
        """The number of trial 0, whose rate lies so many half decades from the best one."""
        best = dict(self.settings[int(self.truths.argmin())])
        return self.number(start_from(self.plain.axes, best[RATE], offset))

    def number(self, wanted: Mapping[str, float]) -> int:
        """The number of the setting that answers for these values."""
        return self.settings.index(self.plain.nearest(wanted))

    def regret(self, number: int) -> float:
        """How far a setting lies from the best one, as a share of what that is worth."""
        return float(self.truths[number] / self.truths.min() - 1)

    def trial(self, number: int, settings: Mapping[str, float], at: int, seed: int) -> TrialView:
        """The trial of a setting, with the verdict of a run that stands alike."""
        like, end = self.verdicts[at], float(self.ends[at, seed])
        side = side_of(like)
        advice = tuple(
            replace(one, factor=10.0**side) if one.knob == RATE and not math.isnan(side) else one for one in like.advice
        )
        return replace(
            like,
            number=number,
            settings=dict(settings),
            loss=end,
            advice=advice,
            rate=like.rate and replace(like.rate, rate=settings[RATE]),
            seed=seed,
            start=math.exp(START.mean),
            steps=None,
            course=(),
        )


@cache
def known() -> Known:
    """What the real tables of DPO say, at a fixed beta and judged by their loss."""
    rows, scatter, stands, runs = [], [], [], []
    for table, judge in tables_of_dpo().values():
        constants, seeds = fitted(table), off(table, "dpo") * float(np.exp(prior_of(0.0)[0][form.SIGMA]))
        noise = 1.4826 * float(np.median(np.abs(seeds)))
        constants[form.SIGMA] = math.log(noise)
        rows.append(constants)
        scatter.append(seeds / noise)
        found = _runs_of(table, judge)
        points = Frame(start_of(table, 0), table.space).points([one.settings for one in found])
        heights = np.array([math.log(one.loss) if one.loss else START.mean for one in found])
        decades = points.x - form.lines(constants[None], points.z).best[0]
        stands.append(np.column_stack([decades, (START.mean - heights) / (START.mean - heights.min())]))
        runs += found
    return Known(np.array(rows), np.concatenate(scatter), np.concatenate(stands), tuple(runs))


def prior_of(rate: float) -> tuple[FloatArray, FloatArray]:
    """Means and deviations of the form's parameters for DPO, about a rate in decades."""
    return prior("dpo", START, Normal(rate, RATE_DEVIATION), is_loss=True)


def _runs_of(table: Table, judge: Judge) -> list[TrialView]:
    """Every run of a table as the search sees it."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study, found = optuna.create_study(), []
    for at, by_seed in table.runs.items():
        for run in by_seed.values():
            study.enqueue_trial(dict(at))
            trial = study.ask(table.space)
            record(trial, run, judge.of(run, 1.0), metric=table.metric)
            study.tell(trial, min(table.value(run), 10.0))
            found.append(trial_view(study.get_trials(deepcopy=False)[-1], 1.0))
    return found


def made_up(number: int, *, by_prior: bool = False) -> MadeUp:
    """The table of this number: its constants lie near those of a real table, or ``by_prior`` as the search expects."""
    rng = np.random.default_rng(number)
    plain = Table("made-up", AXES[number % len(AXES)], {})
    settings = tuple(tuple(zip(plain.axes, values, strict=True)) for values in product(*plain.axes.values()))
    while True:
        made = _drawn(plain, settings, _constants(rng, by_prior=by_prior), rng)
        if abs(math.log10(dict(made.settings[int(made.truths.argmin())])[RATE]) - MIDDLE) <= REACH:
            return made


def _constants(rng: np.random.Generator, *, by_prior: bool) -> FloatArray:
    """Constants of the form, the noise of seeds and the form's misfit among them."""
    means, deviations = prior_of(MIDDLE)
    found = means + deviations * rng.standard_normal(form.SIZE)
    if not by_prior:
        real = known().constants
        row = int(rng.integers(len(real)))
        misfit = found[form.MISFIT]
        found = real[row] + BANDWIDTH * real.std(axis=0) * rng.standard_normal(form.SIZE)
        found[form.MISFIT] = misfit
    found[form.LEVEL], found[form.CENTER] = START.mean, MIDDLE + RATE_DEVIATION / 2 * rng.standard_normal()
    return np.asarray(found)


def _drawn(plain: Table, settings: tuple[Setting, ...], constants: FloatArray, rng: np.random.Generator) -> MadeUp:
    """A table that follows the form to within a smooth residual, with seeds that scatter as real ones do."""
    real = known()
    points = Frame(start_from(plain.axes, plain.axes[RATE][0], 0), plain.space).points([dict(at) for at in settings])
    heights = form.mean(constants[None], points)[0]
    progress = np.clip((START.mean - heights) / max(START.mean - heights.min(), 1e-9), MIN_PROGRESS, 1.0)
    noise = math.exp(constants[form.SIGMA])
    misfit = MISFITS[int(np.rint(constants[form.MISFIT] / math.log(MISFITS[1])).clip(0, len(MISFITS) - 1))]
    size = max(misfit * LEAST_RESIDUAL, RESIDUAL_OVER_NOISE * noise)
    smooth = np.linalg.cholesky(Likeness.between(points, points).both + 1e-9 * np.eye(len(settings)))
    heights = heights + size * progress * (smooth @ rng.standard_normal(len(settings)))
    shared = rng.choice(real.scatter, REPEATS)
    own = rng.choice(real.scatter, (len(settings), REPEATS))
    off = noise * (math.sqrt(SEED_SHARE) * shared + math.sqrt(1 - SEED_SHARE) * own)
    ends = np.minimum(heights[:, None] + progress[:, None] * off, WORST)
    expected = np.exp(progress[:, None] * noise * real.scatter).mean(axis=1)
    decades = points.x - form.lines(constants[None], points.z).best[0]
    reached = (START.mean - ends[:, 0]) / max(START.mean - heights.min(), 1e-9)
    alike = [_alike(*at, rng) for at in zip(decades, reached, strict=True)]
    return MadeUp(plain, settings, np.exp(heights) * expected, np.exp(ends), tuple(real.runs[one] for one in alike))


def _alike(decades: float, reached: float, rng: np.random.Generator) -> int:
    """The number of a real run that stands alike."""
    stands = known().stands
    far = np.hypot((stands[:, 0] - decades) / ALIKE_DECADES, (stands[:, 1] - reached) / ALIKE_PROGRESS)
    return int(rng.choice(np.argsort(far)[:ALIKE_RUNS]))

"""Simulated policies that learn from rewards: softmax choices trained by GRPO, whose true reward is known exactly.

A policy picks one of some answers to each prompt by a linear map of the prompt's features, as a last layer does, and is
trained with Adam on the advantages within groups. The log holds what a trainer's would: means over the sampled answers.
Whether the run went well follows from the expected reward over all prompts, which no log shows.

    python -m benchmarks.verdicts.policies [--seeds 160] [--first 0] [--few]

prints what was said of runs that went well and of others; how often "healthy" held, beside its confidence: as it is,
and under a map that was fitted on the other kinds of task; and the weights fitted on all, which
``diagnostics.diagnosis.calibration`` holds. 20 s of one core. ``--few``: runs of 6 to 19 logs.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.verdicts.calibration import fitted, remapped
from benchmarks.verdicts.cases import Labeled, diagnosed
from benchmarks.verdicts.reliability import bins, calibration_error
from diagnostics.model.curves import FloatArray, Run
from diagnostics.model.settings import Settings

PROMPTS, FEATURES = 40, 24
GAIN, KEPT = 0.03, 0.85
"""A run went well that ends so much above its start, and with that share of its best; or at its ceiling all along."""
CEILING = 0.9
POINTS = 40
"""Steps at which the true reward is computed."""
EPSILON = 1e-9
FEW_LOGS = (6, 19)


@dataclass(frozen=True)
class Task:
    """What answers are worth, by prompt and answer: what is paid, of it each named part, and what is meant.

    ``held`` are the prompts of the evaluations, which are not trained on.
    """

    paid: FloatArray
    meant: FloatArray
    parts: Mapping[str, FloatArray]
    held: FloatArray | None = None


def choices(rng: np.random.Generator, answers: int) -> Task:
    """Answers are right or wrong; few are right."""
    right = (rng.random((PROMPTS, answers)) < rng.uniform(0.04, 0.3)).astype(float)
    return Task(right, right, {})


def scales(rng: np.random.Generator, answers: int) -> Task:
    """Answers have a value between 0 and 1, some of them in a narrow range."""
    width = rng.uniform(0.1, 1.0)
    value = 0.5 * (1.0 - width) + width * rng.random((PROMPTS, answers))
    return Task(value, value, {})


def forms(rng: np.random.Generator, answers: int) -> Task:
    """A part for the form is paid beside the right answer: some right answers have the form, or none has."""
    right = (rng.random((PROMPTS, answers)) < rng.uniform(0.05, 0.3)).astype(float)
    form = (rng.random((PROMPTS, answers)) < rng.uniform(0.2, 0.6)).astype(float)
    form *= 1.0 - right * float(rng.random() < 0.4)
    weight = rng.uniform(0.2, 2.0)
    return Task(right + weight * form, right, {"correct": right, "format": weight * form})


def mistaken(rng: np.random.Generator, answers: int) -> Task:
    """The reward function errs: it pays for some wrong answers to every prompt."""
    right = (rng.random((PROMPTS, answers)) < rng.uniform(0.1, 0.3)).astype(float)
    error = (rng.random(answers) < rng.uniform(0.0, 0.3)).astype(float)
    return Task(np.maximum(right, error), right * (1.0 - error), {})


def unseen(rng: np.random.Generator, answers: int) -> Task:
    """What is right follows from the features of a prompt, and prompts that are not trained on are evaluated."""
    task = choices(rng, answers)
    return Task(task.paid, task.meant, {}, task.paid[PROMPTS // 2 :])


KINDS: Mapping[str, Callable[[np.random.Generator, int], Task]] = {
    "choices": choices,
    "scales": scales,
    "forms": forms,
    "mistaken": mistaken,
    "unseen": unseen,
}


@dataclass
class Policy:
    """A linear softmax policy under Adam, trained on groups of sampled answers."""

    rng: np.random.Generator
    task: Task
    weights: FloatArray
    prompts: FloatArray
    rate: float
    beta: float
    group: int
    batch: int

    def probabilities(self, weights: FloatArray, prompts: FloatArray) -> FloatArray:
        """The chance of each answer to each prompt."""
        scores = prompts @ weights
        scores = scores - scores.max(1, keepdims=True)
        chances = np.exp(scores)
        return np.asarray(chances / chances.sum(1, keepdims=True) + EPSILON)

    def log(self, steps: int, share_trained: float) -> tuple[dict[str, FloatArray], FloatArray]:
        """What each step logs, and the true reward at ``POINTS`` of them and before the first."""
        reference, first, second = self.probabilities(self.weights, self.prompts), 0.0, 0.0
        trained = max(1, int(share_trained * PROMPTS))
        rows: dict[str, list[float]] = {}
        truth = [self._truth()]
        for step in range(1, steps + 1):
            asked = self.rng.integers(0, trained, self.batch)
            chances = self.probabilities(self.weights, self.prompts)[asked]
            drawn = self._drawn(chances)
            paid = np.take_along_axis(self.task.paid[asked], drawn, 1)
            slope = self._slope(asked, chances, drawn, paid, reference[asked])
            first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
            move = first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
            for name, value in self._logged(asked, chances, drawn, paid, slope, reference[asked]).items():
                rows.setdefault(name, []).append(value)
            self.weights = self.weights + self.rate * move
            if step % max(1, steps // POINTS) == 0:
                truth.append(self._truth())
        return {name: np.asarray(values) for name, values in rows.items()}, np.asarray(truth)

    def _drawn(self, chances: FloatArray) -> np.ndarray:
        edges = np.cumsum(chances, 1) / chances.sum(1, keepdims=True)
        thrown = self.rng.random((self.batch, self.group))
        return np.asarray((thrown[:, :, None] > edges[:, None, :]).sum(2)).clip(max=chances.shape[1] - 1)

    def _slope(
        self, asked: np.ndarray, chances: FloatArray, drawn: np.ndarray, paid: FloatArray, reference: FloatArray
    ) -> FloatArray:
        """The gradient of the objective: advantages within groups, less the pull to the reference."""
        advantage = (paid - paid.mean(1, keepdims=True)) / (paid.std(1, keepdims=True) + 1e-4)
        scores = -advantage.mean(1, keepdims=True) * chances
        np.add.at(scores, (np.arange(self.batch)[:, None], drawn), advantage / self.group)
        ratio = np.log(chances / reference)
        scores = scores - self.beta * chances * (ratio - (chances * ratio).sum(1, keepdims=True))
        return np.asarray(self.prompts[asked].T @ scores / self.batch)

    def _logged(
        self,
        asked: np.ndarray,
        chances: FloatArray,
        drawn: np.ndarray,
        paid: FloatArray,
        slope: FloatArray,
        reference: FloatArray,
    ) -> dict[str, float]:
        found = {
            "reward": paid.mean(),
            "reward_std": paid.std(),
            "frac_reward_zero_std": np.mean(np.ptp(paid, axis=1) < 1e-9),
            "entropy": -(chances * np.log(chances)).sum(1).mean(),
            "grad_norm": np.linalg.norm(slope),
        }
        if self.beta:
            found["kl"] = (chances * np.log(chances / reference)).sum(1).mean()
        for name, part in self.task.parts.items():
            found[f"rewards/{name}/mean"] = np.take_along_axis(part[asked], drawn, 1).mean()
        if self.task.held is not None:
            half = PROMPTS // 2
            right = (self.probabilities(self.weights, self.prompts[half:]) * self.task.held).sum(1)
            found["eval_reward"] = self.rng.binomial(1, np.clip(right, 0.0, 1.0)).mean()
        return {name: float(value) for name, value in found.items()}

    def _truth(self) -> float:
        """The expected worth of an answer, of what is meant."""
        return float((self.probabilities(self.weights, self.prompts) * self.task.meant).sum(1).mean())


def went_well(truth: FloatArray) -> bool:
    """Whether the true reward ends above its start and near its best, or stayed at its ceiling."""
    start, end, best = float(truth[0]), float(truth[-3:].mean()), float(truth.max())
    return end >= KEPT * best and (end >= start + GAIN or min(start, end) >= CEILING)


@dataclass(frozen=True)
class Drawn:
    """A policy before its training, the steps that it is trained for, and how many of them make a log."""

    policy: Policy
    steps: int
    every: int

    def run(self) -> tuple[Run, FloatArray]:
        """The log of the training, and the true reward on its way."""
        policy = self.policy
        logged, truth = policy.log(self.steps, 0.5 if policy.task.held is not None else 1.0)
        settings = Settings(
            method="grpo",
            learning_rate=policy.rate,
            max_steps=self.steps,
            num_generations=policy.group,
            batch_size=policy.batch * policy.group,
            beta=policy.beta,
        )
        return _run(logged, self.every, settings), truth


def drawn(kind: str, seed: int, few: bool = False, rate: float | None = None) -> Drawn:
    """A policy of that kind: rate, group, batch and length are drawn from what people use, and from far beyond.

    ``few``: of 6 to 19 logs, as first runs are. ``rate`` takes the place of the one that is drawn.
    """
    rng = np.random.default_rng([seed, *kind.encode()])
    answers = int(rng.integers(6, 20))
    prompts = rng.standard_normal((PROMPTS, FEATURES))
    task = KINDS[kind](rng, answers)
    policy = Policy(
        rng,
        task,
        rng.standard_normal((FEATURES, answers)) * rng.uniform(0.2, 0.7),
        prompts,
        rate=float(10 ** rng.uniform(-4.5, 0.6)),
        beta=float(rng.choice([0.0, 0.0, 0.01, 0.04])),
        group=int(rng.choice([4, 8, 16])),
        batch=int(rng.choice([4, 8, 16, 32])),
    )
    policy.rate = policy.rate if rate is None else rate
    steps, every = int(rng.choice([60, 100, 200, 400])), int(rng.choice([1, 1, 5, 10]))
    if few:
        every = int(rng.choice([1, 2, 5, 10, 20]))
        steps = every * int(rng.integers(*FEW_LOGS, endpoint=True))
    return Drawn(policy, steps, every)


def simulated(kind: str, seed: int, few: bool = False) -> Labeled:
    """A run of that kind, with what it is by its true reward."""
    run, truth = drawn(kind, seed, few).run()
    return Labeled(f"{kind}-{seed}", kind, "healthy" if went_well(truth) else "sick", run)


def _run(logged: Mapping[str, FloatArray], every: int, settings: Settings) -> Run:
    """The logs, each the mean of its steps; evaluations are few."""
    curves = {}
    for name, values in logged.items():
        steps = np.arange(every, values.size + 1, every, dtype=float)
        means = values[: steps.size * every].reshape(-1, every).mean(1)
        if name == "eval_reward":
            keep = np.unique(np.linspace(0, steps.size - 1, min(10, steps.size)).astype(int))
            steps, means = steps[keep], means[keep]
        curves[name] = (steps, means)
    return Run.from_points(
        "simulated", {name: list(zip(*pair, strict=True)) for name, pair in curves.items()}, settings
    )


def reliability(seeds: range, few: bool) -> Iterator[str]:
    """How often "healthy" holds on simulated policies, under a map fitted on the other kinds, and the map of all."""
    cases = diagnosed([simulated(kind, seed, few) for kind in KINDS for seed in seeds])
    for label, name in (("healthy", "went well"), ("sick", "did not")):
        said = Counter(case.said for case in cases if case.label == label)
        yield f"of {said.total()} that {name}: " + ", ".join(f"{count} {word}" for word, count in said.most_common())
    given = [case for case in cases if case.said == "healthy"]
    yield f"{len(cases)} simulated policies, {len(given)} called healthy; of these went well, and how sure:"
    elsewhere = []
    for kind in KINDS:
        own, others = ([one for one in given if (one.source == kind) is mine] for mine in (True, False))
        elsewhere += remapped(own, fitted(others))
        sure = np.mean([one.confidence for one in elsewhere[-len(own) :]]) if own else 0.0
        yield f"  {kind:<10}{len(own):>5}{np.mean([one.right for one in own]) if own else 0.0:>8.2f}{sure:>8.2f}"
    for name, some in (("before", given), ("kinds left out", elsewhere)):
        yield f"{name}: calibration error {calibration_error(some):.3f}"
        yield from (f"  {b.low:.2f} to {b.high:.2f}{b.count:>6}{b.right:>8.2f}{b.mean:>8.2f}" for b in bins(some))
    yield f"weights of RewardHealth.features: {fitted(given).rewards}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="how far the confidence of a healthy reward can be trusted")
    parser.add_argument("--seeds", type=int, default=160)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--few", action="store_true")
    asked_for = parser.parse_args()
    print(*reliability(range(asked_for.first, asked_for.first + asked_for.seeds), asked_for.few), sep="\n")

"""Networks that know something already: tuned on other text, or on pairs of a better and a worse answer."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.verdicts.trained import models
from benchmarks.verdicts.trained.tasks import Generator, Rows, Task, chain, draw, next_sign, pick, split, texts

LENGTH = 8
FIRST_STEPS, FIRST_RATE, FIRST_BATCH = 400, 5e-3, 32


def pretrained(gen: Generator, size: int, chances: Tensor) -> nn.Module:
    """A network that has read the language of these chances."""
    net = models.reader(gen, size)()
    optimizer = torch.optim.Adam(net.parameters(), FIRST_RATE)
    for _ in range(FIRST_STEPS):
        optimizer.zero_grad()
        next_sign(net, (texts(gen, chances, FIRST_BATCH, LENGTH),)).backward()
        optimizer.step()
    return net


def _dialect(gen: Generator, chances: Tensor, share: float) -> Tensor:
    """The chances moved some of the way to another language's."""
    return (1.0 - share) * chances + share * chain(gen, len(chances), 3.0)


def fine_tune(gen: Generator) -> Task:
    """A language model tuned on a dialect of the language that it knows."""
    size = int(pick(gen, 16, 32))
    chances = chain(gen, size, 2.0)
    net = pretrained(gen, size, chances)
    other = _dialect(gen, chances, draw(gen, 0.15, 0.6))
    sets = split(gen, lambda n: (texts(gen, other, n, LENGTH),), 80, 1500)
    return Task(
        "fine-tune",
        lambda: copy.deepcopy(net),
        next_sign,
        *sets,
        center=2e-3,
        known={"method": "sft", "vocab_size": size},
    )


def _log_chance(net: nn.Module, answers: Tensor) -> Tensor:
    """The log-probability of each answer."""
    scores = functional.log_softmax(net(answers[:, :-1]), dim=-1)
    return scores.gather(2, answers[:, 1:, None]).sum((1, 2))


def prefer(gen: Generator) -> Task:
    """A language model that learns to prefer one dialect's answers to another's (DPO)."""
    size, beta = int(pick(gen, 16, 32)), float(pick(gen, 0.05, 0.1, 0.3))
    chances = chain(gen, size, 2.0)
    net = pretrained(gen, size, chances)
    better, worse = (_dialect(gen, chances, draw(gen, 0.05, 0.4)) for _ in range(2))

    def made(count: int) -> Rows:
        pair = texts(gen, better, count, LENGTH), texts(gen, worse, count, LENGTH)
        swapped = torch.rand(count, 1, generator=gen) < 0.1
        chosen, rejected = torch.where(swapped, pair[1], pair[0]), torch.where(swapped, pair[0], pair[1])
        with torch.no_grad():
            return chosen, rejected, _log_chance(net, chosen), _log_chance(net, rejected)

    def rewards(policy: nn.Module, rows: Rows) -> tuple[Tensor, Tensor]:
        return beta * (_log_chance(policy, rows[0]) - rows[2]), beta * (_log_chance(policy, rows[1]) - rows[3])

    def loss(policy: nn.Module, rows: Rows) -> Tensor:
        chosen, rejected = rewards(policy, rows)
        return -functional.logsigmoid(chosen - rejected).mean()

    def measures(policy: nn.Module, rows: Rows) -> Mapping[str, float]:
        with torch.no_grad():
            chosen, rejected = rewards(policy, rows)
        return {
            "rewards_chosen": float(chosen.mean()),
            "rewards_rejected": float(rejected.mean()),
            "rewards_margins": float((chosen - rejected).mean()),
            "rewards_accuracies": float((chosen > rejected).float().mean()),
            "logps_chosen": float((chosen / beta + rows[2]).mean()),
            "logps_rejected": float((rejected / beta + rows[3]).mean()),
        }

    known = {"method": "dpo", "beta": beta, "loss_type": "sigmoid"}
    sets = split(gen, made, 80, 1000)
    return Task("prefer", lambda: copy.deepcopy(net), loss, *sets, center=5e-4, known=known, measures=measures)


TUNED: tuple[Callable[[Generator], Task], ...] = (fine_tune, prefer)

"""Records that a check takes in place of several parameters; their fields are filled in by name, as parameters are."""

from __future__ import annotations

from dataclasses import dataclass

from diagnostics.model.curves import Curve

MIN_EVALS_TO_JUDGE_BY = 4
"""From this many evaluations on a run is judged by its held-out loss instead of its training loss."""


class Arguments:
    """A record whose fields a check could also take one by one: curves, or limits of its rule."""


@dataclass(frozen=True)
class Losses(Arguments):
    """The curves that show how far a run came down; only the training loss is required."""

    train_loss: Curve
    eval_loss: Curve | None = None
    learning_rate: Curve | None = None

    @property
    def held_out(self) -> Curve | None:
        """The held-out loss where it has enough evaluations to judge by, else None."""
        return self.eval_loss if self.eval_loss is not None and len(self.eval_loss) >= MIN_EVALS_TO_JUDGE_BY else None

    @property
    def judge(self) -> Curve:
        """The held-out loss where there is one to judge by, else the training loss."""
        return self.held_out or self.train_loss

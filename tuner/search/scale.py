"""The metric as a height (lower is better): the scale on which the runs of a study are compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from diagnostics.model.curves import FloatArray

TINY = 1e-12
"""A loss of 0 has no logarithm, and no noise that is a share of it."""


@dataclass(frozen=True)
class Scale:
    """The logarithm of a loss, or any other metric over its size. A loss is what the study has to make small."""

    is_log: bool
    unit: float = 1.0

    @classmethod
    def over(cls, losses: Sequence[float], least: float) -> Scale:
        """The scale of a metric without a logarithm: over the median size of these values, and at least ``least``."""
        return cls(False, max(least, float(np.median(np.abs(losses)))))

    def height(self, loss: float) -> float:
        """The height of a loss."""
        return math.log(loss) if self.is_log else loss / self.unit

    def loss(self, height: FloatArray) -> FloatArray:
        """The losses of heights."""
        return np.asarray(np.exp(height) if self.is_log else height * self.unit)

    def noise(self, deviation: float, loss: float) -> float:
        """A deviation of the loss as one of the height."""
        return deviation / max(abs(loss), TINY) if self.is_log else deviation / self.unit

"""Slots 6 to 8: runs that could have learned more. The causes stand in the order of their odds."""

from diagnostics.rules.underfit.adapter import ADAPTER
from diagnostics.rules.underfit.batch import BATCH
from diagnostics.rules.underfit.length import LENGTH
from diagnostics.rules.underfit.rate import RATE
from diagnostics.rules.underfit.remedies import SLOW

UNDERFIT = (*RATE, *BATCH, *ADAPTER, *LENGTH)

__all__ = ["SLOW", "UNDERFIT"]

"""A check gets its arguments by name; the fields of a record count as arguments of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from diagnostics.detectors.arguments import Arguments, Losses
from diagnostics.model.curves import Curve
from diagnostics.model.evidence import Evidence
from diagnostics.rules.binding import input_arguments, inputs_of, limit_arguments
from tests.diagnostics.cases import BY_NAME, curve, limits_of


@dataclass(frozen=True)
class Limits(Arguments):
    high: float
    low: float


def check(losses: Losses, learning_rate: Curve, *, limits: Limits, low: float, share: float) -> Evidence | None:
    measured = {"high": limits.high, "low": limits.low, "same": low, "share": share}
    assert losses.learning_rate is learning_rate
    return None if losses.eval_loss is None else Evidence(0.0, 1.0, measured)


def call(curves: Mapping[str, object], limits: Mapping[str, float]) -> Evidence | None:
    return check(**input_arguments(check, curves), **limit_arguments(check, limits))


LIMITS = {"high": 3.0, "low": 1.0, "share": 0.5}
CURVES = {"train_loss": curve([1.0]), "learning_rate": curve([2.0]), "grad_norm": curve([3.0])}


def test_an_input_is_required_where_one_parameter_requires_it():
    assert inputs_of(check) == {"train_loss": True, "eval_loss": False, "learning_rate": True}
    assert limits_of(check) == {"high", "low", "share"}


def test_records_and_parameters_take_what_they_name_and_nothing_else():
    assert call(CURVES, LIMITS) is None
    found = call({**CURVES, "eval_loss": curve([1.0])}, LIMITS)
    assert found is not None
    assert found.measured == {"high": 3.0, "low": 1.0, "same": 1.0, "share": 0.5}


@pytest.mark.parametrize("missing", ["train_loss", "learning_rate", "low"])
def test_what_is_required_must_be_there(missing: str):
    curves, limits = ({k: v for k, v in given.items() if k != missing} for given in (CURVES, LIMITS))
    with pytest.raises(KeyError, match=missing):
        call(curves, limits)


@pytest.mark.parametrize(
    ("other", "confirms"),
    [
        ("loss-jumps", False),  # sees the same sign
        ("loss-overshoots", True),
        ("gradients-spike", False),  # never sets the label
        ("eval-loss-rises", False),  # is another fault
    ],
)
def test_a_finding_confirms_a_fault_of_its_label_by_another_sign(other: str, confirms: bool):
    assert BY_NAME[other].confirms(BY_NAME["loss-diverges"]) is confirms

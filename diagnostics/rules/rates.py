"""The way up the ladder of learning rates: a rung of x3, or a jump where the rate is far below its family's center."""

from diagnostics.rules.rule import Case, Fix


def _jump(case: Case) -> float | None:
    """A third of the center, for a rate that is a tenth of it or less."""
    center = case.rate_prior.center
    return center / 3.0 if center else None


def _ten_times_below(case: Case) -> bool:
    """The rate is known to be a tenth of the family's center or less."""
    ratio = case.rate_prior.relative(case.settings.learning_rate or case.measured.get("rate"))
    return ratio is not None and ratio <= 0.1


JUMP = Fix(
    "learning_rate",
    "raise the learning rate to a third of the usual one",
    "a loss that falls at once; then one rung of x3 at a time",
    to=_jump,
    when=_ten_times_below,
    condition="from a tenth of the center or less",
)
TRIPLE = Fix(
    "learning_rate",
    "triple the learning rate",
    "a loss that falls faster; a second rung only if the first helped",
    times=3.0,
)

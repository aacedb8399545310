"""THE TABLE: every rule, in order of precedence. The first that fires names the run, the others are reported.

Broken logs come first, then runs that blew up or jitter, then overfit (its first remedy is free), then the family of
underfit causes in the order of their odds. A limit that counts stands in one of these rows and nowhere else.
"""

from diagnostics.rules.broken import BROKEN
from diagnostics.rules.overfit import OVERFIT
from diagnostics.rules.preference import COLLAPSED, DRIFT, SATURATED, UNLEARNED
from diagnostics.rules.rule import Case, Fix, Rule
from diagnostics.rules.underfit import UNDERFIT
from diagnostics.rules.unstable import UNSTABLE

_BLOWN_UP = ("loss-not-finite", "loss-diverges")

RULES: tuple[Rule, ...] = (
    *BROKEN,
    *(rule for rule in UNSTABLE if rule.name in _BLOWN_UP),
    *COLLAPSED,
    *(rule for rule in UNSTABLE if rule.name not in _BLOWN_UP),
    *SATURATED,
    *OVERFIT,
    *UNLEARNED,
    *UNDERFIT,
    *DRIFT,
)

__all__ = ["RULES", "Case", "Fix", "Rule"]

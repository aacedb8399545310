"""THE TABLE: every rule, in order of precedence. The first that fires names the run, the others are reported.

Broken logs come first, then runs that blew up or jitter, then overfit (its first remedy is free), then the family of
underfit causes in the order of their odds. A limit that counts stands in one of these rows and nowhere else.
"""

from diagnostics.rules.broken import BROKEN
from diagnostics.rules.frozen import FROZEN
from diagnostics.rules.lengths import LENGTH
from diagnostics.rules.overfit import OVERFIT
from diagnostics.rules.preference import COLLAPSED, DRIFT, SATURATED, UNLEARNED
from diagnostics.rules.rule import Case, Fix, Rule
from diagnostics.rules.tokens import BY_HEART, COLLAPSED_ENTROPY, TOLD
from diagnostics.rules.underfit import UNDERFIT
from diagnostics.rules.unstable import DIVERGED, UNSTABLE

RULES: tuple[Rule, ...] = (
    *BROKEN,
    *FROZEN,
    *TOLD,
    *DIVERGED,
    *COLLAPSED,
    *COLLAPSED_ENTROPY,
    *UNSTABLE,
    *SATURATED,
    *OVERFIT,
    *BY_HEART,
    *UNLEARNED,
    *UNDERFIT,
    *DRIFT,
    *LENGTH,
)

__all__ = ["RULES", "Case", "Fix", "Rule"]

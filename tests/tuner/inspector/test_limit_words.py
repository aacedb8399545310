import pytest

from diagnostics.rules import RULES
from tuner.inspector.runs.limit_words import COMMON, OF_RULES, meaning
from tuner.inspector.runs.reward_limit_words import OF_REWARDS

LIMITS = [(rule.name, limit) for rule in RULES for limit in rule.limits]


@pytest.mark.parametrize(("rule", "limit"), LIMITS)
def test_every_limit_of_the_table_says_what_it_bounds(rule: str, limit: str) -> None:
    words = meaning(rule, limit)
    assert words.endswith(".") and "`" not in words
    assert words.split()[0] != limit


def test_a_limit_is_explained_where_its_check_documents_it() -> None:
    assert meaning("eval-loss-rises", "rise") == "The rise as a share of the minimum."


def test_no_explanation_is_of_a_limit_that_no_rule_has() -> None:
    assert set(OF_RULES) <= set(LIMITS)
    assert set(COMMON) | set(OF_REWARDS) <= {limit for _, limit in LIMITS}
    assert meaning("no-such-rule", "rise") == meaning("eval-loss-rises", "no_such_limit") == ""

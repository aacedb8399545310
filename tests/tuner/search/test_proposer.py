"""Who proposed a trial: one text form in storage and study.json, read back by one parser."""

from __future__ import annotations

import pytest

from tuner.search.proposer import (
    ANOTHER_SEED,
    FILE,
    RUN_MODEL,
    UNKNOWN_SAMPLER,
    Proposer,
    ProposerKind,
    advice_of,
)

STORED = {
    "file": FILE,
    "advice:rate-too-low": advice_of("rate-too-low"),
    "sampler:run-model": RUN_MODEL,
    "sampler:trust-region": Proposer(ProposerKind.TRUST_REGION),
    "sampler:another-seed": ANOTHER_SEED,
    "sampler:GPSampler": Proposer(ProposerKind.SAMPLER, "GPSampler"),
    "sampler": UNKNOWN_SAMPLER,
}


@pytest.mark.parametrize(("text", "proposer"), STORED.items())
def test_the_stored_text_and_the_proposer_are_one(text: str, proposer: Proposer):
    assert Proposer.from_text(text) == proposer
    assert str(proposer) == text


@pytest.mark.parametrize(
    ("old", "now"),
    [
        ("loss-thrown-up", "loss-overshoots"),
        ("surer-than-right", "overconfident"),
        ("learned-by-heart", "train-tokens-memorized"),
        ("regularised-too-much", "regularization-too-strong"),
        ("repeats-memorised", "repeats-memorized"),
    ],
)
def test_a_rule_of_an_earlier_version_has_its_present_name(old: str, now: str):
    assert Proposer.from_text(f"advice:{old}") == advice_of(now)


def test_text_of_a_later_version_is_kept():
    assert Proposer.from_text("grid search: 3") == Proposer(ProposerKind.OTHER, "grid search: 3")
    assert str(Proposer.from_text("grid search: 3")) == "grid search: 3"


@pytest.mark.parametrize("proposer", [RUN_MODEL, Proposer(ProposerKind.SAMPLER, "GPSampler"), ANOTHER_SEED, FILE])
def test_only_advice_follows_a_rule(proposer: Proposer):
    assert advice_of("rate-too-low").follows_rule and not proposer.follows_rule

from __future__ import annotations

from dataclasses import replace

import pytest

from diagnostics.formatting import sentence
from diagnostics.model.message import message
from tests.tuner.study.report.study_records import BARE, GAIN, ONE, STUDY, TOO_FEW, TRIALS, trial
from tuner.config.direction import Direction
from tuner.messages import text
from tuner.search.proposer import ANOTHER_SEED, ProposerKind
from tuner.study.report.axes import mover
from tuner.study.report.sections import sections
from tuner.study.report.words import better_by, changed, headline, lead, measure, report_phrase
from tuner.study.report.write import as_html, as_markdown
from tuner.study.results import Gain
from tuner.study.words import moves_line, proposer_words


def test_who_moved_a_trial_is_known_from_its_record():
    assert [mover(one) for one in TRIALS] == ["file", "advice", "sampler", "advice", "sampler"]


def test_a_repeat_on_another_seed_is_called_that_and_no_sampler():
    again = trial(5, 1e-4, 0.72, ANOTHER_SEED, because="trial 3 on another seed")
    study = replace(STUDY, trials=(*TRIALS[:4], again))
    assert (mover(again), proposer_words(again.proposer), moves_line(again)) == (
        ProposerKind.ANOTHER_SEED,
        "another seed",
        "only the seed",
    )
    page, text = as_html(study), as_markdown(study)
    assert "only the seed | another seed. Trial 3 on another seed." in text
    assert "another-seed" not in page and "moved by the sampler" in page  # of trial 2
    assert all(
        part in page for part in ("</svg>another seed</span>", "<div>another seed</div>", "<div>only the seed</div>")
    )


@pytest.mark.parametrize(
    ("study", "code"),
    [
        (STUDY, "better-proved"),
        (replace(STUDY, gain=replace(GAIN, doubts=(message("within-noise"),))), "gain-within-noise"),
        (replace(STUDY, gain=TOO_FEW), "gain-lacks-seeds"),
        (ONE, "nothing-better"),
        (BARE, "nothing-finished"),
        (replace(STUDY, direction=Direction.MAXIMIZE, best=0), "nothing-better"),
    ],
)
def test_the_headline_claims_no_more_than_is_known(study, code):
    assert headline(study).code == code


def test_a_gain_without_repeats_is_called_unproved():
    for gain in (None, Gain((), 0.0, 0.0, (message("no-repeats"),))):
        study = replace(STUDY, gain=gain)
        values = {"metric": "eval_loss", "before": "1.4", "after": "0.7", "change": " (-50 %)"}
        assert headline(study) == message("better-on-one-seed", **values)
        assert sections(study).proof is None
    assert lead(replace(STUDY, gain=None)).endswith(report_phrase("not-repeated"))
    assert lead(study).endswith(sentence(text(message("no-repeats"))))


def test_higher_is_better_where_the_study_maximizes():
    share = replace(STUDY, metric="eval_exact_match", direction=Direction.MAXIMIZE, best=0, gain=None)
    rising = replace(share, trials=(trial(0, 1e-5, 0.2, "file"), trial(1, 1e-4, 0.5)), best=1)
    assert better_by(rising) == pytest.approx(1.5)
    assert measure("eval_exact_match", 0.5) == "50 %"


def test_a_claimed_gain_is_the_one_on_fresh_seeds():
    flattered = replace(STUDY, trials=(*TRIALS[:3], replace(TRIALS[3], value=0.1), TRIALS[4]))
    assert better_by(flattered) == pytest.approx(0.5)
    assert better_by(replace(flattered, gain=None)) == pytest.approx(1.3 / 1.4)


def test_only_the_settings_that_differ_are_shown():
    assert changed(STUDY) == [("learning_rate", 1e-5, 1e-4)]

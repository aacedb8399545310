"""What the model answered with the user's own settings, and with the best ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from tuner.inspector.escape import one_line, plain
from tuner.study.answers import AnswerPair, answer_pairs
from tuner.study.results import StudyResult

SHOWN = 3
MAX_LETTERS = 600


def answers(study: StudyResult, path: Path) -> None:
    """A few held-out questions with both answers, and all of them folded away."""
    pairs = answer_pairs(study, path.parent)
    if not pairs:
        return
    before, after = sum(pair.matched_before for pair in pairs), sum(pair.matches for pair in pairs)
    st.markdown("#### Answers before and after")
    st.caption(
        f"Held-out questions answered exactly: {before} of {len(pairs)} with your file, "
        f"{after} of {len(pairs)} with the best settings."
    )
    _table(pairs[:SHOWN], study.best)
    if len(pairs) > SHOWN:
        with st.expander(f"All {len(pairs)} answers"):
            _table(pairs, study.best)


def _table(pairs: Sequence[AnswerPair], best: int | None) -> None:
    st.table(
        [
            {
                "question": _cell(pair.question),
                "before (trial 0)": f"{_sign(pair.matched_before)} {_cell(pair.before)}",
                f"after (trial {best})": f"{_sign(pair.matches)} {_cell(pair.after)}",
                "wanted": _cell(pair.reference),
            }
            for pair in pairs
        ],
        hide_index=True,
        border="horizontal",
    )


def _sign(right: bool) -> str:
    return ":green[✓]" if right else ":red[✕]"


def _cell(text: str) -> str:
    return plain(one_line(text, MAX_LETTERS), MAX_LETTERS)

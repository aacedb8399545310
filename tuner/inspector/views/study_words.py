"""What a study learned, in words: how each rule's advice did, the review, and the file of the next study."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from diagnostics.formatting import plain_name
from tuner.inspector.escape import chip, one_line, plain
from tuner.inspector.jobs.allowed import Origin
from tuner.inspector.jobs.next_study import next_study, offered
from tuner.inspector.views.context import PageContext
from tuner.inspector.views.next_run import yaml_file
from tuner.study.patch_lines import patch_lines
from tuner.study.results import StudyResult
from tuner.study.words import paragraph_words, title_words
from tuner.training.run_config import own_config


def learned(context: PageContext, study: StudyResult, path: Path) -> None:
    """The rules' records, the review with its lines, what was searched, and the next study."""
    _records(study)
    _review(study)
    _next(context, study, path)
    with st.expander("What was searched"):
        for knob, span in study.space.items():
            st.markdown(f"- {chip(knob)} {plain(str(span))}")


def _records(study: StudyResult) -> None:
    if not study.records:
        return
    st.markdown("#### How the advice did")
    rows = [
        {
            "rule": plain_name(record.rule),
            "advised": record.advised,
            "helped": record.helped,
            "hurt": record.hurt,
            "within noise": record.even,
        }
        for record in study.records
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True)
    st.caption("Each trial that followed an advice is compared with the trial it came from.")


def _review(study: StudyResult) -> None:
    if study.review:
        st.markdown("#### Review")
    for paragraph in study.review:
        with st.container(border=True):
            st.markdown(f"**{plain(title_words(paragraph))}**")
            st.markdown(plain(paragraph_words(paragraph), 4000))
            if paragraph.patch:
                st.code(patch_lines(paragraph.patch), language="yaml")


def _next(context: PageContext, study: StudyResult, path: Path) -> None:
    """The file of the next study, with the changes of the review that the reader leaves ticked."""
    paragraphs = offered(study)
    if not paragraphs:
        return
    st.markdown("#### The next study")
    places = range(len(paragraphs))
    taken = st.multiselect(
        "Changes to make",
        places,
        default=list(places),
        format_func=lambda place: one_line(title_words(paragraphs[place])),
        key=f"next-study-changes-{study.name}",
    )
    first = study.baseline
    folder = path.parent / first.folder if first and first.folder and _inside(path, first.folder) else None
    config = own_config(folder) if folder else None
    text = next_study(study, config, [paragraphs[place] for place in sorted(taken)])
    yaml_file(context, text, f"{study.name}-next", "next-study", Origin(config, folder) if config and folder else None)


def _inside(path: Path, folder: str) -> bool:
    """Whether a trial's folder, as the file names it, lies in the study's own."""
    try:
        return (path.parent / folder).resolve().is_relative_to(path.parent.resolve())
    except (OSError, ValueError):
        return False

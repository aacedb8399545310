"""From a YAML text to a run: shown, changed by hand, saved, started."""

from __future__ import annotations

import hashlib

import streamlit as st

from diagnostics.errors import BadInput
from diagnostics.formatting import plain_name, times
from diagnostics.model.records import Advice
from tuner.config.next_run import as_yaml, from_old, next_config, numeric, study_block
from tuner.inspector.escape import chip, file_name, one_line, plain
from tuner.inspector.jobs.allowed import Origin
from tuner.inspector.jobs.record import jobs
from tuner.inspector.jobs.start import free_name, plan, start
from tuner.inspector.runs.folder import Opened
from tuner.inspector.views.context import PageContext
from tuner.training.run_config import own_config


def next_run(context: PageContext, opened: Opened) -> None:
    """The file of the next run, with the advice that the reader leaves ticked."""
    offered = numeric(opened.diagnosis.advice)
    if not offered:
        return
    st.markdown("#### The next run")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        taken = st.multiselect(
            "Changes to make",
            [change.knob for change in offered],
            default=[offered[0].knob],
            key=f"changes-{opened.id}",
            help="One change at a time tells you which one helped.",
        )
        search = st.toggle("As a study", key="as-study", help="Add a `study:` block that searches around the advice.")
    changes = [full for change in offered if change.knob in taken and (full := _with_new_value(change, opened.id))]
    config = next_config(opened.run.settings, changes, own_config(opened.path))
    study = study_block(changes, trials=12) if search else None
    text = as_yaml(opened.name, config, changes, study)
    yaml_file(context, text, f"{opened.name}-next", "next", Origin(config, opened.path))


def _with_new_value(change: Advice, run_id: str) -> Advice | None:
    """The advice with its new value; the reader types the old one where the log does not hold it."""
    if change.new is not None:
        return change
    old = st.number_input(
        f"{one_line(plain_name(change.knob)).capitalize()} of this run (not in the log)",
        value=None,
        min_value=0.0,
        format="%g",
        placeholder=f"the advice is {times(change.factor)}",
        key=f"old-{change.knob}-{run_id}",
    )
    return from_old(change, float(old)) if old else None


def yaml_file(context: PageContext, text: str, stem: str, key: str, origin: Origin | None = None) -> None:
    """The file, to be read, changed, copied, saved and started; ``stem`` is what it is called unless renamed.

    ``origin`` is the run that it was made from.
    """
    edited = st.toggle("Change it by hand", key=f"{key}-edit")
    if edited:
        # Another text is another box: what was typed into the old one does not hold for it.
        mark = hashlib.sha256(text.encode()).hexdigest()[:12]
        text = st.text_area("File", text, height=320, key=f"{key}-text-{mark}", label_visibility="collapsed")
    else:
        st.code(text, language="yaml", height=320 if text.count("\n") > 14 else "content", wrap_lines=True)
    command = "study" if "\nstudy:" in text else "train"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.download_button(
            "Save as YAML", text, file_name(stem, ".yaml"), "text/yaml", key=f"{key}-yaml", on_click="ignore"
        )
        if context.may_run:
            _run_it(context, text, stem, key, origin)
    if not context.may_run:
        st.caption(
            f"Run it with `tuner {command}` and the name of the file. To start it from here, {context.how_to_run}"
        )


def _run_it(context: PageContext, text: str, stem: str, key: str, origin: Origin | None) -> None:
    root = context.folder.root
    name = st.text_input("Name", free_name(root, stem), key=f"{key}-name-{stem}", width=280)
    if st.button("Run it", type="primary", icon=":material/play_arrow:", key=f"{key}-run"):
        try:
            begun = start(root, plan(root, name, text, origin))
        except (BadInput, OSError) as error:
            st.error(plain(error))
        else:
            context.go("started", job=begun.name)
    on = sum(one.is_on for one in jobs(root))
    busy = f" It shares the machine with {on} that {'is' if on == 1 else 'are'} running." if on else ""
    st.caption(f"Writes below {chip(root, 200)} and continues when this page is closed.{busy}")

"""What only the browser can do: Enter on a row of a table, a picture of the chart, a link in the clipboard.

The scripts are constants: nothing that a log or an address holds is ever part of them.
"""

from __future__ import annotations

import streamlit as st

SETTLING = 300
"""Milliseconds after which the server knows the cell that the reader moved to."""

ENTER_SCRIPT = f"""
export default function ({{ setTriggerValue }}) {{
  const enter = event => {{
    if (event.key !== 'Enter' || !event.target.closest('[data-testid=stDataFrame]')) return;
    event.stopPropagation();
    setTimeout(() => setTriggerValue('entered', true), {SETTLING});
  }};
  document.addEventListener('keydown', enter, true);
  return () => document.removeEventListener('keydown', enter, true);
}}
"""

TAKE_AWAY_SCRIPT = """
export default function ({ parentElement, data }) {
  const [save, copy] = parentElement.querySelectorAll('button');
  save.onclick = () => {
    const drawn = document.querySelector('[data-testid=stVegaLiteChart] canvas');
    if (!drawn) return;
    const paper = document.createElement('canvas');
    paper.width = drawn.width; paper.height = drawn.height;
    const pen = paper.getContext('2d');
    pen.fillStyle = getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor;
    pen.fillRect(0, 0, paper.width, paper.height);
    pen.drawImage(drawn, 0, 0);
    const link = document.createElement('a');
    link.download = data.file; link.href = paper.toDataURL('image/png'); link.click();
  };
  copy.onclick = async () => {
    await navigator.clipboard.writeText(location.href);
    copy.textContent = 'Copied';
    setTimeout(() => { copy.textContent = 'Copy link'; }, 1500);
  };
}
"""

BUTTONS = "<div><button type='button'>Save PNG</button><button type='button'>Copy link</button></div>"
LOOKS = """
div {display: flex; gap: 0.75rem}
button {font: inherit; font-size: 0.875rem; color: var(--st-text-color); background: var(--st-background-color);
  cursor: pointer; border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); min-height: 2.5rem;
  padding: 0.25rem 0.75rem; white-space: nowrap}
button:hover, button:focus-visible {border-color: var(--st-primary-color); color: var(--st-primary-color)}
"""

_enter = st.components.v2.component("tuner_enter", js=ENTER_SCRIPT)
_take_away = st.components.v2.component("tuner_take_away", html=BUTTONS, css=LOOKS, js=TAKE_AWAY_SCRIPT)


def row_entered() -> bool:
    """Whether Enter was pressed on the table just now."""
    return bool(_enter(key="enter", on_entered_change=lambda: None, height=1).entered)


def chart_buttons(file: str) -> None:
    """Buttons that save the page's first chart as a picture called ``file``, and copy the page's address."""
    _take_away(key="take-away", data={"file": file}, width="content", height="content")

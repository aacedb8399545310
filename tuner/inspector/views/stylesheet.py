"""The pages' own style: less space above the content, and an order of their own in a narrow window."""

from __future__ import annotations

LAST = "last-when-narrow"
NARROW = "max-width: 640px"

STYLE = (
    "<style>.stMainBlockContainer {padding-top: 3.95rem; padding-bottom: 3rem}"
    "#vg-tooltip-element {white-space: pre-line}"
    # The folder and the Live switch stand in the bar of the menu, which is empty on the right.
    ".st-key-top {position: fixed; top: 0; right: 1rem; height: 3.75rem; width: auto; max-width: 45vw;"
    " z-index: 999991; justify-content: flex-end; flex-wrap: nowrap}"
    "[data-testid=stLayoutWrapper]:has(> .st-key-top) {position: absolute}"
    ".st-key-top p {white-space: nowrap; overflow: hidden; text-overflow: ellipsis}"
    ".st-key-toolbar-space {margin-bottom: -0.5rem}"
    ".st-key-verdict {padding: 0.35rem 0.9rem; margin-bottom: -0.55rem}"
    ".st-key-verdict p {font-size: 0.92rem; line-height: 1.45}"
    ".st-key-run-bar {margin-bottom: -0.55rem}"
    ".st-key-path-narrow, .st-key-rate-narrow {display: none}"
    f"@media ({NARROW}) {{.st-key-path-narrow, .st-key-rate-narrow {{display: block}} "
    ".st-key-path-wide, .st-key-rate-wide {display: none}"
    ".st-key-top [data-testid=stCaptionContainer] {display: none}"
    # Where columns are stacked, the file of the next run comes after the advice that it is made of.
    f".stHorizontalBlock:has(> .stColumn .st-key-{LAST}) > .stColumn,"
    f".stHorizontalBlock:has(> .stColumn .st-key-{LAST}) > .stColumn > .stVerticalBlock {{display: contents}}"
    f"[data-testid=stLayoutWrapper]:has(> .st-key-{LAST}) {{order: 1}}}}</style>"
)

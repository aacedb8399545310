"""The colors, the style sheet and the small script that charts and pages share."""

from __future__ import annotations

from collections.abc import Mapping

from diagnostics.model.records import Label

Color = tuple[str, str]
"""A color on light and on dark paper; both read as text (contrast 4.5 or more)."""
BLUE: Color = ("#2c6cb0", "#74aef0")
ORANGE: Color = ("#b84705", "#ff9d5c")
TEAL: Color = ("#1b756d", "#5cc7bd")
CRIMSON: Color = ("#a8324a", "#f08ba0")
VIOLET: Color = ("#6d559e", "#b7a1ea")
YELLOW: Color = ("#8a6a00", "#e0c04f")
GREEN: Color = ("#23744a", "#77cf9d")
PINK: Color = ("#b0478f", "#e693cb")
LINE_COLORS = (BLUE, ORANGE, TEAL, CRIMSON, VIOLET, YELLOW, GREEN, PINK)
"""For lines without a color of their own, in the order in which they are given out."""

MANY_LINE_COLORS = (
    *("#4c78a8", "#9ecae9", "#f58518", "#ffbf79", "#54a24b", "#88d27a", "#b79a20", "#f2cf5b", "#439894", "#83bcb6"),
    *("#e45756", "#ff9d98", "#79706e", "#bab0ac", "#d67195", "#fcbfd2", "#b279a2", "#d6a5c9", "#9e765f", "#d8b5a5"),
)
"""Tableau's twenty, as in Vega, for more lines than a few colors can tell apart."""

LABEL_COLORS: Mapping[Label, Color] = {
    Label.BROKEN: ("#b3261e", "#ff8a80"),
    Label.UNSTABLE: ("#9a5b00", "#f0b24a"),
    Label.OVERFIT: ("#8436a8", "#d59bf0"),
    Label.UNDERFIT: ("#1b659f", "#7fc1f5"),
    Label.HEALTHY: GREEN,
    Label.UNKNOWN: ("#5f6672", "#a4acb9"),
}

SERIES_COLORS: Mapping[str, Color] = {
    "train_loss": BLUE,
    "eval_loss": ORANGE,
    "learning_rate": TEAL,
    "grad_norm": VIOLET,
    "reward": BLUE,
    "eval_reward": ORANGE,
    "frac_reward_zero_std": VIOLET,
    "entropy": TEAL,
    "completion_length": GREEN,
    "clipped_ratio": CRIMSON,
    "kl_divergence": YELLOW,
    "sampler_gap": PINK,
    "eval_entropy": ORANGE,
    "eval_completion_length": ORANGE,
    "eval_clipped_ratio": ORANGE,
    "eval_kl_divergence": ORANGE,
    "rewards_chosen": GREEN,
    "rewards_rejected": CRIMSON,
    "rewards_margins": BLUE,
    "eval_rewards_margins": ORANGE,
    "rewards_accuracies": BLUE,
    "eval_rewards_accuracies": ORANGE,
}

PAPER: Mapping[str, Color] = {
    "paper": ("#f8f7f4", "#14161a"),
    "card": ("#ffffff", "#1c1f25"),
    "ink": ("#20242c", "#e7e9ee"),
    "soft": ("#5d6470", "#a0a8b5"),
    "line": ("#e5e2db", "#30353f"),
    "wash": ("#f3f1ec", "#23272f"),
}


def _variables(shade: int) -> str:
    named = {
        **PAPER,
        **{str(label): pair for label, pair in LABEL_COLORS.items()},
        **{name.replace("_", "-"): pair for name, pair in SERIES_COLORS.items()},
        **{f"line-{place}": pair for place, pair in enumerate(LINE_COLORS)},
    }
    return "".join(f"--{name}:{pair[shade]};" for name, pair in named.items())


def color_sheet(root: str) -> str:
    """The colors as CSS variables of ``root``, light, and dark where the reader's screen is dark."""
    dark = f"@media screen and (prefers-color-scheme:dark){{{root}{{{_variables(1)}}}}}"
    return f"{root}{{{_variables(0)}}}{dark}"


CHART_SHEET = """
.chart{display:block;max-width:100%;height:auto;font:11px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.chart text{fill:var(--soft)}
.chart .head{fill:var(--ink);font-weight:600;font-size:12px}
.chart .name{fill:var(--ink)}
.chart .halo{paint-order:stroke;stroke:var(--card);stroke-width:4px;stroke-linejoin:round}
.chart .grid{stroke:var(--line);stroke-width:1;fill:none}
.chart .axis{stroke:var(--soft);stroke-opacity:.55;fill:none}
.chart .level{stroke:var(--soft);stroke-dasharray:1 4;stroke-linecap:round}
.chart .mark{stroke:var(--ink);stroke-opacity:.75;stroke-dasharray:5 4}
.chart .quiet{stroke:var(--soft);stroke-opacity:.75;stroke-dasharray:2 3}
.chart .curve{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}
.chart .dense{stroke-width:1.2}
.chart .behind{stroke-width:1;stroke-opacity:.38}
.chart .dots{fill:none;stroke-width:5.6;stroke-linecap:round}
.chart .nan{stroke:var(--broken);stroke-width:1.8;stroke-linecap:round;fill:none}
.chart .shade{fill-opacity:.07}
.chart .tick{fill:none;stroke-width:2.2;stroke-linecap:round}
.chart .cross{stroke:var(--ink);stroke-opacity:.6;visibility:hidden;pointer-events:none}
"""

HOVER_SCRIPT = """
for (const svg of document.querySelectorAll('svg.chart[data-steps]')) {
  const note = document.createElement('div'); note.className = 'readout'; note.hidden = true;
  svg.parentElement.style.position = 'relative'; svg.parentElement.append(note);
  const [left, right, first, last] = svg.dataset.steps.split(' ').map(Number);
  const lines = [...svg.querySelectorAll('path[data-name]')].map(path => ({
    name: path.dataset.name, axis: path.parentElement.dataset.values.split(' ').map(Number),
    points: path.getAttribute('d').split(/[ML]/).filter(Boolean).map(p => p.split(',').map(Number))}));
  const cross = svg.querySelector('.cross');
  const value = (y, [top, bottom, low, high, log]) => {
    const share = (y - bottom) / (top - bottom);
    return log ? low * (high / low) ** share : low + share * (high - low); };
  const words = v => Math.abs(v) < 1e-3 && v !== 0 ? v.toExponential(1) : String(+v.toPrecision(3));
  const hide = () => { note.hidden = true; cross.style.visibility = 'hidden'; };
  svg.addEventListener('pointerleave', hide);
  svg.addEventListener('pointermove', event => {
    const box = svg.getBoundingClientRect(), zoom = svg.viewBox.baseVal.width / box.width;
    const x = (event.clientX - box.left) * zoom;
    if (x < left || x > right) return hide();
    const step = first + (x - left) / (right - left) * (last - first);
    const rows = ['step ' + Math.round(step)];
    for (const line of lines) {
      const near = line.points.reduce((a, b) => Math.abs(b[0] - x) < Math.abs(a[0] - x) ? b : a);
      if (Math.abs(near[0] - x) < (right - left) / 8) rows.push(line.name + '  ' + words(value(near[1], line.axis)));
    }
    note.textContent = rows.join('\\n'); note.hidden = false;
    const beside = event.clientX - box.left + 14;
    note.style.left = Math.min(beside, box.width - note.offsetWidth - 4) + 'px';
    note.style.top = (event.clientY - box.top + 18) + 'px';
    cross.setAttribute('x1', x); cross.setAttribute('x2', x); cross.style.visibility = 'visible';
  });
}
"""

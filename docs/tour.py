"""Record ``docs/tour.gif``: real commands in a real terminal, so that the picture stays true.

    pip install -e '.[train,docs]' && python docs/tour.py [--out docs/tour.gif]

Two scenes: ``tuner diagnose`` on an overfit log, and ``tuner study`` on the packaged model (sped
up) up to the answers before and after. A terminal emulator (pyte) keeps the screen, headless
Chromium draws it, Pillow joins the frames. Takes as long as the study, about three minutes.
"""

from __future__ import annotations

import argparse
import codecs
import html
import io
import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyte
from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
COLUMNS, LINES = 100, 26
TYPING = 0.04
"""Seconds between two typed letters, as the picture shows them."""
FRAMES_A_SCENE = 14
HOLD = 3.5
"""Seconds that the last frame of a scene stays."""
PALETTE = {
    "default": "#d8dee9",
    "black": "#8a93a3",
    "red": "#ff6b6b",
    "green": "#8fd18f",
    "brown": "#f2c66d",
    "yellow": "#f2c66d",
    "blue": "#6cb6ff",
    "magenta": "#d2a8ff",
    "cyan": "#76d9e6",
    "white": "#eceff4",
}
STYLE = (
    "body{margin:0;background:#171b22}pre{margin:0;padding:18px 22px;font:15px/1.25 'DejaVu Sans Mono',monospace;"
    "color:#d8dee9;width:max-content}i{display:inline-block;width:1ch;font-style:normal;white-space:pre}"
)


@dataclass(frozen=True)
class Scene:
    """A command as it is typed, what really runs, and how much of its end is shown."""

    typed: str
    command: Sequence[str]
    folder: Path


@dataclass(frozen=True)
class Frame:
    """A screen as HTML and how long it stays, in seconds."""

    page: str
    seconds: float


def main() -> None:
    """Run the scenes, draw the frames, and write the animation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "tour.gif")
    parser.add_argument("--only", choices=["diagnose", "study"], help="one scene, to try the script")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        frames = [frame for scene in scenes(Path(name), given.only) for frame in recorded(scene)]
    write(frames, given.out)
    print(f"wrote {given.out}: {given.out.stat().st_size / 1e6:.1f} MB, {sum(f.seconds for f in frames):.0f} s")


def scenes(folder: Path, only: str | None) -> Iterator[Scene]:
    """The scenes in their order, with the files they need in ``folder``."""
    tuner = [sys.executable, "-m", "tuner"]
    subprocess.run([*tuner, "demo", "--no-browser", "--out", "runs"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    if only != "study":
        yield Scene("tuner diagnose runs/4-epochs", [*tuner, "diagnose", "runs/4-epochs"], folder)
    if only != "diagnose":
        shutil.copytree(ROOT / "studies", folder / "studies")
        yield Scene("tuner study sft.yaml", [*tuner, "study", "studies/sft.yaml"], folder)


def recorded(scene: Scene) -> Iterator[Frame]:
    """The frames of a scene: the command typed, then its screen at evenly spaced moments, the last one held."""
    prompt = "<b style='color:#8fd18f'>$</b> "
    for end in range(0, len(scene.typed) + 1, 2):
        yield Frame(_page(prompt + html.escape(scene.typed[:end]) + "▌"), 2 * TYPING)
    screens = list(played(scene))
    step = max(1, len(screens) // FRAMES_A_SCENE)
    shown = [*screens[:-1:step], screens[-1]]
    for place, screen in enumerate(shown):
        last = place == len(shown) - 1
        yield Frame(_page(f"{prompt}{html.escape(scene.typed)}\n{screen}"), HOLD if last else 0.28)


def played(scene: Scene) -> Iterator[str]:
    """Run the command in a terminal of its own; its screen each time it has changed, at most ten times a second."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.Stream(screen)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    control, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(LINES)}
    running = subprocess.Popen(
        scene.command, cwd=scene.folder, stdin=terminal, stdout=terminal, stderr=terminal, env=environment
    )
    os.close(terminal)
    drawn, at = "", time.monotonic()
    while True:
        ready, _, _ = select.select([control], [], [], 0.2)
        try:
            data = os.read(control, 65536) if ready else b""
        except OSError:  # the other side is closed
            break
        if ready and not data:
            break
        stream.feed(decoder.decode(data))
        if time.monotonic() - at > 0.1 and (now := _markup(screen)) != drawn:
            drawn, at = now, time.monotonic()
            yield drawn
    running.wait()
    os.close(control)
    yield _markup(screen)


def _markup(screen: pyte.Screen) -> str:
    """The screen's lines as spans of color, without the empty ones at its end."""
    lines = []
    for row in range(screen.lines):
        cells = [screen.buffer[row][column] for column in range(screen.columns)]
        lines.append("".join(_span(run) for run in _runs(cells)).rstrip())
    while lines and not lines[-1]:
        lines.pop()
    return "\n".join(lines)


def _runs(cells: Sequence[Any]) -> Iterator[list[Any]]:
    """The cells of a line in stretches of the same look."""
    stretch: list[Any] = []
    for cell in cells:
        if stretch and (cell.fg, cell.bold) != (stretch[0].fg, stretch[0].bold):
            yield stretch
            stretch = []
        stretch.append(cell)
    if stretch:
        yield stretch


def _span(cells: Sequence[Any]) -> str:
    # Signs that the font lacks come from another one, with another width: each gets the width of a letter.
    text = "".join(cell.data if cell.data.isascii() else f"\0{cell.data}\1" for cell in cells)
    text = html.escape(text).replace("\0", "<i>").replace("\1", "</i>")
    color = cells[0].fg
    color = PALETTE.get(color.removeprefix("bright"), f"#{color}" if len(color) == 6 else PALETTE["default"])
    weight = ";font-weight:bold" if cells[0].bold else ""
    return f"<span style='color:{color}{weight}'>{text}</span>" if text.strip() else text


def _page(body: str) -> str:
    return f"<style>{STYLE}</style><pre>{body}</pre>"


def write(frames: Sequence[Frame], out: Path) -> None:
    """Draw every frame and join them to one animation with a palette of its own."""
    pictures = []
    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 960, "height": 600})
        for frame in frames:
            page.set_content(frame.page)
            pictures.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
        browser.close()
    palette = pictures[-1].quantize(48)
    small = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    times = [int(1000 * frame.seconds) for frame in frames]
    small[0].save(out, save_all=True, append_images=small[1:], duration=times, loop=0, optimize=True)


if __name__ == "__main__":
    main()

"""Does anything of a hostile run come alive? ``python -m benchmarks.hostile [--keep FOLDER] [--quick]``.

Every command is given a folder of hostile runs (markup, escapes, paths, links, YAML tags, pickles, code that comes with
a model, in every key that loads something), their reports are opened in Chromium, and so is every page of the
inspector. Counted are files that executed code would leave, scripts that ran, dialogs, requests to anywhere else,
escapes that reached the terminal, and foreign files that were shown: all must be 0.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from benchmarks.hostile.runs import Made, hostile_runs, run_folders
from benchmarks.must_be_empty import MustBeEmpty
from tests.tuner.inspector.serving import KEY, chromium, served, settled
from tuner.cli import main as tuner

SYSTEM, OUTSIDE = re.compile("root:x:0"), re.compile("root:x:0|41\\.75[67]")
"""What a file of the system shows, and what a log outside of the folder does as well, to which links in it lead."""
PAGE_SECONDS = 60_000
REPORTS = (".html", ".md", ".svg", ".json")
ALIVE = "a[href^='javascript:' i], a[href*='evil.invalid'], :is(iframe, img, base)[src*='evil'], base[href*='evil']"
"""Elements that a page of ours never has."""


@dataclass
class Found(MustBeEmpty):
    """What came alive, or got out; and how much was tried."""

    commands: int = 0
    pages: int = 0
    executed: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    escapes: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)


def commands(made: Made, out: Path) -> Iterator[list[str]]:
    """Each command on the runs."""
    folder = str(made.folder)
    out.mkdir()
    yield from ([*line] for line in (("diagnose", folder), ("diagnose", folder, "-v"), ("diagnose", folder, "--json")))
    yield from (["diagnose", folder, "--md"], ["diagnose", folder, "--html", str(out / "all.html")])
    yield from (["rules", "--record", folder], ["card", str(made.folder / "study"), "--out", str(out / "study")])
    for number, run in enumerate(sorted(made.folder.glob("text-*"))[:4]):
        yield ["card", str(run), "--out", str(out / f"card-{number}")]
    for number, run in enumerate(run_folders(made)):
        command = ("train", "study")[number % 2]
        yield [command, str(run / "config.yaml"), "--out", str(out / f"{command}-{run.name}")]
        yield ["merge", str(run), str(out / f"merged-{run.name}")]


def command_line(made: Made, out: Path, found: Found, *, quick: bool = False) -> None:
    """Give the runs to every command and look at what it prints and writes."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    for line in list(commands(made, out))[:: 5 if quick else 1]:
        print(f"tuner {' '.join(line)[:100]!r}", file=sys.stderr, flush=True)
        said = io.StringIO()
        found.commands += 1
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                tuner(line)
        except SystemExit:
            pass
        except Exception as error:
            found.tracebacks.append(f"{line[:2]}: {type(error).__name__}: {str(error)[:200]}")
        _look_at(said.getvalue(), " ".join(line[:2]), found)
    for path in [
        path for path in out.rglob("*") if path.suffix in (".html", ".md", ".svg", ".json") and path.is_file()
    ]:
        _look_at(path.read_text(encoding="utf-8", errors="replace"), str(path), found)


def _look_at(text: str, where: str, found: Found, foreign: re.Pattern[str] = SYSTEM) -> None:
    if "\x1b" in text or "\x9b" in text:
        place = max(text.find("\x1b"), text.find("\x9b"))
        found.escapes.append(f"{where}: {text[max(0, place - 40) : place + 40]!r}")
    if foreign.search(text):
        found.foreign.append(where)
    if "Traceback (most recent" in text:
        found.tracebacks.append(f"{where}: {text[-300:]}")


def browser(made: Made, out: Path, found: Found, *, quick: bool = False) -> None:
    """Open the reports and every page of the inspector on the runs."""
    with chromium() as opened, served(made.folder, out / "server.log", allow_run=True) as address:
        page = opened.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(PAGE_SECONDS)
        _watch(page, found)
        for report in [*sorted(out.rglob("*.html")), *sorted(out.rglob("*.svg"))]:
            page.goto(report.as_uri())
            _checked(page, report.name, found)
        runs = [str(path.relative_to(made.folder)) for path in sorted(made.folder.glob("*"))]
        runs += [f"named/{name.name}" for name in sorted((made.folder / "named").glob("*")) if name.name.isprintable()]
        runs += ["../secret.csv", "linked/secret.csv", "linked/up/secret.csv", "linked/passwd.csv", "/etc/passwd"]
        pages = ["", "study?study=study", "compare?run=text-00&run=text-01&run=tags.csv", "started", "rule"]
        pages += [f"run?run={quote(run, errors='surrogateescape')}" for run in (runs[::6] if quick else runs)]
        for one in pages:
            print(f"page {one[:100]!r}", file=sys.stderr, flush=True)
            page.goto(f"{address}/{one}{'&' if '?' in one else '?'}token={KEY}")
            settled(page)
            _unfolded(page)
            _checked(page, one, found)


def _unfolded(page: Any) -> None:
    """Open what is folded away."""
    for place in range(min(6, page.locator("summary:visible").count())):
        with contextlib.suppress(Exception):
            page.locator("summary:visible").nth(place).click(timeout=2000)
    settled(page)


def _watch(page: Any, found: Found) -> None:
    def asked(request: Any) -> None:
        if urlsplit(request.url).hostname not in (None, "localhost", "127.0.0.1"):
            found.requests.append(request.url[:200])

    def shown(dialog: Any) -> None:
        found.dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("request", asked)
    page.on("dialog", shown)


def _checked(page: Any, where: str, found: Found) -> None:
    found.pages += 1
    if page.evaluate("window.__hit || 0"):
        found.scripts.append(where)
    alive = (
        "a[href^='javascript:' i], iframe[src*='evil'], img[src*='evil'], a[href*='evil.invalid'], base[href*='evil']"
    )
    count = page.locator(alive).count()
    if count:
        found.scripts.append(f"{where}: {count} live elements")
    is_ours = urlsplit(page.url).scheme == "file"  # a report of the command line, which follows links
    text = page.inner_text("body") if page.locator("body").count() else ""
    _look_at(text, where, found, SYSTEM if is_ours else OUTSIDE)


def main() -> int:
    """Try everything; 1 where something came alive."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keep", type=Path, help="a folder that keeps the runs and the reports")
    parser.add_argument("--quick", action="store_true", help="a sample of the commands and of the pages")
    options = parser.parse_args()
    found = Found()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        root = options.keep or Path(scratch)
        made = hostile_runs(root)
        os.chdir(root)
        command_line(made, root / "out", found, quick=options.quick)
        browser(made, root / "out", found, quick=options.quick)
        found.executed += [path.name for path in made.markers.iterdir()]
    print(f"{found.commands} commands, {found.pages} pages: {found.counts()}", *found.examples(), sep="\n")
    return int(any(found.failures().values()))


if __name__ == "__main__":
    sys.exit(main())

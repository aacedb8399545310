"""Build and check a release: ``python release.py`` does everything but publish; ``--publish`` uploads what was checked.

    pip install build twine && python release.py [--publish]

The version is ``tuner.__version__``. CHANGELOG.md must have a section for it, the working tree must be clean, the wheel
must be complete (it is installed in a new environment and judges a log there), and twine must accept both files.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent
DIST = ROOT / "dist"


def main() -> int:
    """Run every step; the first that fails ends the program with its line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--publish", action="store_true", help="upload to the package index at the end")
    parser.add_argument("--allow-dirty", action="store_true", help="build from a tree with changes, to try the script")
    given = parser.parse_args()
    version = version_of((ROOT / "tuner" / "__init__.py").read_text("utf-8"))
    if given.publish and given.allow_dirty:
        raise SystemExit("release: --publish needs a clean tree; commit first")
    if given.publish and f"## {version}" not in (ROOT / "CHANGELOG.md").read_text("utf-8"):
        raise SystemExit(f"release: CHANGELOG.md has no section ## {version}; rename Unreleased")
    if not given.allow_dirty and _output("git", "status", "--porcelain"):
        raise SystemExit("release: the tree has changes; commit them, or try with --allow-dirty")
    shutil.rmtree(DIST, ignore_errors=True)
    _run(sys.executable, "-m", "build", "--outdir", str(DIST), str(ROOT))
    files = sorted(str(path) for path in DIST.iterdir())
    _run(sys.executable, "-m", "twine", "check", "--strict", *files)
    try_wheel(next(DIST.glob("*.whl")), version)
    if given.publish:
        _run(sys.executable, "-m", "twine", "upload", *files)
        _run("git", "tag", f"v{version}")
    print(f"release: {version} {'is published' if given.publish else 'is ready; --publish uploads it'}")
    return 0


def version_of(source: str) -> str:
    """The version in the text of ``tuner/__init__.py``; ``SystemExit`` when there is none."""
    found = re.search(r'^__version__ = "([^"]+)"', source, re.MULTILINE)
    if not found:
        raise SystemExit("release: tuner/__init__.py has no __version__")
    return found[1]


def try_wheel(wheel: Path, version: str) -> None:
    """Install the wheel in a new environment, away from the source, and run the commands that need nothing else."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run(sys.executable, "-m", "venv", str(folder / "venv"))
        _run(str(folder / "venv/bin/pip"), "install", "--quiet", str(wheel))
        command = str(folder / "venv/bin/tuner")
        said = subprocess.run([command, "--version"], cwd=folder, capture_output=True, text=True, check=True).stdout
        if version not in said:
            raise SystemExit(f"release: the wheel says {said.strip()!r}, not {version}")
        for arguments in (["rules"], ["init", "sft"], ["demo", "--no-browser"]):
            subprocess.run([command, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def _run(*command: str) -> None:
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise SystemExit(f"release: {' '.join(command)} failed")


def _output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    raise SystemExit(main())

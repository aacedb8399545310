"""The wall and the front door: what importing the package loads. The import picture itself is in pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "transformers", "trl", "peft", "optuna", "streamlit", "pandas", "tensorboard", "datasets")
LAZY = ("scipy", "rich", "yaml")
FRONT_DOOR = ("numpy", "scipy", "torch", "yaml", "rich", "optuna", "transformers")


LINT = (
    "import sys; from importlinter.cli import lint_imports; "
    "sys.exit(lint_imports(config_filename=sys.argv[1], no_cache=True))"
)


def test_the_import_picture_holds():
    # In a process of its own, for it turns off every logger that exists.
    command = [sys.executable, "-c", LINT, str(ROOT / "pyproject.toml")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout


def loaded_after(code: str, names: tuple[str, ...]) -> set[str]:
    check = f"{code}\nimport sys\nprint(*[n for n in {names!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.splitlines()[-1].split()) if done.stdout.strip() else set()


def test_the_help_loads_no_heavy_library():
    code = "import tuner.cli\ntry:\n    tuner.cli.main(['--help'])\nexcept SystemExit:\n    pass"
    assert loaded_after(code, FRONT_DOOR) == set()


def test_diagnosing_loads_no_training_library():
    code = "import diagnostics\ndiagnostics.diagnose, diagnostics.read, diagnostics.RULES"
    assert loaded_after(code, (*HEAVY, *LAZY)) == set()


def test_the_study_loop_needs_no_torch():
    assert "torch" not in loaded_after("import tuner.study.loop", ("torch", "transformers", "trl"))


def test_every_folder_of_code_is_a_package_and_so_in_the_wheel():
    folders = {path.parent for half in ("diagnostics", "tuner") for path in (ROOT / half).rglob("*.py")}
    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []

"""The import picture of the house, as data: who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Each name may import what stands before it or beside it in its own row, and what its row's extras name.
DIAGNOSTICS = (
    ("errors", "curves", "signals", "family"),
    ("detectors", "joins", "readers"),
    ("verdict", "wording", "certainty", "baseline", "comparison"),
    ("rules", "advice", "patient"),
    ("diagnosis", "live", "synthetic"),
    ("chart", "panels", "thinning", "scales", "svg", "lanes", "marks", "markup", "style", "vega"),
    ("report", "markdown", "html", "text", "page"),
)
FORBIDDEN = {
    "torch",
    "transformers",
    "trl",
    "peft",
    "optuna",
    "streamlit",
    "pandas",
    "tensorboard",
    "datasets",
    "tuner",
}
LAZY = {"scipy", "rich", "yaml"}
HEAVY = FORBIDDEN - {"tuner"}
FRONT_DOOR = ("numpy", "scipy", "torch", "yaml", "rich", "optuna", "transformers")


def modules(package: str) -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / package).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield name.removesuffix(".__init__"), path


def imports(path: Path, *, top_only: bool = False) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    nodes = _top(tree.body) if top_only else ast.walk(tree)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _top(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Statements that run at import: not those inside functions, nor those for the type checker alone."""
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        for part in ("body", "orelse", "handlers"):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _top([n for n in getattr(node, part, []) if isinstance(n, ast.stmt)])


def layer(name: str) -> int | None:
    """The row that a module belongs to, by its longest known prefix."""
    for index, row in enumerate(DIAGNOSTICS):
        if any(f"{name}.".startswith(f"diagnostics.{known}.") for known in row):
            return index
    return None


def test_every_module_of_diagnostics_has_a_place_in_the_picture():
    assert [name for name, _ in modules("diagnostics") if layer(name) is None] == ["diagnostics"]


@pytest.mark.parametrize(("name", "path"), list(modules("diagnostics")))
def test_imports_of_diagnostics_point_one_way(name: str, path: Path):
    own = layer(name)
    if own is None:  # the package itself re-exports
        return
    above = {found for found in imports(path) if (other := layer(found)) is not None and other > own}
    assert not above, f"{name} imports from a later layer: {sorted(above)}"


@pytest.mark.parametrize(("name", "path"), list(modules("diagnostics")))
def test_diagnostics_never_imports_the_heavy_half(name: str, path: Path):
    assert not {found.split(".")[0] for found in imports(path)} & FORBIDDEN


@pytest.mark.parametrize(("name", "path"), list(modules("diagnostics")))
def test_scipy_rich_and_yaml_are_imported_inside_functions(name: str, path: Path):
    assert not {found.split(".")[0] for found in imports(path, top_only=True)} & LAZY


def loaded_after(code: str, names: tuple[str, ...]) -> set[str]:
    check = f"{code}\nimport sys\nprint(*[n for n in {names!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.splitlines()[-1].split()) if done.stdout.strip() else set()


def test_the_help_loads_no_heavy_library():
    code = "import tuner.cli\ntry:\n    tuner.cli.main(['--help'])\nexcept SystemExit:\n    pass"
    assert loaded_after(code, FRONT_DOOR) == set()


def test_diagnosing_loads_no_training_library():
    code = "import diagnostics\ndiagnostics.diagnose, diagnostics.read, diagnostics.RULES"
    assert loaded_after(code, (*sorted(HEAVY), "scipy")) == set()


def test_the_study_loop_needs_no_torch():
    assert "torch" not in loaded_after("import tuner.study.loop", ("torch", "transformers", "trl"))

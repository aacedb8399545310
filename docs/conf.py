"""The documentation site: MyST pages, and pages generated from the rule table, ``--help`` and docstrings.

pip install -e '.[docs]' && sphinx-build -W docs docs/_build
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

import generate  # noqa: E402 (it lies beside this file, which is not a package)

project = "tuner"
author = "The tuner authors"
copyright = "The tuner authors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton", "sphinx_design"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "tuner"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
autodoc_typehints = "description"
autodoc_member_order = "bysource"
# Training libraries are not needed to read the docstrings.
autodoc_mock_imports = ["torch", "transformers", "trl", "peft", "datasets", "optuna"]
copybutton_prompt_text = "$ "
linkcheck_ignore = [r"https?://(localhost|127\.0\.0\.1).*"]


def setup(app: Any) -> dict[str, Any]:
    """Write the generated pages before Sphinx looks for sources."""
    generate.main(Path(__file__).parent / "_generated")
    return {"parallel_read_safe": True}

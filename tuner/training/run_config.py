"""The ``config.yaml`` of a run: its study file with all overrides applied, which ``tuner train`` runs again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tuner.config.overrides import COMPUTED_FROM
from tuner.config.rewards import with_whole_paths
from tuner.config.secret_keys import without_secrets
from tuner.config.sources import PACKAGED, PATHS, located
from tuner.config.study_file import StudySpec
from tuner.config.trl_schema import as_type
from tuner.config.trust import CONFIG_FILE, without_code
from tuner.config.yaml_file import read_yaml
from tuner.errors import SpecError


def rerun_config(spec: StudySpec, config: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """The content of ``config.yaml``: method first, paths that are found from ``out``, no study block, no secrets."""
    made = {"method": spec.method, **with_whole_paths(config, spec.path.parent)}
    for key in PATHS:
        made |= {key: _found_from(str(made[key]), spec.path.parent, out)} if made.get(key) else {}
    made.pop("output_dir", None)
    return dict(without_secrets(made))


def _found_from(name: str, start: Path, out: Path) -> str:
    """The name as it is where it means the same from ``out``, else the absolute path; hub ids stay as they are."""
    here = located(name, start)
    if name == PACKAGED or here is None:
        return name
    there = located(name, out)
    # The working directory may be elsewhere next time, so only a hit above the run's folder counts.
    in_parents = any((folder / name).exists() for folder in (out.resolve(), *out.resolve().parents))
    return name if in_parents and there and there.resolve() == here.resolve() else str(here.resolve())


def write_config(made: Mapping[str, Any], out: Path) -> None:
    """Write ``config.yaml`` into ``out``."""
    text = yaml.safe_dump(dict(made), sort_keys=False, allow_unicode=True)
    (out / CONFIG_FILE).write_text(text, encoding="utf-8")


def is_same(made: Mapping[str, Any], out: Path) -> bool:
    """Whether ``out`` holds a run of exactly this config."""
    try:
        return bool(without_secrets(read_yaml(out / CONFIG_FILE)) == yaml.safe_load(yaml.safe_dump(dict(made))))
    except (SpecError, yaml.YAMLError):
        return False


def own_config(path: Path) -> dict[str, Any] | None:
    """The ``config.yaml`` that a run of tuner leaves in its folder, None when there is none that can be used.

    Counts are numbers in it, also where YAML reads text (``1e2``). Lines that can run code and secrets are left out:
    the file may be anybody's, and the next run is made from it.
    """
    file = path / CONFIG_FILE
    try:
        if not (path.is_dir() and file.is_file()):
            return None
        loaded = read_yaml(file)
        counts = {key: as_type(loaded[key], int | float | None) for key in COMPUTED_FROM if key in loaded}
    except (OSError, ValueError, yaml.YAMLError):
        return None
    own = without_secrets(without_code(loaded | counts))
    return {str(key): value for key, value in own.items() if key != "study"}

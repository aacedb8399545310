"""Private names of other packages that this one builds on; each works in the version range of pyproject.toml."""

import inspect
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from tuner.config.methods import TRL_METHODS
from tuner.config.trl_schema import dataclasses_of

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"


PREPARE_NOTHING = {"orpo", "simpo", "cpo", "grpo", "rloo"}
"""Trainers that make their rows in their constructor, or while they train."""


def gone(package: str, name: str) -> str:
    """What to say when a name has vanished: the installed version and the range that is promised to work."""
    wanted = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]["train"]
    promised = next(one for one in wanted if one.startswith(package))
    return f"{package} {version(package)} has no {name} as used here; pyproject.toml promises {promised}"


@pytest.mark.parametrize("method", TRL_METHODS.values(), ids=TRL_METHODS)
def test_trl_s_parser_lists_its_actions_and_its_trainers_prepare_rows(method):
    from trl import TrlParser

    parser = TrlParser(dataclasses_of(method))
    assert any(action.dest == "lr_scheduler_type" and action.choices for action in parser._actions), gone(
        "trl", "TrlParser._actions"
    )
    prepare = getattr(method.trainer_class, "_prepare_dataset", None)
    if method.name in PREPARE_NOTHING:
        assert prepare is None, "its rows can be cached"
        return
    assert prepare is not None, gone("trl", f"{method.trainer_class.__name__}._prepare_dataset")
    assert list(inspect.signature(prepare).parameters)[1:4] == ["dataset", "processing_class", "args"], gone(
        "trl", f"{method.trainer_class.__name__}._prepare_dataset(dataset, processing_class, args)"
    )


def test_trl_s_dpo_trainer_computes_the_reference_once_per_data_set():
    precompute = getattr(TRL_METHODS["dpo"].trainer_class, "_precompute_ref_logps", None)
    assert precompute is not None, gone("trl", "DPOTrainer._precompute_ref_logps")
    assert list(inspect.signature(precompute).parameters)[1:] == ["dataset", "name", "batch_size"], gone(
        "trl", "DPOTrainer._precompute_ref_logps(dataset, name, batch_size)"
    )


def test_bitsandbytes_asks_the_processor_through_a_name_that_can_be_replaced():
    from bitsandbytes.nn import modules

    assert callable(getattr(modules, "has_avx512bf16", None)), gone("bitsandbytes", "nn.modules.has_avx512bf16")
    assert "has_avx512bf16()" in inspect.getsource(modules), gone("bitsandbytes", "a call of has_avx512bf16")

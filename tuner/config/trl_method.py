"""A training method as TRL trains it: the record whose rows stand in ``tuner.config.methods``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from types import MappingProxyType
from typing import Any

from diagnostics.model.methods import TrainingMethod
from tuner.errors import SpecError

REWARD_PART = re.compile(r"rewards/[^/]+/(mean|std)")
"""What TRL logs of each reward function, by the function's name."""
NOTHING: Mapping[str, Any] = MappingProxyType({})


class RowKind(StrEnum):
    """What a row of training data holds."""

    INSTRUCTION = "instruction"
    TEXT = "text"
    PREFERENCE = "preference"
    LABELED = "labeled"
    PROMPT = "prompt"
    CONVERSATION = "conversation"


@dataclass(frozen=True)
class Required:
    """Keys of which a file must have one, and what the first of them may hold."""

    keys: tuple[str, ...]
    holds: str


@dataclass(frozen=True)
class TrlMethod:
    """A training method as TRL trains it.

    ``config``, ``trainer`` and ``script`` are ``module:class``, imported when needed; a class that TRL offers under the
    same name at its top level is taken from there, so a trainer may leave ``trl.experimental``. ``rows`` are the kinds
    of rows that it takes, its own first; all of them become ``shape`` where it is given.

    ``metrics`` maps each curve that can be a study's metric (without ``eval_``) to the name that the trainer logs it
    under. ``metric_depends_on`` names the settings that change the meaning of a metric, so that its values cannot be
    compared across trials; ``comparable_metric`` is one that stays comparable.

    ``defaults`` replace TRL's defaults where the file is silent. ``required`` are keys that a file must have.
    ``rows_depend_on`` names settings that change the tokenized rows of this method alone. ``loads_with`` is the class
    of transformers that loads its models.
    """

    method: TrainingMethod
    config: str
    trainer: str
    rows: tuple[RowKind, ...]
    metrics: Mapping[str, str]
    metric_depends_on: Mapping[str, tuple[str, ...]]
    comparable_metric: str
    loss_types: tuple[str, ...] = ()
    script: str = "trl:ScriptArguments"
    defaults: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    required: tuple[Required, ...] = ()
    rows_depend_on: frozenset[str] = frozenset()
    shape: RowKind | None = None
    loads_with: str = "AutoModelForCausalLM"

    @property
    def name(self) -> str:
        """The method's name in a study file."""
        return self.method.name

    @property
    def config_class(self) -> Any:
        """TRL's config dataclass of the method."""
        return _named(self.config)

    @property
    def trainer_class(self) -> Any:
        """TRL's trainer of the method."""
        return _named(self.trainer)

    @property
    def script_class(self) -> Any:
        """TRL's dataclass of the arguments of the method's script."""
        return _named(self.script)

    @property
    def writes_answers(self) -> bool:
        """Whether the model writes answers while it trains, and reward functions score them in groups."""
        return not self.method.loss_is_objective

    def logs(self, plain: str) -> bool:
        """Whether its evaluations log a metric of that name (without ``eval_``)."""
        return plain in self.metrics or bool(self.writes_answers and REWARD_PART.fullmatch(plain))

    def trainer_name(self, metric: str) -> str:
        """The trainer's name of a metric at its evaluations; of the method's own metric where those do not log it."""
        plain = metric.removeprefix("eval_")
        logged = metric.startswith("eval_") and self.logs(plain) and plain != "exact_match"
        return f"eval_{self.metrics.get(plain, plain)}" if logged else self.method.metric


def _named(path: str) -> Any:
    """The class ``module:class``, from TRL's top level where that has it; raises ``SpecError`` when TRL has neither."""
    import trl

    module, _, name = path.partition(":")
    try:
        return getattr(trl, name, None) or getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise SpecError(
            f"TRL {trl.__version__} has no {name} that can be imported ({error}); install a version that has it"
        ) from error

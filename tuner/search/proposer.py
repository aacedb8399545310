"""Who proposed the settings of a trial, and the text that stands for it in storage and in study.json."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from diagnostics.model.records import current_rule_name


class ProposerKind(StrEnum):
    """What proposed a trial: the user's file, a rule's advice, the model of the run, a sampler, or a repeat.

    ``TRUST_REGION`` stands in studies of earlier versions; ``OTHER`` is one that this version does not know.
    """

    FILE = "file"
    ADVICE = "advice"
    TRUST_REGION = "trust-region"
    RUN_MODEL = "run-model"
    SAMPLER = "sampler"
    ANOTHER_SEED = "another-seed"
    OTHER = "other"


@dataclass(frozen=True)
class Proposer:
    """Who proposed a trial; ``name`` is the rule of an advice, the class of a sampler, or the text of another one."""

    kind: ProposerKind
    name: str = ""

    @property
    def detail(self) -> str:
        """Which advice or which sampler it is; empty where the kind says all."""
        if self.kind is ProposerKind.TRUST_REGION:
            return str(self.kind)
        return "" if self.kind is ProposerKind.OTHER else self.name

    @property
    def follows_rule(self) -> bool:
        """Whether the trial follows the advice of a rule."""
        return self.kind is ProposerKind.ADVICE

    def __str__(self) -> str:
        """``file``, ``advice:<rule>``, ``sampler:<class>``, ``sampler:run-model`` or ``sampler:another-seed``."""
        match self.kind:
            case ProposerKind.TRUST_REGION | ProposerKind.RUN_MODEL | ProposerKind.ANOTHER_SEED:
                return f"{ProposerKind.SAMPLER}:{self.kind}"
            case ProposerKind.OTHER:
                return self.name
            case _:
                return f"{self.kind}:{self.name}" if self.name else str(self.kind)

    @classmethod
    def from_text(cls, text: str) -> Proposer:
        """The proposer that ``str`` wrote, of this version or an earlier one; any other text is kept as it is."""
        kind, _, name = text.partition(":")
        match kind:
            case "file":
                return FILE
            case "advice":
                return advice_of(current_rule_name(name))
            case "sampler":
                return cls(ProposerKind(name)) if name in SEARCH_MOVES else cls(ProposerKind.SAMPLER, name)
            case _:
                return cls(ProposerKind.OTHER, text)


SEARCH_MOVES = frozenset({ProposerKind.TRUST_REGION, ProposerKind.RUN_MODEL, ProposerKind.ANOTHER_SEED})
UNKNOWN_SAMPLER = Proposer(ProposerKind.SAMPLER)
FILE = Proposer(ProposerKind.FILE)
RUN_MODEL = Proposer(ProposerKind.RUN_MODEL)
ANOTHER_SEED = Proposer(ProposerKind.ANOTHER_SEED)


def advice_of(rule: str) -> Proposer:
    """The advice of a rule."""
    return Proposer(ProposerKind.ADVICE, rule)

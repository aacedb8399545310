"""The tokenizer of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tuner.config.trust import TRUST
from tuner.errors import SpecError, error_text
from tuner.training.refusals import refusal

PLAIN_TEMPLATE = (
    "{%- if bos_token %}{{ bos_token }}{%- endif %}"
    "{%- for message in messages %}"
    "{%- if message['role'] == 'assistant' %}"
    "{{- '### Response:\n' }}{% generation %}{{- message['content'] + eos_token }}{% endgeneration %}{{- '\n' }}"
    "{%- elif message['role'] == 'system' %}{{- message['content'] + '\n\n' }}"
    "{%- else %}{{- '### Instruction:\n' + message['content'] + '\n\n' }}"
    "{%- endif %}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '### Response:\n' }}{%- endif %}"
)
"""The template of a base model that has none: Alpaca's headings, so that instructions can be learned at all."""


def load_tokenizer(name: str, revision: str, training: Any, where: Path, *, images: bool = False) -> Any:
    """The model's tokenizer, with a plain chat template when it has none and the file names none.

    For rows with ``images`` it is the model's processor, which holds the tokenizer.
    """
    from transformers import AutoProcessor, AutoTokenizer

    kind = AutoProcessor if images else AutoTokenizer
    try:
        tokenizer = kind.from_pretrained(name, revision=revision, trust_remote_code=training.trust_remote_code)
    except (OSError, ValueError) as error:
        if TRUST in str(error):
            raise SpecError(f"{where}: model_name_or_path: {name}: {refusal(error)}") from error
        if Path(name).is_dir():
            raise SpecError(
                f"{where}: model_name_or_path: the folder {name} contains no loadable tokenizer; put the "
                f"tokenizer's files beside the model's ({error_text(error, 160)})"
            ) from error
        raise SpecError(
            f"{where}: model_name_or_path: cannot load {name}: no such folder, and loading it from the hub failed "
            f"({error_text(error, 160)})"
        ) from error
    if not tokenizer.chat_template and not getattr(training, "chat_template_path", None):
        tokenizer.chat_template = PLAIN_TEMPLATE
    return tokenizer

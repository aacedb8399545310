"""Chat templates for Ollama: read off Jinja, and given up where they cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from tuner.assets import TINY
from tuner.export.go_template import pieces_of
from tuner.training.tokenizer import PLAIN_TEMPLATE

LOOP = "{%- for m in messages %}{{- '<' + m.role + '>' + m.content + '</' + m.role + '>' }}{%- endfor %}"
START = "{%- if add_generation_prompt %}{{- '<assistant>' }}{%- endif %}"
OWN_SYSTEM = "{%- if messages[0].role != 'system' %}{{- '<system>Be kind.</system>' }}{%- endif %}" + LOOP + START
NO_SYSTEM = "{%- if messages[0].role == 'system' %}{{ raise_exception('no') }}{%- endif %}" + LOOP + START
WITHIN = (
    "{%- for m in messages %}{%- if m.role == 'user' %}{{- '[' + (messages[0].content if loop.index0 == 1 else '') }}"
    "{{- m.content + ']' }}{%- elif m.role == 'assistant' %}{{- m.content }}{%- endif %}{%- endfor %}"
)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(TINY)


@pytest.mark.parametrize("template", [None, PLAIN_TEMPLATE, LOOP + START, OWN_SYSTEM, NO_SYSTEM])
def test_a_conversation_reads_the_same_in_both_languages(tokenizer: Any, template: str | None):
    tokenizer.chat_template = template or tokenizer.chat_template
    pieces = pieces_of(tokenizer)
    assert pieces is not None
    talk = [("user", "How?"), ("assistant", "So."), ("user", "Why?"), ("assistant", "Thus."), ("user", "Oh?")]
    for turns in (talk, [("system", "Be short."), *talk] if pieces.system is not None else talk):
        said = [{"role": role, "content": text} for role, text in turns]
        assert pieces.rendered(turns) == tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
    assert (pieces.system is None) == (template == NO_SYSTEM)


def test_a_system_message_of_the_templates_own_stands_where_none_is_given(tokenizer: Any):
    tokenizer.chat_template = OWN_SYSTEM
    pieces = pieces_of(tokenizer)
    assert pieces is not None and pieces.as_go() == (
        "{{ if .System }}<system>{{ .System }}</system>{{ else }}<system>Be kind.</system>{{ end }}"
        '{{ range .Messages }}{{ if eq .Role "user" }}<user>{{ .Content }}</user>'
        '{{ else if eq .Role "assistant" }}<assistant>{{ .Content }}</assistant>{{ end }}{{ end }}<assistant>'
    )


@pytest.mark.parametrize(
    "template", [WITHIN, LOOP + "{{ '{{ .System }}' }}" + START, LOOP + '{{ \'"""\' }}' + START, ""]
)
def test_a_template_that_is_not_made_of_pieces_is_given_up(tokenizer: Any, template: str):
    tokenizer.chat_template = template or "{{ raise_exception('no') }}"
    assert pieces_of(tokenizer) is None

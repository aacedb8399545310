"""The check of lengths: what the length cap cuts, and whether an answer is left to learn from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tuner.config.overrides import setting_value
from tuner.config.sources import located
from tuner.config.study_spec import StudySpec
from tuner.config.trust import TRUST
from tuner.errors import error_text
from tuner.study.checks.record import Check, failed, passed, skipped, warned
from tuner.training.tokenizer import PLAIN_TEMPLATE

MOST_ROWS = 2000
"""Rows that are counted, from the first on: a share is known to within two hundredths."""
Row = Mapping[str, Any]


def checks_of_lengths(spec: StudySpec, rows: Sequence[Row], trusted: bool = False) -> Iterator[Check]:
    """How many rows to train on the length cap cuts, and how many lose their whole answer by it.

    Rows are counted as the chat template of the model's tokenizer writes them; another trainer may use its own. Its
    model must lie on this machine: nothing is fetched for it.
    """
    limit = length_cap(spec)
    if limit is None:
        yield skipped("check-no-limit")
        return
    try:
        tokenizer = _tokenizer(spec, trusted)
        sizes = [_sizes(row, tokenizer) for row in rows[:MOST_ROWS]]
    except Exception as error:  # tokenizers and templates raise anything
        yield skipped("check-no-tokenizer", why=error_text(error, 120))
        return
    yield from _counted([one for one in sizes if one is not None], limit)


def length_cap(spec: StudySpec) -> int | None:
    """The tokens that a row may have; None where nobody knows, or where long rows are split into several."""
    if spec.config.get("packing"):
        return None
    if "max_length" in spec.config or spec.driver is not None:
        limit = spec.config.get("max_length")
    else:
        limit = setting_value(spec.config, spec.method, "max_length")
    return limit if isinstance(limit, int) and limit > 0 else None


def _tokenizer(spec: StudySpec, trusted: bool) -> Any:
    from transformers import AutoTokenizer

    name = str(spec.config.get("model_name_or_path"))
    found = located(name, spec.path.parent)
    if spec.driver is not None and found is None:
        raise FileNotFoundError(f"{name} is no folder on this machine")
    trusts = trusted or (spec.driver is None and bool(spec.config.get(TRUST)))
    return AutoTokenizer.from_pretrained(str(found or name), trust_remote_code=trusts)


def _counted(sizes: Sequence[tuple[int, int]], limit: int) -> Iterator[Check]:
    if not sizes:
        yield skipped("check-no-answers")
        return
    cut, lost = sum(whole > limit for _, whole in sizes), sum(start >= limit for start, _ in sizes)
    values = {"limit": limit, "rows": len(sizes), "longest": max(whole for _, whole in sizes)}
    yield warned("check-cut", cut=cut, share=cut / len(sizes), **values) if cut else passed("check-lengths", **values)
    if lost:
        yield (failed if lost == len(sizes) else warned)("check-answers-lost", lost=lost, **values)


def _sizes(row: Row, tokenizer: Any) -> tuple[int, int] | None:
    """The tokens of a row before its answer, and all of them; None for a row without an answer."""
    text = row.get("text")
    if isinstance(text, str):
        return 0, len(tokenizer(text)["input_ids"])
    turns = row.get("messages")
    if turns:
        last = max((place for place, turn in enumerate(turns) if turn["role"] == "assistant"), default=0)
        return (_tokens(tokenizer, turns[:last], True), _tokens(tokenizer, turns, False)) if last else None
    prompt, answer = row.get("prompt"), row.get("completion", row.get("chosen"))
    if prompt is None or answer is None:
        return None
    if isinstance(prompt, str) or isinstance(answer, str):
        return len(tokenizer(str(prompt))["input_ids"]), len(tokenizer(f"{prompt}{answer}")["input_ids"])
    return _tokens(tokenizer, prompt, True), _tokens(tokenizer, [*prompt, *answer], False)


def _tokens(tokenizer: Any, turns: Sequence[Any], start: bool) -> int:
    template = tokenizer.chat_template or PLAIN_TEMPLATE
    text = tokenizer.apply_chat_template(turns, chat_template=template, tokenize=False, add_generation_prompt=start)
    return len(tokenizer(text, add_special_tokens=False)["input_ids"])

"""A chat template as Ollama has it: Go's template language in place of Jinja."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Turns = Sequence[tuple[str, str]]
SYSTEM, FIRST, REPLY, SECOND = "QsystemQ", "QfirstQ", "QreplyQ", "QsecondQ"
"""Texts of a made-up conversation that no template holds."""


@dataclass(frozen=True)
class Pieces:
    """What a template puts around the turns of a conversation.

    ``system`` goes around a system message (None: the template takes none), ``head`` stands first without one. ``user``
    and ``assistant`` go around a turn, ``start`` is what the assistant's next answer follows.
    """

    head: str
    system: tuple[str, str] | None
    user: tuple[str, str]
    assistant: tuple[str, str]
    start: str

    def rendered(self, turns: Turns) -> str:
        """A conversation in these pieces, up to the next answer."""
        turns = list(turns)
        first = turns.pop(0)[1] if turns[0][0] == "system" else None
        made = self.head if first is None or self.system is None else first.join(self.system)
        return made + "".join(text.join(getattr(self, role)) for role, text in turns) + self.start

    def as_go(self) -> str:
        """The same as a template for Ollama."""
        head = self.head
        if self.system is not None:
            instead = f"{{{{ else }}}}{head}" if head else ""
            head = f"{{{{ if .System }}}}{'{{ .System }}'.join(self.system)}{instead}{{{{ end }}}}"
        user, assistant = ("{{ .Content }}".join(around) for around in (self.user, self.assistant))
        roles = f'{{{{ if eq .Role "user" }}}}{user}{{{{ else if eq .Role "assistant" }}}}{assistant}{{{{ end }}}}'
        return f"{head}{{{{ range .Messages }}}}{roles}{{{{ end }}}}{self.start}"


def pieces_of(tokenizer: Any) -> Pieces | None:
    """The pieces of a tokenizer's chat template; None where it is not made of such, or a file cannot hold them.

    They are read off conversations that the template renders, and hold only where they give the same text again for
    one turn and for several, with a system message and without.
    """
    try:
        found = _read_off(tokenizer)
        talks = [[("user", FIRST)], [("user", FIRST), ("assistant", REPLY), ("user", SECOND)]]
        talks += [[("system", SYSTEM), *talk] for talk in talks] if found.system is not None else []
        whole = all(found.rendered(talk) == _rendered(tokenizer, talk) for talk in talks)
    except Exception:  # a template may refuse a role, and raises anything where it does
        return None
    if not whole or any(sign in text for text in _texts(found) for sign in ("{{", "}}", '"""')):
        return None
    return _without_first_token(found, tokenizer)


def _read_off(tokenizer: Any) -> Pieces:
    one = _rendered(tokenizer, [("user", FIRST)])
    before, after = _halves(one, FIRST)
    closed = _halves(_rendered(tokenizer, [("user", FIRST)], start=False), FIRST)[1]
    start = after.removeprefix(closed)
    talk = _rendered(tokenizer, [("user", FIRST), ("assistant", REPLY), ("user", SECOND)], start=False)
    between, rest = _halves(_halves(talk, FIRST)[1], REPLY)
    last = _halves(_rendered(tokenizer, [("user", FIRST), ("assistant", REPLY)], start=False), REPLY)[1]
    opens = _halves(rest, SECOND)[0].removeprefix(last)
    user, assistant = (opens, closed), (between.removeprefix(closed), last)
    return Pieces(before.removesuffix(opens), _system(tokenizer, opens), user, assistant, start)


def _system(tokenizer: Any, opens: str) -> tuple[str, str] | None:
    try:
        before, after = _halves(_rendered(tokenizer, [("system", SYSTEM), ("user", FIRST)], start=False), SYSTEM)
    except Exception:  # the template has no place for it
        return None
    return before, _halves(after, FIRST)[0].removesuffix(opens)


def _rendered(tokenizer: Any, turns: Turns, start: bool = True) -> str:
    said = [{"role": role, "content": text} for role, text in turns]
    return str(tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=start))


def _halves(text: str, mark: str) -> tuple[str, str]:
    before, found, after = text.partition(mark)
    if not found:
        raise ValueError(mark)
    return before, after


def _texts(found: Pieces) -> tuple[str, ...]:
    return (found.head, *(found.system or ()), *found.user, *found.assistant, found.start)


def _without_first_token(found: Pieces, tokenizer: Any) -> Pieces:
    """The pieces without the token for the beginning of a text, where llama.cpp puts it there as the tokenizer does."""
    token = tokenizer.bos_token
    if not token or tokenizer("a")["input_ids"][:1] != [tokenizer.bos_token_id]:
        return found
    system = (found.system[0].removeprefix(token), found.system[1]) if found.system is not None else None
    return Pieces(found.head.removeprefix(token), system, found.user, found.assistant, found.start)

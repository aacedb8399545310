"""Signals that several rules need are computed once in a diagnosis; nothing is kept when it is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

PLAIN = frozenset((int, float, bool, str, type(None)))
"""What is compared by its value; all else by identity."""

_known: ContextVar[dict[Any, Any] | None] = ContextVar("known", default=None)


@contextmanager
def memo_scope() -> Iterator[None]:
    """While it is open, a memoized function is computed once for the same arrays, records, numbers and texts.

    Arrays and records are compared by identity, not by what they hold: they must not change meanwhile.
    """
    token = _known.set({})
    try:
        yield
    finally:
        _known.reset(token)


def memoize(function: Callable[P, T]) -> Callable[P, T]:
    """The function, with its result looked up when it was called with the same arguments in the same ``memo_scope``."""

    @wraps(function)
    def memoized(*args: P.args, **kwargs: P.kwargs) -> T:
        known = _known.get()
        if known is None:
            return function(*args, **kwargs)
        if len(args) == 1 and not kwargs:  # most signals are of one series
            key: tuple[object, ...] = (function, args[0] if type(args[0]) in PLAIN else id(args[0]))
        else:
            given = (*args, *kwargs, *kwargs.values())
            key = (function, *[one if type(one) in PLAIN else id(one) for one in given])
        found = known.get(key)
        if found is None:
            # The arguments are kept with the result: no other array can get the id of one of them meanwhile.
            found = known[key] = (function(*args, **kwargs), args, kwargs)
        result: T = found[0]
        return result

    return memoized

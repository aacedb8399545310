"""Signals that several rules need are computed once in a diagnosis; nothing is kept when it is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
T = TypeVar("T")

_known: ContextVar[dict[Any, Any] | None] = ContextVar("known", default=None)


@contextmanager
def memo_scope() -> Iterator[None]:
    """While it is open, a memoized function is computed once for the same arrays, curves and numbers.

    Arrays and curves are compared by identity, not by what they hold: they must not change meanwhile.
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
        key = (memoized, *kwargs, *map(_identity, (*args, *kwargs.values())))
        if key not in known:
            # The arguments are kept with the result: no other array can get the id of one of them meanwhile.
            known[key] = (function(*args, **kwargs), args, kwargs)
        return known[key][0]  # type: ignore[no-any-return]

    return memoized


def _identity(argument: object) -> object:
    """The key of an argument: an array's identity, and anything else itself."""
    return id(argument) if isinstance(argument, np.ndarray) else argument

"""Signals that several rules ask for are computed once in a diagnosis; nothing is kept when it is over."""

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
    """A stretch in which each remembered function is computed once for the same arrays, curves and numbers.

    Arrays and curves are told apart by which they are, not by what they hold: they must not change meanwhile.
    """
    token = _known.set({})
    try:
        yield
    finally:
        _known.reset(token)


def memoize(function: Callable[P, T]) -> Callable[P, T]:
    """The function, its answer looked up where it was asked the same before inside the same ``remembering``."""

    @wraps(function)
    def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        known = _known.get()
        if known is None:
            return function(*args, **kwargs)
        key = (asked, *kwargs, *map(_identity, (*args, *kwargs.values())))
        if key not in known:
            # The arguments are kept with the answer, so that no other array can get the id of one of them.
            known[key] = (function(*args, **kwargs), args, kwargs)
        return known[key][0]  # type: ignore[no-any-return]

    return asked


def _identity(argument: object) -> object:
    """What an argument is known by: an array by which one it is, all else by itself."""
    return id(argument) if isinstance(argument, np.ndarray) else argument

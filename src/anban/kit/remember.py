"""Remembering reference data for the length of a batch: what a thousand rows ask in the same words is read once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_memory: ContextVar[dict[Any, Any] | None] = ContextVar("remembered", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """This function will open a memory for one batch; inside another one it goes on with that.

    Whoever opens it promises that the reference data (bodies, posts, duties, catalog, calendars, settings) stay as they are
    until it closes. Nothing is remembered outside.
    """
    if _memory.get() is not None:
        yield
        return
    token = _memory.set({})
    try:
        yield
    finally:
        _memory.reset(token)


def is_remembering() -> bool:
    """This function will say whether a memory is open, so that a caller may read a whole table once instead of a part often."""
    return _memory.get() is not None


def remember(function: Callable[..., R], value: R, *args: Any) -> None:
    """This function will put an answer into the open memory that a query of many has found; without one it does nothing."""
    memory = _memory.get()
    if memory is not None:
        memory[getattr(function, "__wrapped__", function), args, ()] = value


def remembered(function: Callable[P, R]) -> Callable[P, R]:
    """This function will let a query of reference data be answered from the open memory; its arguments must be hashable."""

    @wraps(function)
    def asked(*args: P.args, **kwargs: P.kwargs) -> R:
        memory = _memory.get()
        if memory is None:
            return function(*args, **kwargs)
        key = (function, args, tuple(sorted(kwargs.items())))
        if key not in memory:
            memory[key] = function(*args, **kwargs)
        known: R = memory[key]
        return known

    return asked

"""Letting the garbage collector look seldom while a batch holds on to much that is no garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

NEW_OBJECTS = 100_000
YOUNG_ROUNDS = 20
MIDDLE_ROUNDS = 100

_lock = Lock()
_inside: list[tuple[int, int, int]] = []
"""The collector's settings that each batch under way found, the first one's at the bottom: batches of other threads may overlap."""


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """This function will let the collector look at what is new only now and then, and never again at what was there before.

    A batch keeps rows until its transaction ends; looking through them at every 700 new objects costs an eighth of its time.
    """
    with _lock:
        _inside.append(gc.get_threshold())
        if len(_inside) == 1:
            gc.freeze()
            gc.set_threshold(NEW_OBJECTS, YOUNG_ROUNDS, MIDDLE_ROUNDS)
    try:
        yield
    finally:
        with _lock:
            former = _inside.pop()
            if not _inside:
                gc.set_threshold(*former)
                gc.unfreeze()

"""A committed world that all tests of one module share: built once, emptied when the module is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command


@contextmanager
def kept_world(blocker: Any) -> Iterator[None]:
    """Let a module's tests read (and add to) what is committed inside; for worlds that take seconds to build.

    Used in a fixture of module scope: ``with kept_world(django_db_blocker): yield build()``.
    """
    with blocker.unblock():
        try:
            yield
        finally:
            call_command("flush", verbosity=0, interactive=False, reset_sequences=False)

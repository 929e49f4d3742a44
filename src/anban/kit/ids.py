"""Identifiers: time-ordered ones for new things, derived ones for things that already have a natural key."""

import uuid
from functools import cache

from uuid_utils import compat

# One fixed root for every derived identifier of the product; changing it would change them all.
_ROOT = uuid.UUID("0e0d5a8e-6f0b-5c3e-9b57-2f6a5b0c7a11")


def new_id() -> uuid.UUID:
    """This function will make a new UUIDv7, whose order is the order of making to the millisecond."""
    return compat.uuid7()


@cache
def _namespace(name: str) -> uuid.UUID:
    return uuid.uuid5(_ROOT, name)


def id_from(namespace: str, *parts: str) -> uuid.UUID:
    """This function will derive the UUIDv5 that belongs to a natural key.

    The parts are length-prefixed, so ``("ab", "c")`` and ``("a", "bc")`` never meet.

    Raises: ValueError when no part is given, because a key of nothing would be shared by everything.
    """
    if not parts:
        raise ValueError("a natural key needs at least one part")
    return uuid.uuid5(_namespace(namespace), "".join(f"{len(part)}:{part}" for part in parts))

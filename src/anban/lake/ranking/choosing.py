"""The list for one night: the highest index first, and a share of places drawn by lot, without which the order would feed on itself."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import date

import numpy as np

from anban.lake.ranking.history import Floats


@dataclass(frozen=True, slots=True)
class Choice:
    """One place on the list and why it is there: ``index`` or ``lot``."""

    place_id: str
    why: str


def choose(
    place_ids: tuple[str, ...], index: Floats, *, capacity: int, lot_share: float = 0.1, seed: str, on: date
) -> tuple[Choice, ...]:
    """Return ``capacity`` different places: those with the highest index, and a share (rounded up) drawn by lot from all others.

    The lot is the order of SHA-256 over seed, day and id: whoever knows the seed can draw again and check it.

    Raises: ValueError for a capacity below zero or a share outside 0 to 1.
    """
    if capacity < 0 or not 0.0 <= lot_share <= 1.0:
        raise ValueError("capacity must not be negative and lot_share must lie between 0 and 1")
    capacity = min(capacity, len(place_ids))
    by_lot = min(math.ceil(capacity * lot_share - 1e-9), capacity)
    ranked = np.argsort(-index, kind="stable")
    first = [place_ids[each] for each in ranked[: capacity - by_lot]]
    taken = set(first)

    def lot(place_id: str) -> bytes:
        return hashlib.sha256(f"{seed}|{on.isoformat()}|{place_id}".encode()).digest()

    drawn = sorted((each for each in place_ids if each not in taken), key=lot)[:by_lot]
    return (*(Choice(each, "index") for each in first), *(Choice(each, "lot") for each in drawn))

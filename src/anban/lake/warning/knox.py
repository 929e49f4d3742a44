"""Close in space and time (Knox 检验): are events near each other also nearer in time than chance makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import numpy.typing as npt

RUNS = 999
EXACT_UP_TO = 7
"""Up to so many events all orders are tried (5,040 at seven); beyond, a sample of them."""
MOST_EVENTS = 5_000
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Closeness:
    """Pairs close in both, in space, in time; how many would be close in both by chance, and the chance of so many."""

    both: int
    in_space: int
    in_time: int
    pairs: int
    expected: float
    p: float
    exact: bool


def knox(
    x_km: Sequence[float], y_km: Sequence[float], day: Sequence[float], *, near_km: float, near_days: float, seed: int, runs: int = RUNS
) -> Closeness:  # fmt: skip
    """This function will count close pairs and compare with the same places at shuffled times."""
    x, y, t = (np.asarray(each, dtype=float) for each in (x_km, y_km, day))
    if not len(x) == len(y) == len(t):
        raise ValueError("places and days must be as many")
    n = len(t)
    if n > MOST_EVENTS:
        raise ValueError(f"at most {MOST_EVENTS} events")
    first, second = np.triu_indices(n, 1)
    near = np.hypot(x[first] - x[second], y[first] - y[second]) <= near_km
    soon = np.abs(t[first] - t[second]) <= near_days
    both, in_space, in_time, pairs = int((near & soon).sum()), int(near.sum()), int(soon.sum()), len(first)
    expected = in_space * in_time / pairs if pairs else 0.0
    # Only pairs close in space can be close in both: the shuffles look at no others.
    a, b = first[near], second[near]
    if n <= EXACT_UP_TO:
        counts = [
            int((np.abs(t[order][a] - t[order][b]) <= near_days).sum()) for order in map(list, permutations(range(n)))
        ]
        p = sum(each >= both for each in counts) / len(counts)
        return Closeness(both, in_space, in_time, pairs, expected, p, exact=True)
    rng = np.random.default_rng(seed)
    reached = 0
    for _ in range(runs):
        shuffled = rng.permutation(t)
        reached += int((np.abs(shuffled[a] - shuffled[b]) <= near_days).sum()) >= both
    return Closeness(both, in_space, in_time, pairs, expected, (1 + reached) / (1 + runs), exact=False)


def plane_km(lng: Sequence[float], lat: Sequence[float]) -> tuple[Floats, Floats]:
    """This function will lay positions of one city out in kilometres from their middle (error below 0.1 % within 100 km)."""
    longitude, latitude = np.asarray(lng, dtype=float), np.asarray(lat, dtype=float)
    if not longitude.size:
        return longitude, latitude
    middle = float(latitude.mean())
    degree = np.pi * 6371.0088 / 180
    return (longitude - longitude.mean()) * degree * np.cos(np.radians(middle)), (latitude - middle) * degree

"""Space-time clusters (Kulldorff 扫描): neighbouring areas that have had more of late than they should."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RUNS = 999
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cluster:
    """The likeliest cluster: areas by index, the number of latest periods, seen and expected, its ratio and its chance."""

    areas: tuple[int, ...]
    periods: int
    seen: int
    expected: float
    llr: float
    p: float


def llr(seen: Floats | float, expected: Floats | float, total: float) -> Floats:
    """This function will give the log likelihood ratio of a cylinder with more than expected, 0 where there is not more.

    Source: Kulldorff 1997, c·ln(c/E) + (C−c)·ln((C−c)/(C−E)).
    """
    c, e = np.asarray(seen, dtype=float), np.asarray(expected, dtype=float)
    rest, rest_expected = total - c, total - e
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where(c > 0, c * np.log(c / e), 0.0)
        outside = np.where(rest > 0, rest * np.log(rest / rest_expected), 0.0)
    return np.where((c > e) & (e > 0), inside + outside, 0.0)


def scan(
    counts: Sequence[Sequence[int]] | npt.NDArray[np.int64],
    expected: Sequence[Sequence[float]] | Floats,
    x_km: Sequence[float],
    y_km: Sequence[float],
    *,
    seed: int,
    most_periods: int = 8,
    most_share: float = 0.5,
    runs: int = RUNS,
) -> Cluster | None:
    """This function will find the likeliest cluster that is still going on, and the chance of one as likely anywhere.

    `counts` and `expected` are periods × areas, the latest period last; `expected` need only be in proportion. A cylinder
    is an area with its nearest neighbours (up to `most_share` of what is expected) over the latest 1 … `most_periods`
    periods. The chance is by Monte Carlo: the same total thrown again in proportion to the expected.
    Returns None where there are no events.
    """
    seen, base = np.asarray(counts, dtype=np.int64), np.asarray(expected, dtype=float)
    if seen.shape != base.shape or seen.ndim != 2 or seen.shape[1] != len(x_km) or len(x_km) != len(y_km):
        raise ValueError("counts and expected must be periods × areas, with a place for each area")
    if (base < 0).any() or base.sum() <= 0 or (seen < 0).any():
        raise ValueError("counts and expected can't be negative, and something must be expected")
    if ((base == 0) & (seen > 0)).any():
        raise ValueError("an event where none was expected: give every such area some expectation")
    total = int(seen.sum())
    if not total:
        return None
    base = base * (total / base.sum())
    cylinders = _Cylinders(base, np.asarray(x_km, dtype=float), np.asarray(y_km, dtype=float), most_periods, most_share)
    ratios = cylinders.ratios(seen, total)
    window, center, reach = np.unravel_index(int(np.argmax(ratios)), ratios.shape)
    best = float(ratios[window, center, reach])
    rng = np.random.default_rng(seed)
    chances = (base / total).ravel()
    reached = sum(
        float(cylinders.ratios(rng.multinomial(total, chances).reshape(base.shape), total).max()) >= best - 1e-9
        for _ in range(runs)
    )
    areas = tuple(int(each) for each in cylinders.order[center, : reach + 1])
    latest = int(window) + 1
    return Cluster(
        tuple(sorted(areas)), latest, int(seen[-latest:, list(areas)].sum()), float(cylinders.expected[window, center, reach]),
        best, (1 + reached) / (1 + runs),
    )  # fmt: skip


class _Cylinders:
    """All cylinders of a map: latest periods × centers × nearest neighbours, with what is expected in each."""

    def __init__(self, base: Floats, x: Floats, y: Floats, most_periods: int, most_share: float) -> None:
        distance = np.hypot(x[:, None] - x[None, :], y[:, None] - y[None, :])
        self.order = np.argsort(distance, axis=1, kind="stable")
        self.periods = min(most_periods, base.shape[0])
        self.expected = self._summed(base)
        whole = base.sum(axis=0)
        share = np.cumsum(whole[self.order], axis=1) / whole.sum()
        # An area by itself is always looked at, whatever its share; a cylinder that expects nothing never is.
        self.allowed = (share <= most_share) | (np.arange(len(x))[None, :] == 0)
        self.depth = int(self.allowed.any(axis=0).sum())
        self.order, self.allowed = self.order[:, : self.depth], self.allowed[:, : self.depth]
        self.expected = self.expected[:, :, : self.depth]

    def _summed(self, values: npt.NDArray[np.generic]) -> Floats:
        latest = np.cumsum(values[::-1][: self.periods], axis=0, dtype=float)
        return np.asarray(np.cumsum(latest[:, self.order], axis=2))

    def ratios(self, seen: npt.NDArray[np.int64], total: int) -> Floats:
        return np.where(self.allowed[None], llr(self._summed(seen), self.expected, total), 0.0)

"""Scan windows (扫描窗口): the densest stretch of days of a period, and how easily chance alone makes one as dense."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from anban.rules.statistics.numbers import arithmetic
from anban.rules.statistics.scan_cluster import at_least, none_anywhere

RUNS = 999


@dataclass(frozen=True, slots=True)
class Densest:
    """The densest window of a period: how many from when to when (both included), and its chances.

    `p_here` is the chance in a window named beforehand, `p_anywhere` that in some window of the period; with `by_rate`
    against a usual rate, else against the same events spread evenly over the period (then `p_here` is None).
    """

    count: int
    from_on: date
    until_on: date
    window_days: int
    p_here: float | None
    p_anywhere: float
    by_rate: bool


def densest(days: Sequence[date], first: date, last: date, window_days: int) -> tuple[int, date]:
    """This function will find the window of so many days with the most events: the count, and the day it begins."""
    ordered = sorted(days)
    best, begins = 0, first
    start = 0
    for end, day in enumerate(ordered):
        while (day - ordered[start]).days >= window_days:
            start += 1
        if end - start + 1 > best:
            best, begins = end - start + 1, ordered[start]
    return best, min(begins, max(first, last - timedelta(days=window_days - 1)))


def against_rate(days: Sequence[date], first: date, last: date, window_days: int, expected: float) -> Densest:
    """This function will weigh the densest window against a usual number of events in the whole period (Naus 1982).

    The chance counts windows that begin at any moment; days are coarser, so that it is on the safe side.
    """
    length = (last - first).days + 1
    _check(days, first, last, window_days, length)
    if expected <= 0:
        raise ValueError("the usual number must be greater than zero")
    count, begins = densest(days, first, last, window_days)
    mp = arithmetic()
    mean = mp.mpf(expected) * window_days / length
    here = at_least(mp, count, mean)
    windows = mp.mpf(length) / window_days
    anywhere = max(here, 1 - none_anywhere(mp, count, mean, windows)) if count else mp.one
    until = begins + timedelta(days=window_days - 1)
    return Densest(count, begins, until, window_days, float(here), min(1.0, float(anywhere)), by_rate=True)


def against_even(
    days: Sequence[date], first: date, last: date, window_days: int, *, seed: int, runs: int = RUNS
) -> Densest:
    """This function will weigh the densest window against the same number of events spread evenly (Monte Carlo).

    It needs no usual rate; the chance of a finding in a calm period is exactly bounded. Seasons count as clusters.
    """
    length = (last - first).days + 1
    _check(days, first, last, window_days, length)
    count, begins = densest(days, first, last, window_days)
    until = begins + timedelta(days=window_days - 1)
    simulated = _densest_counts(seed, len(days), length, window_days, runs)
    p = (1 + int((simulated >= count).sum())) / (1 + runs)
    return Densest(count, begins, until, window_days, None, p, by_rate=False)


def _check(days: Sequence[date], first: date, last: date, window_days: int, length: int) -> None:
    if not 1 <= window_days <= length:
        raise ValueError("the window must be at least one day and fit into the period")
    if any(not first <= day <= last for day in days):
        raise ValueError("a day lies outside the period")


@lru_cache(512)
def _densest_counts(seed: int, events: int, length: int, window_days: int, runs: int) -> npt.NDArray[np.int64]:
    """The densest window of each of many periods with the events spread evenly: the same for every stream of so many."""
    rng = np.random.default_rng((seed, events))
    if not events:
        return np.zeros(runs, dtype=np.int64)
    # Day 0 stays empty, so that a window's count is a difference of two running totals.
    drawn = rng.integers(1, length + 1, (runs, events)) + np.arange(runs)[:, None] * (length + 1)
    per_day = np.bincount(drawn.ravel(), minlength=runs * (length + 1)).reshape(runs, length + 1)
    total = per_day.cumsum(axis=1)
    return np.asarray((total[:, window_days:] - total[:, :-window_days]).max(axis=1))

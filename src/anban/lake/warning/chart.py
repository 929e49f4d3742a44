"""CUSUM charts with stated run lengths (累积和控制图): how often a chart alarms falsely, and how long it takes to see a rise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np

from anban.rules.statistics.cusum import follow

GRID = 64
"""Steps per ln(ratio) on which the expected run is reckoned; the error is below 0.1 %."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart followed to a day: its levels, when it first reached the threshold, and how often it would do so falsely.

    `false_alarm_days` is the mean time between false alarms at the usual rate; `false_alarm_low` and `false_alarm_high`
    are that time if the usual rate, known only from so many events, is really at the ends of its 95 % interval.
    """

    levels: tuple[float, ...]
    alarm_on: date | None
    threshold: float
    ratio: float
    false_alarm_events: float
    false_alarm_days: float
    false_alarm_low: float
    false_alarm_high: float
    delay_days: float

    @property
    def level(self) -> float:
        """The level after the last event."""
        return self.levels[-1] if self.levels else 0.0


@lru_cache(256)
def run_events(ratio: float, threshold: float, truth: float = 1.0) -> float:
    """This function will give the mean number of events until the chart alarms, where the true rate is `truth` times the usual.

    Each event lifts the level by c = ln ratio, the time before it lowers it by an exponential amount of mean
    m = (ratio − 1)/truth, down to 0 at most. So N(s) = 1 + e^(−s/m)·[N(c) + ∫ e^((y−c)/m)·N(y) dy / m] over c … min(s+c, h):
    linear in N, solved on a grid (trapezoid rule).
    """
    if ratio <= 1 or threshold <= 0 or truth <= 0:
        raise ValueError("ratio above 1, threshold and truth above 0")
    rise, mean = math.log(ratio), (ratio - 1) / truth
    if rise >= threshold:
        return 1.0
    step = rise / GRID
    # Nodes from c up to h; the last one stands on h itself, however short its step.
    nodes = np.append(np.arange(rise, threshold - 1e-12, step), threshold)
    count = len(nodes)
    matrix = np.zeros((count, count))
    growth = np.exp((nodes - rise) / mean) / mean
    gaps = np.diff(nodes)
    for i, level in enumerate(nodes):
        fall = math.exp(-level / mean)
        upper = min(i + GRID, count - 1)
        weights = np.zeros(count)
        weights[:upper] += gaps[:upper] / 2
        weights[1 : upper + 1] += gaps[:upper] / 2
        matrix[i] = -fall * growth * weights
        matrix[i, 0] -= fall
        matrix[i, i] += 1
    runs = np.linalg.solve(matrix, np.ones(count))
    return float(1 + runs[0])


def threshold_for(ratio: float, events: float) -> float:
    """This function will find the threshold at which a false alarm comes once in so many events on average."""
    low, high = 0.01, 1.0
    while run_events(ratio, high) < events:
        high *= 2
        if high > 64:
            raise ValueError("no such threshold")
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (middle, high) if run_events(ratio, middle) < events else (low, middle)
    return high


def chart(
    days: Sequence[date],
    since: date,
    usual_events: int,
    usual_days: float,
    *,
    ratio: float = 2.0,
    threshold: float = 3.0,
) -> Chart:
    """This function will follow the events since a day against the usual rate, `usual_events` in `usual_days`."""
    from scipy import stats

    if usual_events < 1 or usual_days <= 0:
        raise ValueError("a usual rate needs at least one event and some days")
    ordered = sorted(days)
    if ordered and ordered[0] < since:
        raise ValueError("an event lies before the chart begins")
    rate = usual_events / usual_days
    gaps = [float((b - a).days) for a, b in zip([since, *ordered], ordered, strict=False)]
    levels = follow(gaps, rate, ratio)
    reached = next((day for day, level in zip(ordered, levels, strict=True) if level >= threshold), None)
    events = run_events(ratio, threshold)
    # The usual rate itself is uncertain: exact interval of a Poisson count, as a factor on the true rate.
    most = float(stats.gamma.ppf(0.975, usual_events + 1)) / usual_events
    least = float(stats.gamma.ppf(0.025, usual_events)) / usual_events
    return Chart(
        tuple(levels), reached, threshold, ratio, events, events / rate,
        run_events(ratio, threshold, round(most, 3)) / (rate * most),
        run_events(ratio, threshold, round(least, 3)) / (rate * least),
        run_events(ratio, threshold, ratio) / (rate * ratio),
    )  # fmt: skip


def false_alarms_in_a_year(rates_a_day: Sequence[float], ratio: float, threshold: float) -> float:
    """This function will give the number of false alarms to expect in a year from all these charts together."""
    return sum(rates_a_day) * 365 / run_events(ratio, threshold)

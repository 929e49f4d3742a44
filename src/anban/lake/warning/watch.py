"""One look at all kinds and areas (一次研判): changes, clusters and charts together, with the false ones to expect stated."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from anban.lake.warning.change import FALSE_SHARE, Pair, compare, corrected
from anban.lake.warning.chart import Chart, chart, run_events
from anban.lake.warning.events import Event, streams, within
from anban.lake.warning.scan import Densest, against_even

Level = Literal["watch", "alarm"]
YEAR = timedelta(days=365)
FEWEST = 5
"""A stream with fewer events in the year before has no usual rate to speak of: no chart is drawn for it."""
MOST = 2_000
"""A stream with more events in a year is not searched for clusters: at such numbers the comparison of years sees what there is."""


@dataclass(frozen=True, slots=True)
class Warning:  # noqa: A001 - the field's word; nothing here warns in the language's sense
    """One finding: by which method, for which kind and area, how sure, in words. A question to a person, never an act.

    An `alarm` holds after correction for everything looked at; a `watch` doesn't, and some of them are false.
    """

    method: Literal["change", "scan", "cusum"]
    kind: str
    area: str
    level: Level
    p: float | None
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found, at how many streams it looked, and how many watches to expect at most if nothing has changed.

    Counts are whole numbers, so that fewer come than the bounds allow: small streams hardly ever show a false watch.
    """

    as_of: date
    streams: int
    warnings: tuple[Warning, ...]
    expected_false_watches: float
    expected_false_chart_alarms: float


def look(
    events: Iterable[Event],
    as_of: date,
    *,
    seed: int,
    window_days: int = 20,
    ratio: float = 2.0,
    threshold: float = 3.0,
    runs: int = 999,
) -> Look:
    """This function will look at every kind in every area and in the whole city, over the year that ends on a day.

    Changes compare that year with the one before; clusters are weighed against its own events spread evenly; charts
    follow it against the rate of the year before. Alarms are corrected for all changes, or all clusters, together.
    """
    this_from, before_from = as_of - YEAR + timedelta(days=1), as_of - 2 * YEAR + timedelta(days=1)
    found = streams(each for each in events if before_from <= each.on <= as_of)
    keys = list(found)
    now = {key: within(days, this_from, as_of) for key, days in found.items()}
    before = {key: len(found[key]) - len(now[key]) for key in keys}
    warnings: list[Warning] = []

    changes = compare([Pair(*key, before[key], len(now[key])) for key in keys])
    for each in changes:
        if each.rose and each.p <= FALSE_SHARE:
            warnings.append(_changed(each.pair, each.p, each.q))

    dense = {
        key: against_even(days, this_from, as_of, window_days, seed=seed, runs=runs)
        for key, days in now.items()
        if 1 < len(days) <= MOST
    }
    qs = corrected([each.p_anywhere for each in dense.values()])
    for (key, cluster), q in zip(dense.items(), qs, strict=True):
        if cluster.p_anywhere <= FALSE_SHARE:
            warnings.append(_clustered(key, cluster, float(q)))

    charted = [key for key in keys if before[key] >= FEWEST]
    for key in charted:
        made = chart(now[key], this_from, before[key], YEAR.days, ratio=ratio, threshold=threshold)
        if made.alarm_on is not None:
            warnings.append(_charted(key, made, made.alarm_on, before[key]))
    return Look(
        as_of,
        len(keys),
        tuple(warnings),
        FALSE_SHARE / 2 * len(changes) + FALSE_SHARE * len(dense),
        sum(before[key] for key in charted) / run_events(ratio, threshold),
    )


def _level(q: float) -> Level:
    return "alarm" if q <= FALSE_SHARE else "watch"


def _changed(pair: Pair, p: float, q: float) -> Warning:
    zh = f"一年来 {pair.after} 起，上一年 {pair.before} 起；若没有变化，相差这么多的机会是 {p:.2g}"
    en = f"{pair.after} in a year after {pair.before} in the year before; if nothing changed, so great a difference has a chance of {p:.2g}"
    return Warning("change", pair.kind, pair.area, _level(q), p, zh, en)


def _clustered(key: tuple[str, str], found: Densest, q: float) -> Warning:
    days, p = found.window_days, found.p_anywhere
    zh = f"{found.from_on} 起 {days} 天内 {found.count} 起；同样多的起数均匀散在一年里，也会这样密的机会是 {p:.2g}"
    en = f"{found.count} within {days} days from {found.from_on}; spread evenly, as many are so dense with a chance of {p:.2g}"
    return Warning("scan", *key, _level(q), p, zh, en)


def _charted(key: tuple[str, str], made: Chart, on: date, usual: int) -> Warning:
    zh = (
        f"控制图在 {on} 达到界限 {made.threshold:g}（平常一年 {usual} 起）；这样的图平均 {made.false_alarm_days:.0f} 天误报一次，"
        f"平常的起数本身不准时为 {made.false_alarm_low:.0f} 至 {made.false_alarm_high:.0f} 天"
    )
    en = (
        f"the chart reached its threshold {made.threshold:g} on {on} (usual: {usual} a year); such a chart alarms falsely once in "
        f"{made.false_alarm_days:.0f} days on average, {made.false_alarm_low:.0f} to {made.false_alarm_high:.0f} as the usual number is itself uncertain"
    )
    return Warning("cusum", *key, "watch", None, zh, en)

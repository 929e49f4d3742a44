"""One look at all kinds and areas (一次研判): changes, clusters, charts and places together, with the false ones to expect stated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from anban.lake.warning.change import FALSE_SHARE, Pair, compare, corrected
from anban.lake.warning.chart import Chart, chart, run_events
from anban.lake.warning.events import WHOLE, Event, streams, within
from anban.lake.warning.knox import Closeness, knox, plane_km
from anban.lake.warning.kulldorff import Cluster, scan
from anban.lake.warning.scan import Densest, against_even

Level = Literal["watch", "alarm"]
Matrix = npt.NDArray[np.int64]
YEAR = timedelta(days=365)
ONE = timedelta(days=1)
FEWEST = 5
"""A stream with fewer events in the year before has no usual rate to speak of: no chart is drawn for it."""
MOST = 2_000
"""A stream with more events in a year is not searched for clusters: at such numbers the comparison of years sees what there is."""
NEAR_KM = 1.0
NEAR_DAYS = 14.0
"""Two events so close to each other, and so soon after one another, make a close pair."""
WEEKS = 104
LATEST_WEEKS = 8
"""Space-time clusters are weighed against so many weeks, of which the latest may be theirs."""
LONG_DAYS, HUNDRED = 1000, 100
"""From so many days on a time is told in years; beyond a hundred years nobody knows it."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A number in a warning as the list that it opens: events from a day to a day (both included), in areas, perhaps only located ones.

    Without areas those of the warning itself are meant.
    """

    first: date
    last: date
    count: int
    areas: tuple[str, ...] = ()
    located: bool = False


@dataclass(frozen=True, slots=True)
class Warning:  # noqa: A001 - the field's word; nothing here warns in the language's sense
    """One finding: by which method, for which kind and area, how sure, in words. A question to a person, never an act.

    An `alarm` holds after correction for everything looked at; a `watch` doesn't, and some of them are false.
    """

    method: Literal["change", "scan", "cusum", "knox", "kulldorff"]
    kind: str
    area: str
    level: Level
    p: float | None
    zh: str
    en: str
    counted: tuple[Counted, ...]


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
    positions: Mapping[str, tuple[float, float]] | None = None,
    names: Mapping[str, tuple[str, str]] | None = None,
) -> Look:
    """This function will look at every kind in every area and in the whole city, over the year that ends on a day.

    Changes compare that year with the one before; clusters are weighed against its own events spread evenly; charts
    follow it against the rate of the year before. Where events are located, close pairs are counted (Knox); where areas are
    (``positions``: longitude and latitude of an area's middle), neighbouring ones are searched for a cluster that still goes on
    (Kulldorff), against each area's share of two years and the city's number in each week. Alarms are corrected for everything looked at in one way together.
    ``names`` says what areas are called, in Chinese and English.
    """
    this_from, before_from = as_of - YEAR + timedelta(days=1), as_of - 2 * YEAR + timedelta(days=1)
    events = [each for each in events if before_from <= each.on <= as_of]
    found = streams(events)
    keys = list(found)
    now = {key: within(days, this_from, as_of) for key, days in found.items()}
    before = {key: len(found[key]) - len(now[key]) for key in keys}
    warnings: list[Warning] = []

    changes = compare([Pair(*key, before[key], len(now[key])) for key in keys])
    for each in changes:
        if each.rose and each.p <= FALSE_SHARE:
            spans = (
                Counted(this_from, as_of, each.pair.after),
                Counted(before_from, this_from - ONE, each.pair.before),
            )
            warnings.append(_changed(each.pair, each.p, each.q, spans))

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
            until = Counted(this_from, made.alarm_on, len(within(now[key], this_from, made.alarm_on)))
            usual = Counted(before_from, this_from - ONE, before[key])
            warnings.append(_charted(key, made, made.alarm_on, before[key], (until, usual)))

    close = _close_pairs(events, this_from, as_of, seed, runs)
    for (kind, pairs), q in zip(close.items(), corrected([each.p for each in close.values()]), strict=True):
        if pairs.p <= FALSE_SHARE:
            warnings.append(_paired(kind, pairs, float(q), this_from, as_of))

    clusters = _clusters(events, positions or {}, as_of, seed, runs)
    qs = corrected([each.p for each, _areas in clusters.values()])
    for (kind, (circle, areas)), q in zip(clusters.items(), qs, strict=True):
        if circle.p <= FALSE_SHARE:
            warnings.append(_circled(kind, circle, areas, float(q), as_of, names or {}))
    return Look(
        as_of,
        len(keys),
        tuple(warnings),
        FALSE_SHARE / 2 * len(changes) + FALSE_SHARE * (len(dense) + len(close) + len(clusters)),
        sum(before[key] for key in charted) / run_events(ratio, threshold),
    )


def _level(q: float) -> Level:
    return "alarm" if q <= FALSE_SHARE else "watch"


def _close_pairs(events: Sequence[Event], since: date, until: date, seed: int, runs: int) -> dict[str, Closeness]:
    """Return how close the located events of each kind are in both space and time."""
    by_kind: dict[str, list[Event]] = {}
    for each in events:
        if each.lng is not None and each.lat is not None and since <= each.on <= until:
            by_kind.setdefault(each.kind, []).append(each)
    made = {}
    for kind, rows in sorted(by_kind.items()):
        if FEWEST <= len(rows) <= MOST:
            # The order of a table means nothing: the shuffles begin from one order.
            rows.sort(key=lambda each: (each.on, each.lng, each.lat))
            x, y = plane_km([each.lng or 0.0 for each in rows], [each.lat or 0.0 for each in rows])
            days = [float(each.on.toordinal()) for each in rows]
            made[kind] = knox(x.tolist(), y.tolist(), days, near_km=NEAR_KM, near_days=NEAR_DAYS, seed=seed, runs=runs)
    return {kind: each for kind, each in made.items() if each.in_space and each.in_time}


def _clusters(
    events: Sequence[Event], positions: Mapping[str, tuple[float, float]], as_of: date, seed: int, runs: int
) -> dict[str, tuple[Cluster, tuple[str, ...]]]:  # fmt: skip
    """Return, for each kind, the likeliest cluster of neighbouring areas that still goes on, with their paths."""
    areas = sorted(positions)
    if len(areas) < 2:
        return {}
    number = {area: n for n, area in enumerate(areas)}
    x, y = plane_km([positions[area][0] for area in areas], [positions[area][1] for area in areas])
    since = as_of - timedelta(days=7 * WEEKS - 1)
    seen: dict[str, Matrix] = {}
    for each in events:
        if each.area in number and each.on >= since:
            table = seen.setdefault(each.kind, np.zeros((WEEKS, len(areas)), dtype=np.int64))
            table[(each.on - since).days // 7, number[each.area]] += 1
    made = {}
    for kind, table in sorted(seen.items()):
        if table.sum() < FEWEST:
            continue
        # By the week's share of all weeks and the area's of all areas: a season or a town that always has more is no cluster.
        expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
        found = scan(table, expected, x.tolist(), y.tolist(), seed=seed, most_periods=LATEST_WEEKS, runs=runs)
        if found is not None and found.llr > 0:
            made[kind] = found, tuple(areas[each] for each in found.areas)
    return made


def chance(p: float) -> tuple[str, str]:
    """Return a chance in words that say no more than is known: below one in ten thousand it is only that."""
    return ("万分之一以下", "less than 1 in 10,000") if p < 1e-4 else (f"{p:.2g}", f"{p:.2g}")


def span(days: float) -> tuple[str, str]:
    """Return a time between false alarms as people say it: days, years, and more than a hundred years."""
    if days < LONG_DAYS:
        return f"{days:.0f} 天", f"{days:.0f} days"
    years = days / 365.25
    return ("100 年以上", "more than 100 years") if years > HUNDRED else (f"{years:.0f} 年", f"{years:.0f} years")


def _paired(kind: str, found: Closeness, q: float, since: date, until: date) -> Warning:
    n = round((1 + (1 + 8 * found.pairs) ** 0.5) / 2)
    zh = (
        f"有位置的 {n} 起里，相距 {NEAR_KM:g} 公里、{NEAR_DAYS:.0f} 天以内的有 {found.both} 对；若时间与地点无关，平均 {found.expected:.1f} 对，"
        f"这么多的机会是 {chance(found.p)[0]}。是不是有同一个起因，请人去看"
    )
    en = (
        f"of {n} located events {found.both} pairs lie within {NEAR_KM:g} km and {NEAR_DAYS:.0f} days; if time had nothing to do with place, "
        f"{found.expected:.1f} on average, so many with a chance of {chance(found.p)[1]}. Is there one cause? Somebody should look"
    )
    return Warning("knox", kind, WHOLE, _level(q), found.p, zh, en, (Counted(since, until, n, located=True),))


def _circled(
    kind: str, found: Cluster, areas: tuple[str, ...], q: float, as_of: date, names: Mapping[str, tuple[str, str]]
) -> Warning:
    first = as_of - timedelta(days=7 * found.periods - 1)
    zh_names, en_names = ([names.get(area, (area, area))[side] for area in areas] for side in (0, 1))
    zh = (
        f"最近 {found.periods} 周，{'、'.join(zh_names)}共 {found.seen} 起；照它们两年里占的份、全市这几周的起数，应有 {found.expected:.1f} 起；"
        f"在所有的地方和时段里都看过，碰巧这样的机会是 {chance(found.p)[0]}。那里有没有变化，还是报得更多，请人去看"
    )
    en = (
        f"in the last {found.periods} weeks {', '.join(en_names)} had {found.seen}, against {found.expected:.1f} by their share of two years and the city's number in these weeks; with all places "
        f"and spans looked at, chance does so with {chance(found.p)[1]}. Has something changed there, or is more reported? Somebody should look"
    )
    area = areas[0] if len(areas) == 1 else WHOLE
    return Warning("kulldorff", kind, area, _level(q), found.p, zh, en, (Counted(first, as_of, found.seen, areas),))


def _changed(pair: Pair, p: float, q: float, spans: tuple[Counted, ...]) -> Warning:
    zh = f"一年来 {pair.after} 起，上一年 {pair.before} 起；若没有变化，相差这么多的机会是 {chance(p)[0]}"
    en = f"{pair.after} in a year after {pair.before} in the year before; if nothing changed, so great a difference has a chance of {chance(p)[1]}"
    return Warning("change", pair.kind, pair.area, _level(q), p, zh, en, spans)


def _clustered(key: tuple[str, str], found: Densest, q: float) -> Warning:
    days, p = found.window_days, found.p_anywhere
    zh = f"{found.from_on} 起 {days} 天内 {found.count} 起；同样多的起数均匀散在一年里，也会这样密的机会是 {chance(p)[0]}"
    en = f"{found.count} within {days} days from {found.from_on}; spread evenly, as many are so dense with a chance of {chance(p)[1]}"
    span = Counted(found.from_on, found.from_on + timedelta(days=days - 1), found.count)
    return Warning("scan", *key, _level(q), p, zh, en, (span,))


def _charted(key: tuple[str, str], made: Chart, on: date, usual: int, spans: tuple[Counted, ...]) -> Warning:
    zh = (
        f"控制图在 {on} 达到界限 {made.threshold:g}（平常一年 {usual} 起）；这样的图平均 {span(made.false_alarm_days)[0]}误报一次，"
        f"平常的起数本身不准时为 {span(made.false_alarm_low)[0]}至{span(made.false_alarm_high)[0]}"
    )
    en = (
        f"the chart reached its threshold {made.threshold:g} on {on} (usual: {usual} a year); such a chart alarms falsely once in "
        f"{span(made.false_alarm_days)[1]} on average, {span(made.false_alarm_low)[1]} to {span(made.false_alarm_high)[1]} as the usual number is itself uncertain"
    )
    return Warning("cusum", *key, "watch", None, zh, en, spans)

"""The features of a place as of a day: its own history, what it is, its neighborhood; the same for training and for ranking.

Every feature is computed as of the first day of a window, never as of the day of the visit inside it, so that a training row
knows exactly as little as the row that will be ranked. A feature that names a fact (``Fact``) can become a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from anban.lake.ranking.city import City, Names
from anban.lake.ranking.forest import Matrix
from anban.lake.ranking.history import Bools, Clock, Floats, Ints, Strand

LIVES: Final = (365.0, 1095.0)  # how fast history fades, in days
_LEVELS: Final = 12  # levels of a class that get a feature of their own
_CODES: Final = 30
_CELL_KM: Final = 0.25


@dataclass(frozen=True, slots=True)
class Features:
    """A row per place and day asked for, a column per feature; of single precision, columns lying together."""

    matrix: Matrix
    names: tuple[str, ...]

    def column(self, name: str) -> Floats:
        """Return one feature."""
        return self.matrix[:, self.names.index(name)].astype(np.float64)

    def rows(self, which: Ints | Bools) -> Features:
        """Return some of the rows."""
        return Features(np.asfortranarray(self.matrix[which]), self.names)

    def aligned(self, names: tuple[str, ...]) -> Features:
        """Return the features under these names in this order; what the city no longer has is missing."""
        if names == self.names:
            return self
        where = {name: number for number, name in enumerate(self.names)}
        out = np.full((len(self.matrix), len(names)), np.nan, dtype=np.float32, order="F")
        for number, name in enumerate(names):
            if name in where:
                out[:, number] = self.matrix[:, where[name]]
        return Features(out, names)


@dataclass
class Book:
    """A city made ready for questions as of any day: strands of visits, neighbors, expectations that know the inspectors."""

    city: City
    expected: Floats  # chance of a find at each visit with an outcome, by inspectors and season alone
    base: float
    labeled: Ints = field(init=False)
    known: Strand = field(init=False)
    every: Strand = field(init=False)
    kinds: dict[str, tuple[Ints, Strand]] = field(init=False)
    neighbors: Ints | None = field(init=False)
    levels: dict[str, list[int]] = field(init=False)
    columns: list[tuple[str, Floats]] = field(init=False)
    codes: list[int] = field(init=False)

    def __post_init__(self) -> None:
        """Sort the visits once."""
        city = self.city
        plain = Clock.of(city.visit_day, city.as_of, share=-1.0)
        self.labeled = np.flatnonzero(city.labeled)
        day, place = city.visit_day, city.visit_place
        self.known = Strand(place[self.labeled], day[self.labeled], Clock.of(day[self.labeled], city.as_of))
        self.every = Strand(place, day, plain)
        self.kinds = {}
        for number, kind in enumerate(city.visit_kind.levels):
            which = np.flatnonzero(city.visit_kind.code == number)
            if len(which) >= 50:
                self.kinds[kind] = (which, Strand(place[which], day[which], Clock.of(day[which], city.as_of)))
        self.neighbors = _neighbors(city)
        seen = np.flatnonzero(np.bincount(place[self.labeled], minlength=city.size))
        self.levels = {name: _common(each.code[seen], _LEVELS) for name, each in city.names.items()}
        self.columns = [(name, self._neutral(values)) for name, values in _visit_columns(city)]
        volume = np.bincount(city.cited_code.code[city.cited_code.code >= 0], minlength=len(city.cited_code))
        self.codes = [int(each) for each in np.argsort(-volume, kind="stable")[:_CODES] if volume[each] >= 50]

    def _neutral(self, values: Floats) -> Floats:
        """Return what visits recorded, less what their inspectors record on the whole: the habit of a group is no fact of a place."""
        known = np.isfinite(values)
        mean = float(values[known].mean()) if known.any() else 0.0
        # Visits by nobody in particular (-1) are a group as well, the last.
        count = len(self.city.visit_group) + 1
        group = np.where(self.city.visit_group.code < 0, count - 1, self.city.visit_group.code)
        total = np.bincount(group[known], values[known], minlength=count)
        level = (total + 20 * mean) / (np.bincount(group[known], minlength=count) + 20)
        return np.asarray(values - level[group] + mean)

    def features(self, place: Ints, day: Ints) -> Features:
        """Return the features of each place as of each day."""
        columns: dict[str, Floats] = {}
        for part in (_own, _visits, _codes, _kinds, _what, _groups, _around, _signals):
            columns.update(part(self, place, day))
        out = np.empty((len(place), len(columns)), dtype=np.float32, order="F")
        for number, column in enumerate(columns.values()):
            out[:, number] = column
        return Features(out, tuple(columns))


Part = Callable[[Book, Ints, Ints], Iterator[tuple[str, Floats]]]


def _visit_columns(city: City) -> Iterator[tuple[str, Floats]]:
    """What a visit with an outcome recorded: its numbers, its results, its finds by severity."""
    yield from city.visit_numbers.items()
    for number in _common(city.visit_result.code, 5):
        yield f"result={city.visit_result.levels[number]}", (city.visit_result.code == number).astype(float)
    if not any(column.startswith("n_") for column in city.visit_numbers):
        for number in _common(city.cited_severity.code, 6):
            which = city.cited_severity.code == number
            counts = np.bincount(city.cited_visit[which], city.cited_n[which], minlength=len(city.visit_day)).astype(
                float
            )
            yield f"cited={city.cited_severity.levels[number]}", counts
    yield "cited", np.bincount(city.cited_visit, minlength=len(city.visit_day)).astype(float)


def _common(code: Ints, most: int, least: int = 20) -> list[int]:
    volume = np.bincount(code[code >= 0]) if (code >= 0).any() else np.zeros(0, dtype=np.int64)
    return [int(each) for each in np.argsort(-volume, kind="stable")[:most] if volume[each] >= least]


def _own(book: Book, place: Ints, day: Ints) -> Iterator[tuple[str, Floats]]:
    """The place's own outcomes: shrunken rates, the last three, how they compare with what its inspectors find elsewhere."""
    strand, city = book.known, book.city
    found, expected = city.visit_found[book.labeled], book.expected
    begin, end = strand.positions(place, day)
    visits = (end - begin).astype(float)
    yield "own.visits", np.log1p(visits)
    ones = np.ones(len(found))
    for life in LIVES:
        fade = strand.fading(day, life)
        n, p, e = (_between(strand.faded(each, life), begin, end) * fade for each in (ones, found, expected))
        yield f"own.rate.{life:.0f}", (p + 2.0 * book.base) / (n + 2.0)
        yield f"own.ratio.{life:.0f}", np.log((p + 2.0 * book.base) / (e + 2.0 * book.base))
    total = _between(strand.running(found), begin, end)
    yield "own.found", np.log1p(total)
    streak = np.zeros(len(place))
    going = np.ones(len(place), dtype=bool)
    for back in (1, 2, 3):
        last = strand.last(found, begin, end, back)
        ratio = strand.last(found - expected, begin, end, back)
        yield f"own.last.{back}", np.nan_to_num(last)
        yield f"own.last_over.{back}", np.nan_to_num(ratio)
        going &= last == 1
        streak += going
    yield "own.streak", streak
    yield "own.waited", np.log1p(strand.waited(day, begin, end))
    bad = np.flatnonzero(found == 1)
    worst = Strand(city.visit_place[book.labeled][bad], city.visit_day[book.labeled][bad], strand.clock)
    yield "own.waited_found", np.log1p(worst.waited(day, *worst.positions(place, day)))
    gap = strand.waited(day, begin, end) - strand.waited(day, begin, end - 1)
    yield "own.gap", np.log1p(np.where(visits >= 2, -gap, np.nan))


def _between(running: Floats, begin: Ints, end: Ints) -> Floats:
    return running[end] - running[begin]


def _visits(book: Book, place: Ints, day: Ints) -> Iterator[tuple[str, Floats]]:
    """What the visits with an outcome recorded, faded and at the last one."""
    strand = book.known
    begin, end = strand.positions(place, day)
    fade = strand.fading(day, 730.0)
    n = _between(strand.faded(np.ones(len(book.labeled)), 730.0), begin, end) * fade
    for name, column in book.columns:
        values = np.nan_to_num(column[book.labeled])
        top = np.quantile(values, 0.999) if len(values) else 0.0
        values = np.minimum(values, max(top, 1.0))
        mean = float(values.mean()) if len(values) else 0.0
        yield f"visit.{name}", (_between(strand.faded(values, 730.0), begin, end) * fade + mean) / (n + 1.0)
        yield f"visit.{name}.last", np.nan_to_num(strand.last(values, begin, end), nan=mean)


def _codes(book: Book, place: Ints, day: Ints) -> Iterator[tuple[str, Floats]]:
    """How often each common code was cited at the place, faded."""
    city = book.city
    if not book.codes:
        return
    strand = book.every
    begin, end = strand.positions(place, day)
    fade = strand.fading(day, 730.0)
    for code in book.codes:
        which = city.cited_code.code == code
        cited = np.zeros(len(city.visit_day))
        cited[city.cited_visit[which]] = 1.0
        yield f"code.{city.cited_code.levels[code]}", _between(strand.faded(cited, 730.0), begin, end) * fade


def _kinds(book: Book, place: Ints, day: Ints) -> Iterator[tuple[str, Floats]]:
    """Visits of each kind: how many in a year and in two, how long ago, in days on which that log was kept."""
    begin, end = book.every.positions(place, day)
    yield "every.waited", np.log1p(book.every.waited(day, begin, end))
    for kind, (_, strand) in book.kinds.items():
        begin, end = strand.positions(place, day)
        yield f"kind.{kind}.365", np.log1p((end - np.maximum(begin, strand.since(place, day, 365))).astype(float))
        yield f"kind.{kind}.1000", np.log1p((end - np.maximum(begin, strand.since(place, day, 1000))).astype(float))
        waited = strand.waited(day, begin, end)
        yield f"kind.{kind}.waited", np.log1p(np.minimum(np.nan_to_num(waited, nan=1500.0), 1500.0))


def _what(book: Book, place: Ints, day: Ints) -> Iterator[tuple[str, Floats]]:
    """What the place is: its classes, its figures, its age, its licenses."""
    city = book.city
    for name, column in city.names.items():
        if len(column) <= 400:
            for level in book.levels[name]:
                yield f"is.{name}={column.levels[level]}", (column.code[place] == level).astype(float)
    for name, figure in city.numbers.items():
        yield f"figure.{name}", figure[place]
    for name, born in city.born.items():
        yield f"age.{name}", np.log1p(np.clip(day - born[place], 0, 7300))
    for name, (owner, item, levels) in city.lists.items():
        for level in _common(item, _LEVELS):
            has = np.zeros(city.size)
            has[owner[item == level]] = 1.0
            yield f"has.{name}={levels[level]}", has[place]
    first = np.full(city.size, np.inf)
    np.minimum.at(first, city.visit_place, city.visit_day.astype(float))
    known = first[place]
    yield "age.seen", np.log1p(np.where(known < day, day - np.where(np.isfinite(known), known, 0), 0.0))


def _totals(book: Book, day: int, life: float) -> tuple[Floats, Floats]:
    """What was found and what was to be expected at every place, faded, as of one day."""
    strand, city = book.known, book.city
    places = np.arange(city.size)
    begin, end = strand.positions(places, np.full(city.size, day))
    fade = strand.fading(np.array([day]), life)[0]
    found = _between(strand.faded(city.visit_found[book.labeled], life), begin, end) * fade
    expected = _between(strand.faded(book.expected, life), begin, end) * fade
    return found, expected


def _different(days: Ints) -> Ints:
    """Return the days that occur, in their order."""
    if not len(days):
        return days
    first = int(days.min())
    return np.flatnonzero(np.bincount(days - first)) + first


def _groups(book: Book, place: Ints, day: Ints) -> Iterator[tuple[str, Floats]]:
    """How the other places of the same class, area, name, address did against expectation."""
    city = book.city
    out = {name: np.zeros(len(place)) for name in city.names}
    for today in _different(day):
        rows = np.flatnonzero(day == today)
        found, expected = _totals(book, int(today), 730.0)
        for name, column in city.names.items():
            out[name][rows] = _leave_one_out(column, found, expected, place[rows], book.base)
    for name, values in out.items():
        yield f"like.{name}", values


def _leave_one_out(column: Names, found: Floats, expected: Floats, place: Ints, base: float) -> Floats:
    code = column.code
    there = code >= 0
    sums = [np.bincount(code[there], each[there], minlength=len(column)) for each in (found, expected)]
    mine = code[place]
    f, e = (
        np.where(mine >= 0, each[mine] - own[place], 0.0) for each, own in zip(sums, (found, expected), strict=True)
    )
    weight = 10.0 * base
    return np.log((np.maximum(f, 0) + weight) / (np.maximum(e, 0) + weight))


def _neighbors(city: City, most: int = 40) -> Ints | None:
    """Return the nearest places of each place, itself left out; -1 where there is none."""
    from scipy.spatial import cKDTree

    known = np.flatnonzero(np.isfinite(city.x_km) & np.isfinite(city.y_km))
    if len(known) < 50:
        return None
    points = np.column_stack((city.x_km[known], city.y_km[known]))
    tree = cKDTree(points)
    count = min(most + 1, len(known))
    _, near = tree.query(points, k=count, workers=2, distance_upper_bound=3.0)
    near = np.where(near < len(known), np.append(known, -1)[np.minimum(near, len(known))], -1)
    near[near == known[:, None]] = -1
    out = np.full((city.size, count), -1, dtype=np.int64)
    out[known] = near
    return out


def _around(book: Book, place: Ints, day: Ints) -> Iterator[tuple[str, Floats]]:
    """How the nearest places did against expectation."""
    if book.neighbors is None:
        return
    wide, close = np.zeros(len(place)), np.zeros(len(place))
    for today in _different(day):
        rows = np.flatnonzero(day == today)
        found, expected = _totals(book, int(today), 730.0)
        near = book.neighbors[place[rows]]
        weight = 4.0 * book.base
        # Where there is no neighbor, -1 reads the zero at the end.
        f_of, e_of = (np.append(each, 0.0)[near] for each in (found, expected))
        for out, count in ((wide, near.shape[1]), (close, 10)):
            f, e = f_of[:, :count].sum(axis=1), e_of[:, :count].sum(axis=1)
            out[rows] = np.log((f + weight) / (e + weight))
    yield "around.40", wide
    yield "around.10", close


def _signals(book: Book, place: Ints, day: Ints) -> Iterator[tuple[str, Floats]]:
    """Calls and events near the place, smoothed over half a kilometer, or at the place itself where they say which."""
    city = book.city
    here = np.isfinite(city.x_km) & np.isfinite(city.y_km)
    for number, kind in enumerate(city.signal_kind.levels or ("",)):
        which = (
            city.signal_kind.code == number if city.signal_kind.levels else np.ones(len(city.signal_day), dtype=bool)
        )
        at = which & np.isfinite(city.signal_x_km) & np.isfinite(city.signal_y_km)
        if at.sum() >= 200 and here.any():
            for span in (90, 365):
                yield f"near.{kind}.{span}", _heat(book, np.flatnonzero(at), here, place, day, span)
        named = np.flatnonzero(which & (city.signal_place >= 0))
        if len(named) >= 20:
            strand = Strand(
                city.signal_place[named], city.signal_day[named], Clock.of(city.signal_day[named], city.as_of)
            )
            begin, end = strand.positions(place, day)
            for span in (90, 365):
                yield (
                    f"signal.{kind}.{span}",
                    np.log1p((end - np.maximum(begin, strand.since(place, day, span))).astype(float)),
                )


def _heat(book: Book, which: Ints, here: Bools, place: Ints, day: Ints, span: int) -> Floats:
    from scipy.ndimage import gaussian_filter

    city = book.city
    clock = Clock.of(city.signal_day[which], city.as_of)
    low_x, low_y = city.x_km[here].min(), city.y_km[here].min()
    shape = (
        min(int((city.x_km[here].max() - low_x) / _CELL_KM) + 1, 2000),
        min(int((city.y_km[here].max() - low_y) / _CELL_KM) + 1, 2000),
    )

    def cell(x: Floats, y: Floats) -> tuple[Ints, Ints]:
        column = np.clip(np.nan_to_num((x - low_x) / _CELL_KM), 0, shape[0] - 1)
        row = np.clip(np.nan_to_num((y - low_y) / _CELL_KM), 0, shape[1] - 1)
        return column.astype(np.int64), row.astype(np.int64)

    tick = clock.at(city.signal_day[which])
    sx, sy = cell(city.signal_x_km[which], city.signal_y_km[which])
    px, py = cell(city.x_km[place], city.y_km[place])
    out = np.full(len(place), np.nan)
    for today in _different(day):
        now = clock.at(np.array([today]))[0]
        recent = (tick < now) & (tick >= now - span) & (city.signal_day[which] < today)
        grid = np.zeros(shape)
        np.add.at(grid, (sx[recent], sy[recent]), 1.0)
        smooth = gaussian_filter(grid, 2.0, mode="constant")
        total = smooth.sum()
        rows = np.flatnonzero((day == today) & here[place])
        if total > 0:
            out[rows] = np.log1p(smooth[px[rows], py[rows]] / total * grid.size)
    return out

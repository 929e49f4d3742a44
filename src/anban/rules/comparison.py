"""Comparing like cases honestly (同案同办): exact and permutation tests within groups, intervals, control of false findings."""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from anban.rules.decision import UNDECIDED, Decision, Reason

FALSE_SHARE = 0.04
"""The share of false findings that a set of comparisons may contain (Benjamini–Hochberg).

We promise 5 %; comparisons of bodies with each other are not independent, so the working value keeps a margin.
"""

FEWEST = 10
"""Below so many cases on either side nothing is said: 不足以判断."""

LOOKS = 1999
HITS = 40
"""A permutation test stops after so many permutations, or earlier when so many were as extreme (Besag and Clifford 1991)."""

LARGE = 100
"""From so many cases on either side the sum of ranks follows the normal law closely enough to be read from it."""

LARGE_VARIANCE = 400.0
"""From this variance on the number of measures, a sum of hypergeometrics, is read from the normal law as well."""

MOVES_VARIANCE = 50.0
"""The same for moves: hundreds of small tables, whose sum is normal sooner than that of a few large ones."""

TOO_FEW = Reason("comparison.too_few", "不足以判断", "Too few to tell")

Kind = Literal["measure", "time", "moved"]


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a comparison: its group of likes, on which side it stands, whether a measure was taken, days it took.

    `days` is cut off at the horizon, so that a case still open and one that took longer count alike.
    """

    key: str
    group: tuple[str, ...]
    marked: bool
    measured: bool
    days: float


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % interval; without bounds where there are too few cases."""

    value: float | None
    low: float | None
    high: float | None
    n: int

    @property
    def enough(self) -> bool:
        """This property will tell whether anything may be said at all."""
        return self.value is not None and self.n >= FEWEST


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one comparison found: sizes, the two figures side by side, and the probability under equal treatment.

    `difference` is marked minus others within groups: a share for `measure`, days for `time`; for `moved` the share of the
    marked by which more of them moved than were to be expected. `p` None: too few to tell.
    """

    name: str
    kind: Kind
    marked: int
    others: int
    difference: float | None
    p: float | None

    def decide(self, found: bool) -> Decision:
        """This method will say it in words a page can quote; what cannot be told says so."""
        if self.p is None:
            return Decision(UNDECIDED, (TOO_FEW,))
        code, zh, en = (
            ("comparison.differs", "有差别", "Differs")
            if found
            else ("comparison.no_difference", "看不出差别", "No difference to be seen")
        )
        return Decision("differs" if found else "alike", (Reason(code, zh, en),))


def proportion(hits: int, n: int) -> Interval:
    """This function will give a share with its Wilson interval; with fewer than `FEWEST` cases no bounds and no value."""
    if n < FEWEST:
        return Interval(None, None, None, n)
    z = 1.959964
    p = hits / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Interval(p, max(0.0, middle - half), min(1.0, middle + half), n)


def median(values: Iterable[float]) -> Interval:
    """This function will give a median with the order-statistic interval that covers it with at least 95 %."""
    listed = sorted(values)
    n = len(listed)
    if n < FEWEST:
        return Interval(None, None, None, n)
    middle = (listed[(n - 1) // 2] + listed[n // 2]) / 2
    below, tail = 0, 0.5**n
    while tail + math.comb(n, below + 1) * 0.5**n <= 0.025:
        below += 1
        tail += math.comb(n, below) * 0.5**n
    return Interval(middle, listed[below], listed[n - 1 - below], n)


@dataclass(frozen=True, slots=True)
class Block:
    """One group of likes as one side sees it: how many, how many measures, days, the scores of the days and their squares."""

    n: int
    ours: int
    hits: int
    own_hits: int
    days: float
    own_days: float
    scores: Sequence[float]
    own_score: float
    squares: float


def blocks_by_side(cases: Iterable[tuple[str, Case]]) -> dict[str, list[Block]]:
    """This function will sort cases by group and give each side its blocks: the groups that hold it and others as well."""
    tables: dict[tuple[str, ...], list[tuple[str, Case]]] = {}
    for pair in cases:
        tables.setdefault(pair[1].group, []).append(pair)
    found: dict[str, list[Block]] = {}
    for _group, rows in sorted(tables.items()):
        sizes = Counter(side for side, _ in rows)
        if len(sizes) < 2:
            continue
        scores = _scores([case.days for _, case in rows])
        hits: Counter[str] = Counter()
        days: dict[str, float] = dict.fromkeys(sizes, 0.0)
        score: dict[str, float] = dict.fromkeys(sizes, 0.0)
        for (side, case), value in zip(rows, scores, strict=True):
            hits[side] += case.measured
            days[side] += case.days
            score[side] += value
        all_hits, all_days, squares = hits.total(), sum(days.values()), sum(value * value for value in scores)
        for side, ours in sizes.items():
            found.setdefault(side, []).append(
                Block(len(rows), ours, all_hits, hits[side], all_days, days[side], scores, score[side], squares)
            )
    return found


def compare(name: str, kind: Kind, cases: Iterable[Case], *, seed: int = 0) -> Comparison:
    """This function will compare the marked cases with the others inside each group of likes, and never across groups.

    `measure`: the exact conditional test of several 2×2 tables, two-sided. `time`: a permutation of the marks within groups
    on ranks, the permutations drawn from `seed`, so that the same data give the same answer. Large samples: the normal law.
    Source: Cochran 1954, Mantel and Haenszel 1959 (conditioning within tables); van Elteren 1960 (ranks within blocks).
    """
    sides = blocks_by_side(("marked" if case.marked else "", case) for case in cases)
    return _compared(name, kind, sides.get("marked", ()), seed)


def compare_each(what: str, cases: Iterable[tuple[str, Case]], *, seed: int = 0) -> Iterator[tuple[str, Comparison]]:
    """This function will compare each side with all others, by measure and by time, in one pass over the cases.

    The comparisons are named `what:side`; sides come in their own order.
    """
    for side, blocks in sorted(blocks_by_side(cases).items()):
        yield side, _compared(f"{what}:{side}", "measure", blocks, seed)
        yield side, _compared(f"{what}:{side}", "time", blocks, seed)


@dataclass(frozen=True, slots=True)
class Spell:
    """How one matter waited: its group of likes, and after how many days it was told to move and did move, if ever."""

    group: tuple[str, ...]
    told: float | None
    moved: float | None

    @property
    def prompted(self) -> bool:
        """This property will tell whether the matter was told to move before it moved."""
        return self.told is not None and (self.moved is None or self.told < self.moved)

    def end(self, horizon: float) -> float:
        """This method will give the day until which the matter waited, told or not."""
        return horizon if self.moved is None else min(horizon, self.moved)

    def untold(self, horizon: float) -> float:
        """This method will give the day until which the matter waited untold."""
        return min(self.end(horizon), self.told) if self.prompted and self.told is not None else self.end(horizon)


def compare_moves(name: str, spells: Sequence[Spell], horizon: float) -> Comparison:
    """This function will compare how matters move once told with how their likes move untold, whenever the word came.

    At each move, who moved among those still waiting of the same group: told or untold. A matter stands among the untold
    until it is told, so that waiting for the word is never counted as an effect of it; `others` is how many waited untold
    beside told ones. Exact as `measure` is.
    Source: Mantel and Byar 1974 (a mark that comes in time); Peto and Peto 1972 (conditioning on each risk set).
    """
    blocks: list[Block] = []
    prompted = waited = 0
    for rows in _by_group(spells).values():
        found = list(_risk_sets(rows, horizon))
        blocks += [block for _, block in found]
        prompted += sum(each.prompted and (each.told or 0.0) < horizon for each in rows)
        waited += sum(each.untold(horizon) >= found[0][0] for each in rows) if found else 0
    if prompted < FEWEST or waited < FEWEST:
        return Comparison(name, "moved", prompted, waited, None, None)
    more = sum(each.own_hits - each.hits * each.ours / each.n for each in blocks)
    return Comparison(name, "moved", prompted, waited, more / prompted, _exact(blocks, MOVES_VARIANCE))


def _by_group(spells: Iterable[Spell]) -> dict[tuple[str, ...], list[Spell]]:
    groups: dict[tuple[str, ...], list[Spell]] = {}
    for each in spells:
        groups.setdefault(each.group, []).append(each)
    return dict(sorted(groups.items()))


def _risk_sets(rows: Sequence[Spell], horizon: float) -> Iterator[tuple[float, Block]]:
    """Yield each day on which something of a group moved while both told and untold were waiting, with who waited and who moved."""
    ends = sorted(each.end(horizon) for each in rows)
    told = [each for each in rows if each.prompted]
    told_at = sorted(each.told or 0.0 for each in told)
    told_ends = sorted(each.end(horizon) for each in told)
    moves = Counter(each.moved for each in rows if each.moved is not None and each.moved < horizon)
    own = Counter(each.moved for each in told if each.moved is not None and each.moved < horizon)
    for day, hits in sorted(moves.items()):
        n = len(rows) - bisect_left(ends, day)
        ours = bisect_left(told_at, day) - bisect_left(told_ends, day)
        if 0 < ours < n:
            yield day, Block(n, ours, hits, own[day], 0.0, 0.0, (), 0.0, 0.0)


def _compared(name: str, kind: Kind, blocks: Sequence[Block], seed: int) -> Comparison:
    marked = sum(each.ours for each in blocks)
    others = sum(each.n - each.ours for each in blocks)
    if marked < FEWEST or others < FEWEST:
        return Comparison(name, kind, marked, others, None, None)
    p = _exact(blocks) if kind == "measure" else _ranked(blocks, seed, large=min(marked, others) >= LARGE)
    return Comparison(name, kind, marked, others, _difference(kind, blocks), p)


def _difference(kind: Kind, blocks: Iterable[Block]) -> float:
    """Return the weighted mean over groups of marked minus others (Mantel–Haenszel weights)."""
    total = weights = 0.0
    for each in blocks:
        ours, rest = (
            (each.own_hits, each.hits - each.own_hits)
            if kind == "measure"
            else (each.own_days, each.days - each.own_days)
        )
        weight = each.ours * (each.n - each.ours) / each.n
        total += weight * (ours / each.ours - rest / (each.n - each.ours))
        weights += weight
    return total / weights


def _normal(distance: float, variance: float) -> float:
    """Return the two-sided probability of a distance from the mean under the normal law."""
    return math.erfc(max(0.0, distance) / math.sqrt(2 * variance))


def _exact(blocks: Sequence[Block], large_variance: float | None = None) -> float:
    """Return the two-sided exact probability of the marked cases' measures, all margins given: a sum of hypergeometrics."""
    variance = sum(
        each.hits * (each.n - each.hits) * each.ours * (each.n - each.ours) / (each.n * each.n * (each.n - 1))
        for each in blocks
    )
    observed = sum(each.own_hits for each in blocks)
    if variance >= (LARGE_VARIANCE if large_variance is None else large_variance):
        mean = sum(each.hits * each.ours / each.n for each in blocks)
        return _normal(abs(observed - mean) - 0.5, variance)
    mass: list[float] = [1.0]
    shift = 0
    for each in blocks:
        n, ours, hits = each.n, each.ours, each.hits
        least, most = max(0, ours + hits - n), min(ours, hits)
        whole = math.comb(n, ours)
        weights = [math.comb(hits, k) * math.comb(n - hits, ours - k) / whole for k in range(least, most + 1)]
        shift += least
        joined = [0.0] * (len(mass) + len(weights) - 1)
        for i, a in enumerate(mass):
            for j, b in enumerate(weights):
                joined[i + j] += a * b
        mass = joined
    seen = mass[observed - shift]
    # A hair of tolerance: equal probabilities must count as equal whatever the order of the sums.
    return min(1.0, sum(value for value in mass if value <= seen * (1 + 1e-9)))


def _ranked(blocks: Sequence[Block], seed: int, *, large: bool) -> float:
    """Return the two-sided probability of the marked cases' ranks when marks are dealt anew within each group."""
    if not any(each.squares for each in blocks):
        return 1.0
    observed = abs(sum(each.own_score for each in blocks))
    if large:
        variance = sum(each.ours * (each.n - each.ours) / (each.n * (each.n - 1)) * each.squares for each in blocks)
        return _normal(observed, variance)
    rng = random.Random(seed)  # noqa: S311 - a reproducible permutation, nothing secret
    hits = 0
    for look in range(1, LOOKS + 1):
        drawn = sum(sum(rng.sample(each.scores, each.ours)) for each in blocks)
        hits += abs(drawn) >= observed - 1e-9
        if hits >= HITS:
            return hits / look
    return (hits + 1) / (LOOKS + 1)


def _scores(values: Sequence[float]) -> list[float]:
    """Return centered mid-ranks divided by the block's size plus one, so that no large group drowns the others."""
    n = len(values)
    order = sorted(range(n), key=values.__getitem__)
    ranks = [0.0] * n
    start = 0
    while start < n:
        stop = start
        while stop + 1 < n and values[order[stop + 1]] == values[order[start]]:
            stop += 1
        for place in range(start, stop + 1):
            ranks[order[place]] = (start + stop) / 2 + 1
        start = stop + 1
    return [(rank - (n + 1) / 2) / (n + 1) for rank in ranks]


def discoveries(comparisons: Sequence[Comparison], share: float = FALSE_SHARE) -> Mapping[tuple[str, str], bool]:
    """This function will say which comparisons count as found, so that at most `share` of the found are false on average.

    Source: Benjamini and Hochberg 1995. A comparison that could not be made is never found.
    """
    ranked = sorted((each for each in comparisons if each.p is not None), key=lambda each: each.p or 0.0)
    passed = 0
    for place, each in enumerate(ranked, start=1):
        if each.p is not None and each.p <= share * place / len(ranked):
            passed = place
    found = {(each.name, each.kind) for each in ranked[:passed]}
    return {(each.name, each.kind): (each.name, each.kind) in found for each in comparisons}

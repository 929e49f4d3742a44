"""Comparing like cases honestly (同案同办): exact and permutation tests within groups, intervals, control of false findings."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
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

TOO_FEW = Reason("comparison.too_few", "不足以判断", "Too few to tell")

Kind = Literal["measure", "time"]


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

    `difference` is marked minus others within groups: a share for `measure`, days for `time`. `p` None: too few to tell.
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


def groups_of(cases: Iterable[Case]) -> dict[tuple[str, ...], list[Case]]:
    """This function will sort cases into their groups and keep the groups that have both sides: only those compare."""
    found: dict[tuple[str, ...], list[Case]] = {}
    for case in cases:
        found.setdefault(case.group, []).append(case)
    return {key: rows for key, rows in sorted(found.items()) if 0 < sum(row.marked for row in rows) < len(rows)}


def compare(name: str, kind: Kind, cases: Iterable[Case], *, seed: int = 0) -> Comparison:
    """This function will compare the marked cases with the others inside each group of likes, and never across groups.

    `measure`: the exact conditional test of several 2×2 tables, two-sided. `time`: a permutation of the marks within groups
    on ranks, the permutations drawn from `seed`, so that the same data give the same answer.
    Source: Cochran 1954, Mantel and Haenszel 1959 (conditioning within tables); van Elteren 1960 (ranks within blocks).
    """
    tables = groups_of(cases)
    marked = sum(case.marked for rows in tables.values() for case in rows)
    others = sum(len(rows) for rows in tables.values()) - marked
    if marked < FEWEST or others < FEWEST:
        return Comparison(name, kind, marked, others, None, None)
    difference = _difference(kind, tables.values())
    p = _exact(tables.values()) if kind == "measure" else _permuted(tables.values(), seed)
    return Comparison(name, kind, marked, others, difference, p)


def _difference(kind: Kind, tables: Iterable[Sequence[Case]]) -> float:
    """Return the weighted mean over groups of marked minus others (Mantel–Haenszel weights)."""
    total = weights = 0.0
    for rows in tables:
        ours = [float(row.measured) if kind == "measure" else row.days for row in rows if row.marked]
        rest = [float(row.measured) if kind == "measure" else row.days for row in rows if not row.marked]
        weight = len(ours) * len(rest) / len(rows)
        total += weight * (sum(ours) / len(ours) - sum(rest) / len(rest))
        weights += weight
    return total / weights


def _exact(tables: Iterable[Sequence[Case]]) -> float:
    """Return the two-sided exact probability of the marked cases' measures, all margins given: a sum of hypergeometrics."""
    mass: list[float] = [1.0]
    shift = observed = 0
    for rows in tables:
        n, ours, hits = len(rows), sum(row.marked for row in rows), sum(row.measured for row in rows)
        observed += sum(row.marked and row.measured for row in rows)
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


def _permuted(tables: Iterable[Sequence[Case]], seed: int) -> float:
    """Return the two-sided probability of the marked cases' ranks when marks are dealt anew within each group."""
    blocks: list[tuple[list[float], int]] = []
    observed = 0.0
    for rows in tables:
        scores = _scores([row.days for row in rows])
        observed += sum(score for score, row in zip(scores, rows, strict=True) if row.marked)
        blocks.append((scores, sum(row.marked for row in rows)))
    if not any(any(scores) for scores, _ in blocks):
        return 1.0
    rng = random.Random(seed)  # noqa: S311 - a reproducible permutation, nothing secret
    target = abs(observed) - 1e-9
    hits = 0
    for look in range(1, LOOKS + 1):
        drawn = sum(sum(rng.sample(scores, take)) for scores, take in blocks)
        hits += abs(drawn) >= target
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

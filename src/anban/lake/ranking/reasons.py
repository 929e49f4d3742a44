"""Reasons a shopkeeper understands: facts of the place whose removal lowers its score, the weightiest first."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits

from anban.lake.ranking.city import date_of
from anban.lake.ranking.facts import Fact, facts_of
from anban.lake.ranking.features import Book, Features
from anban.lake.ranking.history import Clock, Floats, Ints
from anban.lake.ranking.training import Model

LEAST: Final = 0.01  # log-odds below which a fact is no reason
KINDS: Final = {
    "routine": ("日常检查", "routine check"), "reinspection": ("复查", "re-inspection"), "complaint": ("投诉检查", "complaint visit"),
    "enforcement": ("行政检查", "administrative inspection"), "assisted": ("执法辅助", "assisted inspection"),
    "patrol": ("巡查", "patrol"), "guidance": ("访企", "guidance visit"), "report": ("发现报告", "report of a finding"),
    "review": ("复查", "re-inspection"), "oversight": ("督查", "oversight visit"),
    "licence": ("许可检查", "licence visit"), "license": ("许可检查", "licence visit"), "other": ("其他检查", "other visit"),
}  # fmt: skip
SIGNALS: Final = {
    "311_sanitation": ("环境卫生投诉", "sanitation complaint"), "burglary": ("入室盗窃", "burglary"), "call": ("来电投诉", "call"),
    "alarm": ("报警", "alarm"), "report": ("群众反映", "report by the public"), "ticket": ("热线来电", "hotline call"),
    "whistleblower": ("举报", "report by an insider"), "hotline": ("热线来电", "hotline call"),
}  # fmt: skip
FAILS: Final = frozenset({"fail", "failed", "不合格"})
"""Results of which it is said that the check failed; of any other outcome, that it found something."""
OTHERS: Final = frozenset({"like", "around"})
"""Facts about other places: three of them in a row say the same thing three times."""
COUNTED: Final = ("", "一", "两", "三")
IN_ENGLISH: Final = ("", "one", "two", "three")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Reason:
    """A fact in plain words, and by how much the log-odds fall when it is taken away."""

    fact: str
    zh: str
    en: str
    lowers_by: float


def explain(model: Model, book: Book, features: Features, places: Ints, most: int = 4) -> list[tuple[Reason, ...]]:
    """Return the reasons of each place; ``features`` are theirs as of the day of ranking, row by row."""
    return told(falls(model, features, book.city.label.kind), Words.of(book, places), places, most)


def falls(model: Model, features: Features, label_kind: str | None) -> list[list[tuple[float, Fact]]]:
    """Return the facts of each row whose removal lowers its score, and by how much, the weightiest first."""
    # A part of a city may lack what the model learned from another: there it is missing, and no reason.
    features = features.aligned(model.names)
    facts = [each for each in facts_of(model.names, label_kind) if each.name in model.neutral]
    score = model.score(features)
    found: list[list[tuple[float, Fact]]] = [[] for _ in score]
    for fact in facts:
        rows = np.flatnonzero(fact.holds(features))
        if not len(rows):
            continue
        fall = score[rows] - model.score(without(features, rows, fact, model))
        for row, lower in zip(rows.tolist(), fall.tolist(), strict=True):
            if lower >= LEAST:
                found[row].append((lower, fact))
    for each in found:
        each.sort(key=lambda pair: (-pair[0], pair[1].name))
    return found


def told(found: list[list[tuple[float, Fact]]], words: Words, places: Ints, most: int = 4) -> list[tuple[Reason, ...]]:
    """Return the first facts of each place that can be put into words; of what its likes and neighbors are like, the weightiest alone."""
    out = []
    for place, each in zip(places.tolist(), found, strict=True):
        others = next((fact for _, fact in each if fact.sort in OTHERS), None)
        own = ((lower, fact) for lower, fact in each if fact.sort not in OTHERS or fact is others)
        reasons = (Reason(fact.name, *words.of_fact(fact, place), round(lower, 4)) for lower, fact in own)
        out.append(tuple(islice((reason for reason in reasons if reason.zh), most)))
    return out


def without(features: Features, rows: Ints, fact: Fact, model: Model) -> Features:
    """Return the rows as they would be if the fact were not so."""
    changed = features.rows(rows)
    for name, value in model.neutral[fact.name]:
        changed.matrix[:, features.names.index(name)] = value
    return changed


@dataclass(frozen=True, slots=True)
class Words:
    """Puts facts of some places into words, with the numbers as they stand in the tables; holds the visits of these places only."""

    as_of: int
    clocks: dict[str, Clock]
    names: dict[str, tuple[dict[int, int], tuple[str, ...]]]
    texts: dict[str, tuple[str, str]]
    subjects: dict[str, tuple[str, str]]
    fails: bool
    visit_kinds: tuple[str, ...]
    codes: tuple[str, ...]
    signal_kinds: tuple[str, ...]
    place: Ints
    day: Ints
    kind: Ints
    outcome: Floats
    cited_visit: Ints
    cited_code: Ints
    signal_place: Ints
    signal_day: Ints
    signal_kind: Ints

    @classmethod
    def of(cls, book: Book, places: Ints) -> Words:
        """Return the words for some places of a book."""
        city = book.city
        mine = np.zeros(city.size, dtype=bool)
        mine[places] = True
        visits = np.flatnonzero(mine[city.visit_place])
        visits = visits[np.lexsort((city.visit_day[visits], city.visit_place[visits]))]
        new = np.full(len(city.visit_day), -1)
        new[visits] = np.arange(len(visits))
        cited = np.flatnonzero(new[city.cited_visit] >= 0)
        cited = cited[np.argsort(new[city.cited_visit[cited]], kind="stable")]
        signals = np.flatnonzero((city.signal_place >= 0) & mine[city.signal_place]) if city.size else places
        signals = signals[np.lexsort((city.signal_day[signals], city.signal_place[signals]))]
        return cls(
            as_of=city.as_of, clocks={kind: strand.clock for kind, (_, strand) in book.kinds.items()},
            names={
                name: (dict(zip(places.tolist(), column.code[places].tolist(), strict=True)), column.levels)
                for name, column in city.names.items()
            },
            texts=city.code_texts, subjects=city.code_subjects, fails=bool(FAILS & set(city.label.equals)),
            visit_kinds=city.visit_kind.levels, codes=city.cited_code.levels,
            signal_kinds=city.signal_kind.levels, place=city.visit_place[visits], day=city.visit_day[visits],
            kind=city.visit_kind.code[visits], outcome=city.visit_found[visits],
            cited_visit=new[city.cited_visit[cited]], cited_code=city.cited_code.code[cited],
            signal_place=city.signal_place[signals], signal_day=city.signal_day[signals],
            signal_kind=city.signal_kind.code[signals],
        )  # fmt: skip

    def of_fact(self, fact: Fact, place: int) -> tuple[str, str]:
        """Return the fact in Chinese and English; empty where it cannot be told."""
        saying = getattr(self, f"_{fact.sort}")
        zh, en = saying(fact.about, place)
        return str(zh), str(en)

    def _visits(self, place: int) -> slice:
        return slice(*np.searchsorted(self.place, (place, place + 1)).tolist())

    def _known(self, place: int) -> Ints:
        """Return the visits of a place whose outcome is known, the latest last."""
        visits = self._visits(place)
        return np.arange(visits.start, visits.stop)[np.isfinite(self.outcome[visits])]

    def _found(self, about: str, place: int) -> tuple[str, str]:
        known = self._known(place)
        last = known[-3:] if self.outcome[known[-3:]].any() else known
        bad = last[self.outcome[last] == 1]
        when = _month(int(self.day[bad[-1]]))
        zh, en = ("不合格", "failed") if self.fails else ("查出问题", "found something")
        what = self._subject(bad)
        each = ("，每次都有", ", each time over ") if len(bad) > 1 else ("，有", ", over ")
        over = (f"{each[0]}{what[0]}问题", f"{each[1]}{what[1]}") if what else ("", "")
        # Visits of which nobody knows what came of them don't count, and it is said that they don't.
        visits = self._visits(place)
        kind = ("检查", "") if visits.stop - last[0] == len(last) else ("有结论的检查", " with a known result")
        times, of = _times(len(bad)), _times(len(last))
        if len(bad) < len(last):
            said = f"最近{of[0]}次{kind[0]}有{times[0]}次{zh}", f"{times[1]} of the last {of[1]} checks{kind[1]} {en}"
        elif len(bad) == 1:
            said = f"上次{kind[0]}{zh}", f"the last check{kind[1]} {en}"
        else:
            said = f"最近{times[0]}次{kind[0]}都{zh}", f"the last {times[1]} checks{kind[1]} all {en}"
        latest = ("最近一次", "latest in ") if len(bad) > 1 else ("", "")
        return f"{said[0]}{over[0]}（{latest[0]}{when[0]}）", f"{said[1]}{over[1]} ({latest[1]}{when[1]})"

    def _subject(self, visits: Ints) -> tuple[str, str] | None:
        """Return what each of some visits cited something of: one or two subjects, those with the most citations first."""
        counts: dict[tuple[str, str], int] = {}
        common: set[tuple[str, str]] | None = None
        for visit in visits.tolist():
            begin, end = np.searchsorted(self.cited_visit, (visit, visit + 1))
            cited = [self.subjects.get(self.codes[code]) for code in self.cited_code[begin:end].tolist()]
            here = [subject for subject in cited if subject]
            for subject in here:
                counts[subject] = counts.get(subject, 0) + 1
            common = set(here) if common is None else common & set(here)
        first = sorted(common or (), key=lambda one: (-counts[one], one))[:2]
        return ("、".join(zh for zh, _ in first), " and ".join(en for _, en in first)) if first else None

    def _waited(self, about: str, place: int) -> tuple[str, str]:
        last = self._known(place)[-1]
        months = int((self.as_of - self.day[last]) / 30.44)
        if (
            self.day[self._visits(place)][-1] > self.day[last]
        ):  # Somebody was there since, and it is not known what came of it.
            return f"已有 {months} 个月没有做过有结论的检查", f"no check with a known result for {months} months"
        return f"已有 {months} 个月没有检查", f"no check for {months} months"

    def _kind(self, about: str, place: int) -> tuple[str, str]:
        clock = self.clocks[about]
        visits = self._visits(place)
        days = self.day[visits][self.kind[visits] == self.visit_kinds.index(about)]
        now = clock.at(np.array([self.as_of]))[0]
        days = days[clock.at(days) >= now - 365]
        return _counted(days, *KINDS.get(about, (about, f"visit ({about})")))

    def _code(self, about: str, place: int) -> tuple[str, str]:
        visits = self._visits(place)
        begin, end = np.searchsorted(self.cited_visit, (visits.start, visits.stop))
        cited = self.cited_visit[begin:end][self.cited_code[begin:end] == self.codes.index(about)]
        days = self.day[np.unique(cited)]
        # The list's own words where it has any: a code says nothing to a shopkeeper.
        what = self.texts.get(about)
        named = (f"“{what[0]}”", f"“{what[1]}”") if what else (f"第{about}项", f"item {about}")
        when = _month(int(days[-1]))
        if len(days) == 1:
            return f"查出{named[0]}（{when[0]}）", f"{named[1]} was found ({when[1]})"
        times = _times(len(days))
        return (
            f"{times[0]}次查出{named[0]}（最近一次{when[0]}）",
            f"{named[1]} was found {'twice' if len(days) == 2 else f'{times[1]} times'} (latest in {when[1]})",
        )

    def _signal(self, about: str, place: int) -> tuple[str, str]:
        mine = slice(*np.searchsorted(self.signal_place, (place, place + 1)).tolist())
        days = self.signal_day[mine]
        if about:
            days = days[self.signal_kind[mine] == self.signal_kinds.index(about)]
        return _counted(days[days >= self.as_of - 365], *SIGNALS.get(about, (about or "信号", about or "signal")))

    def _near(self, about: str, place: int) -> tuple[str, str]:
        zh, en = SIGNALS.get(about, (about or "信号", about or "signal"))
        return f"附近的{zh}比别处多", f"more {_plural(en)} nearby than elsewhere"

    def _like(self, about: str, place: int) -> tuple[str, str]:
        code, levels = self.names[about]
        level = levels[code[place]]
        worse = ("不合格", "fail") if self.fails else ("查出问题", "are found wanting")
        return f"同类单位（{level}）{worse[0]}的比别的多", f"others of the same {about} ({level}) {worse[1]} more often"

    def _around(self, about: str, place: int) -> tuple[str, str]:
        worse = ("不合格", "fail") if self.fails else ("查出问题", "are found wanting")
        return f"附近的单位{worse[0]}的比别处多", f"places nearby {worse[1]} more often than elsewhere"


def _month(day: int) -> tuple[str, str]:
    date = date_of(day)
    return f"{date.year}年{date.month}月", f"{MONTHS[date.month - 1]} {date.year}"


def _times(number: int) -> tuple[str, str]:
    """Return a number as it is spoken."""
    return (COUNTED[number], IN_ENGLISH[number]) if number < len(COUNTED) else (str(number), str(number))


def _plural(en: str) -> str:
    head, _, rest = en.partition(" by ")
    many = f"{head[:-1]}ies" if head.endswith("ry") else f"{head}s"
    return f"{many} by {rest}" if rest else many


def _counted(days: Ints, zh: str, en: str) -> tuple[str, str]:
    """Say how many there were in the last year and when the latest was."""
    if not len(days):
        return "", ""
    when = _month(int(days[-1]))
    times = _times(len(days))
    what = en if len(days) == 1 else _plural(en)
    if len({_month(int(each)) for each in days}) == 1:
        return f"{when[0]}有{times[0]}次{zh}", f"{times[1]} {what} in {when[1]}"
    return f"近一年有{times[0]}次{zh}（最近一次{when[0]}）", f"{times[1]} {what} in a year (latest in {when[1]})"


def scores_without(model: Model, features: Features, row: int, fact_name: str, label_kind: str | None) -> Floats:
    """Return the score of one row before and after a fact is taken away (what a test and a page recompute)."""
    fact = next(each for each in facts_of(model.names, label_kind) if each.name == fact_name)
    rows = np.array([row])
    with threadpool_limits(1):
        before = model.score(features.rows(rows))
        return np.concatenate((before, model.score(without(features, rows, fact, model))))

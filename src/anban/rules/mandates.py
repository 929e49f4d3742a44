"""Who answers by the table of mandates (监管职责): the most specific row wins, equals are an overlap, nobody is a gap."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

ROLES: Final = ("sector_lead", "special", "enforcer", "territory")
"""行业主管、专业监管、执法主体、属地, in this order in every file and page."""

PHASES: Final = ("before", "during", "after")
"""事前、事中、事后. A row without a phase holds in all of them; a question about a live place is asked ``during``."""


POWERS: Final = ("order", "penalise")
"""责令、处罚: what an enforcer may do. A row without a power holds both; one that is split off holds its own alone."""


class State(StrEnum):
    """What the table says to one question: somebody (明确), nobody (空白), or several (交叉)."""

    RESOLVED = "resolved"
    GAP = "gap"
    OVERLAP = "overlap"


@dataclass(frozen=True, slots=True)
class Row:
    """One mandate: a body's role over a place kind or an industry and a hazard class, under path prefixes, dated.

    An empty kind, industry, class or phase means any; ``paths`` are the prefixes that its area covers on the day, ``""``
    for the whole root; ``depth`` tells how near that area is to what lies in it; ``until_on`` is exclusive.
    """

    key: Hashable
    body: Hashable
    role: str
    place_kind: str = ""
    industry: str = ""
    hazard_class: str = ""
    phase: str = ""
    paths: tuple[str, ...] = ("",)
    depth: int = 0
    from_on: date | None = None
    until_on: date | None = None
    power: str = ""

    def in_force(self, on: date) -> bool:
        """This function will tell whether the row holds on a day."""
        return (self.from_on is None or self.from_on <= on) and (self.until_on is None or on < self.until_on)

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """How specific the row is: place kind over (longer) industry over any; then class; then the nearer area."""
        first = (2, 0) if self.place_kind else (1, len(self.industry)) if self.industry else (0, 0)
        return (*first, 1 if self.hazard_class else 0, self.depth)


@dataclass(frozen=True, slots=True)
class Found:
    """The answer of one role to one question: its state, the rows that win, and those that win while a place is at work."""

    state: State
    rows: tuple[Row, ...] = ()
    during: tuple[Row, ...] = ()

    @property
    def bodies(self) -> tuple[Hashable, ...]:
        """The different bodies that the winning rows name, in a fixed order."""
        return tuple(sorted({row.body for row in self.rows}, key=str))


NOBODY: Final = Found(State.GAP)


@dataclass(frozen=True, slots=True)
class RoleSheet:
    """All answers of one role for one kind of place in one spot: one for most classes, and those of the classes named apart."""

    common: Found
    apart: Mapping[str, Found]

    def of(self, hazard_class: str) -> Found:
        """This function will return the answer for one class."""
        return self.apart.get(hazard_class, self.common)


@dataclass(frozen=True, slots=True)
class Sheet:
    """All answers of one kind of place in one spot."""

    roles: Mapping[str, RoleSheet]

    def of(self, role: str, hazard_class: str) -> Found:
        """This function will return the answer of one role for one class."""
        return self.roles[role].of(hazard_class)


def best(rows: Sequence[Row]) -> Found:
    """This function will judge the rows that fit one question of one role.

    With phases in play each phase is a question of its own: a phase without anybody makes a gap, one with two an overlap.
    """
    if not rows:
        return NOBODY
    if not any(row.phase for row in rows):
        return _judged(rows)
    by_phase = {phase: _judged([row for row in rows if row.phase in ("", phase)]) for phase in PHASES}
    during = by_phase["during"].rows
    states = {found.state for found in by_phase.values()}
    if State.GAP in states:
        return Found(State.GAP, (), during)
    worst = State.OVERLAP if State.OVERLAP in states else State.RESOLVED
    winning = {row.key: row for found in by_phase.values() if found.state is worst for row in found.rows}
    return Found(worst, tuple(winning.values()), during)


def _judged(rows: Sequence[Row]) -> Found:
    if not rows:
        return NOBODY
    top = max(row.rank for row in rows)
    first = tuple(row for row in rows if row.rank == top)
    # Each power is a question of its own: one who orders and another who penalises do not stand in each other's way.
    clash = any(len({row.body for row in first if row.power in ("", power)}) > 1 for power in POWERS)
    state = State.OVERLAP if clash else State.RESOLVED
    return Found(state, first, first)


Signature = tuple[str, tuple[str, ...], tuple[str, ...]]


@dataclass(slots=True)
class Table:
    """The rows in force on one day, by role and by the prefix of the area that they cover.

    One implementation serves a single question and the pass over a city: for each role the pass asks every different
    combination of kind, matching industries and covering areas once, and within it each class that is named apart. Two places
    with the same signature for a role have the same answers of that role.
    """

    rows: Sequence[Row]
    _by_prefix: dict[str, dict[str, list[Row]]] = field(default_factory=dict)
    _kinds: dict[str, frozenset[str]] = field(default_factory=dict)
    _industries: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _areas: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    _trades: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    _sheets: dict[str, dict[Signature, RoleSheet]] = field(default_factory=dict)

    @classmethod
    def on(cls, rows: Iterable[Row], day: date) -> Table:
        """This function will return the table of one day."""
        return cls.of([row for row in rows if row.in_force(day)])

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Table:
        """This function will return the table of these rows, whatever their days."""
        self = cls(rows)
        for role in ROLES:
            held: dict[str, list[Row]] = defaultdict(list)
            own = [row for row in rows if row.role == role]
            for row in own:
                for path in row.paths:
                    held[path].append(row)
            self._by_prefix[role] = dict(held)
            self._kinds[role] = frozenset(row.place_kind for row in own)
            self._industries[role] = tuple(sorted({row.industry for row in own if row.industry}))
            self._sheets[role] = {}
        return self

    def signature(self, role: str, kind: str, industry: str, path: str) -> Signature:
        """This function will return what of a place matters to a role."""
        areas = self._areas.get(path)
        if areas is None:
            every = prefixes(path)
            areas = {one: tuple(prefix for prefix in every if prefix in self._by_prefix[one]) for one in ROLES}
            self._areas[path] = areas
        trades = self._trades.get(industry)
        if trades is None:
            trades = {one: tuple(p for p in self._industries[one] if industry.startswith(p)) for one in ROLES}
            self._trades[industry] = trades
        return (kind if kind in self._kinds[role] else "", trades[role], areas[role])

    def role_sheet(self, role: str, kind: str, industry: str, path: str) -> RoleSheet:
        """This function will return all answers of one role for a place of a kind and industry at a path."""
        key = self.signature(role, kind, industry, path)
        made = self._sheets[role].get(key)
        if made is None:
            made = self._sheets[role][key] = _sheet(self._fitting(role, key))
        return made

    def sheet(self, kind: str, industry: str, path: str) -> Sheet:
        """This function will return all answers for a place of a kind and industry at a path."""
        return Sheet({role: self.role_sheet(role, kind, industry, path) for role in ROLES})

    def _fitting(self, role: str, signature: Signature) -> list[Row]:
        kind, trades, areas = signature
        found = {
            row.key: row
            for prefix in areas
            for row in self._by_prefix[role][prefix]
            if row.place_kind in ("", kind) and (not row.industry or row.industry in trades)
        }
        return list(found.values())


def _sheet(rows: Sequence[Row]) -> RoleSheet:
    general = [row for row in rows if not row.hazard_class]
    by_class: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.hazard_class:
            by_class[row.hazard_class].append(row)
    return RoleSheet(best(general), {one: best([*general, *held]) for one, held in sorted(by_class.items())})


def prefixes(path: str) -> tuple[str, ...]:
    """This function will return every prefix of a path, the whole root's empty one first."""
    parts = [part for part in path.split("/") if part]
    return ("", *("/".join(parts[: n + 1]) + "/" for n in range(len(parts))))


@dataclass(slots=True)
class History:
    """All rows there ever were, for the question since when an answer is what it is."""

    rows_on: Callable[[date], Sequence[Row]]
    """The rows with the prefixes that their areas cover on the day."""
    days: tuple[date, ...]
    """The days on which any row begins or ends, in order."""
    _tables: dict[date, Table] = field(default_factory=dict)
    _ever: Table | None = None
    _known: dict[tuple[Signature, str, str, date], date | None] = field(default_factory=dict)

    def table(self, day: date) -> Table:
        """This function will return the table of a day, made once."""
        made = self._tables.get(day)
        if made is None:
            made = self._tables[day] = Table.on(self.rows_on(day), day)
        return made

    def ever(self, on: date) -> Table:
        """This function will return the table of all rows of all days up to ``on``: its signatures tell places apart for ever."""
        if self._ever is None:
            paths: dict[Hashable, dict[str, None]] = {}
            rows: dict[Hashable, Row] = {}
            for day in (*(one for one in self.days if one <= on), on):
                for row in self.rows_on(day):
                    rows[row.key] = row
                    paths.setdefault(row.key, {}).update(dict.fromkeys(row.paths))
            self._ever = Table.of([replace(row, paths=tuple(paths[key])) for key, row in rows.items()])
        return self._ever

    def since(self, kind: str, industry: str, path: str, role: str, hazard_class: str, on: date) -> date | None:
        """This function will return the day from which the answer has been what it is on ``on``, None when from the start."""
        key = (self.ever(on).signature(role, kind, industry, path), role, hazard_class, on)
        if key not in self._known:
            self._known[key] = self._since(kind, industry, path, role, hazard_class, on)
        return self._known[key]

    def _since(self, kind: str, industry: str, path: str, role: str, hazard_class: str, on: date) -> date | None:
        now = self.table(on).role_sheet(role, kind, industry, path).of(hazard_class)
        for day in reversed([one for one in self.days if one <= on]):
            table = self.table(day - timedelta(days=1))
            before = table.role_sheet(role, kind, industry, path).of(hazard_class)
            if (before.state, before.bodies) != (now.state, now.bodies):
                return day
        return None

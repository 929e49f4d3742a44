"""The net in one pass (责任网): who answers for every place and hazard class, what is left open, and where."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Final
from uuid import UUID

from django.db.models import Count

from anban.base.people.actor import Actor
from anban.contexts.catalog import queries as catalog
from anban.contexts.establishments.models import Place
from anban.contexts.establishments.queries import regulated
from anban.contexts.responsibility.models import Boundary, Mandate
from anban.contexts.responsibility.queries import joined, powers_split, row_of, standing
from anban.contexts.territory.models import Area, Body
from anban.contexts.territory.queries import Coverage, Overviews, overviews
from anban.kit.remember import remembering
from anban.kit.tabular import neutralise
from anban.rules.mandates import ROLES, Found, History, Row, State, Table, prefixes

COLUMNS: Final = ("place", "class", "role", "bodies", "since")
CHUNK: Final = 5_000
STREET_PARTS: Final = 3


@dataclass(frozen=True, slots=True)
class Figures:
    """What ``anban net`` prints: answers are counted, four for every place and hazard class."""

    places: int = 0
    classes: int = 0
    resolved: int = 0
    gaps: int = 0
    overlaps: int = 0
    assigned: int = 0

    def as_json(self) -> dict[str, int]:
        """Return the figures by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Scope:
    """What one boundary covers: the fault, the role, and the kind, industry, class and area; see ``models.Boundary``."""

    fault: str
    role: str
    place_kind: str
    industry: str
    hazard_class: str
    area_id: UUID
    bodies: str

    @classmethod
    def of(cls, row: Boundary) -> Scope:
        """Return the scope of a boundary on file."""
        return cls(
            row.fault, row.role, row.place_kind, row.industry, row.hazard_class, row.area_id, row.bodies
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """One answer that is open: role, class, what the table says."""

    role: str
    hazard_class: str
    found: Found


@dataclass(slots=True)
class Answers:
    """All answers of one kind of place in one spot, counted, with the open ones."""

    resolved: int
    gaps: int
    overlaps: int
    faults: tuple[Fault, ...]


@dataclass(slots=True)
class Net:
    """The mandates of a root on a day with everything that a pass over its places needs, loaded once."""

    root: str
    on: date
    classes: tuple[str, ...]
    table: Table
    history: History
    areas: Mapping[str, Area]
    by_area: Mapping[UUID, Area]
    by_code: Mapping[str, Area]
    bodies: Mapping[UUID, Body]
    overview: Overviews
    coverage: Coverage
    assigned: Mapping[Scope, Boundary]
    _answers: dict[tuple[int, ...], Answers] = field(default_factory=dict)
    _parts: dict[int, Answers] = field(default_factory=dict)
    """By the identity of the table's own sheets, which the table keeps."""

    @classmethod
    def load(cls, root: str, on: date, *, instead: Iterable[Mandate] | None = None) -> Net:
        """Return the net of a day; ``instead`` asks what it would be with these mandates in place of those on file."""
        every = _on_file(root) if instead is None else list(instead)
        areas = list(Area.objects.filter(root_id=root).exclude(level=Area.Level.COMMUNITY))
        coverage = Coverage.load(root, on)

        powers = powers_split(root, every)

        def rows_on(day: date) -> list[Row]:
            covered = coverage if day == on else Coverage.load(root, day)
            return [row_of(one, covered, powers) for one in every]

        ends = {day for one in every for day in (one.from_on, one.until_on) if day is not None}
        boundaries = list(standing(root).filter(assigned_body__isnull=False))
        return cls(
            root,
            on,
            classes_of(root, on),
            Table.on(rows_on(on), on),
            History(rows_on, tuple(sorted(ends))),
            {one.path: one for one in areas},
            {one.pk: one for one in areas},
            {one.code: one for one in areas},
            {one.body_id: one.body for one in every},
            overviews(root, on),
            coverage,
            {Scope.of(one): one for one in boundaries},
        )

    def answers(self, kind: str, industry: str, path: str) -> Answers:
        """Return all answers for places of a kind and industry at a path: what the four roles say, added up."""
        parts = tuple(self._part(role, kind, industry, path) for role in ROLES)
        key = tuple(id(part) for part in parts)
        made = self._answers.get(key)
        if made is None:
            made = self._answers[key] = Answers(
                sum(part.resolved for part in parts),
                sum(part.gaps for part in parts),
                sum(part.overlaps for part in parts),
                tuple(fault for part in parts for fault in part.faults),
            )
        return made

    def _part(self, role: str, kind: str, industry: str, path: str) -> Answers:
        sheet = self.table.role_sheet(role, kind, industry, path)
        made = self._parts.get(id(sheet))
        if made is None:
            states: Counter[State] = Counter()
            faults: list[Fault] = []
            for one in self.classes:
                found = sheet.of(one)
                states[found.state] += 1
                if found.state is not State.RESOLVED:
                    faults.append(Fault(role, one, found))
            made = Answers(states[State.RESOLVED], states[State.GAP], states[State.OVERLAP], tuple(faults))
            self._parts[id(sheet)] = made
        return made

    def scope(self, fault: Fault, kind: str, path: str) -> Scope:
        """Return the boundary that an open answer belongs to."""
        role = fault.role
        if fault.found.state is State.OVERLAP:
            row = min(fault.found.rows, key=lambda one: str(one.key))
            area = self._area_of(row)
            return Scope(
                State.OVERLAP, role, row.place_kind, row.industry, row.hazard_class, area, joined(fault.found.bodies)
            )
        area = (self.street(path) if role == Mandate.Role.TERRITORY else self.district(path)).pk
        lead, classed = role == Mandate.Role.SECTOR_LEAD, role in (Mandate.Role.SPECIAL, Mandate.Role.ENFORCER)
        return Scope(State.GAP, role, kind if lead else "", "", fault.hazard_class if classed else "", area, "")

    def _area_of(self, row: Row) -> UUID:
        if row.paths[0] in self.areas:
            return self.areas[row.paths[0]].pk
        return next(one for one in self.areas.values() if one.parent_id is None).pk

    def district(self, path: str) -> Area:
        """Return the overview area that a path counts in, or the whole root above the districts."""
        found = self.by_code.get(self.overview.of(path))
        return found or next(one for one in self.areas.values() if one.parent_id is None)

    def street(self, path: str) -> Area:
        """Return the street that a path lies in, or its district where it lies in none."""
        for prefix in reversed(prefixes(path)):
            area = self.areas.get(prefix)
            if area is not None and area.level == Area.Level.STREET:
                return area
        return self.district(path)

    def since(self, fault: Fault, kind: str, industry: str, path: str) -> date | None:
        """Return the day from which an answer has been open the way it is, None when from the start."""
        return self.history.since(kind, industry, path, fault.role, fault.hazard_class, self.on)


@dataclass(slots=True)
class Extent:
    """What one boundary was found to cover: how many places, since when, and in which streets."""

    places: int = 0
    since: date | None = None
    streets: set[str] = field(default_factory=set)


def groups(actor: Actor) -> list[tuple[str, str, str, int]]:
    """Return kind, industry, path and how many places: two places with the same three have the same answers."""
    found: Counter[tuple[str, str, str]] = Counter()
    for part in regulated(actor):
        rows = part.order_by().values_list("kind", "industry", "area_path").annotate(n=Count("id"))
        for kind, industry, path, count in rows:
            found[kind, industry, path] += count
    return [(*key, count) for key, count in found.items()]


def figures(actor: Actor, on: date, net: Net | None = None) -> Figures:
    """Return the net's figures over the places that the actor sees."""
    known = net or Net.load(actor.root, on)
    places = resolved = gaps = overlaps = assigned = 0
    for kind, industry, path, count in groups(actor):
        answers = known.answers(kind, industry, path)
        places += count
        resolved += answers.resolved * count
        gaps += answers.gaps * count
        overlaps += answers.overlaps * count
        if known.assigned:
            assigned += count * sum(known.scope(one, kind, path) in known.assigned for one in answers.faults)
    return Figures(places, len(known.classes), resolved, gaps, overlaps, assigned)


def open_scopes(actor: Actor, on: date, net: Net | None = None) -> dict[Scope, Extent]:
    """Return every boundary that the net shows on a day over the places that the actor sees, with its places."""
    known = net or Net.load(actor.root, on)
    found: dict[Scope, Extent] = defaultdict(Extent)
    with remembering():
        for kind, industry, path, count in groups(actor):
            here: dict[Scope, Fault] = {}
            for fault in known.answers(kind, industry, path).faults:
                here.setdefault(known.scope(fault, kind, path), fault)
            for scope, fault in here.items():
                one = found[scope]
                one.places += count
                one.streets.add(known.street(path).path)
                since = known.since(fault, kind, industry, path)
                if since is not None and (one.since is None or since < one.since):
                    one.since = since
    return dict(found)


def scope_paths_of(scope: Scope, net: Net) -> tuple[str, ...]:
    """Return the path prefixes that a boundary's area covers on the net's day."""
    area = net.by_area[scope.area_id]
    return ("",) if area.parent_id is None else (area.path, *net.coverage.managed.get(area.pk, ()))


def _on_file(root: str) -> list[Mandate]:
    """Return all mandates of a root: thousands of rows name a few bodies and areas, each of which is read once."""
    rows = list(Mandate.objects.filter(root=root).order_by("id"))
    bodies = {one.pk: one for one in Body.objects.filter(root_id=root)}
    areas = {one.pk: one for one in Area.objects.filter(root_id=root)}
    for one in rows:
        one._state.fields_cache.update(body=bodies[one.body_id], area=areas[one.area_id])
    return rows


@dataclass(slots=True)
class Cell:
    """One cell of the matrix: the places of a kind in a district, and how many are open, by role and fault."""

    places: int = 0
    gaps: dict[str, int] = field(default_factory=dict)
    overlaps: dict[str, int] = field(default_factory=dict)
    either: dict[str, int] = field(default_factory=dict)
    gap_any: int = 0
    overlap_any: int = 0
    open_any: int = 0


def matrix(
    actor: Actor, on: date, *, by_industry: bool = False, by_street: bool = False, net: Net | None = None
) -> dict[tuple[str, str], Cell]:
    """Return cells by place kind (or industry division) and overview area's code (or street's path) of the visible places.

    ``net`` is the root's net of the day, where it was loaded already.
    """
    net = net or Net.load(actor.root, on)
    cells: dict[tuple[str, str], Cell] = defaultdict(Cell)
    for kind, industry, path, count in groups(actor):
        answers = net.answers(kind, industry, path)
        where = net.street(path).path if by_street else net.overview.of(path)
        cell = cells[industry[:2] if by_industry else kind, where]
        cell.places += count
        for fault, by_role in ((State.GAP, cell.gaps), (State.OVERLAP, cell.overlaps)):
            for role in {one.role for one in answers.faults if one.found.state is fault}:
                by_role[role] = by_role.get(role, 0) + count
        for role in {one.role for one in answers.faults}:
            cell.either[role] = cell.either.get(role, 0) + count
        cell.gap_any += count if answers.gaps else 0
        cell.overlap_any += count if answers.overlaps else 0
        cell.open_any += count if answers.faults else 0
    return dict(cells)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which open places a list shows; empty means any. ``scope`` is one boundary's."""

    kind: str = ""
    industry: str = ""
    overview: str = ""
    street: str = ""
    role: str = ""
    fault: str = ""
    scope: Scope | None = None
    no_kind: bool = False
    no_industry: bool = False


def classes_of(root: str, on: date) -> tuple[str, ...]:
    """Return the hazard classes that are asked about on a day."""
    return tuple(catalog.hazard_classes(root, on).values_list("code", flat=True))


def open_places(actor: Actor, on: date, asked: Asked) -> list[tuple[UUID, tuple[Fault, ...]]]:
    """Return the ids of the places that the actor sees with answers open as asked, and those answers, in the register's order."""
    net = Net.load(actor.root, on)
    known: dict[tuple[str, str, str], tuple[Fault, ...]] = {}

    def faults(kind: str, industry: str, path: str) -> tuple[Fault, ...]:
        if asked.overview and net.overview.of(path) != asked.overview:
            return ()
        if asked.street and net.street(path).path != asked.street:
            return ()
        return tuple(
            one
            for one in net.answers(kind, industry, path).faults
            if (not asked.role or one.role == asked.role)
            and (not asked.fault or one.found.state == asked.fault)
            and (asked.scope is None or net.scope(one, kind, path) == asked.scope)
        )

    made: list[tuple[UUID, tuple[Fault, ...]]] = []
    for part in regulated(actor):
        rows = part.filter(kind=asked.kind) if asked.kind or asked.no_kind else part
        rows = rows.filter(industry__startswith=asked.industry) if asked.industry else rows
        rows = rows.filter(industry="") if asked.no_industry else rows
        for pk, kind, industry, path in rows.order_by("id").values_list("id", "kind", "industry", "area_path"):
            key = (kind, industry, path)
            if key not in known:
                known[key] = faults(*key)
            if known[key]:
                made.append((pk, known[key]))
    return made


def places_of(pairs: Iterable[tuple[UUID, tuple[Fault, ...]]]) -> list[tuple[Place, tuple[Fault, ...]]]:
    """Return the places of one page of ``open_places``, with their areas."""
    kept = list(pairs)
    by_id = Place.objects.select_related("area").in_bulk([pk for pk, _ in kept])
    return [(by_id[pk], faults) for pk, faults in kept]


def write_lists(actor: Actor, on: date, out: Path) -> Figures:
    """Write ``gaps.csv`` and ``overlaps.csv``, one row per place, class and role, and return the figures; streaming."""
    net = Net.load(actor.root, on)
    out.mkdir(parents=True, exist_ok=True)
    tails: dict[tuple[str, str, str], Tails] = {}
    shared: dict[tuple[object, ...], Tails] = {}
    places = resolved = gaps = overlaps = assigned = 0
    with (
        (out / "gaps.csv").open("w", encoding="utf-8-sig", newline="") as gap_file,
        (out / "overlaps.csv").open("w", encoding="utf-8-sig", newline="") as overlap_file,
        remembering(),
    ):
        for file in (gap_file, overlap_file):
            file.write(",".join(COLUMNS) + "\r\n")
        for number, kind, industry, path in _streamed(actor):
            key = (kind, industry, path)
            known = tails.get(key)
            if known is None:
                known = tails[key] = _tails(net, kind, industry, path, shared)
            answers, held, gap_tails, overlap_tails = known
            places += 1
            resolved += answers.resolved
            gaps += answers.gaps
            overlaps += answers.overlaps
            assigned += held
            cell = _cell(number)
            if gap_tails:
                gap_file.write(cell + cell.join(gap_tails))
            if overlap_tails:
                overlap_file.write(cell + cell.join(overlap_tails))
    return Figures(places, len(net.classes), resolved, gaps, overlaps, assigned)


def _streamed(actor: Actor) -> Iterator[tuple[str, str, str, str]]:
    for part in regulated(actor):
        yield from part.order_by("id").values_list("number", "kind", "industry", "area_path").iterator(CHUNK)


Tails = tuple[Answers, int, tuple[str, ...], tuple[str, ...]]
"""A place's answers, how many open ones are assigned, and the rest of its lines in the two files."""


def _tails(net: Net, kind: str, industry: str, path: str, shared: dict[tuple[object, ...], Tails]) -> Tails:
    """Return the lines of a kind of place in one spot; places that never differed to the table share them."""
    answers = net.answers(kind, industry, path)
    if not answers.faults:
        return answers, 0, (), ()
    ever = net.history.ever(net.on)
    marks = tuple(ever.signature(role, kind, industry, path) for role in ROLES)
    # What is assigned goes by district and street, which the table need not know.
    key = (id(answers), marks, (kind, industry, path) if net.assigned else ())
    made = shared.get(key)
    if made is not None:
        return made
    held = 0
    lines: dict[State, list[str]] = {State.GAP: [], State.OVERLAP: []}
    for fault in answers.faults:
        boundary = net.assigned.get(net.scope(fault, kind, path)) if net.assigned else None
        held += boundary is not None
        ids = [one for one in fault.found.bodies if isinstance(one, UUID)]
        bodies = ";".join(sorted(net.bodies[one].code for one in ids))
        since = net.since(fault, kind, industry, path)
        cells = (fault.hazard_class, fault.role, bodies, since.isoformat() if since else "")
        lines[fault.found.state].append("," + ",".join(_cell(one) for one in cells) + "\r\n")
    made = shared[key] = (answers, held, tuple(lines[State.GAP]), tuple(lines[State.OVERLAP]))
    return made


def _cell(text: str) -> str:
    safe = neutralise(text)
    return '"' + safe.replace('"', '""') + '"' if any(c in safe for c in ',"\r\n') else safe

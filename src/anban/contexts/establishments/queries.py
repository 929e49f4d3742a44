"""Reads of the register: what an actor sees of it, one page per place, blind spots and possible duplicates."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from heapq import merge as merge_sorted
from itertools import islice
from typing import Self
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count as CountRows
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from rapidfuzz import fuzz

from anban.base.journal.queries import timeline
from anban.base.people.actor import Actor
from anban.base.textsearch import matching
from anban.contexts.establishments.models import Merge, Observation, Party, PersonInCharge, Place, SourceList
from anban.contexts.establishments.search import fold, fold_address, search_tokens
from anban.contexts.territory.models import Area, Overlay
from anban.contexts.territory.queries import within
from anban.kit.credit_code import normalise as normalise_code
from anban.kit.geo import Datum, Position, distance_m

COUNTED_EXACTLY = 10_000
PAGE = 50
NEAR_M = 50.0
ALIKE = 88.0
_CANDIDATES = 3_000
_NOTHING = Q(pk__in=[])


# Scope


@dataclass(frozen=True, slots=True)
class _Reach:
    """One right over places: below a path (empty: the whole root), of some kinds (None: every kind)."""

    path: str
    kinds: frozenset[str] | None

    def holds(self, other: _Reach) -> bool:
        return other.path.startswith(self.path) and (
            self.kinds is None or (other.kinds is not None and other.kinds <= self.kinds)
        )

    def meets(self, other: _Reach) -> bool:
        nested = self.path.startswith(other.path) or other.path.startswith(self.path)
        return nested and (self.kinds is None or other.kinds is None or not self.kinds.isdisjoint(other.kinds))

    def predicate(self) -> Q:
        found = within(self.path) if self.path else Q()
        return found if self.kinds is None else found & Q(kind__in=sorted(self.kinds))


def _reaches(actor: Actor) -> list[_Reach]:
    """Return the actor's rights over areas, the widest first, without those that another one holds already."""
    if actor.system:
        return [_Reach("", None)]
    found = {
        # A sector named by hazard classes alone limits hazards, not the places where they may be.
        _Reach(path, grant.kinds or None)
        for grant in actor.grants
        if grant.root == actor.root and not grant.place_id and not grant.matter_id
        for path in (grant.paths or ("",))
    }
    ordered = sorted(found, key=lambda r: (r.kinds is not None, r.path, -len(r.kinds or ()), sorted(r.kinds or ())))
    kept: list[_Reach] = []
    for reach in ordered:
        if not any(other.holds(reach) for other in kept):
            kept.append(reach)
    return kept


def _own_places(actor: Actor) -> list[UUID]:
    return sorted({g.place_id for g in actor.grants if g.root == actor.root and g.place_id})


def arms(actor: Actor) -> list[QuerySet[Place]]:
    """Return what the actor sees as disjoint parts: keyset lists draw a page from each and merge them.

    One query over an OR of areas took several hundred times as long at a million rows.
    """
    base = Place.objects.filter(root=actor.root)
    reaches = _reaches(actor)
    parts = []
    for position, reach in enumerate(reaches):
        part = base.filter(reach.predicate())
        for earlier in reaches[:position]:
            if earlier.meets(reach):
                part = part.exclude(earlier.predicate())
        parts.append(part)
    own = _own_places(actor)
    if own:
        # A firm whose place was merged sees the survivor.
        mine = base.filter(pk__in=Place.objects.filter(pk__in=own).values(now=Coalesce("survivor_id", "id")))
        for reach in reaches:
            mine = mine.exclude(reach.predicate()) if reach.path or reach.kinds is not None else mine.none()
        parts.append(mine)
    return parts


def visible_to(actor: Actor) -> QuerySet[Place]:
    """Return every place that the actor may see, merged ones included: for one place by its id, or small sets.

    Lists use ``page``, which draws from ``arms``. Nothing is seen across roots.
    """
    found = _NOTHING
    for reach in _reaches(actor):
        found |= reach.predicate()
        if not reach.path and reach.kinds is None:
            return Place.objects.filter(root=actor.root)
    own = _own_places(actor)
    if own:
        found |= Q(pk__in=own)
        found |= Q(pk__in=Place.objects.filter(pk__in=own).values(now=Coalesce("survivor_id", "id")))
    return Place.objects.filter(root=actor.root).filter(found)


def regulated(actor: Actor) -> list[QuerySet[Place]]:
    """Return, as disjoint parts, the places that somebody must answer for: not merged into others, not closed for good."""
    return [part.filter(survivor__isnull=True).exclude(status=Place.Status.CLOSED) for part in arms(actor)]


# Lists


@dataclass(frozen=True, slots=True)
class Filters:
    """The chips of the register's list, as they stand in its URL."""

    area: str = ""
    overview: str = ""
    kind: str = ""
    status: str = ""
    affiliation: str = ""
    form: str = ""
    building: str = ""
    source: str = ""
    q: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """Read the filters from a URL's query; names that are no filter are left alone."""
        return cls(**{f.name: str(query.get(f.name, "")).strip()[:200] for f in fields(cls)})

    @property
    def query(self) -> str:
        """Return the URL query that says the same."""
        return urlencode({f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name)})

    def without(self, name: str) -> Self:
        """Return the filters with one chip taken off."""
        return replace(self, **{name: ""})


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows a list has: exact up to 10,000, then "10 000+"."""

    rows: int
    more: bool = False

    def __str__(self) -> str:
        return "10 000+" if self.more else str(self.rows)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of places, newest first, with the key under which the next page begins."""

    rows: tuple[Place, ...]
    next: str = ""


def filtered(rows: QuerySet[Place], filters: Filters, root: str) -> QuerySet[Place]:
    """Return the survivors among ``rows`` that the filters leave; a filter that names nothing known leaves none."""
    rows = rows.filter(survivor__isnull=True)
    for name in ("kind", "status", "affiliation", "form"):
        if value := getattr(filters, name):
            rows = rows.filter(**{f"{name}__in": value.split(",")})
    if filters.overview:
        rows = rows.filter(overview_code=filters.overview)
    if filters.area:
        rows = rows.filter(_area(root, filters.area))
    if filters.building:
        rows = rows.filter(building_id=found) if (found := _uuid(filters.building)) else rows.none()
    if filters.source:
        seen = Observation.objects.filter(source__root=root, source__code=filters.source, place__isnull=False)
        rows = rows.filter(pk__in=seen.values("place_id"))
    return _searched(rows, filters.q) if filters.q else rows


def _area(root: str, code: str) -> Q:
    area = Area.objects.filter(root_id=root, code=code).first()
    if area is None:
        return _NOTHING
    if area.level != Area.Level.MANAGEMENT:
        return within(area.path)
    if area.in_overview:
        return Q(overview_code=area.code)
    streets = Overlay.objects.filter(managing=area, until_on__isnull=True).values_list("street__path", flat=True)
    found = within(area.path)
    for path in streets:
        found |= within(path)
    return found


def _searched(rows: QuerySet[Place], query: str) -> QuerySet[Place]:
    # A whole number or credit code is answered by its own index, words by the text index.
    whole = query.strip()
    code = normalise_code(whole)
    if len(code) == 18 and code.isalnum() and code.isascii():
        return rows.filter(credit_code=code)
    if whole.isascii() and any(c.isdigit() for c in whole) and rows.filter(number=whole).exists():
        return rows.filter(number=whole)
    return matching(rows, search_tokens(whole))


def page(actor: Actor, filters: Filters, after: str = "", size: int = PAGE) -> Page:
    """Return one page of the places that the actor sees, newest first; ``after`` is the last page's ``next``."""
    start = _uuid(after) if after else None
    if after and start is None:
        return Page(())
    parts = []
    for part in arms(actor):
        rows = filtered(part, filters, actor.root)
        if start is not None:
            rows = rows.filter(pk__lt=start)
        parts.append(list(rows.order_by("-id").values_list("id", flat=True)[: size + 1]))
    ids = list(islice(merge_sorted(*parts, reverse=True), size + 1))
    shown = ids[:size]
    rows_by_id = Place.objects.select_related("area", "building").in_bulk(shown) if shown else {}
    return Page(tuple(rows_by_id[i] for i in shown), str(shown[-1]) if len(ids) > size else "")


def count(actor: Actor, filters: Filters, *, exact: bool = False) -> Count:
    """Return how many places the actor's list has: exact up to 10,000, beyond that only on demand."""
    total = 0
    for part in arms(actor):
        rows = filtered(part, filters, actor.root).order_by().values("id")
        total += rows.count() if exact else rows[: COUNTED_EXACTLY + 1 - total].count()
        if not exact and total > COUNTED_EXACTLY:
            return Count(COUNTED_EXACTLY, more=True)
    return Count(total)


def place(actor: Actor, place_id: UUID) -> Place | None:
    """Return one place that the actor may see, or None."""
    return visible_to(actor).select_related("area", "building", "survivor").filter(pk=place_id).first()


def in_pages(actor: Actor, filters: Filters, size: int = 1000) -> Iterable[tuple[Place, ...]]:
    """Return every place of a list, page by page, for exports."""
    after = ""
    while True:
        one = page(actor, filters, after, size)
        if one.rows:
            yield one.rows
        if not one.next:
            return
        after = one.next


# Merges


def surviving(place_id: UUID) -> UUID:
    """Return the id of the place that a row now stands for: itself, or the one it was merged into."""
    survivor = Place.objects.filter(pk=place_id).values_list("survivor_id", flat=True).first()
    return survivor or place_id


def surviving_many(place_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return for each row the place that it now stands for; ids that are no place are left out."""
    rows = Place.objects.filter(pk__in=set(place_ids)).values_list("id", Coalesce("survivor_id", "id"))
    return dict(rows)


def standing_for(place_id: UUID) -> tuple[UUID, ...]:
    """Return the ids under which rows of one place may be kept above: the survivor first, then all merged into it."""
    survivor = surviving(place_id)
    return (survivor, *Place.objects.filter(survivor_id=survivor).order_by("id").values_list("id", flat=True))


def places_by_id(place_ids: Iterable[UUID]) -> dict[UUID, Place]:
    """Return places by id, for contexts above that scope their own rows."""
    return Place.objects.select_related("area").in_bulk(set(place_ids))


def places_by_number(root: str, numbers: Iterable[str]) -> dict[str, Place]:
    """Return places of a root by their number, for importers above."""
    return {row.number: row for row in Place.objects.filter(root=root, number__in=set(numbers))}


def places_by_source_key(root: str, source: str, keys: Iterable[str]) -> dict[str, Place]:
    """Return the places that the rows of a source list became, by the rows' natural keys, for importers above."""
    rows = Observation.objects.filter(
        source__root=root, source__code=source, kind="place", key__in=set(keys), place__isnull=False
    ).select_related("place")
    return {row.key: row.place for row in rows if row.place is not None}


# One page per place (一企一档)


@dataclass(frozen=True, slots=True)
class Named:
    """A person in charge (主要负责人、安全管理人); ``name`` is empty unless the read was logged."""

    role: str
    role_label: str
    person_id: UUID
    name: str
    from_on: date | None
    until_on: date | None


@dataclass(frozen=True, slots=True)
class Seen:
    """One source's row about a place."""

    id: UUID
    source: str
    source_code: str
    key: str
    flags: tuple[str, ...]
    matched_by: str
    taken_at: datetime
    payload: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One entry of the status history, from the journal."""

    position: int
    at: datetime
    status: str
    on: str
    actor: str


@dataclass(frozen=True, slots=True)
class PlaceFile:
    """The one-page file of a place (一企一档); contexts above add visits and hazards."""

    place: Place
    attributes: Mapping[str, str]
    parties: tuple[Party, ...]
    in_charge: tuple[Named, ...]
    building: Place | None
    tenants: tuple[Place, ...]
    sources: tuple[Seen, ...]
    merges: tuple[Merge, ...]
    statuses: tuple[StatusChange, ...]


def file_of(actor: Actor, place_id: UUID, *, named: bool = False) -> PlaceFile | None:
    """Return the one-page file of a place that the actor may see, or None.

    Persons' names are left empty unless ``named``; ``operations.open_file`` sets it and logs the read.
    """
    row = place(actor, place_id)
    if row is None:
        return None
    persons = PersonInCharge.objects.filter(place=row).select_related("person").order_by("role", "-from_on", "-id")
    sources = Observation.objects.filter(place=row).select_related("source").order_by("-taken_at", "-id")[:100]
    merges = Merge.objects.filter(Q(survivor=row) | Q(absorbed=row)).select_related("survivor", "absorbed")
    return PlaceFile(
        place=row,
        attributes=payload_of(row.attributes),
        parties=tuple(Party.objects.filter(place=row).order_by("role", "-from_on", "-id")),
        in_charge=tuple(
            Named(p.role, str(p.get_role_display()), p.person_id, p.person.name if named else "", p.from_on, p.until_on)
            for p in persons
        ),
        building=row.building,
        tenants=tuple(visible_to(actor).filter(building=row, survivor__isnull=True).order_by("number")[:500]),
        sources=tuple(
            Seen(
                o.pk,
                o.source.name,
                o.source.code,
                o.key,
                tuple(f for f in o.flags.split(";") if f),
                o.matched_by,
                o.taken_at,
                payload_of(o.payload),
            )
            for o in sources
        ),
        merges=tuple(merges.order_by("-at", "-id")),
        statuses=_statuses(row),
    )


def payload_of(text: str) -> dict[str, str]:
    """Return the named texts that a row keeps as JSON."""
    return {str(k): str(v) for k, v in json.loads(text).items()} if text else {}


def _statuses(row: Place) -> tuple[StatusChange, ...]:
    return tuple(
        StatusChange(line.position, line.at, line.data["status"], line.data.get("status_on", ""), line.actor)
        for line in timeline(("place", row.pk))
        if line.verb in {"place.registered", "place.status_set", "place.amended"} and "status" in line.data
    )


# Blind spots (底数盲区) and sources


def blind_spots(actor: Actor) -> QuerySet[Observation]:
    """Return rows of lists that ought to be on the register, with no place and not dismissed, in the actor's areas.

    A grant limited to kinds of place sees none: a row that isn't on the register yet has no kind. A row without a known
    area is seen by whoever sees the whole root.
    """
    rows = Observation.objects.filter(
        source__root=actor.root, source__must_register=True, kind="place", place__isnull=True, dismissed_reason=""
    ).select_related("source")
    found = _NOTHING
    for reach in _reaches(actor):
        if reach.kinds is None:
            found |= within(reach.path) if reach.path else Q()
            if not reach.path:
                return rows.order_by("-id")
    return rows.filter(found).order_by("-id")


def observation(actor: Actor, observation_id: UUID) -> Observation | None:
    """Return one source row that the actor may see: a blind spot of its areas, or a row of a place it sees."""
    row = (
        Observation.objects.select_related("source", "place").filter(pk=observation_id, source__root=actor.root).first()
    )
    if row is None:
        return None
    if row.place_id is not None:
        return row if visible_to(actor).filter(pk=row.place_id).exists() else None
    reaches = _reaches(actor)
    return row if any(r.kinds is None and row.area_path.startswith(r.path) for r in reaches) else None


def source_lists(actor: Actor) -> QuerySet[SourceList]:
    """Return the source lists of the actor's root; which lists exist is no secret within it."""
    return SourceList.objects.filter(root=actor.root).order_by("code")


# Possible duplicates


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A place that may be the same as another, with why."""

    place: Place
    reasons: tuple[str, ...]
    alike_pct: float


def possible_duplicates(actor: Actor, row: Place, limit: int = 20) -> tuple[Duplicate, ...]:
    """Return places that may be the same as ``row``: by credit code, folded name and address, or less than 50 m away.

    Names and positions are compared within the street of ``row``.
    """
    others = visible_to(actor).filter(survivor__isnull=True).exclude(pk=row.pk)
    same = _NOTHING
    if row.credit_code:
        same |= Q(credit_code=row.credit_code)
    if row.match_key:
        same |= Q(match_key=row.match_key)
    street = "/".join(row.area_path.split("/")[:3]) + "/" if row.area_path.count("/") > 3 else row.area_path
    nearby = others.filter(within(street)).order_by("-id")[:_CANDIDATES]
    candidates = {p.pk: p for p in [*others.filter(same)[:100], *nearby]}
    found = [made for other in candidates.values() if (made := _compared(row, other)) is not None]
    return tuple(sorted(found, key=lambda d: (-len(d.reasons), -d.alike_pct, d.place.number))[:limit])


def _compared(row: Place, other: Place) -> Duplicate | None:
    reasons = []
    if row.credit_code and row.credit_code == other.credit_code:
        reasons.append("credit_code")
    names = fuzz.ratio(fold(row.name), fold(other.name))
    addresses = fuzz.ratio(fold_address(row.address), fold_address(other.address))
    if names >= ALIKE and addresses >= ALIKE and row.name and row.address:
        reasons.append("name_address")
    metres = _metres(row, other)
    # Two firms share a door; a position counts together with a name that is somewhat alike.
    if metres is not None and metres < NEAR_M and names >= 60:
        reasons.append("position")
    return Duplicate(other, tuple(reasons), round((names + addresses) / 2, 1)) if reasons else None


def _metres(a: Place, b: Place) -> float | None:
    if a.lng_wgs84 is None or a.lat_wgs84 is None or b.lng_wgs84 is None or b.lat_wgs84 is None:
        return None
    return distance_m(Position(a.lng_wgs84, a.lat_wgs84, Datum.WGS84), Position(b.lng_wgs84, b.lat_wgs84, Datum.WGS84))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


# What exports and importers read beside the places themselves


def standing_parties(place_ids: Sequence[UUID]) -> dict[UUID, dict[str, Party]]:
    """Return the parties that stand today, by place and role."""
    found: dict[UUID, dict[str, Party]] = {}
    for party in Party.objects.filter(place_id__in=place_ids, until_on__isnull=True).order_by("id"):
        found.setdefault(party.place_id, {})[party.role] = party
    return found


def standing_in_charge(place_ids: Sequence[UUID]) -> dict[UUID, dict[str, PersonInCharge]]:
    """Return the persons in charge who stand today, by place and role, with their names (a read to be logged)."""
    found: dict[UUID, dict[str, PersonInCharge]] = {}
    rows = PersonInCharge.objects.filter(place_id__in=place_ids, until_on__isnull=True).select_related("person")
    for row in rows.order_by("id"):
        found.setdefault(row.place_id, {})[row.role] = row
    return found


def persons_in_charge(place_ids: Iterable[UUID]) -> dict[UUID, dict[str, UUID]]:
    """Return the ids of the persons in charge who stand today, by place and role."""
    found: dict[UUID, dict[str, UUID]] = {}
    rows = PersonInCharge.objects.filter(place_id__in=set(place_ids), until_on__isnull=True).order_by("id")
    for place_id, role, person_id in rows.values_list("place_id", "role", "person_id"):
        found.setdefault(place_id, {})[role] = person_id
    return found


def number_of(place_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the numbers of places by id."""
    return dict(Place.objects.filter(pk__in=set(place_ids)).values_list("id", F("number")))


def page_before(actor: Actor, filters: Filters, before: str, size: int = PAGE) -> tuple[tuple[Place, ...], bool]:
    """Return the page that lies just above the place ``before``, newest first, and whether a newer page follows."""
    start = _uuid(before)
    if start is None:
        return (), False
    ids: list[UUID] = []
    for part in arms(actor):
        rows = filtered(part, filters, actor.root).filter(pk__gt=start)
        ids.extend(rows.order_by("id").values_list("id", flat=True)[: size + 1])
    shown = sorted(ids)[:size][::-1]
    rows_by_id = Place.objects.select_related("area", "building").in_bulk(shown) if shown else {}
    return tuple(rows_by_id[one] for one in shown), len(ids) > size


@dataclass(frozen=True, slots=True)
class Alike:
    """Places that look like one: the same folded name and address, or the same credit code."""

    reason: str
    places: tuple[Place, ...]


def alike_groups(actor: Actor, limit: int = 50) -> tuple[Alike, ...]:
    """Return groups of standing places in the actor's scope that look like one (疑似重复), at most ``limit`` by each reason."""
    base = visible_to(actor).filter(survivor__isnull=True)
    keys: list[tuple[str, str]] = []
    for reason, column in (("name_address", "match_key"), ("credit_code", "credit_code")):
        twice = base.exclude(**{column: ""}).order_by().values(column).annotate(n=CountRows("pk")).filter(n__gt=1)
        keys += [(reason, value) for value in twice.order_by(column).values_list(column, flat=True)[:limit]]
    if not keys:
        return ()
    wanted = Q(match_key__in=[v for r, v in keys if r == "name_address"]) | Q(
        credit_code__in=[v for r, v in keys if r == "credit_code"]
    )
    rows = list(base.filter(wanted).select_related("area").order_by("number")[: limit * 20])
    made: list[Alike] = []
    seen: set[frozenset[UUID]] = set()
    for reason, value in keys:
        column = "match_key" if reason == "name_address" else "credit_code"
        members = tuple(row for row in rows if getattr(row, column) == value)
        ids = frozenset(row.pk for row in members)
        if len(members) > 1 and ids not in seen:
            seen.add(ids)
            made.append(Alike(reason, members))
    return tuple(made)


def reach_of(actor: Actor) -> tuple[tuple[str, frozenset[str] | None], ...]:
    """Return the actor's rights over areas as (path, kinds): an empty path is the whole root, None every kind."""
    return tuple((reach.path, reach.kinds) for reach in _reaches(actor))

"""Reads of visits: lists that begin at the actor's scope, the visits of a place, and the strip of two years."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from heapq import merge as merge_sorted
from itertools import islice
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, prefetch_related_objects

from anban.base.journal.births import born, born_of
from anban.base.people.actor import Actor
from anban.contexts.establishments.models import Place
from anban.contexts.hazards.models import Cycle, Hazard
from anban.contexts.inspections.models import Answer, Finding, Visit, Visitor
from anban.contexts.territory.models import Holding
from anban.contexts.territory.queries import within
from anban.kit.remember import remembered

COUNTED_EXACTLY = 10_000
STRIP_DAYS = 730
ADMINISTRATORS = frozenset({"system_admin", "security_admin", "audit_admin"})
CERTIFIED_ROLES = frozenset({"certified_officer", "district_regulator", "district_regulator_head"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the URL of a list of visits asks for; empty means everything."""

    area: str = ""
    overview: str = ""
    kind: str = ""
    result: str = ""
    place_kind: str = ""
    place: UUID | None = None
    on_from: date | None = None
    on_until: date | None = None
    number: str = ""
    with_findings: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """One visit on the strip of a place: ``found`` a hazard, ``clean``, or ``closed`` one that was there."""

    on: date
    kind: str
    visit_id: UUID
    number: str
    findings: int


@dataclass(frozen=True, slots=True)
class VisitFile:
    """One visit with its party, its answers and what it found."""

    visit: Visit
    visitors: tuple[Visitor, ...]
    answers: tuple[Answer, ...]
    findings: tuple[Finding, ...]


def arms(actor: Actor) -> list[QuerySet[Visit]]:
    """Return the actor's scope as disjoint querysets; lists draw a page from each and merge (an OR is not indexable)."""
    rows = Visit.objects.filter(root=actor.root)
    if actor.system:
        return [rows]
    grants = [g for g in actor.grants if g.root == actor.root and not g.matter_id and g.role not in ADMINISTRATORS]
    if any(g.whole_root for g in grants):
        return [rows]
    conditions: list[Q] = []
    reaches = {(path, g.kinds) for g in grants if not g.place_id for path in (g.paths or ("",))}
    for path, kinds in sorted(reaches, key=lambda r: (r[0], sorted(r[1]))):
        condition = within(path) if path else Q()
        conditions.append(condition & Q(place_kind__in=sorted(kinds)) if kinds else condition)
    own = sorted({g.place_id for g in grants if g.place_id})
    if own:
        conditions.append(Q(place_id__in=own) | Q(place__survivor_id__in=own))
    made: list[QuerySet[Visit]] = []
    before = Q(pk__in=[])
    for condition in conditions:
        made.append(rows.filter(condition).exclude(before) if made else rows.filter(condition))
        before |= condition
    return made or [rows.none()]


def visible_to(actor: Actor) -> QuerySet[Visit]:
    """Return every visit that the actor may see, as one queryset (for one row, an export)."""
    parts = arms(actor)
    if len(parts) == 1:
        return parts[0]
    ids = parts[0].values("pk").union(*(part.values("pk") for part in parts[1:]), all=True)
    return Visit.objects.filter(root=actor.root, pk__in=ids)


def narrowed(rows: QuerySet[Visit], filters: Filters) -> QuerySet[Visit]:
    """Return the visits that fit the filters."""
    plain = {
        "overview_code": filters.overview, "kind": filters.kind, "result": filters.result,
        "place_kind": filters.place_kind, "number": filters.number,
    }  # fmt: skip
    rows = rows.filter(**{name: value for name, value in plain.items() if value})
    if filters.area:
        rows = rows.filter(within(filters.area))
    if filters.place:
        rows = rows.filter(Q(place_id=filters.place) | Q(place__survivor_id=filters.place))
    if filters.on_from:
        rows = rows.filter(on__gte=filters.on_from)
    if filters.on_until:
        rows = rows.filter(on__lt=filters.on_until)
    if filters.with_findings:
        rows = rows.filter(findings_count__gt=0)
    return rows


def page(
    actor: Actor, filters: Filters, *, after: UUID | None = None, size: int = 50
) -> tuple[list[Visit], UUID | None]:
    """Return one page of visits, the latest day first, and the key of the next page (None at the end).

    ``after`` is the id of the last visit shown: keyset paging over day and id, so that no page skips or repeats a visit.
    """
    last = visible_to(actor).filter(pk=after).values_list("on", flat=True).first() if after else None
    if after is not None and last is None:
        return [], None
    parts = []
    for arm in arms(actor):
        rows = narrowed(arm, filters)
        if last is not None:
            rows = rows.filter(Q(on__lt=last) | Q(on=last, pk__lt=after), on__lte=last)
        parts.append(list(rows.order_by("-on", "-pk").values_list("on", "pk")[: size + 1]))
    keys = list(islice(merge_sorted(*parts, reverse=True), size + 1))
    shown = [key for _, key in keys[:size]]
    found = Visit.objects.select_related("place", "body").in_bulk(shown) if shown else {}
    return [found[one] for one in shown], shown[-1] if len(keys) > size else None


def in_pages(actor: Actor, filters: Filters, size: int = 1_000) -> Iterator[list[Visit]]:
    """Return every visit of a list with its party, page by page, for exports."""
    after: UUID | None = None
    while True:
        rows, after = page(actor, filters, after=after, size=size)
        prefetch_related_objects(rows, "visitors")
        if rows:
            yield rows
        if after is None:
            return


def count(actor: Actor, filters: Filters, *, exact: bool = False) -> tuple[int, bool]:
    """Return how many visits fit and whether the number is exact (it is up to 10,000)."""
    total = 0
    for arm in arms(actor):
        rows = narrowed(arm, filters).order_by().values("pk")
        total += rows.count() if exact else rows[: COUNTED_EXACTLY + 1 - total].count()
        if not exact and total > COUNTED_EXACTLY:
            return COUNTED_EXACTLY, False
    return total, True


def visit(actor: Actor, visit_id: UUID) -> Visit:
    """Return one visit of the actor's scope. Raises: Visit.DoesNotExist, for what is not there and what may not be seen."""
    return visible_to(actor).select_related("place", "body").get(pk=visit_id)


def file_of(actor: Actor, visit_id: UUID) -> VisitFile:
    """Return one visit of the actor's scope with its party, answers and findings. Four queries."""
    row = visit(actor, visit_id)
    return VisitFile(
        visit=row,
        visitors=tuple(row.visitors.select_related("person").order_by("id")),
        answers=tuple(row.answers.order_by("code")),
        findings=tuple(row.findings.select_related("hazard").order_by("id")),
    )


def visits_of(actor: Actor, place_id: UUID, limit: int = 200) -> list[Visit]:
    """Return a place's visits within the actor's scope, those of places merged into it included, the latest first."""
    rows = narrowed(visible_to(actor), Filters(place=place_id))
    return list(rows.select_related("body").order_by("-on", "-pk")[:limit])


def strip(actor: Actor, place_id: UUID, until: date) -> list[Mark]:
    """Return the visits of a place in the two years up to ``until``, each found, clean or closed. Two queries."""
    start = until - timedelta(days=STRIP_DAYS)
    rows = narrowed(visible_to(actor), Filters(place=place_id, on_from=start, on_until=until + timedelta(days=1)))
    ended = Cycle.objects.filter(
        Q(hazard__place_id=place_id) | Q(hazard__place__survivor_id=place_id), ended_on=OuterRef("on")
    )
    values = (
        rows.annotate(closed=Exists(ended))
        .order_by("on", "pk")
        .values_list("on", "pk", "number", "findings_count", "closed")
    )
    return [
        Mark(on, "found" if findings else "closed" if closed else "clean", pk, number, findings)
        for on, pk, number, findings, closed in values
    ]


def findings_of(hazard_id: UUID) -> QuerySet[Finding]:
    """Return the visits' findings of a hazard; the scope is the hazard's, which the caller has checked."""
    return Finding.objects.filter(hazard_id=hazard_id).select_related("visit").order_by("visit__on", "id")


def certified_among(person_ids: Iterable[UUID], place: Place, on: date) -> frozenset[UUID]:
    """Return which of these persons may enforce at a place on a day: by post, or by a certificate written at the post."""
    return frozenset(
        person
        for person, since, until, path, parent in _certificates(place.root, tuple(person_ids))
        if since <= on and (until is None or until > on) and (parent is None or place.area_path.startswith(path))
    )


@remembered
def _certificates(
    root: str, person_ids: tuple[UUID, ...]
) -> tuple[tuple[UUID, date, date | None, str, UUID | None], ...]:
    rows = Holding.objects.filter(person_id__in=person_ids, post__root_id=root)
    rows = rows.filter(Q(post__role__in=CERTIFIED_ROLES) | ~Q(certificate=""))
    return tuple(rows.values_list("person_id", "from_on", "until_on", "post__area__path", "post__area__parent_id"))


def found_by(visit: Visit) -> list[Hazard]:
    """Return the hazards that a visit found, for the operation that recorded it."""
    fresh = born_of(Finding, visit.pk)
    if fresh is None:
        return list(Hazard.objects.filter(findings__visit=visit.pk))
    found = {row.hazard_id: row.hazard for row in fresh}
    return [born(Hazard, key) or row for key, row in found.items()]

"""Reads of the ledger: lists that begin at the actor's scope, one hazard with all it carries, and figures."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Coalesce

from anban.base.journal.births import all_born, born, born_of, foresee, foreseen
from anban.base.journal.queries import Line, timeline
from anban.base.people.actor import Actor
from anban.base.textsearch import matching
from anban.contexts.catalog.models import HazardClass
from anban.contexts.catalog.queries import may_order
from anban.contexts.establishments.models import PersonInCharge, Place
from anban.contexts.establishments.search import search_tokens
from anban.contexts.hazards import standing
from anban.contexts.hazards.models import Cycle, Hazard, Measure, Paper, Voice
from anban.contexts.obligations.models import Obligation
from anban.contexts.obligations.queries import held_matters, of_matter
from anban.contexts.responsibility.models import Link
from anban.contexts.responsibility.queries import linked_matters, links_of
from anban.contexts.territory.queries import within
from anban.kit.remember import remember, remembered
from anban.rules import rebound
from anban.rules.hazard_lifecycle import OPEN, Action, Chain, Facts, Grade, Listing, Role, State, Track, allowed_actions

COUNT_LIMIT = 10_000
OPEN_STATES: Final = frozenset(state.value for state in OPEN)
OWN_ARMS = 2
"""The last arms of a scope: the matters a person holds, and those the person found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a ledger URL asks for; empty means everything. Every state of the list is such a value and back."""

    area: str = ""
    states: tuple[str, ...] = ()
    grade: str = ""
    """One grade, or several with commas between."""
    kind: str = ""
    class_code: str = ""
    code: str = ""
    due: str = ""
    rebound: bool = False
    origin: str = ""
    proof: str = ""
    penalised: bool = False
    track: str = ""
    found_from: date | None = None
    found_until: date | None = None
    place: UUID | None = None
    overview: str = ""
    open_only: bool = False
    closed_only: bool = False
    on_watch: bool = False
    mine: bool = False
    q: str = ""
    sort: str = ""
    """Empty for newest first, else one of ``ordering.ORDERS``; it leaves nothing out and counts nothing."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A count that is exact up to its limit and says so beyond (10 000+)."""

    number: int
    exact: bool

    def __str__(self) -> str:
        """Return the count as a page shows it."""
        return f"{self.number:,}".replace(",", " ") + ("" if self.exact else "+")


def arms(actor: Actor) -> list[QuerySet[Hazard]]:
    """Return the actor's scope as disjoint querysets: one per area and sector, one for its places, one for matters it holds.

    Lists page over each and merge: an OR of a range with a set of ids makes both databases scan (709 ms at 10⁶ rows).
    """
    rows = Hazard.objects.filter(root=actor.root)
    if actor.system:
        return [rows]
    grants = [g for g in actor.grants if g.root == actor.root and not g.matter_id and is_business(g.role)]
    if any(g.whole_root for g in grants):
        return [rows]
    conditions: list[Q] = []
    places = [g.place_id for g in grants if g.place_id]
    for path, classes, kinds in sorted(
        {(p, g.classes, g.kinds) for g in grants if not g.place_id for p in (g.paths or ("",))}, key=_order
    ):
        condition = within(path) if path else Q()
        if classes or kinds:
            condition &= Q(class_code__in=classes) | Q(place_kind__in=kinds)
        conditions.append(condition)
    if places:
        conditions.append(Q(place_id__in=places))
    # One list of ids, not an OR of two: an index on ids answers it, whatever the size of the ledger.
    conditions.append(Q(pk__in=linked_matters(actor.person_key).union(held_matters(actor.person_key))))
    conditions.append(Q(finder_id=actor.person_key) if actor.person_id else Q(pk__in=[]))
    made: list[QuerySet[Hazard]] = []
    before = Q(pk__in=[])
    for condition in conditions:
        made.append(rows.filter(condition).exclude(before) if made else rows.filter(condition))
        before |= condition
    return made


def _order(item: tuple[str, frozenset[str], frozenset[str]]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    return item[0], tuple(sorted(item[1])), tuple(sorted(item[2]))


def is_business(role: str) -> bool:
    """Tell whether a role has a part in the business of a root, beside the running of the house (三员分立)."""
    return role not in {"system_admin", "security_admin", "audit_admin"}


def visible_to(actor: Actor) -> QuerySet[Hazard]:
    """Return every hazard that the actor may see, as one queryset (for one row, a count, an export)."""
    parts = arms(actor)
    if len(parts) == 1:
        return parts[0]
    ids = parts[0].values("pk").union(*(part.values("pk") for part in parts[1:]), all=True)
    return Hazard.objects.filter(root=actor.root, pk__in=ids)


def narrowed(rows: QuerySet[Hazard], filters: Filters, *, at: datetime, actor: Actor) -> QuerySet[Hazard]:
    """Return the rows that fit the filters; overdue is ``due < now``, never ``due == today``."""
    if filters.area:
        rows = rows.filter(within(filters.area))
    if filters.overview:
        rows = rows.filter(overview_code=filters.overview)
    states = [state for state in filters.states if not filters.open_only or state in OPEN_STATES]
    if filters.states:
        rows = rows.filter(state__in=states)
    # What a filter implies is said too: a database uses a partial index only where it reads its condition.
    if filters.open_only or (states and OPEN_STATES.issuperset(states)):
        rows = rows.filter(is_open=True)
    if filters.closed_only:
        rows = rows.filter(state=State.CLOSED.value)
    if filters.grade:
        grades = filters.grade.split(",")
        rows = rows.filter(grade__in=grades)
        if Grade.GENERAL.value not in grades:
            rows = rows.exclude(grade=Grade.GENERAL.value)
    plain = {
        "place_kind": filters.kind,
        "class_code": filters.class_code,
        "code": filters.code,
        "origin": filters.origin,
        "proof": filters.proof,
        "track": filters.track,
    }
    rows = rows.filter(**{k: v for k, v in plain.items() if v})
    if filters.rebound:
        rows = rows.filter(rebound_no__gt=0)
    if filters.penalised:
        rows = rows.filter(penalised=True)
    if filters.due == "overdue":
        rows = rows.filter(is_open=True, due_at__lt=at)
    elif filters.due == "running":
        rows = rows.filter(is_open=True, due_at__gte=at)
    if filters.on_watch:
        rows = rows.filter(watch_until__gt=at.date())
    if filters.found_from:
        rows = rows.filter(found_on__gte=filters.found_from)
    if filters.found_until:
        rows = rows.filter(found_on__lt=filters.found_until)
    if filters.place:
        rows = rows.filter(Q(place_id=filters.place) | Q(place__survivor_id=filters.place))
    if filters.mine:
        rows = rows.filter(holder_id=actor.person_key)
    if filters.q:
        rows = _searched(rows, filters.q)
    return rows


def _searched(rows: QuerySet[Hazard], text: str) -> QuerySet[Hazard]:
    wanted = text.strip()
    if wanted.upper().count("-") >= 2 and any(c.isdigit() for c in wanted):
        return rows.filter(number__startswith=wanted.upper())
    return matching(rows, search_tokens(wanted))


def _within_area(actor: Actor, filters: Filters) -> bool:
    """Tell whether a list lies within areas below the city's own, by its filters or by where the actor works."""
    grants = [g for g in actor.grants if g.root == actor.root and not g.matter_id and is_business(g.role)]
    return bool(filters.area) or (not actor.system and all(g.paths or g.place_id for g in grants))


def page(
    actor: Actor, filters: Filters, *, at: datetime, after: UUID | None = None, size: int = 50
) -> tuple[list[Hazard], UUID | None]:
    """Return one page of the ledger, newest first, and the key of the next page (None at the end).

    Keyset paging over the UUIDv7 id: no page is ever skipped or shown twice while others write.
    """
    keys: list[UUID] = []
    parts = arms(actor)
    # An area is a small part of a city: a database that walks the city newest first in the hope of soon having fifty of it
    # reads everything where there are none. Ids wrapped in an expression keep it from trying: it finds first and then sorts.
    newest = Coalesce("pk", "pk").desc() if _within_area(actor, filters) else "-pk"
    for number, arm in enumerate(parts):
        rows = narrowed(arm, filters, at=at, actor=actor)
        if after is not None:
            rows = rows.filter(pk__lt=after)
        # Ids alone first: a covering index answers this without touching the table.
        ids = rows.values_list("pk", flat=True)
        # A person's own matters are few: asked for in order, a database would rather walk the whole city newest first.
        own = len(parts) > 1 and number >= len(parts) - OWN_ARMS
        keys.extend(ids if own else ids.order_by(newest)[: size + 1])
    keys = sorted(set(keys), reverse=True)[: size + 1]
    more = len(keys) > size
    holders = Hazard.objects.filter(pk__in=keys[:size]).select_related("holder", "holder_body")
    shown = {row.pk: row for row in holders}
    found = [shown[key] for key in keys[:size] if key in shown]
    return found, found[-1].pk if more and found else None


def count(actor: Actor, filters: Filters, *, at: datetime, exact: bool = False) -> Counted:
    """Return how many hazards fit, exact to 10,000 unless exactness is asked for."""
    total = 0
    # In the order of the list, so that the same index counts it; within an area whatever narrows most.
    order = () if _within_area(actor, filters) else ("-pk",)
    for arm in arms(actor):
        rows = narrowed(arm, filters, at=at, actor=actor)
        if exact:
            total += rows.count()
            continue
        total += rows.order_by(*order)[: COUNT_LIMIT + 1 - total].count()
        if total > COUNT_LIMIT:
            return Counted(COUNT_LIMIT, exact=False)
    return Counted(total, exact=True)


def hazard(actor: Actor, hazard_id: UUID) -> Hazard:
    """Return one hazard of the actor's scope. Raises: Hazard.DoesNotExist, for what is not there and what may not be seen."""
    return (
        visible_to(actor)
        .select_related(
            "place", "place__area", "holder", "holder_body", "finder", "sent_to_body", "ordering_body", "joined_to"
        )
        .get(pk=hazard_id)
    )


def at_hand(actor: Actor, hazard_id: UUID) -> Hazard | None:
    """Return one hazard of the actor's scope with its place for an operation, or None; also one born in this unit of work."""
    fresh = born(Hazard, hazard_id)
    if fresh is None:
        return visible_to(actor).filter(pk=hazard_id).select_related("place").first()
    return fresh if _reaches(actor, fresh) else None


def _reaches(actor: Actor, row: Hazard) -> bool:
    """Tell of a hazard born in this unit what ``arms`` asks of the database; a test holds the two equal."""
    if row.root != actor.root:
        return False
    if actor.system or row.finder_id == actor.person_key:
        return True
    for grant in actor.grants:
        if grant.root != actor.root or grant.matter_id or not is_business(grant.role):
            continue
        if grant.whole_root or (grant.place_id and grant.place_id == row.place_id):
            return True
        here = not grant.paths or any(row.area_path.startswith(path) for path in grant.paths)
        inside = not (grant.classes or grant.kinds) or row.class_code in grant.classes or row.place_kind in grant.kinds
        if not grant.place_id and here and inside:
            return True
    links = born_of(Link, row.pk) or []
    owed = born_of(Obligation, row.pk) or []
    return any(one.person_id == actor.person_id and one.until_at is None for one in links) or any(
        one.person_id == actor.person_id and one.state == Obligation.State.OPEN for one in owed
    )


def facts_of(row: Hazard) -> Facts:
    """Return what the lifecycle table asks of a hazard beside its state."""
    return Facts(
        chain=Chain(row.chain),
        track=Track(row.track) if row.track else None,
        grade=Grade(row.grade),
        listing=Listing(row.listing),
        prior=State(row.prior_state) if row.prior_state else None,
        designated=row.designated,
        extension_pending=row.extension_wanted_on is not None,
        secured=row.secured,
        ownerless=row.ownerless,
    )


def roles_towards(actor: Actor, row: Hazard) -> frozenset[Role]:
    """Return the actor's roles towards a hazard, from posts, places and the chain."""
    fresh = born_of(Link, row.pk)
    if fresh is not None:
        linked = [one.role for one in fresh if one.person_id == actor.person_id and one.until_at is None]
    else:
        links = Link.objects.filter(matter_id=row.pk, person_id=actor.person_key, until_at__isnull=True)
        linked = list(links.values_list("role", flat=True))
    return standing.roles_in(actor, row, may_order=may_order(row.root, row.class_code) or frozenset(), linked=linked)


def actions(actor: Actor, row: Hazard) -> tuple[Action, ...]:
    """Return what this actor may do to a hazard now: the buttons of the page and the API's ``allowed_actions``."""
    if row.historical:
        return ()
    return allowed_actions(State(row.state), roles_towards(actor, row), facts_of(row))


@dataclass(frozen=True, slots=True)
class Dossier:
    """One hazard with all it carries, for its page and its API body."""

    hazard: Hazard
    cycles: list[Cycle]
    links: list[Link]
    voices: list[Voice]
    papers: list[Paper]
    measures: list[Measure]
    obligations: list[Obligation]
    timeline: list[Line]
    actions: tuple[Action, ...]
    extra: dict[str, Any] = field(default_factory=dict)


def dossier(actor: Actor, hazard_id: UUID) -> Dossier:
    """Return one hazard of the actor's scope with its cycles, chain, voices, papers, measures, duties and timeline."""
    row = hazard(actor, hazard_id)
    return Dossier(
        hazard=row,
        cycles=list(row.cycles.select_related("rectifier", "acceptor", "delister").order_by("no")),
        links=list(links_of(row.pk)),
        voices=list(row.voices.select_related("person").order_by("at", "id")),
        papers=list(row.papers.select_related("issued_by", "body").order_by("issued_at", "id")),
        measures=list(row.measures.select_related("person", "body").order_by("at", "id")),
        obligations=list(of_matter(row.pk)),
        timeline=timeline(("hazard", row.pk)),
        actions=actions(actor, row),
    )


def spot_of(row: Hazard, surviving: UUID) -> rebound.Spot:
    """Return where and what a hazard is, on the surviving place."""
    return rebound.Spot(place=surviving, building=row.building_id, code=row.code, part=row.part)


def same_danger(place: Place, code: str, part: str) -> list[Hazard]:
    """Return the hazards on the ledger that are the same danger at the same place or building, the newest first."""
    if not code:
        return []
    survivor, building = place.survivor_id or place.pk, place.building_id
    rows, home = _standing_dangers(place, code)
    # What was born in this unit is not in the database yet.
    fresh = [row for row in all_born(Hazard) if row.code == code and row.root == place.root]
    rows += [row for row in fresh if row.place_id in home or (building is not None and row.building_id == building)]
    here = rebound.Spot(place=survivor, building=building, code=code, part=part)
    fitting = [
        row for row in rows if rebound.matches(spot_of(row, survivor if row.place_id in home else row.place_id), here)
    ]
    return sorted(fitting, key=lambda row: row.pk, reverse=True)


def _standing_dangers(place: Place, code: str) -> tuple[list[Hazard], set[UUID]]:
    """Return what the database has of a code at a place and in its building, and the ids under which the place goes."""
    survivor, building = place.survivor_id or place.pk, place.building_id
    known = foreseen((DANGERS, place.pk))
    if known is not None and code not in known and code not in (foreseen((DANGERS, building)) or ()):
        return [], {survivor, place.pk}
    places = Place.objects.filter(Q(pk=survivor) | Q(survivor_id=survivor)).values("pk")
    rows = list(Hazard.objects.filter(root=place.root, place_id__in=places, code=code).exclude(state="merged"))
    if building is not None:
        rows += Hazard.objects.filter(root=place.root, building_id=building, code=code).exclude(
            Q(state="merged") | Q(place_id__in=places)
        )
    return rows, set(places.values_list("pk", flat=True)) if rows or all_born(Hazard) else set()


DANGERS = "dangers"


def take_up(actor: Actor, place_ids: Iterable[UUID]) -> None:
    """Lock many places and look up what the ledger has there, for a unit of births that is about to enter hazards at them.

    ``enter`` asks the same one by one where nobody has asked beforehand.
    """
    rows = Place.objects.select_for_update(of=("self",)).select_related("survivor")
    places = list(rows.filter(pk__in=set(place_ids), root=actor.root).order_by("pk"))
    for place in places:
        foresee(("place", place.pk, actor.root), place)
    _foresee_dangers(actor.root, places)
    _foresee_in_charge(places)


def _foresee_dangers(root: str, places: Sequence[Place]) -> None:
    """Look up which codes the ledger has at many places and in their buildings, for ``same_danger``."""
    ids = {place.survivor_id or place.pk for place in places}
    buildings = {place.building_id for place in places if place.building_id}
    found: dict[UUID, set[str]] = {key: set() for key in (*ids, *buildings)}
    near = Q(place_id__in=ids) | Q(place__survivor_id__in=ids)
    rows = Hazard.objects.filter(near | Q(building_id__in=buildings) if buildings else near, root=root)
    for place_id, survivor_id, building_id, code in rows.values_list(
        "place_id", "place__survivor_id", "building_id", "code"
    ):
        for key in (survivor_id or place_id, building_id):
            if key in found:
                found[key].add(code)
    for place in places:
        foresee((DANGERS, place.pk), frozenset(found[place.survivor_id or place.pk]))
    for building in buildings:
        foresee((DANGERS, building), frozenset(found[building]))


def fined_not_fixed(actor: Actor) -> QuerySet[Hazard]:
    """Return the hazards that were penalised and are still open (罚而未改): a list of its own."""
    return visible_to(actor).filter(penalised=True, is_open=True).order_by(F("due_at").asc(nulls_last=True))


def counts_by(actor: Actor, column: str, filters: Filters, *, at: datetime) -> dict[str, int]:
    """Return live counts of the actor's hazards by one column, for small scopes and tests of the roll-up."""
    total: dict[str, int] = {}
    for arm in arms(actor):
        rows = narrowed(arm, filters, at=at, actor=actor).order_by().values(column).annotate(n=Count("pk"))
        for item in rows:
            total[item[column]] = total.get(item[column], 0) + item["n"]
    return total


def run_out(root: str, at: datetime) -> QuerySet[Hazard, tuple[UUID, datetime | None]]:
    """Return the ids of hazards whose term has passed while they were being rectified, and when it ran out."""
    return (
        Hazard.objects.filter(root=root, is_open=True, state=State.RECTIFYING.value, due_at__lt=at)
        .exclude(track=Track.SELF_CHECK.value)
        .order_by("due_at")
        .values_list("pk", "due_at")
    )


def unsigned(root: str, at: datetime) -> QuerySet[Hazard, UUID]:
    """Return the ids of hazards whose transfer was not signed for in time; what the office assigned does not come back."""
    receipts = Obligation.objects.filter(
        root=root, subject_kind="hazard", kind="receive", state=Obligation.State.OPEN, provisional=False, due_at__lt=at
    )
    rows = Hazard.objects.filter(root=root, is_open=True, state=State.AWAITING_RECEIPT.value, designated=False)
    return rows.filter(pk__in=receipts.values("matter_id")).order_by("pk").values_list("pk", flat=True)


def provisional_hazards(root: str) -> QuerySet[Obligation, UUID]:
    """Return the ids of hazards with a duty whose deadline waits for a calendar year to be loaded."""
    return (
        Obligation.objects.filter(root=root, subject_kind="hazard", provisional=True, state=Obligation.State.OPEN)
        .values_list("matter_id", flat=True)
        .distinct()
    )


MAJOR: Final = ("major", "suspected_major", "undetermined")
"""What counts as major until it has been judged otherwise (先管住、再判定)."""

FIGURES: Final = (
    "open", "overdue", "major", "rebound", "penalised_open", "closed", "closed_on_site", "closed_photo", "closed_declared",
)  # fmt: skip
"""The figures of a board in their order: each is the count of the list it opens."""

STREET_LEVELS: Final = 3


def figures_at(at: datetime) -> dict[str, Q]:
    """Return what each figure of a board counts at an instant."""
    closed = Q(state=State.CLOSED.value)
    conditions = (
        Q(is_open=True), Q(is_open=True, due_at__lt=at), Q(is_open=True, grade__in=MAJOR),
        Q(is_open=True, rebound_no__gt=0), Q(is_open=True, penalised=True), closed, closed & Q(proof="on_site"),
        closed & Q(proof="photo"), closed & Q(proof="declared"),
    )  # fmt: skip
    return dict(zip(FIGURES, conditions, strict=True))


def street_of(path: str) -> str:
    """Return the path of the street in which an area path counts."""
    return "".join(f"{part}/" for part in path.split("/")[:STREET_LEVELS] if part)


def page_before(
    actor: Actor, filters: Filters, *, at: datetime, before: UUID, size: int = 50
) -> tuple[list[Hazard], bool]:
    """Return the page of the ledger that lies just above ``before``, newest first, and whether a newer page follows."""
    found: list[Hazard] = []
    for arm in arms(actor):
        rows = narrowed(arm, filters, at=at, actor=actor).filter(pk__gt=before)
        found.extend(rows.order_by("pk").select_related("holder", "holder_body")[: size + 1])
    found.sort(key=lambda row: row.pk)
    more = len(found) > size
    return found[:size][::-1], more


def neighbours(actor: Actor, filters: Filters, *, at: datetime, key: UUID) -> tuple[UUID | None, UUID | None]:
    """Return the ids of the hazards before and after one inside a list, newest first; None at either end."""
    above: list[UUID] = []
    below: list[UUID] = []
    for arm in arms(actor):
        rows = narrowed(arm, filters, at=at, actor=actor).values_list("pk", flat=True)
        above.extend(rows.filter(pk__gt=key).order_by("pk")[:1])
        below.extend(rows.filter(pk__lt=key).order_by("-pk")[:1])
    return min(above, default=None), max(below, default=None)


def in_pages(actor: Actor, filters: Filters, *, at: datetime, size: int = 500) -> Iterator[list[Hazard]]:
    """Yield a whole list page by page, newest first, for an export."""
    after: UUID | None = None
    while True:
        rows, after = page(actor, filters, at=at, after=after, size=size)
        if rows:
            yield rows
        if after is None:
            return


def chosen(actor: Actor, ids: Iterable[UUID]) -> list[Hazard]:
    """Return the hazards among ``ids`` that the actor may see, newest first; the others are left out without a word."""
    return list(visible_to(actor).filter(pk__in=list(ids)).select_related("holder", "holder_body").order_by("-pk"))


def permitted(actor: Actor, rows: Sequence[Hazard], action: Action) -> frozenset[UUID]:
    """Return the ids of the hazards to which the actor may do ``action`` now, from two queries however many rows."""
    powers = {
        (row.root, row.code): frozenset(row.may_order.split(";"))
        for row in HazardClass.objects.filter(root=actor.root, code__in={r.class_code for r in rows})
    }
    linked: dict[UUID, list[str]] = {}
    for matter, role in Link.objects.filter(
        matter_id__in=[r.pk for r in rows], person_id=actor.person_key, until_at__isnull=True
    ).values_list("matter_id", "role"):
        linked.setdefault(matter, []).append(role)
    found = set()
    for row in rows:
        if row.historical:
            continue
        may_order = powers.get((row.root, row.class_code), frozenset())
        roles = standing.roles_in(actor, row, may_order=may_order, linked=linked.get(row.pk, ()))
        if action in allowed_actions(State(row.state), roles, facts_of(row)):
            found.add(row.pk)
    return frozenset(found)


def called_by(
    actor: Actor, *, area_path: str, class_code: str, codes: Collection[str], grades: Collection[str], since: date
) -> QuerySet[Hazard]:
    """Return the hazards in an area found since a day that have one of the items, or a class and one of the grades; newest first."""
    wanted = Q(code__in=codes)
    if class_code:
        wanted |= Q(class_code=class_code, grade__in=grades)
    rows = visible_to(actor).filter(wanted, within(area_path), found_on__gte=since, historical=False)
    return rows.select_related("place").order_by("-found_on", "-id")


def source_keys(ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the key under which a source first told of each hazard (来源编号), for those that came from a file."""
    rows = (
        Voice.objects.filter(hazard_id__in=list(ids), observation__isnull=False)
        .order_by("-at", "-id")
        .values_list("hazard_id", "observation__key")
    )
    return dict(rows)


@remembered
def in_charge(place_id: UUID) -> tuple[PersonInCharge, ...]:
    """Return the persons in charge of a place today, in the order they were named."""
    rows = PersonInCharge.objects.filter(place_id=place_id, until_on__isnull=True)
    return tuple(rows.select_related("person").order_by("id"))


def _foresee_in_charge(places: Sequence[Place]) -> None:
    """Look up the persons in charge of many places at once, for ``in_charge`` in an open memory."""
    found: dict[UUID, list[PersonInCharge]] = {key: [] for p in places for key in (p.pk, p.survivor_id) if key}
    rows = PersonInCharge.objects.filter(place_id__in=found, until_on__isnull=True)
    for row in rows.select_related("person").order_by("id"):
        found[row.place_id].append(row)
    for key, persons in found.items():
        remember(in_charge, tuple(persons), key)


def liable_person(place: Place, grade: str) -> PersonInCharge | None:
    """Return the firm's person for a hazard: the principal for a major one, the safety manager for a general one."""
    rows = in_charge(place.survivor_id or place.pk)
    wanted = (
        (PersonInCharge.Role.SAFETY_MANAGER, PersonInCharge.Role.PRINCIPAL)
        if grade == Grade.GENERAL.value
        else (PersonInCharge.Role.PRINCIPAL, PersonInCharge.Role.SAFETY_MANAGER)
    )
    for role in wanted:
        for row in rows:
            if row.role == role:
                return row
    return None

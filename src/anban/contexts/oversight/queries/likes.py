"""Same case, same treatment (同案同办): like hazards in groups, how they were dealt with, and the likes left alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Exists, Min, OuterRef, Q, QuerySet

from anban.base.people.actor import Actor
from anban.contexts.hazards.models import Cycle, Hazard, Measure
from anban.contexts.oversight.models import InstructedMeasure, LikeCase
from anban.contexts.oversight.queries.instructions import DAY_S, about_hazards
from anban.contexts.oversight.queries.scope import COMMITTEE, covered
from anban.contexts.territory.models import Body
from anban.contexts.territory.queries import within
from anban.rules.comparison import Case, Comparison, Kind, Spell, compare, compare_each, compare_moves, discoveries

Group = tuple[str, str, str, str]
"""Hazard class, place kind, grade, half-year of finding."""

LANDMARK_DAYS = 7
"""Instruction is compared from this day on among matters that had not moved by then: whoever moved sooner needed none."""

MEASURES = (
    Measure.Kind.SIMPLE_PENALTY, Measure.Kind.PENALTY, Measure.Kind.CASE, Measure.Kind.SECURE, Measure.Kind.ESCALATION,
)  # fmt: skip
STOPS = (Measure.Kind.SECURE, Measure.Kind.ESCALATION)
FINES = (Measure.Kind.SIMPLE_PENALTY, Measure.Kind.PENALTY)
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Dealt:
    """One hazard as the comparison sees it: group, body, firm, measure with its day, when it moved, when instructed.

    The body is the one that holds the matter: who ordered is known only where there was an order. The mover is who ordered, else
    who holds it: what moved once told and what untold is compared within a body's own matters, whatever became of them.
    """

    hazard_id: UUID
    group: Group
    area_path: str
    found_on: date
    body_id: UUID | None
    body_kind: str
    mover_id: UUID | None
    affiliation: str
    entered_at: datetime
    moved_at: datetime | None
    measured_at: datetime | None
    instructed_at: datetime | None
    ordered: bool
    stopped: bool
    fined: bool
    fined_yuan: Decimal

    @property
    def noted(self) -> bool:
        """Whether an instruction reached the matter before it could be compared as one that had not moved."""
        return self.instructed_at is not None and self.instructed_at < self.entered_at + timedelta(days=LANDMARK_DAYS)

    @property
    def prompted(self) -> bool:
        """Whether an instruction reached the matter before it moved."""
        return self.instructed_at is not None and (self.moved_at is None or self.instructed_at < self.moved_at)


def group_of(class_code: str, place_kind: str, grade: str, found_on: date) -> Group:
    """Return the group of likes of a hazard: class, place kind, grade, half-year."""
    return class_code, place_kind, grade, f"{found_on.year}H{1 if found_on.month < 7 else 2}"


def dealt(actor: Actor, *, since: date, until: date) -> list[Dealt]:
    """Return how the hazards found in a span in the office's areas were dealt with, in their first cycle."""
    scope = (
        covered(actor, COMMITTEE)
        & Q(found_on__gte=since, found_on__lt=until, joined_to__isnull=True)
        & ~Q(state__in=("merged", "not_founded", "gone"))
    )
    about = {"hazard__root": actor.root, "hazard__historical": False}
    firsts: dict[UUID, datetime] = {}
    touched: dict[UUID, datetime] = {}
    stopped: set[UUID] = set()
    fined: dict[UUID, Decimal] = {}
    taken = Measure.objects.filter(about_hazards(scope), cycle_no=1, **about).order_by("at")
    for hazard_id, kind, at, yuan in taken.values_list("hazard_id", "kind", "at", "yuan"):
        touched.setdefault(hazard_id, at)
        if kind in MEASURES:
            firsts.setdefault(hazard_id, at)
        if kind in STOPS:
            stopped.add(hazard_id)
        if kind in FINES:
            fined[hazard_id] = fined.get(hazard_id, NOTHING) + (yuan or NOTHING)
    told = dict(
        InstructedMeasure.objects.filter(about_hazards(scope), **about)
        .values_list("hazard_id")
        .annotate(first=Min("put_at"))
    )
    body_kinds = dict(Body.objects.filter(root_id=actor.root).values_list("pk", "kind"))
    # One row per case, whatever is asked of it: a city has hundreds of thousands.
    rows: Iterable[Any] = Cycle.objects.filter(about_hazards(scope), no=1, **about).values_list(
        "hazard_id", "opened_at", "ordered_at", "applied_at", "ended_at", "hazard__holder_body_id", "hazard__class_code",
        "hazard__place_kind", "hazard__grade", "hazard__found_on", "hazard__place__affiliation", "hazard__area_path", "hazard__ordering_body_id",
    )  # fmt: skip
    found = []
    for (
        pk,
        opened,
        ordered,
        applied,
        ended,
        holder,
        class_code,
        place_kind,
        grade,
        found_on,
        affiliation,
        path,
        ordering,
    ) in rows:
        moved = [at for at in (ordered, applied, ended, touched.get(pk)) if at is not None]
        measured = [at for at in (ordered, firsts.get(pk)) if at is not None]
        found.append(
            Dealt(
                pk, group_of(class_code, place_kind, grade, found_on), path, found_on, holder, body_kinds.get(holder, ""),
                holder if ordering is None else ordering, affiliation or "", opened, min(moved) if moved else None, min(measured) if measured else None, told.get(pk),
                ordered is not None, pk in stopped, pk in fined, fined.get(pk, NOTHING),
            )
        )  # fmt: skip
    return found


@dataclass(frozen=True, slots=True)
class Result:
    """One comparison with its name for the page and whether it counts as found among all of them."""

    what: str
    key: str
    comparison: Comparison
    found: bool


def compared(
    rows: Sequence[Dealt], horizon_days: int, answered: Mapping[tuple[str, str], date] | None = None
) -> list[Result]:
    """Return all comparisons of a set of cases, held together: instruction, each body, each kind of firm, each body's dependence.

    A body is compared with bodies of its own kind: a street's office, which may not order, and the brigade that does are no likes.
    What a person has ``answered`` is compared anew, from the cases found since that day alone.
    """
    made = [each for each in _comparisons(rows, horizon_days) if each[:2] not in (answered or {})]
    for day in sorted(set((answered or {}).values())):
        again = {subject for subject, since in (answered or {}).items() if since == day}
        fresh = [row for row in rows if row.found_on >= day]
        made += [each for each in _comparisons(fresh, horizon_days) if each[:2] in again]
    found = discoveries([comparison for _, _, comparison in made])
    return [
        Result(what, key, each, found[each.name, each.kind] and (what != "dependence" or (each.difference or 0.0) > 0))
        for what, key, each in made
    ]


def _comparisons(rows: Sequence[Dealt], horizon_days: int) -> list[tuple[str, str, Comparison]]:
    seed = len(rows)
    kinds: tuple[Kind, ...] = ("measure", "time")
    told = _instructed(rows, horizon_days)
    made: list[tuple[str, str, Comparison]] = [
        ("instruction", "", compare("instruction:", kind, told, seed=seed)) for kind in kinds
    ]
    cases = [(row, _case(row, marked=False, start=row.entered_at, horizon_days=horizon_days)) for row in rows]
    by_kind: dict[str, list[tuple[str, Case]]] = {}
    spells: dict[str, list[Spell]] = {}
    for row, case in cases:
        if row.body_id is not None:
            by_kind.setdefault(row.body_kind, []).append((str(row.body_id), case))
        if row.mover_id is not None:
            spells.setdefault(str(row.mover_id), []).append(_spell(row))
    for _kind, pairs in sorted(by_kind.items()):
        made += [("body", key, each) for key, each in compare_each("body", pairs, seed=seed)]
    firms = [(row.affiliation, case) for row, case in cases if row.affiliation]
    made += [("firm", key, each) for key, each in compare_each("firm", firms, seed=seed)]
    made += [
        ("dependence", key, compare_moves(f"dependence:{key}", waited, horizon_days))
        for key, waited in sorted(spells.items())
        if any(each.prompted for each in waited)
    ]
    return made


def _spell(row: Dealt) -> Spell:
    def after(at: datetime | None) -> float | None:
        return None if at is None else max(0.0, (at - row.entered_at).total_seconds() / DAY_S)

    return Spell(row.group, after(row.instructed_at), after(row.moved_at))


def _instructed(rows: Sequence[Dealt], horizon_days: int) -> list[Case]:
    cases = []
    for row in rows:
        landmark = row.entered_at + timedelta(days=LANDMARK_DAYS)
        if row.moved_at is not None and row.moved_at < landmark:
            continue
        cases.append(_case(row, marked=row.noted, start=landmark, horizon_days=horizon_days))
    return cases


def _case(row: Dealt, *, marked: bool, start: datetime, horizon_days: int) -> Case:
    end = start + timedelta(days=horizon_days)
    measured = row.measured_at is not None and row.measured_at <= end
    days = float(horizon_days)
    if row.moved_at is not None:
        days = min(days, max(0.0, round((row.moved_at - start).total_seconds() / DAY_S)))
    return Case(str(row.hazard_id), row.group, marked, measured, days)


def names_of_bodies(ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return the names of bodies by id, in Chinese and English."""
    rows = Body.objects.filter(pk__in=[UUID(one) for one in ids]).values_list("pk", "name", "name_en")
    return {str(pk): (name, english) for pk, name, english in rows}


def untouched(actor: Actor) -> QuerySet[Hazard]:
    """Return the open hazards of the office's areas to which nothing happened: no order, no measure, no application."""
    cycles = Cycle.objects.filter(hazard_id=OuterRef("pk"), no=OuterRef("cycle_no")).filter(
        Q(ordered_at__isnull=False) | Q(applied_at__isnull=False)
    )
    measures = Measure.objects.filter(hazard_id=OuterRef("pk"), cycle_no=OuterRef("cycle_no"))
    return (
        Hazard.objects.filter(covered(actor, COMMITTEE), root=actor.root, is_open=True, historical=False)
        .filter(joined_to__isnull=True)
        .filter(~Exists(cycles), ~Exists(measures))
    )


@dataclass(frozen=True, slots=True)
class Left:
    """One like case that was left alone, with the instructed case it is like."""

    hazard: Hazard
    like: Hazard
    days: int


def left_alone(actor: Actor, at: datetime, *, area_path: str = "", least_days: int = LANDMARK_DAYS) -> list[Left]:
    """Return the likes of instructed cases that nobody touched for some days and nobody put on a desk (同类未处理).

    Like is: same check item where both name one, else same class; same place kind, grade and half-year.
    """
    told = (
        Hazard.objects.filter(covered(actor, COMMITTEE), root=actor.root, instructed__isnull=False, historical=False)
        .exclude(state__in=("merged", "not_founded"))
        .order_by("found_on", "pk")
    )
    heads: dict[tuple[Group, str], Hazard] = {}
    for row in told:
        heads.setdefault((group_of(row.class_code, row.place_kind, row.grade, row.found_on), row.code), row)
    if not heads:
        return []
    kinds = {(group[0], group[1]) for group, _ in heads}
    put = LikeCase.objects.filter(hazard_id=OuterRef("pk"), cycle_no=OuterRef("cycle_no"))
    rows = (
        untouched(actor)
        .filter(instructed__isnull=True, entered_at__lte=at - timedelta(days=least_days))
        .filter(class_code__in={a for a, _ in kinds}, place_kind__in={b for _, b in kinds})
        .filter(~Exists(put))
        .select_related("holder", "holder_body")
        .order_by("area_path", "pk")
    )
    if area_path:
        rows = rows.filter(within(area_path))
    found = []
    for row in rows:
        like = heads.get((group_of(row.class_code, row.place_kind, row.grade, row.found_on), row.code))
        if like is not None:
            found.append(Left(row, like, int((at - row.entered_at).total_seconds() // DAY_S)))
    return found


@dataclass(frozen=True, slots=True)
class Measured:
    """The dated list of measures of a cycle: order, stop, fine."""

    what: str
    at: datetime
    yuan: str


def measures_of(row: Hazard) -> list[Measured]:
    """Return what was done in a hazard's present cycle, by day; its scope is the hazard's."""
    found = []
    cycle = Cycle.objects.filter(hazard=row, no=row.cycle_no).first()
    if cycle is not None and cycle.ordered_at is not None:
        found.append(Measured("order", cycle.ordered_at, ""))
    for one in Measure.objects.filter(hazard=row, cycle_no=row.cycle_no):
        what = "stop" if one.kind in STOPS else "fine" if one.kind in FINES else one.kind
        found.append(Measured(what, one.at, f"{one.yuan:f}" if one.yuan is not None else ""))
    return sorted(found, key=lambda one: one.at)


@dataclass(slots=True)
class Tally:
    """How some like cases were dealt with: how many, under order, stopped, fined and with how much, and without any measure."""

    cases: int = 0
    orders: int = 0
    stops: int = 0
    fines: int = 0
    yuan: Decimal = field(default_factory=Decimal)
    none: int = 0

    def add(self, row: Dealt) -> None:
        """Count one case."""
        self.cases += 1
        self.orders += row.ordered
        self.stops += row.stopped
        self.fines += row.fined
        self.yuan += row.fined_yuan
        self.none += row.measured_at is None


def measures_by_group(rows: Iterable[Dealt]) -> dict[Group, Tally]:
    """Return the measures of each group of likes, the largest group first."""
    found: dict[Group, Tally] = {}
    for row in rows:
        found.setdefault(row.group, Tally()).add(row)
    return dict(sorted(found.items(), key=lambda item: (-item[1].cases, item[0])))

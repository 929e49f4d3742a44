"""Reads of instructions and upper documents, and how much each body's matters depend on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Min, Q, QuerySet

from anban.base.people.actor import Actor
from anban.contexts.hazards.models import Cycle, Measure
from anban.contexts.oversight.models import InstructedMeasure, Instruction
from anban.contexts.oversight.queries.scope import COMMITTEE, LEADERS, covered
from anban.contexts.territory.models import Body
from anban.contexts.territory.queries import within
from anban.rules.comparison import Interval, median, proportion

DAY_S = 86_400


def visible_to(actor: Actor) -> QuerySet[Instruction]:
    """Return the instructions of the areas for which the actor is the committee's office or a leader."""
    return Instruction.objects.filter(covered(actor, (*LEADERS, "steward")), root=actor.root)


def register_of(actor: Actor, *, only: str = "", area_path: str = "", on: date | None = None) -> QuerySet[Instruction]:
    """Return the register, the newest first; ``only`` is ``red`` (no measure yet), ``open``, ``late`` or empty."""
    rows = visible_to(actor).select_related("registrar")
    if area_path:
        rows = rows.filter(within(area_path))
    if only == "red":
        rows = rows.filter(measures_count=0)
    elif only == "open":
        rows = rows.filter(measures__state=InstructedMeasure.State.OPEN).distinct()
    elif only == "late" and on is not None:
        late = Q(measures_count=0, due_on__lt=on) | Q(
            measures__state=InstructedMeasure.State.OPEN, measures__due_on__lt=on
        )
        rows = rows.filter(late).distinct()
    return rows.order_by("-issued_on", "-id")


def instruction(actor: Actor, instruction_id: UUID) -> Instruction | None:
    """Return one instruction that the actor may see."""
    return visible_to(actor).select_related("registrar").filter(pk=instruction_id).first()


def measures_of(row: Instruction) -> QuerySet[InstructedMeasure]:
    """Return what an instruction became, by matter; its scope is the instruction's."""
    return row.measures.select_related("hazard", "person", "body").order_by("put_at", "id")


def measure(actor: Actor, measure_id: UUID) -> InstructedMeasure | None:
    """Return one measure: its person's own, or of the areas for which the actor is the committee's office or a leader."""
    mine = Q(person_id=actor.person_key)
    seen = covered(actor, LEADERS, "hazard__area_path")
    rows = InstructedMeasure.objects.filter(mine | seen, instruction__root=actor.root)
    return rows.select_related("instruction", "hazard", "person").filter(pk=measure_id).first()


def instructed(hazard_id: UUID) -> QuerySet[InstructedMeasure]:
    """Return the instructions that reached a matter, the earliest first; its scope is the matter's."""
    return (
        InstructedMeasure.objects.filter(hazard_id=hazard_id).select_related("instruction", "person").order_by("put_at")
    )


@dataclass(frozen=True, slots=True)
class Moved:
    """A matter's first cycle: when it was entered, when it first moved (order, measure, application, end), if ever.

    ``body_id`` is who ordered, else who holds it; ``holder_id`` who holds it, whatever came of it.
    """

    hazard_id: UUID
    body_id: UUID | None
    holder_id: UUID | None
    entered_at: datetime
    moved_at: datetime | None


def movements(hazards: Q, root_code: str) -> list[Moved]:
    """Return when matters first moved: in two queries, whatever their number."""
    measured = dict(
        Measure.objects.filter(about_hazards(hazards), hazard__root=root_code, cycle_no=1)
        .values_list("hazard_id")
        .annotate(first=Min("at"))
    )
    rows: Iterable[Any] = Cycle.objects.filter(about_hazards(hazards), hazard__root=root_code, hazard__historical=False, no=1).values_list(
        "hazard_id", "hazard__ordering_body_id", "hazard__holder_body_id", "opened_at", "ordered_at", "applied_at", "ended_at"
    )  # fmt: skip
    found = []
    for hazard_id, ordering, holding, opened, *moments in rows:
        known = [at for at in (*moments, measured.get(hazard_id)) if at is not None]
        found.append(Moved(hazard_id, ordering or holding, holding, opened, min(known) if known else None))
    return found


def about_hazards(hazards: Q) -> Q:
    """Return a predicate on hazards as one on rows that point at them."""
    made = Q(_connector=hazards.connector, _negated=hazards.negated)
    for child in hazards.children:
        if isinstance(child, Q):
            made.children.append(about_hazards(child))
        elif isinstance(child, tuple):
            made.children.append((f"hazard__{child[0]}", child[1]))
    return made


@dataclass(frozen=True, slots=True)
class Dependence:
    """How much a body's matters depend on instructions; silent where there are too few (不足以判断)."""

    body: Body
    matters: int
    instructed: int
    only_after: Interval
    before_first: float | None
    days_before: Interval
    days_after: Interval


def dependence(actor: Actor, since: date) -> list[Dependence]:
    """Return the dependence of each body, in the order of bodies' names: for the committee's office alone.

    A matter counts as moved only by instruction when nothing had happened to it before its first instruction and something
    did afterwards. What is compared is what is recorded: which matters reach a leader is not left to chance.
    """
    scope = covered(actor, COMMITTEE) & Q(found_on__gte=since)
    rows = movements(scope, actor.root)
    puts: dict[UUID, list[datetime]] = {}
    told = InstructedMeasure.objects.filter(about_hazards(scope), hazard__root=actor.root).order_by("put_at")
    for hazard_id, put_at in told.values_list("hazard_id", "put_at"):
        puts.setdefault(hazard_id, []).append(put_at)
    by_body: dict[UUID, list[Moved]] = {}
    for row in rows:
        if row.body_id is not None:
            by_body.setdefault(row.body_id, []).append(row)
    bodies = Body.objects.filter(pk__in=list(by_body)).order_by("area__path", "name")
    return [_of_body(body, by_body[body.pk], puts) for body in bodies]


def _of_body(body: Body, rows: Iterable[Moved], puts: dict[UUID, list[datetime]]) -> Dependence:
    moved = instructed_count = only_after = 0
    counts: list[int] = []
    before: list[float] = []
    after: list[float] = []
    for row in rows:
        given = puts.get(row.hazard_id, [])
        if row.moved_at is not None:
            moved += 1
        if not given:
            continue
        instructed_count += 1
        if row.moved_at is not None and row.moved_at < given[0]:
            continue
        before.append((given[0] - row.entered_at).total_seconds() / DAY_S)
        if row.moved_at is not None:
            only_after += 1
            counts.append(sum(at <= row.moved_at for at in given))
            after.append((row.moved_at - given[0]).total_seconds() / DAY_S)
    return Dependence(
        body, moved, instructed_count, proportion(only_after, moved), sum(counts) / len(counts) if counts else None,
        median(before), median(after),
    )  # fmt: skip

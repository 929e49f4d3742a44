"""Reads of obligations: a person's desk, a matter's duties, an area's debts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet

from anban.base.journal.births import born_of
from anban.base.people.actor import Actor
from anban.contexts.obligations.models import EscalationStep, Handover, Obligation, Pause
from anban.contexts.territory.queries import scope_paths, within
from anban.rules import escalation


@dataclass(frozen=True, slots=True)
class DeskFigures:
    """What a desk says at the top: each a filter of the same list."""

    overdue: int
    this_week: int
    to_review: int
    returned: int
    all_open: int
    to_sign: int


FILTERS = ("all", "overdue", "week", "review", "returned")


def visible_to(actor: Actor) -> QuerySet[Obligation]:
    """Return the obligations that the actor may see: its own, and those of the areas it supervises."""
    rows = Obligation.objects.filter(root=actor.root)
    if actor.system:
        return rows
    paths = scope_paths(actor)
    if paths is None:
        return rows
    seen = Q(person_id=actor.person_key)
    for path in paths:
        seen |= within(path)
    return rows.filter(seen)


def desk(actor: Actor, *, at: datetime, week_end: datetime, only: str = "all") -> QuerySet[Obligation]:
    """Return what the actor's person owes now, the most pressing first; ``only`` is one of FILTERS."""
    rows = Obligation.objects.filter(root=actor.root, person_id=actor.person_key, state=Obligation.State.OPEN)
    rows = narrowed(rows, only, at=at, week_end=week_end)
    return rows.order_by(F("due_at").asc(nulls_last=True), "id")


def narrowed(rows: QuerySet[Obligation], only: str, *, at: datetime, week_end: datetime) -> QuerySet[Obligation]:
    """Return the obligations that one of FILTERS leaves; overdue is ``due < now``, never ``due == today``."""
    chosen = {
        "overdue": Q(due_at__lt=at),
        "week": Q(due_at__gte=at, due_at__lt=week_end),
        "review": Q(kind__in=("review", "accept", "verify")),
        "returned": Q(kind="returned"),
    }.get(only)
    return rows.filter(chosen) if chosen is not None else rows


def desk_figures(actor: Actor, *, at: datetime, week_end: datetime) -> DeskFigures:
    """Return the counts at the top of the desk, in one query, and the handovers waiting for a signature, in another."""
    rows = Obligation.objects.filter(root=actor.root, person_id=actor.person_key, state=Obligation.State.OPEN)
    counted = rows.aggregate(
        all_open=Count("id"),
        overdue=Count("id", filter=Q(due_at__lt=at)),
        this_week=Count("id", filter=Q(due_at__gte=at, due_at__lt=week_end)),
        to_review=Count("id", filter=Q(kind__in=("review", "accept", "verify"))),
        returned=Count("id", filter=Q(kind="returned")),
    )
    return DeskFigures(**counted, to_sign=handovers_to_sign(actor).count())


def handovers_to_sign(actor: Actor) -> QuerySet[Handover]:
    """Return what others want to hand to the actor's person and is not yet signed for."""
    return (
        Handover.objects.filter(
            to_person_id=actor.person_key, signed_at__isnull=True, declined_at__isnull=True, obligation__root=actor.root
        )
        .select_related("obligation", "from_person")
        .order_by("offered_at")
    )


def handovers_offered(obligation_ids: Iterable[UUID]) -> dict[UUID, Handover]:
    """Return the handovers that wait for a signature, by the obligation they are about, which the caller has in its scope."""
    rows = Handover.objects.filter(
        obligation_id__in=list(obligation_ids), signed_at__isnull=True, declined_at__isnull=True
    ).select_related("to_person")
    return {row.obligation_id: row for row in rows}


def of_matter(matter_id: UUID) -> QuerySet[Obligation]:
    """Return every obligation about a matter, open and past; its scope is the matter's, which the caller has checked."""
    return (
        Obligation.objects.filter(matter_id=matter_id)
        .select_related("person", "body")
        .prefetch_related("steps")
        .order_by("opened_at", "id")
    )


def held_matters(person_id: UUID) -> QuerySet[Obligation, UUID]:
    """Return the ids of the matters about which a person owes something: what one must act on, one may see."""
    return Obligation.objects.filter(person_id=person_id, state=Obligation.State.OPEN).values_list(
        "matter_id", flat=True
    )


def owed_by(
    person_id: UUID, matter_id: UUID, kinds: Iterable[str] | None = None, *, subject_id: UUID | None = None
) -> bool:
    """Tell whether a person owes something about a matter now (of ``kinds``, about one subject)."""
    rows = Obligation.objects.filter(person_id=person_id, matter_id=matter_id, state=Obligation.State.OPEN)
    if kinds is not None:
        rows = rows.filter(kind__in=list(kinds))
    if subject_id is not None:
        rows = rows.filter(subject_id=subject_id)
    return rows.exists()


def is_owed(matter_id: UUID, kind: str) -> bool:
    """Tell whether anybody owes a kind of duty about a matter now."""
    return Obligation.objects.filter(matter_id=matter_id, kind=kind, state=Obligation.State.OPEN).exists()


def steps_of(matter_id: UUID) -> QuerySet[EscalationStep]:
    """Return the escalation steps taken about a matter."""
    return EscalationStep.objects.filter(obligation__matter_id=matter_id).order_by("taken_at")


def overdue_open(root: str, at: datetime) -> QuerySet[Obligation]:
    """Return a root's open obligations whose due instant has passed (``due < now``, never on the day itself)."""
    return Obligation.objects.filter(root=root, state=Obligation.State.OPEN, due_at__lt=at).order_by("due_at", "id")


def steps_taken(obligation_ids: Iterable[UUID]) -> dict[UUID, frozenset[str]]:
    """Return the ids of the ladder steps already taken, per obligation."""
    taken: dict[UUID, set[str]] = {}
    rows = EscalationStep.objects.filter(obligation_id__in=list(obligation_ids)).values_list("obligation_id", "step")
    for obligation_id, step in rows:
        taken.setdefault(obligation_id, set()).add(step)
    return {key: frozenset(value) for key, value in taken.items()}


def pauses_of(obligation_ids: Iterable[UUID]) -> dict[UUID, tuple[escalation.Pause, ...]]:
    """Return the ladder steps that are held back, per obligation."""
    held: dict[UUID, list[escalation.Pause]] = {}
    for row in Pause.objects.filter(obligation_id__in=list(obligation_ids)):
        held.setdefault(row.obligation_id, []).append(escalation.Pause(row.step, row.until_at))
    return {key: tuple(value) for key, value in held.items()}


def pauses_of_matter(matter_id: UUID, obligation_ids: Iterable[UUID]) -> dict[UUID, tuple[escalation.Pause, ...]]:
    """Return the ladder steps that are held back about one matter; nobody has paused what was born in this moment."""
    return pauses_of(obligation_ids) if born_of(Obligation, matter_id) is None else {}


def overdue_of_matter(matter_id: UUID, at: datetime) -> list[Obligation]:
    """Return the open obligations of one matter whose due instant has passed, the earliest first."""
    fresh = born_of(Obligation, matter_id)
    if fresh is None:
        rows = Obligation.objects.filter(matter_id=matter_id, state=Obligation.State.OPEN, due_at__lt=at)
        return list(rows.order_by("due_at", "id"))
    late = [row for row in fresh if row.state == Obligation.State.OPEN and row.due_at is not None and row.due_at < at]
    return sorted(late, key=lambda row: (row.due_at or at, row.pk))


def steps_of_matter(matter_id: UUID) -> dict[UUID, frozenset[str]]:
    """Return the ids of the ladder steps already taken about one matter, per obligation."""
    fresh = born_of(EscalationStep, matter_id)
    rows = EscalationStep.objects.filter(obligation__matter_id=matter_id) if fresh is None else fresh
    taken: dict[UUID, set[str]] = {}
    for row in rows:
        taken.setdefault(row.obligation_id, set()).add(row.step)
    return {key: frozenset(value) for key, value in taken.items()}

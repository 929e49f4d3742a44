"""Reads of accidents: lists that begin at the actor's scope."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db.models import Q, QuerySet

from anban.base.people.actor import Actor
from anban.contexts.accidents.models import Accident, Involved
from anban.contexts.territory.queries import within

KINDS = tuple(Accident.Kind.choices)
"""The kinds of accident and what they are called."""

READERS = (
    "street_safety_office", "street_deputy", "street_director", "district_committee_officer", "district_regulator",
    "district_regulator_head", "city_committee_officer", "leader_viewer", "steward",
)  # fmt: skip


def visible_to(actor: Actor) -> QuerySet[Accident]:
    """Return the accidents of the areas that the actor's posts cover."""
    rows = Accident.objects.filter(root=actor.root)
    if actor.system:
        return rows
    seen = Q(pk__in=[])
    for grant in actor.grants:
        if grant.root != actor.root or grant.role not in READERS or grant.place_id or grant.matter_id:
            continue
        if not grant.paths:
            return rows
        for path in grant.paths:
            seen |= within(path)
    return rows.filter(seen)


def accident(actor: Actor, accident_id: UUID) -> Accident | None:
    """Return one accident that the actor may see."""
    return visible_to(actor).select_related("place").filter(pk=accident_id).first()


def accident_by_id(root: str, accident_id: UUID) -> Accident | None:
    """Return one accident of a root: for whoever owes something about it, whose duty the caller has checked."""
    return Accident.objects.select_related("place").filter(root=root, pk=accident_id).first()


def involved_in(accident_id: UUID) -> QuerySet[Involved]:
    """Return whom an accident's report names; its scope is the accident's, which the caller has checked."""
    return Involved.objects.filter(accident_id=accident_id).select_related("person", "body").order_by("id")


def earlier_of_firm(row: Accident) -> list[date]:
    """Return the days of the same firm's earlier accidents: by its place, or by its name where no place is known."""
    same = Q(place_id=row.place_id) if row.place_id else Q(place__isnull=True, unit_name=row.unit_name)
    rows = Accident.objects.filter(same, root=row.root, on__lt=row.on).exclude(pk=row.pk)
    return list(rows.order_by("on").values_list("on", flat=True))


def first_on(root: str) -> date | None:
    """Return the day of a root's first accident on record: since when the book is kept."""
    return Accident.objects.filter(root=root).order_by("on").values_list("on", flat=True).first()

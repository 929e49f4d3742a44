"""Reads of accountability: the sanction board, one case with its items, accidents without a case."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from anban.base.people.actor import Actor
from anban.contexts.accidents.models import Accident
from anban.contexts.oversight.models import SanctionCase, SanctionItem
from anban.contexts.oversight.queries.scope import LEADERS, covered
from anban.contexts.territory.queries import within
from anban.rules.accountability import Item, ItemState, Subject


def visible_to(actor: Actor) -> QuerySet[SanctionCase]:
    """Return the cases of the areas for which the actor is the committee's office or a leader."""
    return SanctionCase.objects.filter(covered(actor, LEADERS), root=actor.root)


def board(actor: Actor, *, only: str = "", area_path: str = "") -> QuerySet[SanctionCase]:
    """Return the board, red cases first, then the newest; ``only`` is ``red``, ``open`` or empty."""
    rows = visible_to(actor).select_related("accident", "hazard").prefetch_related("items__person")
    if area_path:
        rows = rows.filter(within(area_path))
    if only == "red":
        rows = rows.filter(is_red=True)
    elif only == "open":
        rows = rows.filter(is_open=True)
    return rows.order_by("-is_red", "-happened_on", "-id")


def case(actor: Actor, case_id: UUID) -> SanctionCase | None:
    """Return one case that the actor may see."""
    return visible_to(actor).select_related("accident", "hazard").filter(pk=case_id).first()


def items_of(row: SanctionCase) -> QuerySet[SanctionItem]:
    """Return a case's items: the unit first, then the persons in the order they were named; its scope is the case's."""
    return row.items.select_related("person", "handler").order_by("-subject", "id")


def item(actor: Actor, item_id: UUID) -> SanctionItem | None:
    """Return one item of a case that the actor may see."""
    rows = SanctionItem.objects.filter(pk=item_id, case__in=visible_to(actor).values("pk"))
    return rows.select_related("case", "person").first()


def facts_of(row: SanctionCase) -> tuple[list[Item], list[str]]:
    """Return what the rules ask about a case: its items, and the links of the cause."""
    items = [Item(Subject(i.subject), ItemState(i.state), i.link, i.direct) for i in row.items.all()]
    return items, [link for link in row.causes.split("；") if link]


def accidents_without_case(root_code: str) -> QuerySet[Accident]:
    """Return the accidents that nobody was held accountable for yet, the earliest first."""
    return Accident.objects.filter(root=root_code, sanctions__isnull=True).order_by("on", "id")

"""The ledger in another order than newest first: by term, by day of finding, by place; keyset pages as everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from anban.base.people.actor import Actor
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.queries import Filters, arms, narrowed

Value = datetime | date | UUID | None
Key = tuple[Value, UUID]


@dataclass(frozen=True, slots=True)
class Order:
    """A column by which the ledger is put in order; what has nothing in it stands last, equals stand newest first."""

    column: str
    descending: bool = False
    nullable: bool = False

    def rank(self, key: Key) -> tuple[int, float, int]:
        """Return where a key stands: whether it has a value, the value, and the newer id before the older."""
        value, pk = key
        sign = -1 if self.descending else 1
        return (value is None, sign * _number(value), -pk.int)


ORDERS: Final[Mapping[str, Order]] = MappingProxyType(
    {
        "due": Order("due_at", nullable=True),
        "found": Order("found_on", descending=True),
        "place": Order("place_id"),
    }
)
"""Each has an index that answers it, and none is computed: a page costs the same wherever in the list it lies."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One page in an order: its rows, and the cursors of the pages after and before it (empty at either end)."""

    rows: tuple[Hazard, ...]
    after: str = ""
    before: str = ""


def _number(value: Value) -> float | int:
    if isinstance(value, UUID):
        return value.int
    if isinstance(value, datetime):
        # Whole microseconds: a float would take two instants for one.
        return int(value.timestamp()) * 1_000_000 + value.microsecond
    return value.toordinal() if value is not None else 0


def cursor(key: Key) -> str:
    """Return a key as it stands in an address."""
    value, pk = key
    return f"{'' if value is None else value.hex if isinstance(value, UUID) else value.isoformat()}~{pk.hex}"


def parse(text: str, sort: str) -> Key | None:
    """Return the key that an address names, None where it means nothing."""
    value, mark, pk = text.partition("~")
    order = ORDERS[sort]
    try:
        if not mark or (not value and not order.nullable):
            return None
        kinds: dict[str, Any] = {"due": datetime.fromisoformat, "found": date.fromisoformat, "place": UUID}
        read: Value = kinds[sort](value) if value else None
        if isinstance(read, datetime) and read.tzinfo is None:
            return None
        return read, UUID(pk)
    except ValueError:
        return None


def page(
    actor: Actor, filters: Filters, *, at: datetime, after: Key | None = None, before: Key | None = None, size: int = 50
) -> Listed:
    """Return one page of the ledger in the order that the filters ask for, after or before a key."""
    order = ORDERS[filters.sort]
    back = before is not None
    keys = _keys(actor, filters, order, at=at, edge=before if back else after, back=back, size=size + 1)
    more, keys = len(keys) > size, keys[:size]
    if back:
        keys.reverse()
    shown = {
        row.pk: row
        for row in Hazard.objects.filter(pk__in=[pk for _, pk in keys]).select_related("holder", "holder_body")
    }
    rows = tuple(shown[pk] for _, pk in keys if pk in shown)
    if not keys:
        return Listed(())
    newer, older = (more, True) if back else (after is not None, more)
    return Listed(rows, cursor(keys[-1]) if older else "", cursor(keys[0]) if newer else "")


def neighbours(actor: Actor, filters: Filters, *, at: datetime, key: UUID) -> tuple[UUID | None, UUID | None]:
    """Return the ids of the hazards before and after one inside an ordered list; None at either end."""
    order = ORDERS[filters.sort]
    value = Hazard.objects.filter(pk=key).values_list(order.column, flat=True).first()
    found = [_keys(actor, filters, order, at=at, edge=(value, key), back=back, size=1) for back in (True, False)]
    above, below = (one[0][1] if one else None for one in found)
    return above, below


def _keys(
    actor: Actor, filters: Filters, order: Order, *, at: datetime, edge: Key | None, back: bool, size: int
) -> list[Key]:
    """Return the next keys beyond an edge, drawn from every arm of the scope and merged; as many queries wherever it lies."""
    found: set[Key] = set()
    for arm in arms(actor):
        rows = narrowed(arm, filters, at=at, actor=actor)
        for part in _parts(rows, order, edge, back=back):
            found.update(part.values_list(order.column, "pk")[:size])
    return sorted(found, key=order.rank, reverse=back)[:size]


def _parts(rows: QuerySet[Hazard], order: Order, edge: Key | None, *, back: bool) -> list[QuerySet[Hazard]]:
    """Return what lies beyond an edge: rows with a value, then those without one; each by its own range of the index."""
    column, up = order.column, order.descending == back
    sign = "" if up else "-"
    newest = "pk" if back else "-pk"
    valued = rows.filter(**{f"{column}__isnull": False}) if order.nullable else rows
    empty = rows.filter(**{f"{column}__isnull": True}) if order.nullable else None
    if edge is not None:
        value, pk = edge
        beyond = Q(pk__gt=pk) if back else Q(pk__lt=pk)
        if value is not None:
            further = "gt" if up else "lt"
            # The plain bound first: a range of the index, where an OR alone would read it all.
            valued = valued.filter(**{f"{column}__{further}e": value}).filter(
                Q(**{f"{column}__{further}": value}) | beyond
            )
            if back and empty is not None:
                empty = empty.none()
        else:
            valued = valued if back else valued.none()
            empty = empty.filter(beyond) if empty is not None else None
    parts = [valued.order_by(f"{sign}{column}", newest)]
    return [*parts, empty.order_by(newest)] if empty is not None else parts

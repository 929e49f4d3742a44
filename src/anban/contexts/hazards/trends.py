"""What was found lately against what was found before: counts of two spans of equal length, each the count of a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from django.db.models import Count, Q

from anban.base.people.actor import Actor
from anban.contexts.hazards.queries import MAJOR, arms

SPAN_DAYS: Final = 30

KINDS: Final[Mapping[str, Q]] = MappingProxyType(
    {"open": Q(), "major": Q(grade__in=MAJOR), "rebound": Q(rebound_no__gt=0)}
)
"""What is found is an event and can be compared; what is overdue or fined and still open is a stock, and has no such counts."""


@dataclass(frozen=True, slots=True)
class Found:
    """How many were found in the span that ends today, and in the one before it."""

    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Spans:
    """The two spans, each from a day until (exclusive) another."""

    before_from: date
    after_from: date
    until: date

    @classmethod
    def to(cls, on: date) -> Spans:
        """Return the spans that end with a day."""
        until = on + timedelta(days=1)
        middle = until - timedelta(days=SPAN_DAYS)
        return cls(middle - timedelta(days=SPAN_DAYS), middle, until)


def found_lately(actor: Actor, on: date) -> dict[str, Found]:
    """Return what was found lately of each kind in the actor's scope; the index by day of finding answers it alone."""
    spans = Spans.to(on)
    late = Q(found_on__gte=spans.after_from)
    wanted = {
        f"{side}_{kind}": Count("pk", filter=condition & (late if side == "after" else ~late))
        for kind, condition in KINDS.items()
        for side in ("before", "after")
    }
    total = dict.fromkeys(wanted, 0)
    for arm in arms(actor):
        rows = arm.filter(found_on__gte=spans.before_from, found_on__lt=spans.until).order_by()
        for name, number in rows.aggregate(**wanted).items():
            total[name] += number
    return {kind: Found(total[f"before_{kind}"], total[f"after_{kind}"]) for kind in KINDS}

"""Reads of the catalog: what a root's codes mean on a day. The catalog is public within its root."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TypeVar

from django.db.models import Q, QuerySet

from anban.contexts.catalog.models import HazardClass, HazardCode, Industry, PlaceKind, Sector, Term
from anban.kit.remember import is_remembering, remembered

T = TypeVar("T", bound=Term)


def _on(rows: QuerySet[T], on: date | None) -> QuerySet[T]:
    if on is None:
        return rows
    return rows.filter(Q(from_on__isnull=True) | Q(from_on__lte=on), Q(until_on__isnull=True) | Q(until_on__gt=on))


def hazard_classes(root: str, on: date | None = None) -> QuerySet[HazardClass]:
    """Return the hazard classes of a root in force on a day (all when no day is given)."""
    return _on(HazardClass.objects.filter(root=root), on).order_by("code")


def hazard_codes(root: str, on: date | None = None) -> QuerySet[HazardCode]:
    """Return the hazard codes (check items) of a root in force on a day."""
    return _on(HazardCode.objects.filter(root=root), on).order_by("code")


def codes_asked(root: str, on: date, lists: Iterable[str], named: Iterable[str]) -> frozenset[str]:
    """Return which codes in force on a day stand on these lists or among those named."""
    wanted, names = set(lists), set(named)
    if not is_remembering():
        rows = hazard_codes(root, on).filter(Q(list_code__in=wanted) | Q(code__in=names))
        return frozenset(rows.values_list("code", flat=True))
    return frozenset(
        code
        for code, of_list, since, until in _dated_codes(root)
        if (of_list in wanted or code in names) and (since is None or since <= on) and (until is None or until > on)
    )


@remembered
def _dated_codes(root: str) -> tuple[tuple[str, str, date | None, date | None], ...]:
    return tuple(HazardCode.objects.filter(root=root).values_list("code", "list_code", "from_on", "until_on"))


def place_kinds(root: str, on: date | None = None) -> QuerySet[PlaceKind]:
    """Return the place kinds of a root in force on a day."""
    return _on(PlaceKind.objects.filter(root=root), on).order_by("code")


def industries(root: str, on: date | None = None) -> QuerySet[Industry]:
    """Return the industries of a root in force on a day."""
    return _on(Industry.objects.filter(root=root), on).order_by("code")


def sectors(root: str, on: date | None = None) -> QuerySet[Sector]:
    """Return the sectors of a root in force on a day."""
    return _on(Sector.objects.filter(root=root), on).order_by("code")


@remembered
def sector_scope(root: str, code: str, on: date) -> tuple[frozenset[str], frozenset[str]]:
    """Return the hazard classes and place kinds of a sector.

    A sector that the catalog doesn't know covers nothing: an unknown limit never widens what somebody sees.
    """
    row = sectors(root, on).filter(code=code).first()
    if row is None:
        return frozenset({"-"}), frozenset({"-"})
    classes = frozenset(c for c in row.classes.split(";") if c)
    kinds = frozenset(k for k in row.kinds.split(";") if k)
    if not classes and not kinds:
        return frozenset({"-"}), frozenset({"-"})
    return classes, kinds


@remembered
def may_order(root: str, class_code: str) -> frozenset[str] | None:
    """Return the kinds of bodies that may order in a hazard class; None for a class the root doesn't know."""
    powers = HazardClass.objects.filter(root=root, code=class_code).values_list("may_order", flat=True).first()
    return None if powers is None else frozenset(powers.split(";"))


@remembered
def latest_code(root: str, code: str) -> HazardCode | None:
    """Return the newest version of a hazard code of a root."""
    return HazardCode.objects.filter(root=root, code=code).order_by("-from_on").first()

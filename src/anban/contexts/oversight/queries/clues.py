"""Reads of clues (研判线索): what comparisons show and nobody has answered, what was answered and how, and the figures of each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from anban.base.people.actor import Actor
from anban.contexts.hazards.models import Hazard
from anban.contexts.oversight.models import Clue
from anban.contexts.oversight.queries.likes import LANDMARK_DAYS, Dealt, Group, Result, Tally, measures_by_group
from anban.contexts.oversight.queries.scope import COMMITTEE, covered
from anban.contexts.territory.queries import city_date, within
from anban.rules.comparison import proportion

Subject = tuple[str, str]
"""What a clue is about: its kind, and the body's id or the kind of firm."""

DECIDED = (Clue.State.ON_DESK, Clue.State.SETTLED)
GROUPS_KEPT = 30
CASES_KEPT = 20_000
"""More likes than a district has: a clue's number opens its whole list; beyond it the page says how many it lists."""


def visible_to(actor: Actor) -> QuerySet[Clue]:
    """Return the clues of the areas for which the actor is the committee's office: figures of bodies are for nobody else."""
    return Clue.objects.filter(covered(actor, COMMITTEE), root=actor.root)


def listed(actor: Actor, *, only: str = "", kind: str = "", area_path: str = "") -> QuerySet[Clue]:
    """Return the clues, the newest first; ``only`` is ``open``, ``dealt`` (on a desk, answered for, or gone) or empty."""
    rows = visible_to(actor).select_related("body", "area", "decided_by")
    if area_path:
        rows = rows.filter(within(area_path))
    if kind:
        rows = rows.filter(kind=kind)
    if only == "open":
        rows = rows.filter(state=Clue.State.OPEN)
    elif only == "dealt":
        rows = rows.exclude(state=Clue.State.OPEN)
    return rows.order_by("-found_at", "-id")


def clue(actor: Actor, clue_id: UUID) -> Clue | None:
    """Return one clue that the actor may see."""
    return visible_to(actor).select_related("body", "area", "decided_by", "earlier").filter(pk=clue_id).first()


def later_than(row: Clue) -> Clue | None:
    """Return the clue that came after one about the same, if it came again; its scope is the clue's."""
    return row.later.order_by("found_at", "id").first()


def figures_of(row: Clue) -> dict[str, Any]:
    """Return the figures of a clue: of the last look, or as they stood when a person decided."""
    made: dict[str, Any] = json.loads(row.figures)
    return made


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """The measures of one group of likes, on both sides of a comparison."""

    group: Group
    ours: Tally
    others: Tally


def groups_of(row: Clue) -> list[GroupFigures]:
    """Return the measures per group of likes as a clue keeps them."""
    return [
        GroupFigures(tuple(one["group"]), _kept(one["ours"]), _kept(one["others"])) for one in figures_of(row)["groups"]
    ]


def _kept(told: Mapping[str, Any]) -> Tally:
    return Tally(**{**told, "yuan": Decimal(told["yuan"])})


def cases_of(actor: Actor, row: Clue) -> QuerySet[Hazard]:
    """Return the cases that a clue is about, by number, as many as were kept."""
    keys = [UUID(one) for one in figures_of(row)["cases"]]
    return Hazard.objects.filter(covered(actor, COMMITTEE), root=actor.root, pk__in=keys).order_by("number")


def newest_by_subject(actor: Actor) -> dict[tuple[str, Subject], Clue]:
    """Return the newest clue of each area and subject that the actor may see: what the page of comparisons points to."""
    rows = visible_to(actor).exclude(state=Clue.State.GONE).order_by("found_at", "id")
    return {(row.area_path, (row.kind, row.key)): row for row in rows}


def answered(root: str) -> dict[tuple[UUID, Subject], date]:
    """Return since when each subject of each area has a person's answer: only what was found from then on speaks again."""
    rows = Clue.objects.filter(root=root, state__in=DECIDED, decided_at__isnull=False).order_by("decided_at")
    return {(row.area_id, (row.kind, row.key)): city_date(row.decided_at, root) for row in rows if row.decided_at}


@dataclass(frozen=True, slots=True)
class Sides:
    """The two sides of a comparison: those that a clue is about, and their likes."""

    ours: tuple[Dealt, ...]
    others: tuple[Dealt, ...]


def sides(subject: Subject, rows: Iterable[Dealt]) -> Sides:
    """Split cases into the side of a subject and the side that it is compared with, in the groups that hold both."""
    kind, key = subject
    rows = list(rows)
    if kind == Clue.Kind.DEPENDENCE:
        pairs = [(row, row.prompted) for row in rows if str(row.mover_id) == key]
    elif kind == Clue.Kind.INSTRUCTION:
        pairs = [(row, row.noted) for row in rows if not _moved_early(row)]
    elif kind == Clue.Kind.FIRM:
        pairs = [(row, row.affiliation == key) for row in rows if row.affiliation]
    else:
        like = {row.body_kind for row in rows if str(row.body_id) == key}
        pairs = [(row, str(row.body_id) == key) for row in rows if row.body_id is not None and row.body_kind in like]
    both = {row.group for row, mine in pairs if mine} & {row.group for row, mine in pairs if not mine}
    return Sides(
        tuple(row for row, mine in pairs if mine and row.group in both),
        tuple(row for row, mine in pairs if not mine and row.group in both),
    )


def _moved_early(row: Dealt) -> bool:
    return row.moved_at is not None and row.moved_at < row.entered_at + timedelta(days=LANDMARK_DAYS)


def figures(subject: Subject, results: Sequence[Result], rows: Iterable[Dealt], family: int) -> str:
    """Return the figures of a clue as canonical JSON: its comparisons, share, measures of each group on both sides, cases."""
    split = sides(subject, rows)
    ours, others = measures_by_group(split.ours), measures_by_group(split.others)
    told: dict[str, Any] = {
        "comparisons": family,
        "results": [
            {
                "kind": one.comparison.kind, "marked": one.comparison.marked, "others": one.comparison.others, "found": one.found,
                "difference": _rounded(one.comparison.difference, 4), "p": _rounded(one.comparison.p, 6),
            }
            for one in results
        ],
        "groups": [
            {"group": list(group), "ours": _told(tally), "others": _told(others[group])}
            for group, tally in list(ours.items())[:GROUPS_KEPT]
        ],
        "cases": [row.hazard_id.hex for row in split.ours[:CASES_KEPT]],
        "all": len(split.ours),
    }  # fmt: skip
    if subject[0] == Clue.Kind.DEPENDENCE:
        moved = [row for row in (*split.ours, *split.others) if row.moved_at is not None]
        share = proportion(sum(row.prompted for row in moved), len(moved))
        told["share"] = {"n": share.n, "value": share.value, "low": share.low, "high": share.high}
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _told(tally: Tally) -> Mapping[str, int | str]:
    return {
        "cases": tally.cases, "orders": tally.orders, "stops": tally.stops, "fines": tally.fines, "yuan": f"{tally.yuan:f}",
        "none": tally.none,
    }  # fmt: skip


def open_clues(root: str, area_id: UUID) -> QuerySet[Clue]:
    """Return the open clues of one area, for the look over a root."""
    return Clue.objects.filter(Q(root=root, area_id=area_id, state=Clue.State.OPEN))

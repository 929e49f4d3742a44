"""What deciding a boundary would change, what it would do to the places, and which bodies could take it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from anban.base.people.actor import Actor
from anban.contexts.catalog import queries as catalog
from anban.contexts.responsibility.models import Boundary, Decision, Mandate
from anban.contexts.responsibility.net import Net, Scope, groups
from anban.contexts.responsibility.queries import bodies_named, row_of
from anban.contexts.territory.models import Body
from anban.contexts.territory.queries import Coverage, bodies_over
from anban.rules import boundaries as rules
from anban.rules.mandates import State


@dataclass(frozen=True, slots=True)
class Plan:
    """What a decision changes in the table: rows that end on its day, and the row that begins."""

    ends: tuple[Mandate, ...]
    adds: Mandate | None


def plan_for(boundary: Boundary, body: Body, effective_on: date) -> Plan:
    """Return what deciding for a body changes. Raises: boundary.too_early."""
    on_file = Mandate.objects.filter(root=boundary.root).select_related("body", "area").order_by("id")
    tied = []
    if boundary.fault == Boundary.Fault.OVERLAP:
        named = set(boundary.bodies.split(";"))
        scope = on_file.filter(
            role=boundary.role,
            place_kind=boundary.place_kind,
            industry=boundary.industry,
            hazard_class=boundary.hazard_class,
            area_id=boundary.area_id,
        )
        tied = [
            one for one in scope if str(one.body_id) in named and (one.until_on is None or one.until_on > effective_on)
        ]
    coverage = Coverage({})
    made = rules.settlement((row_of(one, coverage, {}) for one in tied), body.pk, effective_on)
    by_id = {one.pk: one for one in tied}
    adds = None
    if made.adds:
        adds = Mandate(
            root=boundary.root,
            body=body,
            role=boundary.role,
            area=boundary.area,
            place_kind=boundary.place_kind,
            industry=boundary.industry,
            hazard_class=boundary.hazard_class,
            from_on=effective_on,
        )
    return Plan(tuple(by_id[row.key] for row in made.ends if isinstance(row.key, UUID)), adds)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a decision would do on its day: places that it settles, places still open, and answers that it would break."""

    settles: int
    remain: int
    breaks: int
    ends: tuple[Mandate, ...]
    adds: Mandate | None


def effect_of(actor: Actor, boundary: Boundary, body: Body, effective_on: date) -> Effect:
    """Return what deciding for a body would do to the places that the actor sees, before anybody decides.

    Raises: boundary.too_early.
    """
    plan = plan_for(boundary, body, effective_on)
    before = Net.load(actor.root, effective_on)
    rows = list(Mandate.objects.filter(root=boundary.root).select_related("body", "area").order_by("id"))
    ends = {one.pk for one in plan.ends}
    for row in rows:
        if row.pk in ends:
            row.until_on = effective_on
    after = Net.load(actor.root, effective_on, instead=[*rows, *([plan.adds] if plan.adds else [])])
    scope = Scope.of(boundary)
    settles = remain = breaks = 0
    for kind, industry, path, count in groups(actor):
        was, now = before.answers(kind, industry, path), after.answers(kind, industry, path)
        open_before = {(one.role, one.hazard_class) for one in was.faults if before.scope(one, kind, path) == scope}
        open_after = {(one.role, one.hazard_class) for one in now.faults}
        if open_before:
            remain += count if open_before & open_after else 0
            settles += 0 if open_before & open_after else count
        known = {(one.role, one.hazard_class) for one in was.faults}
        breaks += count if open_after - known else 0
    return Effect(settles, remain, breaks, plan.ends, plan.adds)


@dataclass(frozen=True, slots=True)
class TableEffect:
    """What a file of mandates would do: at how many places it settles answers, and makes overlaps and gaps."""

    settles: int
    overlaps: int
    gaps: int


def effect_of_table(actor: Actor, root: str, on: date, moved: Sequence[Mandate]) -> TableEffect:
    """Return what mandates, new ones and those on file with another end, would do on a day to the places that the actor sees."""
    before = Net.load(root, on)
    stays = Mandate.objects.filter(root=root).exclude(pk__in=[one.pk for one in moved])
    after = Net.load(root, on, instead=[*stays.select_related("body", "area").order_by("id"), *moved])
    settles = overlaps = gaps = 0
    for kind, industry, path, count in groups(actor):
        was, now = before.answers(kind, industry, path), after.answers(kind, industry, path)
        open_before = {(one.role, one.hazard_class): one.found.state for one in was.faults}
        open_after = {(one.role, one.hazard_class): one.found.state for one in now.faults}
        made = {state for what, state in open_after.items() if open_before.get(what) is not state}
        settles += count if open_before.keys() - open_after.keys() else 0
        overlaps += count if State.OVERLAP in made else 0
        gaps += count if State.GAP in made else 0
    return TableEffect(settles, overlaps, gaps)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A body that could take a boundary, and why: a like case decided before, or business that is near."""

    body: Body
    reason_zh: str
    reason_en: str
    precedent: str = ""


def proposals(boundary: Boundary, on: date) -> list[Proposal]:
    """Return the bodies that could take a boundary: those that overlap, like cases decided before, then nearest business.

    A proposal never decides anything; persons do. Source: 业务相近 (安全生产法 第十条第二款).
    """
    by_kind: dict[str, Body] = {}
    for body in _bodies_for(boundary):
        by_kind.setdefault(body.kind, body)
    found: dict[UUID, Proposal] = {}
    like = Decision.objects.filter(root=boundary.root, state="in_force", boundary__role=boundary.role).select_related(
        "body", "boundary"
    )
    like = like.filter(boundary__place_kind=boundary.place_kind, boundary__hazard_class=boundary.hazard_class)
    for decision in like.order_by("-document_on", "-id")[:20]:
        near = by_kind.get(decision.body.kind)
        if near is not None:
            found.setdefault(near.pk, Proposal(
                near, f"同类界面已由同类部门承担：{decision.number}（{decision.document_no}）",
                f"a like boundary went to a body of this kind: {decision.number} ({decision.document_no})", decision.number,
            ))  # fmt: skip
    for body in bodies_named(boundary):
        found.setdefault(body.pk, Proposal(body, "现有职责之一", "holds one of the overlapping duties"))
    for kind in _near_kinds(boundary, on):
        near = by_kind.get(kind)
        if near is not None:
            found.setdefault(
                near.pk, Proposal(near, "业务相近（目录所列主管、成员单位）", "its business is nearest by the catalog")
            )
    return list(found.values())


def _bodies_for(boundary: Boundary) -> Iterable[Body]:
    rows = Body.objects.filter(root_id=boundary.root, until_on__isnull=True).select_related("area")
    own = list(rows.filter(area=boundary.area))
    over = bodies_over(boundary.root, boundary.area_path).exclude(area=boundary.area)
    return [*own, *over]


def _near_kinds(boundary: Boundary, on: date) -> list[str]:
    kinds: list[str] = []
    if boundary.place_kind:
        row = catalog.place_kinds(boundary.root, on).filter(code=boundary.place_kind).first()
        if row is not None:
            kinds += [*row.lead_body_kind.split(";"), *row.members.split(";")]
    if boundary.hazard_class:
        one = catalog.hazard_classes(boundary.root, on).filter(code=boundary.hazard_class).first()
        if one is not None:
            powers = one.special_regulator if boundary.role == Mandate.Role.SPECIAL else one.may_order
            kinds += powers.split(";")
    if boundary.role == Mandate.Role.TERRITORY:
        kinds += ["street_office", "town_government", "street_safety_office"]
    return [one for one in dict.fromkeys(kinds) if one]

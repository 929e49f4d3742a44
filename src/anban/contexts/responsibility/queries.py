"""Who answers for a place and a hazard class: four answers, each with its officer and the reason."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from functools import lru_cache
from typing import Protocol
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from anban.base.journal.queries import timeline
from anban.base.people.actor import Actor
from anban.base.people.models import Person
from anban.contexts.catalog import queries as catalog
from anban.contexts.obligations.queries import held_matters
from anban.contexts.responsibility.chains import STAMP, LinkRow, link_rows
from anban.contexts.responsibility.models import (
    Boundary,
    Decision,
    JointMatter,
    JointPart,
    Link,
    LinkTemplate,
    Mandate,
    Mechanism,
    Member,
)
from anban.contexts.territory.models import Area, Body, Holding
from anban.contexts.territory.queries import (
    NEARNESS,
    Coverage,
    holders_of_role,
    overlay_days,
    scope_paths,
    settings_of,
    upward,
    within,
)
from anban.kit.remember import is_remembering, remembered
from anban.rules import mandates as table
from anban.rules.mandates import Found, State

OFFICER_ROLES: Mapping[str, tuple[str, ...]] = {
    Mandate.Role.SECTOR_LEAD: ("district_regulator", "district_regulator_head", "street_safety_office"),
    Mandate.Role.SPECIAL: ("district_regulator", "district_regulator_head", "certified_officer"),
    Mandate.Role.ENFORCER: ("certified_officer", "district_regulator"),
    Mandate.Role.TERRITORY: ("safety_inspector", "street_safety_office", "street_deputy", "street_director"),
}
GUARDS = ("street_safety_office", "street_deputy", "street_director", "safety_inspector")
"""Who at a street guards and reports what nobody answers for yet."""

OFFICES = ("district_committee_officer", "city_committee_officer", "steward")


class Placed(Protocol):
    """What resolving needs to know of a place."""

    @property
    def pk(self) -> UUID: ...
    @property
    def root(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def industry(self) -> str: ...
    @property
    def area_path(self) -> str: ...


TOLD = 5000
"""How many entries of a matter are read for a ruling: a street's calls all stand under the street."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: the body, the natural person who answers for it there, and why; ``rows`` are the mandates that win.

    A gap and an overlap stay what they are while somebody holds them: ``boundary`` is the open matter that says who does.
    """

    role: str
    body: Body | None
    person: Person | None
    reason: str
    deputy: bool = False
    state: State = State.RESOLVED
    rows: tuple[Mandate, ...] = ()
    boundary: Boundary | None = None


@dataclass(frozen=True, slots=True)
class Resolution:
    """The four answers for a place × hazard class on a day (行业主管、专业监管、执法主体、属地), and the office that stands in."""

    sector_lead: Answer
    special: Answer
    enforcer: Answer
    territory: Answer
    office: Answer

    def answers(self) -> tuple[Answer, ...]:
        """Return the four answers in the order of the chain."""
        return (self.territory, self.sector_lead, self.special, self.enforcer)

    @property
    def several(self) -> bool:
        """Tell whether at least two bodies beside the street answer."""
        return len({one.body.pk for one in self.answers()[1:] if one.body is not None}) > 1

    @property
    def fallback(self) -> Answer:
        """Return the first answer that names a person: territory, then the office. Nothing is ownerless."""
        for answer in (self.territory, self.office, self.enforcer, self.special, self.sector_lead):
            if answer.person is not None:
                return answer
        return self.office


@dataclass(slots=True)
class Resolver:
    """Answers for many places of one root on one day from five queries; ``resolve`` is this for a single place."""

    root: str
    on: date
    mandates: list[Mandate] = field(default_factory=list)
    holders: dict[UUID, list[Holding]] = field(default_factory=dict)
    offices: list[Holding] = field(default_factory=list)
    streets: list[Holding] = field(default_factory=list)
    boundaries: list[Boundary] = field(default_factory=list)
    coverage: Coverage = field(default_factory=lambda: Coverage({}))
    _table: table.Table | None = None
    _by_id: dict[UUID, Mandate] = field(default_factory=dict)

    @classmethod
    def load(cls, root: str, on: date) -> Resolver:
        """Return a resolver with the root's mandates and holders of the day."""
        self = cls(root, on)
        self.coverage = Coverage.load(root, on)
        dated = Q(from_on__isnull=True) | Q(from_on__lte=on)
        lasting = Q(until_on__isnull=True) | Q(until_on__gt=on)
        self.mandates = list(
            Mandate.objects.filter(dated, lasting, root=root).select_related("body", "area").order_by("id")
        )
        self.boundaries = list(standing(root))
        rows = (
            Holding.objects.filter(lasting, post__root_id=root, from_on__lte=on, post__place_id__isnull=True)
            .filter(Q(post__until_on__isnull=True) | Q(post__until_on__gt=on))
            .select_related("person", "post__body", "post__area")
            .order_by("deputy", "id")
        )
        return self._taking(rows)

    @classmethod
    def near(cls, place: Placed, class_code: str, on: date) -> Resolver:
        """Return a resolver that knows what can bear on one place and class: its own areas upward, no other's."""
        self = cls(place.root, on)
        self.coverage = Coverage.load(place.root, on)
        path = place.area_path
        over = upward(path)
        managing = [area for area, held in self.coverage.managed.items() if any(path.startswith(one) for one in held)]
        dated = Q(from_on__isnull=True) | Q(from_on__lte=on)
        lasting = Q(until_on__isnull=True) | Q(until_on__gt=on)
        here = Q(area__path__in=over) | Q(area__parent__isnull=True) | Q(area_id__in=managing)
        self.mandates = list(
            Mandate.objects.filter(
                dated,
                lasting,
                here,
                root=place.root,
                place_kind__in=("", place.kind),
                hazard_class__in=("", class_code),
            )
            .select_related("body", "area")
            .order_by("id")
        )
        self.boundaries = list(standing(place.root).filter(here))
        bodies = self._concerned()
        rows = (
            Holding.objects.filter(lasting, post__root_id=place.root, from_on__lte=on, post__place_id__isnull=True)
            .filter(Q(post__until_on__isnull=True) | Q(post__until_on__gt=on))
            .filter(Q(post__area__path__in=over) | Q(post__area__parent__isnull=True) | Q(post__area_id__in=managing))
            .filter(Q(post__body_id__in=bodies) | Q(post__role__in=(*OFFICES, *OFFICER_ROLES[Mandate.Role.TERRITORY])))
            .select_related("person", "post__body", "post__area")
            .order_by("deputy", "id")
        )
        return self._taking(rows)

    def _taking(self, rows: Iterable[Holding]) -> Resolver:
        by_body: dict[UUID, list[Holding]] = defaultdict(list)
        for row in rows:
            by_body[row.post.body_id].append(row)
            if row.post.role in OFFICES:
                self.offices.append(row)
            if row.post.role in OFFICER_ROLES[Mandate.Role.TERRITORY]:
                self.streets.append(row)
        self.holders = dict(by_body)
        return self

    def _concerned(self) -> set[UUID]:
        """Return the bodies whose officers may have to answer: those of the mandates and those that were assigned."""
        assigned = {one.assigned_body_id for one in self.boundaries if one.assigned_body_id}
        return {one.body_id for one in self.mandates} | assigned

    def of(self, place: Placed, class_code: str) -> Resolution:
        """Return the four answers for one place and hazard class."""
        if self._table is None:
            powers = powers_split(self.root, self.mandates)
            self._table = table.Table.on((row_of(one, self.coverage, powers) for one in self.mandates), self.on)
            self._by_id = {one.pk: one for one in self.mandates}
        sheet = self._table.sheet(place.kind, place.industry, place.area_path)
        found = {role: sheet.of(role, class_code) for role in table.ROLES}
        return Resolution(
            sector_lead=self._mandated(place, class_code, Mandate.Role.SECTOR_LEAD, found),
            special=self._mandated(place, class_code, Mandate.Role.SPECIAL, found),
            enforcer=self._mandated(place, class_code, Mandate.Role.ENFORCER, found),
            territory=self._territory(place, class_code, found[Mandate.Role.TERRITORY]),
            office=self._office(place),
        )

    def _mandated(self, place: Placed, class_code: str, role: str, answers: Mapping[str, Found]) -> Answer:
        found = answers[role]
        rows = self._rows(found)
        boundary = self._boundary(place, class_code, role, found)
        assigned = boundary.assigned_body if boundary is not None else None
        if found.state is State.RESOLVED:
            body, reason = rows[0].body, rows[0].basis or "监管职责登记"
        elif assigned is not None:
            body, reason = assigned, f"安委办指定（业务相近），待界定 {boundary.number if boundary else ''}".rstrip()
        elif found.state is State.OVERLAP:
            # Until somebody is assigned the row entered first stands in, so that the matter is on a desk.
            body, names = rows[0].body, "、".join(dict.fromkeys(row.body.name for row in rows))
            reason = f"职责交叉（{names}），指定前由首列单位先办"
        else:
            return Answer(role, None, None, "无监管职责登记（空白）", state=found.state, boundary=boundary)
        holding = self._officer(body.pk, OFFICER_ROLES[role], place)
        if holding is None:
            return Answer(role, body, None, f"{reason}；岗位空缺", False, found.state, rows, boundary)
        return Answer(role, body, holding.person, reason, holding.deputy, found.state, rows, boundary)

    def _territory(self, place: Placed, class_code: str, found: Found) -> Answer:
        """Return the street's answer: its officer by post, also where the table of mandates doesn't name the street."""
        role = Mandate.Role.TERRITORY
        rows = self._rows(found)
        boundary = self._boundary(place, class_code, role, found)
        reason = rows[0].basis if found.state is State.RESOLVED and rows[0].basis else "属地管理（街道、乡镇）"
        near = [h for h in self.streets if h.post.area.parent_id and self.coverage.covers(h.post.area, place.area_path)]
        for wanted in OFFICER_ROLES[role]:
            holding = _pick([h for h in near if h.post.role == wanted], place)
            if holding is not None:
                return Answer(
                    role, holding.post.body, holding.person, reason, holding.deputy, found.state, rows, boundary
                )
        body = rows[0].body if rows else None
        return Answer(role, body, None, "属地岗位空缺", False, found.state, rows, boundary)

    def _rows(self, found: Found) -> tuple[Mandate, ...]:
        """Return the mandates that win, those for a place at work and those that may order first, else as they were entered."""
        at_work = {row.key for row in found.during}
        keys = sorted(found.rows, key=lambda row: (row.key not in at_work, row.power == "penalise", str(row.key)))
        return tuple(self._by_id[row.key] for row in keys if isinstance(row.key, UUID))

    def _boundary(self, place: Placed, class_code: str, role: str, found: Found) -> Boundary | None:
        if found.state is State.RESOLVED:
            return None
        bodies = joined(found.bodies) if found.state is State.OVERLAP else ""
        fitting = (
            one
            for one in self.boundaries
            if one.fault == found.state.value
            and one.role == role
            and one.bodies == bodies
            and one.place_kind in ("", place.kind)
            and one.hazard_class in ("", class_code)
            and place.industry.startswith(one.industry)
            and self.coverage.covers(one.area, place.area_path)
        )
        return max(fitting, key=lambda one: NEARNESS[Area.Level(one.area.level)], default=None)

    def _office(self, place: Placed) -> Answer:
        return self.office_at(place.area_path)

    def office_at(self, path: str) -> Answer:
        """Return the committee's office for an area, the nearest one, or the steward who stands in for it."""
        for wanted in OFFICES:
            near = [h for h in self.offices if h.post.role == wanted and self.coverage.covers(h.post.area, path)]
            ordered = sorted(near, key=lambda h: (h.deputy, -NEARNESS[Area.Level(h.post.area.level)]))
            if ordered:
                return Answer("office", ordered[0].post.body, ordered[0].person, "安委办指定前代管", ordered[0].deputy)
        return Answer("office", None, None, "无安委办岗位")

    def street_at(self, path: str) -> Answer:
        """Return who guards an area for its street until somebody is assigned."""
        near = [h for h in self.streets if h.post.area.parent_id and self.coverage.covers(h.post.area, path)]
        for wanted in GUARDS:
            held = sorted((h for h in near if h.post.role == wanted), key=lambda h: (h.deputy, str(h.pk)))
            if held:
                return Answer("street", held[0].post.body, held[0].person, "街道先行看护", held[0].deputy)
        return Answer("street", None, None, "属地岗位空缺")

    def _officer(self, body_id: UUID, roles: Iterable[str], place: Placed) -> Holding | None:
        held = [h for h in self.holders.get(body_id, []) if self.coverage.covers(h.post.area, place.area_path)]
        for role in roles:
            holding = _pick([h for h in held if h.post.role == role], place)
            if holding is not None:
                return holding
        return None


def resolve(place: Placed, class_code: str, on: date) -> Resolution:
    """Return who answers for a place and hazard class on a day: four answers, each with officer and reason.

    Source: 安全生产法 第3条, 第10条 (三管三必须); mandates are the root's own, dated.
    """
    if is_remembering():
        return Book.of(place.root).answer(place, class_code, on)
    return Resolver.near(place, class_code, on).of(place, class_code)


@dataclass(slots=True)
class Book:
    """All duties and holdings of a root by what they are asked for, for a batch that resolves thousands of places."""

    mandates: dict[tuple[str, str, str], list[Mandate]]
    holders: dict[UUID, list[Holding]]
    posted: dict[str, list[Holding]]
    boundaries: list[Boundary]
    paths: dict[UUID, str]
    tops: tuple[str, ...]
    days: tuple[date, ...]
    """The days on which anything began or ended, in order: between two of them every answer stays what it is."""
    known: dict[tuple[Hashable, ...], Resolution] = field(default_factory=dict)

    @classmethod
    @remembered
    def of(cls, root: str) -> Book:
        """Return the root's duties by class, kind and area and its holdings by body and area, of every day there was."""
        mandates: dict[tuple[str, str, str], list[Mandate]] = defaultdict(list)
        paths: dict[UUID, str] = {}
        tops: dict[str, None] = {}
        for one in Mandate.objects.filter(root=root).select_related("body", "area").order_by("id"):
            mandates[one.hazard_class, one.place_kind, one.area.path].append(one)
            paths[one.area_id] = one.area.path
            if one.area.parent_id is None:
                tops[one.area.path] = None
        holders: dict[UUID, list[Holding]] = defaultdict(list)
        posted: dict[str, list[Holding]] = defaultdict(list)
        rows = (
            Holding.objects.filter(post__root_id=root, post__place_id__isnull=True)
            .select_related("person", "post__body", "post__area")
            .order_by("deputy", "id")
        )
        told = {*OFFICES, *OFFICER_ROLES[Mandate.Role.TERRITORY]}
        for row in rows:
            area = row.post.area
            paths[area.pk] = area.path
            if area.parent_id is None:
                tops[area.path] = None
            holders[row.post.body_id].append(row)
            if row.post.role in told:
                posted[area.path].append(row)
        days: set[date | None] = {row.post.until_on for held in holders.values() for row in held}
        for rights in mandates.values():
            days.update(day for one in rights for day in (one.from_on, one.until_on))
        for held in holders.values():
            days.update(day for row in held for day in (row.from_on, row.until_on))
        days.update(overlay_days(root))
        return cls(
            dict(mandates), dict(holders), dict(posted), list(standing(root)), paths, tuple(tops),
            tuple(sorted(day for day in days if day is not None)),
        )  # fmt: skip

    def answer(self, place: Placed, class_code: str, on: date) -> Resolution:
        """Return the answers for one place and class on a day, worked out once for all days on which they are the same."""
        since = bisect_right(self.days, on)
        key = (place.pk, place.kind, place.industry, place.area_path, class_code, since)
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self.near(place, class_code, on).of(place, class_code)
        return found

    def near(self, place: Placed, class_code: str, on: date) -> Resolver:
        """Return a resolver that knows what can bear on one place and class on a day."""
        made = Resolver(place.root, on, coverage=Coverage.load(place.root, on))
        path = place.area_path
        managing = [
            self.paths[area]
            for area, held in made.coverage.managed.items()
            if area in self.paths and any(path.startswith(one) for one in held)
        ]
        over = dict.fromkeys((*self.tops, *upward(path), *managing))
        keys = dict.fromkeys((c, k, p) for p in over for c in ("", class_code) for k in ("", place.kind))
        made.mandates = [one for key in keys for one in self.mandates.get(key, ()) if _in_force(one, on)]
        made.boundaries = [one for one in self.boundaries if made.coverage.covers(one.area, path)]
        bodies = made._concerned()
        asked = [row for one in over for row in self.posted.get(one, ())]
        asked += [row for body in bodies for row in self.holders.get(body, ())]
        rows = {
            row.pk: row for row in asked if _in_force(row, on) and (row.post.until_on is None or row.post.until_on > on)
        }
        return made._taking(sorted(rows.values(), key=lambda row: (row.deputy, row.pk)))


def _in_force(row: Mandate | Holding | Mechanism, on: date) -> bool:
    return (row.from_on is None or row.from_on <= on) and (row.until_on is None or row.until_on > on)


Powers = Mapping[tuple[str, str], str]
"""The power that a kind of body holds alone, by hazard class and kind; what isn't here holds both."""


def powers_split(root: str, mandates: Iterable[Mandate]) -> Powers:
    """Return which enforcers hold only one power over a class, by the root's catalog: who may order, who may penalise.

    Asked only where a class names enforcers of several kinds: nobody else can be split.
    """
    kinds: dict[str, set[str]] = defaultdict(set)
    for one in mandates:
        if one.role == Mandate.Role.ENFORCER and one.hazard_class:
            kinds[one.hazard_class].add(one.body.kind)
    if not any(len(held) > 1 for held in kinds.values()):
        return {}
    return _split_powers(root)


@remembered
def _split_powers(root: str) -> Powers:
    found: dict[tuple[str, str], str] = {}
    for code, order, penalise in catalog.hazard_classes(root).values_list("code", "may_order", "may_penalise"):
        may_order, may_penalise = {*order.split(";")} - {""}, {*penalise.split(";")} - {""}
        found |= {(code, kind): "order" for kind in may_order - may_penalise}
        found |= {(code, kind): "penalise" for kind in may_penalise - may_order}
    return found


def row_of(mandate: Mandate, coverage: Coverage, powers: Powers) -> table.Row:
    """Return a mandate as the rules read it, with the path prefixes that its area covers on the coverage's day."""
    area = mandate.area
    own = ("",) if area.parent_id is None else (area.path, *coverage.managed.get(area.pk, ()))
    return table.Row(
        key=mandate.pk,
        body=mandate.body_id,
        role=mandate.role,
        place_kind=mandate.place_kind,
        industry=mandate.industry,
        hazard_class=mandate.hazard_class,
        phase=mandate.phase,
        paths=own,
        depth=NEARNESS[Area.Level(area.level)],
        from_on=mandate.from_on,
        until_on=mandate.until_on,
        power=powers.get((mandate.hazard_class, mandate.body.kind), "")
        if mandate.role == Mandate.Role.ENFORCER
        else "",
    )


def joined(bodies: Iterable[object]) -> str:
    """Return bodies' ids as a boundary keeps them: in a fixed order, by semicolons."""
    return ";".join(sorted(str(one) for one in bodies))


def standing(root: str) -> QuerySet[Boundary]:
    """Return the boundaries of a root that are not settled; like mandates they are public to officials."""
    return Boundary.objects.filter(root=root, ended_at__isnull=True).select_related("area", "assigned_body")


def boundaries_visible_to(actor: Actor) -> QuerySet[Boundary]:
    """Return the boundaries that an actor may see: in its areas, over its areas, its own bodies' and those on its desk."""
    rows = Boundary.objects.filter(root=actor.root)
    if actor.system:
        return rows
    paths = scope_paths(actor)
    if paths is None:
        return rows
    seen = Q(assigned_body__in=actor.body_ids()) | Q(pk__in=held_matters(actor.person_key))
    for path in paths:
        seen |= within(path) | Q(area_path__in=upward(path))
    for body in actor.body_ids():
        seen |= Q(bodies__contains=str(body))
    return rows.filter(seen)


def boundary_list(
    actor: Actor, *, fault: str = "", state: str = "open", area: str = "", role: str = ""
) -> QuerySet[Boundary]:
    """Return the boundaries of a list, those with the most places first; ``state`` open is everything unsettled.

    ``area`` keeps those in it and those of an area above that lie over it.
    """
    rows = boundaries_visible_to(actor).select_related("area", "assigned_body")
    rows = rows.filter(ended_at__isnull=True) if state == "open" else rows.filter(state=state) if state else rows
    if fault:
        rows = rows.filter(fault=fault)
    if role:
        rows = rows.filter(role=role)
    if area:
        rows = rows.filter(within(area) | Q(area_path__in=upward(area)))
    return rows.order_by("state", "-places_count", "number")


def boundary(actor: Actor, boundary_id: UUID) -> Boundary | None:
    """Return one boundary that the actor may see."""
    return boundaries_visible_to(actor).select_related("area", "assigned_body").filter(pk=boundary_id).first()


def decisions_of(boundary_id: UUID) -> QuerySet[Decision]:
    """Return the decisions about a boundary, the newest first; the scope is the boundary's, which the caller has checked."""
    return Decision.objects.filter(boundary_id=boundary_id).select_related("body").order_by("-drafted_at", "-id")


def bodies_named(boundary: Boundary) -> list[Body]:
    """Return the bodies that overlap at a boundary, by name."""
    ids = [UUID(one) for one in boundary.bodies.split(";") if one]
    return list(Body.objects.filter(pk__in=ids).order_by("name"))


def joint_visible_to(actor: Actor) -> QuerySet[JointMatter]:
    """Return the joint matters that an actor may see: in its areas, called by its bodies, or with a part of theirs."""
    rows = JointMatter.objects.filter(root=actor.root)
    if actor.system:
        return rows
    paths = scope_paths(actor)
    if paths is None:
        return rows
    mine = actor.body_ids()
    seen = Q(caller__in=mine) | Q(pk__in=JointPart.objects.filter(body__in=mine).values("joint_id"))
    for path in paths:
        seen |= within(path)
    return rows.filter(seen)


def joint_list(actor: Actor, *, kind: str = "", closed: bool = False) -> QuerySet[JointMatter]:
    """Return joint matters, the newest first, with their parts."""
    rows = joint_visible_to(actor).filter(closed_at__isnull=not closed)
    if kind:
        rows = rows.filter(kind=kind)
    return rows.select_related("caller", "mechanism").prefetch_related("parts__body").order_by("-opened_at", "-id")


def joint_matter(actor: Actor, joint_id: UUID) -> JointMatter | None:
    """Return one joint matter that the actor may see."""
    return joint_visible_to(actor).select_related("caller", "mechanism").filter(pk=joint_id).first()


def parts_of(joint_id: UUID) -> QuerySet[JointPart]:
    """Return the parts of a joint matter in the order they were asked; the scope is the matter's."""
    return (
        JointPart.objects.filter(joint_id=joint_id).select_related("joint", "body__area", "answered_by").order_by("id")
    )


def rulings_of(row: JointMatter) -> dict[UUID, str]:
    """Return what the district government said last to each body's refusal, by body; empty words were erased."""
    lines = timeline((row.matter_kind, row.matter_id), limit=TOLD)
    mine = f"joint:{row.pk.hex}"
    ruled = [line for line in lines if line.verb == "joint.ruled" and line.subject == mine]
    return {UUID(line.data["body"]): line.words.get("answer", "") for line in ruled}


def joint_part(actor: Actor, part_id: UUID) -> JointPart | None:
    """Return one part of a joint matter that the actor may see."""
    rows = JointPart.objects.select_related("joint", "body__area").filter(pk=part_id)
    return rows.filter(joint__in=joint_visible_to(actor)).first()


def boundary_of_decision(actor: Actor, decision_id: UUID) -> Boundary | None:
    """Return the boundary that a decision is about, where the actor may see it."""
    return boundaries_visible_to(actor).filter(decisions=decision_id).first()


def joints_of(matter_id: UUID) -> QuerySet[JointMatter]:
    """Return the joint matters about a matter; the scope is the matter's, which the caller has checked."""
    return JointMatter.objects.filter(matter_id=matter_id).prefetch_related("parts__body").order_by("opened_at", "id")


def mechanism(root: str, mechanism_id: UUID) -> Mechanism | None:
    """Return one mechanism of a root, in force or not, with its members; mechanisms are no secret among officials."""
    rows = Mechanism.objects.filter(root=root, pk=mechanism_id).select_related("lead", "area")
    return rows.prefetch_related(Prefetch("members", Member.objects.select_related("body").order_by("id"))).first()


def mechanisms(root: str, on: date) -> tuple[Mechanism, ...]:
    """Return the mechanisms of a root in force on a day, with their members."""
    if is_remembering():
        return tuple(row for row in _mechanisms_ever(root) if _in_force(row, on))
    return tuple(mechanisms_on(root, on))


def mechanisms_on(root: str, on: date) -> QuerySet[Mechanism]:
    """Return the mechanisms of a root in force on a day, with their members, by name."""
    return _mechanisms(root).filter(from_on__lte=on).filter(Q(until_on__isnull=True) | Q(until_on__gt=on))


def _mechanisms(root: str) -> QuerySet[Mechanism]:
    rows = Mechanism.objects.filter(root=root).select_related("lead", "area")
    return rows.prefetch_related("members__body").order_by("name", "id")


@remembered
def _mechanisms_ever(root: str) -> tuple[Mechanism, ...]:
    """Return the mechanisms of a root of every day there was: a batch that goes through many days reads them once."""
    return tuple(_mechanisms(root))


def powers(root: str, class_code: str, body: Body | None) -> tuple[str, ...]:
    """Return what an enforcing body may do about a hazard class by the catalog: ``order``, ``penalise``."""
    if body is None:
        return ()
    row = catalog.hazard_classes(root).filter(code=class_code).first()
    if row is None:
        return ()
    return tuple(
        name
        for name, kinds in (("order", row.may_order), ("penalise", row.may_penalise))
        if body.kind in kinds.split(";")
    )


def mandates(root: str, on: date | None = None) -> QuerySet[Mandate]:
    """Return a root's mandates, of a day or all; mandates are public."""
    rows = (
        Mandate.objects.filter(root=root).select_related("body", "area").order_by("role", "place_kind", "hazard_class")
    )
    if on is None:
        return rows
    return rows.filter(Q(from_on__isnull=True) | Q(from_on__lte=on), Q(until_on__isnull=True) | Q(until_on__gt=on))


@lru_cache(maxsize=64)
def _own_templates(root: str, stamp: str) -> tuple[LinkRow, ...]:
    # Every change of the table gives the root a new stamp: what was read under one stays true.
    del stamp
    names = [one.name for one in fields(LinkRow)]
    rows = LinkTemplate.objects.filter(root=root).order_by("role", "from_on", "id").values(*names)
    return tuple(LinkRow(**row) for row in rows)


def link_templates(root: str, settings: Mapping[str, str] | None = None) -> tuple[LinkRow, ...]:
    """Return the templates of links of a root: its own table, else the packaged one; ``settings``: the root's, where read already."""
    stamp = (settings_of(root) if settings is None else settings).get(STAMP, "")
    return _own_templates(root, stamp) if stamp else link_rows()


def officials_for(role: str, root: str, area_path: str, on: date) -> list[Holding]:
    """Return who may be named for a link of the net itself over an area: those who hold such a post, the nearest first."""
    posts = {
        "territory": OFFICER_ROLES[Mandate.Role.TERRITORY],
        "regulator": OFFICER_ROLES[Mandate.Role.SPECIAL],
        "leader": ("leader_viewer",),
    }
    found = {one.person_id: one for wanted in posts[role] for one in holders_of_role(root, wanted, area_path, on)}
    return list(found.values())


def links_of(matter_id: UUID) -> QuerySet[Link]:
    """Return a matter's links, standing ones first; the scope is the matter's, which the caller has checked."""
    return (
        Link.objects.filter(matter_id=matter_id).select_related("person", "body").order_by("cycle_no", "from_at", "id")
    )


def linked_matters(person_id: UUID) -> QuerySet[Link, UUID]:
    """Return the ids of the matters in whose chain a person stands now."""
    return Link.objects.filter(person_id=person_id, until_at__isnull=True).values_list("matter_id", flat=True)


def _pick(held: list[Holding], place: Placed, *, spread: bool = True) -> Holding | None:
    """Choose one of several holders: always the same one for a place, spread evenly over places; deputies only if alone."""
    first = [h for h in held if not h.deputy] or held
    if not first:
        return None
    return first[place.pk.int % len(first)] if spread else first[0]

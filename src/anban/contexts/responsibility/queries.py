"""Who answers for a place and a hazard class: four answers, each with its officer and the reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol
from uuid import UUID

from django.db.models import Q, QuerySet

from anban.base.people.models import Person
from anban.contexts.responsibility.models import Link, Mandate
from anban.contexts.territory.models import Area, Body, Holding
from anban.contexts.territory.queries import NEARNESS, Coverage
from anban.kit.remember import is_remembering, remembered

OFFICER_ROLES: Mapping[str, tuple[str, ...]] = {
    Mandate.Role.SECTOR_LEAD: ("district_regulator", "district_regulator_head", "street_safety_office"),
    Mandate.Role.SPECIAL: ("district_regulator", "district_regulator_head", "certified_officer"),
    Mandate.Role.ENFORCER: ("certified_officer", "district_regulator"),
    Mandate.Role.TERRITORY: ("safety_inspector", "street_safety_office", "street_deputy", "street_director"),
}
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


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: the body, the natural person who answers for it there, and why."""

    role: str
    body: Body | None
    person: Person | None
    reason: str
    deputy: bool = False


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
    coverage: Coverage = field(default_factory=lambda: Coverage({}))

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
        upward, path = above(place.area_path), place.area_path
        managing = [area for area, held in self.coverage.managed.items() if any(path.startswith(one) for one in held)]
        dated = Q(from_on__isnull=True) | Q(from_on__lte=on)
        lasting = Q(until_on__isnull=True) | Q(until_on__gt=on)
        here = Q(area__path__in=upward) | Q(area__parent__isnull=True) | Q(area_id__in=managing)
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
        bodies = {m.body_id for m in self.mandates}
        rows = (
            Holding.objects.filter(lasting, post__root_id=place.root, from_on__lte=on, post__place_id__isnull=True)
            .filter(Q(post__until_on__isnull=True) | Q(post__until_on__gt=on))
            .filter(Q(post__area__path__in=upward) | Q(post__area__parent__isnull=True) | Q(post__area_id__in=managing))
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

    def of(self, place: Placed, class_code: str) -> Resolution:
        """Return the four answers for one place and hazard class."""
        return Resolution(
            sector_lead=self._mandated(place, class_code, Mandate.Role.SECTOR_LEAD),
            special=self._mandated(place, class_code, Mandate.Role.SPECIAL),
            enforcer=self._mandated(place, class_code, Mandate.Role.ENFORCER),
            territory=self._territory(place),
            office=self._office(place),
        )

    def _mandated(self, place: Placed, class_code: str, role: str) -> Answer:
        fitting = [m for m in self.mandates if m.role == role and self._fits(m, place, class_code)]
        if not fitting:
            return Answer(role, None, None, "无监管职责登记（空白）")
        best = max(fitting, key=_specificity)
        holding = self._officer(best.body_id, OFFICER_ROLES[role], place)
        reason = best.basis or "监管职责登记"
        if holding is None:
            return Answer(role, best.body, None, f"{reason}；岗位空缺")
        return Answer(role, best.body, holding.person, reason, holding.deputy)

    def _territory(self, place: Placed) -> Answer:
        role = Mandate.Role.TERRITORY
        near = [h for h in self.streets if h.post.area.parent_id and self.coverage.covers(h.post.area, place.area_path)]
        for wanted in OFFICER_ROLES[role]:
            holding = _pick([h for h in near if h.post.role == wanted], place)
            if holding is not None:
                return Answer(role, holding.post.body, holding.person, "属地管理（街道、乡镇）", holding.deputy)
        return Answer(role, None, None, "属地岗位空缺")

    def _office(self, place: Placed) -> Answer:
        for wanted in OFFICES:
            near = [
                h for h in self.offices if h.post.role == wanted and self.coverage.covers(h.post.area, place.area_path)
            ]
            holding = _pick(
                sorted(near, key=lambda h: (h.deputy, -NEARNESS[Area.Level(h.post.area.level)])), place, spread=False
            )
            if holding is not None:
                return Answer("office", holding.post.body, holding.person, "安委办指定前代管", holding.deputy)
        return Answer("office", None, None, "无安委办岗位")

    def _fits(self, mandate: Mandate, place: Placed, class_code: str) -> bool:
        return (
            mandate.hazard_class in ("", class_code)
            and mandate.place_kind in ("", place.kind)
            and (not mandate.industry or place.industry.startswith(mandate.industry))
            and self.coverage.covers(mandate.area, place.area_path)
        )

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
        return Book.of(place.root).near(place, class_code, on).of(place, class_code)
    return Resolver.near(place, class_code, on).of(place, class_code)


@dataclass(slots=True)
class Book:
    """All duties and holdings of a root by what they are asked for, for a batch that resolves thousands of places."""

    mandates: dict[tuple[str, str, str], list[Mandate]]
    holders: dict[UUID, list[Holding]]
    posted: dict[str, list[Holding]]
    paths: dict[UUID, str]
    tops: tuple[str, ...]

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
        return cls(dict(mandates), dict(holders), dict(posted), paths, tuple(tops))

    def near(self, place: Placed, class_code: str, on: date) -> Resolver:
        """Return a resolver that knows what can bear on one place and class on a day."""
        made = Resolver(place.root, on, coverage=Coverage.load(place.root, on))
        path = place.area_path
        managing = [
            self.paths[area]
            for area, held in made.coverage.managed.items()
            if area in self.paths and any(path.startswith(one) for one in held)
        ]
        over = dict.fromkeys((*self.tops, *above(path), *managing))
        keys = dict.fromkeys((c, k, p) for p in over for c in ("", class_code) for k in ("", place.kind))
        made.mandates = [one for key in keys for one in self.mandates.get(key, ()) if _in_force(one, on)]
        bodies = {one.body_id for one in made.mandates}
        asked = [row for one in over for row in self.posted.get(one, ())]
        asked += [row for body in bodies for row in self.holders.get(body, ())]
        rows = {
            row.pk: row for row in asked if _in_force(row, on) and (row.post.until_on is None or row.post.until_on > on)
        }
        return made._taking(sorted(rows.values(), key=lambda row: (row.deputy, row.pk)))


def _in_force(row: Mandate | Holding, on: date) -> bool:
    return (row.from_on is None or row.from_on <= on) and (row.until_on is None or row.until_on > on)


def above(path: str) -> tuple[str, ...]:
    """Return a path and every path above it, the city's first."""
    parts = [part for part in path.split("/") if part]
    return tuple("/".join(parts[: n + 1]) + "/" for n in range(len(parts)))


def mandates(root: str, on: date | None = None) -> QuerySet[Mandate]:
    """Return a root's mandates, of a day or all; mandates are public."""
    rows = (
        Mandate.objects.filter(root=root).select_related("body", "area").order_by("role", "place_kind", "hazard_class")
    )
    if on is None:
        return rows
    return rows.filter(Q(from_on__isnull=True) | Q(from_on__lte=on), Q(until_on__isnull=True) | Q(until_on__gt=on))


def links_of(matter_id: UUID) -> QuerySet[Link]:
    """Return a matter's links, standing ones first; the scope is the matter's, which the caller has checked."""
    return (
        Link.objects.filter(matter_id=matter_id).select_related("person", "body").order_by("cycle_no", "from_at", "id")
    )


def linked_matters(person_id: UUID) -> QuerySet[Link, UUID]:
    """Return the ids of the matters in whose chain a person stands now."""
    return Link.objects.filter(person_id=person_id, until_at__isnull=True).values_list("matter_id", flat=True)


def _specificity(mandate: Mandate) -> tuple[int, int, int, int]:
    return (
        NEARNESS[Area.Level(mandate.area.level)],
        bool(mandate.hazard_class) + bool(mandate.place_kind),
        len(mandate.industry),
        # The same answer on every run: of equals, the one entered first.
        -mandate.pk.int,
    )


def _pick(held: list[Holding], place: Placed, *, spread: bool = True) -> Holding | None:
    """Choose one of several holders: always the same one for a place, spread evenly over places; deputies only if alone."""
    first = [h for h in held if not h.deputy] or held
    if not first:
        return None
    return first[place.pk.int % len(first)] if spread else first[0]

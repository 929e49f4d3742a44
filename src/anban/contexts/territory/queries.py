"""Reads of areas, bodies and posts, and the actor that a person is on a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from anban.base.people.actor import Actor, Channel, Grant
from anban.base.people.models import Account, Person
from anban.contexts.catalog.queries import sector_scope
from anban.contexts.territory.models import (
    Area,
    AreaRoot,
    Body,
    CalendarYear,
    Holding,
    LoadedCriteria,
    Overlay,
    Post,
    Setting,
)
from anban.kit.clock import city_date as kit_city_date
from anban.kit.remember import is_remembering, remembered
from anban.kit.workdays import Calendar, china
from anban.rules import major_criteria
from anban.rules.loaded import Loaded
from anban.rules.major_criteria import Criteria

END = "~"


@dataclass(frozen=True, slots=True)
class Root:
    """What an area root is, for pages and rules: its kind, zone and calendar."""

    code: str
    name: str
    name_en: str
    kind: str
    zone: str
    calendar: str
    number_prefix: str

    @property
    def is_real(self) -> bool:
        """Tell whether this root holds the records of a real city."""
        return self.kind == AreaRoot.Kind.REAL

    @property
    def calendars(self) -> tuple[str, ...]:
        """Name the calendars whose loaded years count here, the deciding one last: what a demonstration loads is its own."""
        return (self.calendar,) if self.is_real else (self.calendar, self.code)


def within(path: str, column: str = "area_path") -> Q:
    """Return the range predicate for everything at or below ``path`` (never LIKE: an index serves a range)."""
    return Q(**{f"{column}__gte": path, f"{column}__lt": path + END})


def roots() -> QuerySet[AreaRoot]:
    """Return every area root; which of them an actor may enter is decided by its posts."""
    return AreaRoot.objects.order_by("code")


@remembered
def root(code: str) -> Root:
    """Return the root named ``code``. Raises: AreaRoot.DoesNotExist."""
    row = AreaRoot.objects.get(pk=code)
    return Root(row.code, row.name, row.name_en, row.kind, row.zone, row.calendar, row.number_prefix)


def city_date(at: datetime, root_code: str) -> date:
    """Return the day of the root's own city at the instant ``at``: the only way from instant to day."""
    return kit_city_date(at, root(root_code).zone)


@remembered
def calendar(root_code: str) -> Calendar:
    """Return the root's working-day calendar with the years loaded from files."""
    names = root(root_code).calendars
    rows = CalendarYear.objects.filter(calendar__in=names).order_by("year").values_list("calendar", "days")
    made = china()
    for _, text in sorted(rows, key=lambda row: names.index(row[0])):
        made = made.with_text(text)
    return made


@remembered
def criteria(root_code: str) -> tuple[Criteria, ...]:
    """Return the judgement standards of major hazards that hold in a root: the package's and those it has loaded."""
    rows = LoadedCriteria.objects.filter(root_id=root_code).order_by("code").values_list("text", flat=True)
    return major_criteria.with_loaded(major_criteria.parse(text) for text in rows)


def loaded(root_code: str) -> Loaded:
    """Return what rules asked in a root judge by beside the law: its calendar and its judgement standards."""
    return Loaded(calendar(root_code), criteria(root_code))


def loaded_criteria(root_code: str) -> QuerySet[LoadedCriteria]:
    """Return the judgement standards that a root has loaded from files."""
    return LoadedCriteria.objects.filter(root_id=root_code).order_by("code")


@remembered
def settings_of(root_code: str) -> Mapping[str, str]:
    """Return the figures of practice that the root has set for itself."""
    return dict(Setting.objects.filter(root_id=root_code).values_list("key", "value"))


def areas(actor: Actor) -> QuerySet[Area]:
    """Return the areas of the actor's root that its grants cover, in tree order."""
    rows = Area.objects.filter(root_id=actor.root).order_by("path")
    prefixes = scope_paths(actor)
    if prefixes is None:
        return rows
    covered = Q(pk__in=[])
    for prefix in prefixes:
        covered |= within(prefix, "path")
    return rows.filter(covered)


def scope_paths(actor: Actor) -> tuple[str, ...] | None:
    """Return the area paths that the actor's grants cover, or None for the whole root."""
    if actor.system:
        return None
    paths: set[str] = set()
    for grant in actor.grants:
        if grant.root != actor.root or grant.place_id or grant.matter_id:
            continue
        if not grant.paths:
            return None
        paths.update(grant.paths)
    return tuple(sorted(p for p in paths if not any(p != q and p.startswith(q) for q in paths)))


def area_by_code(root_code: str, code: str) -> Area | None:
    """Return the area with the attribute code ``code`` in a root."""
    return Area.objects.filter(root_id=root_code, code=code).first()


def overview_areas(root_code: str) -> QuerySet[Area]:
    """Return the areas of every overview of a root: in Beijing the 16 districts and 经开区."""
    return Area.objects.filter(root_id=root_code, in_overview=True).order_by("code")


def overview_code(root_code: str, path: str, on: date) -> str:
    """Return the code of the overview area that a path counts in on a day: its managing area where one is in the overview."""
    return overviews(root_code, on).of(path)


@dataclass(frozen=True, slots=True)
class Overviews:
    """The overview of a root on a day: which district or managing area each path counts in."""

    districts: tuple[tuple[str, str], ...]
    managed: tuple[tuple[str, str], ...]

    def of(self, path: str) -> str:
        """Return the overview area's code for a path, empty above the districts."""
        for prefix, code in self.managed:
            if path.startswith(prefix):
                return code
        for prefix, code in self.districts:
            if path.startswith(prefix):
                return code
        return ""


@remembered
def overviews(root_code: str, on: date) -> Overviews:
    """Return the overview of a root on a day, for callers that place many rows."""
    districts = tuple(
        Area.objects.filter(root_id=root_code, in_overview=True)
        .exclude(level=Area.Level.MANAGEMENT)
        .values_list("path", "code")
    )
    managed = tuple(
        Overlay.objects.filter(managing__root_id=root_code, managing__in_overview=True)
        .filter(Q(from_on__isnull=True) | Q(from_on__lte=on), Q(until_on__isnull=True) | Q(until_on__gt=on))
        .values_list("street__path", "managing__code")
    )
    return Overviews(districts, managed)


def bodies(root_code: str) -> QuerySet[Body]:
    """Return the bodies of a root by name; bodies are public knowledge."""
    return Body.objects.filter(root_id=root_code).select_related("area").order_by("area__path", "name")


def posts(actor: Actor) -> QuerySet[Post]:
    """Return the posts of the areas that the actor covers."""
    rows = Post.objects.filter(root_id=actor.root).select_related("body", "area").order_by("area__path", "role")
    prefixes = scope_paths(actor)
    if prefixes is None:
        return rows
    covered = Q(pk__in=[])
    for prefix in prefixes:
        covered |= within(prefix, "area__path")
    return rows.filter(covered)


def holders(post_ids: Iterable[UUID], on: date) -> QuerySet[Holding]:
    """Return who holds the given posts on a day, first holders before deputies."""
    return (
        Holding.objects.filter(post_id__in=list(post_ids), from_on__lte=on)
        .filter(Q(until_on__isnull=True) | Q(until_on__gt=on))
        .select_related("person", "post__body")
        .order_by("post_id", "deputy", "from_on", "id")
    )


def post_list(actor: Actor, on: date, *, area_path: str = "", role: str = "", vacant: bool = False) -> QuerySet[Post]:
    """Return the living posts that the actor covers, vacant ones first; each has ``held``, whether a person holds it."""
    holding = (
        Holding.objects.filter(post_id=OuterRef("pk"), deputy=False, from_on__lte=on)
        .filter(Q(until_on__isnull=True) | Q(until_on__gt=on))
    )  # fmt: skip
    rows = posts(actor).filter(Q(until_on__isnull=True) | Q(until_on__gt=on)).annotate(held=Exists(holding))
    if area_path:
        rows = rows.filter(within(area_path, "area__path"))
    if role:
        rows = rows.filter(role=role)
    if vacant:
        rows = rows.filter(held=False)
    return rows.order_by("held", "area__path", "role", "id")


def post(actor: Actor, post_id: UUID) -> Post | None:
    """Return one post that the actor covers."""
    return posts(actor).filter(pk=post_id).first()


def all_holdings(person_id: UUID) -> QuerySet[Holding]:
    """Return every post a person has held, the newest first."""
    return (
        Holding.objects.filter(person_id=person_id)
        .select_related("post__body", "post__area")
        .order_by("-from_on", "-id")
    )


def calendar_years(root_code: str) -> QuerySet[CalendarYear]:
    """Return the years of a root's calendar that were loaded from files."""
    return CalendarYear.objects.filter(calendar__in=root(root_code).calendars).order_by("year")


def holdings_of(person_id: UUID, on: date) -> QuerySet[Holding]:
    """Return the posts that a person holds on a day."""
    return (
        Holding.objects.filter(person_id=person_id, from_on__lte=on)
        .filter(Q(until_on__isnull=True) | Q(until_on__gt=on))
        .filter(Q(post__until_on__isnull=True) | Q(post__until_on__gt=on))
        .select_related("post__body", "post__area")
        .order_by("post_id")
    )


def roles_held(person_id: UUID, from_on: date) -> frozenset[str]:
    """Return the roles that a person holds on a day or after it, in any root."""
    return frozenset(
        Holding.objects.filter(person_id=person_id)
        .filter(Q(until_on__isnull=True) | Q(until_on__gt=from_on))
        .values_list("post__role", flat=True)
    )


def managed_paths(area: Area, on: date) -> tuple[str, ...]:
    """Return the paths that an area's grants cover on a day: its own, or the streets that a managing area holds."""
    if area.level != Area.Level.MANAGEMENT:
        return () if area.parent_id is None else (area.path,)
    streets = (
        Overlay.objects.filter(managing=area)
        .filter(Q(from_on__isnull=True) | Q(from_on__lte=on), Q(until_on__isnull=True) | Q(until_on__gt=on))
        .values_list("street__path", flat=True)
    )
    return (area.path, *streets)


def actor_for(
    person_id: UUID,
    root_code: str,
    on: date,
    *,
    account: Account | None = None,
    channel: Channel = "web",
    second_factor: bool = False,
    scopes: frozenset[str] = frozenset(),
) -> Actor:
    """Return the actor that a person is in a root on a day: one grant per post held, as holder or deputy."""
    grants: list[Grant] = []
    for holding in holdings_of(person_id, on).filter(post__root_id=root_code):
        post = holding.post
        classes, kinds = sector_scope(root_code, post.sector, on) if post.sector else (frozenset(), frozenset())
        grants.append(
            Grant(
                root=root_code,
                role=post.role,
                paths=() if post.place_id else managed_paths(post.area, on),
                sector=post.sector,
                classes=classes,
                kinds=kinds,
                body_id=post.body_id,
                body_kind=post.body.kind,
                post_id=post.id,
                place_id=post.place_id,
                deputy=holding.deputy,
            )
        )
    return Actor(
        person_id=person_id,
        root=root_code,
        grants=tuple(grants),
        account_id=account.pk if account else None,
        channel=channel,
        second_factor=second_factor,
        zone=root(root_code).zone,
        scopes=scopes,
    )


def roots_of(person_id: UUID, on: date) -> tuple[str, ...]:
    """Return the codes of the roots in which a person holds a post on a day."""
    return tuple(sorted(set(holdings_of(person_id, on).values_list("post__root_id", flat=True))))


def scope_label(actor: Actor, *, english: bool = False) -> str:
    """Return in words where the actor's first grant holds: the areas' names, or the root's."""
    paths = scope_paths(actor)
    if paths is None:
        return ""
    names = Area.objects.filter(root_id=actor.root, path__in=paths[:3]).order_by("path")
    shown = "、".join(a.name_en if english else a.name for a in names)
    return f"{shown}…" if len(paths) > 3 else shown


@remembered
def _overlaid(root_code: str) -> tuple[tuple[UUID, str, date | None, date | None], ...]:
    """Return every street that a managing area has ever held, with its days."""
    rows = Overlay.objects.filter(managing__root_id=root_code, managing__level=Area.Level.MANAGEMENT)
    return tuple(rows.values_list("managing_id", "street__path", "from_on", "until_on"))


def overlay_days(root_code: str) -> frozenset[date]:
    """Return the days on which a managing area of a root took over a street or gave it back."""
    return frozenset(day for *_, from_on, until_on in _overlaid(root_code) for day in (from_on, until_on) if day)


@remembered
def body_by_id(body_id: UUID) -> Body | None:
    """Return the body with this id; bodies are public knowledge."""
    return Body.objects.filter(pk=body_id).first()


@remembered
def _held_at(body_id: UUID) -> tuple[Holding, ...]:
    """Return every holding at a body there ever was, holders before deputies."""
    rows = Holding.objects.filter(post__body_id=body_id).select_related("person", "post__area")
    return tuple(rows.order_by("deputy", "id"))


def posts_holder(body: Body, path: str, at: datetime, roles: Iterable[str] = ()) -> Holding | None:
    """Return who answers at a body for the area ``path``: holders before deputies, of the given roles if any is held."""
    on = city_date(at, body.root_id)
    coverage = Coverage.load(body.root_id, on)
    rows = [
        h
        for h in _held_at(body.pk)
        if h.from_on <= on and (h.until_on is None or h.until_on > on) and coverage.covers(h.post.area, path)
    ]
    wanted = tuple(roles)
    for holding in rows:
        if holding.post.role in wanted:
            return holding
    return rows[0] if rows else None


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which paths an area's posts cover on a day: its own subtree, or the streets that a managing area holds."""

    managed: Mapping[UUID, tuple[str, ...]]

    @classmethod
    @remembered
    def load(cls, root_code: str, on: date) -> Coverage:
        """Return the coverage of a root's areas on a day."""
        held: dict[UUID, list[str]] = {}
        for managing, path, from_on, until_on in _overlaid(root_code):
            if (from_on is None or from_on <= on) and (until_on is None or until_on > on):
                held.setdefault(managing, []).append(path)
        return cls({key: tuple(paths) for key, paths in held.items()})

    def covers(self, area: Area, path: str) -> bool:
        """Tell whether a post over ``area`` covers ``path``; the root's own area covers everything."""
        if area.parent_id is None or path.startswith(area.path):
            return True
        return any(path.startswith(street) for street in self.managed.get(area.pk, ()))


NEARNESS = {
    Area.Level.CITY: 1,
    Area.Level.DISTRICT: 2,
    Area.Level.MANAGEMENT: 3,
    Area.Level.STREET: 4,
    Area.Level.COMMUNITY: 5,
}
"""How near an area is to a place in it: of two posts that cover it, the nearer one answers."""


RUNG_ROLES: Mapping[str, tuple[str, ...]] = {
    "community": ("community_contact",),
    "street_office": ("street_safety_office",),
    "street_deputy": ("street_deputy",),
    "street_director": ("street_director",),
    "district_office": ("district_committee_officer",),
    "district_deputy_head": ("leader_viewer",),
    "city_office": ("city_committee_officer",),
    "section": ("district_regulator", "certified_officer"),
    "bureau_deputy": ("district_regulator_head",),
    "bureau_head": ("district_regulator_head",),
    "city_department": ("city_committee_officer",),
}
"""Which post is told on which rung of the two ladders (块、条)."""

BUREAU_RUNGS = frozenset({"section", "bureau_deputy", "bureau_head"})


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Holdings of the posts that a ladder tells, by role and by the path of their area."""

    held: Mapping[tuple[str, str], tuple[Holding, ...]]
    paths: Mapping[UUID, str]
    tops: tuple[str, ...]

    @classmethod
    def of(cls, rows: Iterable[Holding]) -> _Shelf:
        held: dict[tuple[str, str], list[Holding]] = {}
        paths: dict[UUID, str] = {}
        tops: dict[str, None] = {}
        for row in rows:
            area = row.post.area
            held.setdefault((row.post.role, area.path), []).append(row)
            paths[area.pk] = area.path
            if area.parent_id is None:
                tops[area.path] = None
        return cls({key: tuple(rows) for key, rows in held.items()}, paths, tuple(tops))


@dataclass(frozen=True, slots=True)
class RungHolders:
    """Who stands on each rung for an area on a day; loaded once for a whole run of the ladders."""

    on: date
    shelf: _Shelf
    coverage: Coverage

    @classmethod
    def load(cls, root_code: str, on: date) -> RungHolders:
        """Return the holders of every post that a ladder tells."""
        # A batch that goes through many days reads the holdings of all days once.
        shelf = _shelf_ever(root_code) if is_remembering() else _Shelf.of(_rung_rows(root_code).filter(_held_on(on)))
        return cls(on, shelf, Coverage.load(root_code, on))

    def of(self, rung: str, path: str, body_id: UUID | None) -> Person | None:
        """Return the person on a rung for an area (of one body, on a bureau's own rungs); None while the post is vacant."""
        shelf, covers = self.shelf, self.coverage
        managing = [
            shelf.paths[area]
            for area, held in covers.managed.items()
            if area in shelf.paths and any(path.startswith(street) for street in held)
        ]
        fitting = [
            h
            for role in RUNG_ROLES.get(rung, ())
            for over in dict.fromkeys((*shelf.tops, *upward(path), *managing))
            for h in shelf.held.get((role, over), ())
            if h.from_on <= self.on
            and (h.until_on is None or h.until_on > self.on)
            and (rung not in BUREAU_RUNGS or h.post.body_id == body_id)
            and covers.covers(h.post.area, path)
        ]
        if not fitting:
            return None
        # The nearest post; a city post covers all, a district's own is nearer. Of equals the one in post longest by id.
        return min(fitting, key=lambda h: (-NEARNESS[Area.Level(h.post.area.level)], h.deputy, h.pk)).person


def upward(path: str) -> tuple[str, ...]:
    """Return a path and every path above it, the city's first."""
    parts = [part for part in path.split("/") if part]
    return tuple("/".join(parts[: n + 1]) + "/" for n in range(len(parts)))


def _rung_rows(root_code: str) -> QuerySet[Holding]:
    wanted = {role for roles in RUNG_ROLES.values() for role in roles}
    rows = Holding.objects.filter(post__root_id=root_code, post__role__in=wanted)
    return rows.select_related("person", "post__area")


def _held_on(on: date) -> Q:
    return Q(from_on__lte=on) & (Q(until_on__isnull=True) | Q(until_on__gt=on))


@remembered
def _shelf_ever(root_code: str) -> _Shelf:
    """Return every holding there ever was of a post that a ladder tells."""
    return _Shelf.of(_rung_rows(root_code))


@remembered
def rung_holders(root_code: str, on: date) -> RungHolders:
    """Return who stands on each rung on a day, read once in a batch."""
    return RungHolders.load(root_code, on)


def area_choices(actor: Actor, chosen: str = "") -> list[Area]:
    """Return the areas that a list's area filter offers: what lies one step below ``chosen``, and the way up to the scope."""
    prefixes = scope_paths(actor)
    rows = Area.objects.filter(root_id=actor.root).exclude(level=Area.Level.MANAGEMENT).order_by("path")
    parts = [p for p in chosen.split("/") if p]
    above = {"/".join(parts[:n]) + "/" for n in range(1, len(parts) + 1)}
    if chosen:
        found = Q(path__in=above) | Q(parent__path=chosen)
    elif prefixes is None:
        found = Q(level=Area.Level.DISTRICT)
    else:
        found = Q(path__in=prefixes) | Q(parent__path__in=prefixes)
    return [row for row in rows.filter(found) if prefixes is None or any(row.path.startswith(p) for p in prefixes)]


def area_names(root_code: str, paths: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return Chinese and English name by path, for the given paths and every area above them, in one query."""
    wanted: set[str] = set()
    for path in paths:
        parts = [p for p in path.split("/") if p]
        wanted |= {"/".join(parts[:n]) + "/" for n in range(1, len(parts) + 1)}
    rows = Area.objects.filter(root_id=root_code, path__in=wanted).values_list("path", "name", "name_en")
    return {path: (zh, en) for path, zh, en in rows}


def free_body_code(root_code: str, kind: str, area_code: str) -> str:
    """Return a code that no body has yet: its kind and area, numbered when several bodies of the kind share the area."""
    base = f"{kind}-{area_code}"
    taken = set(Body.objects.filter(root_id=root_code, code__startswith=base).values_list("code", flat=True))
    return (
        base
        if base not in taken
        else next(f"{base}-{n}" for n in range(2, len(taken) + 3) if f"{base}-{n}" not in taken)
    )


def areas_by_path(root_code: str, paths: Iterable[str]) -> QuerySet[Area]:
    """Return the areas that have these paths, in the tree's order."""
    return Area.objects.filter(root_id=root_code, path__in=list(paths)).order_by("path")


def bodies_over(root_code: str, path: str) -> QuerySet[Body]:
    """Return the bodies whose area contains ``path``, the nearest area first: those to which a matter there can be sent."""
    parts = [p for p in path.split("/") if p]
    above = ["/".join(parts[:n]) + "/" for n in range(1, len(parts) + 1)]
    return bodies(root_code).filter(area__path__in=above, until_on__isnull=True).order_by("-area__path", "name")


def colleagues(actor: Actor, on: date) -> QuerySet[Holding]:
    """Return who else holds a post at the actor's own bodies on a day, by name."""
    return (
        Holding.objects.filter(post__body_id__in=actor.body_ids(), post__place_id__isnull=True, from_on__lte=on)
        .filter(Q(until_on__isnull=True) | Q(until_on__gt=on))
        .exclude(person_id=actor.person_key)
        .select_related("person", "post__body")
        .order_by("person__name", "id")
    )


def holders_of_role(root_code: str, role: str, path: str, on: date) -> list[Holding]:
    """Return who holds a role over the area ``path`` on a day, the nearest post first."""
    rows = (
        Holding.objects.filter(post__root_id=root_code, post__role=role, from_on__lte=on)
        .filter(Q(until_on__isnull=True) | Q(until_on__gt=on))
        .select_related("person", "post__body", "post__area")
        .order_by("deputy", "id")
    )
    fitting = [h for h in rows if h.post.area.parent_id is None or path.startswith(h.post.area.path)]
    return sorted(fitting, key=lambda h: -len(h.post.area.path))


def persons_within(actor: Actor) -> QuerySet[Person]:
    """Return the persons who hold or held a post in the areas that the actor covers, and those who hold none yet, by name."""
    return (
        Person.objects.filter(root=actor.root, erased_at__isnull=True)
        .filter(Q(holdings__isnull=True) | Q(holdings__post__in=posts(actor)))
        .distinct()
        .order_by("name", "id")
    )

"""The bodies of the demonstration city: committee offices, bureaus, streets, their posts, persons and deputies."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID

from anban.base.journal.operations import unit
from anban.base.people.actor import Actor, job_actor
from anban.base.people.models import Person
from anban.base.people.operations import add_people, add_person
from anban.config.demonstration.names import person_name
from anban.contexts.catalog.data.tables import BodyKindRow, body_kinds
from anban.contexts.catalog.operations import load_standard
from anban.contexts.territory.models import Area, Body, Holding, Post
from anban.contexts.territory.operations import add_bodies, add_posts, add_root, appoint_many, leave, load_beijing
from anban.contexts.territory.queries import actor_for, area_by_code, areas, bodies, city_date, holders, posts, roots

ROOT = "demo"
SEED = 20260101
DEVELOPMENT_AREA = "110115403"
DEVELOPMENT = "BDA"
COMMUNITY = "110105026034"

DISTRICT_KINDS = (
    "district_committee_office", "district_government", "district_emergency", "district_fire",
    "district_urban_management", "district_urban_enforcement", "district_housing_construction", "district_market",
    "district_commerce", "district_culture_tourism", "district_health", "district_civil_affairs", "district_education",
    "district_sports", "district_water", "district_landscaping", "district_transport", "district_industry_it",
    "district_police", "district_publicity", "district_ethnic_religious", "district_agriculture",
    "district_human_resources", "district_government_services",
)  # fmt: skip
CITY_KINDS = ("city_committee_office", "city_government", "city_emergency", "city_fire", "city_postal")
OFFICERS = {"district_fire": 5, "district_emergency": 4, "district_urban_management": 3}

VACANT = ("通州区", "district_commerce")
"""The bureau whose head left, with no deputy named and nobody else on its posts."""


@dataclass
class City:
    """The demonstration city at hand: areas and bodies by name, who holds what, and the actors of its persons."""

    at: datetime
    on: date
    districts: list[Area] = field(default_factory=list)
    streets: dict[str, list[Area]] = field(default_factory=dict)
    bodies: dict[str, Body] = field(default_factory=dict)
    held: dict[tuple[UUID, str], list[Person]] = field(default_factory=dict)
    actors: dict[UUID, Actor] = field(default_factory=dict)

    @property
    def job(self) -> Actor:
        """The hand that sets the demonstration up."""
        return job_actor("demonstration", ROOT)

    @property
    def began(self) -> datetime:
        """The day on which the city was set up: somewhat more than a year before the present."""
        return self.at - timedelta(days=420)

    def body(self, kind: str, area_code: str) -> Body | None:
        """Return the body of a kind in an area."""
        return self.bodies.get(f"{kind}:{area_code}")

    def people(self, kind: str, area_code: str, role: str) -> list[Person]:
        """Return who holds a role at the body of a kind in an area."""
        body = self.body(kind, area_code)
        return self.held.get((body.pk, role), []) if body else []

    def actor(self, person: Person) -> Actor:
        """Return the actor that a person is today; posts do not change while the history is told."""
        known = self.actors.get(person.pk)
        if known is None:
            known = actor_for(person.pk, ROOT, self.on, channel="web", second_factor=True)
            self.actors[person.pk] = known
        return known


def open_city(at: datetime) -> City:
    """Open the root with Beijing's areas, the catalog, and every body with its posts and persons.

    All of it or nothing: a root that is there has everything, and is read.
    """
    city = City(at=at, on=date.min)
    job, began = city.job, city.began
    with unit():
        if not roots().filter(pk=ROOT).exists():
            add_root(
                actor=job, at=began, code=ROOT, name="演示市", name_en="Demonstration city", kind="demonstration",
                number_prefix="YS",
            )  # fmt: skip
            load_standard(actor=job, at=began, root=ROOT)
            load_beijing(actor=job, at=began, root=ROOT)
            city.on = city_date(at, ROOT)
            _areas(city)
            add_person(actor=job, at=began, root=ROOT, name="数据管理组", steward=True)
            _found(city)
            _staff(city, Random(SEED))  # noqa: S311 - invented names
            _vacate(city)
    return read_city(at)


def read_city(at: datetime) -> City:
    """Return the demonstration city as it stands, from a handful of queries."""
    city = City(at=at, on=city_date(at, ROOT))
    _areas(city)
    city.bodies = {f"{body.kind}:{body.area.code}": body for body in bodies(ROOT)}
    job = city.job
    ids = [post.pk for post in posts(job)]
    for start in range(0, len(ids), 800):
        for row in holders(ids[start : start + 800], city.on):
            city.held.setdefault((row.post.body_id, row.post.role), []).append(row.person)
    return city


def _areas(city: City) -> None:
    rows = list(areas(city.job).exclude(level=Area.Level.COMMUNITY))
    by_id = {row.pk: row for row in rows}
    for row in rows:
        if row.level == Area.Level.DISTRICT:
            city.districts.append(row)
        elif row.level == Area.Level.STREET and row.parent_id:
            zone = row.name.endswith(("区", "港", "基地")) and not row.name.endswith("地区")
            if row.code == DEVELOPMENT_AREA:
                city.streets[DEVELOPMENT] = [row]
            elif not zone:
                city.streets.setdefault(by_id[row.parent_id].code, []).append(row)
        elif row.code == DEVELOPMENT:
            city.districts.append(row)
    city.districts.sort(key=lambda row: row.code)


def _found(city: City) -> None:
    """Put the bodies of the city, the 17 areas and the streets on file."""
    kinds = {row.code: row for row in body_kinds()}
    rows = []
    root_area = areas(city.job).get(parent__isnull=True)
    for kind in CITY_KINDS:
        rows.append(_body(kinds[kind], kind, root_area, _name(kinds[kind], "{市}", "演示市"), kinds[kind].en))
    for district in city.districts:
        for kind in DISTRICT_KINDS:
            name = _name(kinds[kind], "{区}", district.name)
            rows.append(_body(kinds[kind], kind, district, name, _name_en(kinds[kind], district)))
        for street in city.streets.get(district.code, ()):
            office = "town_government" if street.name.endswith(("镇", "乡")) else "street_office"
            for kind in ("street_safety_office", "street_enforcement", office):
                name = _name(kinds[kind], "{街道}", street.name)
                rows.append(_body(kinds[kind], kind, street, name, _name_en(kinds[kind], street)))
    home = area_by_code(ROOT, COMMUNITY)
    if home is not None:
        name = _name(kinds["community_committee"], "{社区}", home.name.removesuffix("居委会"))
        rows.append(_body(kinds["community_committee"], "community_committee", home, name, home.name_en))
    city.bodies = {f"{b.kind}:{b.area.code}": b for b in add_bodies(actor=city.job, at=city.began, rows=rows)}


def _name(kind: BodyKindRow, slot: str, area: str) -> str:
    return kind.name_template.replace(slot, area).replace("{市}", "演示市").replace("北京市", "演示市")


def _name_en(kind: BodyKindRow, area: Area) -> str:
    """Put the area's English name for the word that stands for any area of its kind: Chaoyang District Commerce Bureau."""
    return f"{area.name_en} {re.sub(r'(Subdistrict|District|Town or Township) ', '', kind.en, count=1)}"


def _body(kind: BodyKindRow, code: str, area: Area, name: str, name_en: str) -> Body:
    return Body(
        root_id=ROOT,
        code=f"{code}-{area.code}",
        kind=code,
        name=name,
        name_en=name_en[:160],
        area=area,
        sector=kind.sector,
    )


def _staff(city: City, rng: Random) -> None:
    """Create the posts and appoint invented persons to them, with deputies."""
    made: list[Post] = []
    seats: list[tuple[Post, bool]] = []
    for body in city.bodies.values():
        empty = body.kind == VACANT[1] and body.area.name == VACANT[0]
        for role, count, deputies in _posts_of(body):
            post = Post(root_id=ROOT, body=body, role=role, area=body.area, sector=_sector(role, body.sector))
            made.append(post)
            if empty:
                count, deputies = int(role == "district_regulator_head"), 0  # noqa: PLW2901 - its other seats stay empty
            seats += [(post, False)] * count + [(post, True)] * deputies
    add_posts(actor=city.job, at=city.began, rows=made)
    names = _distinct(rng, len(seats))
    persons = add_people(actor=city.job, at=city.began, root=ROOT, names=names)
    since = city_date(city.began, ROOT)
    appoint_many(
        actor=city.job, at=city.began,
        rows=[
            Holding(
                post=post, person=person, from_on=since, deputy=deputy,
                certificate=f"1101{number:06d}" if post.role in {"certified_officer", "district_regulator"} else "",
            )
            for number, ((post, deputy), person) in enumerate(zip(seats, persons, strict=True), start=1)
        ],
    )  # fmt: skip


def _sector(role: str, sector: str) -> str:
    return sector if role in {"district_regulator", "district_regulator_head", "certified_officer"} else ""


def _posts_of(body: Body) -> Iterable[tuple[str, int, int]]:
    """Return role, number of holders and number of deputies for each post of a body."""
    if body.kind == "street_safety_office":
        yield from (("safety_inspector", 2, 0), ("street_safety_office", 1, 1))
    elif body.kind in {"street_office", "town_government"}:
        yield from (("street_deputy", 1, 0), ("street_director", 1, 0))
    elif body.kind == "street_enforcement":
        yield "certified_officer", 2, 0
    elif body.kind == "district_committee_office":
        yield from (("district_committee_officer", 2, 1), ("duty_officer", 1, 0))
    elif body.kind == "city_committee_office":
        yield "city_committee_officer", 3, 1
    elif body.kind in {"district_government", "city_government"}:
        yield "leader_viewer", 1, 0
    elif body.kind == "community_committee":
        yield from (("community_contact", 1, 0), ("grid_worker", 1, 0))
    elif body.kind == "district_government_services":
        yield "hotline_staff", 1, 0
    else:
        yield "district_regulator", OFFICERS.get(body.kind, 2), 0
        yield "district_regulator_head", 1, int(body.kind in OFFICERS)


def _distinct(rng: Random, count: int) -> list[str]:
    """Return invented names; a name comes back, as names do, only after a thousand others."""
    last: dict[str, int] = {}
    made: list[str] = []
    for number in range(count):
        name = person_name(rng)
        while number - last.get(name, -1001) <= 1000:
            name = person_name(rng)
        made.append(name)
        last[name] = number
    return made


def _vacate(city: City) -> None:
    """Let the head of one bureau leave without anybody named in the place: the office stands in, and the vacancy shows."""
    district = next(row for row in city.districts if row.name == VACANT[0])
    body = city.bodies[f"{VACANT[1]}:{district.code}"]
    left = city.at - timedelta(days=60)
    ids = [post.pk for post in posts(city.job).filter(body=body)]
    for holding in holders(ids, city.on):
        leave(actor=city.job, at=left, holding=holding, until_on=city_date(left, ROOT))

"""A small town with every post that a hazard's life needs, built through operations."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from io import BytesIO
from uuid import UUID

from PIL import Image

from anban.base.files.models import StoredFile
from anban.base.files.operations import store
from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor, job_actor
from anban.base.people.models import Person
from anban.base.people.operations import add_person
from anban.contexts.catalog.operations import load_standard
from anban.contexts.establishments.models import PersonInCharge, Place
from anban.contexts.establishments.search import search_text
from anban.contexts.hazards.models import Hazard
from anban.contexts.responsibility.operations import add_mandate
from anban.contexts.territory.models import Area, Body, Post
from anban.contexts.territory.operations import add_area, add_body, add_post, add_root, appoint
from anban.contexts.territory.queries import actor_for
from tests.factories.replayed import replayed

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # a Monday, 09:00 in Beijing
ON = date(2026, 3, 2)
FROM = date(2026, 1, 1)


@dataclass
class Town:
    """Bodies, persons and actors of the town, by short names."""

    root: str
    areas: dict[str, Area] = field(default_factory=dict)
    bodies: dict[str, Body] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    posts: dict[str, Post] = field(default_factory=dict)

    @property
    def job(self) -> Actor:
        """The house's own hand, for set-up."""
        return job_actor("set-up", self.root)

    def actor(self, name: str, on: date = ON) -> Actor:
        """Return the actor that the person ``name`` is on a day."""
        return actor_for(self.people[name].pk, self.root, on, channel="web", second_factor=True)

    def person(self, name: str) -> Person:
        """Put a person on file under a short name."""
        self.people[name] = add_person(actor=self.job, at=AT, root=self.root, name=name)
        return self.people[name]

    def hold(
        self,
        name: str,
        body: str,
        role: str,
        area: str,
        *,
        sector: str = "",
        place: UUID | None = None,
        deputy: bool = False,
    ) -> None:
        """Give a (new or known) person a post."""
        person = self.people.get(name) or self.person(name)
        key = f"{body}:{role}:{area}:{sector}:{place}"
        if key not in self.posts:
            self.posts[key] = add_post(
                actor=self.job,
                at=AT,
                body=self.bodies[body],
                role=role,
                area=self.areas[area],
                sector=sector,
                place_id=place,
            )
        appoint(actor=self.job, at=AT, post=self.posts[key], person=person, from_on=FROM, deputy=deputy)

    def body(self, name: str, kind: str, area: str, sector: str = "") -> Body:
        """Put a body on file."""
        self.bodies[name] = add_body(
            actor=self.job,
            at=AT,
            area=self.areas[area],
            code=f"{name}",
            kind=kind,
            name=name,
            name_en=name,
            sector=sector,
        )
        return self.bodies[name]

    def photo(self, hazard: Hazard, colour: str = "grey") -> StoredFile:
        """Store a small picture in the hazard's root."""
        picture = BytesIO()
        Image.new("RGB", (8, 8), colour).save(picture, "JPEG")
        picture.seek(0)
        return store(actor=self.job, at=AT, root=hazard.root, stream=picture, name=f"{colour}.jpg")

    def place(
        self,
        name: str = "巷口面馆",
        *,
        area: str = "望京街道",
        kind: str = "catering",
        manager: str | None = "李强",
        building: Place | None = None,
        status: str = "operating",
    ) -> Place:
        """Put a place on the register, with its safety manager in charge."""
        where = self.areas[area]
        number = f"EST-{Place.objects.filter(root=self.root).count() + 1:06d}"
        with unit():
            place = Place.objects.create(
                root=self.root,
                number=number,
                name=name,
                address=f"{area}1号",
                search=search_text(name, f"{area}1号", number),
                kind=kind,
                area=where,
                area_path=where.path,
                overview_code="A01",
                registered_at=AT,
                building=building,
                status=status,
            )
            record("place.registered", actor=self.job, at=AT, subject=("place", place.pk), wrote=[place])
        if manager:
            person = self.people.get(manager) or self.person(manager)
            PersonInCharge.objects.create(place=place, role="safety_manager", person=person)
            body = next(iter(self.bodies))
            self.hold(manager, body, "enterprise_manager", area, place=place.pk)
        return place


@replayed
def town(root: str = "town", kind: str = "real") -> Town:
    """Build the town: a city with two districts, two streets, and everybody who takes part in a hazard's life."""
    made = Town(root)
    job = made.job
    add_root(actor=job, at=AT, code=root, name="试验市", name_en="Test City", kind=kind)
    load_standard(actor=job, at=AT, root=root)

    def area(name: str, level: str, parent: str | None, path: str, code: str, overview: bool = False) -> None:
        made.areas[name] = add_area(
            actor=job,
            at=AT,
            root=root,
            code=code,
            name=name,
            name_en=name,
            level=level,
            parent=made.areas[parent] if parent else None,
            path=path,
            in_overview=overview,
        )

    area("试验市", "city", None, "1/", "A")
    area("朝阳区", "district", "试验市", "1/05/", "A01", overview=True)
    area("海淀区", "district", "试验市", "1/08/", "A02", overview=True)
    area("望京街道", "street", "朝阳区", "1/05/026/", "A01026")
    area("呼家楼街道", "street", "朝阳区", "1/05/004/", "A01004")
    area("中关村街道", "street", "海淀区", "1/08/010/", "A02010")
    for name, kind_, where, sector in (
        ("望京平安办", "street_safety_office", "望京街道", ""),
        ("望京执法队", "street_enforcement", "望京街道", "street_enforcement"),
        ("呼家楼平安办", "street_safety_office", "呼家楼街道", ""),
        ("中关村平安办", "street_safety_office", "中关村街道", ""),
        ("朝阳消防", "district_fire", "朝阳区", "fire"),
        ("朝阳城管委", "district_urban_management", "朝阳区", "urban_management"),
        ("朝阳商务局", "district_commerce", "朝阳区", "commerce"),
        ("朝阳安委办", "district_committee_office", "朝阳区", ""),
        ("市安委办", "city_committee_office", "试验市", ""),
    ):
        made.body(name, kind_, where, sector)
    made.hold("王敏", "望京平安办", "safety_inspector", "望京街道")
    made.hold("刘洋", "望京平安办", "street_safety_office", "望京街道")
    made.hold("孙倩", "望京执法队", "certified_officer", "望京街道", sector="street_enforcement")
    made.hold("吴桐", "望京执法队", "certified_officer", "望京街道", sector="street_enforcement")
    made.hold("郑洁", "呼家楼平安办", "safety_inspector", "呼家楼街道")
    made.hold("高远", "中关村平安办", "safety_inspector", "中关村街道")
    made.hold("赵磊", "朝阳城管委", "district_regulator", "朝阳区", sector="urban_management")
    made.hold("钱进", "朝阳消防", "district_regulator", "朝阳区", sector="fire")
    made.hold("冯刚", "朝阳消防", "district_regulator", "朝阳区", sector="fire")
    made.hold("周航", "朝阳商务局", "district_regulator", "朝阳区", sector="commerce")
    made.hold("何静", "朝阳安委办", "district_committee_officer", "朝阳区")
    made.hold("宋岩", "朝阳安委办", "leader_viewer", "朝阳区")
    made.hold("林涛", "市安委办", "city_committee_officer", "试验市")
    for body, role, kind_, klass in (
        ("朝阳商务局", "sector_lead", "catering", ""),
        ("朝阳城管委", "special", "", "GAS"),
        ("朝阳消防", "special", "", "FIRE"),
        ("望京执法队", "enforcer", "", "GAS"),
        ("朝阳消防", "enforcer", "", "FIRE"),
    ):
        add_mandate(
            actor=job,
            at=AT,
            body=made.bodies[body],
            role=role,
            area=made.bodies[body].area,
            place_kind=kind_,
            hazard_class=klass,
            basis="试验",
        )
    return made

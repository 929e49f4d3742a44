"""A demonstration city in a root of its own: invented persons in every role, generated passwords, labelled everywhere."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pyotp
from django.conf import settings

from anban.base.journal.operations import unit
from anban.base.people import backend
from anban.base.people import operations as people
from anban.base.people import queries as accounts
from anban.base.people.actor import Actor, job_actor
from anban.contexts.catalog.data.tables import body_kinds, roles
from anban.contexts.catalog.operations import load_standard
from anban.contexts.territory import operations as territory
from anban.contexts.territory import queries
from anban.kit.clock import city_date
from anban.web.shell.access import PRIVILEGED

ROOT: Final = "demo"
ZONE: Final = "Asia/Shanghai"
CITY: Final = "110000"
DISTRICT: Final = "110105"
STREET: Final = "110105026"
COMMUNITY: Final = "110105026034"
FILE: Final = "demo-logins.json"
SEED: Final = 20260101

FAMILY: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN: Final = [
    "敏",
    "伟",
    "芳",
    "强",
    "磊",
    "倩",
    "桐",
    "航",
    "静",
    "洋",
    "勇",
    "艳",
    "杰",
    "娟",
    "涛",
    "明",
    "超",
    "霞",
    "平",
    "刚",
    "桂英",
    "建国",
    "志强",
    "秀兰",
    "海燕",
    "晓东",
    "文博",
    "雨桐",
    "思远",
    "佳宁",
    "子墨",
    "嘉怡",
    "浩然",
    "欣妍",
    "泽宇",
    "婷婷",
    "立新",
    "春梅",
    "国栋",
    "丽华",
    "振宇",
    "雪梅",
    "鹏飞",
    "慧敏",
    "永康",
    "新民",
    "景行",
    "若兰",
    "承志",
    "安然",
]
LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"

BODIES: Final = (
    ("city_committee_office", CITY), ("city_emergency", CITY), ("city_fire", CITY), ("city_urban_management", CITY),
    ("city_government", CITY),
    ("district_government", DISTRICT), ("district_committee_office", DISTRICT), ("district_emergency", DISTRICT),
    ("district_fire", DISTRICT), ("district_urban_management", DISTRICT), ("district_urban_enforcement", DISTRICT),
    ("district_housing_construction", DISTRICT), ("district_market", DISTRICT), ("district_commerce", DISTRICT),
    ("district_culture_tourism", DISTRICT), ("district_health", DISTRICT), ("district_civil_affairs", DISTRICT),
    ("district_education", DISTRICT), ("district_government_services", DISTRICT),
    ("street_office", STREET), ("street_safety_office", STREET), ("street_enforcement", STREET),
    ("community_committee", COMMUNITY),
)  # fmt: skip
"""Kinds of bodies and the area each one sits in."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One person of the demonstration: a login, a role, the body and area of the post, a sector, holder or deputy."""

    login: str
    role: str
    body: str
    area: str
    sector: str = ""
    deputy: bool = False
    certificate: str = ""


SEATS: Final = (
    Seat("inspector", "safety_inspector", "street_safety_office", STREET),
    Seat("inspector2", "safety_inspector", "street_safety_office", STREET),
    Seat("officer", "certified_officer", "street_enforcement", STREET, "street_enforcement", certificate="YS-110105-001"),
    Seat("officer2", "certified_officer", "street_enforcement", STREET, "street_enforcement", certificate="YS-110105-002"),
    Seat("office", "street_safety_office", "street_safety_office", STREET),
    Seat("office2", "street_safety_office", "street_safety_office", STREET, deputy=True),
    Seat("deputy", "street_deputy", "street_office", STREET),
    Seat("director", "street_director", "street_office", STREET),
    Seat("community", "community_contact", "community_committee", COMMUNITY),
    Seat("grid", "grid_worker", "community_committee", COMMUNITY),
    Seat("committee", "district_committee_officer", "district_committee_office", DISTRICT),
    Seat("committee2", "district_committee_officer", "district_committee_office", DISTRICT, deputy=True),
    Seat("gas", "district_regulator", "district_urban_management", DISTRICT, "urban_management", certificate="YS-110105-101"),
    Seat("gashead", "district_regulator_head", "district_urban_management", DISTRICT, "urban_management"),
    Seat("fire", "district_regulator", "district_fire", DISTRICT, "fire", certificate="YS-110105-102"),
    Seat("firehead", "district_regulator_head", "district_fire", DISTRICT, "fire"),
    Seat("emergency", "district_regulator", "district_emergency", DISTRICT, "emergency", certificate="YS-110105-103"),
    Seat("commerce", "district_regulator", "district_commerce", DISTRICT, "commerce"),
    Seat("housing", "district_regulator", "district_housing_construction", DISTRICT, "housing_construction"),
    Seat("market", "district_regulator", "district_market", DISTRICT, "market_supervision"),
    Seat("hotline", "hotline_staff", "district_government_services", DISTRICT),
    Seat("duty", "duty_officer", "district_committee_office", DISTRICT),
    Seat("city", "city_committee_officer", "city_committee_office", CITY),
    Seat("leader", "leader_viewer", "city_government", CITY),
    Seat("demosteward", "steward", "city_committee_office", CITY),
    Seat("sysadmin", "system_admin", "city_committee_office", CITY),
    Seat("secadmin", "security_admin", "city_committee_office", CITY),
    Seat("auditor", "audit_admin", "city_committee_office", CITY),
)  # fmt: skip
"""Everybody who can sign in; the post without a login is the one left vacant on purpose."""


@dataclass
class Demonstration:
    """The root while it is built: its areas and bodies by name, the draws, and the logins made so far."""

    at: datetime
    actor: Actor
    draw: random.Random
    areas: dict[str, Any] = field(default_factory=dict)
    bodies: dict[str, Any] = field(default_factory=dict)
    logins: list[dict[str, str]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def name(self) -> str:
        """Draw the name of a person who does not exist, each one once."""
        while True:
            made = self.draw.choice(FAMILY) + self.draw.choice(GIVEN)
            if made not in self.names:
                self.names.add(made)
                return made

    def body(self, kind: str, area_code: str) -> Any:
        """Return the body of a kind in an area, put on file at the first asking."""
        key = f"{kind}-{area_code}"
        if key not in self.bodies:
            row = next(each for each in body_kinds() if each.code == kind)
            area = self.areas[area_code]
            self.bodies[key] = territory.add_body(
                actor=self.actor, at=self.at, area=area, code=key, kind=kind, name=_body_name(row.name_template, area),
                name_en=f"{area.name_en}: {row.en}", sector=row.sector,
            )  # fmt: skip
        return self.bodies[key]

    def seat(self, seat: Seat, *, place_id: UUID | None = None) -> Any:
        """Put a person on file, give them the post and an account with a random password; returns the holding."""
        body, area = self.body(seat.body, seat.area), self.areas[seat.area]
        post = self._post(seat, body, area, place_id)
        holding = territory.appoint_new(
            actor=self.actor, at=self.at, post=post, name=self.name(), phone=f"1380000{self.draw.randrange(10_000):04d}",
            from_on=city_date(self.at, ZONE), deputy=seat.deputy, certificate=seat.certificate,
            steward=seat.role == "steward",
        )  # fmt: skip
        self._account(seat, holding.person, area, body)
        return holding

    def _post(self, seat: Seat, body: Any, area: Any, place_id: UUID | None) -> Any:
        if seat.deputy:
            return queries.posts(self.actor).get(body=body, role=seat.role, area=area, sector=seat.sector)
        return territory.add_post(
            actor=self.actor, at=self.at, body=body, role=seat.role, area=area, sector=seat.sector, place_id=place_id
        )

    def _account(self, seat: Seat, person: Any, area: Any, body: Any) -> None:
        account, token = people.open_account(actor=self.actor, at=self.at, person=person, login=seat.login)
        password = new_password()
        account = people.set_up(token, password=password, at=self.at)
        address = secret = ""
        if seat.role in PRIVILEGED:
            secret = backend.new_factor()
            people.enrol_factor(
                actor=accounts.oneself(account, "cli"), at=self.at, account=account, secret=secret,
                code=pyotp.TOTP(secret).at(int(self.at.timestamp())),
            )  # fmt: skip
            address = backend.factor_address(secret, seat.login)
        role = next(each for each in roles() if each.code == seat.role)
        self.logins.append(
            {
                "login": seat.login, "password": password, "name": person.name, "role": seat.role, "role_zh": role.zh,
                "role_en": role.en, "area": area.name, "area_en": area.name_en, "body": body.name,
                "body_en": body.name_en, "otpauth": address, "totp_secret": secret,
            }
        )  # fmt: skip


def build(*, at: datetime, fill: int) -> dict[str, Any]:
    """Create the demonstration root with its areas, catalog, bodies, posts and accounts, all through operations.

    Random are the passwords alone; names are drawn from a fixed seed. Returns the root's code, how many hazards it shall
    be filled with, and the logins, which also go to ``demo-logins.json`` in the home folder for the sign-in page.
    """
    made = Demonstration(at, job_actor("demonstration", ROOT), random.Random(SEED))  # noqa: S311 - invented names
    with unit():
        territory.add_root(
            actor=made.actor, at=at, code=ROOT, name="演示市", name_en="Demonstration city", kind="demonstration",
            zone=ZONE, number_prefix="YS",
        )  # fmt: skip
        territory.load_beijing(actor=made.actor, at=at, root=ROOT)
        load_standard(actor=made.actor, at=at, root=ROOT)
        made.areas = {row.code: row for row in queries.areas(made.actor).exclude(level="community")}
        made.areas[COMMUNITY] = queries.area_by_code(ROOT, COMMUNITY)
        for kind, area in BODIES:
            made.body(kind, area)
        for seat in SEATS:
            made.seat(seat)
        # Left without anybody, so that the page of people and posts has a vacancy to show.
        territory.add_post(
            actor=made.actor, at=at, body=made.body("district_education", DISTRICT), role="district_regulator",
            area=made.areas[DISTRICT], sector="education",
        )  # fmt: skip
        write_logins(Path(settings.HOME), made.logins)
    return {"root": ROOT, "fill": fill, "logins": made.logins}


def logins(home: Path) -> list[dict[str, str]]:
    """Return the logins of the demonstration, or none where there is no demonstration."""
    try:
        rows: list[dict[str, str]] = json.loads((home / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return rows


def write_logins(home: Path, rows: list[dict[str, str]]) -> None:
    """Write the logins for the sign-in page, readable by the owner alone, whole or not at all."""
    draft = home / f"{FILE}.new"
    draft.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
    draft.chmod(0o600)
    draft.replace(home / FILE)


def new_password() -> str:
    """Return a random password of 59 bits that can be read aloud."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))


def _body_name(template: str, area: Any) -> str:
    names: Mapping[str, str] = {
        "市": "演示市",
        "区": area.name,
        "街道": area.name,
        "社区": area.name.removesuffix("居委会"),
    }
    name = template
    for key, value in names.items():
        name = name.replace("{" + key + "}", value)
    return name.replace("北京市", "演示市")

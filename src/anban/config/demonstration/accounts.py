"""Who can sign in to the demonstration: one login per role with a random password, written for the sign-in page."""

from __future__ import annotations

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import pyotp
from django.contrib.auth.hashers import make_password

from anban.base.notices.operations import mark_read
from anban.base.notices.queries import inbox
from anban.base.people import backend
from anban.base.people import operations as people
from anban.base.people import queries as accounts
from anban.base.people.models import Person
from anban.config.demonstration.bodies import ROOT, City
from anban.contexts.catalog.data.tables import roles
from anban.contexts.territory import operations as territory
from anban.contexts.territory import queries as areas
from anban.contexts.territory.models import Area, Body
from anban.web.shell.access import PRIVILEGED

FILE: Final = "demo-logins.json"
STORIES: Final = "demo-stories.json"
LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
CITY: Final = "110000"
DISTRICT: Final = "110105"
STREET: Final = "110105026"
COMMUNITY: Final = "110105026034"


@dataclass(frozen=True, slots=True)
class Seat:
    """One login: the role, the body and area of its post, and which of the holders it is."""

    login: str
    role: str
    body: str
    area: str
    which: int = 0


SEATS: Final = (
    Seat("inspector", "safety_inspector", "street_safety_office", STREET),
    Seat("inspector2", "safety_inspector", "street_safety_office", STREET, 1),
    Seat("officer", "certified_officer", "street_enforcement", STREET),
    Seat("officer2", "certified_officer", "street_enforcement", STREET, 1),
    Seat("office", "street_safety_office", "street_safety_office", STREET),
    Seat("office2", "street_safety_office", "street_safety_office", STREET, 1),
    Seat("deputy", "street_deputy", "street_office", STREET),
    Seat("director", "street_director", "street_office", STREET),
    Seat("community", "community_contact", "community_committee", COMMUNITY),
    Seat("grid", "grid_worker", "community_committee", COMMUNITY),
    Seat("committee", "district_committee_officer", "district_committee_office", DISTRICT),
    Seat("committee2", "district_committee_officer", "district_committee_office", DISTRICT, 1),
    Seat("gas", "district_regulator", "district_urban_management", DISTRICT),
    Seat("gashead", "district_regulator_head", "district_urban_management", DISTRICT),
    Seat("fire", "district_regulator", "district_fire", DISTRICT),
    Seat("fire2", "district_regulator", "district_fire", DISTRICT, 1),
    Seat("firehead", "district_regulator_head", "district_fire", DISTRICT),
    Seat("emergency", "district_regulator", "district_emergency", DISTRICT),
    Seat("commerce", "district_regulator", "district_commerce", DISTRICT),
    Seat("housing", "district_regulator", "district_housing_construction", DISTRICT),
    Seat("market", "district_regulator", "district_market", DISTRICT),
    Seat("hotline", "hotline_staff", "district_government_services", DISTRICT),
    Seat("duty", "duty_officer", "district_committee_office", DISTRICT),
    Seat("districtleader", "leader_viewer", "district_government", DISTRICT),
    Seat("city", "city_committee_officer", "city_committee_office", CITY),
    Seat("leader", "leader_viewer", "city_government", CITY),
    Seat("demosteward", "steward", "city_committee_office", CITY),
    Seat("sysadmin", "system_admin", "city_committee_office", CITY),
    Seat("secadmin", "security_admin", "city_committee_office", CITY),
    Seat("auditor", "audit_admin", "city_committee_office", CITY),
)
"""Everybody who can sign in, beside the managers of two firms; passwords are random."""

ALONE: Final = frozenset({"steward", "system_admin", "security_admin", "audit_admin"})
"""Posts that exist for the login alone and are made with it."""


class Passwords:
    """Random passwords with their hashes, made on another core while the city is being built: argon2 takes its time."""

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="passwords")
        self._coming = iter([self._pool.submit(self._one) for _ in range(count)])

    @staticmethod
    def _one() -> tuple[str, str]:
        password = new_password()
        return password, make_password(password)

    def take(self) -> tuple[str, str]:
        """Return the next password and its hash."""
        return next(self._coming).result()

    def close(self) -> None:
        """End the thread; what nobody has taken is dropped."""
        self._pool.shutdown(cancel_futures=True)


def add_logins(city: City, firms: dict[str, tuple[UUID, str, Person]], passwords: Passwords) -> list[dict[str, str]]:
    """Open the accounts of the seats and of the firms' managers (``login`` to place, its name and the person in charge)."""
    made = []
    for seat in SEATS:
        body = city.bodies[f"{seat.body}:{seat.area}"]
        if seat.role in ALONE:
            post = territory.add_post(actor=city.job, at=city.began, body=body, role=seat.role, area=body.area)
            person = territory.appoint_new(
                actor=city.job, at=city.began, post=post, name=_title(seat.role), phone="",
                from_on=areas.city_date(city.began, ROOT), steward=seat.role == "steward",
            ).person  # fmt: skip
        else:
            person = city.held[(body.pk, seat.role)][seat.which]
        made.append(_account(city, seat.login, seat.role, person, body.area, (body.name, body.name_en), passwords))
    for login, (place_id, name, person) in firms.items():
        body = firm_body(city)
        post = territory.add_post(
            actor=city.job, at=city.began, body=body, role="enterprise_manager", area=body.area, place_id=place_id
        )
        territory.appoint(
            actor=city.job, at=city.began, post=post, person=person, from_on=areas.city_date(city.began, ROOT)
        )
        made.append(_account(city, login, "enterprise_manager", person, body.area, (name, name), passwords))
    return made


def firm_body(city: City) -> Body:
    """Return the body at which the posts of firms' managers are kept: their street's own office."""
    return city.bodies[f"street_office:{STREET}"]


def mark_old_notices_read(city: City) -> None:
    """Let those who can sign in begin with a quiet inbox: what a year of history told them has been read."""
    for seat in SEATS:
        for person in city.people(seat.body, seat.area, seat.role):
            told = inbox(city.actor(person)).filter(read_at=None, created_at__lt=city.at)
            mark_read(actor=city.actor(person), at=city.at, notice_ids=told.values_list("pk", flat=True))


def _title(role: str) -> str:
    return next(row.zh for row in roles() if row.code == role)


def _account(
    city: City, login: str, role: str, person: Person, area: Area, unit: tuple[str, str], passwords: Passwords
) -> dict[str, str]:
    at: datetime = city.at
    _, token = people.open_account(actor=city.job, at=at, person=person, login=login)
    password, hashed = passwords.take()
    account = people.set_up(token, password=password, hashed=hashed, at=at)
    address = secret = ""
    if role in PRIVILEGED:
        secret = backend.new_factor()
        people.enrol_factor(
            actor=accounts.oneself(account, "cli"), at=at, account=account, secret=secret,
            code=pyotp.TOTP(secret).at(int(at.timestamp())),
        )  # fmt: skip
        address = backend.factor_address(secret, login)
    row = next(each for each in roles() if each.code == role)
    return {
        "login": login, "password": password, "name": person.name, "role": role, "role_zh": row.zh, "role_en": row.en,
        "area": area.name, "area_en": area.name_en, "body": unit[0], "body_en": unit[1], "otpauth": address,
        "totp_secret": secret,
    }  # fmt: skip


def logins(home: Path) -> list[dict[str, str]]:
    """Return the logins of the demonstration, or none where there is no demonstration."""
    try:
        rows: list[dict[str, str]] = json.loads((home / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return rows


def write_whole(path: Path, rows: object) -> None:
    """Write a list for the pages, readable by the owner alone, whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
    draft.chmod(0o600)
    draft.replace(path)


def new_password() -> str:
    """Return a random password of 59 bits that can be read aloud."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))

"""Duties apart: the three administrators are three persons, and nobody below hands out their posts."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from anban.contexts.territory import operations
from anban.contexts.territory.models import Holding
from anban.rules.errors import Refusal
from tests.factories.office import Office

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
ON = date(2026, 3, 2)
pytestmark = pytest.mark.django_db


def refused(code: str) -> pytest.RaisesExc[Refusal]:
    """Expect a refusal by its code."""
    return pytest.raises(Refusal, check=lambda problem: problem.code == code)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("system_admin", "security_admin"),
        ("audit_admin", "system_admin"),
        ("security_admin", "safety_inspector"),
        ("safety_inspector", "audit_admin"),
        ("steward", "security_admin"),
        ("audit_admin", "steward"),
    ],
)
def test_an_administrator_holds_nothing_else(first: str, second: str) -> None:
    office = Office()
    person = office.person("a", first)
    with refused("territory.duties_apart"):
        operations.appoint(actor=office.job, at=AT, post=office.post(second), person=person, from_on=ON)
    assert Holding.objects.count() == 1


def test_after_leaving_the_other_duty_may_be_taken() -> None:
    office = Office()
    person = office.person("a", "system_admin")
    operations.leave(actor=office.job, at=AT, holding=Holding.objects.get(), until_on=ON)
    operations.appoint(actor=office.job, at=AT, post=office.post("audit_admin"), person=person, from_on=ON)
    assert Holding.objects.count() == 2


def test_business_posts_may_meet() -> None:
    office = Office()
    person = office.person("a", "steward")
    operations.appoint(actor=office.job, at=AT, post=office.post("duty_officer"), person=person, from_on=ON)
    assert Holding.objects.count() == 2


@pytest.mark.parametrize("role", ["security_admin", "system_admin", "audit_admin", "steward"])
@pytest.mark.parametrize("arranger", ["city_committee_officer", "district_committee_officer"])
def test_a_reserved_post_is_neither_made_nor_filled_from_below(role: str, arranger: str) -> None:
    office = Office()
    area = "city" if arranger.startswith("city") else "district"
    office.person("boss", arranger, area)
    with refused("territory.reserved_post"):
        operations.add_post(
            actor=office.actor("boss"), at=AT, body=office.bodies[area], role=role, area=office.areas[area]
        )
    with refused("territory.reserved_post"):
        operations.appoint(
            actor=office.actor("boss"), at=AT, post=office.post(role, area), person=office.person("a"), from_on=ON
        )


def test_a_post_of_another_root_is_out_of_reach() -> None:
    office, other = Office(), Office("other")
    office.person("boss", "security_admin")
    with refused("territory.not_allowed"):
        operations.appoint(
            actor=office.actor("boss"), at=AT, post=other.post("duty_officer"), person=other.person("a"), from_on=ON
        )


def test_figures_of_practice_are_set_by_the_steward_alone() -> None:
    office = Office()
    office.person("k", "security_admin")
    office.person("s", "steward")
    with refused("territory.not_allowed"):
        operations.set_setting(actor=office.actor("k"), at=AT, key="a", value="1", allowed=("a",))
    assert operations.set_setting(actor=office.actor("s"), at=AT, key="a", value="1", allowed=("a",)).value == "1"

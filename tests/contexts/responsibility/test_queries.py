"""Who answers for a place: four answers, gaps said plainly, the same person for the same place every day."""

from __future__ import annotations

from datetime import date

import pytest

from anban.contexts.catalog.models import HazardClass
from anban.contexts.responsibility import net
from anban.contexts.responsibility.operations import add_mandate
from anban.contexts.responsibility.queries import resolve
from anban.contexts.territory.models import Area, Holding, Overlay
from anban.contexts.territory.operations import leave
from tests.factories.town import AT, ON, town

pytestmark = pytest.mark.django_db


def test_resolve_gives_four_answers_with_persons_and_reasons():
    t = town()
    found = resolve(t.place(), "GAS", ON)
    assert found.sector_lead.person == t.people["周航"]
    assert found.special.person == t.people["赵磊"]
    assert found.enforcer.person in (t.people["孙倩"], t.people["吴桐"])
    assert found.territory.person == t.people["王敏"]
    assert all(answer.reason for answer in found.answers())


def test_a_gap_is_said_and_the_street_stands_in():
    t = town()
    found = resolve(t.place(kind="postnatal_centre"), "SPEC", ON)
    assert found.sector_lead.body is None
    assert found.special.body is None
    assert found.fallback.person == t.people["王敏"]


def test_the_special_rule_wins_over_the_general_one():
    t = town()
    add_mandate(
        actor=t.job,
        at=AT,
        body=t.bodies["呼家楼平安办"],
        role="special",
        area=t.areas["呼家楼街道"],
        hazard_class="GAS",
        basis="街道",
    )
    assert resolve(t.place(area="呼家楼街道"), "GAS", ON).special.body == t.bodies["呼家楼平安办"]
    assert resolve(t.place(), "GAS", ON).special.body == t.bodies["朝阳城管委"]


def test_a_vacant_post_is_a_vacancy_not_a_gap():
    t = town()
    for holding in Holding.objects.filter(person=t.people["赵磊"]):
        leave(actor=t.job, at=AT, holding=holding, until_on=date(2026, 2, 1))
    found = resolve(t.place(), "GAS", ON)
    assert found.special.body == t.bodies["朝阳城管委"]
    assert found.special.person is None
    assert "空缺" in found.special.reason


def test_a_managing_area_answers_for_the_streets_it_holds():
    t = town()
    managing = Area.objects.create(
        root_id="town",
        code="BDA",
        name="开发区",
        name_en="Zone",
        level="management",
        parent=t.areas["试验市"],
        path="1/M1/",
    )
    t.areas["开发区"] = managing
    Overlay.objects.create(managing=managing, street=t.areas["呼家楼街道"], from_on=date(2020, 1, 1))
    t.body("开发区城运局", "urban_operations_bureau", "开发区", "urban_management")
    t.hold("马俊", "开发区城运局", "district_regulator", "开发区", sector="urban_management")
    add_mandate(
        actor=t.job,
        at=AT,
        body=t.bodies["开发区城运局"],
        role="special",
        area=managing,
        hazard_class="GAS",
        basis="代管",
    )
    assert resolve(t.place(area="呼家楼街道"), "GAS", ON).special.person == t.people["马俊"]


def test_resolve_costs_the_same_whatever_the_city_holds(django_assert_num_queries):
    t = town()
    place = t.place()
    with django_assert_num_queries(4):
        resolve(place, "GAS", ON)


def test_enforcers_split_by_power_are_no_overlap_and_who_may_order_is_asked_first():
    t = town()
    place = t.place(manager=None)
    duty = {"actor": t.job, "at": AT, "role": "enforcer", "area": t.areas["朝阳区"], "place_kind": place.kind, "hazard_class": "CHEM"}  # fmt: skip
    for body in ("朝阳商务局", "朝阳消防"):
        add_mandate(body=t.bodies[body], **duty)
    assert resolve(place, "CHEM", ON).enforcer.state == "overlap"
    assert net.figures(t.job, ON).overlaps == 1
    row = HazardClass.objects.filter(root=t.job.root, code="CHEM")
    row.update(may_order=t.bodies["朝阳消防"].kind, may_penalise=t.bodies["朝阳商务局"].kind)
    found = resolve(place, "CHEM", ON).enforcer
    assert (found.state, found.body) == ("resolved", t.bodies["朝阳消防"])
    assert {one.body for one in found.rows} == {t.bodies["朝阳消防"], t.bodies["朝阳商务局"]}
    assert net.figures(t.job, ON).overlaps == 0
    row.update(may_penalise=f"{t.bodies['朝阳消防'].kind};{t.bodies['朝阳商务局'].kind}", may_order="")
    assert resolve(place, "CHEM", ON).enforcer.state == "overlap"

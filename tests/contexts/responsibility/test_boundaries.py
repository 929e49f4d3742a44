"""A gap or overlap from the day it is found to the meeting that settles it; nothing is ownerless, and only the last step is net."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from anban.base.journal.verification import verify
from anban.base.people.operations import add_person
from anban.contexts.obligations.models import Obligation
from anban.contexts.responsibility import net
from anban.contexts.responsibility.models import Boundary, JointMatter, Mandate
from anban.contexts.responsibility.operations import (
    add_mandate,
    answer,
    ask_opinions,
    assign,
    decide,
    draft,
    look_over,
    report_guard,
    to_meeting,
    to_staffing,
    withdraw,
)
from anban.contexts.responsibility.queries import boundaries_visible_to, resolve
from anban.contexts.responsibility.settling import effect_of, proposals
from anban.rules.errors import Refusal
from tests.factories.town import AT, ON, Town, town

pytestmark = pytest.mark.django_db


def refused(code: str):
    """Expect a refusal by the end of its code."""
    return pytest.raises(Refusal, check=lambda refusal: refusal.code.endswith(f".{code}"))


def settled_town() -> Town:
    """The town with every question answered, but nobody who leads 月子中心 in 朝阳, and two who supervise CHEM there."""
    t = town()
    t.body("朝阳卫健委", "district_health", "朝阳区", "health")
    t.hold("许宁", "朝阳卫健委", "district_regulator", "朝阳区", sector="health")
    job, every = t.job, t.areas["试验市"]
    for role in ("special", "enforcer"):
        add_mandate(actor=job, at=AT, body=t.bodies["市安委办"], role=role, area=every)
    for area, body in (("望京街道", "望京平安办"), ("呼家楼街道", "呼家楼平安办"), ("中关村街道", "中关村平安办")):
        add_mandate(actor=job, at=AT, body=t.bodies[body], role="territory", area=t.areas[area])
    for body in ("朝阳消防", "朝阳城管委"):
        add_mandate(actor=job, at=AT, body=t.bodies[body], role="special", area=t.areas["朝阳区"], hazard_class="CHEM", from_on=date(2026, 1, 1))  # fmt: skip
    t.place("月子会所", kind="postnatal_centre", manager=None)
    t.place("月子中心二店", kind="postnatal_centre", area="呼家楼街道", manager=None)
    t.place()
    return t


def owed(boundary: Boundary) -> list[tuple[str, str]]:
    rows = Obligation.objects.filter(matter_id=boundary.pk, state="open").select_related("person")
    return sorted((row.kind, row.person.name) for row in rows)


def test_what_is_open_goes_on_the_desks_of_office_and_streets_and_a_second_look_does_nothing():
    t = settled_town()
    add_person(actor=t.job, at=AT, root="town", name="数据管理组", steward=True)
    looked = look_over(actor=t.job, at=AT)
    assert (looked.found, looked.gone) == (2, 0)
    gap = Boundary.objects.get(fault="gap")
    assert (gap.role, gap.place_kind, gap.area.name, gap.places_count) == (
        "sector_lead",
        "postnatal_centre",
        "朝阳区",
        2,
    )
    assert owed(gap) == [("assign_boundary", "何静"), ("guard_boundary", "刘洋"), ("guard_boundary", "郑洁")]
    duty = Obligation.objects.get(matter_id=gap.pk, kind="assign_boundary")
    assert duty.due_at.astimezone().date() - ON == timedelta(days=3)
    overlap = Boundary.objects.get(fault="overlap")
    assert (overlap.hazard_class, overlap.since_on, overlap.places_count) == ("CHEM", date(2026, 1, 1), 3)
    assert look_over(actor=t.job, at=AT).found == 0
    assert verify().ok


def test_an_assigned_body_answers_until_it_is_settled_and_the_gap_stays_listed():
    t = settled_town()
    look_over(actor=t.job, at=AT)
    gap = Boundary.objects.get(fault="gap")
    place = gap_place = net.places_of(net.open_places(t.job, ON, net.Asked(kind="postnatal_centre")))[0][0]
    assert resolve(place, "FIRE", ON).sector_lead.body is None
    report_guard(actor=t.actor("刘洋"), at=AT, boundary_id=gap.pk, report="已走访，张贴提示")
    assert ("guard_boundary", "刘洋") not in owed(gap)
    with refused("not_allowed"):
        assign(actor=t.actor("周航"), at=AT, boundary_id=gap.pk, body_id=t.bodies["朝阳卫健委"].pk, reason="业务相近")
    with refused("reason_missing"):
        assign(actor=t.actor("何静"), at=AT, boundary_id=gap.pk, body_id=t.bodies["朝阳卫健委"].pk, reason=" ")
    assign(actor=t.actor("何静"), at=AT, boundary_id=gap.pk, body_id=t.bodies["朝阳卫健委"].pk, reason="业务相近")
    assert owed(gap) == [("hold_boundary", "许宁"), ("settle_boundary", "何静")]
    lead = resolve(gap_place, "FIRE", ON).sector_lead
    assert (lead.state, lead.person, lead.boundary) == ("gap", t.people["许宁"], gap)
    figures = net.figures(t.job, ON)
    assert figures.assigned == 2 * figures.classes
    assert look_over(actor=t.job, at=AT).gone == 0


def through(t: Town, boundary: Boundary, body: str, effective_on: date, *, ask=("朝阳商务局",)):
    office = t.actor("何静")
    made = draft(actor=office, at=AT, boundary_id=boundary.pk, body_id=t.bodies[body].pk, reason="业务相近")
    ask_opinions(actor=office, at=AT, decision_id=made.pk, body_ids=[t.bodies[one].pk for one in ask])
    for part in JointMatter.objects.get(matter_id=made.pk).parts.all():
        answer(actor=t.actor("周航"), at=AT, part_id=part.pk, words="无意见")
    to_staffing(actor=office, at=AT, decision_id=made.pk)
    to_meeting(actor=office, at=AT, decision_id=made.pk, view="符合三定", view_on=ON)
    return decide(actor=office, at=AT, decision_id=made.pk, meeting="区政府第5次常务会", document_no="朝政发〔2026〕3号", document_on=ON, effective_on=effective_on)  # fmt: skip


def test_only_the_meeting_makes_it_net_and_history_answers_who_was_responsible():
    t = settled_town()
    look_over(actor=t.job, at=AT)
    gap = Boundary.objects.get(fault="gap")
    rows = Mandate.objects.count()
    effective = date(2026, 4, 1)
    effect = effect_of(t.job, gap, t.bodies["朝阳卫健委"], effective)
    assert (effect.settles, effect.remain, effect.breaks) == (2, 0, 0)
    assert Mandate.objects.count() == rows
    made = through(t, gap, "朝阳卫健委", effective)
    assert (made.state, Mandate.objects.count()) == ("in_force", rows + 1)
    gap.refresh_from_db()
    assert (gap.state, owed(gap)) == ("settled", [])
    place = net.places_of(net.open_places(t.job, ON, net.Asked(kind="postnatal_centre")))[0][0]
    assert resolve(place, "FIRE", date(2026, 3, 31)).sector_lead.state == "gap"
    lead = resolve(place, "FIRE", effective).sector_lead
    assert (lead.state, lead.body) == ("resolved", t.bodies["朝阳卫健委"])
    assert "朝政发〔2026〕3号" in lead.reason
    assert verify().ok


def test_an_overlap_is_settled_by_ending_the_others_rows_and_nothing_beside():
    t = settled_town()
    look_over(actor=t.job, at=AT)
    overlap = Boundary.objects.get(fault="overlap")
    with refused("too_early"):
        effect_of(t.job, overlap, t.bodies["朝阳消防"], date(2026, 1, 1))
    before = {row.pk: row.until_on for row in Mandate.objects.all()}
    through(t, overlap, "朝阳消防", date(2026, 3, 10), ask=("朝阳商务局",))
    after = {row.pk: row.until_on for row in Mandate.objects.all()}
    ended = {pk for pk in before if before[pk] != after[pk]}
    assert [Mandate.objects.get(pk=pk).body for pk in ended] == [t.bodies["朝阳城管委"]]
    assert len(after) == len(before)
    later = AT + timedelta(days=10)
    look_over(actor=t.job, at=later)
    place = net.places_of(net.open_places(t.job, ON, net.Asked(kind="postnatal_centre")))[0][0]
    assert resolve(place, "CHEM", date(2026, 3, 10)).special.body == t.bodies["朝阳消防"]


def test_the_stages_follow_each_other_and_opinions_are_waited_for():
    t = settled_town()
    look_over(actor=t.job, at=AT)
    gap = Boundary.objects.get(fault="gap")
    office = t.actor("何静")
    made = draft(actor=office, at=AT, boundary_id=gap.pk, body_id=t.bodies["朝阳卫健委"].pk, reason="业务相近")
    with refused("decision_open"):
        draft(actor=office, at=AT, boundary_id=gap.pk, body_id=t.bodies["朝阳商务局"].pk, reason="另一份")
    with refused("wrong_stage"):
        decide(actor=office, at=AT, decision_id=made.pk, meeting="会", document_no="1", document_on=ON, effective_on=ON)
    ask_opinions(actor=office, at=AT, decision_id=made.pk, body_ids=[t.bodies["朝阳商务局"].pk])
    with refused("opinions_missing"):
        to_staffing(actor=office, at=AT, decision_id=made.pk)
    late: datetime = AT + timedelta(days=20)
    to_staffing(actor=office, at=late, decision_id=made.pk)
    part = JointMatter.objects.get(matter_id=made.pk).parts.get()
    assert part.state == "excused"
    duty = Obligation.objects.get(kind="give_opinion")
    assert (duty.state, duty.breached_at) == ("done", part.due_at)
    withdraw(actor=office, at=late, decision_id=made.pk, reason="重拟")
    assert draft(actor=office, at=late, boundary_id=gap.pk, body_id=t.bodies["朝阳商务局"].pk, reason="业务相近").state == "draft"  # fmt: skip


def test_proposals_put_a_like_case_decided_before_first():
    t = settled_town()
    t.body("海淀卫健委", "district_health", "海淀区", "health")
    t.body("海淀商务局", "district_commerce", "海淀区", "commerce")
    t.place("海淀月子会所", kind="postnatal_centre", area="中关村街道", manager=None)
    look_over(actor=t.job, at=AT)
    chaoyang = Boundary.objects.get(fault="gap", area=t.areas["朝阳区"])
    through(t, chaoyang, "朝阳商务局", date(2026, 3, 10), ask=("朝阳商务局",))
    haidian = Boundary.objects.get(fault="gap", area=t.areas["海淀区"])
    found = proposals(haidian, ON)
    assert found[0].body == t.bodies["海淀商务局"]
    assert found[0].precedent
    assert t.bodies["海淀卫健委"] in [one.body for one in found]


def test_a_boundary_that_goes_away_by_itself_leaves_the_desks():
    t = settled_town()
    look_over(actor=t.job, at=AT)
    gap = Boundary.objects.get(fault="gap")
    add_mandate(actor=t.job, at=AT, body=t.bodies["朝阳卫健委"], role="sector_lead", area=t.areas["朝阳区"], place_kind="postnatal_centre")  # fmt: skip
    assert look_over(actor=t.job, at=AT).gone == 1
    gap.refresh_from_db()
    assert (gap.state, owed(gap)) == ("gone", [])


def test_nobody_sees_the_boundaries_of_another_district():
    t = settled_town()
    t.place("海淀月子会所", kind="postnatal_centre", area="中关村街道", manager=None)
    look_over(actor=t.job, at=AT)
    seen = {name: {row.area.name for row in boundaries_visible_to(t.actor(name))} for name in ("何静", "高远", "林涛")}
    assert seen == {"何静": {"朝阳区"}, "高远": {"海淀区"}, "林涛": {"朝阳区", "海淀区"}}


def test_a_table_that_is_not_begun_floods_no_desk():
    t = town()
    t.place()
    figures = net.figures(t.job, ON)
    assert figures.gaps > figures.classes
    look_over(actor=t.job, at=AT)
    assert not Boundary.objects.filter(role="territory").exists()
    Mandate.objects.all().delete()
    look_over(actor=t.job, at=AT)
    assert not Boundary.objects.filter(ended_at__isnull=True).exists()

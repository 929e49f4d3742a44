"""Joint matters: each part an obligation with its clock; a whistle refused goes to the district government; nothing is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from anban.base.journal.models import Entry
from anban.contexts.obligations.models import Obligation
from anban.contexts.obligations.operations import decline, hand_over, sign_for
from anban.contexts.responsibility.models import JointMatter, JointPart
from anban.contexts.responsibility.operations import (
    Asked,
    Plan,
    add_mechanism,
    answer,
    call,
    change_mechanism,
    close_joint,
    end_mechanism,
    lapse,
    open_by_rule,
    rule_on_refusal,
)
from anban.contexts.responsibility.queries import joint_visible_to, mechanisms, resolve
from anban.kit.ids import new_id
from anban.rules.errors import Refusal
from tests.factories.town import AT, ON, Town, town

pytestmark = pytest.mark.django_db


def refused(code: str):
    """Expect a refusal by the end of its code."""
    return pytest.raises(Refusal, check=lambda refusal: refusal.code.endswith(f".{code}"))


OPEN = ("waiting", "refused")


def whistle(t: Town, *bodies: str, kind: str = "whistle", urgent: bool = False) -> JointMatter:
    return call(
        actor=t.actor("刘洋"), at=AT, kind=kind, title="后厨气瓶", area_path=t.areas["望京街道"].path, matter=None,
        bodies=[t.bodies[one] for one in bodies], words="请到场核查", urgent=urgent,
    )  # fmt: skip


def test_a_whistle_puts_an_arrival_on_each_departments_desk_by_its_clock():
    t = town()
    made = whistle(t, "朝阳消防", "朝阳城管委", "朝阳消防", urgent=True)
    rows = Obligation.objects.filter(kind="arrive").select_related("person")
    assert {row.person.name for row in rows} == {"赵磊", rows.get(body=t.bodies["朝阳消防"]).person.name}
    assert all(row.due_at == AT + timedelta(hours=24) for row in rows)
    for part in made.parts.all():
        with refused("not_allowed"):
            answer(actor=t.actor("周航"), at=AT, part_id=part.pk, words="到场")
        actor = t.actor("赵磊" if part.body == t.bodies["朝阳城管委"] else "钱进")
        answer(actor=actor, at=AT, part_id=part.pk, words="")
    made.refresh_from_db()
    assert made.closed_at == AT
    assert not Obligation.objects.filter(state="open").exists()


def test_a_refusal_goes_to_the_district_and_its_ruling_brings_the_body_or_excuses_it():
    t = town()
    part = whistle(t, "朝阳城管委").parts.get()
    with refused("words_missing"):
        answer(actor=t.actor("赵磊"), at=AT, part_id=part.pk, words="", refuse=True)
    answer(actor=t.actor("赵磊"), at=AT, part_id=part.pk, words="不属本单位职责", refuse=True)
    assert Obligation.objects.get(state="open").kind == "rule_refusal"
    assert Obligation.objects.get(state="open").person in (t.people["何静"], t.people["宋岩"])
    with refused("ruling_not_allowed"):
        rule_on_refusal(actor=t.actor("赵磊"), at=AT, part_id=part.pk, ruling="excuse", words="自己免")
    rule_on_refusal(actor=t.actor("何静"), at=AT, part_id=part.pk, ruling="arrive", words="燃气归你局")
    assert Obligation.objects.get(state="open").kind == "arrive"
    answer(actor=t.actor("赵磊"), at=AT, part_id=part.pk, words="仍不去", refuse=True)
    rule_on_refusal(actor=t.actor("何静"), at=AT, part_id=part.pk, ruling="excuse", words="由消防处置")
    part.refresh_from_db()
    assert (part.state, part.joint.closed_at) == ("excused", AT)


def test_guidance_is_answered_in_writing_and_cannot_be_refused():
    t = town()
    part = whistle(t, "朝阳城管委", kind="guidance").parts.get()
    with refused("cannot_refuse"):
        answer(actor=t.actor("赵磊"), at=AT, part_id=part.pk, words="不归我", refuse=True)
    with refused("words_missing"):
        answer(actor=t.actor("赵磊"), at=AT, part_id=part.pk, words=" ")
    assert answer(actor=t.actor("赵磊"), at=AT, part_id=part.pk, words="按第30条处理").answer == "按第30条处理"
    with refused("not_caller"):
        call(
            actor=t.actor("赵磊"),
            at=AT,
            kind="whistle",
            title="x",
            area_path="1/05/",
            matter=None,
            bodies=[],
            words="x",
        )


def leak(t, **more):
    members = [Asked(t.bodies["朝阳消防"], "现场警戒", 1), Asked(t.bodies["朝阳城管委"], "关阀查漏", 2)]
    plan = Plan(
        name="燃气泄漏联动", lead=t.bodies["朝阳城管委"], area=t.areas["朝阳区"], hazard_class="GAS", hazard_codes=("RG01",),
        from_on=date(2026, 1, 1), members=members,
    )  # fmt: skip
    return replace(plan, **more)


@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("nobody_asked", {"members": []}),
        ("member_twice", {"members": "twice"}),
        ("limit_missing", {"members": "endless"}),
        ("lead_no_member", {"lead": "朝阳商务局"}),
        ("trigger_missing", {"hazard_class": "", "hazard_codes": ()}),
        ("name_taken", {}),
    ],
)
def test_a_mechanism_that_lacks_something_is_refused(code, more):
    t = town()
    add_mechanism(actor=t.job, at=AT, plan=leak(t, name="燃气泄漏联动" if code == "name_taken" else "另一个"))
    first = leak(t).members[0]
    known = {
        "twice": [first, first],
        "endless": [replace(first, limit_workdays=61)],
        "朝阳商务局": t.bodies["朝阳商务局"],
    }
    plan = leak(t, **{key: known[value] if isinstance(value, str) and value in known else value for key, value in more.items()})  # fmt: skip
    with pytest.raises(Refusal) as refused:
        add_mechanism(actor=t.job, at=AT, plan=plan)
    assert refused.value.code == f"joint.{code}"


def test_a_mechanism_goes_on_otherwise_from_a_day_and_opens_nothing_once_it_has_ended():
    t = town()
    first = add_mechanism(actor=t.actor("何静"), at=AT, plan=leak(t))
    later = leak(t, from_on=date(2026, 4, 1), members=leak(t).members[1:])
    with pytest.raises(Refusal) as early:
        change_mechanism(actor=t.actor("何静"), at=AT, mechanism_id=first.pk, plan=leak(t))
    assert early.value.code == "joint.change_too_early"
    with pytest.raises(Refusal) as out_of_reach:
        change_mechanism(actor=t.actor("刘洋"), at=AT, mechanism_id=first.pk, plan=later)
    assert out_of_reach.value.code == "territory.not_allowed"
    second = change_mechanism(actor=t.actor("何静"), at=AT, mechanism_id=first.pk, plan=later)
    before, after = date(2026, 3, 31), date(2026, 4, 1)
    assert [len(one.members.all()) for day in (before, after) for one in mechanisms("town", day)] == [2, 1]
    assert [one.pk for day in (before, after) for one in mechanisms("town", day)] == [first.pk, second.pk]
    end_mechanism(actor=t.actor("何静"), at=AT, mechanism_id=second.pk, until_on=date(2026, 5, 1))
    assert mechanisms("town", date(2026, 5, 1)) == ()
    with pytest.raises(Refusal) as ended:
        end_mechanism(actor=t.actor("何静"), at=AT, mechanism_id=second.pk, until_on=date(2026, 6, 1))
    assert ended.value.code == "joint.ended"
    bodies = Entry.objects.filter(body__contains='"mechanism.').order_by("position").values_list("body", flat=True)
    assert [json.loads(one)["verb"] for one in bodies] == [
        "mechanism.added", "mechanism.ended", "mechanism.added", "mechanism.ended",
    ]  # fmt: skip


def test_a_mechanism_opens_by_rule_once_and_gives_each_member_its_part():
    t = town()
    add_mechanism(actor=t.job, at=AT, plan=leak(t))
    place = t.place()
    hazard = ("hazard", new_id())
    given = {"title": "软管老化", "area_path": place.area_path, "on": ON, "hazard_class": "GAS", "resolution": resolve(place, "GAS", ON)}  # fmt: skip
    assert open_by_rule(actor=t.job, at=AT, matter=hazard, hazard_code="RG05", grave=False, **given) == []
    made = open_by_rule(actor=t.job, at=AT, matter=hazard, hazard_code="RG01", grave=False, **given)
    assert [part.part for part in made[0].parts.order_by("id")] == ["关阀查漏", "现场警戒"]
    assert open_by_rule(actor=t.job, at=AT, matter=hazard, hazard_code="RG01", grave=False, **given) == []
    assert (
        len(open_by_rule(actor=t.job, at=AT, matter=("hazard", new_id()), hazard_code="RG05", grave=True, **given)) == 1
    )
    assert joint_visible_to(t.actor("钱进")).count() == 2
    assert joint_visible_to(t.actor("高远")).count() == 0
    close_joint(actor=t.job, at=AT, joint_id=made[0].pk)
    assert not Obligation.objects.filter(state="open", matter_id=hazard[1]).exists()


class Parts(RuleBasedStateMachine):
    """Whatever is answered, refused, ruled, handed over and left lying: a part that is open is owed by exactly one person."""

    def __init__(self) -> None:
        super().__init__()
        self.part = whistle(CITY, "朝阳城管委").parts.get()
        self.at = AT

    def _try(self, operation, **given):
        try:
            operation(at=self.at, **given)
        except Refusal:
            return
        self.part.refresh_from_db()

    @rule(who=st.sampled_from(("赵磊", "周航", "钱进")), refuse=st.booleans(), words=st.sampled_from(("", "写明")))
    def answers(self, who, refuse, words):
        self._try(answer, actor=CITY.actor(who), part_id=self.part.pk, words=words, refuse=refuse)

    @rule(who=st.sampled_from(("何静", "赵磊")), ruling=st.sampled_from(("arrive", "excuse", "?")))
    def rules(self, who, ruling):
        self._try(rule_on_refusal, actor=CITY.actor(who), part_id=self.part.pk, ruling=ruling, words="裁定")

    @rule(to=st.sampled_from(("周航", "钱进")), signs=st.booleans())
    def hands_over(self, to, signs):
        duty = Obligation.objects.filter(subject_id=self.part.pk, state="open").first()
        if duty is None or duty.person_id == CITY.people[to].pk:
            return
        made = hand_over(actor=CITY.job, at=self.at, obligation_id=duty.pk, to_person=CITY.people[to])
        if signs:
            sign_for(actor=CITY.actor(to), at=self.at, handover_id=made.pk)
        else:
            decline(actor=CITY.actor(to), at=self.at, handover_id=made.pk, reason="不是我")

    @rule(days=st.integers(1, 5))
    def days_pass(self, days):
        self.at += timedelta(days=days)

    @rule()
    def lapses(self):
        self._try(lapse, actor=CITY.job, part_id=self.part.pk)

    @invariant()
    def an_open_part_is_owed_and_a_closed_one_is_not(self):
        part = JointPart.objects.select_related("joint").get(pk=self.part.pk)
        owed = list(Obligation.objects.filter(subject_id=part.pk, state="open").values_list("kind", flat=True))
        assert owed == ({"waiting": ["arrive"], "refused": ["rule_refusal"]}.get(part.state, []))
        assert (part.joint.closed_at is None) == (part.state in OPEN)


CITY: Town


def test_no_sequence_of_answers_and_handovers_loses_a_part():
    global CITY
    CITY = town()
    run_state_machine_as_test(
        Parts,
        settings=settings(
            max_examples=12, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )

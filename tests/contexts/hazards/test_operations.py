"""The life of a hazard through its operations: every story asserts the result and the journal."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from anban.base.journal.models import Entry
from anban.contexts.establishments.operations import merge
from anban.contexts.hazards.models import Cycle, Hazard
from anban.contexts.hazards.operations import Sighting, act, enter
from anban.contexts.obligations.models import Obligation
from anban.rules.errors import Refusal
from anban.rules.hazard_lifecycle import Action
from tests.factories.town import AT, ON, Town, town

pytestmark = pytest.mark.django_db


def later(days: int = 0, hours: int = 0):
    return AT + timedelta(days=days, hours=hours)


def see(t: Town, who: str, place, *, code: str = "RG07", at=AT, **more):
    return enter(actor=t.actor(who), at=at, sighting=Sighting(place_id=place.pk, code=code, fact="报警器断电", **more))


def open_duties(hazard: Hazard) -> dict[str, str]:
    return {
        o.kind: o.person.name
        for o in Obligation.objects.filter(matter_id=hazard.pk, state="open").select_related("person")
    }


def ordered_and_applied(t: Town, hazard: Hazard, start: int = 0) -> Hazard:
    act(
        actor=t.actor("王敏"),
        at=later(start),
        hazard_id=hazard.pk,
        action=Action.VERIFY,
        verdict="founded",
        given={"reason": "属实"},
    )
    act(
        actor=t.actor("孙倩"),
        at=later(start, 1),
        hazard_id=hazard.pk,
        action=Action.ORDER,
        given={
            "due_on": ON + timedelta(days=start + 7),
            "basis": "条例",
            "measures": "更换",
            "cause": "x",
            "lasting_measure": "y",
        },
    )
    return act(
        actor=t.actor("李强"),
        at=later(start + 1),
        hazard_id=hazard.pk,
        action=Action.APPLY_REVIEW,
        given={"photo_after": True},
    )


def test_enter_opens_a_hazard_with_a_person_a_chain_and_a_duty():
    t = town()
    found = see(t, "王敏", t.place())
    assert found.kind == "new"
    assert found.hazard.state == "unverified"
    assert found.hazard.holder_id is not None
    assert found.hazard.number == "HZ-2026-000001"
    assert open_duties(found.hazard) == {"verify": "王敏"}
    verbs = [
        e.body.split('"verb":"')[1].split('"')[0] for e in Entry.objects.filter(matter=f"hazard:{found.hazard.pk.hex}")
    ]
    assert verbs[0] == "hazard.entered"
    assert verbs.count("link.named") == 6


def test_the_whole_life_returned_once_then_closed_on_a_second_review():
    t = town()
    hazard = see(t, "王敏", t.place()).hazard
    ordered_and_applied(t, hazard)
    assert open_duties(hazard).keys() == {"review"}
    back = act(
        actor=t.actor("孙倩"),
        at=later(2),
        hazard_id=hazard.pk,
        action=Action.REVIEW,
        verdict="failed",
        given={"second_person": t.people["吴桐"].pk, "opinion": "未修好"},
    )
    assert back.state == "rectifying"
    act(
        actor=t.actor("李强"), at=later(3), hazard_id=hazard.pk, action=Action.APPLY_REVIEW, given={"photo_after": True}
    )
    closed = act(
        actor=t.actor("孙倩"),
        at=later(4),
        hazard_id=hazard.pk,
        action=Action.REVIEW,
        verdict="passed",
        given={"second_person": t.people["吴桐"].pk, "opinion": "已修好"},
    )
    closed.refresh_from_db()
    assert (closed.state, closed.outcome, closed.proof, closed.is_open) == ("closed", "rectified", "declared", False)
    assert closed.watch_until == date(2026, 3, 6) + timedelta(days=90)
    cycle = Cycle.objects.get(hazard=closed)
    assert cycle.acceptor_id == t.people["孙倩"].pk
    assert cycle.rectifier_id == t.people["李强"].pk
    assert cycle.reviews == 2
    assert open_duties(closed) == {}


def test_rebound_opens_a_new_cycle_and_leaves_the_first_untouched():
    t = town()
    place = t.place()
    hazard = see(t, "王敏", place).hazard
    ordered_and_applied(t, hazard)
    act(
        actor=t.actor("孙倩"),
        at=later(4),
        hazard_id=hazard.pk,
        action=Action.REVIEW,
        verdict="passed",
        given={"second_person": t.people["吴桐"].pk, "opinion": "好"},
    )
    first = Cycle.objects.values().get(hazard=hazard, no=1)
    again = see(t, "王敏", place, at=later(40))
    assert (again.kind, again.hazard.pk, again.hazard.cycle_no, again.hazard.rebound_no) == ("rebound", hazard.pk, 2, 1)
    assert Cycle.objects.values().get(hazard=hazard, no=1) == first
    assert again.hazard.is_open


def test_the_same_danger_still_open_joins_as_a_voice():
    t = town()
    place = t.place()
    first = see(t, "王敏", place)
    second = see(t, "刘洋", place, at=later(1))
    assert second.kind == "joined"
    assert second.hazard.pk == first.hazard.pk
    assert second.hazard.voices_count == 2
    assert Hazard.objects.count() == 1


def test_the_rectifier_cannot_accept_even_through_another_post():
    t = town()
    hazard = see(t, "王敏", t.place(manager="孙倩")).hazard
    act(
        actor=t.actor("王敏"),
        at=AT,
        hazard_id=hazard.pk,
        action=Action.VERIFY,
        verdict="founded",
        given={"reason": "属实"},
    )
    act(
        actor=t.actor("吴桐"),
        at=AT,
        hazard_id=hazard.pk,
        action=Action.ORDER,
        given={"due_on": ON + timedelta(days=3), "basis": "b", "measures": "m"},
    )
    act(
        actor=t.actor("孙倩"), at=later(1), hazard_id=hazard.pk, action=Action.APPLY_REVIEW, given={"photo_after": True}
    )
    with pytest.raises(Refusal) as refused:
        act(
            actor=t.actor("孙倩"),
            at=later(2),
            hazard_id=hazard.pk,
            action=Action.REVIEW,
            verdict="passed",
            given={"second_person": t.people["吴桐"].pk, "opinion": "好"},
        )
    assert refused.value.code == "hazard.acceptor_is_rectifier"
    assert Hazard.objects.get(pk=hazard.pk).state == "awaiting_review"


def test_a_fine_closes_nothing():
    t = town()
    hazard = see(t, "王敏", t.place()).hazard
    ordered_and_applied(t, hazard)
    fined = act(
        actor=t.actor("孙倩"),
        at=later(2),
        hazard_id=hazard.pk,
        action=Action.SIMPLE_PENALTY,
        given={"basis": "行政处罚法51", "second_person": t.people["吴桐"].pk, "yuan": 200},
    )
    assert fined.is_open
    assert fined.penalised
    assert fined.outcome == ""


def test_a_transfer_leaves_the_sender_responsible_until_signed_and_a_second_return_goes_to_the_office():
    t = town()
    hazard = see(t, "王敏", t.place(), code="RG10").hazard
    body = t.bodies["朝阳消防"].pk
    for round_ in range(2):
        sent = act(
            actor=t.actor("王敏"),
            at=later(round_),
            hazard_id=hazard.pk,
            action=Action.TRANSFER,
            given={"body": body, "reason": "无权责令"},
        )
        assert sent.state == "awaiting_receipt"
        assert sent.holder_id == t.people["王敏"].pk
        sent = act(
            actor=t.actor("钱进"),
            at=later(round_, 3),
            hazard_id=hazard.pk,
            action=Action.SEND_BACK,
            given={"clause": "三定", "reason": "不属本局"},
        )
    assert sent.times_returned == 2
    assert open_duties(sent)["designate"] == "何静"
    act(
        actor=t.actor("何静"),
        at=later(3),
        hazard_id=hazard.pk,
        action=Action.ASSIGN,
        given={"body": body, "reason": "业务相近"},
    )
    got = act(actor=t.actor("钱进"), at=later(3, 1), hazard_id=hazard.pk, action=Action.RECEIVE)
    assert got.holder_id == t.people["钱进"].pk
    assert got.designated


def test_a_major_hazard_needs_two_signatures():
    t = town()
    place = t.place(kind="hospital")
    hazard = see(t, "王敏", place, code="HO02").hazard
    act(
        actor=t.actor("王敏"),
        at=AT,
        hazard_id=hazard.pk,
        action=Action.SUSPECT,
        given={"body": t.bodies["朝阳消防"].pk, "interim_control": "专人看守"},
    )
    fire = t.actor("钱进")
    steps = (
        (fire, Action.JUDGE, {"clause": "GB35181", "reason": "集体讨论"}, "major"),
        (fire, Action.REGISTER_MAJOR, {}, None),
        (t.actor("何静"), Action.LIST, {"level": "district", "notice": "公告"}, None),
        (
            t.actor("李强"),
            Action.SUBMIT_PLAN,
            {
                "goals": "g",
                "methods": "m",
                "funds": "f",
                "people": "p",
                "due_on": ON + timedelta(days=60),
                "emergency_plan": "e",
            },
            None,
        ),
        (t.actor("何静"), Action.APPROVE_PLAN, {"due_on": ON + timedelta(days=60)}, None),
        (t.actor("李强"), Action.SELF_ASSESS, {"assessor": "机构", "report": "报告"}, None),
        (t.actor("李强"), Action.APPLY, {}, None),
    )
    for number, (who, action, given, verdict) in enumerate(steps):
        hazard = act(actor=who, at=later(number), hazard_id=hazard.pk, action=action, given=given, verdict=verdict)
    assert hazard.state == "acceptance"
    hazard = act(
        actor=fire,
        at=later(10),
        hazard_id=hazard.pk,
        action=Action.ACCEPT,
        given={"experts": "三人", "on_site": True},
        caller="inspections",
    )
    assert hazard.state == "delisting"
    assert hazard.is_open
    closed = act(
        actor=t.actor("何静"), at=later(11), hazard_id=hazard.pk, action=Action.DELIST, given={"notice": "公告"}
    )
    assert (closed.state, closed.proof, closed.listing) == ("closed", "on_site", "delisted")


def test_act_refuses_a_stale_version_naming_the_other():
    t = town()
    hazard = see(t, "王敏", t.place()).hazard
    act(
        actor=t.actor("王敏"),
        at=AT,
        hazard_id=hazard.pk,
        action=Action.VERIFY,
        verdict="founded",
        given={"reason": "属实"},
    )
    with pytest.raises(Refusal) as refused:
        act(
            actor=t.actor("刘洋"),
            at=AT,
            hazard_id=hazard.pk,
            action=Action.VERIFY,
            verdict="founded",
            given={"reason": "属实"},
            version=1,
        )
    assert refused.value.code == "hazard.changed_meanwhile"
    assert "王敏" in refused.value.zh


def test_a_photo_is_never_just_claimed():
    t = town()
    hazard = see(t, "王敏", t.place()).hazard
    with pytest.raises(Refusal) as refused:
        act(
            actor=t.actor("王敏"),
            at=AT,
            hazard_id=hazard.pk,
            action=Action.FIX_ON_SPOT,
            given={"photo_before": True, "photo_after": True},
        )
    assert refused.value.code == "hazard.needs_missing"
    before, after = (t.photo(hazard, colour) for colour in ("red", "green"))
    closed = act(
        actor=t.actor("王敏"),
        at=AT,
        hazard_id=hazard.pk,
        action=Action.FIX_ON_SPOT,
        given={"photo_before": (before.pk,), "photo_after": (after.pk,)},
    )
    assert (closed.state, closed.proof, closed.track) == ("closed", "photo", "on_spot")


def test_a_rebound_is_entered_not_clicked():
    t = town()
    hazard = see(t, "王敏", t.place()).hazard
    ordered_and_applied(t, hazard)
    act(
        actor=t.actor("孙倩"),
        at=later(4),
        hazard_id=hazard.pk,
        action=Action.REVIEW,
        verdict="passed",
        given={"second_person": t.people["吴桐"].pk, "opinion": "好"},
    )
    with pytest.raises(Refusal) as refused:
        act(
            actor=t.actor("王敏"),
            at=later(9),
            hazard_id=hazard.pk,
            action=Action.REBOUND,
            verdict="reported",
            given={"description": "又断电"},
        )
    assert refused.value.code == "hazard.rebound_is_entered"
    assert Cycle.objects.filter(hazard=hazard).count() == 1


def test_nobody_enters_a_hazard_at_a_place_out_of_reach_and_nothing_is_written():
    t = town()
    here, there = t.place(), t.place("别区面馆", area="中关村街道", manager="马丽")
    far = town("elsewhere")
    for who, place in (("王敏", there), ("赵磊", there), ("李强", there), ("高远", here), ("王敏", far.place())):
        entries = Entry.objects.count()
        with pytest.raises(Refusal) as refused:
            see(t, who, place)
        assert (refused.value.code, refused.value.field) == ("hazard.place_unknown", "place")
        assert (Hazard.objects.count(), Entry.objects.count()) == (0, entries)


def test_whoever_has_the_area_enters_whatever_the_kind_of_the_place():
    t = town()
    hospital = t.place("望京医院", kind="hospital", manager=None)
    # 商务局 keeps restaurants; what it sees in a hospital goes on the ledger all the same.
    assert see(t, "周航", hospital, part="走廊").kind == "new"
    assert see(t, "林涛", hospital, part="地下室").kind == "new"
    assert (
        enter(actor=t.job, at=AT, sighting=Sighting(place_id=hospital.pk, code="RG07", part="屋顶", fact="x")).kind
        == "new"
    )


def test_a_firm_enters_at_its_own_place_and_at_the_one_it_was_merged_into():
    t = town()
    kept, gone = t.place(manager=None), t.place("巷口面馆(旧)")
    with pytest.raises(Refusal):
        see(t, "李强", kept)
    assert see(t, "李强", gone, part="后厨").kind == "new"
    merge(actor=t.actor("刘洋"), at=AT, survivor_id=kept.pk, absorbed_id=gone.pk, reason="同一家")
    assert see(t, "李强", kept, part="前厅").kind == "new"


def test_administrators_of_the_house_enter_nothing():
    t = town()
    t.hold("吴管理", "市安委办", "system_admin", "试验市")
    with pytest.raises(Refusal):
        see(t, "吴管理", t.place())

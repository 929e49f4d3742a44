"""Instructions, like cases, sanctions, instruments, oversight visits: what the committee's office presses with."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from anban.base.journal.models import Entry
from anban.base.journal.verification import verify
from anban.contexts.accidents.models import Accident, Involved
from anban.contexts.accidents.operations import Named, Report, record_accident
from anban.contexts.accidents.queries import visible_to as accidents_visible_to
from anban.contexts.establishments.importers import apply, load_targets, mapping_named
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import Sighting, act, enter
from anban.contexts.obligations.models import Obligation
from anban.contexts.oversight.models import Instrument, OversightVisit, SanctionCase
from anban.contexts.oversight.operations import instruments, likes, sanctions, visits
from anban.contexts.oversight.operations.instructions import (
    Received,
    add_measure,
    register_instruction,
    settle_closed,
    settle_measure,
)
from anban.contexts.oversight.queries import instructions as instruction_queries
from anban.contexts.oversight.queries import instruments as instrument_queries
from anban.contexts.oversight.queries import likes as like_queries
from anban.contexts.oversight.queries import sanctions as sanction_queries
from anban.contexts.oversight.queries import visits as visit_queries
from anban.rules.accountability import AccidentGrade, red
from anban.rules.errors import Refusal
from anban.rules.hazard_lifecycle import Action
from tests.factories.town import AT, ON, Town, town

pytestmark = pytest.mark.django_db


def days(n: float):
    return AT + timedelta(days=n)


def seen(t: Town, number: int, area: str = "望京街道") -> Hazard:
    place = t.place(f"面馆{number}{area}", area=area, manager=None)
    who = "高远" if area == "中关村街道" else "王敏"
    return enter(
        actor=t.actor(who), at=AT, sighting=Sighting(place_id=place.pk, code="RG07", fact=f"报警器断电{number}")
    ).hazard


def ordered(t: Town, hazard: Hazard, after: float) -> None:
    act(
        actor=t.actor("王敏"), at=days(after), hazard_id=hazard.pk, action=Action.VERIFY, verdict="founded",
        given={"reason": "属实"},
    )  # fmt: skip
    act(
        actor=t.actor("孙倩"), at=days(after), hazard_id=hazard.pk, action=Action.ORDER,
        given={"due_on": ON + timedelta(days=int(after) + 7), "basis": "b", "measures": "m"},
    )  # fmt: skip


def received(t: Town, number: str = "京领批〔2026〕8号", who: str = "何静"):
    given = Received(
        kind="instruction", number=number, requirement="限期整改并举一反三", issued_on=ON, due_on=ON + timedelta(days=20),
        area_path=t.areas["朝阳区"].path,
    )  # fmt: skip
    return register_instruction(actor=t.actor(who), at=AT, received=given)


def put(t: Town, row, hazard: Hazard, after: float = 3.0):
    return add_measure(
        actor=t.actor("何静"), at=days(after), instruction_id=row.pk, hazard_id=hazard.pk, person=t.people["孙倩"],
        body=t.bodies["望京执法队"], requirement="责令整改", due_on=ON + timedelta(days=15),
    )  # fmt: skip


def test_a_document_without_a_measure_is_red_and_its_text_is_nowhere():
    t = town()
    row = received(t)
    office = t.actor("何静")
    assert list(instruction_queries.register_of(office, only="red")) == [row]
    assert Obligation.objects.get(matter_id=row.pk).person.name == "何静"
    assert not {f.name for f in type(row)._meta.get_fields()} & {"text", "content", "picture", "file"}
    with pytest.raises(Refusal) as twice:
        received(t)
    assert twice.value.code == "instruction.number_twice"
    with pytest.raises(Refusal) as no:
        received(t, "另号", "王敏")
    assert no.value.code == "oversight.not_allowed"
    hazard = seen(t, 1)
    measure = put(t, row, hazard)
    assert not instruction_queries.register_of(office, only="red").exists()
    assert Obligation.objects.get(matter_id=row.pk).state == "done"
    assert Obligation.objects.get(matter_id=measure.pk).person.name == "孙倩"
    with pytest.raises(Refusal) as early:
        settle_measure(actor=t.actor("孙倩"), at=days(4), measure_id=measure.pk)
    assert early.value.code == "instruction.no_evidence"
    ordered(t, hazard, 5)
    assert settle_measure(actor=t.actor("孙倩"), at=days(6), measure_id=measure.pk).evidence == "ordered"
    assert Obligation.objects.get(matter_id=measure.pk).state == "done"
    assert settle_closed(actor=t.job, at=days(7)) == 0
    for blind in ("王敏", "高远", "周航"):
        assert not instruction_queries.visible_to(t.actor(blind)).exists()
    assert [finding.en for finding in verify().findings] == []


def test_dependence_counts_what_moved_only_after_and_is_silent_when_few():
    t = town()
    row = received(t)
    hazards = [seen(t, n) for n in range(12)]
    for hazard in hazards[:9]:
        put(t, row, hazard)
    for n, hazard in enumerate(hazards):
        ordered(t, hazard, 1 if n in (0, 1) or n >= 9 else 5)
    (team,) = [d for d in instruction_queries.dependence(t.actor("何静"), ON) if d.body.name == "望京执法队"]
    assert (team.matters, team.instructed, team.before_first) == (12, 9, 1.0)
    assert team.only_after.value == pytest.approx(7 / 12)
    assert (team.days_before.n, team.days_before.enough, team.days_after.value) == (7, False, None)
    assert instruction_queries.dependence(t.actor("高远"), ON) == []
    assert instruction_queries.dependence(t.actor("宋岩"), ON) == []


def test_likes_left_alone_are_listed_put_on_desks_once_and_gone():
    t = town()
    noted, left, touched, other = seen(t, 1), seen(t, 2), seen(t, 3), seen(t, 4, "中关村街道")
    put(t, received(t), noted)
    ordered(t, touched, 2)
    office = t.actor("何静")
    found = like_queries.left_alone(office, days(9))
    assert [(one.hazard.pk, one.like.pk) for one in found] == [(left.pk, noted.pk)]
    city = {one.hazard.pk for one in like_queries.left_alone(t.actor("林涛"), days(9))}
    assert city == {left.pk, other.pk}
    assert like_queries.left_alone(t.actor("宋岩"), days(9)) == []
    with pytest.raises(Refusal):
        likes.put_on_desks(actor=t.actor("高远"), at=days(9), pairs=[(left.pk, noted.pk)])
    assert len(likes.put_on_desks(actor=office, at=days(9), pairs=[(left.pk, noted.pk)])) == 1
    assert likes.put_on_desks(actor=office, at=days(9), pairs=[(left.pk, noted.pk)]) == []
    assert like_queries.left_alone(office, days(9)) == []
    assert Obligation.objects.get(kind="like_case").person == left.holder
    what = [one.what for one in like_queries.measures_of(Hazard.objects.get(pk=touched.pk))]
    assert what == ["order"]


def report(t: Town, place, on: date = ON, **more) -> Report:
    return Report(
        kind="fire", on=on, area_path=place.area_path, unit_name=place.name, place=place, grade=AccidentGrade.GENERAL,
        causes=("电气", "管理"), named=(Named(name="甲", link="电气", direct=True), Named(name="乙", link="管理")), **more,
    )  # fmt: skip


def test_after_an_accident_unit_and_persons_have_clocks_of_their_own_and_red_is_shown():
    t = town()
    place = t.place()
    office = t.actor("何静")
    record_accident(actor=office, at=AT, report=report(t, place, ON - timedelta(days=200)))
    accident = record_accident(actor=office, at=AT, report=report(t, place))
    assert sanctions.open_for_accidents(actor=t.job, at=AT) == 2
    assert sanctions.open_for_accidents(actor=t.job, at=AT) == 0
    case = SanctionCase.objects.get(accident=accident)
    assert (case.level, "1 起" in case.level_reason) == ("district_head", True)
    assert SanctionCase.objects.exclude(pk=case.pk).get().level == "district"
    unit, *persons = sanction_queries.items_of(case)
    assert [i.subject for i in (unit, *persons)] == ["unit", "person", "person"]
    assert unit.due_on == ON + timedelta(days=105)
    assert set(Obligation.objects.filter(kind="sanction").values_list("person__name", flat=True)) == {"何静"}

    def step(item, name: str, **more):
        sanctions.take_step(actor=office, at=AT, item_id=item.pk, step=name, **more)
        case.refresh_from_db()
        return case.is_red

    with pytest.raises(Refusal) as blank:
        step(unit, "decide")
    assert blank.value.code == "sanction.document_missing"
    assert step(unit, "decide", document_number="京安罚〔2026〕1号")  # 管理 names no direct person
    assert [r.code for r in red(*sanction_queries.facts_of(case))] == ["accountability.link_without_person"]
    added = sanctions.add_person(
        actor=office, at=AT, case_id=case.pk, person=t.people["李强"], unit_name="面馆", link="管理", direct=True
    )
    case.refresh_from_db()
    assert not case.is_red
    assert step(unit, "execute")
    with pytest.raises(Refusal) as over:
        step(unit, "execute")
    assert over.value.code == "sanction.step_unknown"
    assert [c.pk for c in sanction_queries.board(office, only="red")] == [case.pk]
    for item in (*persons, added):
        step(item, "clear", note="调查认定")
    assert (case.is_red, case.is_open) == (False, False)
    assert Obligation.objects.filter(kind="sanction", state="open", title__contains=case.number).count() == 0
    for blind in ("高远", "王敏", "李强"):
        assert not sanction_queries.visible_to(t.actor(blind)).exists()
    assert not accidents_visible_to(t.actor("高远")).exists()
    assert [finding.en for finding in verify().findings] == []


def test_a_failure_of_duty_is_a_case_without_an_accident():
    t = town()
    case = sanctions.open_case(actor=t.actor("何静"), at=AT, hazard=seen(t, 1), title="逾期三十日未复查")
    assert (case.level, case.items.count()) == ("district", 1)
    with pytest.raises(Refusal) as no:
        sanctions.open_case(actor=t.actor("何静"), at=AT, hazard=seen(t, 2, "中关村街道"), title="x")
    assert no.value.code == "oversight.not_allowed"


def test_papers_are_numbered_without_gaps_addressed_due_and_answered():
    t = town()
    hazard, office = seen(t, 1), t.actor("何静")
    about = instruments.About(hazard=hazard)

    def issue(kind: str = "supervision", body: str = "望京执法队", **more):
        given = {"about": about, "due_on": ON + timedelta(days=5), **more}
        return instruments.issue(actor=office, at=AT, kind=kind, to_body=t.bodies[body], **given)

    first = issue()
    for kind, body, code, more in (
        ("call", "望京执法队", "instrument.kind_unknown", {}),
        ("note", "望京执法队", "instrument.due_in_past", {"due_on": ON - timedelta(days=1)}),
        ("supervision", "中关村平安办", "instrument.nobody_there", {}),
    ):
        with pytest.raises(Refusal) as no:
            issue(kind, body, **more)
        assert no.value.code == code
    assert [first.number, issue().number, issue("note").number] == [
        "督办单（函）〔2026〕1号",
        "督办单（函）〔2026〕2号",
        "提示函〔2026〕1号",
    ]
    assert (first.to_person.name, instrument_queries.facts_of(first)["fact"]) == ("孙倩", hazard.fact)
    with pytest.raises(Refusal) as stranger:
        instruments.answer(actor=t.actor("周航"), at=days(1), instrument_id=first.pk, words="已办")
    assert stranger.value.code == "oversight.not_addressee"
    instruments.answer(actor=t.actor("吴桐"), at=days(1), instrument_id=first.pk, words="已责令整改")
    first.refresh_from_db()
    assert instrument_queries.answers_of([first.pk]) == {first.pk: ("已责令整改", "")}
    assert "已责令整改" not in Entry.objects.get(body__contains="instrument.answered").body
    assert Obligation.objects.get(matter_id=first.pk).state == "done"
    with pytest.raises(Refusal) as twice:
        instruments.answer(actor=t.actor("孙倩"), at=days(1), instrument_id=first.pk, words="再办")
    assert twice.value.code == "instrument.answered"
    assert instrument_queries.listed(t.actor("孙倩"), only="mine").count() == 3
    assert not instrument_queries.visible_to(t.actor("高远")).exists()
    late = instrument_queries.listed(office, only="late", on=ON + timedelta(days=6))
    assert late.count() == 2
    assert Instrument.objects.count() == 3


def test_a_visit_goes_to_bodies_its_findings_are_put_right_looked_back_at_and_closed():
    t = town()
    office, district = t.actor("林涛"), t.areas["朝阳区"]
    columns = {f.name for f in OversightVisit._meta.get_fields()}
    assert not columns & {"place", "firm", "establishment"}
    visit = visits.open_visit(actor=office, at=AT, kind="inspection", area=district, body=None, from_on=ON)

    def find(body: str, **more):
        given = {"fact": "岗责清单空缺", "requirement": "明确责任人", "due_on": ON + timedelta(days=10), **more}
        return visits.add_finding(actor=office, at=AT, visit_id=visit.pk, body=t.bodies[body], **given)

    with pytest.raises(Refusal) as elsewhere:
        find("中关村平安办")
    assert elsewhere.value.code == "oversight.body_elsewhere"
    finding = find("朝阳商务局", promise="月底前补齐")
    assert (finding.person.name, finding.no) == ("周航", 1)
    assert [f.pk for f in visit_queries.promises(t.actor("何静"), district.path)] == [finding.pk]
    # The bureau opens the visit that put something to it and sees its own part; the office sees the whole.
    other = find("朝阳消防")
    for name, mine in (("林涛", [finding, other]), ("何静", [finding, other]), ("周航", [finding]), ("钱进", [other])):
        (seen,) = visit_queries.listed(t.actor(name))
        assert (seen.pk, seen.found, seen.waiting) == (visit.pk, len(mine), len(mine))
        assert list(visit_queries.findings_of(t.actor(name), seen)) == mine
    visits.rectify(actor=t.actor("钱进"), at=days(4), finding_id=other.pk, statement="已补")
    visits.follow_up(actor=office, at=days(4), finding_id=other.pk, passed=True)
    with pytest.raises(Refusal) as stranger:
        visits.rectify(actor=t.actor("钱进"), at=days(5), finding_id=finding.pk, statement="已补")
    assert stranger.value.code == "oversight.not_addressee"
    visits.rectify(actor=t.actor("周航"), at=days(5), finding_id=finding.pk, statement="已补")
    assert Obligation.objects.get(kind="follow_up", state="open").person.name == "林涛"
    with pytest.raises(Refusal) as still:
        visits.close_visit(actor=office, at=days(6), visit_id=visit.pk)
    assert still.value.code == "oversight.still_open"
    visits.follow_up(actor=office, at=days(6), finding_id=finding.pk, passed=False, note="仍缺一人")
    again = Obligation.objects.get(kind="rectify_finding", state="open")
    assert (again.person.name, again.due_at.date()) == ("周航", ON + timedelta(days=10))
    visits.rectify(actor=t.actor("周航"), at=days(7), finding_id=finding.pk, statement="已补齐")
    visits.follow_up(actor=office, at=days(8), finding_id=finding.pk, passed=True)
    assert not visits.close_visit(actor=office, at=days(8), visit_id=visit.pk).is_open
    for blind in ("高远", "王敏"):
        assert not visit_queries.visible_to(t.actor(blind)).exists()
    assert not Obligation.objects.filter(subject_kind="oversight", state="open").exists()
    assert [found.en for found in verify().findings] == []


HEADER = "事故编号,事故日期,事故类别,事故等级,地区代码,单位编号,事故单位,死亡人数,直接经济损失（元）,原因环节,责任人"


def test_accidents_come_from_a_table_twice_changes_nothing_and_bad_rows_come_back(tmp_path: Path):
    t = town()
    place = t.place()
    t.hold("管家", "市安委办", "steward", "试验市")
    load_targets()
    steward, mapping = t.actor("管家"), mapping_named("accidents")
    file = tmp_path / "accidents.csv"
    rows = [
        f"A1,2026-02-01,火灾,一般事故,A01026,{place.number},巷口面馆,1,500000,电气；管理,张三/电气/直接；李四/管理",
        "A2,2026-02-02,触电,,A01026,,某工地,0,,,",
        "A3,2026-02-02,地震,一般事故,A01026,,某单位,0,,,",
        "A4,2026-02-02,火灾,一般事故,Z99,,某单位,0,,,",
        "A5,2026-04-02,火灾,一般事故,A01026,,某单位,0,,,",
        "A6,2026-02-02,火灾,一般事故,A01026,EST-9,某单位,0,,,",
        "A7,2026-02-02,火灾,一般事故,A01026,,某单位,-1,,,",
        "A8,,火灾,一般事故,A01026,,某单位,0,,,",
    ]
    file.write_text("\n".join((HEADER, *rows)), encoding="utf-8-sig")
    taken = apply([file], mapping, actor=steward, at=AT, refused=tmp_path / "no.csv")
    assert taken.counts == {"new": 2, "changed": 0, "same": 0, "refused": 6}
    first = Accident.objects.get(source_key="A1")
    assert (first.place_id, first.grade, first.loss_yuan, first.causes) == (place.pk, "general", 500_000, "电气；管理")
    assert [(i.person.name, i.link, i.direct) for i in Involved.objects.filter(accident=first).order_by("id")] == [
        ("张三", "电气", True), ("李四", "管理", False),
    ]  # fmt: skip
    assert Accident.objects.get(source_key="A2").grade == "undetermined"
    assert apply([file], mapping, actor=steward, at=AT).counts == {"new": 0, "changed": 0, "same": 2, "refused": 6}
    with (tmp_path / "no.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert sorted(row["事故编号"] for row in csv.DictReader(stream)) == ["A3", "A4", "A5", "A6", "A7", "A8"]
    file.write_text("\n".join((HEADER, rows[0].replace(",1,500000", ",3,500000"))), encoding="utf-8-sig")
    assert apply([file], mapping, actor=steward, at=AT).counts["changed"] == 1
    assert (Accident.objects.get(source_key="A1").deaths, Involved.objects.count()) == (3, 2)

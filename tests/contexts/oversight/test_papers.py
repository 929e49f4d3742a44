"""Papers of the ladders: each written rung has its numbered paper once, to whom it concerns; printed without typing in both languages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import translation
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from anban.base.journal.models import Entry
from anban.base.journal.verification import verify
from anban.contexts.hazards.jobs import clocks
from anban.contexts.hazards.operations import act
from anban.contexts.obligations.models import EscalationStep, Obligation
from anban.contexts.obligations.operations import take_step
from anban.contexts.oversight.jobs import day as day_of_oversight
from anban.contexts.oversight.models import Instrument, StepPaper
from anban.contexts.oversight.operations.instruments import About, issue, issue_missing
from anban.contexts.oversight.queries.scope import COMMITTEE
from anban.contexts.territory.models import Holding
from anban.rules.errors import Refusal
from anban.rules.escalation import LADDERS, WRITTEN, Ladder, rung_of, written_steps
from anban.rules.hazard_lifecycle import Action
from anban.web.desk.oversight.instruments import ASKED
from anban.web.shell import middleware
from tests.contexts.hazards.test_jobs import Watching
from tests.contexts.oversight.test_pressing import days, ordered, seen
from tests.factories.signed import client_of
from tests.factories.town import AT, ON, Town, town

pytestmark = pytest.mark.django_db


def climbed(t: Town, hazard, *steps: str) -> Obligation:
    """Take steps of a ladder for what is owed about a hazard now."""
    owed = Obligation.objects.filter(matter_id=hazard.pk, state="open").first()
    assert owed is not None
    for step in steps:
        rung = rung_of(step)
        told = t.people["刘洋"] if rung and rung.instrument == "note" else t.people["何静"]
        assert take_step(actor=t.job, at=AT, obligation=owed, step=step, since=AT, told=told, text=step)
    return owed


def papers(t: Town, at) -> int:
    return issue_missing(actor=t.job, at=at)


def test_both_ladders_have_written_rungs_and_a_call_is_none():
    assert {step.partition(".")[0] for step in written_steps()} == {"territory", "sector"}
    for ladder, rungs in LADDERS.items():
        for rung in rungs:
            assert (rung_of(f"{ladder}.{rung.name}") is not None) == (rung.instrument in WRITTEN)
    assert rung_of("propose_case") is None
    assert set(ASKED) == {kind.value for kind in WRITTEN}


def test_each_written_step_has_its_paper_once_addressed_by_its_rung():
    t = town()
    hazard = seen(t, 1)
    climbed(
        t,
        hazard,
        "territory.street_office",
        "territory.street_deputy",
        "territory.district_office",
        "territory.city_office",
    )
    assert papers(t, days(1)) == 3
    assert papers(t, days(1)) == 0
    rows = {row.kind: row for row in Instrument.objects.filter(hazard=hazard)}
    assert set(rows) == {"note", "supervision", "circular"}
    note, letter, circular = rows["note"], rows["supervision"], rows["circular"]
    assert (note.issuer.name, note.to_person.name, note.to_body.name) == ("朝阳安委办", "刘洋", "望京平安办")
    assert (letter.issuer.name, letter.issued_by.name, letter.to_body.name) == (
        "朝阳安委办",
        "何静",
        hazard.holder_body.name,
    )
    assert (circular.issuer.name, circular.number) == ("市安委办", "通报〔2026〕1号")
    assert letter.due_on == (days(1) + timedelta(days=7)).date()
    assert Obligation.objects.filter(kind="answer_instrument", state="open").count() == 3
    assert [finding.en for finding in verify().findings] == []


def test_two_duties_of_one_hazard_share_a_rungs_paper_and_what_is_settled_gets_none():
    t = town()
    hazard = seen(t, 1)
    first = climbed(t, hazard, "territory.district_office")
    second = Obligation.objects.create(
        root="town", person=first.person, unit_name="x", kind="name_supplier", subject_kind="hazard", subject_id=hazard.pk,
        matter_id=hazard.pk, area_path=hazard.area_path, title="x", source_rule="x", opened_at=AT,
    )  # fmt: skip
    take_step(
        actor=t.job,
        at=AT,
        obligation=second,
        step="territory.district_office",
        since=AT,
        told=t.people["何静"],
        text="x",
    )
    other = seen(t, 2)
    ended = climbed(t, other, "territory.district_office")
    ended.state, ended.ended_at = "done", AT
    ended.save()
    papers(t, days(1))
    assert Instrument.objects.filter(hazard=hazard).count() == 1
    assert StepPaper.objects.filter(instrument__hazard=hazard).count() == 2
    assert not Instrument.objects.filter(hazard=other).exists()


def papered(hazard) -> list[tuple[str, ...]]:
    """Return the papers of a hazard's steps: what, of which step, from whom, to whom."""
    rows = StepPaper.objects.filter(instrument__hazard=hazard).select_related("step__obligation", "instrument__issuer")
    return sorted(
        (one.instrument.kind, one.step.step, one.step.obligation.kind, one.instrument.issuer.name, one.instrument.to_body.name,
         one.instrument.to_person.name)
        for one in rows
    )  # fmt: skip


def test_a_step_and_its_paper_are_one_transaction_even_when_the_duty_ends_within_the_hour():
    t = town()
    hazard = seen(t, 1)
    ordered(t, hazard, 1)
    clocks(days(9), Watching("town"))
    before = EscalationStep.objects.count()
    given = {"second_person": t.people["吴桐"].pk, "opinion": "已修好"}
    act(actor=t.actor("孙倩"), at=days(40), hazard_id=hazard.pk, action=Action.REVIEW, verdict="passed", given=given)
    assert not Obligation.objects.filter(matter_id=hazard.pk, state="open").exists()
    taken = EscalationStep.objects.filter(step__in=written_steps())
    assert EscalationStep.objects.count() > before
    assert taken.exists()
    assert {row.step_id for row in StepPaper.objects.all()} == {row.pk for row in taken}
    assert Entry.objects.filter(body__contains="obligation.escalated").count() == EscalationStep.objects.count()
    assert [finding.en for finding in verify().findings] == []


def test_where_nobody_can_issue_the_paper_follows_once_somebody_can():
    t = town()
    t.hold("副主任", "望京平安办", "street_deputy", "望京街道")
    hazard = seen(t, 1)
    ordered(t, hazard, 1)
    held = Holding.objects.filter(post__role__in=COMMITTEE)
    held.update(until_on=ON)
    for day in (9, 20, 40):
        clocks(days(day), Watching("town"))
    assert EscalationStep.objects.filter(step__in=written_steps()).exists()
    assert not StepPaper.objects.exists()
    held.update(until_on=None)
    assert day_of_oversight(days(41), Watching("town"))["papers"] == StepPaper.objects.count() > 0
    assert day_of_oversight(days(41), Watching("town"))["papers"] == 0


DOINGS = {
    "reviewed": ("孙倩", Action.REVIEW, "passed", {"opinion": "已修好"}),
    "failed": ("孙倩", Action.REVIEW, "failed", {"opinion": "未修好", "due_days": 5}),
    "suspected": ("王敏", Action.SUSPECT, "", {"body": "朝阳城管委", "interim_control": "停气"}),
    "judged": ("赵磊", Action.JUDGE, "general", {"clause": "第五条", "reason": "不构成"}),
    "waits": None,
}  # fmt: skip


def lived(name: str, doings: list[tuple[str, int]], *, worker: bool) -> tuple[object, ...]:
    """Let a hazard run late, with the worker on every day or down until somebody acts; return its steps and papers."""
    t = town(name)
    t.hold("队长", "望京执法队", "district_regulator_head", "望京街道")
    hazard = seen(t, 1)
    ordered(t, hazard, 1)
    clocks(days(9), Watching(name))
    day, answers = 9, []
    for doing, wait in doings:
        for passed in range(1, wait + 1):
            if worker:
                clocks(days(day + passed), Watching(name))
        day += wait
        told = DOINGS[doing]
        if told is None:
            continue
        who, action, verdict, words = told
        given = dict(words)
        if action is Action.REVIEW:
            given["second_person"] = t.people["吴桐"].pk
        if "body" in given:
            given["body"] = t.bodies[str(given["body"])].pk
        if "due_days" in given:
            given["due_on"] = ON + timedelta(days=day + int(str(given.pop("due_days"))))
        try:
            act(
                actor=t.actor(who), at=days(day + 0.1), hazard_id=hazard.pk, action=action, verdict=verdict, given=given
            )
            answers.append("done")
        except Refusal as refusal:
            answers.append(refusal.code)
    clocks(days(day + 60), Watching(name))
    hazard.refresh_from_db()
    steps = EscalationStep.objects.filter(obligation__matter_id=hazard.pk)
    assert set(StepPaper.objects.filter(instrument__hazard=hazard).values_list("step__step", flat=True)) <= set(
        written_steps()
    )
    papers_of = [row for row in papered(hazard) if row[2] != "propose_case"]
    return (answers, hazard.state, sorted(steps.values_list("obligation__kind", "step", "due_at")), papers_of)


def test_steps_and_papers_after_any_outage_are_those_of_a_worker_that_never_slept(soak):
    doing = st.tuples(st.sampled_from(sorted(DOINGS)), st.integers(1, 25))
    numbers, reached = iter(range(10_000)), set()

    @settings(max_examples=100 if soak else 3, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @example([("reviewed", 22)])
    @example([("failed", 12), ("reviewed", 25)])
    @example([("suspected", 4), ("waits", 25), ("judged", 9)])
    @given(st.lists(doing, min_size=1, max_size=4))
    def holds(doings: list[tuple[str, int]]) -> None:
        number = next(numbers)
        down = lived(f"down{number}", doings, worker=False)
        assert down == lived(f"steady{number}", doings, worker=True)
        reached.update(kind for kind, *_ in down[3])  # type: ignore[attr-defined]

    holds()
    assert reached >= {"note", "supervision"}, "the lives that were told reached written rungs"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_paper_prints_without_typing(monkeypatch, language):
    monkeypatch.setattr(middleware, "now", lambda: AT)
    t = town()
    hazard, office = seen(t, 1), t.actor("何静")
    client = client_of(t, "何静")
    client.post("/language/", {"language": language, "next": "/"})
    for kind in WRITTEN:
        row = issue(actor=office, at=AT, kind=kind.value, about=About(hazard=hazard), to_body=t.bodies["望京执法队"], due_on=ON + timedelta(days=5))  # fmt: skip
        page = client.get(f"/oversight/instruments/{row.pk}/").content.decode()
        assert "2026-03-07" in page
        assert hazard.fact in page
        assert "%(" not in page
    sheet = client.get(f"/oversight/instruments/{row.pk}/pdf/")
    assert sheet["Content-Type"] == "application/pdf"
    assert sheet.content.startswith(b"%PDF")
    assert len(sheet.content) > 5000
    assert client_of(t, "高远").get(f"/oversight/instruments/{row.pk}/pdf/").status_code == 404
    translation.deactivate()


def test_the_two_ladders_say_which_instrument_each_rung_takes():
    assert [rung.instrument.value for rung in LADDERS[Ladder.SECTOR]] == [
        "call",
        "note",
        "note",
        "supervision",
        "circular",
    ]

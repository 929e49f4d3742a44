"""Papers of the ladders: each written rung has its numbered paper once, to whom it concerns; printed without typing in both languages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import translation

from anban.base.journal.verification import verify
from anban.contexts.hazards.jobs import clocks
from anban.contexts.obligations.models import EscalationStep, Obligation
from anban.contexts.obligations.operations import take_step
from anban.contexts.oversight.jobs import papers
from anban.contexts.oversight.models import Instrument, StepPaper
from anban.contexts.oversight.operations.instruments import About, issue
from anban.rules.escalation import LADDERS, WRITTEN, Ladder, rung_of, written_steps
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
    assert papers(days(1), Watching("town")) == {"papers": 3}
    assert papers(days(1), Watching("town")) == {"papers": 0}
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
    papers(days(1), Watching("town"))
    assert Instrument.objects.filter(hazard=hazard).count() == 1
    assert StepPaper.objects.filter(instrument__hazard=hazard).count() == 2
    assert not Instrument.objects.filter(hazard=other).exists()


def test_the_ladders_own_job_leads_to_papers():
    t = town()
    hazard = seen(t, 1)
    ordered(t, hazard, 1)
    t.hold("副主任", "望京平安办", "street_deputy", "望京街道")
    for day in (10, 20, 40):
        clocks(days(day), Watching("town"))
    taken = set(
        EscalationStep.objects.filter(obligation__matter_id=hazard.pk, obligation__state="open").values_list(
            "step", flat=True
        )
    )
    due = {step for step in taken if rung_of(step)}
    assert due, "the ladders have reached a written rung"
    papers(days(41), Watching("town"))
    reached = set(StepPaper.objects.values_list("step__step", flat=True))
    assert reached <= due
    assert reached


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

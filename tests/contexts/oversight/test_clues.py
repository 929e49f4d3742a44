"""Clues: opened by the night where like cases differ, put to a body or settled by a person, gone from the list, and back by new cases alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from anban.base.journal.models import Entry
from anban.base.journal.verification import verify
from anban.contexts.obligations.models import Obligation
from anban.contexts.oversight.models import Clue
from anban.contexts.oversight.operations import clues, instruments
from anban.contexts.oversight.operations.instruments import About
from anban.contexts.oversight.queries import clues as queries
from anban.contexts.oversight.queries import instruments as papers
from anban.rules.errors import Refusal
from tests.factories import overseen
from tests.factories.overseen import DAYS, OFFICE, Planter
from tests.factories.town import AT, Town, town

pytestmark = pytest.mark.django_db
NIGHT = AT + timedelta(days=DAYS)


def days(n: float):
    return NIGHT + timedelta(days=n)


def looked(t: Town, after: float = 0) -> clues.Looked:
    return clues.look_over(actor=t.job, at=days(after))


def open_subjects(t: Town, who: str = OFFICE) -> set[tuple[str, str, str]]:
    return {
        (row.area_path, row.kind, row.body.name if row.body else row.key)
        for row in queries.listed(t.actor(who), only="open")
    }


def firm(t: Town, key: str = "central") -> Clue:
    return queries.listed(t.actor(OFFICE), kind="firm").get(area_path="1/05/", key=key, state="open")


@pytest.fixture
def unequal() -> Town:
    t = town()
    overseen.unequal(Planter(t))
    looked(t)
    return t


def test_the_night_opens_a_clue_on_its_own_offices_desk_and_tells_nobody_else(unequal: Town) -> None:
    t = unequal
    assert open_subjects(t) == {("1/05/", "firm", "central"), ("1/05/", "firm", "private")}
    row = firm(t)
    told = queries.figures_of(row)
    assert {(one["kind"], one["found"], one["difference"]) for one in told["results"]} == {
        ("measure", True, -1.0),
        ("time", True, told["results"][1]["difference"]),
    }
    (group,) = queries.groups_of(row)
    assert (group.ours.cases, group.ours.orders, group.ours.none) == (14, 0, 14)
    assert (group.others.cases, group.others.orders, group.others.none) == (14, 14, 0)
    assert queries.cases_of(t.actor(OFFICE), row).count() == told["all"] == 14
    owed = Obligation.objects.filter(kind="weigh_clue", area_path="1/05/")
    assert {one.person.name for one in owed} == {OFFICE}
    assert not any("央" in one.title or "central" in one.title for one in owed)
    # The city's office compares the whole city; the district's neighbours, its leader and its bureaus see nothing.
    assert len(open_subjects(t, "林涛")) == 4
    for blind in ("宋岩", "高远", "周航", "孙倩", "刘洋"):
        assert queries.visible_to(t.actor(blind)).count() == 0
    assert looked(t) == clues.Looked(0, 0, 4)
    assert Clue.objects.count() == Entry.objects.filter(body__contains="clue.found").count() == 4
    assert [one.en for one in verify().findings if one.en.startswith("oversight")] == []


def test_a_clue_of_an_office_without_a_holder_is_on_a_desk_once_somebody_holds_it(unequal: Town) -> None:
    t, row = unequal, firm(unequal)
    Obligation.objects.filter(matter_id=row.pk).delete()  # as if nobody had held the office on the night it was found
    looked(t, 1)
    looked(t, 2)
    assert [one.person.name for one in Obligation.objects.filter(matter_id=row.pk, state="open")] == [OFFICE]


def test_a_clue_is_settled_with_reason_and_source_and_comes_back_by_new_cases_alone(unequal: Town) -> None:
    t, office, row = unequal, unequal.actor(OFFICE), firm(unequal)
    with pytest.raises(Refusal) as stranger:
        clues.settle(actor=t.actor("周航"), at=days(1), clue_id=row.pk, reason="r", source="s")
    assert stranger.value.code == "oversight.not_allowed"
    for given, code in (
        ({"reason": " ", "source": "s"}, "clue.reason_missing"),
        ({"reason": "r", "source": ""}, "clue.source_missing"),
    ):
        with pytest.raises(Refusal) as missing:
            clues.settle(actor=office, at=days(1), clue_id=row.pk, **given)
        assert missing.value.code == code
    made = clues.settle(actor=office, at=days(1), clue_id=row.pk, reason="央企由市级直管", source="管辖分工 2026-01")
    assert (made.state, made.decided_by and made.decided_by.name) == ("settled", OFFICE)
    assert Obligation.objects.get(matter_id=row.pk, kind="weigh_clue").state == "done"
    frozen = made.figures
    with pytest.raises(Refusal) as twice:
        clues.settle(actor=office, at=days(2), clue_id=row.pk, reason="r", source="s")
    assert twice.value.code == "clue.dealt_with"
    # The same cases speak no second time; its mirror, which nobody answered, stays open.
    looked(t, 3)
    assert open_subjects(t) == {("1/05/", "firm", "private")}
    # New cases that are treated alike open nothing; new ones treated unlike do, and name the earlier clue.
    planter = Planter(t, places=100)
    for number in range(14):
        planter.see("RG08", DAYS + 4, affiliation="central")
        planter.order(planter.see("RG08", DAYS + 4, affiliation="private"), DAYS + 5 + number % 3)
    looked(t, 60)
    assert not queries.listed(office, only="open").filter(key="central").exists()
    looked(t, 80)
    again = firm(t)
    assert (again.earlier, queries.later_than(row)) == (row, again)
    assert again.since_on > row.until_on
    assert (queries.figures_of(again)["all"], Clue.objects.get(pk=row.pk).figures) == (14, frozen)
    assert [one.number for one in queries.listed(office, only="dealt")] == [row.number]
    assert [one.en for one in verify().findings if one.en.startswith("oversight")] == []


def test_a_clue_about_a_body_goes_to_that_body_which_answers_with_measure_and_reason() -> None:
    t = town()
    planter = Planter(t)
    overseen.dependent(planter)
    looked(t)
    assert ("1/05/", "dependence", "望京执法队") in open_subjects(t)
    office = t.actor(OFFICE)
    row = queries.listed(office, kind="dependence", only="open").get(area_path="1/05/")
    share = queries.figures_of(row)["share"]
    assert (share["n"], share["value"]) == (18, 14 / 18)
    # The city's office leaves a body's clue to the district's.
    assert ("1/", "dependence", "望京执法队") not in open_subjects(t, "林涛")

    def issue(body: str, who: str = OFFICE):
        return instruments.issue(
            actor=t.actor(who), at=days(1), kind="note", about=About(clue=row), to_body=t.bodies[body],
            due_on=days(10).date(),
        )  # fmt: skip

    with pytest.raises(Refusal) as other:
        issue("朝阳商务局")
    assert other.value.code == "instrument.other_body"
    with pytest.raises(Refusal) as stranger:
        issue("望京执法队", "周航")
    assert stranger.value.code == "oversight.not_allowed"
    paper = issue("望京执法队")
    row.refresh_from_db()
    assert (row.state, row.decided_by and row.decided_by.name) == ("on_desk", OFFICE)
    assert Obligation.objects.get(matter_id=paper.pk).person.name == "孙倩"
    assert papers.facts_of(paper)["share"] == share
    # What it tells is for the office and the body: no leader reads it, no neighbour.
    seen = {name for name in t.people if papers.instrument(t.actor(name), paper.pk)}
    assert seen == {OFFICE, "林涛", "孙倩", "吴桐"}
    team = t.actor("吴桐")
    with pytest.raises(Refusal) as silent:
        instruments.answer(actor=team, at=days(2), instrument_id=paper.pk, words="当日责令")
    assert silent.value.code == "instrument.reason_missing"
    instruments.answer(actor=team, at=days(2), instrument_id=paper.pk, words="当日责令", reason="人手不足")
    assert papers.answers_of([paper.pk]) == {paper.pk: ("当日责令", "人手不足")}
    assert [one.pk for one in papers.about_each("clue", [row.pk])[row.pk]] == [paper.pk]
    assert "dependence" not in {kind for _, kind, _ in open_subjects(t)}
    # A second paper may press on; what explains it may close it; then it is closed.
    instruments.issue(
        actor=office, at=days(3), kind="interview", about=About(clue=row), to_body=t.bodies["望京执法队"],
        due_on=days(10).date(),
    )  # fmt: skip
    clues.settle(actor=office, at=days(4), clue_id=row.pk, reason="已补人手", source="答复")
    with pytest.raises(Refusal) as closed:
        issue("望京执法队")
    assert closed.value.code == "clue.dealt_with"
    assert [one.en for one in verify().findings if one.en.startswith("oversight")] == []


def test_a_clue_that_nobody_answered_goes_when_its_cases_have_left_the_span(unequal: Town) -> None:
    assert looked(unequal, 600) == clues.Looked(0, 4, 0)
    assert set(Clue.objects.values_list("state", flat=True)) == {"gone"}
    assert set(Obligation.objects.filter(kind="weigh_clue").values_list("state", flat=True)) == {"void"}
    row = queries.listed(unequal.actor(OFFICE), only="dealt").first()
    assert row is not None
    assert row.decided_by is None

"""Visits through their operations: who came decides what it is, what was found is on the ledger, nothing is changed later."""

from __future__ import annotations

from datetime import timedelta

import pytest

from anban.base.journal.models import Entry
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import act
from anban.contexts.inspections import queries
from anban.contexts.inspections.models import Answer, Finding, Visit, Visitor
from anban.contexts.inspections.operations import FindingRecord, VisitRecord, record_visit, review_on_site
from anban.kit.ids import new_id
from anban.rules.errors import Refusal
from anban.rules.hazard_lifecycle import Action
from tests.factories.inspections import party, seen
from tests.factories.town import AT, ON, Town, town

pytestmark = pytest.mark.django_db


def visit(t: Town, who: str, record: VisitRecord) -> Visit:
    return record_visit(actor=t.actor(who), at=AT, visit=record)


def test_two_certified_officers_make_a_check_and_the_hazard_is_to_be_rectified():
    t = town()
    made = visit(t, "孙倩", seen(t.place(), visitors=party(t, "吴桐"), task_number="EMC-1", lists=("RG",)))
    assert (made.kind, made.result, made.findings_count, made.task_number) == ("enforcement", "fail", 1, "EMC-1")
    hazard = Hazard.objects.get()
    assert (hazard.state, hazard.origin, hazard.origin_ref) == ("rectifying", "inspection", made.number)
    assert Finding.objects.get().hazard_id == hazard.pk
    assert sorted(Visitor.objects.values_list("certified", flat=True)) == [True, True]
    assert Answer.objects.get(code="RG07").value == "fail"
    assert Answer.objects.filter(value="unchecked").count() == Answer.objects.count() - 1 > 5
    verbs = [e.body for e in Entry.objects.filter(matter=f"place:{made.place_id.hex}")]
    assert sum('"verb":"visit.recorded"' in body and f"inspections_visit:{made.pk.hex}" in body for body in verbs) == 1


def test_one_without_a_certificate_patrols_and_what_is_found_waits_to_be_verified():
    t = town()
    made = visit(t, "王敏", seen(t.place()))
    assert made.kind == "patrol"
    assert Hazard.objects.get().state == "unverified"


def test_an_officer_alone_makes_no_check():
    t = town()
    place = t.place()
    assert visit(t, "孙倩", VisitRecord(place_id=place.pk)).kind == "guidance"
    with pytest.raises(Refusal) as refused:
        visit(t, "孙倩", VisitRecord(place_id=place.pk, kind="enforcement"))
    assert refused.value.code == "visit.kind_not_allowed"


def test_two_officers_without_the_power_in_this_class_only_report():
    t = town()
    place = t.place()
    made = visit(t, "孙倩", seen(place, code="RG10", fact="唯一出口被锁", visitors=party(t, "吴桐")))
    assert made.kind == "enforcement"
    assert Hazard.objects.get().state == "unverified"


@pytest.mark.parametrize(
    ("who", "wanted", "code"),
    [
        ("何静", "", "visit.committee_never_inspects"),
        ("林涛", "oversight", "visit.committee_never_inspects"),
        ("高远", "", "visit.not_allowed"),
    ],
)
def test_who_may_not_inspect_is_told_why_and_nothing_is_kept(who: str, wanted: str, code: str):
    t = town()
    place = t.place()
    with pytest.raises(Refusal) as refused:
        visit(t, who, VisitRecord(place_id=place.pk, kind=wanted))
    assert refused.value.code == code
    assert Visit.objects.count() == 0


def test_a_certificate_is_looked_up_not_believed():
    t = town()
    with pytest.raises(Refusal) as refused:
        visit(t, "孙倩", seen(t.place(), visitors=party(t, "王敏", certified=True)))
    assert refused.value.code == "visit.not_certified"
    assert "王敏" in refused.value.zh
    assert Hazard.objects.count() == 0


def test_the_same_visit_sent_twice_is_one():
    t = town()
    record = seen(t.place(), id=new_id())
    assert visit(t, "王敏", record).pk == visit(t, "王敏", record).pk
    assert (Visit.objects.count(), Hazard.objects.get().voices_count) == (1, 1)


def test_a_failed_item_needs_words_and_leaves_nothing_without():
    t = town()
    with pytest.raises(Refusal) as refused:
        visit(t, "王敏", VisitRecord(place_id=t.place().pk, answers={"RG07": "fail"}))
    assert refused.value.code == "visit.finding_missing"
    assert (Visit.objects.count(), Entry.objects.filter(body__contains="visit.recorded").count()) == (0, 0)


def test_answers_alone_pass_and_nothing_looked_at_proves_nothing():
    t = town()
    place = t.place()
    assert visit(t, "王敏", VisitRecord(place_id=place.pk, answers={"RG07": "pass"})).result == "pass"
    assert visit(t, "王敏", VisitRecord(place_id=place.pk, lists=("RG",))).result == "unknown"
    with pytest.raises(Refusal) as refused:
        visit(t, "王敏", VisitRecord(place_id=place.pk, answers={"ZZ99": "pass"}))
    assert refused.value.code == "visit.item_unknown"


def test_a_danger_seen_again_joins_and_two_of_one_code_are_one_finding():
    t = town()
    place = t.place()
    visit(t, "王敏", seen(place))
    twice = (FindingRecord(code="RG07", fact="断电"), FindingRecord(code="RG07", fact="还断电"))
    second = visit(t, "王敏", VisitRecord(place_id=place.pk, findings=twice))
    assert Hazard.objects.get().voices_count == 3
    assert Finding.objects.get(visit=second).times == 2


def test_a_re_inspection_on_site_closes_with_that_proof():
    t = town()
    visit(t, "孙倩", seen(t.place(), visitors=party(t, "吴桐")))
    hazard = Hazard.objects.get()
    act(
        actor=t.actor("孙倩"), at=AT, hazard_id=hazard.pk, action=Action.ORDER,
        given={"due_on": ON + timedelta(days=7), "basis": "条例", "measures": "更换"},
    )  # fmt: skip
    given = {"second_person": t.people["吴桐"].pk, "opinion": "已修好"}
    later = AT + timedelta(days=1)
    with pytest.raises(Refusal) as stale:
        review_on_site(
            actor=t.actor("孙倩"),
            at=later,
            hazard_id=hazard.pk,
            action=Action.REVIEW,
            verdict="passed",
            given=given,
            version=1,
        )
    assert stale.value.code == "hazard.changed_meanwhile"
    assert Visit.objects.filter(kind="review").count() == 0
    back = review_on_site(
        actor=t.actor("孙倩"),
        at=later,
        hazard_id=hazard.pk,
        action=Action.REVIEW,
        verdict="failed",
        given={**given, "opinion": "未修好"},
    )
    assert back.state == "rectifying"
    assert Finding.objects.filter(visit__kind="review", hazard=hazard).count() == 1
    closed = review_on_site(
        actor=t.actor("孙倩"), at=later, hazard_id=hazard.pk, action=Action.REVIEW, verdict="passed", given=given
    )
    assert (closed.state, closed.proof) == ("closed", "on_site")
    marks = queries.strip(t.actor("孙倩"), hazard.place_id, (later + timedelta(days=1)).date())
    assert [mark.kind for mark in marks] == ["found", "found", "closed"]
    with pytest.raises(Refusal) as refused:
        review_on_site(actor=t.actor("孙倩"), at=later, hazard_id=hazard.pk, action=Action.ORDER)
    assert refused.value.code == "visit.action_not_on_site"


@pytest.mark.parametrize("rows", [1, 3])
def test_lists_begin_at_the_scope_with_a_constant_number_of_queries(rows: int, django_assert_num_queries):
    t = town()
    here, there = t.place(), t.place("呼家楼面馆", area="呼家楼街道", manager=None)
    for _ in range(rows):
        visit(t, "王敏", VisitRecord(place_id=here.pk))
        visit(t, "郑洁", VisitRecord(place_id=there.pk))
    actor = t.actor("王敏")
    with django_assert_num_queries(2):
        shown, more = queries.page(actor, queries.Filters(), size=50)
    assert ({v.place_id for v in shown}, len(shown), more) == ({here.pk}, rows, None)
    assert queries.count(t.actor("何静"), queries.Filters()) == (2 * rows, True)
    assert queries.count(t.actor("高远"), queries.Filters()) == (0, True)
    assert len(queries.visits_of(t.actor("王敏"), there.pk)) == 0
    first, key = queries.page(t.actor("何静"), queries.Filters(), size=1)
    rest, _ = queries.page(t.actor("何静"), queries.Filters(), after=key, size=50)
    assert len({v.pk for v in [*first, *rest]}) == 2 * rows


def test_the_latest_day_comes_first_whenever_a_visit_was_entered_and_pages_give_each_once():
    t = town()
    place = t.place()
    for ago in (3, 40, 0, 3, 7):
        visit(t, "王敏", VisitRecord(place_id=place.pk, on=ON - timedelta(days=ago)))
    actor, seen_days, after = t.actor("王敏"), [], None
    while True:
        rows, after = queries.page(actor, queries.Filters(), after=after, size=2)
        seen_days += [(ON - row.on).days for row in rows]
        if after is None:
            break
    assert seen_days == [0, 3, 3, 7, 40]
    assert queries.page(actor, queries.Filters(), after=new_id()) == ([], None)

"""What time does: terms run out, breaches stay, ladders are climbed once, also after an outage."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from anban.base.journal.models import Entry
from anban.base.journal.verification import verify
from anban.base.notices.models import Notice
from anban.contexts.hazards.figures import board_of
from anban.contexts.hazards.jobs import clocks, sum_up
from anban.contexts.hazards.models import Hazard, Tally
from anban.contexts.hazards.operations import Sighting, act, enter, pause_ladder
from anban.contexts.hazards.queries import Filters, count
from anban.contexts.obligations.models import EscalationStep, Obligation, Pause
from anban.rules.errors import Refusal
from anban.rules.hazard_lifecycle import Action
from tests.factories.town import AT, ON, Town, town

pytestmark = pytest.mark.django_db


@dataclass
class Watching:
    """A handle that remembers nothing but its root."""

    root: str
    args: dict[str, Any] = field(default_factory=dict)
    asked_by: object = None

    def progress(self, done: int, total: int = 0, stage: str = "") -> None:
        """Do nothing: nobody watches."""


def ordered(t: Town, days: int = 3) -> Hazard:
    hazard = enter(
        actor=t.actor("王敏"), at=AT, sighting=Sighting(place_id=t.place().pk, code="RG07", fact="报警器断电")
    ).hazard
    act(
        actor=t.actor("王敏"),
        at=AT,
        hazard_id=hazard.pk,
        action=Action.VERIFY,
        verdict="founded",
        given={"reason": "属实"},
    )
    return act(
        actor=t.actor("孙倩"),
        at=AT,
        hazard_id=hazard.pk,
        action=Action.ORDER,
        given={"due_on": ON + timedelta(days=days), "basis": "b", "measures": "m"},
    )


def test_a_term_that_ran_out_goes_to_reinspection_and_the_breach_stays():
    t = town()
    hazard = ordered(t)
    due = Hazard.objects.get(pk=hazard.pk).due_at
    before = clocks(datetime(2026, 3, 5, 15, 0, tzinfo=UTC), Watching("town"))
    assert before["expired"] == 0
    after = clocks(datetime(2026, 3, 5, 17, 0, tzinfo=UTC), Watching("town"))
    assert after["expired"] == 1
    hazard.refresh_from_db()
    assert hazard.state == "awaiting_review"
    rectify = Obligation.objects.get(matter_id=hazard.pk, kind="rectify")
    assert (rectify.state, rectify.breached_at) == ("done", due)


def test_an_overdue_review_climbs_each_step_once_and_catches_up_after_an_outage():
    t = town()
    hazard = ordered(t)
    clocks(datetime(2026, 3, 6, 0, 0, tzinfo=UTC), Watching("town"))
    late = datetime(2026, 5, 10, 0, 0, tzinfo=UTC)
    first = clocks(late, Watching("town"))
    assert first["steps"] >= 3
    steps = list(
        EscalationStep.objects.filter(obligation__matter_id=hazard.pk, obligation__kind="review")
        .order_by("id")
        .values_list("step", flat=True)
    )
    assert steps[0] == "propose_case"
    notices = Notice.objects.count()
    again = clocks(late, Watching("town"))
    assert again == {"expired": 0, "returned": 0, "breached": 0, "steps": 0, "firm": 0}
    assert Notice.objects.count() == notices
    assert Obligation.objects.filter(matter_id=hazard.pk, kind="propose_case", state="open").count() == 1


def test_a_general_hazard_overdue_once_stays_inside_the_house_and_a_major_one_climbs():
    t = town()
    general = ordered(t)
    clocks(datetime(2026, 6, 30, 0, 0, tzinfo=UTC), Watching("town"))
    outside = EscalationStep.objects.filter(obligation__matter_id=general.pk, step__contains="office").exclude(
        step__contains="street"
    )
    assert not outside.exists()


def test_the_tally_counts_what_the_list_counts():
    t = town()
    ordered(t)
    at = datetime(2026, 3, 20, tzinfo=UTC)
    sum_up(at, Watching("town"))
    city = t.actor("林涛")
    found = board_of(city, at=at)
    assert (found.made_at, found.source) == (at, "roll_up")
    for code, figures in found.by_overview().items():
        assert figures.open == count(city, Filters(overview=code, open_only=True), at=at).number
        assert figures.overdue == count(city, Filters(overview=code, due="overdue"), at=at).number
    assert found.total.open == 1
    assert board_of(t.actor("高远"), at=at).cells == {}
    # The street as a whole, and its one class and kind.
    assert sorted(Tally.objects.values_list("whole", "open")) == [(False, 1), (True, 1)]


def test_entries_of_a_job_name_the_job():
    t = town()
    hazard = ordered(t)
    clocks(datetime(2026, 3, 6, 0, 0, tzinfo=UTC), Watching("town"))
    last = Entry.objects.filter(matter=f"hazard:{hazard.pk.hex}", body__contains="hazard.term_expired").get()
    assert '"actor":"job:hazards.clocks"' in last.body


def test_what_time_did_verifies():
    t = town()
    ordered(t)
    clocks(datetime(2026, 3, 6, 0, 0, tzinfo=UTC), Watching("town"))
    clocks(datetime(2026, 5, 10, 0, 0, tzinfo=UTC), Watching("town"))
    assert Obligation.objects.filter(breached_at__isnull=False).exists()
    assert [finding.en for finding in verify().findings] == []


def steps_of(hazard: Hazard) -> list[tuple[str, str, datetime]]:
    return sorted(
        EscalationStep.objects.filter(obligation__matter_id=hazard.pk).values_list("obligation__kind", "step", "due_at")
    )


def expired(t: Town) -> Hazard:
    """An ordered hazard whose term ran out in time, with the worker on."""
    hazard = ordered(t)
    clocks(datetime(2026, 3, 5, 17, 0, tzinfo=UTC), Watching("town"))
    return hazard


def reviewed(t: Town, hazard: Hazard, at: datetime) -> None:
    given = {"second_person": t.people["吴桐"].pk, "opinion": "已修好"}
    act(actor=t.actor("孙倩"), at=at, hazard_id=hazard.pk, action=Action.REVIEW, verdict="passed", given=given)


def test_ladders_after_an_outage_stand_as_if_there_had_been_none():
    """The worker is down while a hazard is closed late: the steps of the days before are taken all the same, once."""
    looks, closed_at = [20, 24, 30, 41], AT + timedelta(days=31)
    stands = []
    for name, worker in (("steady", looks), ("down", [])):
        t = town(name)
        hazard = ordered(t)
        clocks(datetime(2026, 3, 5, 17, 0, tzinfo=UTC), Watching(name))
        for day in worker:
            if day < 31:
                clocks(AT + timedelta(days=day), Watching(name))
        reviewed(t, hazard, closed_at)
        clocks(AT + timedelta(days=41), Watching(name))
        stands.append(steps_of(hazard))
        assert Obligation.objects.filter(matter_id=hazard.pk, breached_at__isnull=False).count() >= 2
    assert stands[0] == stands[1]
    assert len(stands[0]) >= 3


def test_an_overdue_general_hazard_first_means_a_case_proposed_once_by_the_ordering_body():
    t = town()
    hazard = expired(t)
    asked = Obligation.objects.get(matter_id=hazard.pk, kind="propose_case")
    assert asked.person == t.people["孙倩"]
    assert asked.due_at is not None
    assert asked.due_at.date() == datetime(2026, 3, 9, tzinfo=UTC).date()  # a Friday ran out, a Monday is next
    clocks(AT + timedelta(days=40), Watching("town"))
    assert Obligation.objects.filter(matter_id=hazard.pk, kind="propose_case").count() == 1


def test_a_pause_is_granted_one_level_up_once_and_the_breach_still_counts():
    t = town()
    hazard = expired(t)
    review = Obligation.objects.get(matter_id=hazard.pk, kind="review")
    late = review.due_at + timedelta(days=1)
    t.hold("队长", "望京执法队", "district_regulator_head", "望京街道")
    words = {"until_on": (late + timedelta(days=9)).date(), "reason": "设备待货"}
    with pytest.raises(Refusal) as no:
        pause_ladder(actor=t.actor("孙倩"), at=late, obligation_id=review.pk, **words)
    assert no.value.code == "obligation.pause_not_allowed"
    with pytest.raises(Refusal) as long:
        pause_ladder(
            actor=t.actor("队长"),
            at=late,
            obligation_id=review.pk,
            until_on=late.date() + timedelta(days=30),
            reason="x",
        )
    assert long.value.code == "obligation.pause_refused"
    made = pause_ladder(actor=t.actor("队长"), at=late, obligation_id=review.pk, **words)
    assert made.step == "sector.bureau_deputy"
    with pytest.raises(Refusal) as twice:
        pause_ladder(actor=t.actor("队长"), at=late, obligation_id=review.pk, **words)
    assert twice.value.code == "obligation.pause_refused"
    clocks(made.until_at - timedelta(hours=1), Watching("town"))
    assert ("review", "sector.bureau_deputy") not in {(kind, step) for kind, step, _ in steps_of(hazard)}
    review.refresh_from_db()
    assert review.breached_at == review.due_at
    clocks(made.until_at + timedelta(hours=1), Watching("town"))
    assert {"sector.bureau_deputy", "sector.bureau_head"} <= {
        step for kind, step, _ in steps_of(hazard) if kind == "review"
    }
    assert Pause.objects.count() == 1
    assert Entry.objects.filter(body__contains="obligation.step_paused").exists()
    assert [finding.en for finding in verify().findings] == []

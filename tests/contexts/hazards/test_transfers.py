"""Whatever bodies do with a matter sent to them, it is never lost: somebody holds it, and somebody owes the next thing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from anban.base.journal.models import Entry
from anban.base.journal.verification import verify
from anban.contexts.hazards.jobs import clocks
from anban.contexts.hazards.ladders import next_look
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import Sighting, act, enter
from anban.contexts.obligations.models import Obligation
from anban.contexts.responsibility.models import JointMatter
from anban.contexts.responsibility.operations import answer
from anban.rules.errors import Refusal
from anban.rules.hazard_lifecycle import Action
from tests.contexts.hazards.test_jobs import Watching
from tests.factories.town import AT, Town, town

pytestmark = pytest.mark.django_db
CITY: Town
BODIES = ("朝阳消防", "朝阳商务局", "朝阳城管委")
OFFICERS = {"朝阳消防": "钱进", "朝阳商务局": "周航", "朝阳城管委": "赵磊"}


class Transfers(RuleBasedStateMachine):
    """A street sends a hazard about; bodies sign, send back, wait; after a second return the office names one."""

    def __init__(self) -> None:
        super().__init__()
        self.at = AT
        sighting = Sighting(place_id=PLACE, code="RG10", fact=f"后门上锁 {Hazard.objects.count()}", part=f"第{Hazard.objects.count()}处", inspected=True)  # fmt: skip
        self.hazard = enter(actor=CITY.actor("王敏"), at=AT, sighting=sighting).hazard

    def _try(self, name, action, given):
        self.at += timedelta(hours=1)
        try:
            act(actor=CITY.actor(name), at=self.at, hazard_id=self.hazard.pk, action=action, given=given)
        except Refusal:
            return

    @rule(who=st.sampled_from(("王敏", "刘洋", "周航", "赵磊")), body=st.sampled_from(BODIES))
    def is_sent(self, who, body):
        self._try(who, Action.TRANSFER, {"body": CITY.bodies[body].pk, "reason": "无权责令"})

    @rule(body=st.sampled_from(BODIES))
    def is_signed_for(self, body):
        self._try(OFFICERS[body], Action.RECEIVE, {})

    @rule(body=st.sampled_from(BODIES))
    def is_sent_back(self, body):
        self._try(OFFICERS[body], Action.SEND_BACK, {"clause": "三定", "reason": "不属本局"})

    @rule(body=st.sampled_from(BODIES))
    def is_assigned(self, body):
        self._try("何静", Action.ASSIGN, {"body": CITY.bodies[body].pk, "reason": "业务相近"})

    @rule(days=st.integers(1, 9))
    def days_pass(self, days):
        self.at += timedelta(days=days)

    @rule()
    def the_clock_runs(self):
        """After whatever outage the days before made; a second run at the same slot finds nothing to return."""
        self.at += timedelta(hours=1)
        before = Hazard.objects.get(pk=self.hazard.pk)
        late = Obligation.objects.filter(matter_id=before.pk, kind="receive", state="open", due_at__lt=self.at).exists()
        clocks(self.at, Watching("town"))
        after = Hazard.objects.get(pk=self.hazard.pk)
        comes_back = late and not before.designated
        assert after.times_returned == before.times_returned + comes_back
        assert after.holder_id == before.holder_id
        assert (after.state == "awaiting_receipt") == (before.state == "awaiting_receipt" and not comes_back)
        assert clocks(self.at, Watching("town"))["returned"] == 0
        if comes_back:
            kind, person = (
                ("returned", after.holder) if after.times_returned == 1 else ("designate", CITY.people["何静"])
            )
            assert Obligation.objects.get(matter_id=after.pk, kind=kind, state="open").person == person

    @invariant()
    def somebody_holds_it_and_somebody_owes_the_next_thing(self):
        row = Hazard.objects.get(pk=self.hazard.pk)
        owed = Obligation.objects.filter(matter_id=row.pk, state="open")
        assert row.is_open
        assert row.holder_id is not None
        assert owed.exists()
        if row.state == "awaiting_receipt":
            receive = owed.get(kind="receive")
            assert receive.body_id == row.sent_to_body_id
        if row.times_returned >= 2 and not row.designated and row.state != "awaiting_receipt":
            assert owed.filter(kind="designate", person=CITY.people["何静"]).exists()


def test_no_sequence_of_transfers_loses_a_matter(soak):
    global CITY, PLACE
    CITY = town()
    PLACE = CITY.place().pk
    run_state_machine_as_test(
        Transfers,
        settings=settings(
            max_examples=200 if soak else 12,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_what_nobody_signs_for_comes_back_once_and_the_second_time_goes_to_the_office():
    t = town()
    seen = Sighting(place_id=t.place().pk, code="RG10", fact="后门上锁", inspected=True)
    hazard = enter(actor=t.actor("王敏"), at=AT, sighting=seen).hazard
    to = {"body": t.bodies["朝阳消防"].pk, "reason": "无权责令"}
    act(actor=t.actor("王敏"), at=AT, hazard_id=hazard.pk, action=Action.TRANSFER, given=to)
    receive = Obligation.objects.get(matter_id=hazard.pk, kind="receive")
    assert clocks(receive.due_at, Watching("town"))["returned"] == 0
    later = receive.due_at + timedelta(days=20)  # the worker was down
    assert clocks(later, Watching("town"))["returned"] == 1
    hazard.refresh_from_db()
    receive.refresh_from_db()
    assert (hazard.state, hazard.sent_to_body_id, hazard.times_returned) == ("rectifying", None, 1)
    assert (receive.state, receive.breached_at) == ("void", receive.due_at)
    returned = Obligation.objects.get(matter_id=hazard.pk, kind="returned", state="open")
    assert (returned.person, hazard.holder) == (t.people["王敏"], t.people["王敏"])
    entry = Entry.objects.get(matter=f"hazard:{hazard.pk.hex}", body__contains="hazard.returned_unsigned")
    assert '"actor":"job:hazards.clocks"' in entry.body
    act(actor=t.actor("王敏"), at=later, hazard_id=hazard.pk, action=Action.TRANSFER, given=to)
    again = Obligation.objects.get(matter_id=hazard.pk, kind="receive", state="open").due_at + timedelta(hours=1)
    assert clocks(again, Watching("town"))["returned"] == 1
    designate = Obligation.objects.get(matter_id=hazard.pk, kind="designate", state="open")
    assert designate.person == t.people["何静"]
    assert not Obligation.objects.filter(matter_id=hazard.pk, kind="returned", state="open").exists()
    assert [finding.en for finding in verify().findings] == []


def test_what_the_office_assigned_does_not_come_back_by_the_clock():
    t = town()
    seen = Sighting(place_id=t.place().pk, code="RG10", fact="后门上锁", inspected=True)
    hazard = enter(actor=t.actor("王敏"), at=AT, sighting=seen).hazard
    to = {"body": t.bodies["朝阳消防"].pk, "reason": "业务相近"}
    act(actor=t.actor("何静"), at=AT, hazard_id=hazard.pk, action=Action.ASSIGN, given=to)
    done = clocks(AT + timedelta(days=9), Watching("town"))
    hazard.refresh_from_db()
    assert (done["returned"], done["breached"] > 0, hazard.state) == (0, True, "awaiting_receipt")


def test_a_whistle_from_a_hazard_calls_each_body_and_ends_with_it():
    t = town()
    hazard = enter(actor=t.actor("王敏"), at=AT, sighting=Sighting(place_id=t.place().pk, code="RG10", fact="后门上锁", inspected=True)).hazard  # fmt: skip
    before = Obligation.objects.filter(state="open").count()
    act(
        actor=t.actor("刘洋"), at=AT, hazard_id=hazard.pk, action=Action.WHISTLE,
        given={"bodies": [t.bodies["朝阳消防"].pk, t.bodies["朝阳商务局"].pk], "reason": "请到场"},
    )  # fmt: skip
    made = JointMatter.objects.get(matter_id=hazard.pk)
    assert (made.kind, made.caller) == ("whistle", t.bodies["望京平安办"])
    assert Obligation.objects.filter(kind="arrive", state="open").count() == 2
    part = made.parts.get(body=t.bodies["朝阳商务局"])
    answer(actor=t.actor("周航"), at=AT, part_id=part.pk, words="已到场")
    assert Obligation.objects.filter(state="open").count() == before + 1
    act(actor=t.actor("王敏"), at=AT, hazard_id=hazard.pk, action=Action.FIX_ON_SPOT, given={"photo_after": [t.photo(hazard).pk], "photo_before": [t.photo(hazard, "red").pk]})  # fmt: skip
    hazard.refresh_from_db()
    made.refresh_from_db()
    assert not hazard.is_open
    assert made.closed_at is not None
    assert not Obligation.objects.filter(state="open", matter_id=hazard.pk).exists()


Told = tuple[str, str, Action, dict[str, object], float]
DOINGS: dict[str, Told] = {
    "sent": ("send", "王敏", Action.TRANSFER, {"body": "朝阳消防", "reason": "无权责令"}, 2),
    "sent elsewhere": ("send", "王敏", Action.TRANSFER, {"body": "朝阳城管委", "reason": "无权责令"}, 5),
    "signed": ("sign", "钱进", Action.RECEIVE, {}, 3),
    "signed elsewhere": ("sign", "赵磊", Action.RECEIVE, {}, 3),
    "sent back": ("back", "钱进", Action.SEND_BACK, {"clause": "三定", "reason": "不属本局"}, 4),
    "assigned": ("name", "何静", Action.ASSIGN, {"body": "朝阳消防", "reason": "业务相近"}, 6),
}


def lived(name: str, doings: list[tuple[str, int]], *, worker: bool) -> tuple[object, ...]:
    """Let a hazard be sent about, with the worker on every hour that matters or down to the end; return how it stands."""
    t = town(name)
    seen = Sighting(place_id=t.place().pk, code="RG10", fact="后门上锁", inspected=True)
    hazard = enter(actor=t.actor("王敏"), at=AT, sighting=seen).hazard
    at = AT
    answers = []
    for doing, days in doings:
        _, who, action, given, hours = DOINGS[doing]
        then = at + timedelta(days=days, hours=hours, minutes=20)
        if worker:
            for due in Obligation.objects.filter(matter_id=hazard.pk, kind="receive", state="open", due_at__lt=then).values_list("due_at", flat=True):  # fmt: skip
                clocks(next_look(due), Watching(name))
        at = then
        facts = {key: t.bodies[str(value)].pk if key == "body" else value for key, value in given.items()}
        try:
            act(actor=t.actor(who), at=at, hazard_id=hazard.pk, action=action, given=facts)
            answers.append("done")
        except Refusal:
            answers.append("refused")
    clocks(at + timedelta(days=30), Watching(name))
    row = Hazard.objects.get(pk=hazard.pk)
    owed = Obligation.objects.filter(matter_id=row.pk).exclude(kind__in=("order", "propose_case"))
    return (
        answers, row.state, row.times_returned, row.designated, row.holder.name, row.sent_to_body and row.sent_to_body.name,
        sorted((one.kind, one.person.name, one.state) for one in owed),
    )  # fmt: skip


def test_a_late_signature_after_an_outage_finds_what_it_had_found_without_one(soak):
    doing = st.tuples(st.sampled_from(sorted(DOINGS)), st.integers(0, 6))
    numbers = iter(range(10_000))

    @settings(max_examples=150 if soak else 8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @example([("sent", 0), ("signed", 5)])
    @example([("sent", 0), ("sent back", 6), ("sent elsewhere", 0), ("signed elsewhere", 6), ("assigned", 1)])
    @given(st.lists(doing, min_size=2, max_size=5))
    def holds(doings: list[tuple[str, int]]) -> None:
        number = next(numbers)
        assert lived(f"down{number}", doings, worker=False) == lived(f"steady{number}", doings, worker=True)

    holds()

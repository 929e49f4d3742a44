"""The two ladders of a hazard (块、条): which steps are due now, taken once each, and what holds one back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.module_loading import autodiscover_modules

from anban.base.journal.births import open_births
from anban.base.journal.operations import unit
from anban.base.people.actor import Actor, job_actor
from anban.contexts.hazards.models import Hazard
from anban.contexts.obligations.models import Obligation, Pause
from anban.contexts.obligations.operations import note_breach, pause_step, take_step
from anban.contexts.obligations.queries import (
    overdue_of_matter,
    pauses_of,
    pauses_of_matter,
    steps_of_matter,
    steps_taken,
)
from anban.contexts.territory.queries import RungHolders, rung_holders
from anban.kit.clock import day_end
from anban.rules import escalation
from anban.rules.errors import Refusal
from anban.rules.escalation import PROPOSE_CASE, Delay, Ladder, Rung
from anban.rules.hazard_lifecycle import Grade, State, Track

if TYPE_CHECKING:
    from anban.contexts.hazards.operations import Desk

JOB = "hazards.clocks"
Propose = Callable[[Actor, datetime, UUID], None]
AtStep = Callable[[Actor, datetime, UUID], object]
_at_step: Final[list[AtStep]] = []


def at_step(react: AtStep) -> None:
    """Name what a context above does in the transaction of each step taken, given the step's id (督办文书).

    Its module ``reactions`` calls this once; those modules are looked through at the first climb. In a unit that tells whole
    lives nothing is called: what was issued then is told by whoever tells them.
    """
    _at_step.append(react)


def _reactions() -> list[AtStep]:
    if open_births.get() is not None:
        return []
    autodiscover_modules("reactions")
    return _at_step


@dataclass(frozen=True, slots=True)
class Climb:
    """What climbing needs, loaded once for many obligations."""

    desk: Desk
    holders: RungHolders
    taken: Mapping[UUID, frozenset[str]]
    pauses: Mapping[UUID, tuple[escalation.Pause, ...]]


def delay_of(row: Obligation, hazard: Hazard) -> Delay:
    """Return what the ladders ask about an overdue obligation of a hazard."""
    return Delay(
        grade=Grade(hazard.grade),
        ordered=hazard.track == "ordered" and row.kind in {"rectify", "review", "name_person"},
        rebound_count=hazard.rebound_no,
        overdue_count=1 + hazard.extended,
        send_back_count=hazard.times_returned,
    )


def climb(actor: Actor, at: datetime, row: Obligation, hazard: Hazard, with_: Climb, propose: Propose) -> int:
    """Take the steps of one overdue obligation that are due at ``at`` and were not taken; returns how many."""
    made = 0
    assert row.due_at is not None  # noqa: S101 - overdue rows have a due instant
    for step in escalation.steps_due(
        Ladder(row.ladder),
        delay_of(row, hazard),
        due_at=row.due_at,
        now=at,
        taken=with_.taken.get(row.pk, frozenset()),
        calendar=with_.desk.calendar,
        zone=ZoneInfo(actor.zone),
        on=with_.desk.on,
        overrides=with_.desk.overrides,
        pauses=with_.pauses.get(row.pk, ()),
    ):
        told = with_.holders.of(step.rung.name, row.area_path, row.body_id) if step.rung else None
        text = f"{step.zh}：{row.title}（{hazard.number}）"
        text_en = f"{step.en}: {row.title} ({hazard.number})"
        with unit(savepoint=False):
            taken = take_step(
                actor=actor,
                at=at,
                obligation=row,
                step=step.id,
                since=step.since,
                told=told,
                text=text,
                text_en=text_en,
            )
            if taken is None:
                continue
            made += 1
            if step.id == PROPOSE_CASE:
                propose(actor, at, hazard.pk)
            for react in _reactions():
                react(actor, at, taken.pk)
    return made


def next_look(due_at: datetime) -> datetime:
    """Return when the clocks' job first looks after an instant: it looks on every hour."""
    return due_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def runs_out(row: Obligation, hazard: Hazard) -> bool:
    """Tell whether an overdue obligation is the term itself: the job ends it by sending the hazard to re-inspection."""
    rectifying = hazard.state == State.RECTIFYING.value and hazard.track != Track.SELF_CHECK.value
    return rectifying and row.due_at == hazard.due_at


def catch_up(actor: Actor, at: datetime, hazard: Hazard, desk: Desk, propose: Propose) -> int:
    """Take the steps that were due before a hazard changes.

    Whatever changes it next (a close, another grade, an extension) finds the same steps taken, whether the worker ran all
    the while or not: after any outage the ladders stand as if there had been none.
    """
    rows = [row for row in overdue_of_matter(hazard.pk, at) if not runs_out(row, hazard)]
    if not rows:
        return 0
    pauses = pauses_of_matter(hazard.pk, [row.pk for row in rows])
    hand = job_actor(JOB, hazard.root, zone=actor.zone)
    taken = steps_of_matter(hazard.pk)
    with_ = Climb(desk, rung_holders(hazard.root, desk.on), taken, pauses)
    made = 0
    for row in rows:
        note_breach(actor=hand, at=at, obligation_id=row.pk)
        made += climb(hand, at, row, hazard, with_, propose)
    return made


def next_rung(row: Obligation, hazard: Hazard, desk: Desk) -> Rung | None:
    """Return the rung that would be told next about an obligation: what a pause holds back."""
    return escalation.next_step(
        Ladder(row.ladder),
        steps_taken([row.pk]).get(row.pk, frozenset()),
        send_back_count=hazard.times_returned,
        on=desk.on,
        overrides=desk.overrides,
    )


def grant_pause(
    *, actor: Actor, at: datetime, row: Obligation, hazard: Hazard, desk: Desk, until_on: date, reason: str
) -> Pause:
    """Hold the next step back until the end of a day, at most so many working days, once per step (暂缓督办).

    Raises: obligation.ended, obligation.pause_not_allowed, obligation.pause_refused.
    """
    rung = next_rung(row, hazard, desk)
    if rung is None:
        raise Refusal("obligation.pause_refused", why_zh="已无更高一级", why_en="there is no further step")
    before = any(each.step == f"{row.ladder}.{rung.name}" for each in pauses_of([row.pk]).get(row.pk, ()))
    said = escalation.pause_decision(
        from_on=desk.on, until_on=until_on, paused_before=before, calendar=desk.calendar, on=desk.on,
        overrides=desk.overrides,
    )  # fmt: skip
    if not said.allowed:
        first = said.reasons[0]
        raise Refusal("obligation.pause_refused", field="until_on", why_zh=first.zh, why_en=first.en)
    until_at = day_end(until_on, actor.zone) - timedelta(seconds=1)
    return pause_step(actor=actor, at=at, obligation_id=row.pk, rung=rung, until_at=until_at, reason=reason)

"""What time does to the ledger: terms run out, duties are breached, ladders are climbed, deadlines firm up, boards are summed."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from anban.base.jobs.registry import Handle, job
from anban.base.people.actor import Actor, job_actor
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import Desk, act, propose_case, refresh_due, tally
from anban.contexts.hazards.queries import provisional_hazards, run_out
from anban.contexts.obligations.models import Obligation
from anban.contexts.obligations.operations import note_breach, take_step
from anban.contexts.obligations.queries import overdue_open, steps_taken
from anban.contexts.territory.queries import RungHolders
from anban.contexts.territory.queries import root as root_of
from anban.rules import escalation
from anban.rules.escalation import PROPOSE_CASE, Delay, Ladder
from anban.rules.hazard_lifecycle import Action, Grade

BATCH = 500


@job("hazards.clocks", every=timedelta(hours=1), per_root=True)
def clocks(slot: datetime, handle: Handle) -> dict[str, int]:
    """Move terms that ran out to re-inspection, write down breaches, and climb the ladders: each step once.

    Everything is computed from due instants and from the steps already taken, so that one run after an outage does what
    the missed ones would have done, in order, and a second run at the same slot does nothing.
    """
    root = handle.root
    actor = job_actor("hazards.clocks", root, zone=root_of(root).zone)
    expired = _expire(actor, slot, handle)
    firm = sum(refresh_due(actor=actor, at=slot, hazard_id=pk) for pk in provisional_hazards(root))
    breached, climbed = _climb(actor, slot, handle)
    return {"expired": expired, "breached": breached, "steps": climbed, "firm": firm}


def _expire(actor: Actor, slot: datetime, handle: Handle) -> int:
    ids = list(run_out(actor.root, slot))
    for number, hazard_id in enumerate(ids, start=1):
        act(actor=actor, at=slot, hazard_id=hazard_id, action=Action.EXPIRE)
        handle.progress(number, len(ids), "期满转待复查")
    return len(ids)


def _climb(actor: Actor, slot: datetime, handle: Handle) -> tuple[int, int]:
    desk = Desk.of(actor, actor.root, slot)
    holders = RungHolders.load(actor.root, desk.on)
    breached = climbed = 0
    rows = list(overdue_open(actor.root, slot).select_related("body"))
    hazards = Hazard.objects.in_bulk({row.matter_id for row in rows if row.subject_kind == "hazard"})
    taken = steps_taken(row.pk for row in rows)
    for number, row in enumerate(rows, start=1):
        breached += note_breach(actor=actor, at=slot, obligation_id=row.pk)
        hazard = hazards.get(row.matter_id)
        if hazard is not None:
            climbed += _steps(actor, slot, row, hazard, desk, holders, taken.get(row.pk, frozenset()))
        handle.progress(number, len(rows), "督办")
    return breached, climbed


def _steps(
    actor: Actor,
    slot: datetime,
    row: Obligation,
    hazard: Hazard,
    desk: Desk,
    holders: RungHolders,
    taken: frozenset[str],
) -> int:
    delay = Delay(
        grade=Grade(hazard.grade),
        ordered=hazard.track == "ordered" and row.kind in {"rectify", "review", "name_person"},
        rebound_count=hazard.rebound_no,
        overdue_count=1 + hazard.extended,
        send_back_count=hazard.times_returned,
    )
    made = 0
    assert row.due_at is not None  # noqa: S101 - overdue rows have a due instant
    for step in escalation.steps_due(
        Ladder(row.ladder),
        delay,
        due_at=row.due_at,
        now=slot,
        taken=taken,
        calendar=desk.calendar,
        zone=ZoneInfo(actor.zone),
        on=desk.on,
        overrides=desk.overrides,
    ):
        told = holders.of(step.rung.name, row.area_path, row.body_id) if step.rung else None
        text = f"{step.zh}：{row.title}（{hazard.number}）"
        if take_step(actor=actor, at=slot, obligation=row, step=step.id, since=step.since, told=told, text=text):
            made += 1
            if step.id == PROPOSE_CASE:
                propose_case(actor=actor, at=slot, hazard_id=hazard.pk)
    return made


@job("hazards.tally", every=timedelta(minutes=10), per_root=True)
def sum_up(slot: datetime, handle: Handle) -> dict[str, int]:
    """Sum the ledger for the boards of one root; the boards show the time at which it was made."""
    actor = job_actor("hazards.tally", handle.root, zone=root_of(handle.root).zone)
    return {"rows": tally(actor=actor, at=slot)}

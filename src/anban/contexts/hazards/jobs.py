"""What time does to the ledger: terms run out, duties are breached, ladders are climbed, deadlines firm up, boards are summed."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from anban.base.jobs.registry import Handle, job
from anban.base.people.actor import Actor, job_actor
from anban.contexts.hazards.chains import ask, waiting
from anban.contexts.hazards.ladders import JOB, Climb, climb
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import Desk, act, expire, propose_case, refresh_due, tally
from anban.contexts.hazards.queries import provisional_hazards, run_out, unsigned
from anban.contexts.obligations.operations import note_breach
from anban.contexts.obligations.queries import overdue_open, pauses_of, steps_taken
from anban.contexts.responsibility.queries import link_templates
from anban.contexts.territory.queries import RungHolders
from anban.contexts.territory.queries import root as root_of
from anban.kit.remember import remembering
from anban.rules.hazard_lifecycle import Action

BATCH = 500


@job(JOB, every=timedelta(hours=1), per_root=True)
def clocks(slot: datetime, handle: Handle) -> dict[str, int]:
    """Move terms that ran out to re-inspection, return what nobody signed for, write down breaches, and climb the ladders: each step once.

    Everything is computed from due instants and from the steps already taken, so that one run after an outage does what
    the missed ones would have done, in order, and a second run at the same slot does nothing.
    """
    root = handle.root
    actor = job_actor(JOB, root, zone=root_of(root).zone)
    expired = _expire(actor, slot, handle)
    firm = sum(refresh_due(actor=actor, at=slot, hazard_id=pk) for pk in provisional_hazards(root))
    returned = _return(actor, slot, handle)
    breached, climbed = _climb(actor, slot, handle)
    return {"expired": expired, "returned": returned, "breached": breached, "steps": climbed, "firm": firm}


def _expire(actor: Actor, slot: datetime, handle: Handle) -> int:
    rows = list(run_out(actor.root, slot))
    for number, (hazard_id, due_at) in enumerate(rows, start=1):
        expire(actor=actor, at=slot, hazard_id=hazard_id, due_at=due_at or slot)
        handle.progress(number, len(rows), "期满转待复查")
    return len(rows)


def _return(actor: Actor, slot: datetime, handle: Handle) -> int:
    """Send what nobody signed for back to its sender; the breach stays with whoever had to sign."""
    ids = list(unsigned(actor.root, slot))
    for number, hazard_id in enumerate(ids, start=1):
        act(actor=actor, at=slot, hazard_id=hazard_id, action=Action.RETURN_UNSIGNED)
        handle.progress(number, len(ids), "逾期未签收退回")
    return len(ids)


def _climb(actor: Actor, slot: datetime, handle: Handle) -> tuple[int, int]:
    desk = Desk.of(actor, actor.root, slot)
    holders = RungHolders.load(actor.root, desk.on)
    breached = climbed = 0
    rows = list(overdue_open(actor.root, slot).select_related("body"))
    hazards = Hazard.objects.in_bulk({row.matter_id for row in rows if row.subject_kind == "hazard"})
    ids = [row.pk for row in rows]
    with_ = Climb(desk, holders, steps_taken(ids), pauses_of(ids))
    for number, row in enumerate(rows, start=1):
        breached += note_breach(actor=actor, at=slot, obligation_id=row.pk)
        hazard = hazards.get(row.matter_id)
        if hazard is not None:
            climbed += climb(actor, slot, row, hazard, with_, _propose)
        handle.progress(number, len(rows), "督办")
    return breached, climbed


def _propose(actor: Actor, at: datetime, hazard_id: UUID) -> None:
    propose_case(actor=actor, at=at, hazard_id=hazard_id)


@job("hazards.chains", every=timedelta(hours=1), per_root=True)
def chains(slot: datetime, handle: Handle) -> dict[str, int]:
    """Ask for the persons of links that were missed or that a changed table demands now: once each cycle, caught up after an outage.

    What a hazard demands is asked for when it is entered; this finds nothing to do on most days.
    """
    actor = job_actor("hazards.chains", handle.root, zone=root_of(handle.root).zone)
    desk = Desk.of(actor, handle.root, slot)
    templates = link_templates(handle.root, desk.settings)
    asked = 0
    with remembering():
        for number, hazard_id in enumerate(waiting(handle.root), start=1):
            asked += ask(actor=actor, at=slot, hazard_id=hazard_id, desk=desk, templates=templates)
            handle.progress(number, stage="落实责任环节")
    return {"asked": asked}


@job("hazards.tally", every=timedelta(minutes=10), per_root=True)
def sum_up(slot: datetime, handle: Handle) -> dict[str, int]:
    """Sum the ledger for the boards of one root; the boards show the time at which it was made."""
    actor = job_actor("hazards.tally", handle.root, zone=root_of(handle.root).zone)
    return {"rows": tally(actor=actor, at=slot)}

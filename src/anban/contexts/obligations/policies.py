"""Who may hand an obligation over, sign for it, and see it."""

from __future__ import annotations

from anban.base.people.actor import Actor
from anban.contexts.obligations.models import Obligation
from anban.contexts.territory.queries import BUREAU_RUNGS, RUNG_ROLES
from anban.rules.escalation import Rung

SUPERVISORS = (
    "street_safety_office",
    "street_deputy",
    "street_director",
    "district_committee_officer",
    "district_regulator_head",
    "city_committee_officer",
    "steward",
)


def can_hand_over(actor: Actor, obligation: Obligation) -> bool:
    """Tell whether the actor may hand the obligation over: whoever owes it, or who supervises its area."""
    if actor.system or obligation.person_id == actor.person_id:
        return True
    return actor.covers(obligation.area_path, roles=SUPERVISORS)


def can_pause(actor: Actor, obligation: Obligation, rung: Rung) -> bool:
    """Tell whether the actor stands on the rung that would be told next: one level up, and never whoever owes it."""
    if actor.person_id is None or obligation.person_id == actor.person_id:
        return False
    roles = RUNG_ROLES[rung.name]
    if not actor.covers(obligation.area_path, roles=roles):
        return False
    return rung.name not in BUREAU_RUNGS or obligation.body_id in actor.body_ids()

"""Who may hand an obligation over, sign for it, and see it."""

from __future__ import annotations

from anban.base.people.actor import Actor
from anban.contexts.obligations.models import Obligation

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

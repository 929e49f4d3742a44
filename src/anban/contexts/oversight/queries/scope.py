"""Which areas an actor oversees, by the roles that a subject asks for."""

from __future__ import annotations

from datetime import date

from django.db.models import Q

from anban.base.people.actor import Actor
from anban.contexts.territory.queries import settings_of, within
from anban.rules import law

COMMITTEE = ("district_committee_officer", "city_committee_officer")
"""The committee's offices (安委办), district and city."""

KEEPERS = (*COMMITTEE, "steward", "street_safety_office", "street_director", "district_regulator_head")
"""Who keeps duty lists: each for its own area or body."""

READERS = (*KEEPERS, "street_deputy", "leader_viewer")
LEADERS = (*COMMITTEE, "leader_viewer")


def covered(actor: Actor, roles: tuple[str, ...], column: str = "area_path") -> Q:
    """Return the predicate of the areas that the actor covers in one of the roles; nothing when it holds none of them."""
    # An empty Q would vanish in an OR: everything is said as such.
    everything = ~Q(pk__in=[])
    if actor.system:
        return everything
    seen = Q(pk__in=[])
    for grant in actor.grants:
        if grant.root != actor.root or grant.role not in roles or grant.place_id or grant.matter_id:
            continue
        if not grant.paths:
            return everything
        for path in grant.paths:
            seen |= within(path, column)
    return seen


def figure(actor: Actor, name: str, on: date) -> law.LawValue:
    """Return a figure of oversight as it stands on a day in the actor's root. Raises: LawGap."""
    known = set(law.overridable())
    overrides = {k: int(v) for k, v in settings_of(actor.root).items() if k in known}
    return law.value(f"oversight.{name}", on=on, overrides=overrides)

"""What an actor is to a hazard: the roles that the lifecycle table asks for, from posts, links and the firm's own place."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from anban.base.people.actor import Actor, Grant
from anban.contexts.hazards.models import Hazard
from anban.rules.hazard_lifecycle import Role

STREET_BODIES = frozenset({"street_office", "town_government", "street_safety_office", "street_enforcement"})

BY_POST: dict[str, frozenset[Role]] = {
    "safety_inspector": frozenset({Role.TERRITORY_OFFICER}),
    "street_safety_office": frozenset({Role.TERRITORY_OFFICER}),
    "street_deputy": frozenset({Role.TERRITORY_OFFICER}),
    "street_director": frozenset({Role.TERRITORY_OFFICER}),
    "community_contact": frozenset({Role.COMMUNITY_CONTACT}),
    "grid_worker": frozenset({Role.COMMUNITY_CONTACT}),
    "district_committee_officer": frozenset({Role.SUPERVISING_UNIT, Role.LISTING_BODY}),
    "city_committee_officer": frozenset({Role.SUPERVISING_UNIT, Role.LISTING_BODY}),
    "leader_viewer": frozenset({Role.CASE_LEADER, Role.LISTING_BODY}),
    "hotline_staff": frozenset({Role.FINDER}),
}
REGULATORS = frozenset({"district_regulator", "district_regulator_head"})
OFFICERS = frozenset({"certified_officer", *REGULATORS})


def roles_in(actor: Actor, hazard: Hazard, *, may_order: frozenset[str], linked: Iterable[str] = ()) -> frozenset[Role]:
    """Return the actor's roles towards a hazard.

    ``may_order`` are the body kinds that may order in the hazard's class; ``linked`` the roles in which the actor's person
    stands in the hazard's chain. Power comes from a post that covers the place; a link alone gives the firm's roles only.
    """
    roles: set[Role] = set()
    for grant in actor.grants:
        if grant.root == hazard.root:
            roles |= _by_grant(grant, hazard, may_order)
    if actor.person_id is not None and hazard.finder_id == actor.person_id:
        roles.add(Role.FINDER)
    named = {Role(r) for r in linked if r in Role._value2member_map_}
    roles |= named & {Role.LIABLE_PERSON, Role.LIABLE_UNIT, Role.CASE_LEADER, Role.COMMUNITY_CONTACT}
    if hazard.sent_to_body_id and hazard.sent_to_body_id in actor.body_ids():
        roles.add(Role.TERRITORY_OFFICER)
    return frozenset(roles)


def _by_grant(grant: Grant, hazard: Hazard, may_order: frozenset[str]) -> set[Role]:
    if grant.place_id is not None:
        return {Role.LIABLE_UNIT, Role.LIABLE_PERSON} if grant.place_id == hazard.place_id else set()
    if grant.paths and not any(hazard.area_path.startswith(p) for p in grant.paths):
        return set()
    roles: set[Role] = set(BY_POST.get(grant.role, ()))
    if grant.role not in OFFICERS:
        return roles
    in_class = not grant.sector or hazard.class_code in grant.classes
    in_kind = not grant.sector or hazard.place_kind in grant.kinds
    if not in_class and not in_kind:
        return set()
    if grant.role in REGULATORS:
        roles |= {Role.SPECIAL_OFFICER} if in_class else set()
        roles |= {Role.SECTOR_OFFICER} if in_kind else set()
        roles.add(Role.ACCEPTANCE_LEAD)
    if grant.body_kind in STREET_BODIES:
        roles.add(Role.TERRITORY_OFFICER)
    if grant.body_kind in may_order and in_class:
        roles |= {Role.ENFORCER, Role.REVIEWER} if _reviews(grant.body_id, hazard) else {Role.ENFORCER}
    return roles


def _reviews(body_id: UUID | None, hazard: Hazard) -> bool:
    """Whoever ordered re-inspects (谁责令、谁复查); before any order, whoever may order may look."""
    return hazard.ordering_body_id is None or hazard.ordering_body_id == body_id

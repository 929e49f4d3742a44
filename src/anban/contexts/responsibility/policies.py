"""Who settles boundaries, who answers for a body in a joint matter, who may call, and who rules on a refusal."""

from __future__ import annotations

from typing import Final

from anban.base.people.actor import Actor
from anban.contexts.obligations.queries import owed_by
from anban.contexts.responsibility.models import Boundary, JointPart
from anban.contexts.territory.models import Body
from anban.contexts.territory.queries import body_by_id
from anban.rules.errors import Refusal, register

register("net.not_allowed", zh="您的岗位不能查看监管责任。", en="Your post does not read the responsibility net.")

OFFICES: Final = ("district_committee_officer", "city_committee_officer")
READERS: Final = (
    "safety_inspector", "certified_officer", "street_safety_office", "street_deputy", "street_director", "district_committee_officer",
    "district_regulator", "district_regulator_head", "city_committee_officer", "leader_viewer", "hotline_staff", "duty_officer",
    "steward",
)  # fmt: skip
"""Who reads the net: every official from the street upward."""

CALLERS: Final = ("street_safety_office", "street_deputy", "street_director", "safety_inspector")
RULERS: Final = ("district_committee_officer", "city_committee_officer", "leader_viewer")


def require_may_read(actor: Actor) -> None:
    """Refuse to show the net to anybody but officials from the street upward. Raises: net.not_allowed."""
    if not (actor.system or actor.has(*READERS)):
        raise Refusal("net.not_allowed")


def can_settle(actor: Actor, boundary: Boundary) -> bool:
    """Tell whether the actor may assign and settle: the committee's office over its area, or whoever stands in for it."""
    if actor.system or actor.covers(boundary.area_path, roles=OFFICES):
        return True
    return owed_by(actor.person_key, boundary.pk, ("assign_boundary", "settle_boundary"))


def can_answer(actor: Actor, part: JointPart) -> bool:
    """Tell whether the actor speaks for the body that a part asks, or has been handed its duty."""
    if actor.system or part.body_id in actor.body_ids():
        return True
    matter = part.joint
    return owed_by(
        actor.person_key, matter.matter_id if matter.matter_kind == "hazard" else matter.pk, None, subject_id=part.pk
    )


def can_rule(actor: Actor, part: JointPart) -> bool:
    """Tell whether the actor rules on refusals in the area of a joint matter, or has been handed the ruling."""
    if actor.system or actor.covers(part.joint.area_path, roles=RULERS):
        return part.body_id not in actor.body_ids()
    matter = part.joint
    about = matter.matter_id if matter.matter_kind == "hazard" else matter.pk
    return owed_by(actor.person_key, about, ("rule_refusal",), subject_id=part.pk)


def calling_body(actor: Actor, area_path: str) -> Body | None:
    """Return the street's body in whose name the actor may call departments for an area, None when it may not."""
    for grant in actor.grants:
        if grant.root != actor.root or grant.role not in CALLERS or grant.body_id is None:
            continue
        if any(area_path.startswith(path) for path in grant.paths):
            return body_by_id(grant.body_id)
    return None

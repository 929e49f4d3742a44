"""Who may draw up an area's or sector's assessment, and who signs it."""

from __future__ import annotations

from typing import Final

from anban.base.people.actor import Actor
from anban.rules.errors import Refusal, register

register(
    "risk.not_allowed",
    zh="您的岗位不能起草这个地区的研判。",
    en="Your post may not draw up an assessment of this area.",
)
register("risk.signing_not_allowed", zh="您的岗位不能签发这份研判。", en="Your post may not sign this assessment.")

register(
    "risk.answering_not_allowed",
    zh="您的岗位不能处置这个地区的预警。",
    en="Your post may not answer a warning of this area.",
)

ANSWERERS: Final = ("street_safety_office", "district_committee_officer", "city_committee_officer", "duty_officer")
DRAWERS: Final = (
    "street_safety_office", "district_committee_officer", "district_regulator", "district_regulator_head",
    "city_committee_officer", "steward",
)  # fmt: skip
SIGNERS: Final = (
    "street_deputy",
    "street_director",
    "district_committee_officer",
    "district_regulator_head",
    "city_committee_officer",
)


def can_draw_up(actor: Actor, path: str) -> bool:
    """Tell whether the actor may draw up the assessment of an area."""
    return actor.covers(path, roles=DRAWERS)


def can_sign(actor: Actor, path: str) -> bool:
    """Tell whether the actor may sign, with its name, for an area."""
    return actor.person_id is not None and actor.covers(path, roles=SIGNERS)


def require_may_draw_up(actor: Actor, path: str) -> None:
    """Refuse whoever may not. Raises: risk.not_allowed."""
    if not can_draw_up(actor, path):
        raise Refusal("risk.not_allowed", field="area")


def require_may_sign(actor: Actor, path: str) -> None:
    """Refuse whoever may not. Raises: risk.signing_not_allowed."""
    if not can_sign(actor, path):
        raise Refusal("risk.signing_not_allowed")


def can_answer(actor: Actor, path: str) -> bool:
    """Tell whether the actor may say, with its name, what follows from a warning; for the whole city only who covers it."""
    return actor.person_id is not None and actor.covers(path, roles=ANSWERERS)


def require_may_answer(actor: Actor, path: str) -> None:
    """Refuse whoever may not. Raises: risk.answering_not_allowed."""
    if not can_answer(actor, path):
        raise Refusal("risk.answering_not_allowed")

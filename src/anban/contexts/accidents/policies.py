"""Who may put accidents on record."""

from __future__ import annotations

from anban.base.people.actor import Actor
from anban.rules.errors import Refusal, register

register(
    "accident.not_allowed",
    zh="您的岗位不能登记该区域的事故。",
    en="Your post may not record accidents in this area.",
)
RECORDERS = ("district_committee_officer", "city_committee_officer", "steward")


def require_may_record(actor: Actor, path: str) -> None:
    """Refuse when the actor may not record accidents in the area ``path``. Raises: accident.not_allowed."""
    if not (actor.system or actor.covers(path, roles=RECORDERS)):
        raise Refusal("accident.not_allowed")

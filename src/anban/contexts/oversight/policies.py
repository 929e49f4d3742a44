"""Who may keep duty lists, register instructions, press with papers, visit bodies, and see figures of a person."""

from __future__ import annotations

from anban.base.people.actor import Actor
from anban.contexts.oversight.models import Instrument, OversightFinding
from anban.contexts.oversight.queries.scope import COMMITTEE, KEEPERS
from anban.rules.errors import Refusal, register

register(
    "oversight.not_allowed",
    zh="这件事由安委办办理，您的岗位不能办。",
    en="This is done by the committee's office; your post may not do it.",
)
register(
    "oversight.not_addressee",
    zh="只有收文单位的人可以办理。",
    en="Only the body it is addressed to may do this.",
)


def can_keep_duties(actor: Actor, path: str) -> bool:
    """Tell whether the actor may change the duty lists of posts in the area ``path``."""
    return actor.system or actor.covers(path, roles=KEEPERS)


def can_oversee(actor: Actor, path: str) -> bool:
    """Tell whether the actor is the committee's office over the area ``path``."""
    return actor.system or actor.covers(path, roles=COMMITTEE)


def require(allowed: bool, code: str = "oversight.not_allowed") -> None:
    """Refuse where a policy said no. Raises: oversight.not_allowed, oversight.not_addressee."""
    if not allowed:
        raise Refusal(code)


def can_answer(actor: Actor, instrument: Instrument) -> bool:
    """Tell whether the actor may answer a paper: the person addressed, or a colleague of that body."""
    return actor.person_id == instrument.to_person_id or instrument.to_body_id in actor.body_ids()


def can_rectify(actor: Actor, finding: OversightFinding) -> bool:
    """Tell whether the actor may report a finding as rectified: the person named, or a colleague of that body."""
    return actor.person_id == finding.person_id or finding.body_id in actor.body_ids()

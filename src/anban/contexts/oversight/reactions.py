"""What oversight does in the transaction of a ladder's step: the step's paper."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from anban.base.people.actor import Actor
from anban.contexts.hazards.ladders import at_step
from anban.contexts.oversight.operations.instruments import issue_for_step


def _paper(actor: Actor, at: datetime, step_id: UUID) -> None:
    issue_for_step(actor=actor, at=at, step_id=step_id)


at_step(_paper)

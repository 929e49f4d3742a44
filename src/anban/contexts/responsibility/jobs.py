"""What time does to the net: each night it is looked over, for mandates begin and end, and places come and go."""

from __future__ import annotations

from datetime import datetime, timedelta

from anban.base.jobs.registry import Handle, job
from anban.base.people.actor import job_actor
from anban.contexts.responsibility.operations import look_over
from anban.contexts.territory.queries import root as root_of
from anban.kit.remember import remembering


@job("responsibility.net", every=timedelta(days=1), per_root=True)
def look(slot: datetime, handle: Handle) -> dict[str, int]:
    """Look over one root's net: new gaps and overlaps go on desks, those that are closed leave them."""
    actor = job_actor("responsibility.net", handle.root, zone=root_of(handle.root).zone)
    with remembering():
        found = look_over(actor=actor, at=slot)
    return {"found": found.found, "gone": found.gone, "standing": found.standing}

"""What time does to oversight: duties fall due, evidence is weighed, empty posts are seen, accidents get their case."""

from __future__ import annotations

from datetime import datetime, timedelta

from anban.base.jobs.registry import Handle, job
from anban.base.people.actor import job_actor
from anban.contexts.oversight.operations.clues import look_over
from anban.contexts.oversight.operations.duties import open_periods, watch_posts, weigh
from anban.contexts.oversight.operations.instructions import settle_closed
from anban.contexts.oversight.operations.instruments import issue_missing
from anban.contexts.oversight.operations.sanctions import open_for_accidents
from anban.contexts.oversight.queries.duties import open_due
from anban.contexts.territory.queries import root as root_of


@job("oversight.day", every=timedelta(days=1), offset=timedelta(hours=1), per_root=True)
def day(slot: datetime, handle: Handle) -> dict[str, int]:
    """Do a day's work of one root; a run after an outage makes what the missed ones would have made, a second run nothing."""
    actor = job_actor("oversight.day", handle.root, zone=root_of(handle.root).zone)
    owed = open_periods(actor=actor, at=slot)
    rows = list(open_due(actor.root).values_list("pk", flat=True))
    proven = 0
    for number, due_id in enumerate(rows, start=1):
        proven += weigh(actor=actor, at=slot, due_id=due_id)
        handle.progress(number, len(rows), "岗责")
    return {
        "owed": owed,
        "proven": proven,
        "posts": watch_posts(actor=actor, at=slot),
        "instructed": settle_closed(actor=actor, at=slot),
        "cases": open_for_accidents(actor=actor, at=slot),
        "papers": issue_missing(actor=actor, at=slot),
        "clues": look_over(actor=actor, at=slot).found,
    }

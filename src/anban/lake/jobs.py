"""The nightly assessment of each root, and the weekly training of its order."""

from __future__ import annotations

from datetime import datetime, timedelta

from anban.base.jobs.registry import Handle, job
from anban.base.people.actor import job_actor
from anban.contexts.risk.queries import assessments
from anban.contexts.territory.queries import city_date
from anban.contexts.territory.queries import root as root_of
from anban.lake.assessing import assess, is_due_for_training, the_lake, train
from anban.lake.snapshot import newest
from anban.lake.watching import watch
from anban.rules.errors import Refusal


@job("lake.train", every=timedelta(days=1), offset=timedelta(hours=1), per_root=True, lane="long")
def weekly(slot: datetime, handle: Handle) -> dict[str, int]:
    """Train the root's order an hour before the pass, where there is none yet or the last one is a week old."""
    actor = job_actor("lake.train", handle.root, zone=root_of(handle.root).zone)
    day = city_date(slot, handle.root)
    if not is_due_for_training(handle.root, day):
        return {"rows": 0}
    try:
        made = train(actor=actor, at=slot, as_of=day, progress=lambda stage, n, of: handle.progress(n, of, stage))
    except Refusal as refusal:
        if refusal.code != "lake.nothing_to_assess":
            raise
        made = None
    return {"rows": made.card["training"]["rows"] if made else 0}


@job("lake.assess", every=timedelta(days=1), offset=timedelta(hours=2), per_root=True, lane="long")
def nightly(slot: datetime, handle: Handle) -> dict[str, int]:
    """Assess the root for the day of the slot; what is there already is not made again."""
    actor = job_actor("lake.assess", handle.root, zone=root_of(handle.root).zone)
    day = city_date(slot, handle.root)
    done = {"places": 0}
    snapshot = newest(the_lake())
    if not assessments(actor).filter(as_of=day, made_at=slot).exists():
        try:
            made = assess(actor=actor, at=slot, as_of=day, progress=lambda stage, n, of: handle.progress(n, of, stage))
        except Refusal as refusal:
            # A root in which nothing is registered yet is no failure of the night.
            if refusal.code != "lake.nothing_to_assess":
                raise
        else:
            done = {"places": made.assessment.places, "position": made.assessment.position}
            snapshot = made.snapshot
    looked = watch(actor=actor, at=slot, as_of=day, snapshot=snapshot)
    return {**done, "events": looked.events}

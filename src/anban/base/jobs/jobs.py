"""Housekeeping by night: jobs that ended well long ago are taken off, and the database's statistics are made anew."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from anban.base import statistics
from anban.base.jobs.models import Job
from anban.base.jobs.registry import Handle, job

KEPT = timedelta(days=30)


@job("jobs.tidy", every=timedelta(days=1), offset=timedelta(hours=3))
def tidy(slot: datetime, handle: Handle) -> dict[str, int]:
    """Remove rows that ended well more than 30 days ago; each job keeps its newest slot, from which missed ones are counted."""
    del handle
    newer = Job.objects.filter(name=OuterRef("name"), root=OuterRef("root"), planned=True, slot__gt=OuterRef("slot"))
    old = Job.objects.filter(state=Job.State.DONE, finished_at__lt=slot - KEPT)
    removed = old.filter(planned=False).delete()[0] + old.filter(Exists(newer), planned=True).delete()[0]
    return {"removed": removed}


@job("jobs.statistics", every=timedelta(days=1), offset=timedelta(hours=3, minutes=30))
def count_anew(slot: datetime, handle: Handle) -> dict[str, int]:
    """Refresh what the database knows of its tables."""
    del slot, handle
    return {"done": int(statistics.refresh())}

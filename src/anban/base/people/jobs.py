"""Housekeeping of sign-in: tries older than a day and sessions that ran out are removed."""

from __future__ import annotations

from datetime import datetime, timedelta

from anban.base.jobs.registry import Handle, job
from anban.base.people.backend import forget_old_attempts


@job("people.forget_attempts", every=timedelta(minutes=10))
def forget_attempts(slot: datetime, handle: Handle) -> dict[str, int]:
    """Remove what signing in leaves behind; it also shows every ten minutes that the worker lives."""
    del handle
    return {"removed": forget_old_attempts(at=slot)}

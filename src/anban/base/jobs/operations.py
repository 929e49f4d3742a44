"""Writes of background work: asking for it, and asking again for what failed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from anban.base.jobs.models import Job
from anban.base.jobs.queries import visible_to
from anban.base.jobs.registry import slot_name
from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.kit.ids import new_id
from anban.rules.errors import Refusal, register

register(
    "job.not_failed", zh="这项任务没有失败，不必重做。", en="This task has not failed; there is nothing to run again."
)


def enqueue(
    name: str,
    *,
    actor: Actor,
    at: datetime,
    slot: datetime | str = "",
    root: str | None = None,
    args: Mapping[str, Any] | None = None,
    run_after: datetime | None = None,
) -> Job:
    """Ask for the job ``name`` once for ``slot`` (an instant or a key; empty: once more) and return its row.

    Asking again for the same name, slot and root returns the row that is there. ``args`` must be plain JSON.
    """
    key = slot_name(slot) if isinstance(slot, datetime) else slot or new_id().hex
    where = actor.root if root is None else root
    with unit():
        present = Job.objects.filter(name=name, slot=key, root=where).first()
        if present is not None:
            return present
        try:
            with transaction.atomic():
                made = Job.objects.create(
                    name=name, slot=key, root=where, args=json.dumps(dict(args or {}), ensure_ascii=False, sort_keys=True),
                    asked_by=actor.person_id, run_after=run_after or at, created_at=at,
                )  # fmt: skip
        except IntegrityError:
            return Job.objects.get(name=name, slot=key, root=where)
        record("job.asked", actor=actor, at=at, subject=("job", made.pk), data={"name": name})
        return made


def ask_again(job_id: UUID, *, actor: Actor, at: datetime) -> Job:
    """Put a failed job back to waiting, with all its attempts. Raises: job.not_found, job.not_failed."""
    with unit():
        row = visible_to(actor).select_for_update().filter(pk=job_id).first()
        if row is None:
            raise Refusal("job.not_found")
        if row.state != Job.State.FAILED:
            raise Refusal("job.not_failed")
        row.state, row.attempts, row.run_after, row.problem, row.finished_at = Job.State.WAITING, 0, at, "", None
        row.save(update_fields=["state", "attempts", "run_after", "problem", "finished_at"])
        record("job.asked_again", actor=actor, at=at, subject=("job", row.pk), data={"name": row.name})
        return row

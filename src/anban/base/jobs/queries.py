"""Reads of background work: what a person asked for and how far it is, and whether the worker keeps up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min, QuerySet
from django.utils.translation import get_language

from anban.base.jobs.models import Job
from anban.base.people.actor import Actor
from anban.rules.errors import Refusal, register

register(
    "job.not_found",
    zh="没有这项后台任务，或它不归您查看。",
    en="There is no such background task, or it is not yours to see.",
)

ADMINS = ("system_admin",)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one piece of work is, for the progress component. ``percent`` is None while the total isn't known."""

    id: UUID
    name: str
    root: str
    state: str
    state_text: str
    stage: str
    done: int
    total: int
    percent: int | None
    problem: str
    result: Mapping[str, Any]
    args: Mapping[str, Any]
    asked_at: datetime
    finished_at: datetime | None

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more will happen, so that a page may stop asking."""
        return self.state in {Job.State.DONE, Job.State.FAILED}

    @property
    def failed(self) -> bool:
        """Tell whether it ended without its result."""
        return self.state == Job.State.FAILED


@dataclass(frozen=True, slots=True)
class Lag:
    """Whether the worker keeps up: how much waits that could run, since when, and how much has failed."""

    waiting: int
    oldest_waiting_at: datetime | None
    running: int
    failed: int


def visible_to(actor: Actor) -> QuerySet[Job]:
    """Return the jobs this actor may watch: its own; all of its root and of the house for administrators of the system."""
    rows = Job.objects.order_by("-created_at", "-id")
    if actor.system:
        return rows.filter(root__in=(actor.root, ""))
    if actor.has(*ADMINS):
        return rows.filter(root__in=(actor.root, ""))
    if actor.person_id is None:
        return rows.none()
    return rows.filter(asked_by=actor.person_id, root=actor.root)


def jobs_for(actor: Actor, *, limit: int = 50) -> tuple[Progress, ...]:
    """Return the newest jobs the actor may watch, newest first."""
    return tuple(as_progress(row) for row in visible_to(actor)[:limit])


def job(actor: Actor, job_id: UUID) -> Progress:
    """Return one job. Raises: job.not_found, also when it is somebody else's."""
    row = visible_to(actor).filter(pk=job_id).first()
    if row is None:
        raise Refusal("job.not_found")
    return as_progress(row)


def lag(at: datetime) -> Lag:
    """Return whether the worker keeps up, for the status page and the metrics of the house."""
    due = Job.objects.filter(state=Job.State.WAITING, run_after__lte=at).aggregate(
        n=Count("pk"), since=Min("run_after")
    )
    states = dict(
        Job.objects.filter(state__in=(Job.State.RUNNING, Job.State.FAILED)).values_list("state").annotate(Count("pk"))
    )
    return Lag(due["n"], due["since"], states.get(Job.State.RUNNING, 0), states.get(Job.State.FAILED, 0))


def last_done() -> Mapping[str, datetime]:
    """Return when each job of the timetable last ended well, by name."""
    rows = Job.objects.filter(planned=True, state=Job.State.DONE).values_list("name").annotate(Max("finished_at"))
    return {name: at for name, at in rows.order_by() if at is not None}


def as_progress(row: Job) -> Progress:
    """Return a row as the progress component shows it, in the language of the moment."""
    done = row.total_steps if row.state == Job.State.DONE else row.done_steps
    percent = min(100, done * 100 // row.total_steps) if row.total_steps else None
    return Progress(
        id=row.pk,
        name=row.name,
        root=row.root,
        state=row.state,
        state_text=str(row.get_state_display()),
        stage=row.stage,
        done=done,
        total=row.total_steps,
        percent=100 if row.state == Job.State.DONE else percent,
        problem=_in_language(row.problem),
        result=json.loads(row.result) if row.result else {},
        args=json.loads(row.args),
        asked_at=row.created_at,
        finished_at=row.finished_at,
    )


def _in_language(problem: str) -> str:
    if not problem:
        return ""
    texts = json.loads(problem)
    return str(texts["en" if (get_language() or "zh").startswith("en") else "zh"])

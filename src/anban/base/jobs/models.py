"""Tables of background work: one row per job and slot, claimed by a worker, with progress that people can watch."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from anban.base.fields import Identified


class Job(Identified):
    """One piece of work (后台任务). ``slot`` is the instant it runs for; a name and slot exist once, so nothing is done twice."""

    retention = "working"

    class State(models.TextChoices):
        WAITING = "waiting", _("等待")
        RUNNING = "running", _("进行中")
        DONE = "done", _("完成")
        FAILED = "failed", _("失败")

    name = models.CharField(max_length=80)
    slot = models.CharField(max_length=80)
    root = models.CharField(max_length=20, blank=True)
    planned = models.BooleanField(default=False, help_text="made by the timetable; its slots run one after the other")
    args = models.TextField(default="{}")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    asked_by = models.UUIDField(null=True, blank=True)
    run_after = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_by = models.CharField(max_length=80, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    done_steps = models.BigIntegerField(default=0)
    total_steps = models.BigIntegerField(default=0)
    stage = models.CharField(max_length=120, blank=True)
    result = models.TextField(blank=True)
    problem = models.TextField(blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "slot", "root"], name="job_slot_once")]
        indexes = [
            models.Index(fields=["state", "run_after"], name="job_next"),
            models.Index(fields=["asked_by", "created_at"], name="job_asked"),
        ]

"""Tables of the outbox: notices, their deliveries per channel, each person's wishes, and the sender's own heartbeat."""

from __future__ import annotations

from django.db import models

from anban.base.fields import Identified
from anban.base.people.models import Person


class Notice(Identified):
    """Something one person should know (通知), written in the transaction that caused it; ``key`` makes it come once."""

    retention = "log"

    root = models.CharField(max_length=20)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    link = models.CharField(max_length=200, blank=True)
    matter_kind = models.CharField(max_length=20, blank=True)
    matter_id = models.UUIDField(null=True, blank=True)
    key = models.CharField(max_length=120)
    urgent = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="notice_once")]
        indexes = [models.Index(fields=["person", "created_at"], name="notice_person")]


class Delivery(Identified):
    """One sending on one channel to one person: a single notice or a digest of many, with its payload frozen."""

    retention = "log"
    personal = ("payload",)

    class State(models.TextChoices):
        WAITING = "waiting", "待发"
        SENT = "sent", "已发"
        FAILED = "failed", "失败"
        HELD = "held", "超出上限暂存"

    root = models.CharField(max_length=20)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    channel = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    notices = models.ManyToManyField(Notice, related_name="deliveries")
    payload = models.TextField()
    slot = models.CharField(max_length=40)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "channel", "slot"], name="delivery_once")]
        indexes = [models.Index(fields=["state", "next_try_at"], name="delivery_next")]


class Wish(Identified):
    """How a person wants to be told about one kind of event on one channel (通知偏好)."""

    retention = "working"

    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    kind = models.CharField(max_length=60)
    channel = models.CharField(max_length=20)
    cadence = models.CharField(max_length=10, default="digest")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "kind", "channel"], name="wish_once")]


class Beat(models.Model):
    """When a periodic part of the house last did its work; silence is shown (值守心跳)."""

    retention = "working"

    name = models.CharField(max_length=60, primary_key=True)
    at = models.DateTimeField()
    detail = models.CharField(max_length=300, blank=True)

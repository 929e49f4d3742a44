"""Tables of the outbox: notices, their deliveries per channel, each person's wishes, and the sender's own heartbeat."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from anban.base.fields import Identified
from anban.base.people.models import Person


class Notice(Identified):
    """Something one person should know (通知), written in the transaction that caused it; ``key`` makes it come once."""

    retention = "log"

    root = models.CharField(max_length=20)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200, blank=True, help_text="empty where the title is what somebody wrote")
    link = models.CharField(max_length=200, blank=True)
    matter_kind = models.CharField(max_length=20, blank=True)
    matter_id = models.UUIDField(null=True, blank=True)
    key = models.CharField(max_length=120)
    urgent = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    routed_at = models.DateTimeField(null=True, blank=True, help_text="when its copies per channel were made")
    withdrawn_at = models.DateTimeField(null=True, blank=True, help_text="it came to nothing before it was sent")
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="notice_once")]
        indexes = [
            models.Index(fields=["person", "created_at"], name="notice_person"),
            models.Index(fields=["matter_id"], name="notice_matter"),
            models.Index(fields=["created_at"], condition=models.Q(routed_at=None), name="notice_unrouted"),
        ]

    def title_in(self, language: str) -> str:
        """Return the title in a reader's language, as far as it is the house's own words."""
        return self.title_en if language.startswith("en") and self.title_en else self.title


class Delivery(Identified):
    """One sending on one channel to one person: a single notice or a digest of many, with its payload frozen."""

    retention = "log"
    personal = ("payload",)

    class State(models.TextChoices):
        WAITING = "waiting", _("待发")
        SENT = "sent", _("已发")
        FAILED = "failed", _("失败")

    root = models.CharField(max_length=20)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    channel = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    single = models.BooleanField(default=False, help_text="counts towards the day's cap of single messages")
    urgent = models.BooleanField(default=False)
    payload = models.TextField()
    slot = models.CharField(max_length=60)
    made_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "channel", "slot"], name="delivery_once")]
        indexes = [models.Index(fields=["state", "next_try_at"], name="delivery_next")]


class Copy(Identified):
    """One notice on one channel (一条通知在一个渠道上): waiting for its delivery, or in it; ``held`` when the cap sent it to the digest."""

    retention = "log"

    class Cadence(models.TextChoices):
        NOW = "now", _("立即")
        DIGEST = "digest", _("汇总")
        OFF = "off", _("不发")

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="copies")
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    channel = models.CharField(max_length=20)
    cadence = models.CharField(max_length=10, choices=Cadence.choices)
    held = models.BooleanField(default=False)
    urgent = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, null=True, blank=True, related_name="copies")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "channel"], name="copy_once")]
        indexes = [
            models.Index(
                fields=["cadence", "person", "channel", "created_at"],
                condition=models.Q(delivery=None),
                name="copy_waiting",
            ),
        ]


class Address(Identified):
    """Where a person is reached on a channel outside the house (通知地址), such as an e-mail address; erasable."""

    retention = "personal"
    personal = ("value",)

    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    channel = models.CharField(max_length=20)
    value = models.CharField(max_length=254)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "channel"], name="address_once")]


class Wish(Identified):
    """How a person wants to be told about one kind of event on one channel (通知偏好)."""

    retention = "working"

    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    kind = models.CharField(max_length=60)
    channel = models.CharField(max_length=20)
    cadence = models.CharField(max_length=10, choices=Copy.Cadence.choices, default=Copy.Cadence.DIGEST)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "kind", "channel"], name="wish_once")]


class Beat(models.Model):
    """When a periodic part of the house last did its work; silence is shown (值守心跳)."""

    retention = "working"

    name = models.CharField(max_length=60, primary_key=True)
    at = models.DateTimeField()
    every_s = models.PositiveIntegerField(default=60, help_text="how often it should come, in seconds")
    detail = models.CharField(max_length=300, blank=True)

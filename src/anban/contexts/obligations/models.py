"""Tables of obligations, their handing over, and the steps of escalation already told."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from anban.base.fields import Identified, PathField, Sealed
from anban.base.people.models import Person
from anban.contexts.territory.models import Body, Post


class Obligation(Sealed):
    """A natural person, in a unit, must do something about a subject by an instant, under a rule (责任事项)."""

    retention = "ledger"

    class State(models.TextChoices):
        OPEN = "open", _("待办")
        DONE = "done", _("已办")
        VOID = "void", _("已失效")

    class Ladder(models.TextChoices):
        TERRITORY = "territory", _("块（属地）")
        SECTOR = "sector", _("条（行业）")

    root = models.CharField(max_length=20)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="obligations")
    body = models.ForeignKey(Body, on_delete=models.PROTECT, null=True, blank=True)
    post = models.ForeignKey(Post, on_delete=models.PROTECT, null=True, blank=True)
    unit_name = models.CharField(max_length=200)
    kind = models.CharField(max_length=40)
    subject_kind = models.CharField(max_length=20)
    subject_id = models.UUIDField()
    matter_id = models.UUIDField()
    cycle_no = models.PositiveIntegerField(default=1)
    place_id = models.UUIDField(null=True, blank=True)
    area_path = PathField(max_length=60)
    title = models.CharField(max_length=300)
    place_title = models.CharField(max_length=300, blank=True)
    ladder = models.CharField(max_length=12, choices=Ladder.choices, default=Ladder.TERRITORY)
    grade = models.CharField(max_length=20, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    provisional = models.BooleanField(default=False)
    source_rule = models.CharField(max_length=200)
    state = models.CharField(max_length=6, choices=State.choices, default=State.OPEN)
    opened_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=80, blank=True)
    breached_at = models.DateTimeField(null=True, blank=True, help_text="the moment it ran out; kept for ever")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="open", ended_at__isnull=True) | ~models.Q(state="open"),
                name="obligation_open_has_no_end",
            ),
        ]
        indexes = [
            models.Index(fields=["person", "due_at"], name="obligation_desk", condition=models.Q(state="open")),
            models.Index(fields=["due_at"], name="obligation_due", condition=models.Q(state="open")),
            models.Index(fields=["matter_id", "kind"], name="obligation_matter"),
            models.Index(fields=["root", "area_path"], name="obligation_area", condition=models.Q(state="open")),
        ]


class Handover(Identified):
    """An obligation is handed from one person to another (移交责任); the first stays responsible until the second signs."""

    retention = "ledger"

    obligation = models.ForeignKey(Obligation, on_delete=models.PROTECT, related_name="handovers")
    from_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    to_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="handovers_to")
    offered_at = models.DateTimeField()
    signed_at = models.DateTimeField(null=True, blank=True)
    declined_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["obligation"],
                condition=models.Q(signed_at__isnull=True, declined_at__isnull=True),
                name="handover_one_open",
            ),
            models.CheckConstraint(condition=~models.Q(from_person=models.F("to_person")), name="handover_to_another"),
        ]


class EscalationStep(Identified):
    """One step of a ladder taken for one obligation (督办升级), told once however often the job runs."""

    retention = "ledger"

    obligation = models.ForeignKey(Obligation, on_delete=models.PROTECT, related_name="steps")
    step = models.CharField(max_length=60)
    told = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True)
    due_at = models.DateTimeField()
    taken_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["obligation", "step"], name="escalation_once")]


class Pause(Identified):
    """One step of a ladder held back until an instant (暂缓督办): granted one level up, once per step; the breach still counts."""

    retention = "ledger"

    obligation = models.ForeignKey(Obligation, on_delete=models.PROTECT, related_name="pauses")
    step = models.CharField(max_length=60)
    granted_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    granted_at = models.DateTimeField()
    until_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["obligation", "step"], name="pause_once"),
            models.CheckConstraint(condition=models.Q(until_at__gt=models.F("granted_at")), name="pause_ends_later"),
        ]

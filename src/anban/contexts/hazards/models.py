"""Tables of the ledger: hazards, their append-only cycles, further voices, papers and measures."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from anban.base.fields import Identified, PathField, Sealed
from anban.base.people.models import Person
from anban.contexts.establishments.models import Observation, Place
from anban.contexts.territory.models import Body

CHIPS = (
    "state", "grade", "place_kind", "class_code", "origin", "track", "proof", "rebound_no", "penalised", "is_open", "due_at",
    "found_on", "area_path",
)  # fmt: skip
"""The columns by which the ledger is filtered."""


class Hazard(Sealed):
    """One danger at one place (隐患), on the ledger from the moment anyone sees it. State values: ``rules.hazard_lifecycle``."""

    retention = "ledger"

    root = models.CharField(max_length=20)
    number = models.CharField(max_length=30)
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="hazards")
    building_id = models.UUIDField(null=True, blank=True)
    place_title = models.CharField(max_length=200, blank=True)
    place_kind = models.CharField(max_length=40, blank=True)
    area_path = PathField(max_length=60)
    overview_code = models.CharField(max_length=20, blank=True)
    class_code = models.CharField(max_length=40)
    code = models.CharField(max_length=40, blank=True)
    part = models.CharField(max_length=120, blank=True)
    fact = models.TextField(blank=True)
    basis = models.CharField(max_length=300, blank=True)
    chain = models.CharField(max_length=8, default="general")
    state = models.CharField(max_length=24)
    prior_state = models.CharField(max_length=24, blank=True)
    grade = models.CharField(max_length=20, default="general")
    track = models.CharField(max_length=16, blank=True)
    origin = models.CharField(max_length=24)
    origin_ref = models.CharField(max_length=120, blank=True)
    found_on = models.DateField()
    found_at = models.DateTimeField(null=True, blank=True)
    entered_at = models.DateTimeField()
    finder = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    holder = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="held_hazards")
    holder_body = models.ForeignKey(Body, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    sent_to_body = models.ForeignKey(Body, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    ordering_body = models.ForeignKey(Body, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    times_returned = models.PositiveSmallIntegerField(default=0)
    cycle_no = models.PositiveIntegerField(default=1)
    rebound_no = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    provisional = models.BooleanField(default=False)
    extended = models.PositiveSmallIntegerField(default=0)
    interim_control = models.CharField(max_length=300, blank=True)
    secured = models.BooleanField(default=False)
    life_at_risk = models.BooleanField(default=False)
    listing = models.CharField(max_length=16, default="not_listed")
    designated = models.BooleanField(default=False)
    ownerless = models.BooleanField(default=False)
    extension_wanted_on = models.DateField(null=True, blank=True)
    penalised = models.BooleanField(default=False)
    outcome = models.CharField(max_length=16, blank=True)
    proof = models.CharField(max_length=12, blank=True)
    closed_on = models.DateField(null=True, blank=True)
    watch_until = models.DateField(null=True, blank=True)
    joined_to = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="joined")
    voices_count = models.PositiveIntegerField(default=1)
    historical = models.BooleanField(default=False)
    is_open = models.BooleanField(default=True)
    search = models.TextField(blank=True)

    undigested = ("search",)
    searched = "search"

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["root", "number"], name="hazard_number_once"),
            models.CheckConstraint(
                condition=Q(is_open=True, closed_on__isnull=True) | Q(is_open=False),
                name="hazard_open_has_no_close",
            ),
        ]
        indexes = [
            models.Index(fields=["place", "code"], name="hazard_place_code"),
            models.Index(fields=["building_id", "code"], name="hazard_building_code"),
            # Lists read ids from these alone: every chip of the ledger stands in them, behind the one that narrows most.
            models.Index(fields=["root", "-id", *CHIPS], name="hazard_newest"),
            models.Index(fields=["root", "area_path", "-id", *CHIPS[:-1]], name="hazard_area"),
            models.Index(fields=["root", "overview_code", "-id", *CHIPS], name="hazard_overview"),
            models.Index(
                fields=["root", "class_code", "-id", *(c for c in CHIPS if c != "class_code")], name="hazard_class"
            ),
            models.Index(
                fields=["root", "place_kind", "-id", *(c for c in CHIPS if c != "place_kind")], name="hazard_kind"
            ),
            models.Index(fields=["root", "state", "-id", *CHIPS[1:]], name="hazard_state"),
            models.Index(fields=["root", "-id", *CHIPS], name="hazard_grave", condition=~Q(grade="general")),
            models.Index(fields=["root", "-id", *CHIPS], name="hazard_back", condition=Q(rebound_no__gt=0)),
            models.Index(fields=["root", "-id", *CHIPS], name="hazard_fined", condition=Q(penalised=True)),
            models.Index(fields=["root", "-id", *CHIPS], name="hazard_owed", condition=Q(is_open=True)),
            models.Index(fields=["root", "due_at"], name="hazard_due", condition=Q(is_open=True)),
            # The other orders of the ledger (`ordering`), each answered from its index alone.
            models.Index(fields=["root", "due_at", "-id", *(c for c in CHIPS if c != "due_at")], name="hazard_by_due"),
            models.Index(
                fields=["root", "-found_on", "-id", *(c for c in CHIPS if c != "found_on")], name="hazard_by_found"
            ),
            models.Index(fields=["root", "place", "-id", *CHIPS], name="hazard_by_place"),
            models.Index(fields=["id"], name="hazard_heard_again", condition=Q(voices_count__gt=1)),
            models.Index(fields=["watch_until"], name="hazard_watch", condition=Q(watch_until__isnull=False)),
        ]


class Cycle(Sealed):
    """One round of a hazard (轮次): found, ordered, rectified, closed. Once ended it never changes; a rebound opens the next."""

    retention = "ledger"

    hazard = models.ForeignKey(Hazard, on_delete=models.PROTECT, related_name="cycles")
    no = models.PositiveIntegerField()
    found_on = models.DateField()
    opened_at = models.DateTimeField()
    ordered_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    reviews = models.PositiveSmallIntegerField(default=0)
    ended_on = models.DateField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=16, blank=True)
    proof = models.CharField(max_length=12, blank=True)
    late = models.BooleanField(default=False)
    rectifier = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    acceptor = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    delister = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    cause = models.CharField(max_length=300, blank=True)
    inferred = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hazard", "no"], name="cycle_no_once"),
            models.CheckConstraint(
                condition=Q(acceptor__isnull=True) | Q(rectifier__isnull=True) | ~Q(acceptor=F("rectifier")),
                name="cycle_acceptor_is_not_rectifier",
            ),
        ]
        indexes = [models.Index(fields=["ended_on"], name="cycle_ended")]


class Voice(Identified):
    """One report of a hazard (反映): the first one and each later one that joined; forty calls are one hazard with forty voices."""

    retention = "ledger"

    hazard = models.ForeignKey(Hazard, on_delete=models.PROTECT, related_name="voices")
    origin = models.CharField(max_length=24)
    origin_ref = models.CharField(max_length=120, blank=True)
    found_on = models.DateField()
    at = models.DateTimeField()
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True)
    words_id = models.UUIDField(null=True, blank=True)
    observation = models.ForeignKey(Observation, on_delete=models.PROTECT, null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["hazard", "at"], name="voice_hazard")]


class Paper(Identified):
    """A paper of the procedure (文书): order, notice, transfer, opinion; what was issued, by whom, served on whom and when."""

    retention = "ledger"

    hazard = models.ForeignKey(Hazard, on_delete=models.PROTECT, related_name="papers")
    cycle_no = models.PositiveIntegerField()
    kind = models.CharField(max_length=40)
    body = models.ForeignKey(Body, on_delete=models.PROTECT, null=True, blank=True)
    issued_by = models.ForeignKey(Person, on_delete=models.PROTECT)
    issued_at = models.DateTimeField()
    served_on = models.CharField(max_length=200, blank=True)
    served_at = models.DateTimeField(null=True, blank=True)
    facts = models.TextField(default="{}")


class Measure(Identified):
    """A measure beside rectification (措施): a fine, a case filed, a stop. None of them closes a hazard (不能一罚了之)."""

    retention = "ledger"

    class Kind(models.TextChoices):
        SIMPLE_PENALTY = "simple_penalty", _("当场处罚")
        PENALTY = "penalty", _("行政处罚")
        CASE = "file_case", _("立案")
        WAIVER = "waive", _("轻微免罚")
        SECURE = "secure", _("现场处置")
        ESCALATION = "escalate_measure", _("停产停业整顿")

    hazard = models.ForeignKey(Hazard, on_delete=models.PROTECT, related_name="measures")
    cycle_no = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, choices=Kind.choices)
    body = models.ForeignKey(Body, on_delete=models.PROTECT, null=True, blank=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    at = models.DateTimeField()
    yuan = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    basis = models.CharField(max_length=300, blank=True)


class Tally(models.Model):
    """A roll-up of the ledger for boards (汇总), made again by a job; ``made_at`` is shown with it.

    Each street has one row of everything and one per hazard class and place kind for those whose sector sees a part.
    """

    retention = "working"

    id = models.BigAutoField(primary_key=True)
    root = models.CharField(max_length=20)
    area_path = PathField(max_length=60, help_text="the street's path; hazards below it count in it")
    overview_code = models.CharField(max_length=20, blank=True)
    whole = models.BooleanField(help_text="everything of the street, not one class and kind of it")
    class_code = models.CharField(max_length=40, blank=True)
    place_kind = models.CharField(max_length=40, blank=True)
    open = models.BigIntegerField(default=0)
    overdue = models.BigIntegerField(default=0)
    major = models.BigIntegerField(default=0)
    rebound = models.BigIntegerField(default=0)
    penalised_open = models.BigIntegerField(default=0)
    closed = models.BigIntegerField(default=0)
    closed_on_site = models.BigIntegerField(default=0)
    closed_photo = models.BigIntegerField(default=0)
    closed_declared = models.BigIntegerField(default=0)
    made_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["root", "whole", "area_path"], name="tally_area")]

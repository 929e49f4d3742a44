"""Tables of oversight: duty lists, absences, instructions, like cases, sanction cases, instruments, oversight visits."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from anban.base.fields import Identified, PathField, Sealed
from anban.base.people.models import Person
from anban.contexts.accidents.models import Accident
from anban.contexts.hazards.models import Hazard
from anban.contexts.obligations.models import EscalationStep
from anban.contexts.territory.models import Area, Body, Post
from anban.rules import escalation

KIND_NAMES = {each.value: (each.zh, each.en) for each in escalation.Instrument}
"""The names of the instruments, in Chinese and English."""


class PostDuty(Sealed):
    """One duty of a post (岗责): what, on what ground, how often, what evidence counts, with what means."""

    retention = "forever"

    root = models.CharField(max_length=20)
    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="duties")
    code = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    ground = models.CharField(max_length=24)
    period = models.CharField(max_length=12)
    evidence = models.CharField(max_length=12)
    evidence_count = models.PositiveSmallIntegerField(default=1)
    means = models.CharField(max_length=300, blank=True)
    basis = models.CharField(max_length=300, blank=True)
    area_path = PathField(max_length=60)
    from_on = models.DateField()
    until_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["post", "code", "from_on"], name="post_duty_once"),
            models.CheckConstraint(
                condition=models.Q(until_on__isnull=True) | models.Q(until_on__gt=models.F("from_on")),
                name="post_duty_dates_in_order",
            ),
            models.CheckConstraint(condition=models.Q(evidence_count__gte=1), name="post_duty_asks_for_evidence"),
        ]
        indexes = [models.Index(fields=["root", "area_path"], name="post_duty_area")]


class DueDuty(Sealed):
    """A duty of one period on a person's desk (到期岗责); done when the ledger shows the evidence, never by a click."""

    retention = "ledger"

    class State(models.TextChoices):
        OPEN = "open", _("未完成")
        DONE = "done", _("已完成")

    duty = models.ForeignKey(PostDuty, on_delete=models.PROTECT, related_name="due")
    from_on = models.DateField()
    until_on = models.DateField()
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="due_duties")
    deputy = models.BooleanField(default=False, help_text="the holder was away or none was named")
    state = models.CharField(max_length=6, choices=State.choices, default=State.OPEN)
    found = models.PositiveIntegerField(default=0)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["duty", "from_on"], name="due_duty_once")]
        indexes = [models.Index(fields=["person", "-from_on"], name="due_duty_person")]


class Absence(Identified):
    """A person is away for some days (请假、外出): the deputy acts meanwhile. The reason is not kept."""

    retention = "ledger"

    root = models.CharField(max_length=20)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="absences")
    from_on = models.DateField()
    until_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "from_on"], name="absence_once"),
            models.CheckConstraint(condition=models.Q(until_on__gt=models.F("from_on")), name="absence_dates_in_order"),
        ]


class Instruction(Sealed):
    """A leader's instruction or an upper document (批示件、上级文件): its number, requirement and dates, never its text."""

    retention = "forever"

    class Kind(models.TextChoices):
        INSTRUCTION = "instruction", _("批示")
        DOCUMENT = "document", _("上级文件")

    root = models.CharField(max_length=20)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    number = models.CharField(max_length=60)
    requirement = models.CharField(max_length=120)
    issued_on = models.DateField()
    due_on = models.DateField()
    report_on = models.DateField(null=True, blank=True)
    area_path = PathField(max_length=60)
    registrar = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    registered_at = models.DateTimeField()
    measures_count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["root", "number"], name="instruction_number_once"),
            models.CheckConstraint(condition=models.Q(due_on__gte=models.F("issued_on")), name="instruction_due_later"),
        ]
        indexes = [models.Index(fields=["root", "area_path", "-id"], name="instruction_area")]


class InstructedMeasure(Sealed):
    """What an instruction becomes on one matter (落实措施): person, place, due, and what shows that it was done."""

    retention = "ledger"

    class State(models.TextChoices):
        OPEN = "open", _("落实中")
        DONE = "done", _("已落实")

    instruction = models.ForeignKey(Instruction, on_delete=models.PROTECT, related_name="measures")
    hazard = models.ForeignKey(Hazard, on_delete=models.PROTECT, related_name="instructed")
    body = models.ForeignKey(Body, on_delete=models.PROTECT, null=True, blank=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    requirement = models.CharField(max_length=200)
    put_at = models.DateTimeField()
    due_on = models.DateField()
    state = models.CharField(max_length=6, choices=State.choices, default=State.OPEN)
    evidence = models.CharField(max_length=20, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instruction", "hazard"], name="instructed_once")]
        indexes = [models.Index(fields=["hazard"], name="instructed_hazard")]


class LikeCase(Sealed):
    """A like case that had been left alone is put on a desk (同案补办), with the case it is like."""

    retention = "ledger"

    hazard = models.ForeignKey(Hazard, on_delete=models.PROTECT, related_name="like_cases")
    cycle_no = models.PositiveIntegerField(default=1)
    like = models.ForeignKey(Hazard, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    put_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    put_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hazard", "cycle_no"], name="like_case_once")]


class Clue(Sealed):
    """What a comparison shows of a body, a kind of firms or an area's instructions (研判线索): a question that a person answers.

    Its figures are those of the last look while it is open, and stay as they were when a person decided.
    """

    retention = "forever"

    class Kind(models.TextChoices):
        DEPENDENCE = "dependence", _("批示依赖")
        INSTRUCTION = "instruction", _("有无批示不同办")
        BODY = "body", _("机构间不同办")
        FIRM = "firm", _("企业间不同办")

    class State(models.TextChoices):
        OPEN = "open", _("待研判")
        ON_DESK = "on_desk", _("已交办")
        SETTLED = "settled", _("已说明")
        GONE = "gone", _("已消失")

    root = models.CharField(max_length=20)
    number = models.CharField(max_length=30)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    key = models.CharField(max_length=40, blank=True, help_text="the body's id or the kind of firm")
    body = models.ForeignKey(Body, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+", help_text="over which was compared")
    area_path = PathField(max_length=60)
    since_on = models.DateField()
    until_on = models.DateField(help_text="the cases compared were found before this day")
    figures = models.TextField(help_text="canonical JSON: comparisons, share, measures per group, cases")
    earlier = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="later")
    found_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    source = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["root", "number"], name="clue_number_once"),
            models.UniqueConstraint(
                fields=["root", "area", "kind", "key"], condition=models.Q(state="open"), name="clue_open_once"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=("open", "gone")) | models.Q(decided_by__isnull=False),
                name="clue_decided_by_a_person",
            ),
        ]
        indexes = [models.Index(fields=["root", "area_path", "state", "-id"], name="clue_area")]


class SanctionCase(Sealed):
    """Accountability after an accident or a failure of duty (问责案件): unit and persons have items of their own."""

    retention = "forever"

    root = models.CharField(max_length=20)
    number = models.CharField(max_length=30)
    accident = models.OneToOneField(Accident, on_delete=models.PROTECT, null=True, blank=True, related_name="sanctions")
    hazard = models.ForeignKey(Hazard, on_delete=models.PROTECT, null=True, blank=True, related_name="sanctions")
    title = models.CharField(max_length=200)
    area_path = PathField(max_length=60)
    level = models.CharField(max_length=16)
    level_reason = models.CharField(max_length=300, blank=True)
    causes = models.CharField(max_length=300, blank=True)
    happened_on = models.DateField()
    opened_at = models.DateTimeField()
    is_red = models.BooleanField(default=False)
    is_open = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["root", "number"], name="sanction_number_once"),
            models.CheckConstraint(
                condition=models.Q(accident__isnull=False) | models.Q(hazard__isnull=False), name="sanction_has_a_cause"
            ),
        ]
        indexes = [models.Index(fields=["root", "area_path", "-id"], name="sanction_area")]


class SanctionItem(Sealed):
    """One item of accountability (问责事项): against the unit, or against one person, with a clock and state of its own."""

    retention = "forever"

    case = models.ForeignKey(SanctionCase, on_delete=models.PROTECT, related_name="items")
    subject = models.CharField(max_length=8)
    unit_name = models.CharField(max_length=200)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    link = models.CharField(max_length=60, blank=True)
    direct = models.BooleanField(default=False)
    handler = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, default="open")
    due_on = models.DateField()
    document_number = models.CharField(max_length=60, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    executed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(subject="unit", person__isnull=True)
                | models.Q(subject="person", person__isnull=False),
                name="sanction_person_is_named",
            ),
            models.UniqueConstraint(fields=["case", "person", "link"], name="sanction_item_once"),
        ]


class Instrument(Sealed):
    """A paper with which the committee's office presses (督办文书): numbered without gaps, addressed, due, answered."""

    retention = "forever"

    root = models.CharField(max_length=20)
    kind = models.CharField(max_length=16)
    year = models.PositiveSmallIntegerField()
    serial = models.PositiveIntegerField()
    issuer = models.ForeignKey(Body, on_delete=models.PROTECT, related_name="+")
    issued_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    to_body = models.ForeignKey(Body, on_delete=models.PROTECT, related_name="instruments")
    to_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    area_path = PathField(max_length=60)
    hazard = models.ForeignKey(Hazard, on_delete=models.PROTECT, null=True, blank=True, related_name="instruments")
    case = models.ForeignKey(SanctionCase, on_delete=models.PROTECT, null=True, blank=True, related_name="instruments")
    about_kind = models.CharField(max_length=16)
    about_id = models.UUIDField()
    facts = models.TextField(help_text="what the ledger said on the day of issue: the paper is printed from this")
    due_on = models.DateField()
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["root", "issuer", "kind", "year", "serial"], name="instrument_number_once"),
        ]
        indexes = [
            models.Index(fields=["root", "area_path", "-id"], name="instrument_area"),
            models.Index(fields=["to_body"], name="instrument_addressee"),
        ]

    @property
    def number(self) -> str:
        """The number as it stands on the paper: 督办单〔2026〕3号."""
        return f"{KIND_NAMES[self.kind][0]}〔{self.year}〕{self.serial}号"


class StepPaper(Identified):
    """A step of a ladder has its paper (督办升级的文书): each step once; steps about one hazard on one rung share a paper."""

    retention = "ledger"

    step = models.OneToOneField(EscalationStep, on_delete=models.PROTECT, related_name="paper")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="steps")


class OversightVisit(Sealed):
    """A visit of the committee to a district or a body (督察). Never to a firm: there is no column for one."""

    retention = "ledger"

    class Kind(models.TextChoices):
        INSPECTION = "inspection", _("督察")
        SPECIAL = "special", _("专班督导")
        LOOK_BACK = "look_back", _("回头看")

    root = models.CharField(max_length=20)
    number = models.CharField(max_length=30)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    body = models.ForeignKey(Body, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    area_path = PathField(max_length=60)
    from_on = models.DateField()
    until_on = models.DateField(null=True, blank=True)
    leader = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    before = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="after")
    is_open = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "number"], name="oversight_visit_number_once")]
        indexes = [models.Index(fields=["root", "area_path", "-id"], name="oversight_visit_area")]


class OversightFinding(Sealed):
    """What an oversight visit found (督察问题): body, person, term, promise, rectification and follow-up."""

    retention = "ledger"

    class State(models.TextChoices):
        OPEN = "open", _("待整改")
        RECTIFIED = "rectified", _("已整改待回头看")
        VERIFIED = "verified", _("回头看通过")

    visit = models.ForeignKey(OversightVisit, on_delete=models.PROTECT, related_name="findings")
    no = models.PositiveSmallIntegerField()
    fact = models.CharField(max_length=300)
    requirement = models.CharField(max_length=300)
    promise = models.CharField(max_length=300, blank=True)
    body = models.ForeignKey(Body, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    area_path = PathField(max_length=60)
    due_on = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    sent_back = models.PositiveSmallIntegerField(default=0)
    rectified_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["visit", "no"], name="oversight_finding_once")]
        indexes = [models.Index(fields=["area_path", "state"], name="oversight_finding_area")]

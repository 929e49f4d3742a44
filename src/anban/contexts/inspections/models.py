"""Tables of visits: who came, what it was, each item's answer, and what was found."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from anban.base.fields import Identified, PathField, Sealed
from anban.base.people.models import Person
from anban.contexts.establishments.models import Place
from anban.contexts.hazards.models import Hazard
from anban.contexts.territory.models import Body


class Visit(Sealed):
    """One visit to a place (检查): who came decides what it was and what may follow from it."""

    retention = "ledger"

    class Kind(models.TextChoices):
        ENFORCEMENT = "enforcement", _("行政检查")
        ASSISTED = "assisted", _("执法辅助")
        PATROL = "patrol", _("巡查")
        GUIDANCE = "guidance", _("访企")
        REPORT = "report", _("发现报告")
        REVIEW = "review", _("复查")
        OVERSIGHT = "oversight", _("督查")
        ROUTINE = "routine", _("例行检查（历史）")
        COMPLAINT = "complaint", _("投诉检查（历史）")
        LICENCE = "licence", _("许可检查（历史）")
        OTHER = "other", _("其他（历史）")

    class Result(models.TextChoices):
        PASS = "pass", _("合格")
        CONDITIONAL = "conditional", _("当场整改后合格")
        FAIL = "fail", _("不合格")
        UNKNOWN = "unknown", _("未知")

    root = models.CharField(max_length=20)
    number = models.CharField(max_length=30)
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="visits")
    place_title = models.CharField(max_length=200, blank=True)
    place_kind = models.CharField(max_length=40, blank=True)
    area_path = PathField(max_length=60)
    overview_code = models.CharField(max_length=20, blank=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    on = models.DateField()
    at = models.DateTimeField(null=True, blank=True)
    body = models.ForeignKey(Body, on_delete=models.PROTECT, null=True, blank=True)
    result = models.CharField(max_length=12, choices=Result.choices, default=Result.UNKNOWN)
    task_number = models.CharField(
        max_length=60, blank=True, help_text="the city's own scan (检查码任务号), never a second code"
    )
    findings_count = models.PositiveIntegerField(default=0)
    attributes = models.TextField(blank=True)
    historical = models.BooleanField(default=False)
    recorded_at = models.DateTimeField()

    # Counted from the findings, which for foreign history arrive in a file of their own.
    undigested = ("findings_count",)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "number"], name="visit_number_once")]
        indexes = [
            models.Index(fields=["place", "-on"], name="visit_place"),
            models.Index(fields=["root", "area_path", "-on", "-id"], name="visit_area"),
            models.Index(fields=["root", "-on", "-id"], name="visit_latest"),
        ]


class Visitor(Identified):
    """One person of the visiting party (检查人员), with the certificate that made it a check; a source's mask where no person is known."""

    retention = "ledger"

    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="visitors")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True)
    group = models.CharField(max_length=40, blank=True)
    certified = models.BooleanField(default=False)


class Answer(Identified):
    """The answer to one item (逐项结论). What was not looked at stays 未查, and proves nothing."""

    retention = "ledger"

    class Value(models.TextChoices):
        PASS = "pass", _("合格")
        FAIL = "fail", _("不合格")
        UNCHECKED = "unchecked", _("未查")
        ABSENT = "absent", _("无此项")

    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="answers")
    code = models.CharField(max_length=40)
    value = models.CharField(max_length=10, choices=Value.choices, default=Value.UNCHECKED)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["visit", "code"], name="answer_once")]


class Finding(Identified):
    """What a visit found (检查发现): always a hazard on the ledger, put there in the same transaction."""

    retention = "ledger"

    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="findings")
    hazard = models.ForeignKey(Hazard, on_delete=models.PROTECT, related_name="findings")
    code = models.CharField(max_length=40, blank=True)
    cycle_no = models.PositiveIntegerField(default=1)
    severity = models.CharField(max_length=20, blank=True)
    times = models.PositiveSmallIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["visit", "hazard", "code"], name="finding_once")]
        indexes = [models.Index(fields=["hazard"], name="finding_hazard")]

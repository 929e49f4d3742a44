"""Tables of accidents and of the persons that their reports name."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from anban.base.fields import Identified, PathField, Sealed
from anban.base.people.models import Person
from anban.contexts.establishments.models import Place
from anban.contexts.territory.models import Body


class Accident(Sealed):
    """One accident on record (事故): what, when, where, how grave. Grades: ``rules.accountability.AccidentGrade``."""

    retention = "forever"

    class Kind(models.TextChoices):
        FIRE = "fire", _("火灾")
        GAS = "gas", _("燃气爆燃、泄漏")
        POISONING = "poisoning", _("中毒和窒息")
        FALL = "fall", _("高处坠落")
        COLLAPSE = "collapse", _("坍塌")
        ELECTRIC = "electric", _("触电")
        MECHANICAL = "mechanical", _("机械伤害")
        LIFTING = "lifting", _("起重伤害")
        TRAFFIC = "traffic", _("车辆伤害")
        EXPLOSION = "explosion", _("爆炸")
        OTHER = "other", _("其他")

    root = models.CharField(max_length=20)
    number = models.CharField(max_length=30)
    source_key = models.CharField(max_length=60, blank=True)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    on = models.DateField()
    grade = models.CharField(max_length=16, default="undetermined")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, null=True, blank=True, related_name="accidents")
    unit_name = models.CharField(max_length=200)
    area_path = PathField(max_length=60)
    deaths = models.PositiveSmallIntegerField(default=0)
    serious_injuries = models.PositiveSmallIntegerField(default=0)
    loss_yuan = models.BigIntegerField(null=True, blank=True, help_text="whole yuan")
    causes = models.CharField(max_length=300, blank=True, help_text="links of the cause, with ；between")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["root", "number"], name="accident_number_once"),
            models.UniqueConstraint(
                fields=["root", "source_key"], name="accident_source_once", condition=~models.Q(source_key="")
            ),
        ]
        indexes = [
            models.Index(fields=["root", "area_path", "-on"], name="accident_area"),
            models.Index(fields=["place", "-on"], name="accident_place"),
        ]


class Involved(Identified):
    """A person whom an accident's report names (事故责任人): link of the cause, unit, and whether directly responsible."""

    retention = "ledger"

    accident = models.ForeignKey(Accident, on_delete=models.PROTECT, related_name="involved")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    body = models.ForeignKey(Body, on_delete=models.PROTECT, null=True, blank=True)
    unit_name = models.CharField(max_length=200, blank=True)
    link = models.CharField(max_length=60, blank=True)
    direct = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["accident", "person", "link"], name="involved_once")]

"""Tables of mandates (who regulates what where) and of the links of each matter, each with a natural person."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from anban.base.fields import Identified, Sealed
from anban.base.people.models import Person
from anban.contexts.territory.models import Area, Body


class Mandate(Identified):
    """A body's duty over a place kind or industry and hazard class in an area (监管职责), dated, with its basis."""

    retention = "forever"

    class Role(models.TextChoices):
        SECTOR_LEAD = "sector_lead", _("行业主管")
        SPECIAL = "special", _("专业监管")
        ENFORCER = "enforcer", _("执法主体")
        TERRITORY = "territory", _("属地")

    root = models.CharField(max_length=20)
    body = models.ForeignKey(Body, on_delete=models.PROTECT, related_name="mandates")
    role = models.CharField(max_length=12, choices=Role.choices)
    place_kind = models.CharField(max_length=40, blank=True)
    industry = models.CharField(max_length=20, blank=True)
    hazard_class = models.CharField(max_length=40, blank=True)
    area = models.ForeignKey(Area, on_delete=models.PROTECT)
    phase = models.CharField(max_length=12, blank=True)
    from_on = models.DateField(null=True, blank=True)
    until_on = models.DateField(null=True, blank=True)
    basis = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["root", "body", "role", "place_kind", "industry", "hazard_class", "area", "phase", "from_on"],
                name="mandate_once",
            ),
        ]
        indexes = [models.Index(fields=["root", "role"], name="mandate_role")]


class Link(Sealed):
    """One link of a matter's chain (责任环节): a role, a natural person and a unit. There is no link without a person."""

    retention = "ledger"

    root = models.CharField(max_length=20)
    matter_kind = models.CharField(max_length=20)
    matter_id = models.UUIDField()
    cycle_no = models.PositiveIntegerField(default=1)
    role = models.CharField(max_length=24)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="links")
    body = models.ForeignKey(Body, on_delete=models.PROTECT, null=True, blank=True)
    unit_name = models.CharField(max_length=200)
    reason = models.CharField(max_length=300, blank=True)
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["matter_id", "role"], name="link_matter"),
            models.Index(fields=["person"], name="link_person"),
        ]

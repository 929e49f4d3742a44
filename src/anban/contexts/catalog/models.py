"""Tables of what a root calls things: hazard classes and codes, place kinds, industries, sectors; each dated."""

from __future__ import annotations

from django.db import models

from anban.base.fields import Identified


class Term(Identified):
    """A dated code of one root with its Chinese and English name."""

    root = models.CharField(max_length=20)
    code = models.CharField(max_length=40)
    zh = models.CharField(max_length=300)
    en = models.CharField(max_length=300)
    from_on = models.DateField(null=True, blank=True)
    until_on = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=300, blank=True)
    certainty = models.CharField(max_length=20, blank=True)

    class Meta:
        abstract = True


class HazardClass(Term):
    """A class of hazards (隐患类别) with who supervises, who may order, who may penalise and what a street may do."""

    retention = "forever"

    special_regulator = models.CharField(max_length=200, blank=True)
    may_order = models.CharField(max_length=200, blank=True)
    may_penalise = models.CharField(max_length=200, blank=True)
    street_may = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "code", "from_on"], name="hazard_class_once")]


class HazardCode(Term):
    """A hazard code, at the same time an item of a checklist (检查项)."""

    retention = "forever"

    list_code = models.CharField(max_length=40, blank=True)
    class_code = models.CharField(max_length=40)
    how_zh = models.CharField(max_length=500, blank=True)
    how_en = models.CharField(max_length=500, blank=True)
    level = models.CharField(max_length=20, blank=True)
    skill = models.CharField(max_length=4, blank=True)
    basis = models.CharField(max_length=300, blank=True)
    comes_back = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "code", "from_on"], name="hazard_code_once")]
        indexes = [models.Index(fields=["root", "list_code"], name="hazard_code_list")]


class PlaceKind(Term):
    """A kind of place (场所类型) with its checklists and its sector regulator."""

    retention = "forever"

    lists = models.CharField(max_length=100, blank=True)
    lead_body_kind = models.CharField(max_length=200, blank=True)
    members = models.TextField(blank=True)
    high_risk = models.BooleanField(default=False)
    industries = models.CharField(max_length=200, blank=True)
    aliases = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "code", "from_on"], name="place_kind_once")]


class Industry(Term):
    """An industry of GB/T 4754 (国民经济行业), or the source's own."""

    retention = "forever"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "code", "from_on"], name="industry_once")]


class Sector(Term):
    """A sector of supervision (条): the hazard classes and place kinds that one kind of body answers for."""

    retention = "forever"

    classes = models.CharField(max_length=300, blank=True)
    kinds = models.TextField(blank=True)
    body_kind = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "code", "from_on"], name="sector_once")]

"""Tables of the register: places and buildings, their parties and persons in charge, sources, merges."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from anban.base.fields import Identified, PathField, Sealed
from anban.base.people.models import Person
from anban.contexts.territory.models import Area


class Place(Sealed):
    """A place on the register (监管对象): a unit, a building, a facility or an area of its own. One page each (一企一档)."""

    retention = "ledger"

    class Form(models.TextChoices):
        UNIT = "unit", _("单位或商户")
        BUILDING = "building", _("建筑")
        FACILITY = "facility", _("设施")
        COMPOUND = "compound", _("院落（区域）")

    class Status(models.TextChoices):
        OPERATING = "operating", _("在营")
        STOPPED = "stopped", _("停业")
        CLOSED = "closed", _("已关闭")
        AWAITING_DEMOLITION = "awaiting_demolition", _("待拆迁")

    class Affiliation(models.TextChoices):
        """To whom the unit belongs (隶属关系); most holes in a district's net are units that are not the district's own."""

        DISTRICT = "district", _("区属及社会单位")
        CITY = "city", _("市属")
        CENTRAL = "central", _("央企、中央单位")
        MINISTRY = "ministry", _("部属（医院、高校）")
        MILITARY = "military", _("部队房产")
        VILLAGE = "village", _("村集体")

    root = models.CharField(max_length=20)
    number = models.CharField(max_length=30)
    form = models.CharField(max_length=12, choices=Form.choices, default=Form.UNIT)
    name = models.CharField(max_length=200)
    address = models.CharField(max_length=300, blank=True)
    credit_code = models.CharField(max_length=18, blank=True)
    kind = models.CharField(max_length=40, blank=True)
    industry = models.CharField(max_length=20, blank=True)
    building = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="tenants")
    area = models.ForeignKey(Area, on_delete=models.PROTECT)
    area_path = PathField(max_length=60)
    overview_code = models.CharField(max_length=20, blank=True)
    lng_wgs84 = models.FloatField(null=True, blank=True)
    lat_wgs84 = models.FloatField(null=True, blank=True)
    source_datum = models.CharField(max_length=10, blank=True)
    affiliation = models.CharField(max_length=12, choices=Affiliation.choices, default=Affiliation.DISTRICT)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.OPERATING)
    status_on = models.DateField(null=True, blank=True)
    survivor = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="absorbed")
    attributes = models.TextField(blank=True, help_text="the source's own facts as canonical JSON")
    search = models.TextField(blank=True, help_text="derived: what a search looks through, folded")
    match_key = models.CharField(
        max_length=32, blank=True, help_text="derived: folded name and address as a short digest"
    )
    historical = models.BooleanField(default=False)
    registered_at = models.DateTimeField()

    # Derived from the other columns, so that a better folding can be written without touching what was sealed.
    undigested = ("search", "match_key")
    searched = "search"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "number"], name="place_number_once")]
        indexes = [
            # A list is drawn from ids alone: the columns of the chips are in the index, so no row is read that isn't shown.
            models.Index(
                fields=["root", "area_path", "survivor", "id", "kind", "status", "affiliation", "overview_code"],
                name="place_area",
            ),
            models.Index(
                fields=["root", "survivor", "id", "kind", "status", "affiliation", "overview_code"], name="place_newest"
            ),
            models.Index(fields=["root", "kind", "id"], name="place_kind"),
            models.Index(fields=["root", "credit_code"], name="place_credit_code"),
            models.Index(fields=["root", "match_key"], name="place_match"),
        ]


class Party(Identified):
    """Owner, manager or tenant of a place (产权、管理使用、承租), kept apart: each can be liable for a different part."""

    retention = "ledger"

    class Role(models.TextChoices):
        OWNER = "owner_unit", _("产权单位")
        MANAGER = "managing_unit", _("管理使用单位")
        TENANT = "tenant", _("承租单位")

    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="parties")
    role = models.CharField(max_length=20, choices=Role.choices)
    name = models.CharField(max_length=200)
    credit_code = models.CharField(max_length=18, blank=True)
    from_on = models.DateField(null=True, blank=True)
    until_on = models.DateField(null=True, blank=True)


class PersonInCharge(Identified):
    """A person in charge at a place (主要负责人、安全管理人), for a time."""

    retention = "ledger"

    class Role(models.TextChoices):
        PRINCIPAL = "principal", _("主要负责人")
        SAFETY_MANAGER = "safety_manager", _("安全管理人")

    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="in_charge")
    role = models.CharField(max_length=20, choices=Role.choices)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    from_on = models.DateField(null=True, blank=True)
    until_on = models.DateField(null=True, blank=True)


class SourceList(Identified):
    """A list from which places or records come (数据来源): licences, gas users, rented rooms, a sample."""

    retention = "ledger"

    root = models.CharField(max_length=20)
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120, blank=True)
    must_register = models.BooleanField(default=True, help_text="what is on this list ought to be on the register")
    historical = models.BooleanField(default=False)
    steward = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True)
    last_read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "code"], name="source_list_once")]


class Observation(Identified):
    """A source row as it was read, kept for ever (来源记录). A place row without a place is a blind spot (底数盲区)."""

    retention = "ledger"

    source = models.ForeignKey(SourceList, on_delete=models.PROTECT, related_name="observations")
    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=120)
    digest = models.CharField(max_length=64)
    payload = models.TextField()
    flags = models.CharField(max_length=200, blank=True)
    area_path = PathField(max_length=60, blank=True)
    place = models.ForeignKey(Place, on_delete=models.PROTECT, null=True, blank=True, related_name="observations")
    subject_id = models.UUIDField(null=True, blank=True)
    matched_by = models.CharField(max_length=40, blank=True)
    dismissed_reason = models.CharField(max_length=200, blank=True)
    taken_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "kind", "key"], name="observation_once")]
        indexes = [
            models.Index(
                fields=["source", "area_path"],
                name="observation_blind",
                condition=models.Q(kind="place", place__isnull=True, dismissed_reason=""),
            ),
            models.Index(fields=["subject_id"], name="observation_subject"),
        ]


class Merge(Identified):
    """Two rows were found to be one place (合并); undone by clearing ``survivor`` again, the row is kept."""

    retention = "ledger"

    survivor = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="merges")
    absorbed = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="merged_in")
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)

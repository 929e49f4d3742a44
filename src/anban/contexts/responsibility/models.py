"""Tables of mandates, of what they leave open and how it is settled, of joint matters, and of the links of each matter."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from anban.base.fields import Identified, PathField, Sealed
from anban.base.people.models import Person
from anban.contexts.territory.models import Area, Body


class MandateRole(models.TextChoices):
    """The four questions that the net answers for every place and hazard class."""

    SECTOR_LEAD = "sector_lead", _("行业主管")
    SPECIAL = "special", _("专业监管")
    ENFORCER = "enforcer", _("执法主体")
    TERRITORY = "territory", _("属地")


class Boundary(Sealed):
    """A hole or a seam of the net (责任界面): a gap or an overlap of one role over a scope, until it is settled or gone.

    A gap is asked per district and place kind (lead), per district and class (special, enforcer) or per street (territory);
    an overlap is the scope that its equal rows share. ``bodies`` holds the ids of the bodies that overlap, ordered.
    """

    retention = "ledger"

    class Fault(models.TextChoices):
        GAP = "gap", _("空白")
        OVERLAP = "overlap", _("交叉")

    class State(models.TextChoices):
        OPEN = "open", _("待指定")
        ASSIGNED = "assigned", _("已指定，待界定")
        SETTLED = "settled", _("已界定")
        GONE = "gone", _("已不存在")

    root = models.CharField(max_length=20)
    number = models.CharField(max_length=30)
    fault = models.CharField(max_length=8, choices=Fault.choices)
    role = models.CharField(max_length=12, choices=MandateRole.choices)
    place_kind = models.CharField(max_length=40, blank=True)
    industry = models.CharField(max_length=20, blank=True)
    hazard_class = models.CharField(max_length=40, blank=True)
    area = models.ForeignKey(Area, on_delete=models.PROTECT)
    area_path = PathField(max_length=60)
    bodies = models.TextField(blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    places_count = models.PositiveIntegerField(default=0)
    since_on = models.DateField(null=True, blank=True)
    found_at = models.DateTimeField()
    assigned_body = models.ForeignKey(Body, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    assigned_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["root", "number"], name="boundary_number_once"),
            models.UniqueConstraint(
                fields=["root", "fault", "role", "place_kind", "industry", "hazard_class", "area", "bodies"],
                condition=models.Q(ended_at__isnull=True),
                name="boundary_open_once",
            ),
        ]
        indexes = [models.Index(fields=["root", "area_path"], name="boundary_area")]


class Decision(Sealed):
    """How one boundary is to be settled (职责界定): drafted, opinions, staffing office, and the government's meeting."""

    retention = "ledger"

    root = models.CharField(max_length=20)
    number = models.CharField(max_length=30)
    boundary = models.ForeignKey(Boundary, on_delete=models.PROTECT, related_name="decisions")
    body = models.ForeignKey(Body, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12)
    reason = models.CharField(max_length=500, blank=True)
    proposed_from = models.CharField(max_length=300, blank=True, help_text="the like cases that it was proposed from")
    staffing_view = models.CharField(max_length=500, blank=True)
    staffing_on = models.DateField(null=True, blank=True)
    meeting = models.CharField(max_length=120, blank=True)
    document_no = models.CharField(max_length=80, blank=True)
    document_on = models.DateField(null=True, blank=True)
    effective_on = models.DateField(null=True, blank=True)
    drafted_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["root", "number"], name="decision_number_once"),
            models.UniqueConstraint(
                fields=["boundary"], condition=models.Q(ended_at__isnull=True), name="decision_one_open"
            ),
        ]


class Mandate(Identified):
    """A body's duty over a place kind or industry and hazard class in an area (监管职责), dated, with its basis."""

    retention = "forever"

    Role = MandateRole

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
    decision = models.ForeignKey(
        Decision, on_delete=models.PROTECT, null=True, blank=True, help_text="the decision that made it net"
    )

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


class LinkTemplate(Identified):
    """One link that the chains of matters must have (责任环节模板): for which matters, and who must name the person; dated, with its source."""

    retention = "forever"

    root = models.CharField(max_length=20)
    matter = models.CharField(max_length=20, blank=True)
    hazard_class = models.CharField(max_length=40, blank=True)
    place_kind = models.CharField(max_length=40, blank=True)
    work = models.CharField(max_length=20, blank=True, help_text="a check list of the catalog: the kind of work")
    grade = models.CharField(max_length=20, blank=True)
    role = models.CharField(max_length=24)
    named_by = models.CharField(max_length=12)
    from_on = models.DateField()
    until_on = models.DateField(null=True, blank=True)
    basis = models.CharField(max_length=300, blank=True)
    source = models.CharField(max_length=120, blank=True)
    certainty = models.CharField(max_length=12, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["root", "matter", "hazard_class", "place_kind", "work", "grade", "role", "from_on"],
                name="link_template_once",
            ),
            models.CheckConstraint(
                condition=models.Q(until_on__isnull=True) | models.Q(until_on__gt=models.F("from_on")),
                name="link_template_dates_in_order",
            ),
        ]


class Mechanism(Identified):
    """A standing joint mechanism (联动机制): who leads, who is a member, when it opens, and what each owes by when."""

    retention = "forever"

    root = models.CharField(max_length=20)
    name = models.CharField(max_length=120)
    lead = models.ForeignKey(Body, on_delete=models.PROTECT, related_name="+")
    area = models.ForeignKey(Area, on_delete=models.PROTECT)
    hazard_class = models.CharField(max_length=40, blank=True)
    hazard_codes = models.CharField(max_length=300, blank=True, help_text="items that open it at once, by semicolons")
    by_rule = models.BooleanField(default=True, help_text="opened by rule, or by hand only")
    basis = models.CharField(max_length=300, blank=True)
    from_on = models.DateField()
    until_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "name", "from_on"], name="mechanism_once")]


class Member(Identified):
    """One body's part in a mechanism: what it owes, and in how many working days."""

    retention = "forever"

    mechanism = models.ForeignKey(Mechanism, on_delete=models.PROTECT, related_name="members")
    body = models.ForeignKey(Body, on_delete=models.PROTECT, related_name="+")
    part = models.CharField(max_length=200)
    limit_workdays = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mechanism", "body"], name="member_once")]


class JointMatter(Sealed):
    """Several bodies are asked for their part in one matter (协同事项): joint case, whistle, guidance, opinion."""

    retention = "ledger"

    root = models.CharField(max_length=20)
    number = models.CharField(max_length=30)
    kind = models.CharField(max_length=12)
    title = models.CharField(max_length=300)
    area_path = PathField(max_length=60)
    matter_kind = models.CharField(max_length=20)
    matter_id = models.UUIDField()
    mechanism = models.ForeignKey(Mechanism, on_delete=models.PROTECT, null=True, blank=True)
    caller = models.ForeignKey(Body, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    urgent = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["root", "number"], name="joint_number_once"),
            models.UniqueConstraint(
                fields=["mechanism", "matter_id"], condition=models.Q(closed_at__isnull=True), name="joint_one_open"
            ),
        ]
        indexes = [
            models.Index(fields=["root", "area_path"], name="joint_area"),
            models.Index(fields=["matter_id"], name="joint_matter"),
        ]


class JointPart(Sealed):
    """What one body is asked for in a joint matter, by when, and what it answered."""

    retention = "ledger"

    joint = models.ForeignKey(JointMatter, on_delete=models.PROTECT, related_name="parts")
    body = models.ForeignKey(Body, on_delete=models.PROTECT, related_name="joint_parts")
    part = models.CharField(max_length=300)
    state = models.CharField(max_length=12)
    due_at = models.DateTimeField()
    provisional = models.BooleanField(default=False)
    answer = models.CharField(max_length=1000, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["joint", "body"], name="joint_part_once")]

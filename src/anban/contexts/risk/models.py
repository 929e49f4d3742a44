"""Tables of assessments, their figures by street and kind, their top lists and curves, and the reports that persons sign."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from anban.base.fields import Identified, PathField, Sealed
from anban.base.people.models import Person
from anban.contexts.establishments.models import Place
from anban.contexts.hazards.models import Hazard
from anban.contexts.territory.models import Area


class Assessment(Sealed):
    """One pass over one root for a day (评估): what it read, and the hash of the manifest that names every result file's."""

    retention = "ledger"

    root = models.CharField(max_length=20)
    as_of = models.DateField()
    made_at = models.DateTimeField()
    position = models.BigIntegerField(help_text="everything up to this position of the journal was read")
    manifest_hash = models.CharField(max_length=64)
    folder = models.CharField(max_length=60)
    engine = models.CharField(max_length=20)
    places = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["root", "-as_of", "-made_at"], name="assessment_newest")]


class Part(models.Model):
    """A row of an assessment's results. It is written before its assessment is, so that no long transaction is held."""

    id = models.BigAutoField(primary_key=True)
    assessment_id = models.UUIDField()
    root = models.CharField(max_length=20)

    class Meta:
        abstract = True


class Cell(Part):
    """The figures of one street and kind of place; a place counts once in each (数字)."""

    retention = "working"

    street = PathField(max_length=60)
    kind = models.CharField(max_length=40, blank=True)
    overview_code = models.CharField(max_length=20, blank=True)
    places = models.PositiveIntegerField()
    never_seen = models.PositiveIntegerField()
    stale = models.PositiveIntegerField()
    overdue = models.PositiveIntegerField()
    rebound = models.PositiveIntegerField()
    repeated = models.PositiveIntegerField()
    failing = models.PositiveIntegerField()
    burdened = models.PositiveIntegerField()
    unled = models.PositiveIntegerField()
    unsettled = models.PositiveIntegerField(default=0)
    first_tenth = models.PositiveIntegerField(default=0)
    drawn = models.PositiveIntegerField(default=0)
    hazards_open = models.PositiveIntegerField()
    hazards_overdue = models.PositiveIntegerField()
    hazards_major = models.PositiveIntegerField()
    hazards_found = models.PositiveIntegerField()
    visits = models.PositiveIntegerField()
    checks = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["assessment_id", "street"], name="cell_street")]


class TopPlace(Part):
    """A place to be seen next (建议优先检查), with the facts that its reasons are made of."""

    retention = "working"

    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="+")
    area_path = PathField(max_length=60)
    kind = models.CharField(max_length=40, blank=True)
    index_value = models.FloatField()
    chance = models.FloatField()
    facts = models.TextField()

    class Meta:
        indexes = [
            models.Index(fields=["assessment_id", "-index_value"], name="top_place_order"),
            models.Index(fields=["place"], name="top_place_place"),
        ]


class TopHazard(Part):
    """A hazard that is owed longest (欠账), or a closed one that is watched most closely (观察)."""

    retention = "working"

    class List(models.TextChoices):
        DEBT = "debt", _("拖欠最久的隐患")
        WATCH = "watch", _("观察期内重点回看")

    list = models.CharField(max_length=8, choices=List.choices)
    hazard = models.ForeignKey(Hazard, on_delete=models.PROTECT, related_name="+")
    weight = models.IntegerField(help_text="days overdue; rounds so far")
    on = models.DateField(help_text="due; watched until")

    class Meta:
        indexes = [models.Index(fields=["assessment_id", "list", "-weight"], name="top_hazard_order")]


class Curve(Part):
    """Kaplan–Meier by group (反弹曲线、整改曲线); never by person."""

    retention = "working"

    curve = models.CharField(max_length=8)
    what = models.CharField(max_length=8)
    name = models.CharField(max_length=60, blank=True)
    inferred = models.BooleanField()
    episodes = models.PositiveIntegerField()
    events = models.PositiveIntegerField()
    points = models.TextField(
        help_text="canonical JSON: [days, share in millionths, error in millionths, still observed]"
    )

    class Meta:
        indexes = [models.Index(fields=["assessment_id", "curve", "what"], name="curve_group")]


class Report(Sealed):
    """An area's or a sector's assessment (地区、行业研判): dated figures beside earlier ones, and the opinion of who signs."""

    retention = "ledger"

    class State(models.TextChoices):
        DRAFT = "draft", _("待签发")
        SIGNED = "signed", _("已签发")
        WITHDRAWN = "withdrawn", _("已撤回")

    root = models.CharField(max_length=20)
    number = models.CharField(max_length=30)
    area = models.ForeignKey(Area, on_delete=models.PROTECT)
    area_path = PathField(max_length=60)
    sector = models.CharField(max_length=40, blank=True)
    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="reports")
    earlier = models.ForeignKey(Assessment, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    figures = models.TextField(help_text="canonical JSON, frozen when it was made")
    opinion = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    made_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    signed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    signed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["root", "number"], name="risk_report_number_once"),
            models.CheckConstraint(
                condition=models.Q(state="draft", signed_by__isnull=True) | ~models.Q(state="draft"),
                name="risk_report_draft_unsigned",
            ),
        ]
        indexes = [models.Index(fields=["root", "area_path", "-id"], name="risk_report_area")]


class Simulation(Sealed):
    """A comparison of supervision policies in a simulated city (策略模拟), as it came out; it speaks of the model, not of the root."""

    retention = "ledger"

    root = models.CharField(max_length=20)
    made_at = models.DateTimeField()
    result = models.TextField(help_text="canonical JSON: closed forms, comparisons with intervals, map of settings")
    result_hash = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["root", "-made_at"], name="simulation_newest")]


class Event(Identified):
    """A dated event from a table (事件): an alarm, a call, a fire; until such things have contexts of their own."""

    retention = "ledger"

    root = models.CharField(max_length=20)
    source_key = models.CharField(max_length=80)
    kind = models.CharField(max_length=40)
    on = models.DateField()
    area_path = PathField(max_length=60)
    lng_wgs84 = models.FloatField(null=True, blank=True)
    lat_wgs84 = models.FloatField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "source_key"], name="event_once")]
        indexes = [models.Index(fields=["root", "kind", "on"], name="event_kind")]


class Look(Sealed):
    """One look at all kinds and areas for early warning (预警研判): at how much, and how many false ones to expect of it."""

    retention = "ledger"

    root = models.CharField(max_length=20)
    as_of = models.DateField()
    made_at = models.DateTimeField()
    events = models.PositiveIntegerField()
    streams = models.PositiveIntegerField()
    expected_false_watches = models.FloatField()
    expected_false_chart_alarms = models.FloatField()
    kinds = models.TextField(blank=True, help_text="canonical JSON: how many events of each kind were looked at")
    left_out = models.CharField(max_length=60, blank=True, help_text="books not kept for two years yet, by comma")

    class Meta:
        indexes = [models.Index(fields=["root", "-as_of", "-made_at"], name="look_newest")]


class EarlyWarning(Sealed):
    """A finding of the looks (预警) that stays until a person has answered it or it has passed; by itself it does nothing."""

    retention = "ledger"

    class State(models.TextChoices):
        OPEN = "open", _("待处置")
        ANSWERED = "answered", _("已处置")
        PASSED = "passed", _("已消退")

    class Answer(models.TextChoices):
        ACT = "act", _("采取措施")
        WATCH = "watch", _("继续观察")
        CHANCE = "chance", _("视为偶然")

    root = models.CharField(max_length=20)
    method = models.CharField(max_length=10)
    kind = models.CharField(max_length=60)
    area_path = PathField(max_length=60, blank=True)
    level = models.CharField(max_length=6)
    p_value = models.FloatField(null=True, blank=True)
    zh = models.TextField()
    en = models.TextField()
    counted = models.TextField(
        blank=True, help_text="canonical JSON: the numbers in the text as lists: from, until, n, areas, located"
    )
    first_on = models.DateField()
    last_on = models.DateField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    answer = models.CharField(max_length=8, choices=Answer.choices, blank=True)
    reason = models.TextField(blank=True)
    answered_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["root", "method", "kind", "area_path"],
                condition=~models.Q(state="passed"),
                name="early_warning_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state="answered", answered_by__isnull=False) | ~models.Q(state="answered"),
                name="early_warning_answered_by_a_person",
            ),
        ]
        indexes = [models.Index(fields=["root", "state", "-last_on"], name="early_warning_list")]

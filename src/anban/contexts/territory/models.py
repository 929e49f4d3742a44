"""Tables of area roots, areas with their dated overlays, bodies, posts and who holds them."""

from __future__ import annotations

from django.db import models

from anban.base.fields import Identified, PathField
from anban.base.people.models import Person


class AreaRoot(models.Model):
    """A world of its own (地区根): a real city, a demonstration or a sample. Nothing is ever summed across roots."""

    retention = "forever"

    class Kind(models.TextChoices):
        REAL = "real", "正式"
        DEMONSTRATION = "demonstration", "演示数据"
        SAMPLE = "sample", "样本数据"

    code = models.CharField(max_length=20, primary_key=True)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    zone = models.CharField(max_length=40, default="Asia/Shanghai")
    calendar = models.CharField(max_length=20, default="china")
    locale = models.CharField(max_length=10, default="zh-hans")
    number_prefix = models.CharField(max_length=10, blank=True)


class Area(Identified):
    """One area of the tree (地区): city, district, street, community, or a managing area. ``path`` ends with a slash."""

    retention = "forever"

    class Level(models.TextChoices):
        CITY = "city", "市"
        DISTRICT = "district", "区"
        STREET = "street", "街道（乡镇）"
        COMMUNITY = "community", "社区（村）"
        MANAGEMENT = "management", "管理地区"

    root = models.ForeignKey(AreaRoot, on_delete=models.PROTECT)
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120)
    level = models.CharField(max_length=12, choices=Level.choices)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    path = PathField(max_length=60)
    in_overview = models.BooleanField(
        default=False, help_text="one of the areas of every overview (16 districts and 经开区)"
    )
    from_on = models.DateField(null=True, blank=True)
    until_on = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["root", "code"], name="area_code_once"),
            models.UniqueConstraint(fields=["root", "path"], name="area_path_once"),
        ]


class Overlay(Identified):
    """A managing area holds a street for a time (管理地区对街道的代管); a street has at most one managing area on a day."""

    retention = "forever"

    managing = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="manages")
    street = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="managed_by")
    from_on = models.DateField(null=True, blank=True)
    until_on = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["street", "from_on"], name="overlay_once")]


class Body(Identified):
    """A body of government, a committee's office, or a community (机构): what holds posts and receives transfers."""

    retention = "forever"

    root = models.ForeignKey(AreaRoot, on_delete=models.PROTECT)
    code = models.CharField(max_length=60)
    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=160)
    area = models.ForeignKey(Area, on_delete=models.PROTECT)
    sector = models.CharField(max_length=40, blank=True)
    superior = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True)
    from_on = models.DateField(null=True, blank=True)
    until_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "code"], name="body_code_once")]
        indexes = [models.Index(fields=["root", "kind"], name="body_kind")]


class Post(Identified):
    """A post (岗位): a role over an area, perhaps within a sector, at a body."""

    retention = "forever"

    root = models.ForeignKey(AreaRoot, on_delete=models.PROTECT)
    body = models.ForeignKey(Body, on_delete=models.PROTECT, related_name="posts")
    role = models.CharField(max_length=40)
    area = models.ForeignKey(Area, on_delete=models.PROTECT)
    sector = models.CharField(max_length=40, blank=True)
    title = models.CharField(max_length=80, blank=True)
    place_id = models.UUIDField(null=True, blank=True, help_text="an enterprise's post: its place on the register")
    until_on = models.DateField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["root", "role"], name="post_role")]


class Holding(Identified):
    """A person holds a post for a time (任职); ``deputy`` holders act when the first is away or none is named."""

    retention = "forever"

    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="holdings")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="holdings")
    deputy = models.BooleanField(default=False)
    certificate = models.CharField(max_length=40, blank=True, help_text="行政执法证号, when the holder has one")
    from_on = models.DateField()
    until_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "person", "from_on"], name="holding_once")]


class CalendarYear(Identified):
    """A year of the working-day calendar loaded from a file (工作日历), for years that the package does not carry."""

    retention = "forever"

    calendar = models.CharField(max_length=20)
    year = models.PositiveSmallIntegerField()
    days = models.TextField()
    source = models.CharField(max_length=200)
    loaded_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["calendar", "year"], name="calendar_year_once")]


class LoadedCriteria(Identified):
    """A judgement standard of major hazards (判定标准) that a root has loaded from a file; it replaces the package's of its code."""

    retention = "forever"

    root = models.ForeignKey(AreaRoot, on_delete=models.PROTECT)
    code = models.CharField(max_length=80)
    text = models.TextField()
    source = models.CharField(max_length=200)
    loaded_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "code"], name="loaded_criteria_once")]


class Setting(Identified):
    """A figure of practice that a root has set for itself (参数), where the law leaves it open; dated by the journal."""

    retention = "forever"

    root = models.ForeignKey(AreaRoot, on_delete=models.PROTECT)
    key = models.CharField(max_length=80)
    value = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "key"], name="setting_once")]


class Counter(Identified):
    """The last number given in a series of a root and year (编号)."""

    retention = "forever"

    root = models.ForeignKey(AreaRoot, on_delete=models.PROTECT)
    series = models.CharField(max_length=10)
    year = models.PositiveSmallIntegerField()
    last = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "series", "year"], name="counter_once")]

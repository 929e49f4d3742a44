"""Tables of the journal: entries, the sealed head, completed subtrees, reaction cursors and erasable words."""

from __future__ import annotations

from django.db import models

from anban.base.fields import Identified


class Entry(models.Model):
    """One change, never altered (全过程记录). ``body`` is the exact RFC 8785 text that was hashed; the other columns are in it."""

    retention = "forever"

    position = models.BigIntegerField(primary_key=True)
    matter = models.CharField(max_length=80, blank=True)
    body = models.TextField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        indexes = [models.Index(fields=["matter", "position"], name="entry_matter")]


class Head(models.Model):
    """The one row that is locked to append: the number of entries, the last chain hash and the tree's frontier."""

    retention = "forever"

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    size = models.BigIntegerField(default=0)
    hash = models.BinaryField(max_length=32)
    frontier = models.BinaryField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="head_is_one_row")]


class Tile(models.Model):
    """The hash of a complete subtree of 256 to the power ``level`` leaves; proofs are answered from these."""

    retention = "forever"

    id = models.BigAutoField(primary_key=True)
    level = models.PositiveSmallIntegerField()
    index = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["level", "index"], name="tile_once")]


class Cursor(models.Model):
    """How far a reader of the journal has come."""

    retention = "working"

    name = models.CharField(max_length=80, primary_key=True)
    position = models.BigIntegerField(default=0)


class Words(Identified):
    """What a person wrote, apart from the journal so that it can be erased; the entry holds only a salted commitment."""

    retention = "personal"
    personal = ("text",)

    matter = models.CharField(max_length=80, db_index=True)
    kind = models.CharField(max_length=40)
    text = models.TextField(blank=True)
    salt = models.CharField(max_length=32, blank=True)
    written_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True)

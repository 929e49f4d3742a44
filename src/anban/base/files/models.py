"""Tables of stored files: content by hash, and what the file itself claims about time and place, kept apart."""

from __future__ import annotations

from django.db import models

from anban.base.fields import Identified


class StoredFile(Identified):
    """One file's content (附件), the original bytes kept under their SHA-256; the same bytes in one root are one row."""

    retention = "ledger"
    personal = ("name",)

    root = models.CharField(max_length=20)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    mime = models.CharField(max_length=80)
    name = models.CharField(max_length=200, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    stored_at = models.DateTimeField()
    stored_by = models.CharField(max_length=80)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["root", "sha256"], name="file_once_per_root")]


class FileClaim(Identified):
    """What the camera wrote into the file (EXIF): time and position claimed, never proof; erasable apart from the image."""

    retention = "personal"
    personal = ("lng_wgs84", "lat_wgs84", "device")

    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="claim")
    taken_at_text = models.CharField(max_length=40, blank=True)
    lng_wgs84 = models.FloatField(null=True, blank=True)
    lat_wgs84 = models.FloatField(null=True, blank=True)
    device = models.CharField(max_length=120, blank=True)


class Attachment(Identified):
    """A file put to a matter with a purpose (before, after, paper, source); scope is the matter's."""

    retention = "ledger"

    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="attachments")
    matter_kind = models.CharField(max_length=20)
    matter_id = models.UUIDField(db_index=True)
    cycle_no = models.PositiveIntegerField(default=0)
    purpose = models.CharField(max_length=20)
    attached_at = models.DateTimeField()
    attached_by = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "matter_id", "cycle_no", "purpose"], name="attachment_once"),
        ]

"""The Django app `journal`: The append-only, Merkle-sealed record of every change (全过程记录)."""

from django.apps import AppConfig


class JournalConfig(AppConfig):
    """The append-only, Merkle-sealed record of every change (全过程记录)."""

    name = "anban.base.journal"
    label = "journal"
    default_auto_field = "django.db.models.BigAutoField"

"""The Django app `journal`: The append-only, Merkle-sealed record of every change (全过程记录)."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate

from anban.base import textsearch
from anban.base.journal import guards


def _stand_guard(using: str, **_: Any) -> None:
    # Django's SQLite table rebuild drops triggers: after every migrate they are made again.
    guards.install(connections[using])
    textsearch.install(connections[using], rebuild=True)


class JournalConfig(AppConfig):
    """The append-only, Merkle-sealed record of every change (全过程记录)."""

    name = "anban.base.journal"
    label = "journal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have the guards and the search indexes made again whenever tables were made or changed."""
        post_migrate.connect(_stand_guard, sender=self, dispatch_uid="journal.guards")

"""The Django app `obligations`: Who owes what by when (责任事项)."""

from django.apps import AppConfig


class ObligationsConfig(AppConfig):
    """Who owes what by when (责任事项)."""

    name = "anban.contexts.obligations"
    label = "obligations"
    default_auto_field = "django.db.models.BigAutoField"

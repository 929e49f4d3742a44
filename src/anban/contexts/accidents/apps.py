"""The Django app `accidents`: Accidents on record (事故)."""

from django.apps import AppConfig


class AccidentsConfig(AppConfig):
    """Accidents on record (事故)."""

    name = "anban.contexts.accidents"
    label = "accidents"
    default_auto_field = "django.db.models.BigAutoField"

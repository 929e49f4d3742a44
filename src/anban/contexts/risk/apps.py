"""The Django app `risk`: What the whole-city pass found (风险研判)."""

from django.apps import AppConfig


class RiskConfig(AppConfig):
    """What the whole-city pass found (风险研判)."""

    name = "anban.contexts.risk"
    label = "risk"
    default_auto_field = "django.db.models.BigAutoField"

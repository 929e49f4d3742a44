"""The Django app `inspections`: Visits, their answers and findings (检查)."""

from django.apps import AppConfig


class InspectionsConfig(AppConfig):
    """Visits, their answers and findings (检查)."""

    name = "anban.contexts.inspections"
    label = "inspections"
    default_auto_field = "django.db.models.BigAutoField"

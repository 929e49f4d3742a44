"""The Django app `hazards`: The ledger of hazards from found to closed (隐患台账)."""

from django.apps import AppConfig


class HazardsConfig(AppConfig):
    """The ledger of hazards from found to closed (隐患台账)."""

    name = "anban.contexts.hazards"
    label = "hazards"
    default_auto_field = "django.db.models.BigAutoField"

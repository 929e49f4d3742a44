"""The Django app `catalog`: Hazard classes and codes, place kinds, industries, per root and dated (目录)."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Hazard classes and codes, place kinds, industries, per root and dated (目录)."""

    name = "anban.contexts.catalog"
    label = "catalog"
    default_auto_field = "django.db.models.BigAutoField"

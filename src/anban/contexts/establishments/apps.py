"""The Django app `establishments`: The register of places (监管对象台账)."""

from django.apps import AppConfig


class EstablishmentsConfig(AppConfig):
    """The register of places (监管对象台账)."""

    name = "anban.contexts.establishments"
    label = "establishments"
    default_auto_field = "django.db.models.BigAutoField"

"""The Django app `oversight`: Looks at the bodies themselves (督察问责)."""

from django.apps import AppConfig


class OversightConfig(AppConfig):
    """Looks at the bodies themselves (督察问责)."""

    name = "anban.contexts.oversight"
    label = "oversight"
    default_auto_field = "django.db.models.BigAutoField"

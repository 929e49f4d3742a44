"""The Django app `territory`: Areas, bodies, posts and their holders (属地与机构)."""

from django.apps import AppConfig


class TerritoryConfig(AppConfig):
    """Areas, bodies, posts and their holders (属地与机构)."""

    name = "anban.contexts.territory"
    label = "territory"
    default_auto_field = "django.db.models.BigAutoField"

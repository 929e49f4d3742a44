"""The Django app `notices`: What people are told, and proof that it was sent (通知)."""

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """What people are told, and proof that it was sent (通知)."""

    name = "anban.base.notices"
    label = "notices"
    default_auto_field = "django.db.models.BigAutoField"

"""The Django app `responsibility`: Who regulates what where, and the chain of persons of each matter (监管责任)."""

from django.apps import AppConfig


class ResponsibilityConfig(AppConfig):
    """Who regulates what where, and the chain of persons of each matter (监管责任)."""

    name = "anban.contexts.responsibility"
    label = "responsibility"
    default_auto_field = "django.db.models.BigAutoField"

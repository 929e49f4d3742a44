"""The Django app `jobs`: Work done by the worker, as rows (后台任务)."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Work done by the worker, as rows (后台任务)."""

    name = "anban.base.jobs"
    label = "jobs"
    default_auto_field = "django.db.models.BigAutoField"

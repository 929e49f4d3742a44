"""The Django app `desk`: templates and static files of the officials' pages; it has no tables."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    """Pages of officials and inspectors (工作台)."""

    name = "anban.web.desk"
    label = "desk"

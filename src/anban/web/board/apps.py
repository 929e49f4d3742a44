"""The Django app `board`: templates and static files of the city overview; it has no tables."""

from django.apps import AppConfig


class BoardConfig(AppConfig):
    """The city overview and its wall mode (全市总览)."""

    name = "anban.web.board"
    label = "board"

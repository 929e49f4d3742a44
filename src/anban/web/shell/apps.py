"""The Django app that carries the shell's templates, template tags and static files."""

from __future__ import annotations

from django.apps import AppConfig


class ShellConfig(AppConfig):
    """The shell: no tables, only what every page is built with."""

    name = "anban.web.shell"
    label = "shell"

"""The Django app `lake`: the nightly pass is found among the jobs."""

from django.apps import AppConfig


class LakeConfig(AppConfig):
    """Whole-city analysis."""

    name = "anban.lake"
    label = "lake"

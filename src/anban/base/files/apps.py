"""The Django app `files`: Photos and documents by content hash (照片与附件)."""

from django.apps import AppConfig


class FilesConfig(AppConfig):
    """Photos and documents by content hash (照片与附件)."""

    name = "anban.base.files"
    label = "files"
    default_auto_field = "django.db.models.BigAutoField"

"""The Django app `people`: Persons, accounts, sessions, tokens and the Actor (人员与账号)."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """Persons, accounts, sessions, tokens and the Actor (人员与账号)."""

    name = "anban.base.people"
    label = "people"
    default_auto_field = "django.db.models.BigAutoField"

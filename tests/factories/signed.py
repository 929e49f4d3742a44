"""Persons of the town with an account, signed in: as Django's test client, or as cookies for a real browser."""

from __future__ import annotations

from django.conf import settings
from django.test import Client

from anban.base.people.models import Account
from anban.base.people.operations import open_account, set_up
from tests.factories.town import AT, Town

PASSWORD = "a long enough sentence"


def account_of(city: Town, name: str) -> Account:
    """Return the account of a person of the town, opened when first asked for."""
    person = city.people[name]
    known = Account.objects.filter(person=person).first()
    if known is not None:
        return known
    _account, token = open_account(actor=city.job, at=AT, person=person, login=f"user-{person.pk.hex}")
    return set_up(token, password=PASSWORD, at=AT)


def client_of(city: Town, name: str) -> Client:
    """Return a test client in which a person of the town is signed in with the second factor given."""
    client = Client()
    client.force_login(account_of(city, name))
    session = client.session
    session["second_factor"] = True
    session["root"] = city.root
    session.save()
    return client


def cookie_of(city: Town, name: str, url: str) -> dict[str, str]:
    """Return the session of a person of the town as a cookie that a browser takes."""
    value = client_of(city, name).cookies[settings.SESSION_COOKIE_NAME].value
    return {"name": settings.SESSION_COOKIE_NAME, "value": value, "url": url}

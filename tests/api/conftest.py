"""A town with hazards and a caller for each of its persons: real tokens, real requests, a clock that stands still."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from PIL import Image

from anban.api import access
from anban.base.people.models import Account
from anban.base.people.operations import issue_token, open_account
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import Sighting, enter
from tests.factories.town import AT, Town, town

LATER = AT + timedelta(hours=2)


@dataclass
class Caller:
    """One person's program: a token and a client that sends JSON."""

    secret: str
    root: str = ""

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request to /api/v1 and return the response."""
        more = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        if self.root:
            more["HTTP_ANBAN_ROOT"] = self.root
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body, default=str).encode()
        return Client(raise_request_exception=False).generic(
            method, f"/api/v1{path}", content, content_type=headers.get("content_type", "application/json"),
            HTTP_AUTHORIZATION=f"Bearer {self.secret}", **more,
        )  # fmt: skip

    def get(self, path: str, **headers: str) -> Any:
        """Send a GET."""
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """Send a POST."""
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        """Send a PATCH."""
        return self.send("PATCH", path, body, **headers)


@pytest.fixture(autouse=True)
def standing_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every request happen at the same instant, and no count of requests outlive its test."""
    monkeypatch.setattr(access, "now", lambda: LATER)
    cache.clear()
    yield
    cache.clear()


def caller_of(made: Town, name: str, scope: str = "read write") -> Caller:
    """Return the caller that a person of the town is, with a token from the console."""
    person = made.people[name]
    account = Account.objects.filter(person=person).first()
    if account is None:
        account, _ = open_account(actor=made.job, at=AT, person=person, login=f"{made.root}-{person.pk.hex}")
    _, secret = issue_token(actor=made.job, at=AT, account=account, scope=scope, days=30)
    return Caller(secret)


@pytest.fixture
def here(db: None) -> Town:
    """The town."""
    del db
    return town()


@pytest.fixture
def call(here: Town) -> Callable[..., Caller]:
    """Make a caller of the town by name."""
    return lambda name, scope="read write": caller_of(here, name, scope)


def see(made: Town, place: Any, who: str = "王敏", **more: Any) -> Hazard:
    """Put a hazard on the ledger through the operation."""
    facts = {"code": "RG07", "fact": "报警器断电", **more}
    return enter(actor=made.actor(who), at=AT, sighting=Sighting(place_id=place.pk, **facts)).hazard


def picture(shade: int = 120) -> bytes:
    """Return a small real photograph."""
    out = BytesIO()
    Image.new("RGB", (64, 48), (shade, 30, 30)).save(out, "JPEG")
    return out.getvalue()

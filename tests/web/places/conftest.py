"""Everybody of the town signed in through the real middleware, at the town's own time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

from anban.web.shell import middleware
from tests.factories.signed import client_of
from tests.factories.town import AT, Town, town


class Clock:
    """The time at which pages are opened; a test moves it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The pages' clock, standing at the town's first morning."""
    made = Clock(AT)
    monkeypatch.setattr(middleware, "now", made)
    return made


@pytest.fixture
def city(db: None) -> Town:
    """The town of the factories."""
    return town()


@pytest.fixture
def signed_in(city: Town, clock: Clock) -> Callable[[str], Client]:
    """Return a browser in which a person of the town is signed in."""
    assert clock.at == AT

    def enter(name: str) -> Client:
        return client_of(city, name)

    return enter

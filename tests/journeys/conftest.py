"""A city whose persons each sit at a browser of their own, and a clock that the story moves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from anban.base.jobs import registry
from anban.web.shell import middleware
from tests.browser.conftest import WIDTHS
from tests.chromium import PATIENCE_MS
from tests.factories.signed import cookie_of
from tests.factories.town import AT, Town, town
from tests.journeys.walking import Demonstration, at_work


@dataclass
class City:
    """The town, its address, and the windows of its persons; ``at`` is what every page takes for now."""

    made: Town
    url: str
    chromium: Browser
    at: datetime = AT
    windows: dict[str, BrowserContext] = field(default_factory=dict)

    def pass_days(self, days: int) -> None:
        """Let days go by."""
        self.at += timedelta(days=days)

    def window(self, width: int = 1440) -> BrowserContext:
        """Open a browser of its own in which nobody is signed in."""
        context = self.chromium.new_context(
            viewport={"width": width, "height": WIDTHS[width]}, locale="zh-CN", timezone_id="Asia/Shanghai",
            reduced_motion="reduce", has_touch=width < 600, accept_downloads=True,
        )  # fmt: skip
        context.set_default_timeout(PATIENCE_MS)
        self.windows[f"window-{len(self.windows)}"] = context
        return context

    def as_person(self, name: str, path: str, width: int = 1440) -> Page:
        """Open a page as a person of the town, in that person's own browser."""
        if name not in self.windows:
            self.windows[name] = self.window(width)
        # Sessions end by themselves as days go by: who comes back signs in again.
        self.windows[name].add_cookies([cookie_of(self.made, name, self.url)])  # type: ignore[list-item]
        page = (self.windows[name].pages or [self.windows[name].new_page()])[0]
        page.goto(f"{self.url}{path}")
        return page

    def act(self, name: str, hazard_id: UUID, action: str, given: dict[str, Any], width: int = 1440) -> Page:
        """Press a button of a hazard's page as a person, fill the form in its dialog, and send it."""
        page = self.as_person(name, f"/ledger/{hazard_id}/", width)
        hidden = page.locator("main details.menu summary", has_text="更多")
        button = page.locator("main").get_by_role("link", name=action, exact=True)
        if not button.is_visible() and hidden.count():
            hidden.first.click()
        button.first.click()
        dialog = page.get_by_role("dialog", name="办理")
        expect(dialog).to_be_visible()
        for field_name, value in given.items():
            fill(dialog, field_name, value)
        dialog.locator(".form-foot button[type=submit]").click()
        expect(page.locator("#messages")).to_contain_text("已办理")
        return page


def fill(form: Locator, name: str, value: Any) -> None:
    """Fill one field of a form: a tick, one of several radios, a choice by its words, a file, or words."""
    box = form.locator(f'[name="{name}"]')
    kind = box.first.evaluate("e => e.tagName === 'SELECT' ? 'select' : e.type")
    if kind == "radio":
        form.locator(f'[name="{name}"][value="{value}"]').check()
    elif kind == "checkbox":
        box.check()
    elif kind == "file":
        box.set_input_files(value)
    elif kind == "select":
        box.select_option(label=str(value))
    else:
        box.fill(str(value))


@pytest.fixture
def city(
    transactional_db: None, live_server: LiveServer, chromium: Browser, monkeypatch: pytest.MonkeyPatch
) -> Iterator[City]:
    """The town at work, on its first morning."""
    made = City(town(), live_server.url, chromium)
    monkeypatch.setattr(middleware, "now", lambda: made.at)
    registry.load()
    yield made
    for context in made.windows.values():
        context.close()


@pytest.fixture(scope="session")
def served(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """The demonstration, built once for the run and served once for the session: each story uses matters of its own."""
    with at_work(Path(os.environ["ANBAN_TESTS_HOME"]), tmp_path_factory.mktemp("served"), chromium) as made:
        yield made


@pytest.fixture
def demonstration(served: Demonstration) -> Iterator[Demonstration]:
    """The served demonstration; the windows that a story opened are closed after it."""
    yield served
    served.close()

"""A real Chromium on the pages: contexts by width and theme, an accessibility check, and pictures on demand."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page

from tests.chromium import PATIENCE_MS

WIDTHS = {390: 844, 1440: 900}
THEMES = ("light", "dark")
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@dataclass(frozen=True)
class Look:
    """One way a page is looked at: the width of the window and the theme of the system."""

    width: int
    theme: str

    def __str__(self) -> str:
        return f"{self.width}-{self.theme}"


LOOKS = [Look(width, theme) for width in WIDTHS for theme in THEMES]


@pytest.fixture
def window(chromium: Browser) -> Iterator[Callable[[Look], Page]]:
    """Open a fresh window in a look: ``page = window(Look(390, "dark"))``. An error of a script in it fails the test."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def note_console(message: ConsoleMessage) -> None:
        # A refused response (a 4xx that the test provokes) is no fault of the page.
        if message.type == "error" and "Failed to load resource" not in message.text:
            faults.append(message.text)

    def note_error(error: Error) -> None:
        faults.append(str(error))

    def open_window(look: Look) -> Page:
        context = chromium.new_context(
            viewport={"width": look.width, "height": WIDTHS[look.width]},
            color_scheme="dark" if look.theme == "dark" else "light",
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
            has_touch=look.width < 600,
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", note_console)
        page.on("pageerror", note_error)
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture(params=LOOKS, ids=str)
def look(request: pytest.FixtureRequest) -> Look:
    """Each look in turn."""
    chosen = request.param
    assert isinstance(chosen, Look)
    return chosen


@pytest.fixture
def page(window: Callable[[Look], Page], look: Look) -> Page:
    """A page in each look in turn: a test that asks for it runs at both widths in both themes."""
    return window(look)


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """Assert that a page breaks no rule of WCAG 2.2 A and AA that a machine can see: ``axe(page)``."""

    def check(page: Page) -> None:
        results = Axe().run(page, options={"runOnly": {"type": "tag", "values": AXE_TAGS}}).response
        assert len(results["passes"]) > 3, "axe looked at nothing"
        broken = [
            f"{fault['id']}: {fault['help']} at {node['target']}: {node.get('failureSummary', '')}"
            for fault in results["violations"]
            for node in fault["nodes"]
        ]
        assert broken == [], "\n".join(broken)

    return check


@pytest.fixture
def fits() -> Callable[[Page], None]:
    """Assert that a page never scrolls sideways: ``fits(page)``."""

    def check(page: Page) -> None:
        wide, room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide <= room, f"the page is {wide} px wide in a window of {room} px"

    return check


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Keep a picture of the whole page in the folder ANBAN_PICTURES, where that is set: ``picture(page, "desk")``."""

    def take(page: Page, name: str) -> None:
        folder = os.environ.get("ANBAN_PICTURES")
        if not folder:
            return
        look = request.node.callspec.params.get("look") if hasattr(request.node, "callspec") else None
        file = re.sub(r"[^\w.-]+", "-", f"{name}-{look}" if look else name)
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{file}.png"), full_page=True)

    return take

"""The demonstration city as its persons use it: each begins at the desk and gets everywhere by pressing what is there."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, expect

from anban.kit.clock import city_date, now
from tests.chromium import PATIENCE_MS
from tests.data_location import REPOSITORY
from tests.journeys.serving import serving

MOST_CLICKS = 4
PHONE, TABLET, DESK = 390, 820, 1440
HEIGHTS = {PHONE: 844, TABLET: 1180, DESK: 900}


def today() -> date:
    """Return the demonstration's own day."""
    return city_date(now(), "Asia/Shanghai")


def built_once(base: Path) -> Path:
    """Build the demonstration for this run of the tests, once for all its workers; return its home folder."""
    home = base / "demonstration"
    with (base / "demonstration.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "sessions.json").exists():
            home.mkdir(mode=0o700, exist_ok=True)
            done = subprocess.run(
                [sys.executable, "-m", "tests.journeys.a_demonstration"], cwd=REPOSITORY, env=environment(home),
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            (home / "sessions.json").write_text(done.stdout, encoding="utf-8")
    return home


def environment(home: Path) -> dict[str, str]:
    """Return the environment of an installation in a folder."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ANBAN_") and k != "DATABASE_URL"}
    return {**kept, "ANBAN_HOME": str(home)}


@dataclass
class Walk:
    """One person at one browser: ``begin`` opens the desk, everything else is pressed, and what is pressed is counted."""

    page: Page
    url: str
    clicks: int = 0

    def begin(self) -> Walk:
        """Open the desk: the only address that anybody types."""
        self.page.goto(self.url)
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("我的待办")
        self.clicks = 0
        return self

    def press(self, what: Locator) -> Walk:
        """Press something that can be seen; a link has done its work when another page or a dialog is there."""
        expect(what).to_be_visible()
        leads = what.evaluate("e => { window.left = true; return e.tagName === 'A' }")
        what.click()
        self.clicks += 1
        until = time.monotonic() + PATIENCE_MS / 1000
        # The pages' own rules forbid what wait_for_function does, so the browser is asked again and again.
        while leads and not self._arrived():
            assert time.monotonic() < until, f"nothing came of {what}"
            self.page.wait_for_timeout(40)
        return self

    def _arrived(self) -> bool:
        try:
            return bool(
                self.page.evaluate(
                    "(!window.left && document.readyState !== 'loading') || !!document.querySelector('dialog[open]')"
                )
            )
        except Error:
            return False

    def link(self, name: str, *, within: str = "main") -> Walk:
        """Press the first link of a part of the page whose name holds these words."""
        return self.press(self.page.locator(within).get_by_role("link", name=name).first)

    def go(self, name: str) -> Walk:
        """Go to a part of the house: by the rail, or on a phone by its menu."""
        rail = self.page.locator("nav.rail")
        if rail.is_visible():
            return self.press(rail.get_by_role("link", name=name, exact=True))
        menu = self.page.locator("nav.bottom details.more")
        self.press(menu.locator("summary"))
        return self.press(menu.get_by_role("link", name=name, exact=True))

    def duty(self, verb: str, words: str = "") -> Locator:
        """Return the lines of the desk with this verb."""
        lines = self.page.locator("li.duty", has=self.page.locator(".duty-verb", has_text=verb))
        return lines.filter(has_text=words) if words else lines

    def take_up(self, verb: str, words: str = "") -> Walk:
        """Open the first duty with this verb from the desk."""
        return self.press(self.duty(verb, words).first.locator("a.duty-place"))

    def reached(self, *words: str) -> Walk:
        """Be where these words stand, in at most four clicks, on a page that fits its window."""
        for each in words:
            expect(self.page.locator("main").get_by_text(each).first).to_be_visible()
        assert self.clicks <= MOST_CLICKS, f"{self.clicks} clicks to {words}"
        wide, room = self.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide <= room, f"{self.page.url} is {wide} px wide in a window of {room} px"
        return self

    def fill(self, form: str = "main form.form, dialog form", /, **given: Any) -> Walk:
        """Fill fields of a form by their names: words, a choice by its label, ticks by their labels (a tuple), or a file (a dict)."""
        for name, value in given.items():
            box = self.page.locator(form).locator(f'[name="{name}"]')
            if isinstance(value, tuple):
                for label in value:
                    self.page.locator(form).get_by_label(label, exact=True).check()
            elif isinstance(value, dict):
                box.set_input_files(value)  # type: ignore[arg-type]
            elif box.first.evaluate("e => e.tagName") == "SELECT":
                box.first.select_option(label=value)
            else:
                box.first.fill(str(value))
        return self

    def send(self, verb: str, said: str) -> Walk:
        """Press a button, and read what the page says to it."""
        # What was said to the button before is taken away: on a slow machine it would be read as the answer to this one.
        self.page.evaluate("document.getElementById('messages')?.replaceChildren()")
        self.page.get_by_role("button", name=verb, exact=True).first.click()
        expect(self.page.locator("#messages")).to_contain_text(said)
        self.page.wait_for_load_state()
        return self


@dataclass
class Demonstration:
    """The demonstration on its web server, and the windows of its persons."""

    home: Path
    url: str
    chromium: Browser
    cookie: str
    sessions: dict[str, str]
    windows: list[BrowserContext] = field(default_factory=list)

    def truth(self, name: str) -> Any:
        """Return what was planted, from the file beside the database."""
        return json.loads((self.home / name).read_text(encoding="utf-8"))

    def desk_of(self, login: str, width: int = DESK) -> Walk:
        """Sit a person down at the desk, in a browser of its own."""
        context = self.chromium.new_context(
            viewport={"width": width, "height": HEIGHTS[width]}, locale="zh-CN", timezone_id="Asia/Shanghai",
            reduced_motion="reduce", has_touch=width < DESK, accept_downloads=True,
        )  # fmt: skip
        context.set_default_timeout(PATIENCE_MS)
        context.add_cookies([{"name": self.cookie, "value": self.sessions[login], "url": self.url}])
        self.windows.append(context)
        return Walk(context.new_page(), self.url).begin()

    def close(self) -> None:
        """Close the windows."""
        while self.windows:
            self.windows.pop().close()


@contextmanager
def at_work(base: Path, own: Path, chromium: Browser) -> Iterator[Demonstration]:
    """Serve a copy of the demonstration."""
    home = Path(shutil.copytree(built_once(base), own / "demonstration"))
    told = json.loads((home / "sessions.json").read_text(encoding="utf-8"))
    with serving(environment(home)) as url:
        yield Demonstration(home, url, chromium, told["cookie"], told["sessions"])

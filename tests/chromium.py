"""One real Chromium for all the browser tests of a run: two of Playwright's loops can't stand in one thread."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from django.urls import get_resolver
from playwright.sync_api import Browser, expect, sync_playwright

PATIENCE_MS = 60_000
"""How long a browser test waits for what has to come: a slow machine is not a failure."""

ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--font-render-hinting=none",
]


def _chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise RuntimeError("Chromium is not installed here; `make setup-dev` installs it, or: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of the run."""
    with pytest.MonkeyPatch.context() as patch:
        # Playwright keeps an event loop in this thread; the tests' own queries are nevertheless plain synchronous ones.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        # Every page's code is loaded before a browser waits for one: the first request would pay for all of it.
        _ = get_resolver().url_patterns
        expect.set_options(timeout=PATIENCE_MS)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=_chromium(), args=ARGUMENTS)
            yield browser
            browser.close()

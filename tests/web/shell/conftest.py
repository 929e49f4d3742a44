"""What the shell's tests share: static files without a manifest, the gallery served, one browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from django.test import override_settings
from playwright.sync_api import Browser, sync_playwright

from tests.web.shell import shell_gallery


@pytest.fixture(scope="package", autouse=True)
def plain_static() -> Iterator[None]:
    """Static addresses as they are in the tree."""
    storages = {
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    with override_settings(STATIC_URL="/static/", STORAGES=storages):
        yield


@pytest.fixture(scope="package")
def site(plain_static: None) -> Iterator[str]:
    """The address of the served gallery."""
    with shell_gallery.served() as served:
        yield served.address


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for the shell's tests."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise RuntimeError("Chromium is not installed here; `make setup-dev` installs it, or: apt-get install chromium")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
            yield browser
            browser.close()

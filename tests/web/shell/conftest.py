"""What the shell's tests share: static files without a manifest, the gallery served, one browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings

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

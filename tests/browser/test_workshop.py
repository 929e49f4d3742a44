"""The browser workshop itself: its accessibility check and its width check must be able to fail."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

GOOD = """<!doctype html><html lang="zh-CN"><head><title>隐患台账</title><style>
body{background:Canvas;color:CanvasText;color-scheme:light dark;margin:0}</style></head>
<body><main><h1>隐患台账</h1><form><label for="q">查找</label><input id="q"></form></main></body></html>"""
NO_LABEL = GOOD.replace('<label for="q">查找</label>', "")
TOO_WIDE = GOOD.replace("<form>", '<form style="width:2000px">')


def test_a_sound_page_passes(page: Page, axe: Callable[[Page], None], fits: Callable[[Page], None]) -> None:
    page.set_content(GOOD)
    axe(page)
    fits(page)


def test_a_field_without_label_is_found(page: Page, axe: Callable[[Page], None]) -> None:
    page.set_content(NO_LABEL)
    with pytest.raises(AssertionError, match="label"):
        axe(page)


def test_a_page_that_scrolls_sideways_is_found(page: Page, fits: Callable[[Page], None]) -> None:
    page.set_content(TOO_WIDE)
    with pytest.raises(AssertionError, match="px wide"):
        fits(page)


def test_the_theme_of_the_system_reaches_the_page(page: Page, look: object) -> None:
    page.set_content(GOOD)
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert dark == str(look).endswith("dark")

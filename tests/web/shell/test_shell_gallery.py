"""The gallery in a real Chromium: accessibility, no sideways scrolling, keys, selection, theme, under the strict policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.web.shell import shell_gallery

AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


@pytest.fixture
def window(chromium: Browser) -> Iterator[Page]:
    """One page whose console must stay silent."""
    page = chromium.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    page.close()
    assert faults == []


@pytest.mark.parametrize("name", [name for name in shell_gallery.PAGES if name != "wall"])
def test_page_is_accessible_and_fits_at_both_widths_in_both_themes(window: Page, site: str, name: str) -> None:
    for width, height in ((390, 844), (1440, 900)):
        window.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            window.goto(f"{site}/{name}?theme={theme}")
            assert window.evaluate("document.documentElement.scrollWidth") <= width
            result = Axe().run(window, options=AXE).response
            assert len(result["passes"]) > 3
            broken = [
                f"{v['id']} {n['target']} {n.get('failureSummary')}" for v in result["violations"] for n in v["nodes"]
            ]
            assert broken == [], f"{name} {width} {theme}\n" + "\n".join(broken)


def test_wall_shows_the_board_without_scrolling(window: Page, site: str) -> None:
    window.set_viewport_size({"width": 1920, "height": 1080})
    window.goto(f"{site}/wall?theme=dark")
    assert window.evaluate("document.documentElement.scrollHeight") <= 1080
    for part in (".map-list li:last-child", ".map-note", ".plain-table tr:last-child"):
        box = window.locator(part).last.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 1080


def test_keys_move_rows_open_search_and_list_shortcuts(window: Page, site: str) -> None:
    window.goto(f"{site}/desk?theme=light")
    window.keyboard.press("j")
    window.keyboard.press("j")
    expect(window.locator("[data-row]").nth(1)).to_have_class("duty row-at")
    window.keyboard.press("Enter")
    assert window.url.endswith("#2")
    window.keyboard.press("/")
    expect(window.locator("#search")).to_be_focused()
    window.keyboard.type("j?")
    expect(window.locator("#search")).to_have_value("j?")
    expect(window.locator("#shortcuts")).to_be_hidden()
    window.locator("h1").click()
    window.keyboard.press("?")
    expect(window.locator("#shortcuts")).to_be_visible()
    window.keyboard.press("Escape")
    window.keyboard.press("g")
    window.keyboard.press("l")
    assert window.url.endswith("#ledger")


def test_bulk_bar_counts_the_chosen_rows(window: Page, site: str) -> None:
    window.goto(f"{site}/ledger?theme=light")
    bar = window.locator("[data-bulk]")
    expect(bar).to_be_hidden()
    window.locator("[data-select-row]").nth(0).check()
    window.locator("[data-select-row]").nth(2).check()
    expect(bar.locator("[data-bulk-count]")).to_have_text("2")
    window.locator("[data-select-page]").check()
    expect(bar.locator("[data-bulk-count]")).to_have_text("8")
    window.locator("[data-bulk-clear]").click()
    expect(bar).to_be_hidden()


def test_theme_switch_changes_at_once_and_is_remembered(window: Page, site: str) -> None:
    window.goto(f"{site}/desk?theme=light")
    window.locator(".top .switch", has_text="深色").click()
    expect(window.locator("html")).to_have_attribute("data-theme", "dark")
    assert "anban_theme=dark" in window.evaluate("document.cookie")
    assert window.url.endswith("theme=light")


def test_photo_opens_large_and_steps_to_the_next(window: Page, site: str) -> None:
    window.goto(f"{site}/gallery?theme=light")
    window.locator("[data-photo]").first.click()
    expect(window.locator("#lightbox")).to_be_visible()
    first = window.locator("[data-lightbox-image]").get_attribute("alt")
    window.keyboard.press("ArrowRight")
    assert window.locator("[data-lightbox-image]").get_attribute("alt") != first


def test_phone_targets_are_large_enough(window: Page, site: str) -> None:
    window.set_viewport_size({"width": 390, "height": 844})
    for name in ("desk", "ledger", "form"):
        window.goto(f"{site}/{name}?theme=light")
        for target in window.locator(
            "button:visible, .button:visible, .bottom > a, .bottom > details > summary, .duty, .chip > summary"
        ).all():
            box = target.bounding_box()
            assert box is not None
            assert box["height"] >= 44, f"{name}: {target.text_content()}"


def test_dropped_photo_is_previewed(window: Page, site: str) -> None:
    window.goto(f"{site}/form?theme=light")
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>'
    window.set_input_files("input[type=file]", {"name": "a.svg", "mimeType": "image/svg+xml", "buffer": svg})
    expect(window.locator("[data-previews] img")).to_have_attribute("alt", "a.svg")

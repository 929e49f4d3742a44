"""The desk, the ledger and reporting in a real browser: both widths, both themes, keys, accessibility."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from anban.contexts.hazards.operations import Sighting, enter
from anban.web.shell import middleware
from tests.browser.test_hazard import photo_bytes
from tests.contexts.hazards.test_operations import ordered_and_applied
from tests.factories.signed import cookie_of
from tests.factories.town import AT, Town, town

pytestmark = pytest.mark.django_db(transaction=True)
LATER = AT + timedelta(days=6)
NAMES = ("巷口面馆（望京店）", "望和家园地下车库", "阜通大街快递驿站", "利泽西园幼儿园", "花家地小商品市场", "宏泰大厦")
FACTS = (
    "燃气软管老化、无切断阀",
    "电动自行车违规充电",
    "疏散通道堆物",
    "灭火器过期三具",
    "安全出口锁闭",
    "配电箱前堆放纸箱",
)
CODES = ("RG07", "EB01", "RG10", "NS04", "NS02", "RG04")


@pytest.fixture
def city(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Town:
    """The town with work on its desks."""
    monkeypatch.setattr(middleware, "now", lambda: LATER)
    made = town(kind="demonstration")
    for number, (name, fact, code) in enumerate(zip(NAMES, FACTS, CODES, strict=True)):
        place = made.place(name, manager="李强" if number == 0 else None)
        hazard = enter(
            actor=made.actor("王敏"), at=AT + timedelta(days=number),
            sighting=Sighting(place_id=place.pk, code=code, fact=fact, part="后厨" if number == 0 else "", origin="patrol"),
        ).hazard  # fmt: skip
        if number == 0:
            ordered_and_applied(made, hazard)
    return made


@pytest.fixture
def as_person(city: Town, live_server: LiveServer, page: Page) -> Callable[[str, str], Page]:
    """Open a page as a person of the town."""

    def open_page(name: str, path: str) -> Page:
        page.context.clear_cookies()
        page.context.add_cookies([cookie_of(city, name, live_server.url)])  # type: ignore[list-item]
        page.goto(f"{live_server.url}{path}")
        return page

    return open_page


def test_desk_is_walked_by_keys(
    as_person: Callable[[str, str], Page],
    axe: Callable[[Page], None],
    fits: Callable[[Page], None],
    picture: Callable[[Page, str], None],
) -> None:
    page = as_person("王敏", "/")
    expect(page.locator(".duty")).to_have_count(5)
    picture(page, "desk")
    axe(page)
    fits(page)
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(".duty.row-at .duty-place")).to_have_text("阜通大街快递驿站")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("电动自行车违规充电")
    as_person("刘洋", "/")
    expect(page.locator(".state-empty")).to_be_visible()
    picture(page, "desk-empty")
    axe(page)


def test_ledger_filters_chooses_and_keeps_its_way_back(
    as_person: Callable[[str, str], Page],
    axe: Callable[[Page], None],
    fits: Callable[[Page], None],
    picture: Callable[[Page, str], None],
) -> None:
    page = as_person("王敏", "/ledger/")
    expect(page.locator("[data-row]")).to_have_count(6)
    picture(page, "ledger")
    axe(page)
    fits(page)
    page.locator(".chip summary", has_text="状态").click()
    page.get_by_role("link", name="待复查").click()
    expect(page.locator("[data-row]")).to_have_count(1)
    assert page.url.endswith("?state=awaiting_review")
    page.get_by_role("link", name="巷口面馆（望京店）").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("燃气软管老化、无切断阀")
    page.go_back()
    page.get_by_role("link", name="清除筛选").click()
    page.locator("[data-select-row]").nth(1).check()
    page.locator("[data-select-row]").nth(2).check()
    expect(page.locator("[data-bulk-count]")).to_have_text("2")
    page.locator("#bulk").get_by_role("button", name="移交").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("将 2 条移交")
    picture(page, "ledger-bulk")
    axe(page)
    fits(page)


def test_a_hazard_is_reported_by_photo_place_and_item(
    as_person: Callable[[str, str], Page],
    axe: Callable[[Page], None],
    fits: Callable[[Page], None],
    picture: Callable[[Page, str], None],
) -> None:
    page = as_person("王敏", "/report/")
    axe(page)
    fits(page)
    page.set_input_files(
        "#id_photo_before", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo_bytes(70, "a")}
    )
    page.fill("#id_q", "EST-000001")
    page.get_by_role("radio", name="巷口面馆").check()
    page.wait_for_selector("#codes optgroup[label^=餐饮场所]", state="attached")
    page.select_option("#id_code", "RG01")
    page.fill("#id_part", "地下库房")
    picture(page, "report")
    axe(page)
    page.get_by_role("button", name="上报", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("已上账")
    picture(page, "report-done")
    axe(page)
    fits(page)
    page.get_by_role("link", name="打开这条隐患").click()
    expect(page.locator(".photo-group").first.locator("img")).to_have_count(1)

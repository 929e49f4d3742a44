"""Oversight in a real browser: each planted case is reached from the desk in at most four clicks, settled, and gone from its list."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from anban.web.shell import middleware
from tests.browser.conftest import Look
from tests.factories.overseen import DAYS, plant
from tests.factories.signed import cookie_of
from tests.factories.town import AT, Town, town

pytestmark = pytest.mark.django_db(transaction=True)
NOW = AT + timedelta(days=DAYS)
MOST_CLICKS = 4


@pytest.fixture
def city(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Town:
    """The town some months later, with what the generator planted."""
    monkeypatch.setattr(middleware, "now", lambda: NOW)
    return town(kind="demonstration")


@pytest.fixture
def truth(city: Town, tmp_path: Path) -> dict[str, list[str]]:
    """What was planted, read back from the file outside the database."""
    path = tmp_path / "truth.json"
    plant(city, path, few=True)
    found: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def signed(page: Page, city: Town, live_server: LiveServer, name: str) -> None:
    page.context.add_cookies([cookie_of(city, name, live_server.url)])  # type: ignore[list-item]
    page.goto(live_server.url)


def clicks(page: Page, *names: str) -> None:
    """Go by links alone, never oftener than a person will."""
    assert len(names) <= MOST_CLICKS
    for name in names:
        page.get_by_role("link", name=re.compile(re.escape(name))).first.click()


def test_a_district_officer_reaches_every_case_settles_it_and_it_is_gone(
    window: Callable[[Look], Page], live_server: LiveServer, city: Town, truth: dict[str, list[str]]
) -> None:
    page = window(Look(1440, "light"))
    signed(page, city, live_server, "何静")

    # Like cases that were left alone: listed, put on desks, gone.
    clicks(page, "督察", "同案未办")
    for number in truth["left_alone"]:
        expect(page.get_by_text(number).first).to_be_visible()
    page.get_by_role("button", name="所选列入承办人待办").click()
    expect(page.get_by_text("没有被搁置的同类隐患")).to_be_visible()

    # A document without a measure stands red; put on a hazard it is gone from the red ones.
    (document,) = truth["red_documents"]
    page.goto(live_server.url)
    clicks(page, "督察", "批示件未落到事项", document, "落到隐患")
    page.get_by_label("隐患编号").fill(truth["left_alone"][0])
    page.get_by_label("承办单位").select_option(label="望京执法队")
    page.get_by_label("落实措施").fill("责令整改")
    page.get_by_role("button", name="落到隐患").click()
    expect(page.get_by_text(truth["left_alone"][0]).first).to_be_visible()
    page.goto(live_server.url)
    clicks(page, "督察", "批示件未落到事项")
    expect(page.get_by_text("没有批示件或上级文件")).to_be_visible()

    # A case that stands red because the unit is done and a person is not.
    (case,) = truth["red_cases"]
    page.goto(live_server.url)
    clicks(page, "督察", "问责未到人", case, "认定无责")
    page.get_by_role("button", name="认定无责").click()
    expect(page.get_by_text("单位已处理，还有")).to_have_count(0)

    # An empty post with duties.
    page.goto(live_server.url)
    clicks(page, "督察", "缺岗")
    expect(page.get_by_text("空缺").first).to_be_visible()

    # The district page: every number opens a list with as many rows.
    page.goto(live_server.url)
    clicks(page, "督察", "朝阳区")
    figures = page.locator(".figure a")
    for index in range(figures.count()):
        figure = page.locator(".figure a").nth(index)
        number = figure.locator(".figure-value").inner_text().strip()
        figure.click()
        rows = page.locator("tbody[data-rows] > tr, ul[data-rows] > li")
        expect(rows).to_have_count(min(int(number), 50))
        page.go_back()


def test_a_paper_is_issued_from_a_hazard_without_typing_and_answered_by_its_addressee(
    window: Callable[[Look], Page], live_server: LiveServer, city: Town, truth: dict[str, list[str]]
) -> None:
    office = window(Look(1440, "light"))
    signed(office, city, live_server, "何静")
    office.goto(f"{live_server.url}/ledger/")
    office.get_by_role("link", name=re.compile("面馆")).first.click()
    more = office.get_by_text("更多…")
    if more.count():
        more.first.click()
    office.get_by_role("link", name="发文").click()
    office.get_by_label("文书").select_option(label="督办单（函）")
    office.get_by_label("发往").select_option(label="望京执法队")
    office.get_by_role("button", name="编号并发文").click()
    expect(office.get_by_role("heading", name=re.compile("督办单（函）〔2026〕1号"))).to_be_visible()
    addressee = window(Look(390, "dark"))
    signed(addressee, city, live_server, "孙倩")
    addressee.locator("li.duty", has_text="督办单（函）").locator("a.duty-place").click()
    addressee.get_by_label("办理结果").fill("已责令整改")
    addressee.get_by_role("button", name="答复").click()
    expect(addressee.get_by_text("已答复").first).to_be_visible()


def test_the_pages_are_readable_at_both_widths_and_themes(
    page: Page,
    live_server: LiveServer,
    city: Town,
    truth: dict[str, list[str]],
    axe: Callable[[Page], None],
    picture: Callable[[Page, str], None],
) -> None:
    signed(page, city, live_server, "何静")
    for address in ("", "duties/", "like-cases/", "treatment/", "sanctions/", "visits/", "areas/A01/", "duties/new/"):
        page.goto(f"{live_server.url}/oversight/{address}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), address
        axe(page)
        picture(page, f"oversight-{address}")

"""The desk, the ledger and reporting in a real browser: both widths, both themes, keys, accessibility."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from anban.contexts.hazards.operations import Sighting, enter
from anban.web.shell import middleware
from tests.contexts.hazards.test_operations import ordered_and_applied, see
from tests.factories.signed import cookie_of
from tests.factories.town import AT, Town, town

pytestmark = pytest.mark.django_db(transaction=True)
LATER = AT + timedelta(days=6)
NAMES = ("巷口面馆（望京店）", "望和家园地下车库", "阜通大街快递驿站", "利泽西园幼儿园", "花家地小商品市场", "宏泰大厦")
FACTS = ("燃气软管老化、无切断阀", "电动自行车违规充电", "疏散通道堆物", "灭火器过期三具", "安全出口锁闭", "配电箱前堆放纸箱")
CODES = ("RG07", "EB01", "RG10", "NS04", "NS02", "RG04")


@pytest.fixture
def city(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Town:
    """The town with work on its desks."""
    monkeypatch.setattr(middleware, "now", lambda: LATER)
    made = town(kind="demonstration")
    for number, (name, fact, code) in enumerate(zip(NAMES, FACTS, CODES, strict=True)):
        place = made.place(name, manager="李强" if number == 0 else None)
        place.search = name.casefold()
        place.save(update_fields=["search"])
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


def test_desk_shows_one_line_per_obligation(
    as_person: Callable[[str, str], Page], axe: Callable[[Page], None], fits: Callable[[Page], None],
    picture: Callable[[Page, str], None],
) -> None:  # fmt: skip
    page = as_person("王敏", "/")
    picture(page, "desk")
    axe(page)
    fits(page)


def test_ledger(
    as_person: Callable[[str, str], Page], axe: Callable[[Page], None], fits: Callable[[Page], None],
    picture: Callable[[Page, str], None],
) -> None:  # fmt: skip
    page = as_person("王敏", "/ledger/")
    picture(page, "ledger")
    axe(page)
    fits(page)


def test_report(
    as_person: Callable[[str, str], Page], axe: Callable[[Page], None], fits: Callable[[Page], None],
    picture: Callable[[Page, str], None],
) -> None:  # fmt: skip
    page = as_person("王敏", "/report/")
    picture(page, "report")
    axe(page)
    fits(page)
    page.fill("#id_q", "面馆")
    page.wait_for_selector("#found-places input")
    page.check("#found-places input")
    page.wait_for_selector("#codes optgroup[label^=餐饮场所]", state="attached")
    picture(page, "report-found")

"""Judgement standards in a real browser: the list that says what is loaded, and the clause offered to whoever judges."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from anban.contexts.hazards.operations import act
from anban.rules.hazard_lifecycle import Action
from anban.web.shell import middleware
from tests.browser.conftest import Look
from tests.contexts.hazards.test_operations import see
from tests.factories.signed import cookie_of
from tests.factories.town import AT, Town, town

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def city(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Town:
    """The town on the day of these pages."""
    monkeypatch.setattr(middleware, "now", lambda: AT)
    made = town(kind="demonstration")
    made.hold("安志远", "市安委办", "steward", "试验市")
    return made


@pytest.mark.parametrize("look", [Look(390, "light"), Look(1440, "dark")], ids=str)
def test_the_standards_are_listed_and_their_items_offered_to_the_judge(
    city: Town, live_server: LiveServer, window: Callable[[Look], Page], look: Look, axe: Callable[[Page], None],
    fits: Callable[[Page], None], picture: Callable[[Page, str], None],
) -> None:  # fmt: skip
    page = window(look)
    page.context.add_cookies([cookie_of(city, "安志远", live_server.url)])  # type: ignore[list-item]
    page.goto(f"{live_server.url}/settings/?part=criteria")
    expect(page.get_by_role("cell", name="城镇燃气经营安全重大隐患 现行")).to_be_visible()
    axe(page)
    fits(page)
    picture(page, "standards")

    hazard = see(city, "王敏", city.place()).hazard
    act(
        actor=city.actor("王敏"), at=AT, hazard_id=hazard.pk, action=Action.SUSPECT,
        given={"body": city.bodies["朝阳城管委"].pk, "interim_control": "停气"},
    )  # fmt: skip
    page.context.clear_cookies()
    page.context.add_cookies([cookie_of(city, "赵磊", live_server.url)])  # type: ignore[list-item]
    page.goto(f"{live_server.url}/ledger/{hazard.pk}/judge/")
    box = page.locator("input[name=clause]")
    assert box.evaluate("box => box.list.options.length") > 100
    box.fill("任何别的条款也可以写")
    axe(page)
    fits(page)
    picture(page, "judge")


@pytest.mark.parametrize("look", [Look(390, "dark"), Look(1440, "light")], ids=str)
def test_the_founding_year_reads_well_and_leads_to_its_questions(
    city: Town, live_server: LiveServer, window: Callable[[Look], Page], look: Look, axe: Callable[[Page], None],
    fits: Callable[[Page], None], picture: Callable[[Page, str], None],
) -> None:  # fmt: skip
    page = window(look)
    page.context.add_cookies([cookie_of(city, "王敏", live_server.url)])  # type: ignore[list-item]
    page.goto(f"{live_server.url}/rules/year-2020/")
    axe(page)
    fits(page)
    picture(page, "year-2020")
    page.get_by_role("link", name="重算 4 起").click()
    expect(page.locator("#answer")).to_contain_text("0.9019")

"""The page of rules in a real browser: pick a rule, fill in the facts, read the answer, at both widths in both themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from anban.web.shell import middleware
from tests.factories.signed import cookie_of
from tests.factories.town import AT, town

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_official_computes_and_quotes_a_rule(
    transactional_db: None,
    monkeypatch: pytest.MonkeyPatch,
    live_server: LiveServer,
    page: Page,
    axe: Callable[[Page], None],
    fits: Callable[[Page], None],
    picture: Callable[[Page, str], None],
) -> None:
    monkeypatch.setattr(middleware, "now", lambda: AT)
    page.context.add_cookies([cookie_of(town(), "王敏", live_server.url)])  # type: ignore[list-item]
    page.goto(f"{live_server.url}/rules/")
    axe(page)
    fits(page)
    picture(page, "rules")
    page.get_by_role("link", name="事故等级", exact=True).click()
    picture(page, "rule-empty")
    page.get_by_label("死亡人数").fill("29")
    page.get_by_label("重伤人数").fill("42")
    page.get_by_label("直接经济损失").fill("很多")
    page.get_by_role("button", name="试算").click()
    expect(page.get_by_role("alert")).to_contain_text("应为数，收到的是 很多")
    axe(page)
    picture(page, "rule-refused")
    page.get_by_label("直接经济损失").fill("38318200")
    page.get_by_role("button", name="试算").click()
    expect(page.locator("#answer")).to_contain_text("重大事故")
    page.get_by_role("button", name="复制引用").click()
    axe(page)
    fits(page)
    picture(page, "rule-answer")
    page.goto(f"{live_server.url}/rules/dishonesty_listing/")
    page.locator("[name='events.0.on']").fill("2023-11-01")
    page.locator("[name='events.0.kind']").select_option("concealed_report")
    page.get_by_role("button", name="试算").click()
    expect(page.locator("#answer")).to_contain_text("6-4")
    axe(page)
    fits(page)
    picture(page, "rule-list-input")

"""The risk pages in a real browser, at both widths and in both themes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from anban.base.people.actor import job_actor
from anban.contexts.hazards.models import Cycle, Hazard
from anban.contexts.inspections.operations import record_visit
from anban.contexts.risk.operations import Looked, Seen, draw_up, publish_look
from anban.lake.assessing import assess
from anban.web.shell import middleware
from tests.browser.conftest import Look
from tests.factories.inspections import seen
from tests.factories.signed import cookie_of
from tests.factories.town import AT, Town, town

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ("巷口面馆", "福满楼饭店", "望京烧烤", "老城涮肉", "社区小厨", "云海宾馆", "宏达仓库")
KINDS = ("catering", "catering", "catering", "catering", "catering", "hotel", "warehouse")


def risky_town() -> Town:
    """Places with different pasts: failed, come back, owed, closed on several proofs, never seen."""
    made = town(kind="demonstration")
    streets = ("望京街道", "呼家楼街道", "中关村街道")
    finders = ("王敏", "郑洁", "高远")
    for number, (name, kind) in enumerate(zip(NAMES, KINDS, strict=True)):
        place = made.place(name, area=streets[number % 3], kind=kind, manager=None)
        for step in range(number % 4):
            at = AT - timedelta(days=40 + 55 * step + 7 * number)
            visit = seen(place, code=("RG05", "RG07", "RG01")[step], fact=("软管老化", "报警器断电", "无切断阀")[step])
            record_visit(actor=made.actor(finders[number % 3]), at=at, visit=visit)
    for number, cycle in enumerate(Cycle.objects.select_related("hazard").order_by("id")):
        if number % 2:
            ended = cycle.found_on + timedelta(days=12 + number)
            proof = ("on_site", "photo", "declared")[number % 3]
            Cycle.objects.filter(pk=cycle.pk).update(ended_on=ended, outcome="rectified", proof=proof)
            Hazard.objects.filter(pk=cycle.hazard_id).update(
                state="closed", is_open=False, closed_on=ended, proof=proof, watch_until=ended + timedelta(days=180)
            )
        else:
            Cycle.objects.filter(pk=cycle.pk).update(due_at=AT - timedelta(days=3 * number + 2))
    return made


def with_look(made: Town) -> None:
    """Publish a look with a warning of each sort: one to answer in an area, one of the whole city."""
    span = {"from": "2026-01-05", "until": "2026-01-24", "n": 4, "areas": [], "located": False}
    zh = "2026-01-05 起 20 天内 4 起；同样多的起数均匀散在一年里，也会这样密的机会是 0.04"
    found = tuple(
        Seen(
            method=method, kind=kind, area_path=path, level=level, p_value=0.04, zh=zh, en="rare", counted=(span, span)
        )
        for method, kind, path, level in (("scan", "燃气报警", "1/05/", "watch"), ("knox", "hazard:GAS", "", "alarm"))
    )
    looked = Looked(
        as_of=AT.date(), events=7, streams=4, expected_false_watches=0.3, expected_false_chart_alarms=0.2, found=found,
        kinds={"燃气报警": 4, "hazard:GAS": 3}, left_out=("accident",),
    )  # fmt: skip
    publish_look(actor=made.job, at=AT, looked=looked)


def test_risk_pages_are_read(
    live_server: LiveServer, window: Callable[[Look], Page], axe: Callable[[Page], None], fits: Callable[[Page], None],
    picture: Callable[[Page, str], None], monkeypatch: pytest.MonkeyPatch, tmp_path,
) -> None:  # fmt: skip
    monkeypatch.setattr(settings, "HOME", tmp_path)
    monkeypatch.setattr(middleware, "now", lambda: AT)
    made = risky_town()
    cookie = cookie_of(made, "林涛", live_server.url)
    looks = [Look(390, "dark"), Look(1440, "light")]
    pages = {str(look): window(look) for look in looks}
    for page in pages.values():
        page.context.add_cookies([cookie])  # type: ignore[list-item]
    first = pages["1440-light"]
    first.goto(f"{live_server.url}/risk/")
    picture(first, "risk-empty-1440-light")
    expect(first.get_by_text("还没有评估")).to_be_visible()
    job = job_actor("test", "town")
    earlier = assess(actor=job, at=AT, as_of=AT.date() - timedelta(days=60)).assessment
    assess(actor=job, at=AT, fresh=False)
    with_look(made)
    report = draw_up(actor=made.actor("何静"), at=AT, area_code="A01", earlier_id=earlier.pk)
    for look, page in pages.items():
        for name, path in (
            ("risk", "/risk/"),
            ("risk-list", "/risk/places/?figure=never_seen"),
            ("risk-drawn", "/risk/places/?figure=drawn"),
            ("risk-order", "/risk/order/"),
            ("risk-unseen", "/risk/unseen/"),
            ("risk-rounds", "/risk/rounds/?by=proof&name=photo"),
            ("risk-warnings", "/risk/warnings/"),
            ("risk-reports", "/risk/reports/"),
            ("risk-report", f"/risk/reports/{report.pk}/"),
        ):
            page.goto(f"{live_server.url}{path}")
            picture(page, f"{name}-{look}")
            axe(page)
            fits(page)
    first.goto(f"{live_server.url}/risk/")
    first.locator(".figures-risk").get_by_role("link", name="从未检查").click()
    expect(first.get_by_role("heading", level=1)).to_contain_text("从未检查")
    first.goto(f"{live_server.url}/risk/reports/{report.pk}/")
    first.get_by_label("您的意见").fill("望京餐饮逐户复查。")
    first.get_by_role("button", name="签发").click()
    expect(first.get_by_text("已签发")).to_be_visible()
    with first.expect_download() as download:
        first.get_by_role("link", name="导出 PDF").click()
    assert download.value.suggested_filename.endswith(".pdf")

"""The import wizard in a real browser: four steps, progress that arrives by itself, nothing lost by leaving."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from anban.base.jobs import registry
from anban.base.jobs.worker import run_once
from anban.contexts.establishments.models import Place
from anban.web.shell import middleware
from tests.factories.signed import cookie_of
from tests.factories.town import AT, Town, town

pytestmark = pytest.mark.django_db(transaction=True)
TABLE = "名称,地址,类型,街道,联系电话\n" + "".join(
    f"{n}号面馆,望京街{n}号,餐饮,{'望京街道' if n % 5 else '火星街道'},1391111{n:04d}\n" for n in range(1, 13)
)


@pytest.fixture
def city(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Town:
    """The town at its own time, with every job known."""
    monkeypatch.setattr(middleware, "now", lambda: AT)
    registry.load()
    return town(kind="demonstration")


def test_files_go_through_four_steps(
    city: Town, live_server: LiveServer, page: Page, axe: Callable[[Page], None], fits: Callable[[Page], None],
    picture: Callable[[Page, str], None],
) -> None:  # fmt: skip
    def looked_at(name: str) -> None:
        picture(page, name)
        axe(page)
        fits(page)

    page.context.add_cookies([cookie_of(city, "刘洋", live_server.url)])  # type: ignore[list-item]
    page.goto(f"{live_server.url}/import/")
    looked_at("import-choose")
    page.locator("input[type=file]").set_input_files(
        {"name": "名册.csv", "mimeType": "text/csv", "buffer": TABLE.encode()}
    )
    page.get_by_role("button", name="下一步：对应列").click()
    expect(page.locator("#c-name")).to_have_value("名称")
    looked_at("import-match")
    page.get_by_role("button", name="下一步：预览").click()
    expect(page.locator("progress")).to_be_visible()
    looked_at("import-waiting")
    run_once(["import.preview"], at=AT)
    expect(page.get_by_role("button", name="导入好的行")).to_be_visible()
    looked_at("import-preview")
    assert not Place.objects.exists()
    page.get_by_role("button", name="导入好的行").click()
    expect(page.locator("progress")).to_be_visible()
    page.goto(f"{live_server.url}/import/")
    run_once(["import.apply"], at=AT)
    page.reload()
    looked_at("import-past")
    page.locator("table a").first.click()
    expect(page.locator(".message")).to_contain_text("导入完成")
    looked_at("import-done")
    assert Place.objects.count() == 10
    with page.expect_download() as started:
        page.get_by_role("link", name="下载退回的行").click()
    assert "火星街道" in started.value.path().read_text(encoding="utf-8-sig")


MANDATES = (
    "body,role,place_kind,area,from,until\n朝阳商务局,sector_lead,postnatal_centre,A01,2026-01-01,\n"
    "没有的局,special,,A01,,\n朝阳商务局,sector_lead,hotel,A01,2026-05-01,2026-05-01\n"
)


def test_a_table_of_mandates_goes_from_its_page_through_the_same_steps(
    city: Town, live_server: LiveServer, page: Page, axe: Callable[[Page], None], fits: Callable[[Page], None],
    picture: Callable[[Page, str], None],
) -> None:  # fmt: skip
    city.place("月子会所", kind="postnatal_centre", manager=None)
    page.context.add_cookies([cookie_of(city, "何静", live_server.url)])  # type: ignore[list-item]
    page.goto(f"{live_server.url}/net/mandates/")
    page.get_by_role("link", name="导入职责表").click()
    expect(page.locator("select[name=mapping]")).to_have_value("mandates")
    picture(page, "mandates-choose")
    page.locator("input[type=file]").set_input_files(
        {"name": "职责.csv", "mimeType": "text/csv", "buffer": MANDATES.encode()}
    )
    page.get_by_role("button", name="下一步：对应列").click()
    expect(page.locator("#c-body")).to_have_value("body")
    picture(page, "mandates-match")
    page.get_by_role("button", name="下一步：预览").click()
    expect(page.locator("progress")).to_be_visible()
    run_once(["import.preview"], at=AT)
    expect(page.get_by_text("会明确 1 个场所原来空白或交叉的责任")).to_be_visible()
    expect(page.get_by_text("没有这个机构，或同名不止一个")).to_be_visible()
    expect(page.get_by_text("终止日期（不含）须晚于起始日期")).to_be_visible()
    picture(page, "mandates-preview")
    axe(page)
    fits(page)
    page.get_by_role("button", name="导入好的行").click()
    run_once(["import.apply"], at=AT)
    expect(page.locator(".message")).to_contain_text("导入完成")
    with page.expect_download() as started:
        page.get_by_role("link", name="下载退回的行").click()
    assert "没有的局" in started.value.path().read_text(encoding="utf-8-sig")
    picture(page, "mandates-done")
    page.get_by_role("link", name="看清单").click()
    expect(page).to_have_url(f"{live_server.url}/net/mandates/")

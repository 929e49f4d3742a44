"""The city overview in a real browser: the map of the 17 areas, and the wall that never scrolls."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from anban.contexts.hazards.models import Tally
from anban.contexts.territory.models import Area
from anban.contexts.territory.operations import add_root, load_beijing
from anban.contexts.territory.queries import overviews
from anban.web.shell import middleware
from tests.factories.signed import cookie_of
from tests.factories.town import AT, ON, Town

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def city(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Town:
    """Beijing's areas with a roll-up that covers all but one of them."""
    monkeypatch.setattr(middleware, "now", lambda: AT)
    made = Town("bj")
    add_root(
        actor=made.job, at=AT, code="bj", name="北京市（演示）", name_en="Beijing (demonstration)", kind="demonstration"
    )
    load_beijing(actor=made.job, at=AT, root="bj")
    made.areas["北京市"] = Area.objects.get(root_id="bj", parent__isnull=True)
    made.body("市安委办", "city_committee_office", "北京市")
    made.hold("林涛", "市安委办", "city_committee_officer", "北京市")
    known = overviews("bj", ON)
    rows = []
    for number, path in enumerate(
        Area.objects.filter(root_id="bj", level="street").order_by("path").values_list("path", flat=True)
    ):
        if known.of(path) == "110119":
            continue
        n = (number * 37) % 61 + 3
        rows.append(Tally(
            root="bj", area_path=path, overview_code=known.of(path), whole=True, made_at=AT, open=n, closed=2 * n,
            closed_on_site=n, closed_photo=n, overdue=n * (number % 3 == 0), major=n * (number % 9 == 0),
            rebound=n * (number % 7 == 0), penalised_open=n * (number % 11 == 0),
        ))  # fmt: skip
    Tally.objects.bulk_create(rows)
    return made


def test_the_board_is_read(
    city: Town, live_server: LiveServer, page: Page, axe: Callable[[Page], None], fits: Callable[[Page], None],
    picture: Callable[[Page, str], None],
) -> None:  # fmt: skip
    page.context.add_cookies([cookie_of(city, "林涛", live_server.url)])  # type: ignore[list-item]
    for name, path in (
        ("board", "/board/"),
        ("board-overdue", "/board/?figure=overdue"),
        ("board-district", "/board/110105/"),
    ):
        page.goto(f"{live_server.url}{path}")
        picture(page, name)
        axe(page)
        fits(page)
    page.goto(f"{live_server.url}/board/")
    expect(page.locator(".map-area")).to_have_count(19)
    expect(page.locator(".state-partial")).to_contain_text("17 个区中 16 个有数据")
    page.get_by_role("link", name="朝阳区").last.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("朝阳区")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_wall_never_scrolls(
    city: Town, live_server: LiveServer, chromium: Browser, theme: str, picture: Callable[[Page, str], None]
) -> None:
    context = chromium.new_context(
        viewport={"width": 1920, "height": 1080}, locale="zh-CN", color_scheme="dark" if theme == "dark" else "light"
    )
    context.add_cookies([cookie_of(city, "林涛", live_server.url)])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(f"{live_server.url}/board/?wall=1")
    picture(page, f"board-wall-{theme}")
    tall, room = page.evaluate("[document.documentElement.scrollHeight, document.documentElement.clientHeight]")
    assert tall <= room
    cut = page.evaluate(
        "[...document.querySelectorAll('.figure, .board-table tbody tr, .map-drawing, .map-note, .proofs')]"
        ".filter(e => e.getBoundingClientRect().bottom > innerHeight || e.getBoundingClientRect().right > innerWidth).length"
    )
    assert cut == 0
    expect(page.locator(".board-table tbody tr").last).to_be_visible()
    context.close()

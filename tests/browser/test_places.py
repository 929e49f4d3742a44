"""The register, one place and recording a visit in a real browser: both widths, both themes, with and without scripts."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from anban.contexts.establishments.models import Observation, Place, SourceList
from anban.contexts.establishments.operations import set_party
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import Sighting, enter
from anban.contexts.inspections.models import Visit
from anban.contexts.inspections.operations import FindingRecord, VisitRecord, record_visit
from anban.contexts.territory.queries import actor_for
from anban.web.shell import middleware
from tests.factories.signed import cookie_of
from tests.factories.town import AT, Town, town

pytestmark = pytest.mark.django_db(transaction=True)
LATER = AT + timedelta(days=40)
NAMES = ("巷口面馆（望京店）", "望和家园地下车库", "阜通大街快递驿站", "利泽西园幼儿园", "花家地小商品市场", "宏泰大厦")


@pytest.fixture
def city(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Town:
    """The town with places, hazards, visits, sources and blind spots."""
    monkeypatch.setattr(middleware, "now", lambda: LATER)
    made = town(kind="demonstration")
    source = SourceList.objects.create(root=made.root, code="gas", name="燃气用户名单")
    for number, name in enumerate(NAMES):
        place = made.place(
            name, manager="李强" if number == 0 else None, status="awaiting_demolition" if number == 4 else "operating"
        )
        for key in range(2 if number == 0 else 0):
            Observation.objects.create(
                source=source, kind="place", key=f"G-{number}-{key}", digest="0" * 64, taken_at=AT, matched_by="name_address",
                payload=json.dumps({"name": name, "address": "望京街1号", "用气类型": "瓶装"}, ensure_ascii=False),
                area_path=place.area_path, place=place,
            )  # fmt: skip
    main = Place.objects.get(name=NAMES[0])
    actor = made.actor("王敏")
    set_party(actor=actor, at=AT, place_id=main.pk, role="owner_unit", name="望京置业有限公司")
    for number, code in enumerate(("RG04", "RG07", "NS04")):
        enter(actor=actor, at=AT + timedelta(days=number), sighting=Sighting(
            place_id=main.pk, code=code, fact=("燃气软管老化、无切断阀", "灶具无熄火保护", "灭火器过期三具")[number], origin="patrol",
            part="后厨"))  # fmt: skip
    for number in range(5):
        at = AT + timedelta(days=3 + number * 7)
        record_visit(actor=actor_for(made.people["王敏"].pk, made.root, at.date(), second_factor=True), at=at, visit=VisitRecord(
            place_id=main.pk, lists=("RG",), answers={"RG01": "pass", "RG06": "absent"},
            findings=(FindingRecord(fact="软管又老化了", code="RG05"),) if number == 1 else (),
        ))  # fmt: skip
    for name in ("无证小吃店", "地下室理发店"):
        Observation.objects.create(
            source=source, kind="place", key=name, digest="0" * 64, taken_at=AT, area_path=main.area_path,
            payload=json.dumps({"name": name, "address": "花家地8号"}, ensure_ascii=False),
        )  # fmt: skip
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


def test_the_register_and_a_place_are_read(
    as_person: Callable[[str, str], Page], axe: Callable[[Page], None], fits: Callable[[Page], None],
    picture: Callable[[Page, str], None],
) -> None:  # fmt: skip
    main = Place.objects.get(name=NAMES[0]).pk
    page = as_person("刘洋", "/places/")
    expect(page.locator("[data-row]")).to_have_count(6)
    for name, path in (
        ("places", "/places/"), ("place", f"/places/{main}/"), ("place-edit", f"/places/{main}/edit/"),
        ("blind-spots", "/places/blind-spots/"), ("blind-spot", f"/places/blind-spots/{Observation.objects.get(key='无证小吃店').pk}/"),
        ("duplicates", "/places/duplicates/"), ("merge", f"/places/{main}/merge/?q=望和"), ("visits", "/visits/"),
        ("visit", f"/visits/{Visit.objects.filter(findings_count=1).get().pk}/"), ("place-new", "/places/new/"),
        ("merge-with", f"/places/{main}/merge/{Place.objects.get(name=NAMES[1]).pk}/"),
    ):  # fmt: skip
        page = as_person("刘洋", path)
        picture(page, name)
        axe(page)
        fits(page)


def test_a_visit_is_recorded(
    as_person: Callable[[str, str], Page], axe: Callable[[Page], None], fits: Callable[[Page], None],
    picture: Callable[[Page, str], None],
) -> None:  # fmt: skip
    main = Place.objects.get(name=NAMES[3]).pk
    Place.objects.filter(pk=main).update(kind="catering")
    page = as_person("王敏", f"/visits/new/?place={main}")
    expect(page.locator("#fact-RG04")).to_be_hidden()
    page.locator("#item-RG04 .answers label", has_text="不合格").click()
    expect(page.locator("#fact-RG04")).to_be_visible()
    picture(page, "visit-new")
    axe(page)
    fits(page)
    page.locator(".visit-foot button").click()
    expect(page.locator(".error-summary")).to_contain_text("RG04")
    axe(page)
    page.locator("#fact-RG04").fill("软管开裂")
    page.locator(".visit-foot button").click()
    expect(page.locator(".message")).to_contain_text("检查已记录")
    expect(page.locator(".lines")).to_contain_text("新上账")
    assert Hazard.objects.filter(fact="软管开裂").count() == 1


def test_a_visit_is_recorded_without_scripts(city: Town, live_server: LiveServer, chromium: Browser) -> None:
    main = Place.objects.get(name=NAMES[0]).pk
    context = chromium.new_context(locale="zh-CN", java_script_enabled=False, viewport={"width": 390, "height": 844})
    context.add_cookies([cookie_of(city, "王敏", live_server.url)])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(f"{live_server.url}/visits/new/?place={main}")
    page.locator("#item-RG10 .answers label", has_text="不合格").click()
    page.locator("#fact-RG10").fill("通道堆物")
    page.locator(".visit-foot button").click()
    expect(page.locator(".lines")).to_contain_text("通道堆物")
    context.close()

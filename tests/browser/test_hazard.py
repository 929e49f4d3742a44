"""The hazard page in a real browser: what it shows, its forms in a dialog, photos, accessibility at both widths and themes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from anban.base.files.operations import attach, store
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import Sighting, act, enter
from anban.rules.hazard_lifecycle import Action
from anban.web.shell import middleware
from tests.contexts.hazards.test_operations import ordered_and_applied
from tests.factories.signed import cookie_of
from tests.factories.town import AT, Town, town

pytestmark = pytest.mark.django_db(transaction=True)
REBOUND = AT + timedelta(days=40)
NOW = AT + timedelta(days=43)


def photo_bytes(shade: int, text: str) -> bytes:
    """Return a small picture that is not like any other."""
    image = Image.new("RGB", (640, 480), (shade, 200 - shade // 2, 160))
    draw = ImageDraw.Draw(image)
    draw.rectangle((120, 160, 520, 400), outline=(20, 20, 20), width=6)
    draw.text((140, 180), text, fill=(20, 20, 20))
    target = BytesIO()
    image.save(target, "JPEG")
    return target.getvalue()


def with_photo(city: Town, name: str, hazard: Hazard, purpose: str, shade: int) -> None:
    """Put a picture to a hazard."""
    actor = city.actor(name)
    stored = store(
        actor=actor, at=AT, root=city.root, stream=BytesIO(photo_bytes(shade, purpose)), name=f"IMG_{shade}.jpg"
    )
    attach(
        actor=actor, at=AT, file=stored, matter_kind="hazard", matter_id=hazard.pk, cycle_no=hazard.cycle_no,
        purpose=purpose,
    )  # fmt: skip


@pytest.fixture
def city(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Town:
    """The town on the day of these pages."""
    monkeypatch.setattr(middleware, "now", lambda: NOW)
    return town(kind="demonstration")


@pytest.fixture
def rebound(city: Town) -> Hazard:
    """A hazard that was closed once, came back, and is ordered again."""
    place = city.place("巷口面馆（望京店）")

    def see(days: int) -> Hazard:
        return enter(
            actor=city.actor("王敏"), at=AT + timedelta(days=days),
            sighting=Sighting(
                place_id=place.pk, code="RG07", fact="燃气报警器断电，软管老化、无切断阀", part="后厨灶台下", origin="patrol"
            ),
        ).hazard  # fmt: skip

    hazard = see(0)
    with_photo(city, "王敏", hazard, "before", 40)
    ordered_and_applied(city, hazard)
    with_photo(city, "李强", hazard, "after", 90)
    act(
        actor=city.actor("孙倩"), at=AT + timedelta(days=4), hazard_id=hazard.pk, action=Action.REVIEW, verdict="passed",
        given={"second_person": city.people["吴桐"].pk, "opinion": "已更换"},
    )  # fmt: skip
    hazard = see(40)
    with_photo(city, "王敏", hazard, "before", 140)
    with_photo(city, "王敏", hazard, "before", 190)
    return ordered_and_applied(city, hazard, start=41)


@pytest.fixture
def as_person(city: Town, live_server: LiveServer, page: Page) -> Callable[[str, str], Page]:
    """Open a page as a person of the town."""

    def open_page(name: str, path: str) -> Page:
        page.context.clear_cookies()
        page.context.add_cookies([cookie_of(city, name, live_server.url)])  # type: ignore[list-item]
        page.goto(f"{live_server.url}{path}")
        return page

    return open_page


def test_a_rebound_is_told_on_one_page(
    rebound: Hazard, as_person: Callable[[str, str], Page], axe: Callable[[Page], None], fits: Callable[[Page], None],
    picture: Callable[[Page, str], None],
) -> None:  # fmt: skip
    page = as_person("孙倩", f"/ledger/{rebound.pk}/?state=awaiting_review")
    expect(page.get_by_role("heading", level=1)).to_contain_text("燃气报警器断电")
    expect(page.locator(".facts-line")).to_contain_text("第1次反弹（首轮 3月6日 已整改")
    expect(page.locator(".chain")).to_contain_text("整改")
    expect(page.locator(".photo-group").first.locator("img")).to_have_count(2)
    picture(page, "hazard")
    axe(page)
    fits(page)


def test_the_form_opens_in_a_dialog_and_keeps_what_was_typed(
    rebound: Hazard, city: Town, as_person: Callable[[str, str], Page], axe: Callable[[Page], None],
    fits: Callable[[Page], None], picture: Callable[[Page, str], None],
) -> None:  # fmt: skip
    page = as_person("孙倩", f"/ledger/{rebound.pk}/")
    page.get_by_role("link", name="复查", exact=True).click()
    dialog = page.get_by_role("dialog", name="办理")
    expect(dialog).to_be_visible()
    dialog.get_by_label("意见").fill("软管已换，报警器已通电")
    dialog.get_by_role("button", name="复查").click()
    expect(dialog.locator(".error-summary")).to_be_visible()
    expect(dialog.get_by_label("意见")).to_have_value("软管已换，报警器已通电")
    picture(page, "hazard-form")
    axe(page)
    fits(page)
    dialog.get_by_label("合格", exact=True).check()
    dialog.get_by_label("到了现场，记一次检查").check()
    dialog.get_by_label("第二名人员").select_option(label="吴桐　望京执法队")
    dialog.get_by_role("button", name="复查").click()
    expect(page.locator(".pill").first).to_have_text("已销号")
    expect(page.locator("#messages")).to_contain_text("已办理")
    rebound.refresh_from_db()
    assert (rebound.state, rebound.proof) == ("closed", "on_site")
    picture(page, "hazard-closed")
    axe(page)

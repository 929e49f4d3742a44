"""A street inspector records with a phone; the persons concerned bring it to an end; it comes back; a major one is delisted."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from uuid import UUID

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from anban.base.files.models import Attachment
from anban.base.journal.verification import verify
from anban.contexts.hazards.models import Cycle, Hazard
from anban.contexts.obligations.models import Obligation
from tests.factories.signed import PASSWORD, account_of
from tests.journeys.conftest import City

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = 390


def photo(shade: int) -> dict[str, object]:
    """A picture as a phone sends it, unlike any other."""
    image = Image.new("RGB", (320, 240), (shade, 180, 160))
    ImageDraw.Draw(image).rectangle((60, 80, 260, 200), outline=(20, 20, 20), width=4)
    target = BytesIO()
    image.save(target, "JPEG")
    return {"name": f"IMG_{shade}.jpg", "mimeType": "image/jpeg", "buffer": target.getvalue()}


def sign_in(city: City, name: str, width: int) -> Page:
    """Sign in by login and password."""
    account = account_of(city.made, name)
    page = city.window(width).new_page()
    page.goto(f"{city.url}/sign-in/")
    page.get_by_label("账号").fill(account.login)
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("我的待办")
    return page


def report(page: Page, city: City, place: str, item: str, part: str, shade: int, *, suspected: str = "") -> UUID:
    """Report a hazard with a photo, from the desk to the page that says what became of it; return its id."""
    page.goto(f"{city.url}/report/")
    page.set_input_files("#id_photo_before", photo(shade))  # type: ignore[arg-type]
    page.fill("#id_q", place)
    with page.expect_response("**/report/codes/**"):
        page.get_by_role("radio", name=place).check()
    page.wait_for_function("!document.querySelector('.htmx-request, .htmx-swapping')")
    page.wait_for_selector(f'#id_code option[value="{item}"]', state="attached")
    page.select_option("#id_code", item)
    page.fill("#id_part", part)
    if suspected:
        page.check("#id_suspected")
        page.fill("#id_interim_control", suspected)
    page.get_by_role("button", name="上报", exact=True).click()
    expect(page.get_by_role("link", name="打开这条隐患")).to_be_visible()
    page.get_by_role("link", name="打开这条隐患").click()
    page.wait_for_url("**/ledger/**")
    return UUID(page.url.split("/ledger/")[1].split("/")[0])


def test_a_hazard_from_the_phone_to_its_close_and_its_rebound_with_the_first_cycle_intact(city: City) -> None:
    city.made.place()
    phone = sign_in(city, "王敏", PHONE)
    found = report(phone, city, "巷口面馆", "RG07", "后厨", 40)
    expect(phone.locator(".pill").first).to_have_text("整改中")
    expect(phone.locator(".photo-group").first.locator("img")).to_have_count(1)

    # The street's enforcement team orders; what was ordered stands on the firm's desk.
    term = (city.at + timedelta(days=7)).date().isoformat()
    city.act("孙倩", found, "责令限期整改", {"term": "other", "due_on": term, "measures": "更换报警器并联动切断阀",
                                    "basis": "北京市燃气管理条例 第二十条"})  # fmt: skip
    firm = city.as_person("李强", "/", PHONE)
    expect(firm.locator(".duty", has_text="巷口面馆")).to_be_visible()

    # Applied for, looked at and returned; applied for again and accepted, by two who went there.
    city.pass_days(2)
    city.act("李强", found, "申请复查", {"photo_after": photo(90)}, PHONE)
    city.pass_days(1)
    seen = {"on_site": "yes", "second_person": "吴桐　望京执法队"}
    returned = city.act("孙倩", found, "复查", {"verdict": "failed", "opinion": "切断阀没有动作", **seen})
    expect(returned.locator(".pill").first).to_have_text("整改中")
    city.pass_days(1)
    city.act("李强", found, "申请复查", {"photo_after": photo(120)}, PHONE)
    city.pass_days(1)
    closed = city.act("孙倩", found, "复查", {"verdict": "passed", "opinion": "已联动", **seen})
    expect(closed.locator(".pill").first).to_have_text("已销号")
    first = Cycle.objects.get(hazard=found, no=1)
    before = (first.ended_at, first.proof, first.reviews, first.acceptor_id, first.version)
    assert before[1:4] == ("on_site", 2, city.made.people["孙倩"].pk)

    # Five weeks later the inspector sees the same thing again: the same file, its second cycle.
    city.pass_days(35)
    phone = city.as_person("王敏", "/", PHONE)
    again = report(phone, city, "巷口面馆", "RG07", "后厨", 160)
    assert again == found
    expect(phone.locator(".facts-line").first).to_contain_text("第1次反弹")
    assert Hazard.objects.count() == 1
    row = Hazard.objects.get(pk=found)
    assert (row.cycle_no, row.rebound_no, row.state, row.is_open) == (2, 1, "rectifying", True)
    first.refresh_from_db()
    assert (first.ended_at, first.proof, first.reviews, first.acceptor_id, first.version) == before
    photos = Attachment.objects.filter(matter_id=found).values_list("cycle_no", "purpose")
    assert sorted(photos) == [(1, "after"), (1, "after"), (1, "before"), (2, "before")]
    expect(phone.get_by_text("第 1 轮").first).to_be_attached()
    assert Obligation.objects.filter(matter_id=found, cycle_no=2, state="open").exists()
    assert verify(processes=1).findings == []


def test_a_suspected_major_hazard_from_the_street_to_delisting_with_its_two_signatures(city: City) -> None:
    made = city.made
    made.place("望京医院", kind="hospital")
    phone = city.as_person("王敏", "/", PHONE)
    found = report(phone, city, "望京医院", "HO02", "病区东侧出口", 60, suspected="专人看守出口")
    expect(phone.locator(".pill").first).to_contain_text("疑似重大")
    # A street never judges.
    expect(phone.get_by_role("link", name="判定", exact=True)).to_have_count(0)
    city.pass_days(1)
    city.act("钱进", found, "判定", {"verdict": "major", "clause": "GB 35181 第6条", "reason": "集体讨论：出口上锁"})
    city.act("钱进", found, "录入重大隐患台账并抄报", {})
    city.act("何静", found, "挂牌督办", {"level": "district", "notice": "区安委会公告〔2026〕3号"})
    city.pass_days(3)
    due = (city.at + timedelta(days=60)).date().isoformat()
    city.act(
        "李强", found, "报送治理方案",
        {"goals": "打通出口", "methods": "换推闩锁", "funds": "3万元", "people": "后勤处", "due_on": due,
         "emergency_plan": "专人看守"}, PHONE,
    )  # fmt: skip
    city.act("何静", found, "方案审核通过", {"due_on": due})
    city.pass_days(20)
    city.act("李强", found, "治理评估", {"assessor": "消防技术服务机构", "report": "已换锁，试验合格"}, PHONE)
    city.act("李强", found, "申请验收", {}, PHONE)
    city.pass_days(2)
    accepted = city.act("钱进", found, "现场审查验收合格", {"experts": "三名专家", "on_site": True})
    expect(accepted.locator(".pill").first).to_contain_text("待摘牌")
    assert Hazard.objects.get(pk=found).is_open, "the department's signature alone ends nothing"
    # Who signed the acceptance is not offered the second signature.
    expect(accepted.get_by_role("link", name="摘牌", exact=True)).to_have_count(0)
    ended = city.act("何静", found, "摘牌", {"notice": "区安委会公告〔2026〕9号"})
    expect(ended.locator(".pill").first).to_contain_text("已")
    row, cycle = Hazard.objects.get(pk=found), Cycle.objects.get(hazard=found)
    assert (row.state, row.is_open, row.listing, row.proof) == ("closed", False, "delisted", "on_site")
    assert (cycle.acceptor_id, cycle.delister_id) == (made.people["钱进"].pk, made.people["何静"].pk)
    assert verify(processes=1).findings == []

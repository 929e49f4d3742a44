"""Who answers for what (C1, C2, C3, C10): missing persons, gaps and overlaps, joint matters, a street that whistles."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.journeys.walking import PHONE, Demonstration, today

OWN = "110105"
KINDS = {"postnatal_centre": "月子中心", "warehouse_logistics": "仓储物流", "battery_swap": "换电柜", "scripted_entertainment": "剧本娱乐", "delivery_station": "外卖站点"}  # fmt: skip
TAKES = {"postnatal_centre": "朝阳区卫生健康委员会", "warehouse_logistics": "朝阳区商务局", "battery_swap": "朝阳区城市管理委员会", "scripted_entertainment": "朝阳区文化和旅游局", "delivery_station": "朝阳区商务局"}  # fmt: skip
"""To which body each kind of place is given."""

ROWS = "tbody[data-rows] > tr"


def test_c1_a_link_without_a_person_is_on_the_desk_of_whoever_must_name_one(demonstration: Demonstration) -> None:
    walk = demonstration.desk_of("inspector2", PHONE)
    verb = "指定供应单位责任人"
    before = walk.duty(verb).count()
    assert before
    # Each link of the chain names a unit and a person; the one that does not says who has to name one.
    walk.take_up(verb).reached("责任链条", "属地", "行业主管", "专业监管", "执法主体")
    hazard = walk.page.url
    walk.link("指定责任人").reached("供应单位责任人")
    walk.fill(unit_name="京燃供气有限公司", name="周济川").send("保存", "已落实责任人")
    expect(walk.page.locator(".chain li", has_text="供应单位责任人")).to_contain_text("京燃供气有限公司 周济川")
    assert walk.page.url.partition("?")[0] == hazard.partition("?")[0]
    expect(walk.begin().duty(verb)).to_have_count(before - 1)


def test_c1_an_accident_names_its_unit_and_its_persons_each_on_a_clock_of_its_own(demonstration: Demonstration) -> None:
    (number,) = demonstration.truth("demo-oversight.json")["red_cases"]
    walk = demonstration.desk_of("districtleader")
    # Red or settled meanwhile: another story deals with the person.
    walk.go("督察").link("问责").link(number).reached("单位", "责任人", "原因环节")
    rows = walk.page.locator("tbody[data-rows]").first.locator("tr")
    assert rows.count() >= 2
    assert all(row.strip().split("\n")[0] for row in rows.all_inner_texts())


def test_c2_every_planted_gap_and_overlap_is_reached_from_the_desk_settled_and_gone(
    demonstration: Demonstration,
) -> None:
    planted = [row for row in demonstration.truth("demo-net.json") if row["area"].startswith(OWN)]
    assert {row["fault"] for row in planted} == {"gap", "overlap"}
    walk = demonstration.desk_of("committee")
    verb = "指定承担单位"
    expect(walk.duty(verb)).to_have_count(len(planted))
    for fault, tab in (("gap", "空白"), ("overlap", "交叉")):
        kinds = [KINDS[row["place_kind"]] for row in planted if row["fault"] == fault]
        walk.begin().go("监管责任").link(tab).reached(*kinds)
        expect(walk.page.locator(ROWS)).to_have_count(len(kinds))
    print(
        f"gaps and overlaps of the district: recall {len(planted)}/{len(planted)}, precision {len(planted)}/{len(planted)}"
    )

    pages = {}
    for row in planted:
        kind = KINDS[row["place_kind"]]
        walk.begin().take_up(verb, kind).reached("界定程序", kind)
        pages[kind] = walk.page.url
        expect(walk.page.locator("main").get_by_role("link", name="个场所")).to_contain_text(str(row["places"]))
        # Assigned until it is settled; the desk is rid of it, the government's meeting alone makes it net.
        body = TAKES[row["place_kind"]]
        walk.fill(**{"assign-body": body, "assign-reason": "业务相近"}).send("指定", "已指定")
        walk.fill(**{"draft-body": body, "draft-reason": "业务相近"}).send("起草方案", "已起草")
        asked = walk.page.locator('form[action$="/ask_opinions/"]')
        while (ticked := asked.locator("input[type=checkbox]:checked")).count():
            ticked.first.uncheck()
        asked.get_by_label("朝阳区商务局", exact=True).check()
        walk.send("发出征求意见", "已发出")
        expect(walk.begin().duty(verb, kind)).to_have_count(0)
    expect(walk.duty(verb)).to_have_count(0)

    bureau = demonstration.desk_of("commerce")
    for kind in pages:
        bureau.begin().take_up("提出意见", kind).reached(kind)
        bureau.page.locator("textarea").first.fill("无意见")
        bureau.send("答复", "已答复")

    for number, row in enumerate(planted, start=21):
        kind, tab = KINDS[row["place_kind"]], "空白" if row["fault"] == "gap" else "交叉"
        walk.begin().go("监管责任").link(tab).link(kind).reached("界定程序")
        walk.send("送编办", "编办")
        walk.fill(**{"to_meeting-view": "同意"}).send("提请常务会", "常务会")
        decided = {
            "decide-meeting": f"区政府第{number}次常务会议", "decide-document_no": f"朝政纪〔2026〕{number}号",
            "decide-document_on": today().isoformat(),
        }  # fmt: skip
        walk.fill(**decided).send("登记决定，职责入网", "入网")
        walk.reached(f"朝政纪〔2026〕{number}号")
    for tab in ("空白", "交叉"):
        walk.begin().go("监管责任").link(tab).reached()
        expect(walk.page.locator(ROWS)).to_have_count(0)


def test_c3_a_joint_matter_gives_each_body_its_part_and_a_transfer_is_the_senders_until_signed(
    demonstration: Demonstration,
) -> None:
    for login in ("fire", "gas", "emergency"):
        walk = demonstration.desk_of(login, PHONE)
        walk.take_up("联动办理", "启明").reached("锂电池储能场所联动")
        walk.page.locator("textarea").first.fill("已到场处置")
        walk.send("答复", "已答复")
        expect(walk.begin().duty("联动办理", "启明")).to_have_count(0)
    walk.go("监管责任").link("协同").reached()
    expect(walk.page.get_by_text("锂电池储能场所联动：启明")).to_have_count(0)

    officer = demonstration.desk_of("officer", PHONE)
    before = officer.duty("签收").count()
    officer.take_up("签收").reached("现承办", "望京街道平安建设办公室")
    officer.link("签收").reached("签收")
    officer.page.get_by_role("dialog").locator(".form-foot button[type=submit]").click()
    expect(officer.page.locator("#messages")).to_contain_text("已办理")
    expect(officer.page.locator("dl.facts div", has_text="现承办").first).to_contain_text("望京街道综合行政执法队")
    expect(officer.begin().duty("签收")).to_have_count(before - 1)


def test_c10_a_street_whistles_a_bureau_refuses_the_government_rules_and_guidance_is_given_in_writing(
    demonstration: Demonstration,
) -> None:
    street = demonstration.desk_of("office", PHONE)
    street.go("监管责任").link("协同").link("吹哨").reached("请哪些部门")
    street.fill(kind="吹哨报到", title="烂尾楼底商夜间有人居住", words="请到场核实用途", bodies=("朝阳区商务局",)).send(
        "发出", "已发出"
    )
    bureau = demonstration.desk_of("commerce")
    bureau.take_up("报到").reached("烂尾楼底商")
    bureau.page.locator("textarea").first.fill("不属本局职责")
    bureau.send("拒绝，送区政府裁定", "已送区政府裁定")
    ruler = demonstration.desk_of("districtleader")
    ruler.take_up("裁定拒绝报到").reached("不属本局职责")
    ruler.page.locator("textarea").first.fill("先到场，边界另行界定")
    ruler.send("裁定到场", "裁定已送达")
    bureau.begin().take_up("报到").reached("烂尾楼底商", "先到场")
    bureau.page.locator("textarea").first.fill("已到场，确认为仓储")
    bureau.send("已报到", "已答复")
    expect(bureau.begin().duty("报到")).to_have_count(0)

    street.begin().go("监管责任").link("协同").link("吹哨").reached("请哪些部门")
    street.fill(
        kind="业务指导", title="换电柜外置电池如何清点", words="请书面答复检查口径", bodies=("朝阳区市场监督管理局",)
    ).send("发出", "已发出")
    market = demonstration.desk_of("market")
    market.take_up("书面答复").reached("换电柜外置电池")
    market.page.locator("textarea").first.fill("按柜门数和登记台账逐一核对")
    market.send("答复", "已答复")
    street.page.reload()
    street.reached("按柜门数和登记台账逐一核对")

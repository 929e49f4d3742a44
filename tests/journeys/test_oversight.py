"""How the bodies are looked at (C4 to C9, D5): duties, instructions, like cases, sanctions, visits on a tablet, papers, persons."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import expect

from tests.journeys.walking import PHONE, TABLET, Demonstration, Walk, today

PROOF = {"name": "会议纪要.csv", "mimeType": "text/csv", "buffer": "会议,日期\n安委会,今天\n".encode()}
ROWS = "tbody[data-rows] > tr"


def figure(walk: Walk, label: str) -> int:
    """Read a figure of a page."""
    box = walk.page.locator(".figure", has_text=label).first
    return int(box.locator(".figure-value").inner_text().replace(" ", ""))


def test_c4_a_duty_falls_due_on_a_desk_and_is_done_by_evidence_not_by_a_click(demonstration: Demonstration) -> None:
    walk = demonstration.desk_of("director", PHONE)
    before = walk.duty("履行岗责").count()
    walk.take_up("履行岗责", "研究安全生产工作").reached("到期岗责与证据", "未完成")
    assert walk.page.get_by_role("button", name="已完成").count() == 0
    walk.link("证明材料").reached("证明材料")
    walk.fill(file=PROOF).send("上传", "证明材料已存入")
    walk.reached("已完成", "1 / 1 件")
    expect(walk.begin().duty("履行岗责")).to_have_count(before - 1)
    # The list of the post, with ground, period, evidence and means, is kept where its office reaches it.
    office = demonstration.desk_of("office")
    office.go("督察").link("岗责清单").link("巡查辖区单位").reached("履职证据", "手段")


def test_c4_an_empty_post_with_duties_is_seen_from_above(demonstration: Demonstration) -> None:
    (vacant,) = demonstration.truth("demo-oversight.json")["vacant_posts"]
    walk = demonstration.desk_of("city")
    walk.go("督察").link("缺岗").reached(vacant, "空缺")
    expect(walk.page.locator(ROWS)).to_have_count(1)


def test_c5_a_document_without_a_measure_is_red_and_dependence_is_for_the_office_alone(
    demonstration: Demonstration,
) -> None:
    (number,) = demonstration.truth("demo-oversight.json")["red_documents"]
    walk = demonstration.desk_of("committee")
    walk.take_up("落到事项", number).reached("未落到事项", number)
    walk.link("落到隐患")
    hazard = demonstration.truth("demo-stories.json")[1]["hazards"][0]
    walk.fill(hazard=hazard, body="望京街道综合行政执法队", requirement="责令限期整改").send("落到隐患", hazard)
    expect(walk.begin().duty("落到事项")).to_have_count(0)
    walk.go("督察").link("批示件未落到事项").reached("没有批示件或上级文件")

    (planted,) = demonstration.truth("demo-treatment.json")["dependence"]
    walk.begin().go("督察").link("批示依赖").reached("不作排名", "八里庄街道综合行政执法队")
    cells = walk.page.locator(ROWS, has_text="八里庄街道综合行政执法队").locator("td").all_inner_texts()
    assert [cells[1].split()[-1], cells[2].split()[-1]] == [str(planted["matters"]), str(planted["instructed"])]
    assert f"{planted['only_after'] / planted['matters']:.0%}" in cells[3]
    names = [row.split("\t")[0] for row in walk.page.locator(ROWS).all_inner_texts()]
    shares = [one for one in walk.page.locator(f"{ROWS} td:nth-child(4)").all_inner_texts() if "%" in one]
    assert len(names) > len(shares)
    for login in ("firehead", "districtleader", "deputy"):
        other = demonstration.desk_of(login).go("督察").reached("督察")
        assert other.page.get_by_role("link", name="批示依赖").count() == 0


def test_c6_likes_left_alone_go_on_desks_and_unequal_treatment_stands_out(demonstration: Demonstration) -> None:
    left = {
        *demonstration.truth("demo-oversight.json")["left_alone"],
        *demonstration.truth("demo-treatment.json")["left_alone"],
    }
    walk = demonstration.desk_of("committee")
    walk.go("督察").link("同案未办").reached("同类已批示")
    expect(walk.page.locator(ROWS)).to_have_count(len(left))
    shown = walk.page.locator(f"{ROWS} td:first-child").all_inner_texts()
    assert {one.split()[0] for one in shown} == left
    walk.send("所选列入承办人待办", f"{len(left)} 件已列入")
    walk.reached("没有被搁置的同类隐患")
    assert figure(walk.begin().go("督察"), "同案未办") == 0

    walk.link("同案比较").reached("有差别")
    told = walk.page.locator(ROWS, has_text="有差别").locator("td:first-child").all_inner_texts()
    assert len(told) == 2 * len(demonstration.truth("demo-treatment.json")["treatment"])
    for words in ("有批示与无批示", "双井街道综合行政执法队", "部队房产"):
        assert sum(words in one for one in told) == 2


def test_c7_the_unit_is_done_and_the_person_is_not_red_until_the_person_is_dealt_with(
    demonstration: Demonstration,
) -> None:
    (number,) = demonstration.truth("demo-oversight.json")["red_cases"]
    walk = demonstration.desk_of("committee")
    walk.take_up("问责办理", number).reached("单位已处理", "直接责任")
    walk.link("提出处理建议")
    walk.send("提出处理建议", "已登记")
    walk.link("作出处理决定").reached("文号")
    walk.fill(document_number="演安罚〔示〕8号").send("作出处理决定", "已登记")
    walk.link("登记已执行")
    walk.send("登记已执行", "已登记")
    assert walk.page.get_by_text("单位已处理").count() == 0
    expect(walk.begin().duty("问责办理", number)).to_have_count(0)
    assert figure(walk.go("督察"), "问责标红") == 0


def test_c8_a_visit_on_a_tablet_from_finding_to_looking_back_and_the_district_shows_its_debts(
    demonstration: Demonstration,
) -> None:
    (broken,) = demonstration.truth("demo-oversight.json")["promises"]
    city = demonstration.desk_of("city", TABLET)
    city.go("督察").link("朝阳区").reached("逾期事项", "责任空白", "缺岗", "督察承诺未兑现", "移交未签收", "反弹未销")
    debts = figure(city, "督察承诺未兑现")
    city.link("督察承诺未兑现").reached(broken)
    expect(city.page.locator(ROWS)).to_have_count(debts)

    city.begin().go("督察").link("朝阳区").link("新建督察").reached("督察政府和部门，不检查企业")
    city.page.get_by_role("button", name="开始督察").click()
    city.link("录入问题")
    due = (today() + timedelta(days=20)).isoformat()
    city.fill(
        fact="换电柜消防责任无人认领", requirement="明确到人", body="朝阳区商务局", promise="两周内明确", due_on=due
    ).send("录入", "问题已录入")
    city.reached("换电柜消防责任无人认领")

    bureau = demonstration.desk_of("commerce", TABLET)
    bureau.take_up("督察整改", "换电柜消防责任").reached("明确到人")
    bureau.press(bureau.page.locator(ROWS, has_text="换电柜消防责任").get_by_role("link", name="报整改"))
    bureau.reached("整改情况").fill(statement="已明确到人").send("报整改", "已登记")
    expect(bureau.begin().duty("督察整改", "换电柜消防责任")).to_have_count(0)

    city.begin().take_up("回头看", "换电柜消防责任").reached("已整改待回头看")
    city.link("退回整改").fill(note="抽问两人不知情").send("退回整改", "已登记")
    bureau.begin().take_up("督察整改", "换电柜消防责任").link("报整改")
    bureau.fill(statement="已逐人告知").send("报整改", "已登记")
    city.begin().take_up("回头看", "换电柜消防责任").link("回头看通过")
    city.send("回头看通过", "已登记")
    city.reached("回头看通过")
    expect(city.begin().duty("回头看", "换电柜消防责任")).to_have_count(0)


def test_c9_a_paper_is_numbered_addressed_due_and_answered(demonstration: Demonstration) -> None:
    # From a case of its own in four clicks; what it says comes from the ledger, nothing is typed.
    office = demonstration.desk_of("committee")
    office.go("督察").link("问责").link("YS-WZ").link("发文").reached("文书", "发往")
    office.fill(kind="约谈", to_body="朝阳区商务局")
    office.page.get_by_role("button", name="编号并发文").click()
    office.reached("约谈〔", "办理期限")
    number = office.page.get_by_role("heading", level=1).inner_text()

    bureau = demonstration.desk_of("commerce", PHONE)
    bureau.take_up("答复文书", "约谈").reached(number, "办理期限")
    bureau.fill(words="已约谈分管负责人").send("答复", "已答复")
    expect(bureau.begin().duty("答复文书", "约谈")).to_have_count(0)
    officer = demonstration.desk_of("officer", PHONE)
    officer.take_up("答复文书", "督办单").reached("办理期限")
    officer.fill(words="已责令整改").send("答复", "已答复")
    office.begin().go("督察").link("督办文书").link(number).reached("已约谈分管负责人")


def test_a_persons_figures_are_for_that_person_and_the_direct_head_on_the_page(demonstration: Demonstration) -> None:
    # One's own page: the share in time with its interval or that it cannot be told, and the mix it was made of.
    inspector = demonstration.desk_of("inspector", PHONE)
    inspector.take_up("履行岗责").reached("近一年按期办结", "95% 区间", "事项构成", "不作排名")
    address = inspector.page.url.partition("?")[0]
    for login, may in (
        ("office", True),
        ("committee", False),
        ("city", False),
        ("deputy", False),
        ("inspector2", False),
    ):
        other = demonstration.desk_of(login)
        answer = other.page.request.get(address)
        assert answer.status == (200 if may else 404), login
        assert ("近一年按期办结" in answer.text()) == may

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


def test_c4_an_empty_post_with_duties_is_seen_from_above_filled_and_gone(demonstration: Demonstration) -> None:
    vacant = demonstration.truth("demo-oversight.json")["vacant_posts"]
    walk = demonstration.desk_of("city")
    walk.go("督察").link("缺岗").reached(*vacant, "空缺")
    expect(walk.page.locator(ROWS)).to_have_count(len(vacant))
    print(f"empty posts: recall {len(vacant)}/{len(vacant)}, precision {len(vacant)}/{len(vacant)}")
    for name in vacant:
        walk.begin().go("督察").link("缺岗")
        row = walk.page.locator(ROWS, has_text=name)
        walk.press(row.locator("a").first).reached("空缺", name)
        walk.fill(name="演示新任").send("任命", "已任命")
        walk.reached("演示新任")
    walk.begin().go("督察").link("缺岗").reached("没有缺岗")


def test_c5_a_document_without_a_measure_is_red_and_dependence_is_for_the_office_alone(
    demonstration: Demonstration,
) -> None:
    (number,) = demonstration.truth("demo-oversight.json")["red_documents"]
    walk = demonstration.desk_of("committee")
    walk.go("督察").link("批示件未落到事项").reached(number)
    expect(walk.page.locator(ROWS)).to_have_count(1)
    print("documents without a measure: recall 1/1, precision 1/1")
    walk.begin().take_up("落到事项", number).reached("未落到事项", number)
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

    print(f"likes left alone: recall {len(left)}/{len(left)}, precision {len(left)}/{len(shown)}")
    walk.link("同案比较").reached("有差别")
    told = walk.page.locator(ROWS, has_text="有差别").locator("td:first-child").all_inner_texts()
    assert sorted(told) == sorted(
        ("有批示与无批示", "双井街道综合行政执法队 与同类机构", "部队房产 与其他企业")
    )  # fmt: skip
    # Measures of each group of likes: of those at the idle team's street and its likes, orders in fourteen of twenty-five.
    walk.link("看同类组与措施").reached("责令", "停用停业", "罚款", "没有措施")
    cells = walk.page.locator(ROWS, has_text="网约房").first.locator("td").all_inner_texts()
    assert [cell.split()[-1] for cell in cells[1:]] == ["25", "14", "0", "0", "11"]


def clues_of(demonstration: Demonstration) -> dict[str, str]:
    """Return what was planted for the comparisons to find: words of its title, and of its kind."""
    truth = demonstration.truth("demo-treatment.json")
    named = {
        "instruction": "有批示与无批示",
        "body": "双井街道综合行政执法队 与同类机构",
        "firm": "部队房产 与其他企业",
    }
    kinds = {"instruction": "有无批示不同办", "body": "机构间不同办", "firm": "企业间不同办"}
    planted = {named[one["what"]]: kinds[one["what"]] for one in truth["treatment"]}
    return planted | dict.fromkeys(("八里庄街道综合行政执法队 靠批示才动" for _ in truth["dependence"]), "批示依赖")


def test_c5_c6_every_planted_dependence_and_unequal_treatment_is_put_on_a_desk_or_explained_and_gone(
    demonstration: Demonstration,
) -> None:
    planted = clues_of(demonstration)
    walk = demonstration.desk_of("committee")
    # One click from the desk; the duty's line names the kind alone, the page says of whom.
    expect(walk.duty("研判线索")).to_have_count(len(planted))
    for title, kind in planted.items():
        walk.begin().take_up("研判线索", kind).reached(
            title, "待研判", "比较范围", "同类组与措施", "差别是问题线索，不是结论"
        )
    walk.begin().go("督察").link("研判线索").reached(*planted)
    shown = walk.page.locator(f"{ROWS} td:first-child").all_inner_texts()
    hits = sum(any(title in one for one in shown) for title in planted)
    print(f"dependence and unequal treatment: recall {hits}/{len(planted)}, precision {hits}/{len(shown)}")
    assert len(shown) == hits == len(planted)

    # A number opens its list; the body's paper goes to that body alone, its words come from the comparison.
    walk.begin().take_up("研判线索", "批示依赖").link("10 件").reached("涉及事项")
    expect(walk.page.locator(ROWS)).to_have_count(10)
    walk.begin().take_up("研判线索", "批示依赖").reached("83%").link("发文交办")
    expect(walk.page.locator('select[name="to_body"] option')).to_have_text(["八里庄街道综合行政执法队"])
    walk.fill(kind="提示函").send("编号并发文", "已发文 提示函")
    walk.reached("批示后才动的占", "请说明原因")
    walk.begin().take_up("研判线索", "机构间不同办").link("发文交办")
    walk.fill(kind="约谈").send("编号并发文", "已发文 约谈")
    walk.reached("贵单位承办的事项与同类机构的相比")
    walk.begin().take_up("研判线索", "有无批示不同办").link("发文交办")
    walk.fill(kind="督办单（函）", to_body="朝阳区商务局").send("编号并发文", "已发文 督办单")
    number = walk.page.get_by_role("heading", level=1).inner_text()

    # Explained: a reason without its source is refused, nothing typed is lost; then it is settled in the officer's name.
    walk.begin().take_up("研判线索", "企业间不同办").link("说明原因并办结")
    walk.fill(reason="部队房产由军队自行监管，地方只作告知")
    walk.page.get_by_role("button", name="说明并办结").click()
    expect(walk.page.locator("form.form")).to_contain_text("必填")
    expect(walk.page.locator('textarea[name="reason"]')).to_have_value("部队房产由军队自行监管，地方只作告知")
    walk.fill(source="军地分工备忘录").send("说明并办结", "已说明并办结")
    walk.reached("已说明", "军地分工备忘录")

    bureau = demonstration.desk_of("commerce", PHONE)
    bureau.take_up("答复文书", "督办单").reached(number, "有批示的与无批示的同类事项办理不同")
    bureau.fill(words="无批示的同类事项本月逐件责令", reason="人手先保批示件").send("答复", "已答复")

    # Gone from the desk and from the open list; among those dealt with, by whom, when, why, and what was answered.
    expect(walk.begin().duty("研判线索")).to_have_count(0)
    assert figure(walk.go("督察"), "研判线索") == 0
    walk.link("研判线索").reached("没有待研判的线索")
    walk.link("看已办线索").reached(
        *planted, "已交办", "已说明", "军地分工备忘录", "措施：无批示的同类事项本月逐件责令；原因：人手先保批示件"
    )
    expect(walk.page.locator(ROWS)).to_have_count(len(planted))
    for login in ("districtleader", "commerce", "firehead", "deputy"):
        other = demonstration.desk_of(login).go("督察").reached("督察")
        assert other.page.get_by_role("link", name="研判线索").count() == 0


def test_c7_the_unit_is_done_and_the_person_is_not_red_until_the_person_is_dealt_with(
    demonstration: Demonstration,
) -> None:
    (number,) = demonstration.truth("demo-oversight.json")["red_cases"]
    walk = demonstration.desk_of("committee")
    walk.go("督察").link("问责未到人").reached(number)
    expect(walk.page.locator(ROWS)).to_have_count(1)
    print("cases that stand red: recall 1/1, precision 1/1")
    walk.begin().take_up("问责办理", number).reached("单位已处理", "直接责任")
    walk.link("提出处理建议")
    walk.send("提出处理建议", "已登记")
    walk.link("作出处理决定").reached("文号")
    walk.fill(document_number="演安罚〔示〕8号").send("作出处理决定", "已登记")
    walk.link("登记已执行")
    walk.send("登记已执行", "已登记")
    assert walk.page.get_by_text("单位已处理").count() == 0
    expect(walk.begin().duty("问责办理", number)).to_have_count(0)
    assert figure(walk.go("督察"), "问责未到人") == 0
    walk.link("问责未到人").reached("没有问责案件")


def test_c8_a_visit_on_a_tablet_from_finding_to_looking_back_and_the_district_shows_its_debts(
    demonstration: Demonstration,
) -> None:
    (broken,) = demonstration.truth("demo-oversight.json")["promises"]
    city = demonstration.desk_of("city", TABLET)
    city.go("督察").link("朝阳区").reached("逾期待办", "责任空白", "缺岗", "督察承诺未兑现", "移交未签收", "反弹未销")
    assert figure(city, "督察承诺未兑现") == 1
    # The district's own officer reaches the promise that its bureau broke; the bureau makes good, the visit's leader looks back.
    office = demonstration.desk_of("committee")
    office.go("督察").link("朝阳区").link("督察承诺未兑现").reached(broken)
    expect(office.page.locator(ROWS)).to_have_count(1)
    print("broken promises of the last visit: recall 1/1, precision 1/1")
    bureau = demonstration.desk_of("commerce", TABLET)
    bureau.take_up("督察整改", "月子中心").reached(broken)
    bureau.press(bureau.page.locator(ROWS, has_text="月子中心").get_by_role("link", name="报整改"))
    bureau.fill(statement="已会同卫健委提出分工意见").send("报整改", "已登记")
    city.begin().take_up("回头看", "月子中心").link("回头看通过")
    city.send("回头看通过", "已登记")
    office.begin().go("督察").link("朝阳区").link("督察承诺未兑现").reached("没有欠账")

    city.begin().go("督察").link("朝阳区").link("新建督察").reached("督察政府和部门，不检查企业")
    city.page.get_by_role("button", name="开始督察").click()
    city.link("录入问题")
    due = (today() + timedelta(days=20)).isoformat()
    city.fill(
        fact="换电柜消防责任无人认领", requirement="明确到人", body="朝阳区商务局", promise="两周内明确", due_on=due
    ).send("录入", "问题已录入")
    city.reached("换电柜消防责任无人认领")

    bureau.begin().take_up("督察整改", "换电柜消防责任").reached("明确到人")
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

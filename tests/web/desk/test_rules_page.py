"""The page of rules: a form made from the types of every rule, answered and refused as everywhere else."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from django.test import Client

from anban.contexts.territory.operations import load_criteria
from anban.lake.warning.limits import LIMITS
from anban.rules.describing import inputs_of
from anban.rules.every import all_rules, rule_named
from anban.web.desk.rules import METHODS, words
from tests.api.test_rules import TEXT_2025
from tests.factories.town import AT, Town

pytestmark = pytest.mark.django_db


def test_every_rule_is_listed_and_has_a_form_with_all_its_inputs(signed_in: Callable[[str], Client]) -> None:
    client = signed_in("王敏")
    listed = client.get("/rules/").content.decode()
    for rule in all_rules():
        assert f'href="/rules/{rule.name}/"' in listed
        page = client.get(f"/rules/{rule.name}/").content.decode()
        for each in inputs_of(rule.facts):
            if each.inputs:
                for part in each.inputs:
                    assert f'name="{each.name}.2.{part.name}"' in page
            else:
                assert f'name="{each.name}"' in page
    assert client.get("/rules/nothing/").status_code == 404


def test_an_answer_can_be_quoted_in_both_languages(signed_in: Callable[[str], Client]) -> None:
    client = signed_in("王敏")
    question = "/rules/accident_grade/?deaths=3&serious_injuries=0&direct_loss_yuan=0&ask=1"
    page = html.unescape(client.get(question).content.decode())
    assert "安办规则 R1 事故等级（依 2007-06-01 有效的规定）" in page
    assert "结论：事故等级 较大事故" in page
    assert "依据：《生产安全事故报告和调查处理条例》第三条（法规原文）" in page
    client.post("/language/", {"language": "en", "next": "/rules/"})
    page = html.unescape(client.get(question).content.decode())
    assert "Conclusion: Grade Larger" in page
    assert "Facts: Deaths (persons) 3" in page


@pytest.mark.parametrize("name", ["poisson_change", "scan_cluster", "cusum", "unseen_hazards"])
def test_a_statistic_says_what_it_can_and_cannot_tell(signed_in: Callable[[str], Client], name: str) -> None:
    told, client = LIMITS[METHODS[name]], signed_in("王敏")
    assert "不能说明什么" not in client.get("/rules/rebound/").content.decode()
    for language, sides in (("zh-hans", (told.can_zh, told.cannot_zh)), ("en", (told.can_en, told.cannot_en))):
        client.post("/language/", {"language": language, "next": "/rules/"})
        page = html.unescape(client.get(f"/rules/{name}/").content.decode())
        assert all(side in page for side in sides)


def test_a_case_that_cannot_be_judged_says_so_and_why(signed_in: Callable[[str], Client]) -> None:
    page = signed_in("王敏").get("/rules/drill_due/?who=key_unit&last_on=2010-01-01&ask=1").content.decode()
    assert "无法判定" in page
    assert "当日没有已录入的有效条款" in page


def test_what_is_wrong_stands_beside_its_field_and_more_rows_can_be_had(signed_in: Callable[[str], Client]) -> None:
    client = signed_in("王敏")
    page = client.get("/rules/cylinder_store/?cylinders.0.kg=15&cylinders.0.count=2&cylinders.1.kg=x&ask=1")
    text = html.unescape(page.content.decode())
    assert page.status_code == 422
    assert 'href="#f-cylinders.1.kg"' in text
    assert "“每瓶充装量（千克）”应为数，收到的是 x" in text
    assert client.get("/rules/cylinder_store/?rows=9").content.decode().count('name="cylinders.8.kg"') == 1
    assert 'name="cylinders.60.kg"' not in client.get("/rules/cylinder_store/?rows=99").content.decode()
    general = client.get("/rules/criminal_transfer_clock/?ask=1")
    assert general.status_code == 422
    assert "至少要给出一个起算时刻" in general.content.decode()


def test_a_form_offers_what_a_text_may_be_by_what_the_office_has_loaded(
    city: Town, signed_in: Callable[[str], Client]
) -> None:
    client = signed_in("王敏")
    page = html.unescape(client.get("/rules/major_hazard_source/").content.decode())
    assert 'name="substances.0.name" ' in page
    assert page.count('list="l-name"') == 3
    assert '<option value="氯" label="氯 7782-50-5">' in page
    page = html.unescape(client.get("/rules/major_hazard/").content.decode())
    assert '<option value="city_gas">城镇燃气经营安全重大隐患</option>' in page
    assert '<optgroup label="工贸企业重大事故隐患">' in page
    assert "<dt>G4.1</dt><dd>未取得燃气经营许可证从事燃气经营活动</dd>" in page
    fire = html.unescape(client.get("/rules/major_fire_hazard/").content.decode())
    assert "<dt>G4.1</dt>" not in fire
    assert "2025-11-01 起" not in fire
    city.hold("安志远", "市安委办", "steward", "试验市")
    load_criteria(actor=city.actor("安志远"), at=AT, text=TEXT_2025, source="官方文本")
    fire = html.unescape(client.get("/rules/major_fire_hazard/").content.decode())
    assert "重大火灾隐患判定规则（2025）（2025-11-01 起）" in fire
    assert "<dt>5.1</dt><dd>直接判定要素</dd>" in fire
    quoted = "/rules/major_hazard/?kind=industry_trade&found_on=2026-03-01&items=T4.1&place_kind=metallurgy&ask=1"
    page = html.unescape(client.get(quoted).content.decode())
    assert "判定标准 工贸企业重大事故隐患；发现日期 2026-03-01；发现的情形（条目代码） T4.1；场所类别" in page
    assert "判定结果 重大事故隐患" in page


def test_an_enterprise_has_no_page_of_rules(city: Town, signed_in: Callable[[str], Client]) -> None:
    city.place(manager="李强")
    client = signed_in("李强")
    assert client.get("/rules/").status_code == 403
    assert client.get("/rules/accident_grade/").status_code == 403
    assert 'href="/rules/"' not in client.get("/").content.decode()


def test_words_put_every_kind_of_value_into_words() -> None:
    names = {"inspected_complete": "排查记录完整"}
    assert words(None, "", names, english=False) == "—"
    assert words(True, "", names, english=False) == "是"
    assert words(1234567, "元", names, english=False) == "1,234,567 元"
    assert words(["inspected_complete", "x"], "", names, english=False) == "排查记录完整；x"
    assert words([], "", names, english=False) == "无"
    assert words(list(range(30)), "", names, english=False).endswith("… +6")
    assert words(0.123456789, "", names, english=False) == "0.123457"
    assert rule_named("kappa").number == ""


def test_the_founding_year_is_told_with_every_figure_as_a_question(
    city: Town, signed_in: Callable[[str], Client]
) -> None:
    client = signed_in("王敏")
    page = html.unescape(client.get("/rules/year-2020/", headers={"accept-language": "zh-hans"}).content.decode())
    for told in (
        "平均 1.42 起",
        "机会是 5.6%",
        "机会是 90%",
        "达到 7 起的机会才是 5.4%",
        "走到 1.49",
        "至少要有 906 起",
        "也有 0.205",
        "只有 22% 的机会",
        "要有 147 起",
    ):
        assert told in page
    questions = re.findall(r'href="(/rules/\w+/\?[^"]+)"', page)
    assert len(questions) == 4
    answers = [html.unescape(client.get(each).content.decode()) for each in questions]
    assert all('id="answer"' in each for each in answers)
    assert "0.9019" in answers[0]
    assert "1.4939" in answers[2]
    assert "0.2049" in answers[3] or "0.205" in answers[3]
    assert "/rules/year-2020/" in client.get("/rules/").content.decode()

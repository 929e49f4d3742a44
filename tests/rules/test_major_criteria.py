"""Judgement standards of major hazards: dated tables, what found items add up to, and a file an office loads."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anban.rules import major_criteria
from anban.rules.errors import Refusal
from anban.rules.major_criteria import GENERAL, MAJOR, UNDETERMINED, judge, packaged, parse, with_loaded

CASES = list(
    csv.DictReader((Path(__file__).parent / "cases" / "major_criteria.csv").read_text(encoding="utf-8").splitlines())
)
KINDS = (
    "building_works", "chemicals", "city_gas", "culture_tourism", "elderly_care", "fire", "heritage", "industry_trade",
    "medical", "post_express", "school", "self_built_house", "special_equipment",
)  # fmt: skip
DAY = date(2024, 5, 6)
FIRE = major_criteria.in_force("fire", DAY)
assert FIRE is not None
COMBINED = [each.code for each in FIRE.items if each.combined]

LOADED = """
kind = "elderly_care"
code = "养老机构 2023"
zh = "养老机构重大事故隐患"
en = "Elderly care"
law = "养老机构重大事故隐患判定标准"
in_force_from = 2023-11-27
certainty = "verified"
partial = false
[[items]]
code = "4.1"
clause = "第四条第（一）项"
zh = "房屋鉴定为 C、D 级"
en = "building graded C or D"
"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["note"])
def test_judge_follows_the_cases(case: dict[str, str]) -> None:
    decision = judge(
        case["kind"],
        date.fromisoformat(case["found_on"]),
        case["items"].split(),
        place_kind=case["place_kind"] or None,
        exempt=bool(case["exempt"]),
    )
    assert decision.outcome == case["outcome"]
    assert decision.reasons
    assert all(each.zh and each.en for each in decision.reasons)
    if decision.outcome != UNDETERMINED:
        assert decision.sources


def test_every_kind_has_a_named_table() -> None:
    assert tuple(major_criteria.kinds()) == KINDS
    assert {each.code: len(each.items) for each in packaged() if each.loaded} == {
        "GB 35181-2017": 49, "建城规〔2023〕4号": 22, "应急管理部令第10号": 63, "安监总管三〔2017〕121号": 20, "建质规〔2024〕5号": 52,
    }  # fmt: skip
    for each in packaged():
        assert each.partial or each.loaded, "an empty table could answer not major"
        assert all(item.clause and item.zh and item.en for item in each.items)


@given(st.sampled_from(KINDS), st.dates(date(2010, 1, 1), date(2030, 12, 31)))
def test_an_empty_or_partial_table_never_says_not_major(kind: str, on: date) -> None:
    table = major_criteria.in_force(kind, on)
    outcome = judge(kind, on, []).outcome
    assert outcome != MAJOR
    assert (outcome == GENERAL) is (table is not None and table.loaded and not table.partial)


@given(st.sampled_from(list(FIRE.place_kinds)), st.lists(st.sampled_from(COMBINED), max_size=8), st.data())
def test_more_found_is_never_less_grave_and_order_does_not_matter(
    kind: str, found: list[str], data: st.DataObject
) -> None:
    first = judge("fire", DAY, found, place_kind=kind)
    mixed = data.draw(st.permutations(found + found[:2]))
    assert judge("fire", DAY, mixed, place_kind=kind) == first
    more = judge("fire", DAY, [*found, data.draw(st.sampled_from(COMBINED))], place_kind=kind)
    if first.outcome == MAJOR:
        assert more.outcome == MAJOR
    assert judge("fire", DAY, [*found, "F6.1"], place_kind=kind).outcome == MAJOR


def test_a_decision_cites_the_clauses_and_is_no_surer_than_its_items() -> None:
    decision = judge("city_gas", DAY, ["G4.1", "G8"])
    assert [each.code for each in decision.reasons] == ["criteria.direct.4.1", "criteria.direct.8"]
    assert decision.sources[0].article == "第四条第（一）项、第八条"
    assert decision.sources[0].certainty == "unconfirmed"
    assert judge("city_gas", DAY, ["G4.1"]).sources[0].certainty == "excerpt"


def test_a_loaded_file_replaces_the_table_of_its_code() -> None:
    known = with_loaded([parse(LOADED)])
    assert len(known) == len(packaged())
    assert judge("elderly_care", DAY, ["4.1"], known=known).outcome == MAJOR
    assert judge("elderly_care", DAY, [], known=known).outcome == GENERAL
    assert judge("elderly_care", date(2023, 11, 26), ["4.1"], known=known).outcome == UNDETERMINED
    assert judge("elderly_care", DAY, []).outcome == UNDETERMINED


def test_a_loaded_file_may_bring_a_kind_of_its_own_and_end_on_a_day() -> None:
    own = parse(
        LOADED.replace("elderly_care", "ski")
        .replace("养老机构 2023", "滑雪 2026")
        .replace("certainty", "in_force_until = 2024-05-06\ncertainty", 1)
    )
    known = with_loaded([own])
    assert len(known) == len(packaged()) + 1
    assert judge("ski", DAY - timedelta(days=1), ["4.1"], known=known).outcome == MAJOR
    assert judge("ski", DAY, ["4.1"], known=known).outcome == UNDETERMINED


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("kind = ", "kind "), "TOML"),
        (('en = "Elderly care"\n', ""), "en"),
        (('"verified"', '"sure"'), "certainty"),
        (("2023-11-27", '"2023-11-27"'), "in_force_from"),
        (("partial = false", "partial = 0"), "partial"),
        (("养老机构 2023", "长" * 81), "code"),
        (('clause = "第四条第（一）项"\n', ""), "items[1].clause"),
        (('code = "4.1"', 'code = "4.1"\nlevel = 1'), "items[1].level"),
        (('code = "4.1"', 'code = "4.1"\nplace_kinds = ["inn"]'), "items[1].place_kinds"),
        (('code = "4.1"', 'code = "4.1"\ncombined = "yes"'), "items[1].combined"),
        (("[[items]]", "[[combinations]]\nclause = \"1\"\nleast = 0\n[[items]]"), "combinations[1].least"),
        (("[[items]]", "[[combinations]]\nclause = \"1\"\nleast = 1\nof = [\"9\"]\n[[items]]"), "combinations[1].of"),
        (("[[items]]", "[exemption]\nclause = \"1\"\n[[items]]"), "exemption.zh"),
        (("[[items]]", "[items]"), "items"),
        (('partial = false', 'partial = false\nplace_kinds = 3'), "place_kinds"),
        (('partial = false', 'partial = false\nnote = "x"'), "note"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_by_the_key(change: tuple[str, str], named: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse(LOADED.replace(*change))
    assert caught.value.code == "criteria.file_refused"
    assert named in caught.value.zh
    assert named in caught.value.en


def test_an_item_twice_is_refused() -> None:
    item = LOADED[LOADED.index("[[items]]") :]
    with pytest.raises(Refusal, match=r"4\.1 重复"):
        parse(LOADED + item)


@pytest.mark.parametrize(
    ("kind", "found", "place_kind", "code"),
    [
        ("volcano", [], None, "criteria.kind_unknown"),
        ("fire", ["F6.11"], None, "criteria.item_unknown"),
        ("fire", [""], None, "criteria.item_unknown"),
        ("fire", ["F6.6"], "inn", "criteria.place_kind_unknown"),
        ("industry_trade", ["T7.7"], "textile", "criteria.item_elsewhere"),
    ],
)
def test_what_the_standard_does_not_have_is_refused(
    kind: str, found: list[str], place_kind: str | None, code: str
) -> None:
    with pytest.raises(Refusal) as caught:
        judge(kind, DAY, found, place_kind=place_kind)
    assert caught.value.code == code


def test_the_items_for_a_kind_of_place() -> None:
    table = major_criteria.in_force("industry_trade", DAY)
    assert table is not None
    codes = [each.code for each in table.items_for("textile")]
    assert codes == ["T3.1", "T3.2", "T3.3", "T9.1", "T9.2", "T14"]
    assert table.items_for(None) == table.items


def test_tables_handed_in_decide_for_that_question_alone() -> None:
    mine = with_loaded([parse(LOADED)])
    assert judge("elderly_care", DAY, ["4.1"], known=mine).outcome == MAJOR
    assert with_loaded([], mine) == mine
    assert judge("elderly_care", DAY, ["4.1"]).outcome == UNDETERMINED

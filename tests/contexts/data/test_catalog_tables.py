"""The packaged catalog files: complete, consistent, translated, sourced."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import pytest

from anban.contexts.catalog.data import tables

HAN = re.compile(r"[㐀-鿿]")
CERTAINTIES = {"law", "read", "recalled", "practice", "estimate"}
SIZES = {
    "RG": 12, "NS": 9, "HO": 12, "EC": 12, "KG": 10, "HT": 9, "PE": 10, "MA": 11, "WL": 11, "HB": 9, "DA": 9, "EB": 10,
    "RC": 10, "GR": 11, "CS": 11, "SW": 11, "LS": 8, "CH": 9, "LP": 8, "IM": 10, "ES": 8, "FB": 8, "UP": 8, "FF": 8,
}  # fmt: skip
COUNTS = {
    "hazard_classes": 13, "check_lists": 24, "check_items": 234, "place_kinds": 63, "industries": 72, "ten_anywhere": 10,
    "papers": 37, "sectors": 32, "body_kinds": 70, "roles": 19, "sources": 48,
}  # fmt: skip


def repeated(values: Iterable[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]


@pytest.mark.parametrize("name", COUNTS)
def test_file_has_its_rows_with_unique_codes(name: str) -> None:
    rows = getattr(tables, name)()
    assert len(rows) == COUNTS[name]
    assert repeated(row.code for row in rows) == []


def test_check_items_none_lost() -> None:
    assert Counter(item.list_code for item in tables.check_items()) == SIZES
    for code, size in SIZES.items():
        numbered = [item.code for item in tables.check_items() if item.list_code == code]
        assert numbered == [f"{code}{number:02d}" for number in range(1, size + 1)]


def test_check_items_spread_over_levels_skills_and_classes() -> None:
    items = tables.check_items()
    assert Counter(item.level for item in items) == {"suspected": 131, "general": 65, "on_spot": 38}
    assert Counter(item.skill for item in items) == {"A": 158, "B": 60, "C": 16}
    assert {item.hazard_class for item in items} == {row.code for row in tables.hazard_classes()}


def test_check_item_on_spot_default_follows_its_level() -> None:
    assert [item.code for item in tables.check_items() if item.on_spot_default != (item.level == "on_spot")] == []


def test_check_item_claims_no_law_without_a_basis() -> None:
    wrong = [item.code for item in tables.check_items() if item.dated.certainty == "law" and not item.basis]
    assert wrong == []
    assert [item.code for item in tables.check_items() if item.dated.certainty == "practice" and item.basis] == []


def test_check_item_basis_stands_by_itself() -> None:
    assert [item.code for item in tables.check_items() if "同" in item.basis or "[" in item.basis] == []


def test_check_item_basis_examples() -> None:
    by_code = {item.code: item for item in tables.check_items()}
    assert by_code["LP03"].basis == "建城规〔2023〕4号 5"
    assert by_code["CS11"].basis == "安全生产法 30;建质规〔2024〕5号 第4条"
    assert by_code["SW04"].basis == by_code["SW03"].basis == "消防法 21;安全生产法 30"
    assert by_code["HO01"].dated.source == "W4"


def test_comes_back_marks_what_people_bring_back() -> None:
    back = {item.code for item in tables.check_items() if item.comes_back}
    assert {"EB01", "EB03", "NS01", "RC01", "RC02"} <= back
    assert not {"RG05", "CS01", "HO05"} & back


def test_every_list_belongs_to_a_place_kind_and_every_kind_names_known_lists() -> None:
    lists = {row.code for row in tables.check_lists()}
    assert lists == set(SIZES)
    assert {code for kind in tables.place_kinds() for code in kind.lists} == lists


def test_bodies_named_anywhere_are_body_kinds() -> None:
    bodies = {row.code for row in tables.body_kinds()}
    named = {body for kind in tables.place_kinds() for body in (*kind.lead, *kind.members)}
    named |= {body for row in tables.hazard_classes() for body in row.special_regulator + row.may_order}
    named |= {body for row in tables.hazard_classes() for body in row.may_penalise}
    named |= {body for paper in tables.papers() for body in paper.body_kinds}
    named |= {sector.body_kind for sector in tables.sectors()}
    assert named - bodies == set()


def test_every_class_can_be_ordered_and_penalised_by_someone() -> None:
    for row in tables.hazard_classes():
        assert all((row.special_regulator, row.may_order, row.may_penalise, row.street_may)), row.code


def test_street_orders_only_by_devolved_items() -> None:
    holders = [row.code for row in tables.hazard_classes() if "street_enforcement" in row.may_order]
    assert holders == ["GAS"]
    assert not any("street_safety_office" in row.may_order for row in tables.hazard_classes())


def test_sectors_cover_known_classes_and_kinds_and_every_body_sits_in_a_known_sector() -> None:
    classes = {row.code for row in tables.hazard_classes()}
    kinds = {row.code for row in tables.place_kinds()}
    sectors = {row.code: row for row in tables.sectors()}
    for sector in sectors.values():
        assert set(sector.classes) <= classes, sector.code
        assert set(sector.place_kinds) <= kinds, sector.code
    assert set(sectors["street_all"].classes) == classes
    assert set(sectors["street_all"].place_kinds) == kinds
    assert {row.sector for row in tables.body_kinds()} - {""} <= set(sectors)


def test_special_regulator_of_a_class_holds_it_in_its_sector() -> None:
    held: dict[str, set[str]] = {}
    for sector in tables.sectors():
        held.setdefault(sector.body_kind, set()).update(sector.classes)
    missing = {
        (row.code, body)
        for row in tables.hazard_classes()
        for body in row.special_regulator
        if row.code not in held.get(body, set())
    }
    assert missing == set()


def test_lead_of_a_kind_holds_it_in_its_sector() -> None:
    held: dict[str, set[str]] = {}
    for sector in tables.sectors():
        held.setdefault(sector.body_kind, set()).update(sector.place_kinds)
    missing = {
        (kind.code, body)
        for kind in tables.place_kinds()
        for body in kind.lead
        if kind.code not in held.get(body, set())
    }
    assert missing == set()


def test_high_risk_six_are_six() -> None:
    marked = {kind.code for kind in tables.place_kinds() if kind.high_risk_six}
    assert marked == {
        "hospital", "elderly_care", "heritage", "warehouse_logistics", "ebike_parking", "demolition_area",
    }  # fmt: skip


def test_ten_anywhere_name_items_of_their_class() -> None:
    items = {item.code: item for item in tables.check_items()}
    for row in tables.ten_anywhere():
        assert items[row.item].hazard_class == row.hazard_class, row.code
        assert set(row.also) <= set(items), row.code


def test_regulators_have_each_purpose_once_and_street_staff_cannot_order() -> None:
    purposes = Counter((paper.body_kinds, paper.purpose) for paper in tables.papers() if paper.body_kinds)
    assert set(purposes.values()) == {1}
    street = [paper for paper in tables.papers() if paper.body_kinds == ("street_safety_office",)]
    assert {paper.purpose for paper in street} == {"check", "advise", "review", "stop"}
    assert not any(paper.binding for paper in street)


def test_aliases_and_industry_prefixes_are_unambiguous() -> None:
    assert repeated(alias.casefold() for kind in tables.place_kinds() for alias in kind.aliases) == []
    assert repeated(prefix for kind in tables.place_kinds() for prefix in kind.gbt4754) == []


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("老王面馆", "catering"),
        ("福寿养老院", "elderly_care"),
        ("某某电竞酒店", "esports_hotel"),
        ("小区便利店", "small_place"),
        ("Grocery Store", "small_place"),
        ("RESTAURANTS", "catering"),
        ("Barbershop", None),
        ("", None),
    ],
)
def test_recognised_kind_takes_the_longest_alias(words: str, kind: str | None) -> None:
    assert tables.recognised_kind(words, tables.place_kinds()) == kind


@pytest.mark.parametrize(
    ("code", "kind"), [("6210", "catering"), ("8310", "school"), ("3610", "industrial"), ("6600", None)]
)
def test_kind_of_industry_takes_the_longest_prefix(code: str, kind: str | None) -> None:
    assert tables.kind_of_industry(code, tables.place_kinds()) == kind


def test_industries_cover_the_sections_and_sit_in_one() -> None:
    rows = tables.industries()
    assert "".join(row.code for row in rows if row.level == "section") == "ABCDEFGHIJKLMNOPQRST"
    assert all(len(row.section) == 1 for row in rows if row.level != "section")
    assert {len(row.code): row.level for row in rows if row.code.isdigit()} == {2: "division", 3: "group", 4: "class"}


def test_roles_privileged_are_those_that_change_rights_or_answer_for_a_body() -> None:
    privileged = {role.code for role in tables.roles() if role.privileged}
    assert {"system_admin", "security_admin", "audit_admin", "steward", "leader_viewer"} <= privileged
    assert not {"safety_inspector", "enterprise_manager", "community_contact"} & privileged


@pytest.mark.parametrize("name", [name for name in COUNTS if name != "sources"])
def test_english_is_there_and_has_no_han(name: str) -> None:
    for row in getattr(tables, name)():
        assert row.en.strip(), row.code
        assert not HAN.search(row.en), row.code
        assert HAN.search(row.zh), row.code


def test_check_items_say_how_to_check_in_both_languages() -> None:
    for item in tables.check_items():
        assert HAN.search(item.how_zh), item.code
        text = item.how_en.replace("企安安", "")
        assert text.strip(), item.code
        assert not HAN.search(text), item.code


@pytest.mark.parametrize("name", [name for name in COUNTS if name != "sources"])
def test_every_row_names_known_sources_and_its_certainty(name: str) -> None:
    known = {row.code for row in tables.sources()}
    for row in getattr(tables, name)():
        origin = getattr(row, "dated", row)
        assert set(origin.source.split(";")) <= known, row.code
        assert origin.certainty in CERTAINTIES, row.code

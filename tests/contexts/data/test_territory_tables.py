"""The packaged area files: counts, one tree, English names, management areas on known streets."""

from __future__ import annotations

from collections import Counter

import pytest

from anban.contexts.territory.data import tables

DEPTH = {"city": 1, "district": 2, "street": 3, "community": 4}


def test_beijing_has_its_areas() -> None:
    areas = tables.beijing_areas()
    assert Counter(area.level for area in areas) == {"city": 1, "district": 16, "street": 349, "community": 7535}
    assert len({area.code for area in areas}) == 7901


def test_areas_are_one_tree_with_parents_before_children() -> None:
    seen: dict[str, str] = {}
    for area in tables.beijing_areas():
        path = tables.path_of(area.code)
        assert path.count("/") == DEPTH[area.level], area.code
        assert path == (seen[area.parent_code] if area.parent_code else "") + f"{area.code}/", area.code
        seen[area.code] = path
    assert [code for code, path in seen.items() if path.count("/") == 1] == ["110000"]


def test_every_district_has_streets_and_every_street_communities() -> None:
    parents = {area.parent_code for area in tables.beijing_areas()}
    assert [
        area.code for area in tables.beijing_areas() if area.level != "community" and area.code not in parents
    ] == []


def test_english_names_are_there() -> None:
    areas = tables.beijing_areas()
    assert [area.code for area in areas if not area.en.strip() or not area.en.isascii()] == []
    assert [area.code for area in areas if not area.short_name or not area.name.startswith(area.short_name[:1])] == []
    repeated = Counter((area.parent_code, area.en) for area in areas)
    assert max(repeated.values()) == 1


@pytest.mark.parametrize(
    ("code", "en", "short_name"),
    [
        ("110101", "Dongcheng District", "东城"),
        ("110102001", "Xichang'anjie Subdistrict", "西长安街"),
        ("110102013", "Dashilan Subdistrict", "大栅栏"),
        ("110112106", "Huoxian Town", "漷县"),
        ("110115111", "Zhangziying Town", "长子营"),
        ("110106015", "Majiapu Subdistrict", "马家堡"),
        ("110113110", "Zhangzhen Town", "张"),
        ("110117214", "Xiong'erzhai Township", "熊儿寨"),
        ("110115403", "Beijing Economic-Technological Development Area", "北京经济技术开发区"),
    ],
)
def test_known_names(code: str, en: str, short_name: str) -> None:
    area = {area.code: area for area in tables.beijing_areas()}[code]
    assert (area.en, area.short_name) == (en, short_name)


def test_placeholders_and_zones_are_marked() -> None:
    kinds = Counter(area.kind for area in tables.beijing_areas())
    assert (kinds["placeholder"], kinds["zone"], kinds["residential_area"]) == (5, 6, 26)
    assert all(area.note for area in tables.beijing_areas() if area.kind in {"placeholder", "zone"})


def test_management_areas_lie_on_known_streets_and_no_street_has_two() -> None:
    streets = {area.code for area in tables.beijing_areas() if area.level == "street"}
    managed: list[str] = []
    for area in tables.management_areas():
        assert set(area.street_codes + area.possible_street_codes + area.partial_street_codes) <= streets, area.code
        assert area.street_codes or area.partial_street_codes, area.code
        assert area.en.isascii(), area.code
        assert all((area.source, area.certainty)), area.code
        managed += area.street_codes
    assert max(Counter(managed).values()) == 1


def test_economic_zone_is_the_seventeenth_area_of_overviews() -> None:
    shown = [area for area in tables.management_areas() if area.in_overview]
    assert [(area.code, area.street_codes) for area in shown] == [("BDA", ("110115403",))]
    yanshan = next(area for area in tables.management_areas() if area.code == "YANSHAN")
    assert yanshan.street_codes == ("110111004", "110111005", "110111006", "110111007")


@pytest.mark.parametrize("code", ["", "1101", "11010100", "11010a", "1101010010021"])
def test_path_of_refuses_what_is_no_area_code(code: str) -> None:
    with pytest.raises(ValueError, match="not an area code"):
        tables.path_of(code)

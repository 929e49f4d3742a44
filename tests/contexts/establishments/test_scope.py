"""What each relation between an actor and a place lets it see, and how many queries a list costs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from anban.base.people.actor import Actor, Grant, job_actor
from anban.contexts.establishments import queries
from anban.contexts.establishments.models import Place
from anban.contexts.establishments.operations import merge
from anban.contexts.establishments.queries import Filters
from tests.factories.establishments import AT, Town, actor_with, make_place, make_town, person_id, valid_code

pytestmark = pytest.mark.django_db
Counting = Callable[[int], AbstractContextManager[object]]


@pytest.fixture
def town() -> Town:
    return make_town()


def names(actor: Actor) -> set[str]:
    seen = {p.name for p in queries.visible_to(actor)}
    parts = [p.name for part in queries.arms(actor) for p in part]
    assert sorted(parts) == sorted(seen), "the arms are disjoint and together what is visible"
    assert {p.name for p in queries.page(actor, Filters()).rows} == seen
    assert queries.count(actor, Filters()).rows == len(seen)
    return seen


@pytest.fixture
def places(town: Town) -> dict[str, Place]:
    other = make_town("other")
    made = {
        f"{area} {kind}": make_place(town, area, f"{area} {kind}", kind=kind)
        for area in ("E1", "E2", "W1")
        for kind in ("catering", "school")
    }
    made["elsewhere"] = make_place(other, "E1", "elsewhere", kind="catering")
    return made


def everything(places: dict[str, Place]) -> set[str]:
    return set(places) - {"elsewhere"}


def test_own_street_is_seen_and_nothing_beside_it(places: dict[str, Place]) -> None:
    assert names(actor_with("safety_inspector", "1/E/1/")) == {"E1 catering", "E1 school"}


def test_parent_district_sees_its_streets(places: dict[str, Place]) -> None:
    assert names(actor_with("district_committee_officer", "1/E/")) == {n for n in everything(places) if n[0] == "E"}


def test_child_area_does_not_see_what_is_above_or_beside(places: dict[str, Place]) -> None:
    assert names(actor_with("community_contact", "1/E/1/7/")) == set()


def test_whole_root_is_its_own_root_only(places: dict[str, Place]) -> None:
    assert names(actor_with("city_committee_officer")) == everything(places)
    assert names(job_actor("night", "town")) == everything(places)
    assert names(job_actor("night", "other")) == {"elsewhere"}


def test_grant_of_another_root_opens_nothing(places: dict[str, Place]) -> None:
    grant = Grant(root="other", role="steward")
    assert names(Actor(person_id=person_id("x"), root="town", grants=(grant,))) == set()


def test_actor_without_grants_sees_nothing(places: dict[str, Place]) -> None:
    actor = Actor(person_id=person_id("x"), root="town")
    assert names(actor) == set()
    assert queries.place(actor, places["E1 school"].pk) is None
    assert queries.file_of(actor, places["E1 school"].pk) is None


def test_sector_limits_by_kind_of_place(places: dict[str, Place]) -> None:
    assert names(actor_with("district_regulator", "1/E/", kinds=["school"])) == {"E1 school", "E2 school"}
    assert names(actor_with("district_regulator", kinds=["-"])) == set()


def test_sector_of_hazard_classes_alone_sees_every_kind(places: dict[str, Place]) -> None:
    assert names(actor_with("district_regulator", "1/W/", classes=["GAS"])) == {"W1 catering", "W1 school"}


def test_overlapping_grants_show_each_place_once(places: dict[str, Place]) -> None:
    actor = Actor(
        person_id=person_id("x"), root="town",
        grants=(
            Grant(root="town", role="safety_inspector", paths=("1/E/1/",)),
            Grant(root="town", role="district_regulator", paths=("1/E/",), kinds=frozenset({"school"})),
            Grant(root="town", role="district_regulator", paths=("1/",), kinds=frozenset({"catering", "school"})),
            Grant(root="town", role="district_regulator", paths=("1/W/",), kinds=frozenset({"school"})),
            Grant(root="town", role="enterprise_manager", place_id=places["E1 school"].pk),
        ),
    )  # fmt: skip
    assert names(actor) == everything(places)


def test_firm_sees_its_own_place_and_follows_its_merge(town: Town, places: dict[str, Place]) -> None:
    firm = actor_with("enterprise_manager", place_id=places["E1 school"].pk)
    assert names(firm) == {"E1 school"}
    merge(actor=job_actor("x", "town"), at=AT, survivor_id=places["E2 school"].pk, absorbed_id=places["E1 school"].pk)
    assert {p.name for p in queries.page(firm, Filters()).rows} == {"E2 school"}
    assert {p.name for p in queries.visible_to(firm)} == {"E1 school", "E2 school"}


def test_matter_grant_opens_no_list_of_places(places: dict[str, Place]) -> None:
    grant = Grant(root="town", role="district_regulator", matter_id=places["E1 school"].pk)
    assert names(Actor(person_id=person_id("x"), root="town", grants=(grant,))) == set()


@pytest.mark.parametrize("rows", [1, 3])
def test_list_costs_the_same_queries_for_one_and_three_rows(
    town: Town, rows: int, django_assert_num_queries: Counting
) -> None:
    building = make_place(town, name="大厦", form="building")
    for n in range(rows):
        make_place(town, name=f"店{n}", building_id=building.pk)
    actor = actor_with("safety_inspector", "1/E/1/")
    with django_assert_num_queries(2):
        found = queries.page(actor, Filters()).rows
        assert len([p.area.name for p in found]) == rows + 1
        assert {p.building.name for p in found if p.building} == {"大厦"}
    with django_assert_num_queries(1):
        assert queries.count(actor, Filters()).rows == rows + 1


@pytest.mark.parametrize("rows", [1, 3])
def test_file_costs_the_same_queries_for_one_and_three_tenants(
    town: Town, rows: int, django_assert_num_queries: Counting
) -> None:
    building = make_place(town, name="大厦", form="building")
    for n in range(rows):
        make_place(town, name=f"店{n}", building_id=building.pk)
    with django_assert_num_queries(8):
        found = queries.file_of(actor_with("safety_inspector", "1/E/1/"), building.pk)
    assert found is not None
    assert len(found.tenants) == rows


def test_pages_follow_each_other_without_gap_or_repeat(town: Town) -> None:
    made = [make_place(town, area, f"{area}{n}").number for n in range(4) for area in ("E1", "W1")]
    actor = Actor(
        person_id=person_id("x"), root="town",
        grants=(Grant(root="town", role="r", paths=("1/E/1/",)), Grant(root="town", role="r", paths=("1/W/1/",))),
    )  # fmt: skip
    got: list[str] = []
    after = ""
    for _ in range(9):
        one = queries.page(actor, Filters(), after, 3)
        got += [p.number for p in one.rows]
        after = one.next
        if not after:
            break
    assert got == made[::-1]


def test_count_is_exact_up_to_its_limit_and_then_says_more(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(4):
        make_place(town, name=f"店{n}")
    actor = actor_with("steward")
    monkeypatch.setattr(queries, "COUNTED_EXACTLY", 4)
    assert str(queries.count(actor, Filters())) == "4"
    monkeypatch.setattr(queries, "COUNTED_EXACTLY", 3)
    assert queries.count(actor, Filters()) == queries.Count(3, more=True)
    assert str(queries.count(actor, Filters())) == "10 000+"
    assert queries.count(actor, Filters(), exact=True).rows == 4


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"area": "E"}, {"甲", "乙"}),
        ({"area": "E1"}, {"甲"}),
        ({"area": "nowhere"}, set()),
        ({"overview": "W"}, {"丙"}),
        ({"kind": "school"}, {"乙"}),
        ({"kind": "school,warehouse"}, {"乙", "丙"}),
        ({"status": "stopped"}, {"丙"}),
        ({"status": "no such"}, set()),
        ({"affiliation": "central"}, {"甲"}),
        ({"building": "not an id"}, set()),
        ({"source": "nobody"}, set()),
        ({"q": "和平 福"}, {"甲"}),
        ({"q": "ＦＵ-Man"}, {"乙"}),
        ({"q": "%"}, set()),
        ({"q": "没有"}, set()),
        ({"unknown": "x"}, {"甲", "乙", "丙"}),
    ],
)
def test_filters_leave_what_they_say(town: Town, query: dict[str, str], found: set[str]) -> None:
    make_place(town, "E1", "甲", address="和平路 福满楼", affiliation="central")
    make_place(town, "E2", "乙", address="Fu Man Lou", kind="school")
    make_place(town, "W1", "丙", address="x", kind="warehouse", status="stopped")
    actor = actor_with("steward")
    filters = Filters.of(query)
    assert {p.name for p in queries.page(actor, filters).rows} == found
    assert queries.count(actor, filters).rows == len(found)


def test_search_finds_a_whole_number_and_a_whole_credit_code(town: Town) -> None:
    place = make_place(town, name="甲", credit_code=valid_code(7))
    make_place(town, name="乙")
    actor = actor_with("steward")
    assert [p.name for p in queries.page(actor, Filters(q=place.number)).rows] == ["甲"]
    assert [p.name for p in queries.page(actor, Filters(q=valid_code(7).lower())).rows] == ["甲"]


def test_filters_and_their_url_say_the_same() -> None:
    filters = Filters(area="E1", q="福 楼", status="stopped")
    assert filters.query == "area=E1&status=stopped&q=%E7%A6%8F+%E6%A5%BC"
    assert filters.without("q").query == "area=E1&status=stopped"


def test_possible_duplicates_say_why(town: Town) -> None:
    one = make_place(town, name="福满楼饭店", address="和平路1号", lng=116.4, lat=39.9)
    make_place(town, name="福满楼 饭店（东店）", address="别处", lng=116.4003, lat=39.9)
    make_place(town, name="福满楼饭店", address="北京市小城和平路1号")
    make_place(town, name="远方学校", address="远方路9号", lng=116.5, lat=39.9)
    make_place(town, "W1", name="福满楼饭店", address="和平路1号")
    found = queries.possible_duplicates(actor_with("steward"), one)
    assert sorted(d.reasons for d in found) == [("name_address",), ("position",)]
    assert queries.possible_duplicates(actor_with("safety_inspector", "1/W/"), one) != found


def test_possible_duplicates_by_credit_code_reach_every_street(town: Town) -> None:
    one = make_place(town, name="甲", address="", credit_code=valid_code(1))
    make_place(town, "W1", name="乙", address="", credit_code=valid_code(1))
    assert [d.reasons for d in queries.possible_duplicates(actor_with("steward"), one)] == [("credit_code",)]

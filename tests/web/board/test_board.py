"""The city overview: every number equals the count of the list it opens, for whoever looks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from anban.base.people.actor import Actor, Grant
from anban.contexts.hazards import queries
from anban.contexts.hazards.figures import Figures, board_of
from anban.contexts.hazards.models import Hazard, Tally
from anban.contexts.hazards.operations import Sighting, act, enter, tally
from anban.rules.hazard_lifecycle import Action, State
from anban.web.board.board import FIGURES, PROOFS, list_filters
from anban.web.desk.ledger import parsed
from tests.factories.town import AT, ON, Town
from tests.web.board.conftest import Clock

pytestmark = pytest.mark.django_db
Enter = Callable[[str], Client]
STREETS = ("望京街道", "呼家楼街道", "中关村街道")
FINDERS = {"望京街道": "王敏", "呼家楼街道": "郑洁", "中关村街道": "高远"}
OVERVIEWS = {"望京街道": "A01", "呼家楼街道": "A01", "中关村街道": "A02"}
LINK = re.compile(r'href="(/ledger/\?[^"]*)"[^>]*>(?:<span class="figure-label">[^<]*</span>)?(.*?)</a>', re.S)


def fill(city: Town, number: int = 2) -> list[Hazard]:
    """Put hazards of several kinds and fates into three streets, some found by strangers to the street."""
    made = []
    for street in STREETS:
        place = city.place(f"{street}的面馆", area=street, manager=None)
        place.overview_code = OVERVIEWS[street]
        place.save(update_fields=["overview_code"])
        for each in range(number):
            for code in ("RG04", "FB02", "NS01"):
                seen = Sighting(
                    place_id=place.pk, fact=f"{code}-{each}", code=code, part=f"{each}层", origin="patrol",
                    grade="suspected_major" if code == "NS01" and each else "",
                )  # fmt: skip
                row = enter(actor=city.actor(FINDERS[street]), at=AT, sighting=seen).hazard
                row.refresh_from_db()
                if not each:
                    # Whoever found it may have moved to another street since.
                    row.finder_id = city.actor("王敏").person_id
                made.append(row)
    for at, row in enumerate(made):
        if at % 3 == 0:
            row.due_at = AT - timedelta(days=1)
        if at % 4 == 1:
            row.penalised = True
        if at % 5 == 2:
            row.rebound_no = 1
        if at % 6 == 5:
            row.is_open, row.state, row.closed_on = False, State.CLOSED.value, AT.date()
            row.proof = ("on_site", "photo", "declared")[at % 3]
        row.save()
    return made


def counted(actor: Actor, href: str) -> str:
    """Return the count of the list that an address opens, as a page writes it."""
    query = dict(parse_qsl(urlsplit(unescape(href)).query))
    return str(queries.count(actor, parsed(query), at=AT, exact=True))


def links(page: str) -> Iterator[tuple[str, str]]:
    """Return every link into the ledger with the number it shows."""
    for href, inner in LINK.findall(page):
        words = re.sub(r"<[^>]+>", " ", inner).split()
        if words and words[-1].isdecimal():
            yield href, words[-1]


@pytest.mark.parametrize("name", ["王敏", "郑洁", "高远", "赵磊", "钱进", "周航", "何静", "林涛", "孙倩"])
def test_every_number_equals_the_count_of_the_list_it_opens(city: Town, signed_in: Enter, name: str) -> None:
    fill(city)
    tally(actor=city.job, at=AT)
    client, actor = signed_in(name), city.actor(name)
    pages = ["/board/", "/board/?figure=overdue", "/board/?wall=1", "/board/A01/", "/board/A02/"]
    seen = 0
    for path in pages:
        answer = client.get(path)
        assert answer.status_code in {200, 404}, path
        for href, number in links(answer.content.decode()):
            seen += 1
            assert counted(actor, href) == number, (path, href)
    assert seen >= 15


ROLES = st.sampled_from(
    [
        "safety_inspector",
        "street_safety_office",
        "district_regulator",
        "district_committee_officer",
        "city_committee_officer",
    ]
)
GRANTS = st.lists(
    st.tuples(
        ROLES,
        st.lists(
            st.sampled_from(["1/05/026/", "1/05/004/", "1/05/", "1/08/", "1/08/010/", "1/", "1/05/026/001/"]),
            max_size=2,
        ),
        st.sets(st.sampled_from(["GAS", "FIRE"]), max_size=2),
        st.sets(st.sampled_from(["catering", "warehouse"]), max_size=1),
    ),
    max_size=3,
)


@pytest.fixture
def filled(city: Town) -> Town:
    """The town with hazards and a fresh roll-up."""
    fill(city)
    tally(actor=city.job, at=AT)
    return city


@given(GRANTS, st.sampled_from(["王敏", "高远", ""]), st.booleans())
def test_any_actor_s_figures_equal_its_lists(
    filled: Town, grants: list[tuple[str, list[str], set[str], set[str]]], who: str, fresh: bool
) -> None:
    person: UUID | None = filled.people[who].pk if who else filled.people["宋岩"].pk
    actor = Actor(
        person_id=person, root=filled.root,
        grants=tuple(
            Grant(root=filled.root, role=role, paths=tuple(paths), classes=frozenset(classes), kinds=frozenset(kinds))
            for role, paths, classes, kinds in grants
        ),
    )  # fmt: skip
    found = board_of(actor, at=AT if fresh else AT + timedelta(hours=2))
    at = found.made_at
    assert at is not None
    for figure in (*FIGURES, *PROOFS):
        total = queries.count(actor, list_filters(figure), at=at, exact=True).number
        assert getattr(found.total, figure) == total, figure
        for code, figures in found.by_overview().items():
            if code:
                listed = queries.count(actor, list_filters(figure, overview=code), at=at, exact=True).number
                assert getattr(figures, figure) == listed, (figure, code)


def test_the_board_says_when_it_was_summed_and_counts_live_when_that_is_long_ago(
    city: Town, signed_in: Enter, clock: Clock
) -> None:
    fill(city)
    assert "即时统计于" in signed_in("林涛").get("/board/").content.decode()
    tally(actor=city.job, at=AT)
    clock.at = AT + timedelta(minutes=30)
    assert "汇总于" in signed_in("林涛").get("/board/").content.decode()
    clock.at = AT + timedelta(minutes=61)
    assert "即时统计于" in signed_in("林涛").get("/board/").content.decode()


def test_a_large_scope_says_that_its_figures_are_old(
    city: Town, signed_in: Enter, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anban.contexts.hazards.figures.SMALL", 3)
    fill(city)
    assert "汇总还没有生成" in signed_in("林涛").get("/board/").content.decode()
    tally(actor=city.job, at=AT)
    clock.at = AT + timedelta(hours=3)
    page = signed_in("林涛").get("/board/").content.decode()
    assert "超过一小时" in page
    assert "汇总于" in page


def test_a_neighbor_street_is_not_counted(city: Town, signed_in: Enter) -> None:
    fill(city, number=1)
    tally(actor=city.job, at=AT)
    Tally.objects.filter(area_path="1/05/026/").update(open=500)
    page = signed_in("高远").get("/board/")
    assert "500" not in page.content.decode()
    assert [row.name for row in page.context["streets"]] == ["中关村街道"]
    assert signed_in("高远").get("/board/A01/").status_code == 404
    assert signed_in("林涛").get("/board/NOWHERE/").status_code == 404


def test_an_empty_city_says_how_to_begin(city: Town, signed_in: Enter) -> None:
    page = signed_in("林涛").get("/board/").content.decode()
    assert "还没有隐患" in page
    assert "/report/" in page


def test_partial_data_is_said(city: Town, signed_in: Enter) -> None:
    place = city.place("面馆", manager=None)
    enter(
        actor=city.actor("王敏"), at=AT, sighting=Sighting(place_id=place.pk, fact="软管", code="RG04", origin="patrol")
    )
    page = signed_in("林涛").get("/board/").content.decode()
    assert "2 个区中 1 个有数据" in page


def test_streets_stand_in_the_order_of_their_debt(city: Town, signed_in: Enter) -> None:
    fill(city, number=1)
    Hazard.objects.update(due_at=None)
    Hazard.objects.filter(area_path="1/08/010/").update(due_at=AT - timedelta(days=2))
    page = signed_in("林涛").get("/board/")
    assert page.context["streets"][0].name == "中关村街道"
    assert page.context["districts"][0].name == "海淀区"


def test_the_proof_of_closes_is_shown_apart(city: Town, signed_in: Enter) -> None:
    fill(city)
    found = board_of(city.actor("林涛"), at=AT).total
    assert found.closed == found.closed_on_site + found.closed_photo + found.closed_declared
    page = signed_in("林涛").get("/board/").content.decode()
    assert page.count("/ledger/?proof=") >= 3


def test_a_firm_has_no_board(city: Town, signed_in: Enter) -> None:
    city.place()
    assert signed_in("李强").get("/board/").status_code == 403


@pytest.mark.parametrize("number", [1, 3])
def test_the_board_costs_the_same_for_one_and_for_three(
    city: Town, signed_in: Enter, number: int, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    for street in STREETS[:number]:
        place = city.place(street, area=street, manager=None)
        enter(actor=city.job, at=AT, sighting=Sighting(place_id=place.pk, fact="软管", code="RG04", origin="patrol"))
    tally(actor=city.job, at=AT)
    client = signed_in("何静")
    client.get("/board/")
    with django_assert_num_queries(19):  # type: ignore[operator]
        client.get("/board/")


def test_figures_add_up() -> None:
    total = Figures(open=2, closed=3, closed_photo=1) + Figures(open=1, closed=1, closed_on_site=1)
    assert (total.open, total.closed, total.closed_inferred, total.total) == (3, 4, 2, 7)


def test_closing_counts_where_the_ledger_counts_it(city: Town) -> None:
    place = city.place(manager=None)
    seen = Sighting(place_id=place.pk, fact="软管", code="RG04", origin="patrol")
    row = enter(actor=city.actor("王敏"), at=AT, sighting=seen).hazard
    actor = city.actor("王敏")
    before = board_of(actor, at=AT).total
    act(actor=actor, at=AT, hazard_id=row.pk, action=Action.VERIFY, verdict="not_founded",
        given={"photo_before": True, "reason": "误报"})  # fmt: skip
    after = board_of(actor, at=AT).total
    assert (before.open, after.open, after.closed) == (1, 0, 0)


def test_a_trend_names_two_lists_and_says_when_chance_explains_it(city: Town, signed_in: Enter) -> None:
    place = city.place(manager=None)

    def found(days: int, part: str) -> None:
        seen = Sighting(place_id=place.pk, fact="软管", code="RG04", part=part, found_on=ON - timedelta(days=days))
        enter(actor=city.actor("王敏"), at=AT, sighting=seen)

    for days, part in ((40, "甲"), (5, "乙"), (3, "丙"), (0, "丁")):
        found(days, part)
    client = signed_in("何静")
    page = client.get("/board/").content.decode()
    assert "与偶然波动无法区分" in page
    links = re.findall(r'<a href="([^"]*)">(近30天发现|前30天) (\d+)</a>', page)
    assert [(name, number) for _href, name, number in links] == [("近30天发现", "3"), ("前30天", "1")]
    for href, _name, number in links:
        assert f"共 {number} 条" in client.get(unescape(href)).content.decode()
    # Twenty more are no chance any longer.
    for n in range(20):
        found(0, f"{n}")
    page = client.get("/board/").content.decode()
    assert "近30天发现 23" in page
    assert "与偶然波动无法区分" not in page

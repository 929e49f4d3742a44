"""The ledger's lists: what a filter implies is told to the database, and an area is found before it is sorted."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from anban.contexts.hazards import queries
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import Sighting, enter
from anban.contexts.hazards.queries import Filters
from anban.rules.hazard_lifecycle import State, is_open
from tests.factories.town import AT, ON, Town, town

pytestmark = pytest.mark.django_db


@pytest.fixture
def city() -> Town:
    """One hazard in each of three streets."""
    made = town()
    for area in ("望京街道", "呼家楼街道", "中关村街道"):
        place = made.place(area, area=area, manager=None)
        enter(actor=made.actor("林涛"), at=AT, sighting=Sighting(place_id=place.pk, code="RG07", fact="x", found_on=ON))
    return made


def first_statement(city: Town, who: str, filters: Filters) -> str:
    """Return the statement that reads the ids of the first page."""
    actor = city.actor(who)
    with CaptureQueriesContext(connection) as asked:
        queries.page(actor, filters, at=AT)
    return str(asked.captured_queries[0]["sql"])


def plan_of(statement: str) -> str:
    """Return how the database goes about a statement."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # Else it reads small tables whole.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(("EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN ") + statement)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (Filters(grade="suspected_major"), "hazard_grave"),
        (Filters(grade="major,suspected_major", proof="photo"), "hazard_grave"),
        (Filters(rebound=True), "hazard_back"),
        (Filters(penalised=True), "hazard_fined"),
        (Filters(open_only=True), "hazard_owed"),
        (Filters(), "hazard_newest"),
    ],
)
def test_a_partial_index_answers_the_filter_that_implies_it(city: Town, filters: Filters, index: str) -> None:
    assert f" {index} " in plan_of(first_statement(city, "林涛", filters))


def test_states_that_are_all_open_say_so(city: Town) -> None:
    assert '"is_open"' in first_statement(city, "林涛", Filters(states=("unverified",)))
    assert '"is_open"' not in first_statement(city, "林涛", Filters(states=("unverified", "closed")))
    assert {state.value for state in State if is_open(state)} == queries.OPEN_STATES


def test_open_hazards_in_an_ended_state_are_none_without_asking(city: Town) -> None:
    with CaptureQueriesContext(connection) as asked:
        rows = queries.narrowed(
            Hazard.objects.all(), Filters(states=("closed",), open_only=True), at=AT, actor=city.job
        )
        assert not list(rows)
    assert not asked.captured_queries


@pytest.mark.parametrize(("who", "filters"), [("林涛", Filters(area="1/05/")), ("王敏", Filters(penalised=True))])
def test_within_an_area_rows_are_found_first_and_then_sorted(city: Town, who: str, filters: Filters) -> None:
    assert "COALESCE" in first_statement(city, who, filters)
    for each in Hazard.objects.all():
        held = {row.pk for row in queries.page(city.actor(who), Filters(area=each.area_path), at=AT)[0]}
        assert (each.pk in held) == queries.visible_to(city.actor(who)).filter(pk=each.pk).exists()


def test_the_whole_city_is_walked_newest_first(city: Town) -> None:
    assert "COALESCE" not in first_statement(city, "林涛", Filters(penalised=True))

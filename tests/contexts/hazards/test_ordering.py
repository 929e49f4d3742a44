"""The ledger by term, day of finding and place: keyset pages forward and back give the whole list once, whatever the scope."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from anban.base.people.actor import Actor
from anban.contexts.hazards import ordering, queries
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import Sighting, enter
from anban.contexts.hazards.queries import Filters
from tests.factories.town import AT, ON, Town, town

pytestmark = pytest.mark.django_db
KEYS = {
    "due": lambda h: (h.due_at is None, h.due_at or AT, -h.pk.int),
    "found": lambda h: (-h.found_on.toordinal(), -h.pk.int),
    "place": lambda h: (h.place_id.int, -h.pk.int),
}
"""The orders said another way than by the module: over all rows at once."""


@pytest.fixture
def city() -> Town:
    """Eleven hazards in three areas, with terms and without, several equal in each column."""
    made = town()
    places = [
        made.place(f"{area}{n}", area=area, manager=None)
        for area in ("望京街道", "呼家楼街道", "中关村街道")
        for n in (1, 2)
    ]
    for n in range(11):
        hazard = enter(
            actor=made.actor("林涛"), at=AT,
            sighting=Sighting(place_id=places[n % 6].pk, code="RG07", part=f"{n}", fact="x", found_on=ON - timedelta(days=n % 3)),
        ).hazard  # fmt: skip
        Hazard.objects.filter(pk=hazard.pk).update(due_at=AT + timedelta(days=n % 4) if n % 3 else None)
    return made


def walked(actor: Actor, sort: str, size: int, **more: object) -> list[Hazard]:
    """Walk the list to its end page by page, then back to its beginning; both ways must tell the same."""
    filters, found, edge = Filters(sort=sort, **more), [], None  # type: ignore[arg-type]
    while True:
        shown = ordering.page(actor, filters, at=AT, after=edge, size=size)
        found += shown.rows
        if not shown.after:
            break
        edge = ordering.parse(shown.after, sort)
        assert edge is not None
    back = list(shown.rows)
    while shown.before:
        shown = ordering.page(actor, filters, at=AT, before=ordering.parse(shown.before, sort), size=size)
        back = [*shown.rows, *back]
    assert back == found
    return found


@pytest.mark.parametrize("sort", ordering.ORDERS)
@pytest.mark.parametrize("who", ["林涛", "何静", "王敏", "赵磊"])
def test_pages_in_an_order_give_every_row_once(city: Town, sort: str, who: str) -> None:
    actor = city.actor(who)
    expected = sorted(queries.visible_to(actor), key=KEYS[sort])
    assert expected
    for size in (1, 3, 50):
        assert walked(actor, sort, size) == expected
    some = [row for row in expected if row.due_at is not None and row.due_at < AT + timedelta(days=2)]
    assert walked(actor, sort, 2, states=("unverified",), area="1/05/") == [
        row for row in expected if row.area_path.startswith("1/05/")
    ]
    assert len(some) < len(expected)


@pytest.mark.parametrize("sort", ordering.ORDERS)
def test_neighbours_in_an_order_are_those_of_the_list(city: Town, sort: str) -> None:
    actor, filters = city.actor("林涛"), Filters(sort=sort)
    ids = [row.pk for row in sorted(Hazard.objects.all(), key=KEYS[sort])]
    for place, key in enumerate(ids):
        above = ids[place - 1] if place else None
        below = ids[place + 1] if place + 1 < len(ids) else None
        assert ordering.neighbours(actor, filters, at=AT, key=key) == (above, below)


@pytest.mark.parametrize(("sort", "number"), [("due", 3), ("found", 2), ("place", 2)])
def test_every_page_in_an_order_costs_the_same_queries(city: Town, sort: str, number: int) -> None:
    actor = city.actor("林涛")
    edge = None
    for _ in range(3):
        with CaptureQueriesContext(connection) as asked:
            shown = ordering.page(actor, Filters(sort=sort), at=AT, after=edge, size=3)
        assert len(asked) == number
        edge = ordering.parse(shown.after, sort)


@pytest.mark.parametrize("sort", ordering.ORDERS)
def test_the_index_of_an_order_answers_its_page(city: Town, sort: str) -> None:
    if connection.vendor != "sqlite":
        # PostgreSQL takes an index by the size of its tables, which here are small.
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
    order = ordering.ORDERS[sort]
    rows = queries.narrowed(queries.arms(city.actor("林涛"))[0], Filters(states=("unverified",)), at=AT, actor=city.job)
    (part, *_) = ordering._parts(rows, order, None, back=False)
    plan = part.values_list(order.column, "pk")[:50].explain()
    assert f"hazard_by_{sort}" in plan, plan
    assert "TEMP B-TREE" not in plan, plan


def test_a_cursor_that_means_nothing_is_the_first_page() -> None:
    for text in (
        "",
        "x",
        "~",
        "2026-03-02",
        f"x~{uuid4().hex}",
        f"~{uuid4().hex}",
        f"2026-03-02T00:00:00~{uuid4().hex}",
    ):
        assert ordering.parse(text, "found") is None
    assert ordering.parse(f"2026-03-02T00:00:00~{uuid4().hex}", "due") is None
    key = (None, uuid4())
    assert ordering.parse(ordering.cursor(key), "due") == key

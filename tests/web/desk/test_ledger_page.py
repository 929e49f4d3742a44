"""The ledger: addresses and filters, scope, pages, columns, saved filters, many at once, export."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from anban.base.people.models import AccessRecord, SavedView
from anban.contexts.hazards.exporters import HEADERS
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.queries import Filters
from anban.kit.tabular import read_tables
from anban.rules.hazard_lifecycle import State
from anban.web.desk import ledger
from anban.web.desk.ledger import address, formatted, ordered, parsed
from tests.contexts.hazards.test_operations import see
from tests.factories.town import AT, Town

SignIn = Callable[[str], Client]
words = st.text(st.characters(exclude_categories=("Cs", "Cc", "Z")), max_size=30)
days = st.one_of(st.none(), st.dates(date(1990, 1, 1), date(2090, 1, 1)))
some_filters = st.builds(
    Filters,
    area=words, grade=words, kind=words, class_code=words, code=words, origin=words, proof=words, track=words, overview=words,
    q=words, due=st.sampled_from(["", "overdue", "running"]),
    states=st.lists(st.sampled_from([s.value for s in State]), unique=True).map(tuple),
    rebound=st.booleans(), penalised=st.booleans(), open_only=st.booleans(), closed_only=st.booleans(),
    on_watch=st.booleans(), mine=st.booleans(), found_from=days, found_until=days,
    place=st.one_of(st.none(), st.uuids()),
)  # fmt: skip


@given(some_filters)
def test_filters_survive_their_address(filters: Filters) -> None:
    assert parsed(QueryDict(formatted(filters)).dict()) == filters


@given(st.dictionaries(st.sampled_from(["area", "state", "from", "to", "place", "due", "q", "rebound", "x"]), words))
def test_any_address_opens(query: dict[str, str]) -> None:
    filters = parsed(query)
    assert parsed(QueryDict(formatted(filters)).dict()) == filters


def test_the_last_day_is_included() -> None:
    assert parsed({"to": "2026-03-02"}).found_until == date(2026, 3, 3)
    assert address(Filters(found_until=date(2026, 3, 3))) == "/ledger/?to=2026-03-02"
    assert address(Filters()) == "/ledger/"


def numbers_in(page: str) -> list[str]:
    return [part[:14] for part in page.split('<span class="unseen">选择 ')[1:]]


def body(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return answer.content.decode()


@pytest.mark.parametrize("rows", [1, 3])
def test_ledger_needs_the_same_queries_however_many_rows(city: Town, signed_in: SignIn, rows: int) -> None:
    for number in range(rows):
        see(city, "王敏", city.place(f"单位{number}", manager=None))
    client = signed_in("王敏")
    client.get("/ledger/")
    with CaptureQueriesContext(connection) as queries:
        page = client.get("/ledger/").content.decode()
    assert len(numbers_in(page)) == rows
    assert f"共 {rows} 条" in page
    assert len(queries) == 21


def test_a_neighbour_sees_an_empty_ledger_and_the_city_all(city: Town, signed_in: SignIn) -> None:
    see(city, "王敏", city.place())
    assert "台账上还没有隐患" in body(signed_in("郑洁"), "/ledger/")
    assert numbers_in(body(signed_in("林涛"), "/ledger/")) == ["HZ-2026-000001"]


def test_filters_narrow_and_each_chip_is_an_address(city: Town, signed_in: SignIn) -> None:
    gas = see(city, "王敏", city.place("面馆")).hazard
    see(city, "王敏", city.place("车库", manager=None), code="EB01")
    client = signed_in("王敏")
    page = body(client, "/ledger/?class=GAS")
    assert numbers_in(page) == [gas.number]
    assert "共 1 条" in page
    assert f"/ledger/{gas.pk}/?class=GAS" in page, "a row carries its list along"
    assert "没有符合条件的隐患" in body(client, "/ledger/?state=closed")
    assert numbers_in(body(client, "/ledger/?q=面馆")) == [gas.number]
    assert numbers_in(body(client, "/ledger/?due=overdue")) == []


def test_pages_go_on_and_back_without_gap_or_double(
    city: Town, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "PAGE", 2)
    for number in range(5):
        see(city, "王敏", city.place(f"单位{number}", manager=None), at=AT + timedelta(seconds=number))
    client = signed_in("王敏")
    seen: list[list[str]] = []
    page = body(client, "/ledger/")
    while True:
        seen.append(numbers_in(page))
        if 'rel="next"' not in page:
            break
        page = body(client, page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&"))
    assert [n[-1] for chunk in seen for n in chunk] == ["5", "4", "3", "2", "1"]
    back = body(client, page.split('rel="prev" href="')[1].split('"')[0].replace("&amp;", "&"))
    assert numbers_in(back) == seen[-2]


def test_beyond_the_limit_a_count_says_so_and_counts_exactly_on_demand(
    city: Town, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger.queries, "COUNT_LIMIT", 2)
    for number in range(3):
        see(city, "王敏", city.place(f"单位{number}", manager=None))
    client = signed_in("王敏")
    page = body(client, "/ledger/")
    assert "共 2+ 条" in page
    assert "/ledger/?exact=1" in page
    assert "共 3 条" in body(client, "/ledger/?exact=1")


def test_columns_are_kept_for_the_reader(city: Town, signed_in: SignIn) -> None:
    see(city, "王敏", city.place())
    client = signed_in("王敏")
    assert ">来源</th>" not in body(client, "/ledger/")
    answer = client.get("/ledger/?state=unverified&columns=origin&columns=number")
    assert answer["Location"] == "/ledger/?state=unverified"
    page = body(client, "/ledger/")
    assert ">来源</th>" in page
    assert ">地区</th>" not in page
    assert ">单位</th>" in page, "the first columns stay"


def test_a_filter_is_saved_shared_and_removed(city: Town, signed_in: SignIn) -> None:
    own, colleague = signed_in("王敏"), signed_in("郑洁")
    assert own.post("/ledger/views/?state=rectifying", {"title": ""}).status_code == 422
    answer = own.post("/ledger/views/?state=rectifying", {"title": "在改的", "shared": "on"})
    assert answer["Location"] == "/ledger/?state=rectifying"
    own.post("/ledger/views/?due=overdue", {"title": "只给我看"})
    assert "只给我看" in body(own, "/ledger/")
    page = body(colleague, "/ledger/")
    assert 'href="/ledger/?state=rectifying"' in page
    assert "在改的" in page
    assert "只给我看" not in page
    view = SavedView.objects.get(title="在改的")
    assert colleague.post(f"/ledger/views/{view.pk}/drop/").status_code == 422, "only one's own is removed"
    assert own.post(f"/ledger/views/{view.pk}/drop/").status_code == 302
    assert not SavedView.objects.filter(pk=view.pk).exists()


def test_many_are_handed_over_with_counts_before_and_reasons_after(city: Town, signed_in: SignIn) -> None:
    first = see(city, "王敏", city.place("甲", manager=None), code="RG10").hazard
    second = see(city, "王敏", city.place("乙", manager=None), code="RG10").hazard
    gone = see(city, "王敏", city.place("丙", manager=None), code="RG10").hazard
    Hazard.objects.filter(pk=gone.pk).update(state="closed", is_open=False)
    elsewhere = see(city, "郑洁", city.place("丁", area="呼家楼街道", manager=None), code="RG10").hazard
    client = signed_in("王敏")
    chosen = [str(h.pk) for h in (first, second, gone, elsewhere)]
    asked = client.post("/ledger/bulk/transfer/", {"chosen": chosen})
    page = asked.content.decode()
    assert "将 2 条移交" in page
    assert "另有 1 条您无权移交" in page
    assert elsewhere.number not in page, "what may not be seen is not named"
    assert Hazard.objects.get(pk=first.pk).state == "unverified", "nothing is done before it is confirmed"
    target = str(city.bodies["朝阳消防"].pk)
    answer = client.post("/ledger/bulk/transfer/", {"chosen": chosen, "go": "1", "body": target, "reason": "无权责令"})
    assert answer["Location"] == "/ledger/bulk/result/"
    result = body(client, "/ledger/bulk/result/")
    assert "移交了 2 条，1 条没有办成" in result
    assert gone.number in result
    states = dict(Hazard.objects.values_list("pk", "state"))
    assert [states[h.pk] for h in (first, second, gone, elsewhere)] == [
        "awaiting_receipt", "awaiting_receipt", "closed", "unverified",
    ]  # fmt: skip


def test_bulk_without_rows_or_with_an_unknown_action_does_nothing(city: Town, signed_in: SignIn) -> None:
    client = signed_in("王敏")
    assert client.post("/ledger/bulk/transfer/", {"chosen": ["x"]})["Location"] == "/ledger/"
    assert client.post("/ledger/bulk/close/", {"chosen": [str(UUID(int=1))]}).status_code == 404
    assert city.root


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_export_holds_the_filtered_rows_under_the_importers_headers(
    city: Town, signed_in: SignIn, kind: str, tmp_path: object
) -> None:
    hazard = see(city, "王敏", city.place("面馆"), part="后厨").hazard
    see(city, "王敏", city.place("车库", manager=None), code="EB01")
    answer = signed_in("王敏").get(f"/ledger/?class=GAS&format={kind}")
    content = b"".join(answer.streaming_content)
    if kind == "csv":
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        assert list(rows[0]) == list(HEADERS)
    else:
        path = tmp_path / "ledger.xlsx"  # type: ignore[operator]
        path.write_bytes(content)
        (table,) = list(read_tables(path))
        assert tuple(table.header) == HEADERS
        rows = [dict(zip(table.header, row.cells.values(), strict=False)) for row in table.rows]
    assert len(rows) == 1
    row = rows[0]
    assert (row["来源编号"], row["隐患编号"], row["检查项"], row["部位"]) == (
        hazard.number,
        hazard.number,
        "RG07",
        "后厨",
    )
    assert (row["单位编号"], row["发现日期"], row["状态"], row["承办人"]) == (
        "EST-000001",
        "2026-03-02",
        "unverified",
        "王敏",
    )
    record = AccessRecord.objects.get(what="export.hazards")
    assert (record.rows, record.subject, record.person_id) == (1, "class=GAS", city.people["王敏"].pk)


def test_an_export_holds_only_what_the_reader_may_see(city: Town, signed_in: SignIn) -> None:
    see(city, "王敏", city.place())
    answer = signed_in("郑洁").get("/ledger/?format=csv")
    assert b"".join(answer.streaming_content).decode("utf-8-sig").strip() == ",".join(HEADERS)


def test_by_term_the_open_ones_come_first_unless_a_state_is_chosen() -> None:
    assert ordered(Filters(), "due") == Filters(sort="due", open_only=True)
    assert ordered(Filters(closed_only=True), "due") == Filters(sort="due", closed_only=True)
    assert ordered(Filters(states=("closed",)), "due").open_only is False
    assert ordered(Filters(sort="due"), "place") == Filters(sort="place")


def test_the_list_is_walked_in_the_order_of_the_address(city: Town, signed_in: SignIn) -> None:
    first = see(city, "王敏", city.place("甲店", manager=None)).hazard
    second = see(city, "王敏", city.place("乙店", manager=None)).hazard
    Hazard.objects.filter(pk=first.pk).update(due_at=AT + timedelta(days=9))
    Hazard.objects.filter(pk=second.pk).update(due_at=AT + timedelta(days=3))
    client = signed_in("王敏")
    assert numbers_in(body(client, "/ledger/?sort=due")) == [second.number, first.number]
    assert numbers_in(body(client, "/ledger/?sort=place")) == [first.number, second.number]
    page = body(client, f"/ledger/{second.pk}/?sort=due")
    assert f"/ledger/{first.pk}/?sort=due" in page, "the next one is the next of the list"
    for nonsense in ("/ledger/?sort=due&after=x", "/ledger/?sort=nothing", "/ledger/?sort=found&before=~"):
        assert len(numbers_in(body(client, nonsense))) == 2

"""The risk page of a town with enough history: the learned order and its reasons, within the reader's areas as before."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings

from anban.base.inserting import insert, prepared
from anban.base.people.actor import job_actor
from anban.base.people.models import Person
from anban.contexts.establishments.models import Place
from anban.contexts.hazards.models import Hazard
from anban.contexts.inspections.models import Finding, Visit
from anban.contexts.risk import queries
from anban.lake.assessing import assess, is_due_for_training, the_lake, train
from anban.lake.ordering import SERIOUS, kept, tables_of
from anban.lake.ranking import rank
from anban.lake.ranking.reasons import scores_without
from anban.lake.reading import Reading
from anban.lake.snapshot import newest as latest
from anban.rules.visit_index import visit_index
from anban.web.shell import middleware
from tests.factories.kept import kept_world
from tests.factories.signed import client_of
from tests.factories.town import AT, Town, town
from tests.web.board.test_risk import opened


def visited(shop: Place, number: str, ago: int, *, fails: bool) -> None:
    """Enter a visit of the past; one that fails finds something about gas, and was called for twelve days before."""
    on = AT.date() - timedelta(days=ago)
    visit = Visit(
        root="town", number=number, place=shop, place_title=shop.name, place_kind=shop.kind, area_path=shop.area_path,
        kind="routine", on=on, historical=True, result="fail" if fails else "pass", recorded_at=AT,
    )  # fmt: skip
    insert(prepared([visit]))
    if fails:
        code = "RG05" if int(number[-1]) % 2 else "RG07"
        hazard = entered(shop, number, on, origin="inspection", code=code)
        insert(prepared([Finding(visit=visit, hazard=hazard, code=code, severity="general")]))
        called(shop, number, ago + 12)


def called(shop: Place, number: str, ago: int) -> None:
    """Enter a call of the hotline about a shop."""
    entered(shop, f"{number}C", AT.date() - timedelta(days=ago), origin="ticket", code="MG01")


def entered(shop: Place, number: str, on: date, *, origin: str, code: str) -> Hazard:
    """Put a closed hazard of the past on the ledger."""
    somebody = Person.objects.earliest("id")
    hazard = Hazard(
        root="town", number=f"HZ-{number}", place=shop, place_title=shop.name, place_kind=shop.kind, area_path=shop.area_path,
        class_code="GAS" if origin == "inspection" else "MGMT", code=code, state="closed", is_open=False, origin=origin,
        found_on=on, closed_on=on, entered_at=AT, historical=True, finder=somebody,
        holder=somebody,
    )  # fmt: skip
    insert(prepared([hazard]))
    return hazard


@pytest.fixture(scope="module")
def taught(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town with three years of visits: some of its restaurants fail most of them, others hardly ever; one was never seen."""
    with pytest.MonkeyPatch.context() as patch, kept_world(django_db_blocker):
        patch.setattr(settings, "HOME", tmp_path_factory.mktemp("home"))
        patch.setattr(middleware, "now", lambda: AT)
        made = town()
        shops = [made.place(f"饭馆{n}", area="望京街道" if n % 2 else "呼家楼街道", manager=None) for n in range(12)]
        made.place("新开医院", area="呼家楼街道", kind="hospital", manager=None)
        for n, shop in enumerate(shops):
            for nth in range(40):
                visited(shop, f"H{n:02d}{nth:03d}", 20 + 27 * nth + n, fails=(nth + n) % 10 < (8 if n < 4 else 1))
        # Three gas checks failed, then nobody came for 14 months, and this month it was called in twice.
        gone = made.place("李记小吃", area="望京街道", manager=None)
        for nth in range(8):
            visited(gone, f"L{nth:03d}", 430 + 27 * nth, fails=nth < 3 or nth % 2 == 0)
        for ago in (0, 1):
            called(gone, f"L{ago}", ago)
        assert train(actor=job_actor("test", "town"), at=AT) is not None
        assess(actor=job_actor("test", "town"), at=AT, fresh=False)
        yield made


@pytest.mark.django_db
def test_a_week_after_training_it_is_due_again(taught: Town) -> None:
    due = [is_due_for_training("town", AT.date() + timedelta(days=days)) for days in (0, 6, 7)]
    assert due == [False, False, True]


@pytest.mark.django_db
def test_learned_order_tells_its_own_reasons(taught: Town) -> None:
    chief = taught.actor("林涛")
    newest = queries.current(chief)
    assert newest is not None
    listed = queries.top_places(chief, newest)
    assert all(one.told is not None for one in listed)
    places = [one.name for one in listed]
    bad = [places.index(f"饭馆{n}") for n in range(4)]
    assert max(bad) < min(places.index(f"饭馆{n}") for n in range(4, 12))
    page = opened(client_of(taught, "林涛"), "/risk/")
    assert "下次检查不合格的可能" in page
    assert "现在有严重隐患的可能" not in page
    told = [zh for one in listed for _fact, zh, _en in one.told or ()]
    assert any(zh in page for zh in told if zh.startswith("最近"))
    assert "从来没有检查过" in page
    assert "未知" in page
    # Within the areas of the reader as before.
    assert "饭馆1<" in opened(client_of(taught, "王敏"), "/risk/")
    assert "饭馆2<" not in opened(client_of(taught, "王敏"), "/risk/")
    answer = client_of(taught, "林涛").post("/risk/reports/", {"area": "A", "sector": "", "earlier": ""})
    report = opened(client_of(taught, "林涛"), answer.headers["Location"])
    assert any(zh in report for zh in told if zh.startswith("最近"))


@pytest.mark.django_db
def test_a_shopkeeper_reads_why_in_plain_words(taught: Town) -> None:
    """Three failed checks with what they were about, how long nobody came, the calls: on the page, in both languages."""
    reader = client_of(taught, "林涛")
    zh = why(opened(reader, "/risk/"), "李记小吃")
    assert zh == [
        "最近三次检查都不合格，每次都有燃气使用问题（最近一次2024年12月）", "已有 14 个月没有检查", "2026年3月有两次热线来电"
    ]  # fmt: skip
    assert why(opened(reader, "/risk/"), "新开医院")[0] == "从来没有检查过"
    assert why(opened(reader, "/risk/"), "新开医院")[-1] == "属于高风险类型，出了事后果重"
    en = why(opened(reader, "/risk/", HTTP_ACCEPT_LANGUAGE="en"), "李记小吃")
    assert en == [
        "the last three checks all failed, each time over gas in use (latest in Dec 2024)", "no visit for 14 months",
        "two hotline calls in Mar 2026",
    ]  # fmt: skip


def why(page: str, name: str) -> list[str]:
    """Return the reasons that the page gives for a place."""
    own = page.partition(f">{name}</a>")[2].partition('class="risk-why"')[2].partition("</ul>")[0]
    return [html.unescape(each) for each in re.findall(r"<li[^>]*>(.*?)</li>", own)]


@pytest.mark.django_db
def test_every_reason_on_the_page_lowers_the_score_when_its_fact_is_taken_away(taught: Town) -> None:
    """The model that scored the pass, asked again about each of the first ten places without each of its reasons."""
    newest = queries.current(taught.actor("林涛"))
    assert newest is not None
    lake = the_lake()
    model, snapshot, until = (
        kept(lake, "town", newest.as_of + timedelta(days=1)),
        latest(lake),
        newest.as_of + timedelta(days=1),
    )
    assert model is not None
    assert snapshot is not None
    ranking = rank(tables_of(snapshot, "town", until), until, SERIOUS, model=model.model())
    row_of = {int(key): row for row, key in enumerate(ranking.place_ids)}
    features = ranking.features(ranking.rows)
    asked = 0
    for one in queries.top_places(taught.actor("林涛"), newest, limit=10):
        row = row_of[one.place_id.int & ((1 << 60) - 1)]
        for fact, zh, _en in one.told or ():
            before, after = scores_without(ranking.model, features, row, fact, None)
            assert after < before, (one.name, zh)
            asked += 1
        # The time unseen counts in the index, in which the list stands.
        days, chance = one.facts["days_unseen"] or 1000, one.chance
        rate = -math.log1p(-chance) / days
        assert visit_index(1.0, rate, days / 2) < visit_index(1.0, rate, days)
    assert asked >= 10


@pytest.mark.django_db
def test_the_card_is_shown_with_its_figures_and_within_the_readers_areas(taught: Town) -> None:
    newest = queries.current(taught.actor("林涛"))
    assert newest is not None
    card = Reading.of(newest.root, newest.folder).card()
    page = opened(client_of(taught, "林涛"), "/risk/order/")
    assert card["data_position"] in page
    assert str(card["training"]["seed"]) in page
    assert page.count('class="plot-point"') == len(card["calibration"]) > 5
    assert f"{card['earlier_windows'][0]['auc']:.2f}" in page
    treated = page.partition("各地区受到的对待")[2].partition("不能拿来做什么")[0]
    assert "望京街道" in treated
    assert "呼家楼街道" in treated
    one = (
        opened(client_of(taught, "王敏"), "/risk/order/")
        .partition("各地区受到的对待")[2]
        .partition("不能拿来做什么")[0]
    )
    assert "望京街道" in one
    assert "呼家楼街道" not in one

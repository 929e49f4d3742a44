"""The risk page of a town with enough history: the learned order and its reasons, within the reader's areas as before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from anban.base.inserting import insert, prepared
from anban.base.people.actor import job_actor
from anban.contexts.inspections.models import Visit
from anban.contexts.risk import queries
from anban.lake.assessing import assess, is_due_for_training, train
from anban.lake.reading import Reading
from anban.web.shell import middleware
from tests.factories.kept import kept_world
from tests.factories.signed import client_of
from tests.factories.town import AT, Town, town
from tests.web.board.test_risk import opened


@pytest.fixture(scope="module")
def taught(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town with three years of visits: some of its restaurants fail most of them, others hardly ever; one was never seen."""
    with pytest.MonkeyPatch.context() as patch, kept_world(django_db_blocker):
        patch.setattr(settings, "HOME", tmp_path_factory.mktemp("home"))
        patch.setattr(middleware, "now", lambda: AT)
        made = town()
        shops = [made.place(f"饭馆{n}", area="望京街道" if n % 2 else "呼家楼街道", manager=None) for n in range(12)]
        made.place("新开面馆", area="呼家楼街道", manager=None)
        rows = [
            Visit(
                root="town", number=f"H{n:02d}{nth:03d}", place=shop, place_title=shop.name, place_kind=shop.kind,
                area_path=shop.area_path, kind="routine", on=AT.date() - timedelta(days=20 + 27 * nth + n), historical=True,
                result="fail" if (nth + n) % 10 < (8 if n < 4 else 1) else "pass", recorded_at=AT,
            )
            for n, shop in enumerate(shops)
            for nth in range(40)
        ]  # fmt: skip
        insert(prepared(rows))
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

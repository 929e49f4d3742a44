"""The pass's results for programs: figures of the caller's own areas, the order page by page, warnings with their numbers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from anban.contexts.inspections.operations import record_visit
from anban.contexts.risk.models import EarlyWarning
from anban.contexts.risk.operations import Looked, Seen, publish_look
from anban.lake.assessing import assess
from tests.api.conftest import Caller, caller_of
from tests.factories.inspections import seen
from tests.factories.town import AT, Town

pytestmark = pytest.mark.django_db


@pytest.fixture
def assessed(here: Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, transactional_db: None) -> Town:
    """The town with three places, one of which failed twice, assessed for two days."""
    monkeypatch.setattr(settings, "HOME", tmp_path)
    shop = here.place()
    here.place("和平饭店", area="呼家楼街道", manager=None)
    here.place("中关村仓库", area="中关村街道", kind="warehouse", manager=None)
    for days, code in ((60, "RG05"), (30, "RG07")):
        at = AT - timedelta(days=days)
        record_visit(actor=here.actor("王敏"), at=at, visit=seen(shop, code=code, fact="不合格"))
    for days in (10, 0):
        assess(actor=here.job, at=AT - timedelta(days=days), as_of=(AT - timedelta(days=days)).date())
    return here


def walked(caller: Caller, path: str) -> list[dict[str, Any]]:
    """Read a list one row at a time, to its end."""
    rows, after = [], ""
    while True:
        page = caller.get(f"{path}size=1{after}").json()
        rows += page["items"]
        if page["next"] is None:
            return rows
        after = f"&after={page['next']}"


def test_results_are_read_within_the_callers_areas(assessed: Town) -> None:
    chief, inspector = caller_of(assessed, "林涛"), caller_of(assessed, "王敏")
    for caller, places in (
        (chief, 3),
        (inspector, 1),
        (caller_of(assessed, "周航"), 2),
        (caller_of(assessed, "李强"), None),
    ):
        rows = walked(caller, "/risk/assessments?")
        assert len(rows) == (0 if places is None else 2)
        assert places is None or rows[0]["figures"]["places"] == places
    newest = walked(chief, "/risk/assessments?")[0]
    assert (newest["as_of"], len(newest["manifest_hash"])) == (AT.date().isoformat(), 64)
    order = walked(chief, "/risk/order?")
    assert len({row["id"] for row in order}) == len(order) == 3
    assert order == chief.get("/risk/order").json()["items"]
    by_name = {row["name"]: row for row in order}
    assert by_name["和平饭店"]["chance"] is None
    assert {reason["fact"] for reason in by_name["巷口面馆"]["reasons"]} >= {"fails_730", "days_unseen"}
    assert [row["name"] for row in walked(inspector, "/risk/order?")] == ["巷口面馆"]
    assert [row["name"] for row in walked(chief, "/risk/order?area=A02&")] == ["中关村仓库"]
    earlier = walked(chief, "/risk/assessments?")[1]["id"]
    assert chief.get(f"/risk/order?assessment={earlier}").json()["assessment"] == earlier
    assert chief.get("/risk/order?assessment=01a21437-0f16-7628-9d86-368fd6e2f43e").status_code == 404
    assert chief.get("/risk/order?area=nowhere").status_code == 422
    assert (
        chief.get("/risk/order?street=1").status_code == 400
        or chief.get("/risk/order?street=1").json()["code"] == "api.field_unknown"
    )


def test_warnings_come_with_their_numbers(here: Town) -> None:
    span = {"from": "2026-02-01", "until": "2026-02-20", "n": 4, "areas": [], "located": False}
    found = tuple(
        Seen(
            method="scan",
            kind=f"k{n}",
            area_path="1/05/",
            level="watch",
            p_value=0.01,
            zh="少见",
            en="rare",
            counted=(span,),
        )
        for n in range(3)
    )
    looked = Looked(
        as_of=AT.date(), events=4, streams=1, expected_false_watches=0, expected_false_chart_alarms=0, found=found
    )
    publish_look(actor=here.job, at=AT, looked=looked)
    district = caller_of(here, "何静")
    rows = walked(district, "/risk/warnings?state=open&")
    assert [row["kind"] for row in rows] == ["k2", "k1", "k0"]
    assert rows[0]["counted"] == [{"since": "2026-02-01", "until": "2026-02-20", "n": 4, "areas": [], "located": False}]
    assert walked(district, "/risk/warnings?state=passed&") == []
    assert walked(district, "/risk/warnings?area=A02&") == []
    assert walked(caller_of(here, "周航"), "/risk/warnings?") == []
    assert EarlyWarning.objects.filter(state="open").count() == 3
    assert district.get("/risk/warnings?state=closed").status_code == 422

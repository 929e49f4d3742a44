"""Early warning: events come in from a table, a look makes warnings, a person answers them, and nothing acts by itself."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from anban.base.journal.models import Entry
from anban.base.people.actor import job_actor
from anban.contexts.accidents.operations import Report, record_accident
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import Sighting, enter
from anban.contexts.inspections.importers import mappings_named, take_in
from anban.contexts.obligations.models import Obligation
from anban.contexts.risk import importers, queries
from anban.contexts.risk.models import EarlyWarning, Event, Look
from anban.contexts.risk.operations import Looked, Seen, answer_warning, publish_look
from anban.lake.watching import watch
from anban.rules.accountability import AccidentGrade
from anban.rules.errors import Refusal
from tests.factories.inspections import table
from tests.factories.signed import client_of
from tests.factories.town import AT, Town, town

pytestmark = pytest.mark.django_db
HEADER = ("事件编号", "事件类别", "事件日期", "地区代码")
DAY = date(2026, 3, 2)


def burst(path: Path, count: int = 9, area: str = "A01026") -> Path:
    """Write a table of one alarm a month for two years, and many within ten days."""
    days = [DAY - timedelta(days=30 * n + 20) for n in range(23)] + [DAY - timedelta(days=n) for n in range(count)]
    return table(path, HEADER, [(f"E{n}", "燃气报警", day.isoformat(), area) for n, day in enumerate(days)])


def bring(t: Town, path: Path) -> dict[str, int]:
    assert importers.EVENTS.code == "events"
    return take_in([path], mappings_named("events"), actor=t.job, at=AT).counts


def looked(level: str = "watch", area: str = "1/05/", kind: str = "燃气报警") -> Looked:
    seen = Seen(method="scan", kind=kind, area_path=area, level=level, p_value=0.01, zh="一年里少见", en="rare")
    return Looked(
        as_of=DAY, events=30, streams=2, expected_false_watches=0.1, expected_false_chart_alarms=0.2, found=(seen,)
    )


def test_events_come_in_once_and_bad_rows_go_back(tmp_path: Path) -> None:
    t = town()
    good = burst(tmp_path / "e.csv")
    assert bring(t, good) == {"new": 32, "changed": 0, "same": 0, "refused": 0}
    assert bring(t, good) == {"new": 0, "changed": 0, "same": 32, "refused": 0}
    header = (*HEADER, "经度", "纬度")
    bad = table(
        tmp_path / "bad.csv",
        header,
        [
            ("B1", "燃气报警", "2026-03-01", "A01026", "116.4", "39.9"),
            ("B2", "燃气报警", "2026-13-01", "A01026", "", ""),
            ("B3", "燃气报警", "2099-01-01", "A01026", "", ""),
            ("B4", "燃气报警", "2026-03-01", "X", "", ""),
            ("B5", "燃气报警", "2026-03-01", "A01026", "116.4", ""),
            ("B6", "", "2026-03-01", "A01026", "", ""),
        ],
    )
    assert bring(t, bad) == {"new": 1, "changed": 0, "same": 0, "refused": 5}
    assert Event.objects.get(source_key="k:B1").lat_wgs84 == 39.9


def test_a_burst_is_seen_where_it_is_and_asks_a_person(tmp_path: Path) -> None:
    t = town()
    bring(t, burst(tmp_path / "e.csv"))
    before = Obligation.objects.count()
    made = watch(actor=job_actor("test", "town"), at=AT, as_of=DAY)
    found = {(row.method, row.area_path) for row in EarlyWarning.objects.all()}
    assert ("scan", "1/05/") in found
    assert made.events == 32
    assert Obligation.objects.count() == before
    assert watch(actor=job_actor("test", "town"), at=AT, as_of=DAY) == made
    assert Look.objects.count() == 1


def test_a_calm_year_warns_of_nothing(tmp_path: Path) -> None:
    t = town()
    bring(t, burst(tmp_path / "e.csv", count=0))
    watch(actor=job_actor("test", "town"), at=AT, as_of=DAY)
    assert not EarlyWarning.objects.exists()
    page = client_of(t, "林涛").get("/risk/warnings/").content.decode()
    assert "没有反常" in page


def test_accidents_are_looked_at_as_well() -> None:
    t = town()

    def happens(number: int, on: date, kind: str = "gas") -> None:
        report = Report(
            kind=kind, on=on, area_path="1/05/026/", unit_name="某店", place=None, grade=AccidentGrade.GENERAL,
            source_key=f"A{number}",
        )  # fmt: skip
        record_accident(actor=t.job, at=AT, report=report)

    for n in range(8):
        happens(n, DAY - timedelta(days=n))
    made = watch(actor=job_actor("test", "town"), at=AT, as_of=DAY)
    # The book begins this week: that there is nothing before says nothing.
    assert (made.left_out, EarlyWarning.objects.count()) == ("accident", 0)
    assert "还没有两年的记录" in client_of(t, "林涛").get("/risk/warnings/").content.decode()
    happens(99, DAY - timedelta(days=900), kind="fall")
    watch(actor=job_actor("test", "town"), at=AT + timedelta(hours=1), as_of=DAY)
    assert EarlyWarning.objects.filter(kind="accident:gas", method="change").exists()


def test_every_number_of_the_page_opens_its_list(tmp_path: Path) -> None:
    t = town()
    bring(t, burst(tmp_path / "e.csv"))
    look = watch(actor=job_actor("test", "town"), at=AT, as_of=DAY)
    client = client_of(t, "林涛")
    page = client.get("/risk/warnings/").content.decode()
    assert f"看了全市的 {look.events} 起" in page
    links = re.findall(r'href="(/risk/events/[^"]*)">(?:[\d-]+ 至 [\d-]+：)?(\d+)(?: 起)?<', page)
    assert len(links) >= 3
    for href, number in links:
        assert f"共 {number} 起" in client.get(unescape(href)).content.decode(), href
    # Who sees a part of the city is told of its part alone.
    assert "看了全市的" not in client_of(t, "何静").get("/risk/warnings/").content.decode()


def test_events_close_in_space_and_time_are_a_question(tmp_path: Path) -> None:
    t = town()
    header = (*HEADER, "经度", "纬度")
    far = [
        (
            f"F{n}",
            "燃气报警",
            (DAY - timedelta(days=12 * n + 30)).isoformat(),
            "A01026",
            f"{116.1 + 0.02 * n:.3f}",
            "39.95",
        )
        for n in range(25)
    ]
    near = [
        (f"N{n}", "燃气报警", (DAY - timedelta(days=100 + n)).isoformat(), "A01026", "116.470", "39.990")
        for n in range(6)
    ]
    old = [("O", "燃气报警", (DAY - timedelta(days=729)).isoformat(), "A01026", "", "")]
    bring(t, table(tmp_path / "e.csv", header, far + near + old))
    watch(actor=job_actor("test", "town"), at=AT, as_of=DAY)
    row = EarlyWarning.objects.get(method="knox")
    assert row.state == "open"
    assert "请人去看" in row.zh
    client = client_of(t, "林涛")
    page = client.get("/risk/warnings/").content.decode()
    assert 'href="#limit-knox"' in page
    assert 'id="limit-knox"' in page
    href = re.search(r'href="(/risk/events/[^"]*located=1[^"]*)">[^<]*：(\d+) 起<', page)
    assert href is not None
    assert f"共 {href[2]} 起" in client.get(unescape(href[1])).content.decode()


def test_hazards_behind_a_number_are_those_that_were_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    t = town()
    shop = t.place()
    for n in range(3):
        enter(
            actor=t.actor("王敏"),
            at=AT,
            sighting=Sighting(place_id=shop.pk, fact="软管老化", code="RG05", part=f"p{n}"),
        )
    kind = f"hazard:{Hazard.objects.values_list('class_code', flat=True).first()}"
    for who, number in (("林涛", 3), ("高远", 0)):
        page = client_of(t, who).get(f"/risk/events/?kind={kind}&area=1/05/").content.decode()
        assert (f"共 {number} 起" in page) == bool(number)
        assert page.count('href="/ledger/01') == number
    assert client_of(t, "林涛").get("/risk/events/?area=..%2F").status_code == 404


def test_warning_goes_on_passes_and_comes_back_as_another() -> None:
    town()
    actor = job_actor("test", "town")
    publish_look(actor=actor, at=AT, looked=looked())
    first = EarlyWarning.objects.get()
    publish_look(actor=actor, at=AT + timedelta(days=1), looked=looked("alarm"))
    first.refresh_from_db()
    assert (first.state, first.level, first.version) == ("open", "alarm", 2)
    nothing = Looked(as_of=DAY, events=0, streams=0, expected_false_watches=0, expected_false_chart_alarms=0, found=())
    publish_look(actor=actor, at=AT + timedelta(days=2), looked=nothing)
    first.refresh_from_db()
    assert first.state == "passed"
    publish_look(actor=actor, at=AT + timedelta(days=3), looked=looked())
    assert EarlyWarning.objects.exclude(pk=first.pk).get().state == "open"


def test_answer_stays_until_a_watch_becomes_an_alarm() -> None:
    t = town()
    publish_look(actor=t.job, at=AT, looked=looked())
    row = EarlyWarning.objects.get()
    client = client_of(t, "何静")
    sent = client.post(f"/risk/warnings/{row.pk}/answer/", {"answer": "watch", "reason": "本周加查三家"})
    assert sent.status_code == 302
    row.refresh_from_db()
    assert (row.state, row.answer, row.answered_by and row.answered_by.name) == ("answered", "watch", "何静")
    assert "warning.answered" in Entry.objects.order_by("-position").first().body  # type: ignore[union-attr]
    publish_look(actor=t.job, at=AT + timedelta(days=1), looked=looked())
    row.refresh_from_db()
    assert row.state == "answered"
    publish_look(actor=t.job, at=AT + timedelta(days=2), looked=looked("alarm"))
    row.refresh_from_db()
    assert (row.state, row.reason) == ("open", "本周加查三家")


@pytest.mark.parametrize(
    ("who", "given", "status"),
    [
        ("何静", {"answer": "act", "reason": ""}, 422), ("何静", {"answer": "burn", "reason": "x"}, 422),
        ("刘洋", {"answer": "act", "reason": "x"}, 404), ("周航", {"answer": "act", "reason": "x"}, 404),
    ],
)  # fmt: skip
def test_only_whose_area_it_is_answers_and_says_why(who: str, given: dict[str, Any], status: int) -> None:
    t = town()
    publish_look(actor=t.job, at=AT, looked=looked())
    row = EarlyWarning.objects.get()
    assert client_of(t, who).post(f"/risk/warnings/{row.pk}/answer/", given).status_code == status
    row.refresh_from_db()
    assert row.state == "open"


def test_a_second_answer_and_a_job_are_refused() -> None:
    t = town()
    publish_look(actor=t.job, at=AT, looked=looked())
    row = EarlyWarning.objects.get()
    answer_warning(actor=t.actor("何静"), at=AT, warning_id=row.pk, answer="act", reason="加查")
    with pytest.raises(Refusal) as again:
        answer_warning(actor=t.actor("何静"), at=AT, warning_id=row.pk, answer="act", reason="加查")
    assert again.value.code == "risk.warning_answered"
    with pytest.raises(Refusal):
        answer_warning(actor=t.job, at=AT, warning_id=row.pk, answer="act", reason="加查")
    with pytest.raises(IntegrityError), transaction.atomic():
        EarlyWarning.objects.filter(pk=row.pk).update(answered_by=None)


def test_other_areas_and_sectors_see_nothing(tmp_path: Path) -> None:
    t = town()
    bring(t, burst(tmp_path / "e.csv", area="A02010"))
    publish_look(actor=t.job, at=AT, looked=looked(area="1/08/"))
    for who, seen in (("何静", 0), ("刘洋", 0), ("周航", 0), ("林涛", 1)):
        actor = t.actor(who)
        assert queries.warnings_visible_to(actor).count() == seen, who
        assert queries.events_visible_to(actor).count() == seen * 32, who

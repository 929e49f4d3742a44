"""Unseen hazards: sources compared on the ledger's own matches, every count opening its list, and silence where numbers are small."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from anban.base.people.actor import job_actor
from anban.contexts.hazards.models import Hazard, Voice
from anban.contexts.hazards.operations import Sighting, enter
from anban.contexts.inspections.models import Visit
from anban.contexts.inspections.operations import record_visit
from anban.contexts.risk import queries
from anban.lake import texts
from anban.lake.assessing import assess, the_lake
from anban.lake.duck import DuckDB
from anban.lake.reading import SOURCES, Reading
from anban.lake.warning.hidden import hidden
from anban.lake.warning.limits import COVERAGE
from anban.web.board import unseen
from anban.web.shell import middleware
from bench.unseen_coverage import measured
from tests.factories.inspections import seen
from tests.factories.kept import kept_world
from tests.factories.signed import client_of
from tests.factories.town import AT, Town, town
from tests.web.board.test_risk import opened

pytestmark = pytest.mark.django_db
LISTED = re.compile(r'href="(/risk/unseen/list/\?[^"]+)"[^>]*>(?:看到过的共 )?(\d+)(?: 条)?<')
SEEN = {"visits": 12, "calls": 8, "both": 9}


@pytest.fixture(scope="module")
def looked(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town in whose restaurants visits saw some hazards, callers others, both a few, and a blind check one that a visit saw too."""
    with pytest.MonkeyPatch.context() as patch, kept_world(django_db_blocker):
        patch.setattr(settings, "HOME", tmp_path_factory.mktemp("home"))
        patch.setattr(middleware, "now", lambda: AT)
        made = town()
        shop = made.place()
        other = made.place("中关村面馆", area="中关村街道", manager=None)
        inspector = made.actor("王敏")

        def told(part: str, *origins: str) -> None:
            for origin in origins:
                at = AT - timedelta(days=20)
                sighting = Sighting(
                    place_id=shop.pk, fact="软管老化", code="RG05", part=part, origin=origin, found_on=at.date()
                )
                enter(actor=inspector, at=AT, sighting=sighting)

        for kind, count in SEEN.items():
            origins = {"visits": ("inspection",), "calls": ("ticket",), "both": ("inspection", "report")}[kind]
            for number in range(count):
                told(f"{kind}{number}", *origins)
        told("alarm", "alarm", "alarm")
        told("self", "self_check")
        record_visit(actor=inspector, at=AT, visit=seen(shop, code="RG07", fact="断电"))
        blind = record_visit(actor=inspector, at=AT, visit=seen(shop, code="RG07", fact="断电"))
        Visit.objects.filter(pk=blind.pk).update(kind=Visit.Kind.OVERSIGHT)
        enter(actor=made.job, at=AT, sighting=Sighting(place_id=other.pk, fact="堵塞", code="RG10", origin="ticket"))
        assess(actor=job_actor("test", "town"), at=AT)
        yield made


def test_sources_are_compared_as_the_ledger_matched_them(looked: Town) -> None:
    newest = queries.current(looked.actor("何静"))
    assert newest is not None
    reading = Reading.of(newest.root, newest.folder)
    counted = unseen.together(reading.sightings(queries.reaches(looked.actor("何静"))))
    named = {"".join("1" if each else "0" for each in seen): n for seen, n in counted.items()}
    assert named == {"1000": 12, "0100": 8, "1100": 9, "0010": 1, "1001": 1}
    whole = unseen.together(reading.sightings(queries.reaches(looked.actor("林涛"))))
    assert sum(whole.values()) == sum(counted.values()) + 1


@pytest.mark.parametrize("name", ["王敏", "何静", "林涛", "高远"])
def test_each_count_opens_its_list(looked: Town, name: str) -> None:
    client = client_of(looked, name)
    links = LISTED.findall(opened(client, "/risk/unseen/"))
    assert len(links) >= 9
    for href, number in links:
        listed = opened(client, unescape(href))
        assert f"共 {number} 条" in listed, href
        assert len(re.findall(r'<tr><th scope="row"><a href="/ledger/', listed)) == int(number), href


def test_the_range_is_that_of_the_statistics_and_told_with_what_it_rests_on(looked: Town) -> None:
    page = opened(client_of(looked, "何静"), "/risk/unseen/")
    counts = {(True, False, False): 12, (False, True, False): 8, (True, True, False): 9, (False, False, True): 1}
    found = hidden({**{(*k, False): n for k, n in counts.items()}, (True, False, False, True): 1}, SOURCES)
    assert found is not None
    assert f'<span class="num">{round(found.low95)}</span> – <span class="num">{round(found.high95)}</span>' in page
    assert "检验不出来" in page
    assert page.count("400 座城") == 1
    assert all(one.zh in page for one in COVERAGE)


def test_small_numbers_are_not_told(looked: Town) -> None:
    page = opened(client_of(looked, "高远"), "/risk/unseen/")
    assert "说不出" in page
    assert "不足两个" in page
    assert unseen.range_of({(True, True, False, False): 6, (True, False, False, False): 50}).why
    assert not unseen.range_of({(True, True, False, False): 7, (True, False, False, False): 50}).why


def test_a_snapshot_that_is_gone_is_told(looked: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "results").symlink_to(the_lake().home / "results")
    monkeypatch.setattr(settings, "HOME", tmp_path)
    assert "数据快照已清理" in opened(client_of(looked, "何静"), "/risk/unseen/list/?seen=1000")
    assert client_of(looked, "何静").get("/risk/unseen/list/?seen=12").status_code == 404
    assert client_of(looked, "何静").get("/risk/rounds/?by=inspector").status_code == 404


def test_one_voice_and_many_are_told_apart_by_origin(looked: Town) -> None:
    """What the lake gets of voices: those of hazards heard of more than once, all of them."""
    again = Hazard.objects.filter(voices_count__gt=1)
    assert Voice.objects.filter(hazard__in=again).count() == sum(again.values_list("voices_count", flat=True)) > 18


def test_what_is_unfounded_foreign_or_old_is_left_out(tmp_path: Path) -> None:
    day = date(2026, 3, 2)
    engine = DuckDB(tmp_path / "scratch")
    rows = ", ".join(
        f"({n}, '{n:032x}', 'S', 'catering', '{origin}', '{state}', {historical}, DATE '{on}')"
        for n, (origin, state, historical, on) in enumerate(
            [
                ("inspection", "closed", "FALSE", day), ("inspection", "not_founded", "FALSE", day),
                ("inspection", "merged", "FALSE", day), ("history", "closed", "TRUE", day),
                ("inspection", "closed", "FALSE", day - timedelta(days=365)), ("self_check", "closed", "FALSE", day),
                ("alarm", "closed", "FALSE", day + timedelta(days=1)), ("oversight", "closed", "FALSE", day),
            ]
        )
    )  # fmt: skip
    engine.make(
        "hazards",
        f"SELECT * FROM (VALUES {rows}) AS t (hazard, id, street, place_kind, origin, state, historical, found_on)",
        {},
    )
    engine.make("voices", "SELECT 1 AS hazard, 'alarm' AS origin, DATE '2026-03-02' AS found_on WHERE FALSE", {})
    engine.make("findings", "SELECT 1 AS hazard, 1 AS visit WHERE FALSE", {})
    engine.make("visits", "SELECT 1 AS visit, '' AS kind, DATE '2026-03-02' AS day WHERE FALSE", {})
    given = texts.values(day, "")
    engine.make("sighted", texts.text("sighted"), given, keep=False)
    found = engine.fetch(texts.text("sightings"), given).to_pylist()
    engine.close()
    assert [(row["by_visits"], row["by_checks"], row["hazards"]) for row in found] == [
        (False, True, 1),
        (True, False, 1),
    ]


def test_the_published_shortfall_is_what_was_measured(soak: bool) -> None:
    """The page's table is the document's; with --soak it is measured again, number by number."""
    document = (Path(__file__).parents[3] / "docs" / "early-warning.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip().removesuffix(" %") for cell in line.strip("|").split("|")[1:]]
        for line in document.splitlines()
        if line.startswith("|") and line.count("|") == 6 and " %" in line
    ]
    assert rows == [
        [f"{c.two_pct:.1f}", str(c.two_middle), f"{c.three_pct:.1f}", str(c.three_middle)] for c in COVERAGE
    ]
    if soak:
        again = dict(measured())
        for one in COVERAGE:
            assert again[one.en] == (
                pytest.approx(one.two_pct, abs=0.06),
                one.two_middle,
                pytest.approx(one.three_pct, abs=0.06),
                one.three_middle,
            )

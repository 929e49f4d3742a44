"""Snapshots of the lake: right, of one state, the same by parts as whole, and published whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from anban.base.exports import Column, Export, declare, exports
from anban.base.journal.operations import record, unit
from anban.base.journal.queries import size
from anban.contexts.establishments.models import Place
from anban.contexts.hazards.models import Hazard
from anban.contexts.inspections.models import Visit
from anban.contexts.inspections.operations import record_visit
from anban.lake.folder import Lake, check_files
from anban.lake.source import alike, opened
from anban.rules.errors import Refusal
from tests.factories.inspections import seen
from tests.factories.town import Town, town
from tests.lake.conftest import NOW, rows, snap


def key(identity: object) -> int:
    return int(str(identity).replace("-", "")[-15:], 16)


def test_snapshot_holds_every_row_with_the_days_of_its_own_city(a_town: Town, lake: Lake) -> None:
    elsewhere = town("far")
    elsewhere.place("远方", manager=None)
    taken = snap(lake)
    assert taken.position == size()
    assert set(taken.tables) >= {
        "places",
        "visits",
        "findings",
        "hazards",
        "cycles",
        "obligations",
        "mandates",
        "areas",
    }
    assert {row["id"] for row in rows(taken, "places")} == {p.id.hex for p in Place.objects.filter(root="town")}
    assert len(rows(taken, "places", "far")) == 1
    hazard = Hazard.objects.get(root="town")
    visit = Visit.objects.get()
    (found,) = rows(taken, "hazards")
    assert (found["hazard"], found["place"], found["id"]) == (key(hazard.pk), key(hazard.place_id), hazard.pk.hex)
    assert (found["class_code"], found["street"]) == (hazard.class_code, "1/05/026/")
    assert found["found_on"] == visit.on == date(2026, 3, 3)
    (opened,) = rows(taken, "cycles")
    assert (opened["hazard"], opened["ended_on"]) == (key(hazard.pk), None)
    (finding,) = rows(taken, "findings")
    assert (finding["visit"], finding["hazard"], finding["day"]) == (key(visit.pk), key(hazard.pk), visit.on)
    # 17:30 UTC is the next day in Beijing.
    assert {row["opened_on"] for row in rows(taken, "obligations")} == {date(2026, 3, 3)}
    assert check_files(taken.folder) == len(taken.manifest["files"])


def test_snapshot_by_parts_equals_the_whole_one(a_town: Town, lake: Lake) -> None:
    first = snap(lake)
    assert snap(lake, NOW + timedelta(minutes=1)).folder == first.folder, "nothing new, nothing written"
    later = NOW + timedelta(hours=1)
    shop = Place.objects.get(name="巷口面馆")
    record_visit(actor=a_town.actor("王敏"), at=later, visit=seen(shop, code="RG05", fact="软管老化"))
    record_visit(actor=a_town.actor("王敏"), at=later, visit=seen(shop, fact="又断电"))
    second = snap(lake, later)
    assert second.manifest["ways"]["mandates"] == "whole"
    parts = {name: rows(second, name) for name in second.tables}
    whole = snap(lake, later + timedelta(hours=1), whole=True)
    assert whole.folder != second.folder
    assert parts == {name: rows(whole, name) for name in whole.tables}
    assert len(parts["visits"]) == 3


def test_only_the_touched_years_are_written_anew(a_town: Town, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    # A share above one: however few rows there are, they are asked for by their ids.
    monkeypatch.setattr("anban.lake.snapshot.WHOLE_FROM", 100.0)
    shop = Place.objects.get(name="巷口面馆")
    for day in (date(2024, 5, 1), date(2025, 5, 1)):
        record_visit(actor=a_town.actor("王敏"), at=NOW, visit=seen(shop, code="RG05", fact="x", on=day))
    first = snap(lake)
    record_visit(actor=a_town.actor("王敏"), at=NOW, visit=seen(shop, code="RG05", fact="y", on=date(2025, 6, 1)))
    second = snap(lake, NOW + timedelta(hours=1))
    assert second.manifest["ways"]["visits"] == "merged"
    assert second.manifest["ways"]["places"] == "kept"

    def hashes(taken, year):
        return {f["sha256"] for f in taken.manifest["files"] if f["table"] == "visits" and f["period"] == year}

    assert hashes(first, 2024) == hashes(second, 2024) != set()
    assert hashes(first, 2025) != hashes(second, 2025)
    whole = snap(lake, NOW + timedelta(hours=2), whole=True)
    assert {name: rows(second, name) for name in second.tables} == {name: rows(whole, name) for name in whole.tables}


def test_a_merged_row_that_is_gone_leaves_the_lake(a_town: Town, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anban.lake.snapshot.WHOLE_FROM", 100.0)
    snap(lake)
    place = Place.objects.get(name="和平饭店")
    with unit():
        record("place.removed", actor=a_town.job, at=NOW, subject=("place", place.pk), removed=[place])
        Place.objects.filter(pk=place.pk).delete()
    second = snap(lake, NOW + timedelta(hours=1))
    assert second.manifest["ways"]["places"] == "merged"
    assert place.pk.hex not in {row["id"] for row in rows(second, "places")}


def test_another_history_or_other_declarations_are_read_whole(
    a_town: Town, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = snap(lake)
    a_town.place("新店", manager=None)
    monkeypatch.setattr("anban.lake.source.Source.entry_hash", lambda _self, _position: "another")
    second = snap(lake, NOW + timedelta(hours=1))
    assert second.manifest["since"] is None
    assert set(second.manifest["ways"].values()) == {"whole"}
    assert first.manifest["since"] is None


def test_what_commits_meanwhile_is_not_half_in(a_town: Town, lake: Lake) -> None:
    """A place that is registered while the tables are read is in none of them; the manifest's position is before it."""
    position = size()
    said = []

    def register_meanwhile(table: str, _done: int, _total: int) -> None:
        if not said:
            a_town.place("夜里新开的店", manager=None)
        said.append(table)

    taken = snap(lake, progress=register_meanwhile)
    assert said[0] == "areas"
    assert Place.objects.filter(root="town").count() == 4
    assert len(rows(taken, "places")) == 3
    assert taken.position == position < size()


def test_every_source_of_a_snapshot_sees_one_state(a_town: Town, lake: Lake) -> None:
    """Also the one that is opened after something was committed."""
    places = next(export for export in exports() if export.name == "places")
    with opened(connection.settings_dict) as source:
        assert source.position() == size()
        a_town.place("夜里新开的店", manager=None)
        with alike(connection.settings_dict, source) as sources:
            assert len(sources) == (2 if source.vendor == "postgresql" else 1)
            for one in sources:
                with one.batches(places, source.zones()) as given:
                    assert sum(len(batch) for batch in given) == 3


def test_a_killed_writer_leaves_the_last_snapshot_and_its_draft_is_swept_away(a_town: Town, lake: Lake) -> None:
    first = snap(lake)
    a_town.place("新店", manager=None)

    def die(table: str, _done: int, _total: int) -> None:
        if table == "visits":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        snap(lake, NOW + timedelta(hours=1), progress=die)
    assert lake.newest("snapshots") == first.folder
    assert any(one.name.startswith(".draft-") for one in (lake.home / "snapshots").iterdir())
    second = snap(lake, NOW + timedelta(hours=2))
    assert len(rows(second, "places")) == 4
    assert not any(one.name.startswith(".draft-") for one in (lake.home / "snapshots").iterdir())


def test_two_writers_do_not_mix(lake: Lake) -> None:
    """The second is refused while the first lives, and let in when it was killed."""
    code = "import sys, pathlib; from anban.lake.folder import Lake\nwith Lake(pathlib.Path(sys.argv[1])).writing():\n    print('in', flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(lake.home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"in\n"
    with pytest.raises(Refusal) as refused, lake.writing():
        pass
    assert refused.value.code == "lake.busy"
    other.kill()
    other.communicate()
    with lake.writing():
        pass


def test_a_changed_file_is_found(a_town: Town, lake: Lake) -> None:
    taken = snap(lake)
    victim = next(taken.folder / f["path"] for f in taken.manifest["files"] if f["rows"])
    victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    with pytest.raises(Refusal) as refused:
        check_files(taken.folder)
    assert refused.value.code == "lake.damaged"


def test_two_places_with_one_key_are_refused(a_town: Town, lake: Lake) -> None:
    place = Place.objects.get(name="和平饭店")
    twin = Place.objects.get(name="和平饭店")
    twin.pk = type(place.pk)(hex="f" + place.pk.hex[1:])
    twin.number = "EST-TWIN"
    Place.objects.bulk_create([twin])
    with pytest.raises(Refusal) as refused:
        snap(lake)
    assert refused.value.code == "lake.key_twice"


def test_a_declaration_names_its_own_columns_once() -> None:
    assert len(exports()) >= 9
    with pytest.raises(ValueError, match="columns"):
        declare(Export("x", 1, "x", "x.root", (Column("a", "text", "x.a"),), period="b"))
    with pytest.raises(ValueError, match="twice"):
        declare(Export("places", 1, "x", "x.root", (Column("a", "text", "x.a"),)))


def test_an_empty_house_gives_empty_tables(transactional_db: None, lake: Lake) -> None:
    taken = snap(lake, datetime(2026, 1, 1, tzinfo=UTC))
    assert all(rows(taken, table) == [] for table in taken.tables)

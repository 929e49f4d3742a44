"""The starting table of mandates: every row sourced, written out for the districts and streets, imported twice without change."""

from __future__ import annotations

import csv
import json
from datetime import date

import pytest

from anban.config.cli import main
from anban.contexts.catalog.data.tables import body_kinds, hazard_classes, place_kinds
from anban.contexts.responsibility import net
from anban.contexts.responsibility.start import start_rows, write_start
from tests.factories.town import ON, town


def test_every_row_has_its_basis_date_source_and_known_words():
    kinds, places, classes = ({row.code for row in rows()} for rows in (body_kinds, place_kinds, hazard_classes))
    for row in start_rows():
        assert row.basis
        assert row.source
        assert row.certainty in {"law", "read", "recalled", "practice", "estimate"}
        assert row.as_of <= date(2026, 11, 30)
        assert row.body_kind in kinds
        assert row.place_kind in {"", *places}
        assert row.hazard_class in {"", *classes}
    mains = [row for row in start_rows() if row.part == "main"]
    assert {row.hazard_class for row in mains if row.role == "special"} == classes
    assert {row.hazard_class for row in mains if row.role == "enforcer"} == classes


@pytest.mark.django_db
def test_one_command_adopts_it_and_a_second_time_changes_nothing(tmp_path, capsys):
    t = town()
    place = t.place(kind="hospital", manager=None)
    assert main(["net", "start", "--root", "town", "--from", "2026-01-01", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["new"] > 100
    # The town has five of these duties on file already, from another day on.
    assert (first["refused"], first["bodies"] > 20) == (5, True)
    assert main(["net", "start", "--root", "town", "--from", "2026-01-01", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["new"], again["bodies"], again["same"], again["refused"]) == (0, 0, first["new"], 5)
    found = net.Net.load("town", ON).answers(place.kind, place.industry, place.area_path)
    assert {one.role for one in found.faults if one.found.state == "gap"} == set()
    made = write_start("town", ON, tmp_path)
    with made.mandates.open(encoding="utf-8-sig", newline="") as lines:
        assert len(list(csv.DictReader(lines))) == made.mandate_rows

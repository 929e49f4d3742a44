"""The pass over the whole net: it says what the single question says, and its lists are complete."""

from __future__ import annotations

import csv
import json
from datetime import date
from random import Random

import pytest

from anban.config.cli import main
from anban.contexts.catalog.queries import hazard_classes
from anban.contexts.establishments.models import Place
from anban.contexts.responsibility import net
from anban.contexts.responsibility.models import Mandate
from anban.contexts.responsibility.operations import add_mandate, add_mandates
from anban.contexts.responsibility.queries import resolve
from tests.factories.town import AT, ON, town

pytestmark = pytest.mark.django_db


def scattered(t, count=40, seed=7):
    """Rows of every sort over the town, and places of every sort in it."""
    rng = Random(seed)
    bodies = list(t.bodies.values())
    classes = ["", "", *hazard_classes("town").values_list("code", flat=True)]
    rows = {}
    for _ in range(count):
        scope = rng.choice(("kind", "industry", "any"))
        row = Mandate(
            root="town",
            body=rng.choice(bodies),
            role=rng.choice(Mandate.Role.values),
            place_kind=rng.choice(("catering", "hospital")) if scope == "kind" else "",
            industry=rng.choice(("6", "62", "84")) if scope == "industry" else "",
            hazard_class=rng.choice(classes),
            area=rng.choice(list(t.areas.values())),
            phase=rng.choice(("", "", "", "before", "during")),
            from_on=rng.choice((None, date(2026, 1, 1), date(2026, 5, 1))),
            until_on=rng.choice((None, None, date(2026, 2, 1))),
        )
        if row.from_on is None or row.until_on is None or row.until_on > row.from_on:
            rows[row.body_id, row.role, row.place_kind, row.industry, row.hazard_class, row.area_id, row.phase, row.from_on] = row  # fmt: skip
    add_mandates(actor=t.job, at=AT, rows=rows.values())
    for number in range(12):
        place = t.place(f"场所{number}", area=rng.choice(("望京街道", "呼家楼街道", "中关村街道")), kind=rng.choice(("catering", "hospital", "other_hotel")), manager=None)  # fmt: skip
        Place.objects.filter(pk=place.pk).update(industry=rng.choice(("6210", "8411", "")))
    return list(Place.objects.order_by("id"))


def test_the_pass_and_the_single_question_agree(tmp_path):
    t = town()
    places = scattered(t)
    found = net.write_lists(t.job, ON, tmp_path)
    listed = {}
    for name in ("gaps", "overlaps"):
        with (tmp_path / f"{name}.csv").open(encoding="utf-8-sig", newline="") as lines:
            for row in csv.DictReader(lines):
                listed[row["place"], row["class"], row["role"]] = (name.rstrip("s"), row["bodies"])
    classes = list(hazard_classes("town").values_list("code", flat=True))
    asked = 0
    for place in places:
        for one in classes[::4]:
            answers = resolve(place, one, ON)
            for answer in (answers.sector_lead, answers.special, answers.enforcer, answers.territory):
                asked += 1
                key = (place.number, one, answer.role)
                assert listed.get(key, ("resolved", ""))[0] == answer.state.value, key
                if answer.state == "overlap":
                    assert listed[key][1] == ";".join(sorted({row.body.code for row in answer.rows}))
    assert asked == len(places) * len(classes[::4]) * 4
    assert found.places == len(places)
    assert found.resolved + found.gaps + found.overlaps == len(places) * len(classes) * 4
    assert found.gaps + found.overlaps == len(listed)
    assert found == net.figures(t.job, ON)


def test_every_open_answer_belongs_to_exactly_one_listed_boundary():
    t = town()
    places = scattered(t, seed=11)
    known = net.Net.load("town", ON)
    scopes = net.open_scopes(t.job, ON)
    for place in places:
        for fault in known.answers(place.kind, place.industry, place.area_path).faults:
            assert known.scope(fault, place.kind, place.area_path) in scopes
    listed = {pk for scope in scopes for pk, _ in net.open_places(t.job, ON, net.Asked(scope=scope))}
    assert listed == {pk for pk, _ in net.open_places(t.job, ON, net.Asked())}
    for scope, extent in scopes.items():
        assert len(net.open_places(t.job, ON, net.Asked(scope=scope))) == extent.places


def test_a_number_of_the_matrix_is_the_length_of_the_list_it_opens():
    t = town()
    scattered(t, seed=3)
    checked = 0
    for name in ("何静", "王敏", "周航"):
        actor = t.actor(name)
        for (kind, code), cell in net.matrix(actor, ON).items():
            for role, count in cell.gaps.items():
                checked += 1
                asked = net.Asked(kind=kind, overview=code, role=role, fault="gap")
                assert len(net.open_places(actor, ON, asked)) == count
    assert checked


def test_a_closed_or_merged_place_is_no_gap():
    t = town()
    t.place("关门店", kind="postnatal_centre", manager=None, status="closed")
    assert net.figures(t.job, ON).places == 0


def test_since_is_the_day_on_which_the_duty_ended(tmp_path):
    t = town()
    t.place(kind="hospital", manager=None)
    row = add_mandate(actor=t.job, at=AT, body=t.bodies["朝阳商务局"], role="sector_lead", area=t.areas["朝阳区"], place_kind="hospital", until_on=date(2026, 2, 1))  # fmt: skip
    assert row.until_on
    net.write_lists(t.job, ON, tmp_path)
    text = (tmp_path / "gaps.csv").read_text(encoding="utf-8-sig")
    assert "EST-000001,GAS,sector_lead,,2026-02-01" in text
    assert net.figures(t.job, date(2026, 1, 31)).gaps < net.figures(t.job, ON).gaps


def test_the_command_prints_its_six_figures_and_answers_for_one_place(tmp_path, capsys):
    t = town()
    place = t.place()
    assert main(["net", "--root", "town", "--on", "2026-03-02", "--out", str(tmp_path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert list(said) == ["places", "classes", "resolved", "gaps", "overlaps", "assigned"]
    assert said["places"] == 1
    assert main(["net", "resolve", place.number, "GAS", "--root", "town", "--on", "2026-03-02", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["answers"]["special"]["name"] == "朝阳城管委"
    assert told["answers"]["special"]["officer"] == "赵磊"
    assert told["answers"]["enforcer"]["powers"] == ["order", "penalise"]
    assert told["answers"]["territory"]["state"] == "gap"
    assert told["answers"]["territory"]["officer"] == "王敏"
    assert main(["net", "resolve", "EST-9", "GAS", "--root", "town"]) == 1
    assert main(["net", "resolve", place.number, "XXX", "--root", "town"]) == 1

"""Planted failings are found: recall is whole, precision is stated, and a town without them gives no finding."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from anban.contexts.hazards.models import Hazard
from anban.contexts.oversight.queries import duties, instructions, likes, sanctions
from anban.kit.clock import city_date
from tests.factories.overseen import DAYS, OFFICE, Planter, plant
from tests.factories.town import AT, ON, town

pytestmark = pytest.mark.django_db
NOW = AT + timedelta(days=DAYS)
TODAY = city_date(NOW, "Asia/Shanghai")


def test_everything_planted_is_found_and_nothing_else(tmp_path: Path) -> None:
    t = town()
    plant(t, tmp_path / "truth.json")
    truth = {kind: set(names) for kind, names in json.loads((tmp_path / "truth.json").read_text()).items()}
    office = t.actor(OFFICE, TODAY)
    rows = likes.dealt(office, since=ON, until=TODAY - timedelta(days=67))
    unequal = [one for one in likes.compared(rows, 60) if one.found]
    found = {
        "left_alone": {one.hazard.number for one in likes.left_alone(office, NOW)},
        "red_documents": {row.number for row in instructions.register_of(office, only="red")},
        "vacant_posts": {one.post.body.name for one in duties.standings(office, TODAY, ahead_days=30)},
        "red_cases": {row.number for row in sanctions.board(office, only="red")},
        "dependent_bodies": {
            one.body.name for one in instructions.dependence(office, ON) if one.only_after.low is not None and one.only_after.low > 0.2
        },
        "unequal_firms": {
            one.key
            for one in unequal
            if one.what == "firm" and one.comparison.kind == "measure" and (one.comparison.difference or 0) < 0
        },
    }  # fmt: skip
    hits = sum(len(found[kind] & truth[kind]) for kind in truth)
    planted, said = sum(map(len, truth.values())), sum(map(len, found.values()))
    print(f"recall {hits}/{planted}, precision {hits}/{said}")
    assert found == truth


def test_a_town_that_treats_all_alike_gives_no_finding() -> None:
    t = town()
    made = Planter(t)
    for number in range(40):
        hazard = made.see("RG08", 2, affiliation="central" if number % 2 else "private")
        if number % 4 < 2:
            made.order(hazard, 3 + number % 5)
    assert Hazard.objects.count() == 40
    rows = likes.dealt(t.actor(OFFICE, TODAY), since=ON, until=TODAY - timedelta(days=67))
    results = likes.compared(rows, 60)
    assert any(one.comparison.p is not None for one in results)
    assert [one for one in results if one.found] == []

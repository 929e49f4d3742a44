"""The page of the simulated city: what was published is what is shown, and nothing unsound is published."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import asdict
from typing import Any

import pytest

from anban.base.journal.models import Entry
from anban.base.people.actor import job_actor
from anban.contexts.risk.operations import publish_simulation
from anban.lab.closed_forms import Check
from anban.lab.comparison import compare
from anban.lab.policies import POLICIES
from anban.lab.setting import SCENARIOS, Setting
from anban.rules.errors import Refusal
from anban.web.board import simulation as page
from tests.factories.signed import client_of
from tests.factories.town import AT, town

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    made = compare(
        Setting(sites=100, visits_a_day=1, days=120, burn_in_days=30, streets=5), policies=("ours",), seeds=2
    )
    held = Check("share hidden", 0.42, 0.42, 0.01)
    return {"closed_forms": [{**asdict(held), "holds": held.holds}], "comparisons": [asdict(made)], "map": []}


def test_published_figures_are_shown_with_their_intervals(result: dict[str, Any]) -> None:
    made = town()
    row = publish_simulation(actor=job_actor("test", "town"), at=AT, result=result)
    shown = client_of(made, "林涛").get("/risk/simulation/").content.decode()
    for each in result["comparisons"][0]["rows"]:
        assert f">{each['outcome']['hidden_per_site_year']:.0f}<" in shown
    ours = next(each for each in result["comparisons"][0]["rows"] if each["policy"] == "ours")
    assert f"{ours['averted_vs_random_pct']['low95']:+.1f}" in shown
    for name, each in page.SCENARIOS.items():
        line = shown.partition(f"{each}</")[2].partition("</tr>")[0]
        assert ("这一次没有算" in line) == (name != "base"), name
    line = shown.partition('?scenario=base#policies"')[2].partition("</tr>")[0]
    assert f"{ours['hidden_vs_index']['low95']:+.1f}, {ours['hidden_vs_index']['high95']:+.1f}]" in line
    assert row.result_hash in shown
    assert row.result_hash in Entry.objects.get(body__contains="simulation.published").body


def test_page_without_a_simulation_says_how_to_begin() -> None:
    assert "anban simulate" in client_of(town(), "林涛").get("/risk/simulation/").content.decode()


def test_unsound_simulator_is_not_published(result: dict[str, Any]) -> None:
    town()
    formula, same = deepcopy(result), deepcopy(result)
    formula["closed_forms"][0]["holds"] = False
    same["comparisons"][0]["same_p_value"] = 0.001
    for unsound in (formula, same):
        with pytest.raises(Refusal) as refused:
            publish_simulation(actor=job_actor("test", "town"), at=AT, result=unsound)
        assert refused.value.code == "risk.simulation_unsound"


def test_every_policy_and_scenario_has_a_name_on_the_page() -> None:
    assert set(page.POLICIES) == set(POLICIES)
    assert set(page.SCENARIOS) == set(SCENARIOS)

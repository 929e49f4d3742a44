"""A person's figures go to that person and the direct head and to nobody else: by page, by export, by API; nothing is sorted by them."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from anban.contexts.establishments import queries as places
from anban.contexts.establishments.exporters import export_places
from anban.contexts.hazards.operations import Sighting, act, enter
from anban.contexts.inspections import queries as visits
from anban.contexts.inspections.exporters import export_visits
from anban.contexts.obligations.operations import note_breach
from anban.contexts.obligations.queries import overdue_open
from anban.contexts.oversight.exporters import export_duties
from anban.contexts.responsibility.exporters import export_mandates
from anban.kit.clock import city_date
from anban.rules.hazard_lifecycle import Action
from tests.api.conftest import caller_of
from tests.data_location import REPOSITORY
from tests.factories.signed import client_of
from tests.factories.town import AT, Town
from tests.web.desk.conftest import Clock

LATER = timedelta(days=10)
SAID = re.compile(r"(\d+)%（\d+%–\d+%，n=(\d+)）")
SEEN, IN_TIME = 13, 8
WITHOUT_ADDRESS = ("<", "/sign-out/", "/healthz", "/readyz", "/metrics")


@pytest.fixture
def kept(city: Town, clock: Clock) -> str:
    """What 王敏's own page says of 王敏: eight of thirteen things verified in time."""
    actor = city.actor("王敏")
    for number in range(SEEN):
        place = city.place(f"第{number}面馆", manager=None)
        hazard = enter(actor=actor, at=AT, sighting=Sighting(place_id=place.pk, code="RG07", fact="报警器断电")).hazard
        if number < IN_TIME:
            act(
                actor=actor, at=AT + timedelta(days=1), hazard_id=hazard.pk, action=Action.VERIFY, verdict="founded",
                given={"reason": "属实"},
            )  # fmt: skip
    clock.at = AT + LATER
    for row in overdue_open(city.root, clock.at):
        note_breach(actor=city.job, at=clock.at, obligation_id=row.pk)
    city.hold("主任", "望京平安办", "street_director", "望京街道")
    city.hold("数据员", "市安委办", "steward", "试验市")
    cache.clear()
    page = client_of(city, "王敏").get(f"/oversight/persons/{city.people['王敏'].pk}/").content.decode()
    found = SAID.search(page)
    assert found is not None
    assert (found[1], found[2]) == (f"{IN_TIME / SEEN:.0%}".rstrip("%"), str(SEEN))
    assert "核实 13" in page
    assert "不作排名" in page
    return found[0]


def test_the_page_opens_to_the_person_and_the_direct_head_alone(city: Town, kept: str) -> None:
    address = f"/oversight/persons/{city.people['王敏'].pk}/"
    opened = {name for name in city.people if client_of(city, name).get(address).status_code == 200}
    assert opened == {"王敏", "刘洋"}
    assert kept in client_of(city, "刘洋").get(address).content.decode()


def test_no_list_of_the_site_says_it_or_could_be_sorted_by_it(city: Town, kept: str) -> None:
    with (REPOSITORY / "tests" / "reliability" / "matrix.csv").open(encoding="utf-8") as lines:
        addresses = [row["address"] for row in csv.DictReader(lines) if row["method"] == "GET"]
    addresses = [one for one in addresses if not any(part in one for part in WITHOUT_ADDRESS)]
    opened = 0
    for name in ("林涛", "宋岩", "何静", "刘洋", "数据员"):
        client = client_of(city, name)
        for address in addresses:
            answer = client.get(address)
            if answer.status_code == 200 and not answer.streaming:
                opened += 1
                assert kept not in answer.content.decode(errors="replace"), (name, address)
    assert opened > 100


def test_no_export_carries_it(city: Town, kept: str, tmp_path: Path) -> None:
    at = AT + LATER
    on = city_date(at, "Asia/Shanghai")
    exports: dict[Callable[..., int], dict[str, Any]] = {
        export_places: {"filters": places.Filters()},
        export_visits: {"filters": visits.Filters()}, export_duties: {"on": on}, export_mandates: {"on": on},
    }  # fmt: skip
    share = f"{IN_TIME / SEEN:.3f}"
    for name in ("林涛", "刘洋", "数据员"):
        for export, more in exports.items():
            out = tmp_path / f"{export.__name__}.csv"
            export(actor=city.actor(name), at=at, out=out, form="csv", **more)
            text = out.read_text(encoding="utf-8-sig")
            assert kept not in text
            assert share not in text


def test_no_answer_of_the_api_carries_it_and_none_can_be_ordered(city: Town, kept: str) -> None:
    document = json.loads((REPOSITORY / "docs" / "openapi.json").read_text(encoding="utf-8"))
    lists = [
        path.removeprefix("/api/v1") for path, verbs in document["paths"].items() if "get" in verbs and "{" not in path
    ]
    asked = {
        p["name"] for verbs in document["paths"].values() for verb in verbs.values() for p in verb.get("parameters", ())
    }
    assert not asked & {"sort", "order", "order_by", "person", "holder"}
    assert len(lists) > 4
    share = f"{IN_TIME / SEEN:.3f}"
    for name in ("林涛", "刘洋"):
        caller = caller_of(city, name)
        for path in lists:
            answer = caller.get(path)
            text = answer.content.decode(errors="replace") if not answer.streaming else ""
            assert kept not in text
            assert share not in text, path

"""Cities that treat all alike, told through the operations into the database and read by the product's own finder: how often it cries."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from scipy.stats import beta

from anban.base.journal.births import deliver
from anban.base.journal.operations import unit
from anban.base.people.actor import Actor
from anban.contexts.establishments.importers import Mapping, SourceFile, apply
from anban.contexts.establishments.models import Place
from anban.contexts.establishments.vocabulary import word_of
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import Sighting, act, enter
from anban.contexts.hazards.queries import take_up
from anban.contexts.oversight.operations.instructions import Received, add_measure, register_instruction
from anban.contexts.oversight.queries import likes
from anban.contexts.responsibility.operations import add_mandate
from anban.contexts.territory.models import Area
from anban.contexts.territory.operations import add_area
from anban.kit.clock import city_date
from anban.kit.remember import remembering
from anban.rules.hazard_lifecycle import Action
from tests.factories.town import AT, ON, Town, town

pytestmark = pytest.mark.django_db

CASES, PLACES = 240, 320
STREETS = 6
KINDS = {"catering": "RG07", "school": "KG07", "elderly_care": "EC07", "group_let": "RC06"}
FIRMS = {"district": 55, "city": 15, "central": 15, "village": 15}
HORIZON = 60
NOTED = 0.25
LIFT = 0.40
"""What the planted effect adds to the share of measures under instruction."""


@dataclass
class Register:
    """The town with six streets, a team of two in each, and the places in which the cities happen."""

    town: Town
    teams: dict[str, str] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)
    places: list[tuple[Place, str]] = field(default_factory=list)

    @classmethod
    def built(cls, folder: Path) -> Register:
        """Build it through the operations and the importer of places."""
        made = cls(town())
        t = made.town
        for number in range(STREETS):
            street, team = f"第{number}街道", f"第{number}执法队"
            path = f"1/05/1{number:02d}/"
            t.areas[street] = _area(t, street, path, f"A011{number:02d}")
            t.body(team, "street_enforcement", street, "street_enforcement")
            for which in "甲乙":
                t.hold(f"{team}{which}", team, "certified_officer", street, sector="street_enforcement")
                made.actors[f"{team}{which}"] = t.actor(f"{team}{which}")
            # The same persons look after the ground: what they see is theirs from the first moment.
            t.hold(f"{team}甲", team, "safety_inspector", street)
            add_mandate(
                actor=t.job, at=AT, body=t.bodies[team], role="enforcer", area=t.areas[street], hazard_class="GAS", basis="试验"
            )  # fmt: skip
            made.teams[path] = team
        rng = random.Random(17)
        rows = [
            {
                "名称": f"第{n}家", "地址": f"{n}号", "场所类型": rng.choice(list(KINDS)), "地区代码": f"A011{rng.randrange(STREETS):02d}",
                "状态": "在营", "主要负责人": f"某{n}", "安全管理人": f"某某{n}",
                "隶属关系": word_of("affiliation", rng.choices(list(FIRMS), weights=list(FIRMS.values()))[0], english=False),
            }
            for n in range(PLACES)
        ]  # fmt: skip
        path = folder / "places.csv"
        with path.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        apply([SourceFile(path)], Mapping(name="null", target="places", source="null"), actor=t.job, at=AT)
        found = Place.objects.filter(root=t.root, name__startswith="第").order_by("number")
        made.places = [(place, made.teams[place.area_path]) for place in found]
        assert len(made.places) == PLACES
        return made


def _area(t: Town, name: str, path: str, code: str) -> Area:
    return add_area(
        actor=t.job, at=AT, root=t.root, code=code, name=name, name_en=name, level="street", parent=t.areas["朝阳区"], path=path
    )  # fmt: skip


@pytest.fixture(scope="module")
def register(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Register]:
    """One register for the module; each city happens in it and is taken back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield Register.built(tmp_path_factory.mktemp("register"))
        transaction.set_rollback(True)


def city(register: Register, seed: int, *, lift: float = 0.0, idle: str = "") -> list[likes.Result]:
    """Let a city happen, look at it as its office does, and take it back; return every comparison that was made.

    With ``lift`` instructed matters get measures oftener; the team ``idle`` takes half the measures of the others.
    """
    rng = random.Random(seed)
    t = register.town
    base = {kind: rng.uniform(0.25, 0.6) for kind in KINDS}
    chosen = rng.sample(register.places, CASES)
    office = t.actor("何静")
    with transaction.atomic(), remembering():
        with unit(lives=True):
            take_up(t.job, [place.pk for place, _team in chosen])
            noted: list[tuple[Hazard, float]] = []
            for place, team in chosen:
                at = AT + timedelta(days=rng.uniform(0, 60))
                actor = register.actors[f"{team}{rng.choice('甲乙')}"]
                hazard = enter(
                    actor=actor, at=at,
                    sighting=Sighting(place_id=place.pk, fact="所见", code=KINDS[place.kind], part="厨房", inspected=True),
                ).hazard  # fmt: skip
                told = rng.random() < NOTED
                share = base[place.kind] * (0.35 if team == idle else 1.0) + (lift if told else 0.0)
                first = 0.0
                if told:
                    first = rng.uniform(0.5, 6)
                    noted.append((hazard, first))
                if rng.random() < share:
                    after = (first + 7 if told and lift else 0.0) + min(50.0, rng.expovariate(1 / 15))
                    act(
                        actor=actor, at=at + timedelta(days=after), hazard_id=hazard.pk, action=Action.ORDER,
                        given={"due_on": city_date(at, "Asia/Shanghai") + timedelta(days=int(after) + 7), "basis": "b", "measures": "m"},
                    )  # fmt: skip
            deliver()
            row = register_instruction(
                actor=office, at=AT,
                received=Received(
                    kind="instruction", number=f"批{seed}", requirement="整改", issued_on=ON, due_on=ON + timedelta(days=90),
                    area_path=t.areas["朝阳区"].path,
                ),
            )  # fmt: skip
            for hazard, first in noted:
                add_measure(
                    actor=office, at=hazard.entered_at + timedelta(days=first), instruction_id=row.pk, hazard_id=hazard.pk,
                    person=t.people["何静"], body=None, requirement="整改", due_on=ON + timedelta(days=90),
                )  # fmt: skip
        seen = likes.dealt(office, since=ON, until=ON + timedelta(days=90))
        assert len(seen) == CASES
        made = likes.compared(seen, HORIZON)
        transaction.set_rollback(True)
    return made


def at_most(hits: int, n: int) -> float:
    """The upper end of the exact two-sided 95 % interval of a share (Clopper and Pearson 1934)."""
    return float(beta.ppf(0.975, hits + 1, n - hits))


def test_cities_that_treat_all_alike_give_findings_in_at_most_one_of_twenty(register: Register, soak: bool) -> None:
    cities = 400 if soak else 10
    made = [city(register, seed) for seed in range(cities)]
    # Instruction, every team and every kind of firm could really be told apart.
    assert all(sum(one.comparison.p is not None for one in results) >= 2 + 2 * STREETS + 2 * 3 for results in made)
    false = sum(any(one.found for one in results) for results in made)
    print(f"false findings: {false} of {cities} null cities, at most {at_most(false, cities):.1%}")
    assert false <= 0.05 * cities if soak else false <= 2


def test_a_planted_effect_of_instruction_and_an_idle_team_are_found(register: Register, soak: bool) -> None:
    cities = 60 if soak else 2
    team = "第2执法队"
    body = str(register.town.bodies[team].pk)
    told = idle = 0
    for seed in range(cities):
        found = {(one.what, one.key) for one in city(register, 1000 + seed, lift=LIFT, idle=team) if one.found}
        told += ("instruction", "") in found
        idle += ("body", body) in found
    print(f"effect of instruction found in {told}, idle team in {idle} of {cities} cities")
    assert told >= 0.9 * cities
    assert idle >= 0.5 * cities

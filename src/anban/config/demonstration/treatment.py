"""A body that moves after an instruction only, likes left alone, a body and a kind of firm treated unlike: planted, and the truth.

It only writes, through the importer and the operations; what finds these failings shares no code with it. All of it lies at
places of kinds that the ordinary history of the demonstration has not, so that the groups of likes hold nothing else.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import UUID

from anban.base.journal.births import deliver
from anban.base.journal.operations import unit
from anban.config.demonstration.accounts import DISTRICT, write_whole
from anban.config.demonstration.bodies import SEED, City
from anban.config.demonstration.lives import ZONE, Day, Found, Player, Step
from anban.config.demonstration.places import REGISTER, RESERVED, Spot, invented, spots_of
from anban.contexts.establishments.importers import SourceFile, apply
from anban.contexts.establishments.queries import visible_to
from anban.contexts.establishments.vocabulary import word_of
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.queries import take_up
from anban.contexts.oversight.operations.instructions import Received, add_measure, register_instruction, settle_closed
from anban.contexts.territory.models import Area
from anban.rules.hazard_lifecycle import Action

TRUTH: Final = "demo-treatment.json"
FOUND_DAYS_AGO: Final = 80
"""All are found on one day, so that one half-year holds them, and long enough ago for the span of observation."""

TOLD_AFTER: Final = timedelta(days=5)
PER_INSTRUCTION: Final = 5
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SEEN: Final[Mapping[str, tuple[str, str, str]]] = {
    "childcare": ("KG07", "厨房", "食堂燃气软管接三通，报警器无声"),
    "short_let": ("RC06", "厨房", "灶前无自闭阀，热水器为直排式"),
    "vocational_training": ("KG07", "食堂", "学员食堂燃气报警器未联动切断阀"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Planted:
    """So many like hazards in one street, at places of one kind and affiliation, and what became of them.

    ``prompt``: ordered the next day; ``noted``: moved a few days after an instruction; ``left``: nobody did anything.
    """

    street: str
    kind: str
    count: int
    became: str
    affiliation: str = "district"


DEPENDENT, IDLE, UNEQUAL = "110105015", "110105016", "110105032"
"""Streets: whose team waits for instructions, whose team does nothing, and where one kind of firm is spared."""

PLANTED: Final = (
    Planted(DEPENDENT, "childcare", 10, "noted"),
    Planted(DEPENDENT, "childcare", 2, "prompt"),
    Planted(DEPENDENT, "childcare", 11, "left"),
    Planted(IDLE, "short_let", 11, "left"),
    Planted("110105017", "short_let", 7, "prompt"),
    Planted("110105018", "short_let", 7, "prompt"),
    Planted(UNEQUAL, "vocational_training", 11, "left", "military"),
    Planted(UNEQUAL, "vocational_training", 3, "prompt"),
    *(Planted(UNEQUAL, "vocational_training", 2, "prompt", one) for one in ("city", "central", "ministry", "village")),
)
"""The firms that were not spared are of all kinds, so that none of these stands out as the spared one's mirror."""


def plant(city: City, photos: Mapping[str, Sequence[UUID]], path: Path) -> dict[str, Any] | None:
    """Plant everything and write down what is to be found; once only."""
    places = _register(city)
    spots = {spot.place_id: spot for spot in spots_of(city, visible_to(city.job).filter(pk__in=places))}
    if Hazard.objects.filter(place_id__in=places).exists():
        return None
    player = Player(city, photos)
    with unit(lives=True):
        take_up(city.job, list(places))
        lives = [_Life(city, player, spots[place_id], one) for place_id, one in places.items()]
        for life in lives:
            life.begin()
        deliver()
        _instruct(city, [life.hazard for life in lives if life.planted.became == "noted"])
        for life in lives:
            life.go_on()
        settle_closed(actor=_office(city), at=city.at - timedelta(days=1))
        truth = _truth(lives)
        write_whole(path, truth)
    return truth


def _truth(lives: Sequence[_Life]) -> dict[str, Any]:
    """Return what was planted, told from the table of plantings and the numbers that the ledger gave."""

    def of(street: str, became: str) -> list[str]:
        return [x.hazard.number for x in lives if (x.planted.street, x.planted.became) == (street, became)]

    noted, prompt = of(DEPENDENT, "noted"), of(DEPENDENT, "prompt")
    return {
        "dependence": [
            {
                "body": f"street_enforcement-{DEPENDENT}", "matters": len(noted) + len(prompt), "instructed": len(noted),
                "only_after": len(noted),
            }
        ],
        "treatment": [
            {"what": "instruction", "key": "", "measures": "more"},
            {"what": "body", "key": f"street_enforcement-{IDLE}", "measures": "fewer"},
            {"what": "firm", "key": "military", "measures": "fewer"},
        ],
        "left_alone": of(DEPENDENT, "left"),
    }  # fmt: skip


def _register(city: City) -> dict[UUID, Planted]:
    """Take the places into the register through its importer; return what is planted at each."""
    rng = Random(SEED + 11)  # noqa: S311 - invented firms
    streets: dict[str, tuple[Area, Area]] = {
        street.code: (district, street) for district in city.districts for street in city.streets.get(district.code, ())
    }
    rows: list[dict[str, str]] = []
    planted: dict[str, Planted] = {}
    for one in PLANTED:
        for _ in range(one.count):
            row = invented(rng, *streets[one.street], one.kind) | {
                "状态": "在营", "隶属关系": word_of("affiliation", one.affiliation, english=False), RESERVED: "是",
            }  # fmt: skip
            rows.append(row)
            planted[row["统一社会信用代码"]] = one
    with TemporaryDirectory() as folder:
        path = Path(folder) / "register.csv"
        with path.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        apply([SourceFile(path)], replace(REGISTER, attributes=(RESERVED,)), actor=city.job, at=city.began)
    found = visible_to(city.job).filter(credit_code__in=list(planted)).order_by("number")
    return {pk: planted[code] for pk, code in found.values_list("pk", "credit_code")}


class _Life:
    """One planted hazard: seen, handed to the street's team and signed for; what follows is the planting's."""

    def __init__(self, city: City, player: Player, spot: Spot, planted: Planted) -> None:
        code, part, fact = SEEN[planted.kind]
        item = next(each for each in player.items if each.code == code)
        self.city, self.player, self.planted = city, player, planted
        self.found = Found(item, part, fact, _HANDED + (_ended(DAY) if planted.became == "prompt" else ()))
        local = (city.at - timedelta(days=FOUND_DAYS_AGO)).astimezone(ZONE).date()
        self.day = Day(datetime.combine(local, time(10, 20), ZONE), "visit", spot, 0, (self.found,))
        self.hazard: Hazard

    def begin(self) -> None:
        """Let it be seen, with what needs no instruction."""
        (self.hazard,) = self.player.play(self.day)

    def go_on(self) -> None:
        """Let what waited for an instruction move some days after it."""
        if self.planted.became != "noted":
            return
        for step in _ended(TOLD_AFTER + 3 * DAY):
            self.hazard = self.player.step(self.day, self.found, self.hazard, step, self.day.at + step.after)


_HANDED: Final = (
    Step(3 * HOUR, "inspector", Action.TRANSFER, {"body": "ordering", "reason": "本岗位无权责令，同日移交"}),
    Step(20 * HOUR, "order1", Action.RECEIVE),
)


def _ended(start: timedelta) -> tuple[Step, ...]:
    """Return an order with its rectification and a passed re-inspection."""
    ordered = {"due_days": 7, "basis": "item", "measures": "class"}
    seen = {"second_person": "order2", "opinion": "单位报来整改照片和说明", "photo_after": True}
    return (
        Step(start + 2 * HOUR, "order1", Action.ORDER, ordered),
        Step(start + 5 * DAY, "liable", Action.APPLY_REVIEW, {"photo_after": True}),
        Step(start + 6 * DAY, "order1", Action.REVIEW, seen, "passed"),
    )


def _office(city: City) -> Any:
    return city.actor(city.people("district_committee_office", DISTRICT, "district_committee_officer")[0])


def _instruct(city: City, hazards: Sequence[Hazard]) -> None:
    """Let a leader's instructions reach the noted matters, each a few days after it was seen."""
    office = _office(city)
    district = next(row for row in city.districts if row.code == DISTRICT)
    team = city.body("street_enforcement", DEPENDENT)
    person = city.people("street_enforcement", DEPENDENT, "certified_officer")[0]
    for number, start in enumerate(range(0, len(hazards), PER_INSTRUCTION), start=11):
        these = hazards[start : start + PER_INSTRUCTION]
        at = these[0].entered_at + TOLD_AFTER
        due_on = these[0].found_on + timedelta(days=20)
        received = Received(
            kind="instruction", number=f"演办批〔示〕{number}号", requirement="立即整改托育机构用气隐患",
            issued_on=these[0].found_on + timedelta(days=4), due_on=due_on, area_path=district.path,
        )  # fmt: skip
        row = register_instruction(actor=office, at=at, received=received)
        for hazard in these:
            add_measure(
                actor=office, at=at, instruction_id=row.pk, hazard_id=hazard.pk, person=person, body=team,
                requirement="责令限期整改", due_on=due_on,
            )  # fmt: skip

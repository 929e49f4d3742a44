"""A town with planted failings of its bodies; what was planted is written to a file outside the database.

It shares no code with what finds them: it only writes, through the operations that people use, and keeps its own list.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from anban.contexts.accidents.operations import Named, Report, record_accident
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import Sighting, act, enter
from anban.contexts.oversight.models import SanctionCase
from anban.contexts.oversight.operations import sanctions
from anban.contexts.oversight.operations.duties import Wanted, add_duty
from anban.contexts.oversight.operations.instructions import Received, add_measure, register_instruction
from anban.contexts.territory.models import Holding
from anban.contexts.territory.operations import leave
from anban.rules.accountability import AccidentGrade
from anban.rules.hazard_lifecycle import Action
from tests.factories.town import AT, ON, Town

DAYS = 110
OFFICE = "何静"


@dataclass
class Planter:
    """Puts failings into a town and remembers each by its number."""

    town: Town
    truth: dict[str, list[str]] = field(default_factory=dict)
    places: int = 0

    def see(self, code: str, day: float, *, affiliation: str = "", kind: str = "catering") -> Hazard:
        """Let an inspector see a hazard at a place of its own."""
        self.places += 1
        place = self.town.place(f"第{self.places}面馆", kind=kind, manager=None)
        if affiliation:
            type(place).objects.filter(pk=place.pk).update(affiliation=affiliation)
        return enter(
            actor=self.town.actor("王敏"), at=AT + timedelta(days=day),
            sighting=Sighting(place_id=place.pk, code=code, fact=f"第{self.places}处隐患"),
        ).hazard  # fmt: skip

    def order(self, hazard: Hazard, day: float) -> None:
        """Let the enforcement team order rectification on a day."""
        at = AT + timedelta(days=day)
        act(
            actor=self.town.actor("王敏"), at=at, hazard_id=hazard.pk, action=Action.VERIFY, verdict="founded",
            given={"reason": "属实"},
        )  # fmt: skip
        act(
            actor=self.town.actor("孙倩"), at=at, hazard_id=hazard.pk, action=Action.ORDER,
            given={"due_on": ON + timedelta(days=int(day) + 7), "basis": "b", "measures": "m"},
        )  # fmt: skip

    def instruct(self, number: str, hazards: list[Hazard], day: float) -> None:
        """Let a leader's instruction reach hazards, or none."""
        at = AT + timedelta(days=day)
        issued = ON + timedelta(days=int(day))
        row = register_instruction(
            actor=self.town.actor(OFFICE), at=at,
            received=Received(
                kind="instruction", number=number, requirement="限期整改", issued_on=issued, due_on=issued + timedelta(days=15),
                area_path=self.town.areas["朝阳区"].path,
            ),
        )  # fmt: skip
        for hazard in hazards:
            add_measure(
                actor=self.town.actor(OFFICE), at=at, instruction_id=row.pk, hazard_id=hazard.pk,
                person=self.town.people["孙倩"], body=self.town.bodies["望京执法队"], requirement="责令整改",
                due_on=issued + timedelta(days=10),
            )  # fmt: skip

    def keep(self, kind: str, *numbers: str) -> None:
        """Remember what was planted."""
        self.truth.setdefault(kind, []).extend(numbers)


def plant(town: Town, path: Path, *, few: bool = False) -> None:
    """Plant every kind of failing with its decoys, and write the truth to ``path``; ``few`` leaves out the large samples."""
    made = Planter(town)
    _likes(made)
    made.instruct("京领批〔2026〕99号", [], 100)
    made.keep("red_documents", "京领批〔2026〕99号")
    _vacancy(made)
    _sanctions(made)
    if not few:
        dependent(made)
        unequal(made)
    path.write_text(json.dumps(made.truth, ensure_ascii=False), encoding="utf-8")


def _likes(made: Planter) -> None:
    """One case moves by instruction, three likes stay; decoys: one was ordered, one differs in item, one is new."""
    noted = made.see("RG07", 1)
    made.instruct("京领批〔2026〕1号", [noted], 3)
    made.order(noted, 4)
    for _ in range(3):
        made.keep("left_alone", made.see("RG07", 2).number)
    made.order(made.see("RG07", 2), 5)
    made.see("RG05", 2)
    made.see("RG07", DAYS - 1)


def _vacancy(made: Planter) -> None:
    town = made.town
    for name, area in (("望京平安办", "望京街道"), ("呼家楼平安办", "呼家楼街道")):
        post = town.posts[f"{name}:safety_inspector:{area}::None"]
        add_duty(
            actor=town.actor(OFFICE), at=AT, post=post,
            wanted=Wanted(code="D1", title="每月检查", ground="territory", period="month", evidence="visit", from_on=date(2026, 4, 1)),
        )  # fmt: skip
    empty = Holding.objects.get(post=town.posts["呼家楼平安办:safety_inspector:呼家楼街道::None"])
    leave(actor=town.job, at=AT, holding=empty, until_on=ON + timedelta(days=60))
    made.keep("vacant_posts", "呼家楼平安办")


def _sanctions(made: Planter) -> None:
    """Two accidents: in one the unit is done and the person isn't, in the other both are."""
    town, office = made.town, made.town.actor(OFFICE)
    for half, name in ((True, "甲"), (False, "乙")):
        place = town.place(f"{name}公司", manager=None)
        accident = record_accident(
            actor=office, at=AT + timedelta(days=10),
            report=Report(
                kind="fire", on=ON + timedelta(days=9), area_path=place.area_path, unit_name=place.name, place=place,
                grade=AccidentGrade.GENERAL, causes=("电气",), named=(Named(name=f"{name}某", link="电气", direct=True),),
            ),
        )  # fmt: skip
        case = sanctions.open_case(actor=office, at=AT + timedelta(days=11), accident=accident)
        for item in case.items.order_by("-subject"):
            if half and item.subject == "person":
                continue
            for step in ("decide", "execute"):
                sanctions.take_step(
                    actor=office, at=AT + timedelta(days=90), item_id=item.pk, step=step,
                    document_number="京安罚〔2026〕1号" if step == "decide" else "",
                )  # fmt: skip
        if half:
            made.keep("red_cases", SanctionCase.objects.get(pk=case.pk).number)


def dependent(made: Planter) -> None:
    """The enforcement team moves fourteen of its eighteen matters only after an instruction."""
    slow = [made.see("RG04", 1) for _ in range(14)]
    for number, hazard in enumerate(slow):
        made.instruct(f"京领批〔2026〕{number + 10}号", [hazard], 20 + number)
        made.order(hazard, 23 + number)
    for _ in range(4):
        made.order(made.see("RG04", 1), 3)
    made.keep("dependent_bodies", "望京执法队")


def unequal(made: Planter) -> None:
    """Of like cases, those at central firms are left while those at private ones are ordered within days."""
    for number in range(14):
        made.see("RG08", 2, affiliation="central")
        made.order(made.see("RG08", 2, affiliation="private"), 3 + number % 3)
    made.keep("unequal_firms", "central")

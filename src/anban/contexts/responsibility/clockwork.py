"""The working day of the responsibility net: calendar, settings, law of the day, and who answers at a body."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from anban.base.people.models import Person
from anban.contexts.responsibility.chains import NAMING
from anban.contexts.responsibility.queries import Answer, Resolver
from anban.contexts.territory.models import Body
from anban.contexts.territory.queries import calendar, city_date, posts_holder, root, settings_of
from anban.kit.workdays import Calendar
from anban.rules import clocks, law
from anban.rules.errors import Refusal, register

register(
    "responsibility.nobody_answers",
    zh="没有人能承接：请先在“人员与岗位”里任命数据管理员或安委办人员。",
    en="Nobody can take this: appoint a steward or a committee officer under “People and posts” first.",
)

DUTY_TITLES: Final = {
    "assign_boundary": ("指定承担单位", "Assign a body"),
    "guard_boundary": ("看护并报告", "Guard and report"),
    "hold_boundary": ("先行承担", "Hold until settled"),
    "settle_boundary": ("起草界定", "Draft the settlement"),
    "joint_part": ("联动办理", "Do your part"),
    "arrive": ("报到", "Arrive"),
    "give_guidance": ("书面答复", "Answer in writing"),
    "give_opinion": ("提出意见", "Give an opinion"),
    "rule_refusal": ("裁定拒绝报到", "Rule on a refusal"),
    **NAMING,
}
"""The verb of each duty of this context, in Chinese and English."""


@dataclass(slots=True)
class Workday:
    """What an operation works with, loaded once."""

    root: str
    at: datetime
    on: date
    zone: ZoneInfo
    calendar: Calendar
    overrides: dict[str, int]
    resolver: Resolver | None = None
    held: dict[tuple[UUID, str], Answer] = field(default_factory=dict)

    @classmethod
    def of(cls, root_code: str, at: datetime) -> Workday:
        """Return the working day of a root at an instant."""
        allowed = set(law.overridable())
        made = {key: int(value) for key, value in settings_of(root_code).items() if key in allowed}
        zone = ZoneInfo(root(root_code).zone)
        return cls(root_code, at, city_date(at, root_code), zone, calendar(root_code), made)

    def due(self, key: str) -> clocks.Due:
        """Return the deadline that a legal value or custom sets from now."""
        return clocks.due_by(key, self.at, calendar=self.calendar, zone=self.zone, on=self.on, overrides=self.overrides)

    def workdays(self, days: int) -> clocks.Due:
        """Return the end of the day that lies so many working days ahead."""
        base = self.due("hazards.whistle_workdays")
        day, provisional = self.calendar.provisional_add_workdays(self.at.astimezone(self.zone).date(), days)
        return clocks.Due(clocks.end_of_day(day, self.zone), provisional, base.law)

    def answers(self) -> Resolver:
        """Return who answers in the whole root today."""
        if self.resolver is None:
            self.resolver = Resolver.load(self.root, self.on)
        return self.resolver

    def office(self, path: str) -> Answer:
        """Return the person of the committee's office for an area, or the steward. Raises: responsibility.nobody_answers."""
        found = self.answers().office_at(path)
        if found.person is not None:
            return found
        return Answer("office", None, steward(self.root), "数据管理员代管")

    def at_body(self, body: Body, path: str) -> Answer:
        """Return who answers at a body for an area; while its posts are vacant the committee's office stands in."""
        key = (body.pk, path)
        if key not in self.held:
            holding = posts_holder(body, path, self.at)
            if holding is None and body.area.path.startswith(path):
                holding = posts_holder(body, body.area.path, self.at)
            if holding is not None:
                self.held[key] = Answer("body", body, holding.person, "岗位", holding.deputy)
            else:
                office = self.office(path)
                self.held[key] = Answer("body", body, office.person, "岗位空缺，安委办代管", office.deputy)
        return self.held[key]


def steward(root_code: str) -> Person:
    """Return the root's named steward. Raises: responsibility.nobody_answers."""
    person = Person.objects.filter(root=root_code, steward=True).order_by("id").first()
    if person is None:
        raise Refusal("responsibility.nobody_answers")
    return person


def unit_of(answer: Answer) -> str:
    """Return the name of the unit in which somebody answers."""
    return answer.body.name if answer.body is not None else answer.reason

"""What rules judge by beside the law of the package (已录入的数据): a working-day calendar and judgement standards, handed in by whoever asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from anban.kit.workdays import Calendar, CalendarGap, china
from anban.rules import major_criteria
from anban.rules.errors import Refusal, register
from anban.rules.major_criteria import Criteria


@dataclass(frozen=True, slots=True)
class Loaded:
    """The calendar and the standards of one office: those of the package, and what was loaded from files."""

    calendar: Calendar
    criteria: tuple[Criteria, ...]

    def workdays_after(self, day: date, count: int, *, field: str) -> date:
        """This function will give the n-th working day after a day.

        Raises: Refusal `rules.calendar_gap` naming the input, where a year on the way is not loaded: nothing is guessed.
        """
        try:
            return self.calendar.add_workdays(day, count)
        except CalendarGap as gap:
            raise Refusal("rules.calendar_gap", field=field, year=gap.year) from gap


@cache
def packaged() -> Loaded:
    """This function will give what the package itself knows: what holds where no office has loaded anything."""
    return Loaded(china(), major_criteria.packaged())


register(
    "rules.calendar_gap",
    zh="{year} 年的工作日历尚未录入，无法推算",
    en="The working-day calendar of {year} is not loaded, so the day cannot be reckoned",
)

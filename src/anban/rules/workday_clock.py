"""Working days (工作日) for rules: by the announced calendar of China, refused where a year is not announced."""

from __future__ import annotations

from datetime import date

from anban.kit.workdays import CalendarGap, china
from anban.rules.errors import Refusal, register


def workdays_after(day: date, count: int, *, field: str) -> date:
    """This function will give the n-th working day after a day.

    Raises: Refusal `rules.calendar_gap` naming the input, where a year on the way is not loaded: nothing is guessed.
    """
    try:
        return china().add_workdays(day, count)
    except CalendarGap as gap:
        raise Refusal("rules.calendar_gap", field=field, year=gap.year) from gap


register(
    "rules.calendar_gap",
    zh="{year} 年的工作日历尚未录入，无法推算",
    en="The working-day calendar of {year} is not loaded, so the day cannot be reckoned",
)

"""The working days (工作日) of China with their shifted days (调休), and what to do in a year nobody has announced yet."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Self

from chinese_calendar import constants

_DAY = timedelta(days=1)
_SATURDAY = 5

# The days off that fall on the same solar day every year. Source: 全国年节及纪念日放假办法 art. 2
# (国务院令第795号, in force 2025-01-01, added May 2). The lunar feasts are not guessed.
_SOLAR_FEASTS = frozenset({(1, 1), (5, 1), (10, 1), (10, 2), (10, 3)})
_SOLAR_FEASTS_SINCE_2025 = frozenset({(5, 2)})

# A year counts as loaded only with these in its file: a notice for one year may spill single days into the next.
_PROOF_OF_A_YEAR = ((1, 1), (5, 1), (10, 1))


class CalendarGap(LookupError):
    """The working days of a year are not loaded."""

    def __init__(self, year: int) -> None:
        super().__init__(f"the working-day calendar of {year} is not loaded")
        self.year = year


class CalendarFileRefused(ValueError):
    """A calendar file has a row that says nothing, with the row's number as a spreadsheet shows it."""

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(f"row {row}: {reason}")
        self.row = row
        self.reason = reason


@dataclass(frozen=True)
class Calendar:
    """Days off on weekdays, working days on weekends, and the years for which both are known."""

    years: frozenset[int]
    off: frozenset[date] = field(repr=False)
    work: frozenset[date] = field(repr=False)

    def is_workday(self, on: date) -> bool:
        """This function will tell whether ``on`` is a working day.

        Raises: CalendarGap when the year is not loaded.
        """
        if on.year not in self.years:
            raise CalendarGap(on.year)
        return self._announced(on)

    def add_workdays(self, on: date, n: int) -> date:
        """This function will find the n-th working day after ``on`` (before it, for a negative n); 0 is ``on`` itself.

        The first day is not counted. Source: 民法典 art. 201; 行政处罚法 art. 85 (working days leave out the holidays).

        Raises: CalendarGap when a year on the way is not loaded.
        """
        step = _DAY if n > 0 else -_DAY
        left, day = abs(n), on
        while left:
            day += step
            left -= self.is_workday(day)
        return day

    def workdays_between(self, a: date, b: date) -> int:
        """This function will count the working days after ``a`` up to and including ``b``, negative when ``b`` is earlier.

        Raises: CalendarGap when a year on the way is not loaded.
        """
        if b < a:
            return -sum(self.is_workday(b + _DAY * i) for i in range((a - b).days))
        return sum(self.is_workday(a + _DAY * i) for i in range(1, (b - a).days + 1))

    def provisional_add_workdays(self, on: date, n: int) -> tuple[date, bool]:
        """This function will do what ``add_workdays`` does, and in years not loaded reckon with weekends and solar feasts.

        The second value is True when such a year was touched: the day is provisional and to be reckoned again later.
        """
        step = _DAY if n > 0 else -_DAY
        left, day, provisional = abs(n), on, False
        while left:
            day += step
            if day.year in self.years:
                left -= self._announced(day)
            else:
                provisional = True
                left -= _presumed(day)
        return day, provisional

    def with_days(self, days: Iterable[tuple[date, str]]) -> Self:
        """This function will give a calendar in which these days are ``off`` or ``work``, whatever was known before.

        A year becomes loaded when its Jan 1, May 1 and Oct 1 are among its days off.
        """
        off, work = set(self.off), set(self.work)
        touched: set[int] = set()
        for day, kind in days:
            (off if kind == "off" else work).add(day)
            (work if kind == "off" else off).discard(day)
            touched.add(day.year)
        whole = {y for y in touched if all(date(y, month, day) in off for month, day in _PROOF_OF_A_YEAR)}
        return type(self)(self.years | whole, frozenset(off), frozenset(work))

    def with_file(self, path: Path) -> Self:
        """This function will add the days of a CSV file ``date,kind,name`` (kind ``off`` 放假 or ``work`` 上班).

        Raises: CalendarFileRefused.
        """
        return self.with_text(path.read_text(encoding="utf-8-sig"))

    def with_text(self, text: str) -> Self:
        """This function will add the days of such a file's text, as it is kept once it has been loaded.

        Raises: CalendarFileRefused.
        """
        days: list[tuple[date, str]] = []
        seen: set[date] = set()
        try:
            rows = list(csv.reader(text.splitlines()))
        except csv.Error as error:
            raise CalendarFileRefused(1, "not a table of cells") from error
        for number, row in enumerate(rows, start=1):
            if number == 1:
                if [name.strip() for name in row] != ["date", "kind", "name"]:
                    raise CalendarFileRefused(1, "the header must be date,kind,name")
                continue
            if not any(cell.strip() for cell in row):
                continue
            day, kind = _calendar_row(number, row)
            if day in seen:
                raise CalendarFileRefused(number, f"{day} appears twice")
            seen.add(day)
            days.append((day, kind))
        return self.with_days(days)

    def _announced(self, on: date) -> bool:
        return on in self.work or (on.weekday() < _SATURDAY and on not in self.off)


def _calendar_row(number: int, row: list[str]) -> tuple[date, str]:
    if len(row) != 3:
        raise CalendarFileRefused(number, "three cells are needed")
    kind = row[1].strip()
    if kind not in ("off", "work"):
        raise CalendarFileRefused(number, f"kind must be off or work, not {kind!r}")
    try:
        return date.fromisoformat(row[0].strip()), kind
    except ValueError as error:
        raise CalendarFileRefused(number, f"not a day: {row[0]!r}") from error


def _presumed(on: date) -> bool:
    feast = (on.month, on.day)
    if feast in _SOLAR_FEASTS or (on.year >= 2025 and feast in _SOLAR_FEASTS_SINCE_2025):
        return False
    return on.weekday() < _SATURDAY


@cache
def china() -> Calendar:
    """This function will give the calendar of China for the years that the package ``chinesecalendar`` announces."""
    off: frozenset[date] = frozenset(constants.holidays)
    work: frozenset[date] = frozenset(constants.workdays)
    years = range(min(off).year, max(off).year + 1)
    return Calendar(frozenset(years), off, work)

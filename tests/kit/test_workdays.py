"""Working days with shifted days, loaded years, gaps, and provisional reckoning."""

import csv
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anban.kit.workdays import Calendar, CalendarFileRefused, CalendarGap, china

DAYS = st.dates(date(2008, 1, 1), date(2025, 12, 31))


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2026, 1, 1), False),  # 元旦
        (date(2026, 1, 4), True),  # a Sunday worked in exchange for January 2
        (date(2026, 1, 5), True),
        (date(2026, 2, 14), True),  # a Saturday worked in exchange for the Spring Festival
        (date(2026, 2, 17), False),  # the first day of the lunar year
        (date(2026, 10, 10), True),  # a Saturday worked in exchange for the National Day
        (date(2026, 11, 21), False),  # a plain Saturday
        (date(2025, 9, 28), True),
        (date(2025, 10, 8), False),
    ],
)
def test_is_workday_knows_shifted_days(on: date, expected: bool) -> None:
    assert china().is_workday(on) is expected


NOTICES = list(
    csv.DictReader((Path(__file__).parent / "cases" / "calendar_notices.csv").read_text(encoding="utf-8").splitlines())
)


@pytest.mark.parametrize("year", sorted({int(each["year"]) for each in NOTICES}))
def test_every_day_of_a_year_is_as_the_state_council_announced(year: int) -> None:
    off: dict[date, str] = {}
    work: set[date] = set()
    for each in NOTICES:
        day, last = date.fromisoformat(each["off_from"]), date.fromisoformat(each["off_until"])
        while day <= last:
            off[day] = each["feast"]
            day += timedelta(days=1)
        work |= {date.fromisoformat(day) for day in each["work"].split(";") if day}
    days = [date(year, 1, 1) + timedelta(days=i) for i in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]
    wrong = [
        day for day in days if china().is_workday(day) is not (day in work or (day.weekday() < 5 and day not in off))
    ]
    assert wrong == []
    shifted: dict[int, int] = defaultdict(int)
    for day in days:
        shifted[china().is_workday(day) - (day.weekday() < 5)] += 1
    assert shifted[1] == len([day for day in work if day.year == year])


def test_the_package_ends_with_2026_and_a_year_beyond_is_a_gap() -> None:
    assert max(china().years) == 2026
    assert min(china().years) == 2004
    with pytest.raises(CalendarGap) as caught:
        china().is_workday(date(2027, 1, 4))
    assert caught.value.year == 2027
    with pytest.raises(CalendarGap):
        china().add_workdays(date(2026, 12, 30), 5)
    with pytest.raises(CalendarGap):
        china().workdays_between(date(2026, 12, 30), date(2027, 1, 10))


def test_add_workdays_goes_over_the_spring_festival() -> None:
    # 2026: off from February 15 to 23, worked on February 14 and 28.
    assert china().add_workdays(date(2026, 2, 13), 1) == date(2026, 2, 14)
    assert china().add_workdays(date(2026, 2, 13), 2) == date(2026, 2, 24)
    assert china().add_workdays(date(2026, 2, 24), -1) == date(2026, 2, 14)
    assert china().add_workdays(date(2026, 2, 15), 0) == date(2026, 2, 15)


@given(DAYS, st.integers(-200, 200))
def test_between_undoes_add(on: date, n: int) -> None:
    calendar = china()
    end = calendar.add_workdays(on, n)
    expected = n if n >= 0 else n + (calendar.is_workday(on) and 0)
    assert calendar.workdays_between(on, end) == expected
    if n:
        assert calendar.is_workday(end)


@given(DAYS, DAYS)
def test_between_counts_the_days_after_the_first(a: date, b: date) -> None:
    low, high = min(a, b), max(a, b)
    days = [low + timedelta(days=i) for i in range(1, (high - low).days + 1)]
    assert china().workdays_between(low, high) == sum(map(china().is_workday, days))


def test_provisional_is_exact_where_the_year_is_loaded() -> None:
    assert china().provisional_add_workdays(date(2026, 9, 30), 3) == (china().add_workdays(date(2026, 9, 30), 3), False)


def test_provisional_knows_weekends_and_solar_feasts_only() -> None:
    # 2026-12-31 is a Thursday; January 1 off, 2 and 3 a weekend.
    assert china().provisional_add_workdays(date(2026, 12, 31), 1) == (date(2027, 1, 4), True)
    assert china().provisional_add_workdays(date(2026, 12, 30), 1) == (date(2026, 12, 31), False)
    # 2028: October 1 to 3 is Sunday to Tuesday; May 1 and 2 are Monday and Tuesday; the lunar year 2028-01-26 isn't guessed.
    assert china().provisional_add_workdays(date(2028, 9, 30), 1) == (date(2028, 10, 4), True)
    assert china().provisional_add_workdays(date(2028, 4, 30), 1) == (date(2028, 5, 3), True)
    assert china().provisional_add_workdays(date(2028, 1, 25), 1) == (date(2028, 1, 26), True)
    assert china().provisional_add_workdays(date(2028, 10, 4), -1) == (date(2028, 9, 29), True)


def _file(folder: Path, *lines: str) -> Path:
    path = folder / "2027.csv"
    path.write_text("\r\n".join(["date,kind,name", *lines]) + "\r\n", encoding="utf-8-sig")
    return path


def test_a_file_loads_its_year(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        "2027-01-01,off,元旦",
        "2027-01-02,work,元旦调休",
        "",
        "2027-05-01,off,劳动节",
        "2027-10-01,off,国庆节",
    )
    calendar = china().with_file(path)
    assert 2027 in calendar.years
    assert calendar.is_workday(date(2027, 1, 2))
    assert calendar.add_workdays(date(2026, 12, 31), 1) == date(2027, 1, 2)
    assert calendar.provisional_add_workdays(date(2026, 12, 31), 1) == (date(2027, 1, 2), False)
    assert 2027 not in china().years


def test_a_text_with_idle_rows_and_spaces_is_read_as_the_file_was() -> None:
    text = " date ,kind,name\n 2027-01-01 , off ,元旦\n , ,\n2027-01-02,work,\n\n"
    calendar = china().with_text(text)
    assert [date(2027, 1, d) in calendar.off for d in (1, 2)] == [True, False]
    assert date(2027, 1, 2) in calendar.work


def test_a_single_day_of_the_next_year_does_not_load_it(tmp_path: Path) -> None:
    calendar = china().with_file(_file(tmp_path, "2027-01-02,off,元旦"))
    assert 2027 not in calendar.years
    with pytest.raises(CalendarGap):
        calendar.is_workday(date(2027, 1, 2))


def test_a_file_overrides_what_was_announced_before(tmp_path: Path) -> None:
    calendar = china().with_file(_file(tmp_path, "2026-01-04,off,改", "2026-01-05,off,改", "2026-01-01,work,改"))
    assert [calendar.is_workday(date(2026, 1, d)) for d in (1, 4, 5)] == [True, False, False]


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("2027-02-30,off,x", 2),
        ("2027-01-01,free,x", 2),
        ("2027-01-01,off", 2),
        ("2027-01-03,off,x\r\n2027-01-03,off,x", 3),
    ],
)
def test_a_broken_row_is_named(tmp_path: Path, line: str, row: int) -> None:
    with pytest.raises(CalendarFileRefused) as caught:
        china().with_file(_file(tmp_path, line))
    assert caught.value.row == row


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(CalendarFileRefused):
        china().with_text("date,kind,name\n2027-01-01,off," + "x" * 200_000)


def test_a_wrong_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("日期,类型,名称\n", encoding="utf-8")
    with pytest.raises(CalendarFileRefused):
        china().with_file(path)


def test_the_calendar_is_frozen() -> None:
    with pytest.raises(AttributeError):
        china().years = frozenset()  # type: ignore[misc]
    assert isinstance(china(), Calendar)
    assert china() is china()

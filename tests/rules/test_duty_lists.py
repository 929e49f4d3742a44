"""Periods of duties, heads of posts, and vacancies seen before they bite."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anban.rules.duty_lists import HEADS, Period, Vacancy, span_of, spans, standing

DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


@pytest.mark.parametrize(
    ("period", "on", "first", "until"),
    [
        ("week", "2026-03-04", "2026-03-02", "2026-03-09"),
        ("week", "2026-03-02", "2026-03-02", "2026-03-09"),
        ("month", "2024-02-29", "2024-02-01", "2024-03-01"),
        ("month", "2026-12-31", "2026-12-01", "2027-01-01"),
        ("quarter", "2026-03-31", "2026-01-01", "2026-04-01"),
        ("quarter", "2026-11-01", "2026-10-01", "2027-01-01"),
        ("half_year", "2026-07-01", "2026-07-01", "2027-01-01"),
        ("year", "2026-07-01", "2026-01-01", "2027-01-01"),
    ],
)
def test_a_day_lies_in_its_period(period: str, on: str, first: str, until: str) -> None:
    span = span_of(Period(period), date.fromisoformat(on))
    assert (span.from_on.isoformat(), span.until_on.isoformat()) == (first, until)


@given(st.sampled_from(sorted(Period)), DAYS)
def test_periods_tile_the_years(period: Period, on: date) -> None:
    span = span_of(period, on)
    assert span.from_on <= on < span.until_on
    assert span_of(period, span.until_on - timedelta(days=1)) == span
    assert span_of(period, span.until_on).from_on == span.until_on


@given(st.sampled_from(sorted(Period)), DAYS, st.lists(st.integers(0, 60), min_size=1, max_size=8))
def test_looking_seldom_finds_the_same_periods_as_looking_often(period: Period, since: date, gaps: list[int]) -> None:
    seen: dict[date, date] = {}
    on = since
    for gap in gaps:
        on += timedelta(days=gap)
        seen.update((span.from_on, span.until_on) for span in spans(period, since, on))
    assert list(seen.items()) == [(span.from_on, span.until_on) for span in spans(period, since, on)]
    assert all(first >= since for first in seen)


def test_a_duty_that_ended_owes_nothing_more() -> None:
    found = list(spans(Period.MONTH, date(2026, 1, 1), date(2026, 6, 10), date(2026, 3, 1)))
    assert [span.from_on.month for span in found] == [1, 2]


@pytest.mark.parametrize(
    ("until", "held", "away", "deputy", "said"),
    [
        (None, True, False, False, Vacancy.HELD),
        (date(2026, 4, 1), True, False, False, Vacancy.ENDING),
        (date(2026, 4, 2), True, False, False, Vacancy.HELD),
        (None, True, True, False, Vacancy.ABSENT),
        (None, True, True, True, Vacancy.DEPUTIZED),
        (None, False, False, True, Vacancy.DEPUTIZED),
        (None, False, False, False, Vacancy.VACANT),
    ],
)
def test_a_vacancy_is_seen_before_it_bites(
    until: date | None, held: bool, away: bool, deputy: bool, said: Vacancy
) -> None:
    assert standing(held_until=until, held=held, away=away, deputy=deputy, on=date(2026, 3, 2), ahead_days=30) is said


def test_nobody_is_head_of_its_own_head() -> None:
    for role, heads in HEADS.items():
        assert role not in heads
        for head in heads:
            assert role not in HEADS.get(head, ())

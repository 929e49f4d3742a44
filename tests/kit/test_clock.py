"""Instants and the days of a city."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anban.kit.clock import NaiveInstant, city_date, day_end, day_start, now

ZONES = ["Asia/Shanghai", "America/Chicago", "UTC", "Pacific/Apia", "Asia/Kathmandu"]


def test_city_date_turns_at_the_midnight_of_the_city() -> None:
    at = datetime(2026, 1, 4, 16, 0, tzinfo=UTC)
    assert city_date(at, "Asia/Shanghai") == date(2026, 1, 5)
    assert city_date(at - timedelta(microseconds=1), "Asia/Shanghai") == date(2026, 1, 4)
    assert city_date(at, "America/Chicago") == date(2026, 1, 4)


def test_city_date_refuses_a_naive_instant() -> None:
    with pytest.raises(NaiveInstant):
        city_date(datetime(2026, 1, 5), "Asia/Shanghai")  # noqa: DTZ001 - what is refused here


def test_day_end_is_exclusive_and_days_have_their_real_length() -> None:
    on = date(2026, 3, 8)
    assert day_end(on, "Asia/Shanghai") - day_start(on, "Asia/Shanghai") == timedelta(hours=24)
    assert day_end(on, "America/Chicago") - day_start(on, "America/Chicago") == timedelta(hours=23)
    assert day_start(on, "Asia/Shanghai") == datetime(2026, 3, 7, 16, tzinfo=UTC)


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.sampled_from(ZONES))
def test_days_tile_the_time_line(on: date, zone: str) -> None:
    assert day_end(on, zone) == day_start(on + timedelta(days=1), zone)
    if (zone, on) != ("Pacific/Apia", date(2011, 12, 30)):  # a day that Samoa skipped
        assert city_date(day_start(on, zone), zone) == on
        assert city_date(day_end(on, zone) - timedelta(microseconds=1), zone) == on


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=8))])), st.sampled_from(ZONES[:1]))
def test_an_instant_lies_in_its_day(at: datetime, zone: str) -> None:
    if not datetime(2, 1, 1, tzinfo=UTC) < at < datetime(9998, 1, 1, tzinfo=UTC):
        return
    on = city_date(at, zone)
    assert day_start(on, zone) <= at < day_end(on, zone)


def test_now_is_aware_and_in_utc() -> None:
    assert now().utcoffset() == timedelta(0)

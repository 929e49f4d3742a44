"""Time: the one way from an instant to a day of a city, and the only reading of the system's clock."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


class NaiveInstant(ValueError):
    """An instant came without a time zone, so nobody can say which moment it means."""


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def aware(at: datetime) -> datetime:
    """This function will hand back ``at`` when it names a moment.

    Raises: NaiveInstant.
    """
    if at.tzinfo is None or at.utcoffset() is None:
        raise NaiveInstant(f"an instant without a time zone: {at.isoformat()}")
    return at


def city_date(at: datetime, zone: str) -> date:
    """This function will tell which day it is in the city (IANA zone) at the instant ``at``.

    Raises: NaiveInstant.
    """
    return aware(at).astimezone(_zone(zone)).date()


def day_start(on: date, zone: str) -> datetime:
    """This function will tell the instant, in UTC, at which the city's day ``on`` begins."""
    return datetime.combine(on, time.min, tzinfo=_zone(zone)).astimezone(UTC)


def day_end(on: date, zone: str) -> datetime:
    """This function will tell the exclusive end of the city's day ``on``: the instant at which the next one begins."""
    return day_start(on + timedelta(days=1), zone)


def now() -> datetime:
    """This function will read the system's clock, in UTC; nothing else in the product does."""
    return datetime.now(UTC)

"""How a notice travels, as pure functions: cadence from wishes, quiet hours, the day's cap, the rests between tries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

NOW, DIGEST, OFF = "now", "digest", "off"
EVERY_KIND = "*"


@dataclass(frozen=True, slots=True)
class Habits:
    """The house's habits of telling: single messages per person and day, quiet hours (city time), tries before giving up."""

    most_singles_per_day: int = 20
    quiet_from: time = time(21)
    quiet_until: time = time(7)
    most_tries: int = 8
    first_rest: timedelta = timedelta(minutes=1)
    longest_rest: timedelta = timedelta(hours=6)
    # After so long without a run the house was down: what waited is told in one message per person, not one by one.
    outage_after: timedelta = timedelta(minutes=30)


HABITS = Habits()


def cadence(wishes: Mapping[str, str], kind: str, *, urgent: bool) -> str:
    """Return how a person wants to be told of ``kind`` on a channel, from its wishes there (kind or ``*`` to cadence).

    Without a wish: the digest. What is urgent goes at once unless the person has switched this channel off.
    """
    wished = wishes.get(kind) or wishes.get(EVERY_KIND) or DIGEST
    return NOW if urgent and wished != OFF else wished


def is_quiet(at: datetime, zone: str, habits: Habits = HABITS) -> bool:
    """Tell whether the city sleeps at this instant; the quiet hours go over midnight."""
    local = at.astimezone(ZoneInfo(zone)).time()
    return local >= habits.quiet_from or local < habits.quiet_until


def quiet_end(at: datetime, zone: str, habits: Habits = HABITS) -> datetime:
    """Return the instant at which the quiet hours around ``at`` end."""
    local = at.astimezone(ZoneInfo(zone))
    day = local.date() if local.time() < habits.quiet_until else local.date() + timedelta(days=1)
    return datetime.combine(day, habits.quiet_until, tzinfo=ZoneInfo(zone)).astimezone(at.tzinfo)


def rest(tries: int, habits: Habits = HABITS) -> timedelta:
    """Return the rest after so many failed tries: 1, 2, 4, … minutes, at most six hours."""
    return min(habits.longest_rest, habits.first_rest * (1 << max(0, min(tries, 32) - 1)))


def split_by_cap(count: int, sent_today: int, habits: Habits = HABITS) -> tuple[int, int]:
    """Return how many of ``count`` single messages may go today and how many are held for the digest."""
    may_go = max(0, min(count, habits.most_singles_per_day - sent_today))
    return may_go, count - may_go


def digest_title(titles: Iterable[str], held: int) -> tuple[str, str]:
    """Return the Chinese and the English heading of a digest: how many notices, and how many of them the cap had held."""
    count = sum(1 for _ in titles)
    zh = f"安办：{count} 条通知" + (f"（其中 {held} 条超出当日单条上限）" if held else "")
    en = f"Anban: {count} notice{'' if count == 1 else 's'}"
    return zh, en + (f" ({held} held over the day's limit of single messages)" if held else "")

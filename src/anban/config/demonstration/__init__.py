"""A demonstration city in a root of its own: invented, labelled everywhere, built through operations and importers."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from django.conf import settings

from anban.base import statistics
from anban.base.jobs.operations import enqueue
from anban.base.journal.operations import unit
from anban.base.people.queries import account_by_login
from anban.config.demonstration import accounts, desks, lives, mandates, oversight, pictures, places, stories, treatment
from anban.config.demonstration.accounts import FILE, STORIES, logins
from anban.config.demonstration.bodies import ROOT, SEED, City, open_city, read_city
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import tally
from anban.contexts.hazards.queries import take_up, visible_to
from anban.kit.collecting import seldom_collecting
from anban.kit.remember import remembering

__all__ = ["FILE", "FILL", "ROOT", "STORIES", "build", "fill", "logins", "stands"]

FILL = "demonstration.fill"
FIRST = 2000
TARGET = 20_000
OWN_STREET, OWN_DAYS, OWN_CALLS = 45, 6.0, 14
"""Hazards and calls of the last days in the street of the logins."""

PICTURED = 400
"""Open hazards that show a picture of how they were found; what was put right always has its own."""

LARGE = 200
"""Days played in one unit of work while nobody else is there."""

FEWEST, MOST = 4, 60
"""Days played in one unit while others work."""

HELD_S = 0.12
"""How long such a unit may hold SQLite's one write lock; the number of days follows from how long the last unit took."""

PAUSE_S = 0.08
"""A pause after each such unit: the lock is not fair, and whoever waits looks again every twentieth of a second."""

Progress = Callable[[int, int, str], None]


def build(*, at: datetime, home: Path | None = None, hazards: int = FIRST, fill: int = TARGET) -> dict[str, Any]:
    """Create the demonstration root with bodies, register, history, planted stories and logins, all through operations.

    Begun again after an interruption, it goes on from what is there. The worker fills it up to ``fill`` hazards
    afterwards. The logins go to ``demo-logins.json`` and the stories to ``demo-stories.json`` in the home folder.
    Returns both, the root's code and the counts.
    """
    folder = home or Path(settings.HOME)
    with seldom_collecting(), closing(accounts.Passwords(len(accounts.SEATS) + len(stories.FIRMS))) as passwords:
        return _build(folder, passwords, at, hazards, fill)


def _build(folder: Path, passwords: accounts.Passwords, at: datetime, hazards: int, fill: int) -> dict[str, Any]:
    city = open_city(at)
    places.register_places(city)
    places.give_posts(city)
    mandates.enter_mandates(city)
    photos = pictures.store_pictures(city)
    with remembering():
        told = stories.plant(city, folder / STORIES, photos)
        player = lives.Player(city, photos)
        spots = places.spots(city)
        played = _play(player, _until(city, spots, hazards, SEED))
        # What joined or came back made no new hazard: a second, small draw brings the count up.
        played += _play(player, _until(city, spots, hazards, SEED + 1))
        own = [spot for spot in spots if spot.street == accounts.STREET and spot.manager is not None]
        firms = {login: place_id for login, (place_id, _, _) in told.firms.items()}
        planned = desks.plan(at, desks.places_for(city, own, firms))
        played += _play(player, [*_this_week(own, at), *_waiting(own, at), *planned])
        with unit():
            pictures.show_before(city, [*told.pictured, *played[::-1]], photos, most=PICTURED)
        treatment.plant(city, photos, folder / treatment.TRUTH)
    with unit():
        oversight.plant(city, told.rows, folder / oversight.TRUTH)
    with unit():
        made = accounts.add_logins(city, told.firms, passwords)
        accounts.mark_old_notices_read(city)
        if fill > hazards:
            enqueue(FILL, actor=city.job, at=at, slot="first", root=ROOT, args={"target": fill, "at": at.isoformat()})
        accounts.write_whole(folder / FILE, made)
    mandates.look_and_tell(city, folder / mandates.TRUTH)
    tally(actor=city.job, at=at)
    statistics.refresh()
    return {
        "root": ROOT, "fill": fill, "logins": made, "stories": told.rows, "refused": dict(Counter(player.refused)),
        "hazards": visible_to(city.job).count(),
    }  # fmt: skip


def stands() -> bool:
    """Tell whether the demonstration was built to its end: its logins are the last thing that is made."""
    return account_by_login(accounts.SEATS[0].login) is not None


def fill(*, at: datetime, target: int = TARGET, progress: Progress | None = None, per_street: int = 14) -> int:
    """Play more of the same year until the root has ``target`` hazards; returns how many it has then.

    ``per_street`` is how many places more each street gets first (four times as many in the focus streets).

    Interrupted and run again it goes on from what is there: every unit of work leaves whole lives behind.
    """
    city = read_city(at)
    have = visible_to(city.job).count()
    if have >= target:
        return have
    places.register_more(city, deep=per_street * 4, shallow=per_street)
    photos = pictures.store_pictures(city)
    player = lives.Player(city, photos)
    with remembering(), seldom_collecting():
        # What is found where it is on the ledger already joins it, so a plan yields somewhat less than it has.
        while have < target:
            # Another seed for every round and start, so that it tells other days than the one before.
            planned = lives.plan(places.spots(city), at=at, hazards=target - have, seed=SEED + have, clean=0.35)

            def say(entered: int, before: int = have - player.entered) -> None:
                if progress:
                    progress(before + entered, target, "隐患")

            _play_beside(player, planned, say)
            accounts.mark_old_notices_read(city)
            had, have = have, visible_to(city.job).count()
            if have == had:
                break
    # New places stand in planted faults that had none before: the truth beside the logins is told anew.
    mandates.look_and_tell(city, Path(settings.HOME) / mandates.TRUTH)
    tally(actor=city.job, at=at)
    statistics.refresh()
    return visible_to(city.job).count()


def _until(city: City, spots: Sequence[places.Spot], hazards: int, seed: int) -> list[lives.Day]:
    """Return the days that are still needed until the root has so many hazards."""
    wanted = hazards - visible_to(city.job).count()
    return lives.plan(spots, at=city.at, hazards=wanted, seed=seed)


def _this_week(own: Sequence[places.Spot], at: datetime) -> list[lives.Day]:
    """Return the last days of the street in which the logins sit, so that every desk has something under way."""
    return lives.plan(own, at=at, hazards=OWN_STREET, seed=SEED + 2, clean=0.05, within=OWN_DAYS)


def _waiting(own: Sequence[places.Spot], at: datetime) -> list[lives.Day]:
    """Return calls of the last two days in that street which nobody has looked into yet: the inspectors' own desks."""
    days = lives.plan(own, at=at, hazards=OWN_CALLS, seed=SEED + 3, clean=0.0, within=2.5)
    return [replace(day, door="hotline", found=tuple(replace(one, steps=()) for one in day.found)) for day in days]


def _play(player: lives.Player, days: Sequence[lives.Day]) -> list[Hazard]:
    """Play the days in large units while nobody else is there; returns the last hazards."""
    played: deque[Hazard] = deque(maxlen=PICTURED)
    for start in range(0, len(days), LARGE):
        played.extend(_tell(player, days[start : start + LARGE]))
    return list(played)


def _play_beside(player: lives.Player, days: Sequence[lives.Day], say: Callable[[int], None]) -> None:
    """Play the days in units that are short by the clock, while others work."""
    size, start = FEWEST, 0
    while start < len(days):
        begun = perf_counter()
        _tell(player, days[start : start + size])
        held = perf_counter() - begun
        start += size
        size = max(FEWEST, min(MOST, size * 2, round(size * HELD_S / held)))
        sleep(PAUSE_S)
        say(player.entered)


def _tell(player: lives.Player, days: Sequence[lives.Day]) -> list[Hazard]:
    """Play some days in one unit of work."""
    with unit(lives=True):
        take_up(player.city.job, [day.spot.place_id for day in days])
        return [row for day in days for row in player.play(day)]

"""The table of jobs: which function does which work, when its slots fall, and for which area roots."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.module_loading import autodiscover_modules

Lane = Literal["short", "long"]
Outcome = Mapping[str, Any] | str | int | None
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall-clock time of a city, made aware in slot_at_or_before()
DAY = timedelta(days=1)
# So many slots of one job are put on the table in one planning; a longer outage goes on with the next planning.
MOST_SLOTS = 1000


class Handle(Protocol):
    """What a running job is given: its id, its arguments, its root, who asked for it, and a way to say how far it is."""

    @property
    def job_id(self) -> UUID: ...
    @property
    def args(self) -> Mapping[str, Any]: ...
    @property
    def root(self) -> str: ...
    @property
    def asked_by(self) -> object: ...
    def progress(self, done: int, total: int = 0, stage: str = "") -> None: ...


Function = Callable[[datetime, Handle], Outcome]


@dataclass(frozen=True, slots=True)
class Kind:
    """One line of the table. ``every`` None means: only when asked for. ``offset`` moves the slots, as 08:00 of a daily job."""

    name: str
    run: Function
    every: timedelta | None = None
    offset: timedelta = timedelta(0)
    per_root: bool = False
    catch_up: bool = False
    lane: Lane = "short"


_kinds: dict[str, Kind] = {}
_roots: list[Callable[[], Sequence[tuple[str, str]]]] = []


def job(
    name: str,
    *,
    every: timedelta | None = None,
    offset: timedelta = timedelta(0),
    per_root: bool = False,
    catch_up: bool = False,
    lane: Lane = "short",
) -> Callable[[Function], Function]:
    """Enter the decorated function ``fn(slot, handle)`` into the table; it must be idempotent per slot.

    ``catch_up`` runs every slot missed in an outage, in order; otherwise only the newest is run.
    Raises: ValueError for a name with a second function or a step that doesn't divide a day.
    """

    def enter(run: Function) -> Function:
        known = _kinds.get(name)
        if known is not None and (known.run.__module__, known.run.__qualname__) != (run.__module__, run.__qualname__):
            message = f"the job {name!r} already has a function"
            raise ValueError(message)
        if every is not None and (every <= timedelta(0) or (every < DAY and DAY % every)):
            message = f"the step of {name!r} does not divide a day"
            raise ValueError(message)
        _kinds[name] = Kind(name, run, every, offset, per_root, catch_up, lane)
        return run

    return enter


def find(name: str) -> Kind | None:
    """Return the job called ``name`` when this process knows it."""
    return _kinds.get(name)


def kinds() -> tuple[Kind, ...]:
    """Return every job this process knows, by name."""
    return tuple(_kinds[name] for name in sorted(_kinds))


def forget(name: str) -> None:
    """Take a job off this process's table (tests leave the table as they found it)."""
    _kinds.pop(name, None)


def load() -> None:
    """Find the jobs of every installed app, in its module ``jobs``: the one place where they are looked for."""
    autodiscover_modules("jobs")


def roots_come_from(source: Callable[[], Sequence[tuple[str, str]]]) -> None:
    """Name the function that lists the area roots with their time zones; the context that owns them calls this once."""
    _roots[:] = [source]


def roots() -> tuple[tuple[str, str], ...]:
    """Return every area root with its IANA time zone; none when no context has named a source."""
    return tuple(_roots[0]()) if _roots else ()


def zone_of(root: str) -> str:
    """Return the time zone of an area root; of the house when the root is unknown or empty."""
    return dict(roots()).get(root, settings.TIME_ZONE)


def slot_at_or_before(kind: Kind, at: datetime, zone: str) -> datetime:
    """Return the newest slot of a periodic job that isn't after ``at``: a floor on the city's own wall clock, in UTC."""
    step = _step(kind)
    local = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    floor = EPOCH + kind.offset + ((local - EPOCH - kind.offset) // step) * step
    return floor.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def slots_after(kind: Kind, last: datetime, until: datetime, zone: str) -> Iterator[datetime]:
    """Yield the slots of a periodic job later than ``last`` and not after ``until``, in order."""
    step = _step(kind)
    slot = slot_at_or_before(kind, last, zone)
    while True:
        wall = slot.astimezone(ZoneInfo(zone)).replace(tzinfo=None) + step
        slot = wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        if slot > until:
            return
        if slot > last:
            yield slot


def slot_name(at: datetime) -> str:
    """Return the text under which a slot stands in its row; texts of one length sort as the instants do."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _step(kind: Kind) -> timedelta:
    if kind.every is None:
        message = f"the job {kind.name!r} has no timetable"
        raise ValueError(message)
    return kind.every

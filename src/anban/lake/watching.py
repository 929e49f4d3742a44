"""The nightly look for early warning: dated events, accidents and hazards by kind and district, handed down as warnings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Final

from anban.base.people.actor import Actor
from anban.contexts.accidents import queries as accidents
from anban.contexts.accidents.models import Accident
from anban.contexts.risk import queries
from anban.contexts.risk.models import Look
from anban.contexts.risk.operations import Looked, Seen, publish_look
from anban.contexts.territory import queries as territory
from anban.lake.assessing import the_lake
from anban.lake.duck import connected
from anban.lake.snapshot import Snapshot
from anban.lake.warning.events import Event
from anban.lake.warning.watch import look

TWO_YEARS: Final = timedelta(days=729)
"""From the first day looked at to the last: two years, both included."""
SETTLING: Final = timedelta(days=92)
"""A book may begin so much later and still count as kept for two years."""
DISTRICT_PARTS: Final = 2
ACCIDENT: Final = "accident"
HAZARD: Final = "hazard"
"""Prefixes that tell the kinds of the house from those of a table: ``accident:fire``, ``hazard:GAS``."""


def watch(*, actor: Actor, at: datetime, as_of: date, snapshot: Snapshot | None = None) -> Look:
    """This function will look at two years of a root's events up to a day and publish what stands out, as questions to persons.

    Hazards are read from the snapshot: found by whom and how often depends on how often somebody looked, which their warnings say.
    """
    done = Look.objects.filter(root=actor.root, as_of=as_of, made_at=at).first()
    if done is not None:
        return done
    since = as_of - TWO_YEARS
    books: dict[str, tuple[date | None, Callable[[], Iterator[Event]]]] = {
        "event": (queries.first_event_on(actor.root), lambda: _events(actor.root, since, as_of)),
        ACCIDENT: (accidents.first_on(actor.root), lambda: _accidents(actor.root, since, as_of)),
    }
    if snapshot is not None:
        books[HAZARD] = (_first_hazard(snapshot, actor.root), lambda: _hazards(snapshot, actor.root, since, as_of))
    # What nobody kept a record of did not fail to happen: a book begun within the two years is left out, and named.
    kept = {name: first is not None and first <= since + SETTLING for name, (first, _read) in books.items()}
    events = [one for name, (_first, read) in books.items() if kept[name] for one in read()]
    # The same day looks the same again: the random orders begin with the day's number.
    positions = {} if snapshot is None else _middles(snapshot, actor.root)
    names = territory.area_names(actor.root, positions)
    found = look(events, as_of, seed=as_of.toordinal(), positions=positions, names=names)
    seen = tuple(
        Seen(
            method=one.method, kind=one.kind, area_path=one.area, level=one.level, p_value=one.p,
            zh=one.zh + (_EFFORT[0] if one.kind.startswith(HAZARD) else ""),
            en=one.en + (_EFFORT[1] if one.kind.startswith(HAZARD) else ""),
            counted=tuple(
                {"from": each.first.isoformat(), "until": each.last.isoformat(), "n": each.count, "areas": list(each.areas), "located": each.located}
                for each in one.counted
            ),
        )
        for one in found.warnings
    )  # fmt: skip
    looked = Looked(
        as_of=as_of, events=len(events), streams=found.streams, expected_false_watches=found.expected_false_watches,
        expected_false_chart_alarms=found.expected_false_chart_alarms, found=seen,
        kinds=dict(sorted(Counter(one.kind for one in events).items())),
        left_out=tuple(name for name, (first, _read) in books.items() if first is not None and not kept[name]),
    )  # fmt: skip
    return publish_look(actor=actor, at=at, looked=looked)


_EFFORT: Final = (
    "。隐患数随检查多少而变，先看检查量有没有变",
    ". The number of hazards follows the number of visits: see first whether those have changed",
)


def _district(path: str) -> str:
    return "".join(f"{part}/" for part in path.split("/")[:DISTRICT_PARTS] if part)


def _events(root: str, since: date, until: date) -> Iterator[Event]:
    rows = queries.all_events(root, since, until).values_list("kind", "on", "area_path", "lng_wgs84", "lat_wgs84")
    for kind, on, path, lng, lat in rows.iterator():
        yield Event(kind, on, _district(path), lng, lat)


def _accidents(root: str, since: date, until: date) -> Iterator[Event]:
    rows = Accident.objects.filter(root=root, on__gte=since, on__lte=until).values_list("kind", "on", "area_path")
    for kind, on, path in rows.iterator():
        yield Event(f"{ACCIDENT}:{kind}", on, _district(path))


def _first_hazard(snapshot: Snapshot, root: str) -> date | None:
    paths = [str(path) for path in snapshot.files("hazards", root)]
    with connected(scratch=the_lake().home / "scratch") as duck:
        found = duck.execute(
            f"SELECT min(found_on) FROM read_parquet({paths!r}) WHERE root = ? AND NOT historical", [root]
        ).fetchall()
    first: date | None = found[0][0]
    return first


def _middles(snapshot: Snapshot, root: str) -> dict[str, tuple[float, float]]:
    """Return where the middle of each district's places lies (WGS-84); a district without a located place has none."""
    paths = [str(path) for path in snapshot.files("places", root)]
    with connected(scratch=the_lake().home / "scratch") as duck:
        rows = duck.execute(
            f"SELECT regexp_extract(street, '^([^/]+/)([^/]+/)'), median(lng_wgs84), median(lat_wgs84) FROM read_parquet({paths!r}) "
            "WHERE root = ? AND survivor IS NULL AND lng_wgs84 IS NOT NULL AND lat_wgs84 IS NOT NULL GROUP BY 1 ORDER BY 1",
            [root],
        ).fetchall()
    return {path: (lng, lat) for path, lng, lat in rows if path}


def _hazards(snapshot: Snapshot, root: str, since: date, until: date) -> Iterator[Event]:
    paths = [str(path) for path in snapshot.files("hazards", root)]
    with connected(scratch=the_lake().home / "scratch") as duck:
        rows = duck.execute(
            f"SELECT class_code, found_on, regexp_extract(street, '^([^/]+/)([^/]+/)?') FROM read_parquet({paths!r}) "
            "WHERE root = ? AND NOT historical AND found_on BETWEEN ? AND ?",
            [root, since, until],
        ).fetchall()
    for code, on, path in rows:
        yield Event(f"{HAZARD}:{code}", on, path)

"""A whole assessment: snapshot, pass, publication; the command and the nightly job call it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection

from anban.base.exports import exports
from anban.base.people.actor import Actor
from anban.contexts.risk.models import Assessment
from anban.contexts.risk.operations import Passed, publish
from anban.contexts.risk.queries import reported_folders
from anban.contexts.territory.queries import city_date
from anban.lake import passing
from anban.lake.engines import engine_of
from anban.lake.folder import Lake
from anban.lake.ordering import Kept, kept
from anban.lake.ordering import train as learn_order
from anban.lake.snapshot import Snapshot, newest, take
from anban.rules.errors import Refusal, register

register(
    "lake.day_ahead",
    zh="{as_of} 还没有到，只能评估今天或以前的日子。",
    en="{as_of} has not come yet; only today and earlier days can be assessed.",
)
register(
    "lake.nothing_to_assess",
    zh="地区根 {root} 里还没有单位，没有可评估的内容。",
    en="There is no place in the root {root} yet, nothing to assess.",
)

ROWS_AT_ONCE: Final = 10_000
EVERY: Final = timedelta(days=7)
"""So often the order is trained anew."""
ONE_DAY: Final = timedelta(days=1)
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Assessed:
    """What an assessment made: its row, its snapshot, and its result files."""

    assessment: Assessment
    snapshot: Snapshot
    result: passing.Result


def the_lake() -> Lake:
    """Return this installation's lake."""
    return Lake(Path(settings.HOME) / "lake")


def assess(
    *,
    actor: Actor,
    at: datetime,
    as_of: date | None = None,
    engine: str = "",
    fresh: bool = True,
    progress: Progress | None = None,
) -> Assessed:
    """This function will assess the actor's root for a day (default: today there) and publish what it found.

    With ``fresh`` the database is read first, as far as it changed; otherwise the last snapshot is taken as it is. A day of the past
    is computed from what is known of it today: what was entered later about that day is in, what ended later was still open.

    Raises: lake.day_ahead, lake.nothing_to_assess, lake.busy, lake.no_snapshot, lake.damaged, and what the engine refuses.
    """
    day = _day_of(actor, at, as_of)
    lake = the_lake()
    with lake.writing():
        snapshot = _snapshot(lake, actor, at, fresh, progress)
        # A signed report's numbers open their lists for as long as it is there.
        keep = frozenset(reported_folders(actor.root))
        runs = engine_of(engine, scratch=lake.home / "scratch")
        try:
            result = passing.run(lake, runs, snapshot, root=actor.root, as_of=day, at=at, progress=progress, keep=keep)
        finally:
            runs.close()
        # Published under the lake's lock as well: of two passes, the later one is also the later to be seen.
        return Assessed(publish(actor=actor, at=at, passed=passed_of(result)), snapshot, result)


def train(
    *, actor: Actor, at: datetime, as_of: date | None = None, fresh: bool = True, progress: Progress | None = None
) -> Kept | None:
    """This function will learn the order of the actor's root up to a day (default: today there) and keep it beside the snapshots.

    The passes of that day and later ones score by it until another is kept. Nothing is kept where too few outcomes are known.

    Raises: lake.day_ahead, lake.nothing_to_assess, lake.busy, lake.no_snapshot.
    """
    day = _day_of(actor, at, as_of)
    lake = the_lake()
    with lake.writing():
        snapshot = _snapshot(lake, actor, at, fresh, progress)
        if progress:
            progress("训练风险顺序", 0, 1)
        return learn_order(lake, snapshot, actor.root, day, at=at)


def is_due_for_training(root: str, as_of: date) -> bool:
    """Return whether a root has no learned order of the last week."""
    newest_kept = kept(the_lake(), root, as_of + ONE_DAY)
    return (
        newest_kept is None or newest_kept.manifest["way"] != "learned" or newest_kept.as_of + EVERY <= as_of + ONE_DAY
    )


def _day_of(actor: Actor, at: datetime, as_of: date | None) -> date:
    today = city_date(at, actor.root)
    day = as_of or today
    if day > today:
        raise Refusal("lake.day_ahead", field="as_of", as_of=day.isoformat())
    return day


def _snapshot(lake: Lake, actor: Actor, at: datetime, fresh: bool, progress: Progress | None) -> Snapshot:
    snapshot = take(lake, connection.settings_dict, at=at, progress=progress) if fresh else newest(lake)
    if snapshot is None or set(snapshot.tables) < {export.name for export in exports()}:
        raise Refusal("lake.no_snapshot")
    if not snapshot.rows("places", actor.root):
        raise Refusal("lake.nothing_to_assess", field="root", root=actor.root)
    return snapshot


def passed_of(result: passing.Result) -> Passed:
    """Return what is published of a result: its rows are read while they are written."""
    manifest = result.manifest
    return Passed(
        root=manifest["root"], as_of=date.fromisoformat(manifest["as_of"]), position=manifest["position"],
        manifest_hash=result.hash, folder=result.folder.name, engine=manifest["engine"], cells=_rows(result, "cells"),
        top_places=_rows(result, "top_places"), debts=_rows(result, "debts"), watches=_rows(result, "watches"),
        curves=_rows(result, "curves"),
    )  # fmt: skip


def _rows(result: passing.Result, name: str) -> Iterator[Mapping[str, Any]]:
    """Yield a result's rows, a batch at a time."""
    for batch in result.table(name).to_batches(max_chunksize=ROWS_AT_ONCE):
        yield from batch.to_pylist()

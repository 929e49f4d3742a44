"""What stands behind counts of hazards: the rounds of a curve, or what sources saw, read from the assessment's own snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from anban.lake import texts
from anban.lake.assessing import the_lake
from anban.lake.engine import with_values
from anban.lake.folder import MANIFEST, manifest_of
from anban.lake.reading import SOURCES, Reaches, Reading, scoped
from anban.lake.snapshot import Snapshot
from anban.rules.errors import Refusal, register

register(
    "lake.snapshot_gone",
    zh="这次评估读的数据快照已清理，清单打不开了。下一次评估以后请打开新的数字。",
    en="The snapshot that this assessment read was cleared away, so the list can't be opened. After the next assessment open the new figure.",
)

GROUPS: Final = {"proof": "proof", "class": "class_code", "kind": "place_kind"}
"""By what the rounds of a curve are grouped, and the column that says so; an area goes by its path."""

ROUNDS: Final = "SELECT e.*, h.id FROM episodes AS e INNER JOIN hazards AS h ON h.hazard = e.hazard"
SIGHTED: Final = "SELECT * FROM sighted"


@dataclass(frozen=True, slots=True)
class Behind:
    """One hazard behind a number: when it was closed or found, and for rounds after how many days it came back, if it did."""

    hazard_id: UUID
    on: date
    days: int
    came_back: bool


def rounds(
    reading: Reading, reaches: Reaches, *, what: str, name: str, inferred: bool, offset: int = 0, limit: int = 50
) -> tuple[int, list[Behind]]:
    """This function will list the rounds of which a group of the rebound curve is made, the latest closed first.

    Raises: lake.snapshot_gone, lake.results_older.
    """
    where, values = scoped(reaches, name if what == "area" else "", None, path="street", kind="place_kind")
    where += " AND curve = 'rebound' AND inferred = ?"
    values.append(inferred)
    if what in GROUPS:
        where += f" AND {GROUPS[what]} = ?"
        values.append(name)
    return _page(
        reading, ("absorbed", "cycles_at", "episodes"), ROUNDS, "id, ended_on, days, event = 1", where, values,
        "ended_on DESC, id", offset, limit,
    )  # fmt: skip


def sighted(
    reading: Reading, reaches: Reaches, *, seen: Sequence[bool | None], area: str = "", offset: int = 0, limit: int = 50
) -> tuple[int, list[Behind]]:
    """This function will list the hazards of the last year by which of the ``SOURCES`` saw them (None: whether or not), the latest first.

    Raises: lake.snapshot_gone, lake.results_older.
    """
    where, values = scoped(reaches, area, None, path="street", kind="place_kind")
    where += f" AND ({' OR '.join(SOURCES)})"
    for name, was in zip(SOURCES, seen, strict=True):
        if was is not None:
            where += f" AND {name} = ?"
            values.append(was)
    return _page(
        reading, ("sighted",), SIGHTED, "id, found_on, 0, FALSE", where, values, "found_on DESC, id", offset, limit
    )


def _page(
    reading: Reading, steps: Sequence[str], source: str, columns: str, where: str, values: Sequence[Any], order: str,
    offset: int, limit: int,
) -> tuple[int, list[Behind]]:  # fmt: skip
    """Run the pass's own texts over the snapshot as of the assessment's day, so that a number and its list can't differ."""
    import duckdb

    manifest = manifest_of(reading.folder)
    folder = the_lake().home / "snapshots" / manifest["snapshot"]
    if not (folder / MANIFEST).is_file():
        raise Refusal("lake.snapshot_gone")
    snapshot = Snapshot.at(folder)
    given = texts.values(date.fromisoformat(manifest["as_of"]), str(manifest.get("seed", "")))
    with closing(duckdb.connect(config={"threads": 1, "memory_limit": "512MB"})) as duck:
        try:
            for table in snapshot.tables:
                files = [str(path) for path in snapshot.files(table, manifest["root"])]
                duck.read_parquet(files).create_view(table)
            for name in steps:
                duck.execute(f"CREATE VIEW {name} AS {with_values(texts.text(name), given)}")
            total = duck.execute(f"SELECT count(*) FROM ({source}) WHERE {where}", values).fetchall()[0][0]
            rows = duck.execute(
                f"SELECT {columns} FROM ({source}) WHERE {where} ORDER BY {order} LIMIT {int(limit)} OFFSET {int(offset)}",
                values,
            ).fetchall()
        except (duckdb.BinderException, duckdb.CatalogException):
            # A snapshot of an earlier release lacks what this one asks for.
            raise Refusal("lake.results_older") from None
    return int(total), [Behind(UUID(row[0]), *row[1:]) for row in rows]

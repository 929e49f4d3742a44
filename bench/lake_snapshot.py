"""The snapshot: a city's tables in SQLite or a PostgreSQL of its own, read whole, and again after a night in which one row in a hundred changed.

``python -m bench.lake_snapshot --places N [--postgresql]``. Tables, columns and the indexes that reading needs are the installation's; the
rows are made in the database, all other indexes and constraints are taken off while it is filled.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.installation import installed

AT = datetime(2026, 3, 2, tzinfo=UTC)
VISITS, ROUNDS = 9, 6
NEEDED = {"finding_hazard", "finding_once", "cycle_no_once"}
"""Indexes by which a night's changed rows are found; primary keys stay as well."""


def main() -> None:
    """Fill, take the whole snapshot, change one row in a hundred in two ways, take the increments, and print the times."""
    parser = argparse.ArgumentParser(prog="bench.lake_snapshot")
    parser.add_argument("--places", type=int, default=200_000)
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    with installed(postgresql=options.postgresql) as (home, server):
        run(home, options.places, server)


def run(home: Path, places: int, server: Callable[[], float]) -> None:
    """Measure and print; ``server`` gives the CPU time of the database server."""
    from django.db import connection

    from anban.lake.folder import Lake

    fill(places)
    lake = Lake(home / "lake")
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, {connection.vendor}\n\n| snapshot | rows read whole or changed | wall s | CPU s of this process | of the server | load | ways |\n|---|---|---|---|---|---|---|"
    )
    whole = measured("whole", lake, server)
    for name, night in (("a night", newest_rows), ("changes all over the past", any_rows)):
        with connection.cursor() as cursor:
            changed = note(cursor, night(places))
        part = measured(f"{name}: {changed:,} rows", lake, server)
        print(f"\n{name}: {part[0] / whole[0]:.2f} of the whole one's wall time, {part[1] / whole[1]:.2f} of its CPU\n")
    print(f"peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def measured(name: str, lake: Any, server: Callable[[], float]) -> tuple[float, float]:
    """Take a snapshot and print how long it took."""
    from django.db import connection

    from anban.kit.clock import now
    from anban.lake.snapshot import take

    begun, before, served = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF), server()
    with lake.writing():
        made = take(lake, connection.settings_dict, at=now())
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    rows = sum(one["rows"] for one in made.manifest["files"])
    ways = ", ".join(f"{table} {way}" for table, way in made.manifest["ways"].items() if made.rows(table))
    print(
        f"| {name} | {rows:,} | {wall:.1f} ({rows / wall:,.0f} a second) | {spent:.1f} | {server() - served:.1f} | {os.getloadavg()[0]:.0f} | {ways} |",
        flush=True,
    )
    return wall, spent


def fill(places: int) -> None:
    """Make the installation and fill its tables."""
    from django.db import connection

    from anban.base.people.actor import job_actor
    from anban.config.installation import migrate
    from anban.contexts.establishments.models import Place
    from anban.contexts.hazards.models import Cycle, Hazard
    from anban.contexts.inspections.models import Finding, Visit
    from anban.contexts.territory.operations import add_root

    migrate()
    add_root(
        actor=job_actor("bench", "bench"), at=AT, code="bench", name="测试城市", name_en="Bench City", kind="sample"
    )
    postgresql = connection.vendor == "postgresql"

    def key(number: str) -> str:
        return f"CAST(lpad(to_hex({number}), 32, '0') AS uuid)" if postgresql else f"printf('%032x', {number})"

    def day(luck: str) -> str:
        return (
            f"DATE '2021-03-02' + CAST({luck} AS integer)"
            if postgresql
            else f"date('2021-03-02', '+' || ({luck}) || ' days')"
        )

    street = "'1/' || (1 + {0} % 17) || '/' || (1 + ({0} / 17) % 20) || '/'"
    hazard_of, luck = f"(j * 7 % {places})", "(j * 2654435761 % 4294967296)"
    whole: dict[Any, tuple[int, dict[str, str]]] = {
        Place: (places, {"number": "'E' || j", "area_path": street.format("j"), "kind": "'catering'", "form": "'unit'", "status": "'operating'", "affiliation": "'district'", "name": "'单位' || j"}),
        Visit: (places * VISITS, {
            "number": "'V' || j", "place_id": key(f"(j * 11 % {places})"), "on": day("j * 1820 / {count}"), "kind": "'routine'",
            "area_path": street.format("j"), "result": f"CASE WHEN {luck} % 10 = 0 THEN 'fail' ELSE 'pass' END", "body_id": key("(j % 400)"),
        }),
        Hazard: (places * ROUNDS, {
            "number": "'H' || j", "place_id": key(hazard_of), "place_kind": "'catering'", "area_path": street.format("j"), "class_code": "'GAS'",
            "code": "'C' || (j % 40)", "grade": "'general'", "state": "'closed'", "origin": "'inspection'", "found_on": day("j * 1820 / {count}"),
            "closed_on": day("j * 1820 / {count} + 20"), "is_open": "1 = 0", "fact": "'灭火器压力不足'", "proof": "'photo'",
        }),
        Finding: (places * ROUNDS, {"visit_id": key(f"(j * {VISITS} / {ROUNDS})"), "hazard_id": key("j"), "code": "'C' || (j % 40)", "severity": "'general'", "times": "1", "cycle_no": "1"}),
        Cycle: (places * ROUNDS, {"hazard_id": key("j"), "no": "1", "found_on": day("j * 1820 / {count}"), "ended_on": day("j * 1820 / {count} + 20"), "outcome": "'rectified'", "proof": "'photo'"}),
    }  # fmt: skip
    with connection.cursor() as cursor:
        for statement in loosened(cursor, postgresql, [model._meta.db_table for model in whole]):
            cursor.execute(statement)
        for model, (count, given) in whole.items():
            begun = time.perf_counter()
            # The columns that say nothing here get what the model gives where nobody says anything.
            columns = {"id": key("j"), "root": "'bench'", **given}
            for one in model._meta.concrete_fields:
                if one.column not in columns and not one.null:
                    columns[one.column] = plain(one.get_internal_type(), key("1"), one.default)
            own = {one.column for one in model._meta.concrete_fields}
            names = [name for name in columns if name in own]
            values = ", ".join(columns[name].replace("{count}", str(count)) for name in names)
            series = (
                f"generate_series(0, {count - 1}) AS t(i), LATERAL (SELECT CAST(i AS bigint) AS j) AS u"
                if postgresql
                else f"(WITH RECURSIVE s(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM s WHERE j < {count - 1}) SELECT j FROM s)"
            )
            quoted = ", ".join(f'"{name}"' for name in names)
            cursor.execute(f"INSERT INTO {model._meta.db_table} ({quoted}) SELECT {values} FROM {series}")
            print(f"{model._meta.db_table}: {count:,} rows in {time.perf_counter() - begun:.0f} s", flush=True)
        cursor.execute("VACUUM ANALYZE" if postgresql else "ANALYZE")


def plain(kind: str, key: str, default: object) -> str:
    """Return what a column holds about which nothing is said."""
    match kind:
        case "BooleanField":
            return "1 = 0"
        case "DateTimeField":
            return "'2026-01-01 00:00:00+00:00'"
        case "DateField":
            return "'2026-01-01'"
        case "UUIDField" | "ForeignKey":
            return key
        case "CharField" | "TextField" | "PathField":
            return f"'{default}'" if isinstance(default, str) else "''"
        case _:
            return str(default) if isinstance(default, int) else "0"


def loosened(cursor: Any, postgresql: bool, tables: list[str]) -> Iterator[str]:
    """Yield what takes constraints and indexes off that only writing needs."""
    if not postgresql:
        yield "PRAGMA foreign_keys = OFF"
        yield "PRAGMA ignore_check_constraints = ON"
        yield "PRAGMA synchronous = OFF"
        cursor.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        yield from (
            f'DROP INDEX "{name}"' for name, table in cursor.fetchall() if table in tables and name not in NEEDED
        )
        return
    cursor.execute(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE conrelid::regclass::text = ANY(%s) AND contype <> 'p' ORDER BY contype = 'f' DESC",
        [tables],
    )
    yield from (
        f'ALTER TABLE {table} DROP CONSTRAINT IF EXISTS "{name}" CASCADE'
        for table, name in cursor.fetchall()
        if name not in NEEDED
    )
    cursor.execute(
        "SELECT indexname FROM pg_indexes WHERE tablename = ANY(%s) AND indexname NOT IN (SELECT conname FROM pg_constraint)",
        [tables],
    )
    yield from (f'DROP INDEX IF EXISTS "{name}"' for (name,) in cursor.fetchall() if name not in NEEDED)


def newest_rows(places: int) -> dict[str, Iterator[int]]:
    """Return one row in a hundred as a night changes them: visits of the last days, and hazards of the last months."""
    visits, hazards = places * VISITS, places * ROUNDS
    recent = range(hazards - hazards // 8, hazards, 12)
    return {
        "establishments_place": iter(range(0, places, 1000)), "inspections_visit": iter(range(visits - visits // 100, visits)),
        "hazards_hazard": iter(recent), "hazards_cycle": iter(recent),
    }  # fmt: skip


def any_rows(places: int) -> dict[str, Iterator[int]]:
    """Return every hundredth row, whatever its age."""
    return {
        "establishments_place": iter(range(0, places, 100)), "inspections_visit": iter(range(0, places * VISITS, 100)),
        "hazards_hazard": iter(range(0, places * ROUNDS, 100)), "hazards_cycle": iter(range(0, places * ROUNDS, 100)),
    }  # fmt: skip


def note(cursor: Any, rows: dict[str, Iterator[int]]) -> int:
    """Write what the journal says of changed rows, a hundred to an entry; return how many there are."""
    import orjson

    cursor.execute("SELECT size FROM journal_head")
    size = int(cursor.fetchone()[0])
    names = [f"{table}:{number:032x}" for table, numbers in rows.items() for number in numbers]
    entries = [
        (size + n, orjson.dumps({"rows": dict.fromkeys(names[at : at + 100], "")}).decode(), bytes(32))
        for n, at in enumerate(range(0, len(names), 100))
    ]
    cursor.executemany("INSERT INTO journal_entry (position, matter, body, hash) VALUES (%s, '', %s, %s)", entries)
    cursor.execute("UPDATE journal_head SET size = %s", [size + len(entries)])
    return len(names)


if __name__ == "__main__":
    main()

"""What it costs to publish a pass's results in the database, apart from the pass: ``python -m bench.publishing --places N [--postgresql]``.

The register and the ledger hold the places and hazards of a made-up city of that size; the pass over it is run first and not counted.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bench import lake_snapshot
from bench.installation import installed

AT = datetime(2026, 3, 2, tzinfo=UTC)
NIGHTS = 5
"""Publications one after another: the later ones also thin out the lists of earlier ones."""


def main() -> None:
    """Fill the database, run the pass, and print what each publication took."""
    parser = argparse.ArgumentParser(prog="bench.publishing")
    parser.add_argument("--places", type=int, default=100_000)
    parser.add_argument("--postgresql", action="store_true", help="in a PostgreSQL of its own instead of SQLite")
    options = parser.parse_args()
    with installed(postgresql=options.postgresql) as (home, server):
        run(home, options.places, server)


def run(home: Path, places: int, server: Callable[[], float]) -> None:
    """Measure and print; ``server`` gives the CPU time of the database server."""
    from django.db import connection

    from anban.base.people.actor import job_actor
    from anban.contexts.risk.models import Cell, Curve, TopHazard, TopPlace
    from anban.contexts.risk.operations import publish
    from anban.lake import passing
    from anban.lake.assessing import passed_of
    from anban.lake.engines import engine_of
    from anban.lake.folder import Lake
    from bench.lake_city import AS_OF, ROOT, make

    # One visit and one hazard to a place: the lists are as long as with ten.
    lake_snapshot.VISITS = lake_snapshot.ROUNDS = 1
    lake_snapshot.fill(places)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA foreign_keys = ON")
            cursor.execute("PRAGMA synchronous = FULL")
    lake = Lake(home / "lake")
    begun, before = time.perf_counter(), time.process_time()
    with lake.writing():
        snapshot = make(lake, places, visits=1, rounds=1)
        engine = engine_of("duckdb", scratch=home / "scratch")
        result = passing.run(lake, engine, snapshot, root=ROOT, as_of=date.fromisoformat(AS_OF), at=AT)
        engine.close()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, {connection.vendor}; {places:,} places; city and pass "
        f"{time.perf_counter() - begun:.0f} s, {time.process_time() - before:.0f} s of CPU\n\n"
        "| night | rows published | wall s | CPU s of this process | of the server | load |\n|---|---|---|---|---|---|",
        flush=True,
    )
    actor = job_actor("bench", ROOT)
    for night in range(NIGHTS):
        begun, before, served = time.perf_counter(), time.process_time(), server()
        row = publish(actor=actor, at=AT + timedelta(days=night), passed=passed_of(result))
        wall, spent, served = time.perf_counter() - begun, time.process_time() - before, server() - served
        rows = sum(
            part._default_manager.filter(assessment_id=row.pk).count() for part in (Cell, TopPlace, TopHazard, Curve)
        )
        print(
            f"| {night + 1} | {rows:,} | {wall:.1f} | {spent:.1f} | {served:.1f} | {os.getloadavg()[0]:.0f} |",
            flush=True,
        )
    print(f"\npeak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()

"""Run the benchmarks and print a table: ``python -m bench [--places N --hazards N --entries N]`` (make bench)."""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable


def main() -> None:
    """Build the city in a database of its own and measure lists, search, board, desk and verification."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--places", type=int, default=200_000)
    parser.add_argument("--hazards", type=int, default=1_000_000)
    parser.add_argument("--entries", type=int, default=5_000_000)
    parser.add_argument("--home", help="keep or reuse this folder")
    parser.add_argument("--postgresql", action="store_true", help="in a PostgreSQL of its own instead of SQLite")
    options = parser.parse_args()
    folder = options.home or tempfile.mkdtemp(prefix="anban-bench-")
    os.environ["ANBAN_HOME"] = folder
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anban.config.settings")
    with contextlib.ExitStack() as stack:
        server = None
        if options.postgresql:
            from tests.database import Cluster

            cluster = stack.enter_context(Cluster(durable=True))
            os.environ["DATABASE_URL"], server = cluster.url, cluster.pid
        import django

        django.setup()
        run(options.places, options.hazards, options.entries, server)


def run(places: int, hazards: int, entries: int, server: int | None) -> None:
    """Build when empty, then measure each part and print it; ``server`` is the process whose CPU time counts beside ours."""
    import django
    from django.db import connection

    from anban.base.journal.queries import size
    from anban.base.journal.verification import verify
    from anban.config.installation import migrate
    from anban.contexts.establishments import queries as establishments
    from anban.contexts.hazards.figures import board_of
    from anban.contexts.hazards.queries import Filters, count, page
    from anban.contexts.territory.models import Area
    from bench.city_pass import seconds_of_tree
    from bench.dataset import AT, ROOT, Size, build, grants

    migrate()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, Django {django.__version__}, "
        f"{connection.vendor} {sqlite3.sqlite_version if connection.vendor == 'sqlite' else ''}"
    )
    if not size():
        build(Size(places, hazards, entries))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    city, street = grants()
    streets = list(Area.objects.filter(root_id=ROOT, level="street").values_list("path", flat=True)[:40])

    def used() -> float:
        return time.process_time() + (seconds_of_tree(server) if server else 0)

    def spent(work: Callable[[], object]) -> tuple[float, float]:
        started, busy = time.perf_counter(), used()
        work()
        return (time.perf_counter() - started) * 1000, (used() - busy) * 1000

    def table(name: str, values: list[tuple[float, float]]) -> None:
        wall, busy = sorted(one[0] for one in values), sorted(one[1] for one in values)
        p95 = int(len(wall) * 0.95) - 1
        print(
            f"| {name} | {len(wall)} | {statistics.median(wall):.1f} | {wall[p95]:.1f} | {wall[-1]:.1f} | {statistics.median(busy):.1f} | {busy[p95]:.1f} |"
        )

    print("| what | runs | median ms | p95 ms | worst ms | CPU median ms | CPU p95 ms |\n|---|---|---|---|---|---|---|")
    filters = combinations(streets)
    for who, actor in (("city", city), ("street", street)):
        times = [spent(lambda f=f, a=actor: (page(a, f, at=AT), count(a, f, at=AT))) for f in filters]
        table(f"ledger list and count, 200 filter combinations, {who}", times)
    for text in ("气瓶", "报警器", "福达"):
        table(f"search {text} (whole city)", [spent(lambda t=text: page(city, Filters(q=t), at=AT)) for _ in range(5)])
    for who, actor in (("city", city), ("street", street)):
        table(f"board, {who}", [spent(lambda a=actor: board_of(a, at=AT)) for _ in range(20)])
        table(
            f"register, first page, {who}",
            [spent(lambda a=actor: establishments.page(a, establishments.Filters())) for _ in range(20)],
        )
    started = time.perf_counter()
    report = verify(journal_only=True)
    took = time.perf_counter() - started
    print(f"load {os.getloadavg()[0]:.1f}")
    print(
        f"\njournal: {report.entries:,} entries verified in {took:.1f} s ({report.entries / took:,.0f} a second), ok={report.ok}"
    )


def combinations(streets: list[str]) -> list[object]:
    """Draw 200 filter combinations from all chips by a fixed seed, zero-hit and whole-city ones among them."""
    from datetime import date

    from anban.contexts.hazards.queries import Filters

    rng = random.Random(20260301)
    chips: dict[str, list[object]] = {
        "area": ["", "", *streets],
        "states": [("closed",), ("rectifying",), ("unverified", "awaiting_review"), ("suspected",), ("gone",)],
        "grade": ["general", "major", "suspected_major"],
        "kind": ["catering", "hospital", "residential_estate", "warehouse_logistics"],
        "class_code": ["GAS", "FIRE", "ELEC", "EBIK", "CHEM", "PIPE"],
        "due": ["overdue", "running"],
        "rebound": [True],
        "penalised": [True],
        "origin": ["inspection", "hotline", "testing", "self_check"],
        "proof": ["on_site", "photo", "declared"],
        "track": ["ordered", "on_spot", "advised"],
        "found_from": [date(2024, 1, 1), date(2025, 6, 1), date(2026, 9, 1)],
        "open_only": [True],
    }
    made: list[object] = []
    for _ in range(200):
        names = rng.sample(sorted(chips), rng.choice((0, 1, 1, 2, 2, 3, 4)))
        made.append(Filters(**{name: rng.choice(chips[name]) for name in names}))
    return made


if __name__ == "__main__":
    sys.exit(main())

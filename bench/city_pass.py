"""The whole city in one pass, side by side: DuckDB alone, the product's engine, pandas and PostgreSQL give one checksum.

``python -m bench.city_pass --places N [--postgresql] [--whole]``: one run, one machine; only ratios within a run mean something.
``--city FOLDER`` keeps the made city there and takes it from there the next time.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import resource
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

TEXT = """
WITH known AS (
    SELECT place, result, row_number() OVER (PARTITION BY place ORDER BY day DESC, visit DESC) AS nth FROM visits
),
seen AS (
    SELECT v.place, max(v.day) AS last_day FROM visits AS v GROUP BY v.place
),
failed AS (
    SELECT place, count(*) AS fails FROM known WHERE nth <= 3 AND result = 'fail' GROUP BY place
),
followed AS (
    SELECT
        place, found_on, due_on, ended_on,
        lag(ended_on) OVER (PARTITION BY place, code ORDER BY found_on, cycle) AS before
    FROM cycles
),
owed AS (
    SELECT
        place,
        count(*) FILTER (WHERE ended_on IS NULL) AS open_now,
        count(*) FILTER (WHERE ended_on IS NULL AND due_on < DATE '2026-03-02') AS overdue,
        count(*) FILTER (WHERE {gap} BETWEEN 0 AND 180) AS rebounds
    FROM followed
    GROUP BY place
)
SELECT
    p.street, p.kind, count(*) AS places, count(s.last_day) AS seen, max(s.last_day) AS last_day,
    CAST(sum(COALESCE(o.open_now, 0)) AS BIGINT) AS open_now, CAST(sum(COALESCE(o.overdue, 0)) AS BIGINT) AS overdue,
    CAST(sum(COALESCE(o.rebounds, 0)) AS BIGINT) AS rebounds, CAST(sum(COALESCE(f.fails, 0)) AS BIGINT) AS fails
FROM places AS p
LEFT JOIN seen AS s ON s.place = p.place
LEFT JOIN failed AS f ON f.place = p.place
LEFT JOIN owed AS o ON o.place = p.place
GROUP BY p.street, p.kind
ORDER BY p.street, p.kind
"""
TABLES = {
    "places": ("place", "street", "kind"),
    "visits": ("visit", "place", "day", "result"),
    "cycles": ("cycle", "place", "code", "found_on", "due_on", "ended_on"),
}
DUCK_GAP = "date_diff('day', before, found_on)"
PG_GAP = "(found_on - before)"


def main() -> None:
    """Build the city, run each engine twice and print the better time of each, with the checksum."""
    parser = argparse.ArgumentParser(prog="bench.city_pass")
    parser.add_argument("--places", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=2, help="0: no comparison of engines, for the whole pass alone")
    parser.add_argument("--postgresql", action="store_true", help="load it into a PostgreSQL of its own as well")
    parser.add_argument("--whole", action="store_true", help="the whole pass as well")
    parser.add_argument("--city", type=Path, help="a folder in which the made city is kept")
    options = parser.parse_args()
    apart(lambda home: run(home, options))


def apart(work: Callable[[Path], None]) -> None:
    """Do something in an installation of its own, which is gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="anban-bench-"))
    os.environ["ANBAN_HOME"] = str(home)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anban.config.settings")
    import django

    django.setup()
    try:
        work(home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def run(home: Path, options: argparse.Namespace) -> None:
    """Measure and print."""
    import duckdb

    from anban.lake.folder import Lake
    from anban.lake.snapshot import newest
    from bench.lake_city import ROOT, make

    lake = Lake((options.city or home) / "lake")
    begun = time.perf_counter()
    with lake.writing():
        snapshot = newest(lake) if options.city else None
        if snapshot is None or snapshot.rows("places") != options.places:
            snapshot = make(lake, options.places)
    rows = snapshot.rows("visits") + snapshot.rows("cycles")
    size = sum(f["bytes"] for f in snapshot.manifest["files"]) / 1e6
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, DuckDB {duckdb.__version__}; made in {time.perf_counter() - begun:.0f} s"
    )
    print(f"{options.places:,} places, {rows:,} visits and rounds, {size:.0f} MB of Parquet\n")
    files = {table: [str(path) for path in snapshot.files(table, ROOT)] for table in TABLES}
    engines: dict[str, Callable[[], tuple[float, int]]] = {
        "DuckDB alone": lambda: alone(files), "product's engine": lambda: ours(home, snapshot), "pandas": lambda: pandas(files),
    }  # fmt: skip
    best: dict[str, tuple[float, int]] = {}
    used: dict[str, float] = {}
    for _ in range(options.rounds):
        for name, work in engines.items():
            before = processor_seconds()
            seconds, checksum = work()
            spent = processor_seconds() - before
            gc.collect()
            print(f"{name}: {seconds:.1f} s, {spent:.1f} s of CPU, load {os.getloadavg()[0]:.0f}", flush=True)
            best[name] = min(best.get(name, (seconds, checksum)), (seconds, checksum))
            used[name] = min(used.get(name, spent), spent)
    if options.postgresql:
        name = "PostgreSQL, covering indexes"
        seconds, used[name], checksum = postgresql(files, options.rounds)
        best[name] = (seconds, checksum)
    if best:
        ours_s = best["product's engine"][0]
        print("| engine | s | CPU s | against the product's engine | checksum |\n|---|---|---|---|---|")
        for name, (seconds, checksum) in best.items():
            print(f"| {name} | {seconds:.1f} | {used[name]:.1f} | {seconds / ours_s:.2f} | {checksum:x} |")
        assert len({checksum for _, checksum in best.values()}) == 1, "the engines disagree"
    if options.whole:
        whole(lake, snapshot)
    print(
        f"\npeak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB (with pandas)"
    )


def processor_seconds() -> float:
    """Return the CPU time of this process: what other work on the machine disturbs least."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def checksum_of(rows: list[tuple[Any, ...]]) -> int:
    """Return one number for a result: rows in their order, days as numbers."""
    import zlib

    found = 0
    for row in rows:
        found = zlib.crc32("|".join("" if v is None or v != v else str(v)[:10] for v in row).encode(), found)
    return found


def alone(files: dict[str, list[str]]) -> tuple[float, int]:
    """Run the text on a bare DuckDB."""
    import duckdb

    begun = time.perf_counter()
    with duckdb.connect() as duck:
        for table, paths in files.items():
            duck.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet({paths!r})")
        rows = duck.execute(TEXT.format(gap=DUCK_GAP)).fetchall()
    return time.perf_counter() - begun, checksum_of(rows)


def ours(home: Path, snapshot: Any) -> tuple[float, int]:
    """Run the text through the product's engine, with its memory limit."""
    from anban.lake.engines import engine_of
    from bench.lake_city import ROOT

    begun = time.perf_counter()
    engine = engine_of("duckdb", scratch=home / "scratch")
    for table in TABLES:
        engine.load(table, snapshot.files(table, ROOT))
    found = engine.fetch(TEXT.format(gap=DUCK_GAP), {})
    engine.close()
    seconds = time.perf_counter() - begun
    return seconds, checksum_of([tuple(row.values()) for row in found.to_pylist()])


def pandas(files: dict[str, list[str]]) -> tuple[float, int]:
    """Do the same with pandas."""
    import pandas as pd

    begun = time.perf_counter()
    table = {
        name: pd.concat([pd.read_parquet(path, columns=list(TABLES[name])) for path in files[name]]) for name in TABLES
    }
    visits = table["visits"].sort_values(["place", "day", "visit"], ascending=[True, False, False], kind="stable")
    last3 = visits[visits.groupby("place").cumcount() < 3]
    fails = last3[last3["result"] == "fail"].groupby("place").size().rename("fails")
    seen = visits.groupby("place")["day"].max().rename("last_day")
    cycles = table["cycles"].sort_values(["place", "code", "found_on", "cycle"], kind="stable")
    for name in ("found_on", "due_on", "ended_on"):
        cycles[name] = pd.to_datetime(cycles[name])
    before = cycles.groupby(["place", "code"])["ended_on"].shift()
    gap = (cycles["found_on"] - before).dt.days
    cycles["open_now"] = cycles["ended_on"].isna().astype(int)
    cycles["overdue"] = (cycles["ended_on"].isna() & (cycles["due_on"] < pd.Timestamp("2026-03-02"))).astype(int)
    cycles["rebounds"] = gap.between(0, 180).astype(int)
    owed = cycles.groupby("place")[["open_now", "overdue", "rebounds"]].sum()
    joined = table["places"].set_index("place").join(seen).join(fails).join(owed)
    for name in ("fails", "open_now", "overdue", "rebounds"):
        joined[name] = joined[name].fillna(0).astype("int64")
    joined["last_day"] = pd.to_datetime(joined["last_day"])
    grouped = joined.groupby(["street", "kind"]).agg(
        places=("open_now", "size"), seen=("last_day", "count"), last_day=("last_day", "max"), open_now=("open_now", "sum"),
        overdue=("overdue", "sum"), rebounds=("rebounds", "sum"), fails=("fails", "sum"),
    )  # fmt: skip
    rows = list(grouped.sort_index().reset_index().itertuples(index=False, name=None))
    return time.perf_counter() - begun, checksum_of(rows)


def family(pid: int) -> dict[int, float]:
    """Return a process and its living descendants, each with its CPU time and that of children that it has seen end."""
    fields: dict[int, tuple[int, float]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            told = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # It has ended meanwhile.
        fields[int(path.parent.name)] = (int(told[1]), sum(map(int, told[11:15])) / os.sysconf("SC_CLK_TCK"))
    found = {pid}
    while more := {child for child, (parent, _) in fields.items() if parent in found} - found:
        found |= more
    return {one: fields[one][1] for one in found if one in fields}


def seconds_of_tree(pid: int) -> float:
    """Return the CPU time of a process, of its living descendants and of those that it has seen end."""
    return sum(family(pid).values())


@contextmanager
def most_memory(pid: int) -> Iterator[Callable[[], float]]:
    """Watch a process and its descendants; yield what returns the most memory (MiB) that they held together so far."""
    most, over = [0.0], threading.Event()

    def resident(one: int) -> float:
        try:
            return float(Path(f"/proc/{one}/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024
        except (OSError, IndexError):
            return 0.0  # It has ended meanwhile.

    def watch() -> None:
        while not over.wait(1):
            most[0] = max(most[0], sum(map(resident, family(pid))))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield lambda: most[0]
    finally:
        over.set()
        thread.join()


def postgresql(files: dict[str, list[str]], rounds: int) -> tuple[float, float, int]:
    """Load the three tables into a PostgreSQL of its own, index them to cover the query, and run it."""
    import adbc_driver_postgresql.dbapi as driver
    import duckdb

    from tests.database import Cluster

    with Cluster() as cluster, driver.connect(cluster.url) as connection:
        for table, columns in TABLES.items():
            begun = time.perf_counter()
            with duckdb.connect() as duck, connection.cursor() as cursor:
                reader = duck.sql(f"SELECT {', '.join(columns)} FROM read_parquet({files[table]!r})").to_arrow_reader(
                    100_000
                )
                cursor.adbc_ingest(table, reader, mode="create")
            connection.commit()
            print(f"PostgreSQL: {table} loaded in {time.perf_counter() - begun:.1f} s")
        with connection.cursor() as cursor:
            for text in (
                "CREATE INDEX ON visits (place, day DESC, visit DESC) INCLUDE (result)",
                "CREATE INDEX ON cycles (place, code, found_on, cycle) INCLUDE (due_on, ended_on)",
                "CREATE INDEX ON places (place) INCLUDE (street, kind)",
            ):
                cursor.execute(text)
            connection.commit()
        best = (1e9, 1e9, 0)
        pid = int((cluster.folder / "data" / "postmaster.pid").read_text().split()[0])
        with driver.connect(cluster.url, autocommit=True) as fresh, fresh.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("SET work_mem = '512MB'")
            cursor.execute("SET jit = off")
            for _ in range(rounds):
                begun, before = time.perf_counter(), seconds_of_tree(pid)
                cursor.execute(
                    TEXT.format(gap=PG_GAP)
                    .replace("p.street, p.kind\n", 'p.street COLLATE "C", p.kind COLLATE "C"\n', 2)
                    .replace("SELECT\n    p.street, p.kind,", 'SELECT\n    p.street COLLATE "C", p.kind COLLATE "C",')
                )
                rows = cursor.fetchall()
                spent = seconds_of_tree(pid) - before
                best = min(best, (time.perf_counter() - begun, spent, checksum_of(rows)))
        return best


def whole(lake: Any, snapshot: Any) -> None:
    """Train where no model is kept, then run the whole pass and print each step that takes more than a tenth of a second."""
    from anban.lake import ordering, passing, texts
    from anban.lake.engines import engine_of
    from bench.lake_city import AS_OF, ROOT

    steps: list[tuple[str, float]] = []
    said = [(time.perf_counter(), "")]

    def progress(stage: str, _done: int, _total: int) -> None:
        now = time.perf_counter()
        steps.append((said[0][1], now - said[0][0]))
        said[0] = (now, stage)

    as_of = date.fromisoformat(AS_OF)
    if ordering.kept(lake, ROOT, as_of + timedelta(days=1)) is None:
        begun, before = time.perf_counter(), processor_seconds()
        with lake.writing():
            ordering.train(lake, snapshot, ROOT, as_of, at=datetime.now(UTC))
        print(f"\ntraining {time.perf_counter() - begun:.1f} s, {processor_seconds() - before:.1f} s of CPU")
        said[0] = (time.perf_counter(), "")
    begun, before = time.perf_counter(), processor_seconds()
    engine = engine_of("duckdb", scratch=lake.home / "scratch")
    with lake.writing():
        passing.run(lake, engine, snapshot, root=ROOT, as_of=as_of, at=datetime.now(UTC), progress=progress)
    engine.close()
    steps.append((said[0][1], time.perf_counter() - said[0][0]))
    english = {step.zh: step.name for step in texts.STEPS}
    print(
        f"\nwhole pass {time.perf_counter() - begun:.1f} s, {processor_seconds() - before:.1f} s of CPU: "
        + ", ".join(f"{english.get(n, n)} {s:.1f}" for n, s in steps if s > 0.1)
        + f"; load {os.getloadavg()[0]:.0f}, peak memory so far {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB"
    )


if __name__ == "__main__":
    main()

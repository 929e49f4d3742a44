"""The whole pass on a real Spark beside DuckDB: a master, two workers of one core, one of them killed in the middle; the same results.

``python -m bench.on_spark --places N [--memory 3g] [--city FOLDER] [--no-kill]``. Whole numbers and texts must be equal, fractions to 1e-9.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.city_pass import apart, most_memory, seconds_of_tree

SETTINGS = {
    "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
    "spark.executor.cores": "1", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR", "spark.driver.maxResultSize": "0",
}  # fmt: skip
KILL_AT = "cells"


def main() -> None:
    """Make or take the city, run both engines, and compare what they wrote."""
    parser = argparse.ArgumentParser(prog="bench.on_spark")
    parser.add_argument("--places", type=int, default=200_000)
    parser.add_argument("--memory", default="3g", help="of each executor")
    parser.add_argument("--city", type=Path, help="a folder in which the made city is kept")
    parser.add_argument("--no-kill", action="store_true", help="let both workers live")
    options = parser.parse_args()
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    partitions = str(max(8, options.places // 62_500))
    more = {
        "spark.executor.memory": options.memory, "spark.driver.memory": "3g", "spark.sql.shuffle.partitions": partitions
    }  # fmt: skip
    os.environ["ANBAN_SPARK"] = ";".join(f"{key}={value}" for key, value in {**SETTINGS, **more}.items())
    apart(lambda home: run(home, options))


def run(home: Path, options: argparse.Namespace) -> None:
    """Measure, compare and print."""
    from anban.lake import ordering, passing, texts
    from anban.lake.engines import engine_of
    from anban.lake.folder import Lake
    from anban.lake.snapshot import newest
    from bench.lake_city import AS_OF, ROOT, make
    from tests.lake.spark_cluster import running

    day = date.fromisoformat(AS_OF)
    lake = Lake((options.city or home) / "lake")
    with lake.writing():
        snapshot = newest(lake) if options.city else None
        if snapshot is None or snapshot.rows("places") != options.places:
            snapshot = make(lake, options.places)
        until = day + timedelta(days=1)
        model = ordering.kept(lake, ROOT, until) or ordering.train(lake, snapshot, ROOT, day, at=datetime.now(UTC))
    rows = snapshot.rows("visits") + snapshot.rows("cycles")
    print(f"{platform.machine()}, {os.cpu_count()} cores; {options.places:,} places, {rows:,} visits and rounds")
    folders = {name: home / name for name in ("duckdb", "spark")}
    for folder in folders.values():
        folder.mkdir()

    english = {step.zh: step.name for step in texts.STEPS}

    def timed(name: str, address: str, at: Callable[[str], None]) -> None:
        begun, before = time.perf_counter(), seconds_of_tree(os.getpid())
        engine = engine_of(address, scratch=home / "scratch")
        started = time.perf_counter() - begun
        steps = [("", begun + started)]

        def progress(stage: str, _done: int, _of: int) -> None:
            steps.append((english.get(stage, "scoring"), time.perf_counter()))
            at(stage)

        try:
            passing.compute(engine, snapshot, ROOT, day, folders[name], model=model, progress=progress)
            steps.append(("", time.perf_counter()))
        finally:
            engine.close()
        took, spent = time.perf_counter() - begun, seconds_of_tree(os.getpid()) - before
        ran = ", ".join(
            f"{step} {until - since:.1f}" for (step, since), (_, until) in pairwise(steps) if until - since > 0.5
        )
        print(
            f"{name}: start {started:.1f} s, whole pass {took:.1f} s, {spent:.0f} s of CPU, {memory():.0f} MiB at most, load {os.getloadavg()[0]:.0f}: {ran}",
            flush=True,
        )

    logs = home / "cluster"
    logs.mkdir()
    with most_memory(os.getpid()) as memory:
        timed("duckdb", "duckdb", lambda stage: None)
    begun = time.perf_counter()
    with most_memory(os.getpid()) as memory, running(logs, memory="5g") as cluster:
        print(f"master and two workers up after {time.perf_counter() - begun:.1f} s")
        kill_at = next(step.zh for step in texts.STEPS if step.name == KILL_AT)
        timed(
            "spark",
            cluster.url,
            lambda stage: cluster.kill_worker() if stage == kill_at and not options.no_kill else None,
        )
    for name in passing.RESULTS:
        print(
            f"{name}: {compared(folders['duckdb'] / f'{name}.parquet', folders['spark'] / f'{name}.parquet'):,} rows, the same"
        )


def compared(one: Path, other: Path) -> int:
    """Return how many rows two files have. Raises: AssertionError where they differ."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    ours, theirs = pq.read_table(one), pq.read_table(other)
    assert ours.num_rows == theirs.num_rows, (one.name, ours.num_rows, theirs.num_rows)
    assert ours.column_names == theirs.column_names
    for name in ours.column_names:
        left: Any = ours[name].combine_chunks()
        right: Any = theirs[name].cast(left.type).combine_chunks()
        if pa.types.is_floating(left.type):
            assert left.is_null().equals(right.is_null()), (one.name, name)
            pair = [np.asarray(each.fill_null(0.0)) for each in (left, right)]
            assert np.allclose(*pair, rtol=1e-9, atol=1e-9), (one.name, name)
        else:
            assert left.equals(right), (one.name, name)
    return int(ours.num_rows)


if __name__ == "__main__":
    main()

"""The same texts on a real Spark of two workers, one of which is killed in the middle: the same results."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from anban.lake import ordering, passing, spark, texts
from anban.lake.duck import DuckDB
from anban.lake.engine import with_values
from anban.lake.engines import engine_of
from anban.lake.folder import Lake
from anban.rules.errors import Refusal
from bench.lake_city import AS_OF, ROOT, make
from tests.lake.conftest import NOW
from tests.lake.spark_cluster import running

DAY = date.fromisoformat(AS_OF)
# Hardly any code runs often enough here to be worth the second compiler.
JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"
SETTINGS = (
    "spark.sql.shuffle.partitions=2;spark.default.parallelism=2;spark.driver.host=127.0.0.1;spark.driver.bindAddress=127.0.0.1;"
    "spark.executor.memory=512m;spark.executor.cores=1;spark.ui.showConsoleProgress=false;spark.log.level=ERROR;"
    f"spark.driver.extraJavaOptions={JAVA};spark.executor.extraJavaOptions={JAVA}"
)


def same(one: Any, other: Any) -> bool:
    """Whole numbers, texts and days exactly; fractions to 1e-9."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == other)


def differences(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> list[str]:
    found = [f"{len(one)} rows and {len(other)}"] if len(one) != len(other) else []
    for number, (row, twin) in enumerate(zip(one, other, strict=False)):
        assert row.keys() == twin.keys()
        found += [f"row {number} {key}: {row[key]!r} {twin[key]!r}" for key in row if not same(row[key], twin[key])]
    return found[:5]


def test_two_workers_one_killed_give_the_same_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    monkeypatch.setenv("ANBAN_SPARK", SETTINGS)
    lake = Lake(tmp_path / "lake")
    with lake.writing():
        snapshot = make(lake, 300)
        model = ordering.train(lake, snapshot, ROOT, DAY, at=NOW)
    assert model is not None
    ours, theirs = tmp_path / "duckdb", tmp_path / "spark"
    ours.mkdir()
    theirs.mkdir()
    duck = DuckDB(tmp_path / "scratch")
    passing.compute(duck, snapshot, ROOT, DAY, ours, model=model)
    duck.close()
    logs = tmp_path / "cluster"
    logs.mkdir()
    with running(logs) as cluster:
        engine = engine_of(cluster.url, scratch=tmp_path / "scratch")
        try:

            def kill_in_the_middle(stage: str, _done: int, _total: int) -> None:
                if stage == next(step.zh for step in texts.STEPS if step.name == "cells"):
                    assert cluster.said("worker1", "Asked to launch executor") == 1
                    cluster.kill_worker()

            rows = passing.compute(engine, snapshot, ROOT, DAY, theirs, model=model, progress=kill_in_the_middle)
        finally:
            engine.close()
        assert cluster.said("master", "Registering worker") == 2
        assert cluster.said("worker2", "Asked to launch executor") >= 1
    assert min(rows[name] for name in ("place_results", "cells", "top_places", "debts", "curves")) > 10
    for name in passing.RESULTS:
        pair = [passing.Result(folder, {}).table(name).to_pylist() for folder in (ours, theirs)]
        assert differences(*pair) == [], name


def test_the_translation_keeps_nulls_last_and_whole_texts() -> None:
    given = texts.values(DAY, "seed")
    for step in texts.STEPS:
        written = spark.translated(with_values(texts.text(step.name), given))
        assert "$" not in written
        assert "FROM" in written
    assert spark.translated("SELECT a FROM t ORDER BY a").endswith("ORDER BY a NULLS LAST")


def test_a_difference_is_noticed() -> None:
    """The planted faults: one row less, a count off by one, a fraction off in the ninth digit."""
    row = {"n": 1, "share": 0.5, "name": "x"}
    assert differences([row], [dict(row)]) == []
    assert differences([row, row], [row]) != []
    assert differences([row], [{**row, "n": 2}]) != []
    assert differences([row], [{**row, "share": 0.50000001}]) != []


@pytest.mark.parametrize("address", ["spark://", "spark://a b:1", "spark://127.0.0.1", "http://x:1", "local[2]"])
def test_an_engine_that_is_none_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refusal:
        engine_of(address, scratch=tmp_path)
    assert refusal.value.code == "lake.engine_unknown"

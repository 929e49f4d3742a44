"""The same texts on Apache Spark, translated by sqlglot: for a province's or a country's lake on many machines."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from anban.lake.engine import Value, with_values
from anban.rules.errors import Refusal, register

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlglot import exp

register(
    "lake.spark_absent",
    zh="没有安装 Spark：请安装 anban[spark] 和 Java 17 运行环境。",
    en="Spark is not installed: install anban[spark] and a Java 17 runtime.",
)
register(
    "lake.spark_unreachable",
    zh="连不上 Spark：{engine}。请检查地址和主节点是否在运行。",
    en="Spark can't be reached at {engine}. Check the address and whether the master is running.",
)

SETTINGS: Final = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.ui.enabled": "false",
    "spark.sql.ansi.enabled": "true",
}


def translated(text: str) -> str:
    """Return a text of the checked subset in Spark's dialect."""
    import sqlglot

    tree = sqlglot.parse_one(text, dialect="duckdb")
    return tree.transform(_spark).sql(dialect="spark")


def _spark(node: exp.Expr) -> exp.Expr:
    """Mend what the translation leaves to the engine: DuckDB puts nulls last in every order, Spark first in ascending ones."""
    from sqlglot import exp

    if isinstance(node, exp.Ordered) and node.args.get("nulls_first") is None:
        node.set("nulls_first", False)
    return node


class Spark:
    """A session on a master (``spark://HOST:PORT``); all machines must see the lake's folder under the same path."""

    def __init__(self, master: str) -> None:
        try:
            from pyspark.errors import PySparkException
            from pyspark.sql import SparkSession
        except ImportError:
            raise Refusal("lake.spark_absent") from None
        self.name = master
        builder = SparkSession.builder.master(master).appName("anban")
        for key, value in {**SETTINGS, **_own_settings()}.items():
            builder = builder.config(key, value)
        try:
            self._spark = builder.getOrCreate()
        except (PySparkException, OSError, RuntimeError):
            raise Refusal("lake.spark_unreachable", field="engine", engine=master) from None
        self._kept: list[Any] = []

    def load(self, table: str, files: Sequence[Path]) -> None:
        """Make a table of Parquet files known under a name."""
        self._spark.read.parquet(*(str(path) for path in files)).createOrReplaceTempView(table)

    def make(self, table: str, text: str, given: Mapping[str, Value], *, keep: bool = True) -> None:
        """Give the result of a text a name."""
        frame = self._spark.sql(translated(with_values(text, given)))
        if keep:
            frame = frame.persist()
            self._kept.append(frame)
        frame.createOrReplaceTempView(table)

    def fetch(self, text: str, given: Mapping[str, Value]) -> pa.Table:
        """Return the result of a text."""
        return self._spark.sql(translated(with_values(text, given))).toArrow()

    def save(self, table: str, text: str, path: Path, given: Mapping[str, Value]) -> int:
        """Write the result of a text to one Parquet file."""
        import pyarrow.parquet as pq

        found = self.fetch(text, given)
        pq.write_table(found, path, compression="zstd")
        return int(found.num_rows)

    def close(self) -> None:
        """Let go of what was kept; the session ends."""
        for frame in self._kept:
            frame.unpersist()
        self._spark.stop()


def _own_settings() -> dict[str, str]:
    """Return further settings of Spark from ANBAN_SPARK (``key=value;key=value``)."""
    pairs = (one.partition("=") for one in os.environ.get("ANBAN_SPARK", "").split(";") if "=" in one)
    return {key.strip(): value.strip() for key, _, value in pairs}

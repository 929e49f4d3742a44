"""The engines that run the lake's SQL texts: DuckDB inside the process, or Apache Spark by a setting."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from anban.rules.errors import Refusal, register

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

register(
    "lake.engine_unknown",
    zh="不认识的计算引擎 {engine}。可用：duckdb，或 spark://主机:端口（ANBAN_LAKE）。",
    en="Unknown engine {engine}. There are: duckdb, or spark://HOST:PORT (ANBAN_LAKE).",
)
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
register(
    "lake.setting_invalid",
    zh="设置 {name} 的值不可用：{value}。",
    en="The setting {name} can't be {value}.",
)

Value = str | int | float | date
_PARAMETER: Final = re.compile(r"\$([a-z_][a-z0-9_]*)")
_MEMORY: Final = re.compile(r"[1-9][0-9]*(MB|GB)")
DUCKDB: Final = "duckdb"


class Engine(Protocol):
    """What the pass asks of an engine. Texts are written in DuckDB's dialect, in the subset that ``texts`` checks."""

    @property
    def name(self) -> str:
        """Return what a manifest calls it."""
        ...

    def load(self, table: str, files: Sequence[Path]) -> None:
        """Make a table of Parquet files known under a name."""
        ...

    def make(self, table: str, text: str, given: Mapping[str, Value], *, keep: bool = True) -> None:
        """Give the result of a text a name that later texts may read; ``keep`` computes it once and for all."""
        ...

    def fetch(self, text: str, given: Mapping[str, Value]) -> pa.Table:
        """Return the result of a text."""
        ...

    def save(self, table: str, text: str, path: Path, given: Mapping[str, Value]) -> int:
        """Write the result of a text to one Parquet file and return the count of its rows."""
        ...

    def close(self) -> None:
        """End what was begun."""
        ...


def engine_of(name: str = "", *, scratch: Path) -> Engine:
    """Return the engine by its name (default: the setting ANBAN_LAKE, else DuckDB). Raises: lake.engine_unknown."""
    chosen = name or os.environ.get("ANBAN_LAKE", "") or DUCKDB
    if chosen == DUCKDB:
        return DuckDB(scratch)
    if chosen.startswith("spark://") or re.fullmatch(r"local\[\d+\]", chosen):
        from anban.lake.spark import Spark

        return Spark(chosen)
    raise Refusal("lake.engine_unknown", field="engine", engine=chosen)


def with_values(text: str, given: Mapping[str, Value]) -> str:
    """Return a text with its parameters (``$name``) written out as literals; every engine gets the same ones."""

    def literal(match: re.Match[str]) -> str:
        value = given[match.group(1)]
        if isinstance(value, date):
            return f"DATE '{value.isoformat()}'"
        if isinstance(value, str):
            return "'" + value.replace("'", "''") + "'"
        return repr(value)

    return _PARAMETER.sub(literal, text)


@contextmanager
def connected(*, scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a DuckDB connection within the memory allowed (ANBAN_LAKE_MEMORY, default 2GB), spilling into ``scratch``."""
    import duckdb

    memory = os.environ.get("ANBAN_LAKE_MEMORY", "2GB")
    if not _MEMORY.fullmatch(memory):
        raise Refusal("lake.setting_invalid", name="ANBAN_LAKE_MEMORY", value=memory)
    scratch.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(
        config={
            "memory_limit": memory, "temp_directory": str(scratch), "TimeZone": "UTC",
            "preserve_insertion_order": False, "autoinstall_known_extensions": False,
        }
    )  # fmt: skip
    try:
        yield connection
    finally:
        connection.close()


class DuckDB:
    """DuckDB in this process: what a city of any size needs on one machine."""

    name = DUCKDB

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._open = connected(scratch=scratch)
        self._duck = self._open.__enter__()

    def load(self, table: str, files: Sequence[Path]) -> None:
        """Make a table of Parquet files known under a name."""
        paths = [str(path) for path in files]
        self._duck.execute(f"CREATE OR REPLACE VIEW {table} AS SELECT * FROM read_parquet({paths!r})")

    def make(self, table: str, text: str, given: Mapping[str, Value], *, keep: bool = True) -> None:
        """Give the result of a text a name."""
        what = "TEMP TABLE" if keep else "VIEW"
        self._duck.execute(f"CREATE OR REPLACE {what} {table} AS {with_values(text, given)}")

    def fetch(self, text: str, given: Mapping[str, Value]) -> pa.Table:
        """Return the result of a text."""
        return self._duck.sql(with_values(text, given)).to_arrow_table()

    def save(self, table: str, text: str, path: Path, given: Mapping[str, Value]) -> int:
        """Write the result of a text to one Parquet file."""
        self._duck.execute(f"COPY ({with_values(text, given)}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
        rows = self._duck.execute("SELECT sum(num_rows) FROM parquet_file_metadata(?)", [str(path)]).fetchall()
        return int(rows[0][0])

    def close(self) -> None:
        """Close the connection and remove what was spilled."""
        self._open.__exit__(None, None, None)
        shutil.rmtree(self._scratch, ignore_errors=True)

"""DuckDB inside the process: the engine by default, within the memory that the setting allows."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from anban.lake.engine import Value, with_values
from anban.rules.errors import Refusal, register

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

register(
    "lake.setting_invalid",
    zh="设置 {name} 的值不可用：{value}。",
    en="The setting {name} can't be {value}.",
)
register(
    "lake.memory_short",
    zh="评估用的内存不够：现在允许 {memory}。请用设置 ANBAN_LAKE_MEMORY 放宽：两百万家单位 3GB 够用，一千万家 6GB 够用。",
    en="The assessment ran out of the memory allowed, {memory}. Allow more with ANBAN_LAKE_MEMORY: 3GB were enough for two million places, 6GB for ten million.",
)

NAME: Final = "duckdb"
_MEMORY: Final = re.compile(r"[1-9][0-9]*(MB|GB)")


@contextmanager
def connected(*, scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a DuckDB connection within the memory allowed (ANBAN_LAKE_MEMORY, default 3GB), spilling into ``scratch``."""
    import duckdb

    memory = _memory()
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
        with _within_memory():
            yield connection
    finally:
        connection.close()


def _memory() -> str:
    return os.environ.get("ANBAN_LAKE_MEMORY", "3GB")


@contextmanager
def _within_memory() -> Iterator[None]:
    """Say in the user's words that what can't be spilled doesn't fit."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException:
        raise Refusal("lake.memory_short", memory=_memory()) from None


class DuckDB:
    """DuckDB in this process: what a city of any size needs on one machine."""

    name = NAME

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
        with _within_memory():
            self._duck.execute(f"CREATE OR REPLACE {what} {table} AS {with_values(text, given)}")

    def fetch(self, text: str, given: Mapping[str, Value]) -> pa.Table:
        """Return the result of a text."""
        with _within_memory():
            return self._duck.sql(with_values(text, given)).to_arrow_table()

    def save(self, table: str, text: str, path: Path, given: Mapping[str, Value]) -> int:
        """Write the result of a text to one Parquet file."""
        with _within_memory():
            self._duck.execute(f"COPY ({with_values(text, given)}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
        rows = self._duck.execute("SELECT sum(num_rows) FROM parquet_file_metadata(?)", [str(path)]).fetchall()
        return int(rows[0][0])

    def close(self) -> None:
        """Close the connection and remove what was spilled."""
        self._open.__exit__(None, None, None)
        shutil.rmtree(self._scratch, ignore_errors=True)

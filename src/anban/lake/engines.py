"""Which engine runs the texts: DuckDB unless a setting or an option names a Spark master."""

from __future__ import annotations

import os
import re
from pathlib import Path

from anban.lake import duck
from anban.lake.duck import DuckDB
from anban.lake.engine import Engine
from anban.lake.spark import Spark
from anban.rules.errors import Refusal, register

register(
    "lake.engine_unknown",
    zh="不认识的计算引擎 {engine}。可用：duckdb，或 spark://主机:端口（ANBAN_LAKE）。",
    en="Unknown engine {engine}. There are: duckdb, or spark://HOST:PORT (ANBAN_LAKE).",
)


def engine_of(name: str = "", *, scratch: Path) -> Engine:
    """Return the engine by its name (default: the setting ANBAN_LAKE, else DuckDB). Raises: lake.engine_unknown."""
    chosen = name or os.environ.get("ANBAN_LAKE", "") or duck.NAME
    if chosen == duck.NAME:
        return DuckDB(scratch)
    if re.fullmatch(r"spark://[\w.-]+:\d+(,[\w.-]+:\d+)*", chosen):
        return Spark(chosen)
    raise Refusal("lake.engine_unknown", field="engine", engine=chosen)

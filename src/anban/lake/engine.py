"""What the lake asks of an engine, and how a text's parameters are written out for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

Value = str | int | float | date
_PARAMETER: Final = re.compile(r"\$([a-z_][a-z0-9_]*)")


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

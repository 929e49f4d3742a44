"""Reads declared tables out of the database as a stream of columnar batches, from one state of it, by ADBC."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

import orjson

from anban.base.exports import Column, Export

if TYPE_CHECKING:
    import pyarrow as pa

NO_INT: Final = -(2**53)
NO_FLOAT: Final = -1.0e300
STREET_PARTS: Final = 3
CHUNK: Final = 2_000
_HEX: Final = re.compile(r"[0-9a-f]{32}")


class Source:
    """One connection that sees one state of the database; made by ``opened``."""

    def __init__(self, connection: Any, vendor: str) -> None:
        self._connection = connection
        self.vendor = vendor

    def position(self) -> int:
        """Return how many journal entries this state has."""
        return int(self._rows("SELECT COALESCE(MAX(size), 0) FROM journal_head")[0][0])

    def zones(self) -> dict[str, str]:
        """Return the time zone of every area root."""
        return {
            str(code): str(zone) for code, zone in self._rows("SELECT code, zone FROM territory_arearoot ORDER BY code")
        }

    def entry_hash(self, position: int) -> str:
        """Return the chain's hash at a position, in hex: whether an older snapshot is of this same history."""
        if position <= 0:
            return ""
        rows = self._rows(f"SELECT hash FROM journal_entry WHERE position = {int(position) - 1}")
        return bytes(rows[0][0]).hex() if rows else ""

    def changed(self, since: int, until: int) -> dict[str, set[str]]:
        """Return the ids of the sealed rows that entries from ``since`` (inclusive) to ``until`` wrote or removed, by table."""
        found: dict[str, set[str]] = {}
        cursor = self._connection.cursor()
        try:
            cursor.execute(f"SELECT body FROM journal_entry WHERE position >= {int(since)} AND position < {int(until)}")
            for batch in cursor.fetch_record_batch():
                for body in batch.column(0):
                    for name in orjson.loads(body.as_py()).get("rows", ()):
                        table, _, key = name.partition(":")
                        found.setdefault(table, set()).add(key)
        finally:
            cursor.close()
        return found

    @contextmanager
    def batches(self, export: Export, only: str = "") -> Iterator[pa.RecordBatchReader]:
        """Yield a table's rows as a stream of batches; ``only`` is a condition."""
        chosen = ", ".join(
            [f"{export.root} AS root", *(f"{self._given(c)} AS {c.name}" for c in export.columns)],
        )
        where = f" WHERE {only}" if only else ""
        cursor = self._connection.cursor()
        try:
            if self.vendor == "sqlite":
                # The driver takes the types of all batches from the first one.
                cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": "65536"})
            cursor.execute(f"SELECT {chosen} FROM {export.source}{where}")
            stream = cursor.fetch_record_batch()
            yield self._empty(export) if self._is_untyped(stream.schema, export) else stream
        finally:
            cursor.close()

    def _is_untyped(self, schema: pa.Schema, export: Export) -> bool:
        """Tell whether SQLite's driver had no row to guess the types from: a stream without rows."""
        import pyarrow as pa

        return self.vendor == "sqlite" and not pa.types.is_string(schema.field("root").type) and bool(export.columns)

    def _empty(self, export: Export) -> pa.RecordBatchReader:
        import pyarrow as pa

        kinds = {"int": pa.int64(), "bool": pa.int64(), "float": pa.float64()}
        fields = [pa.field(c.name, kinds.get(c.kind, pa.string())) for c in export.columns]
        schema = pa.schema([pa.field("root", pa.string()), *fields])
        return pa.RecordBatchReader.from_batches(schema, [])

    def _given(self, column: Column) -> str:
        """Return a column as the database gives it: on SQLite never null, because the driver guesses types from what it sees first."""
        if self.vendor == "postgresql":
            return column.source
        if column.kind == "int":
            return f"COALESCE({column.source}, {NO_INT})"
        if column.kind == "float":
            return f"COALESCE({column.source}, {NO_FLOAT!r})"
        return column.source if column.kind == "bool" else f"COALESCE({column.source}, '')"

    def read(self, column: Column, zones: Mapping[str, str]) -> str:
        """Return the expression (DuckDB) that makes the lake's column of what the database gave."""
        name = column.name
        sqlite = self.vendor == "sqlite"
        plain = f"replace(CAST({name} AS VARCHAR), '-', '')"
        match column.kind:
            case "id":
                return f"NULLIF({plain}, '')"
            case "key":
                return f"CAST('0x' || right(NULLIF({plain}, ''), 15) AS BIGINT)"
            case "text":
                return f"COALESCE({name}, '')"
            case "street":
                parts = "".join("([^/]+/)" + ("?" if n else "") for n in range(STREET_PARTS))
                return f"regexp_extract({name}, '^{parts}')"
            case "int":
                return f"CAST(NULLIF({name}, {NO_INT}) AS INTEGER)"
            case "float":
                return f"CAST(NULLIF({name}, {NO_FLOAT!r}) AS DOUBLE)"
            case "bool":
                return f"CAST({name} AS BOOLEAN)"
            case "date":
                return f"CAST(NULLIF({name}, '') AS DATE)" if sqlite else f"CAST({name} AS DATE)"
            case "instant_day":
                at = f"CAST(NULLIF({name}, '') AS TIMESTAMP) AT TIME ZONE 'UTC'" if sqlite else name
                return _day(at, zones)

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        cursor = self._connection.cursor()
        try:
            cursor.execute(statement)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
        finally:
            cursor.close()


def _day(at: str, zones: Mapping[str, str]) -> str:
    """Return the day of an instant in each root's own zone."""
    by_zone: dict[str, list[str]] = {}
    for root, zone in zones.items():
        by_zone.setdefault(zone, []).append(root)
    cases = " ".join(
        f"WHEN root IN ({', '.join(quoted(root) for root in roots)}) THEN CAST(({at}) AT TIME ZONE {quoted(zone)} AS DATE)"
        for zone, roots in sorted(by_zone.items())
    )
    if len(by_zone) == 1:
        return f"CAST(({at}) AT TIME ZONE {quoted(next(iter(by_zone)))} AS DATE)"
    return f"CASE {cases} END" if cases else "CAST(NULL AS DATE)"


def quoted(text: str) -> str:
    """Return a text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def conditions(export: Export, changed: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Yield conditions that together choose the rows of a table that changed with sealed rows; a row may meet two of them."""
    for table, source, _ in export.changed_by:
        ids = sorted(key for key in changed.get(table, ()) if _HEX.fullmatch(key))
        for start in range(0, len(ids), CHUNK):
            yield f"{source} IN ({', '.join(quoted(key) for key in ids[start : start + CHUNK])})"


@contextmanager
def opened(settings: Mapping[str, Any]) -> Iterator[Source]:
    """Yield a source that reads the database of Django's ``settings`` (one entry of DATABASES) in one read transaction."""
    if "sqlite" in settings["ENGINE"]:
        import adbc_driver_sqlite.dbapi as sqlite

        address = f"file:{quote(str(settings['NAME']))}?mode=ro"
        with sqlite.connect(address, autocommit=True) as connection:
            yield from _begun(connection, "sqlite", ["PRAGMA busy_timeout=30000", "BEGIN"])
        return
    import adbc_driver_postgresql.dbapi as postgresql

    role = settings.get("OPTIONS", {}).get("assume_role")
    begin = [f'SET ROLE "{role}"'] if role else []
    begin.append("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    with postgresql.connect(_address(settings), autocommit=True) as connection:
        yield from _begun(connection, "postgresql", begin)


def _begun(connection: Any, vendor: str, begin: Sequence[str]) -> Iterator[Source]:
    cursor = connection.cursor()
    try:
        for statement in begin:
            cursor.execute(statement)
        yield Source(connection, vendor)
    finally:
        cursor.execute("ROLLBACK")
        cursor.close()


def _address(settings: Mapping[str, Any]) -> str:
    """Return the address of PostgreSQL as the driver takes it."""
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    given = {key: str(settings[name]) for key, name in names.items() if settings.get(name)}
    return "postgresql:///?" + urlencode(given, quote_via=quote)

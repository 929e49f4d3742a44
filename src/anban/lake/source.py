"""Reads declared tables out of the database as a stream of columnar batches, from one state of it.

PostgreSQL streams by ADBC. SQLite is read through Python's own library, the one that the rest of the process uses: a second copy of
SQLite in one process would drop the first one's locks whenever it closes the file (sqlite.org, "How To Corrupt An SQLite
Database File", 2.2.1), and what the web and the worker write would no longer be safe.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

import numpy as np
import orjson

from anban.base.exports import Column, Export

if TYPE_CHECKING:
    import pyarrow as pa

BATCH: Final = 65_536
STREET_PARTS: Final = 3
KEY_BITS: Final = (1 << 60) - 1
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
        statement = f"SELECT body FROM journal_entry WHERE position >= {int(since)} AND position < {int(until)}"
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(statement)
            while bodies := cursor.fetchmany(CHUNK):
                for (body,) in bodies:
                    for name in orjson.loads(body).get("rows", ()):
                        table, _, key = name.partition(":")
                        found.setdefault(table, set()).add(key)
        return found

    @contextmanager
    def batches(self, export: Export, only: str = "") -> Iterator[pa.RecordBatchReader]:
        """Yield a table's rows as a stream of batches; ``only`` is a condition."""
        chosen = ", ".join([f"{export.root} AS root", *(f"{c.source} AS {c.name}" for c in export.columns)])
        where = f" WHERE {only}" if only else ""
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(f"SELECT {chosen} FROM {export.source}{where}")
            yield _columnar(cursor, export) if self.vendor == "sqlite" else _keyed(cursor.fetch_record_batch(), export)

    def read(self, column: Column, zones: Mapping[str, str]) -> str:
        """Return the expression (DuckDB) that makes the lake's column of what the database gave."""
        name = column.name
        plain = f"replace(CAST({name} AS VARCHAR), '-', '')"
        match column.kind:
            case "id":
                return plain
            case "key":
                return f"CAST('0x' || right({plain}, 15) AS BIGINT)" if self.vendor == "sqlite" else name
            case "text":
                return f"COALESCE({name}, '')"
            case "street":
                parts = "".join("([^/]+/)" + ("?" if n else "") for n in range(STREET_PARTS))
                return f"regexp_extract({name}, '^{parts}')"
            case "int":
                return f"CAST({name} AS INTEGER)"
            case "float":
                return f"CAST({name} AS DOUBLE)"
            case "bool":
                return f"CAST({name} AS BOOLEAN)"
            case "date":
                return f"CAST({name} AS DATE)"
            case "instant_day":
                at = f"CAST({name} AS TIMESTAMP) AT TIME ZONE 'UTC'" if self.vendor == "sqlite" else name
                return _day(at, zones)

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(statement)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows


def _columnar(cursor: sqlite3.Cursor, export: Export) -> pa.RecordBatchReader:
    """Return the rows of a cursor as batches with the types that the declaration gives them."""
    import pyarrow as pa

    kinds = {"int": pa.int64(), "bool": pa.int64(), "float": pa.float64()}
    fields = [pa.field(c.name, kinds.get(c.kind, pa.string())) for c in export.columns]
    schema = pa.schema([pa.field("root", pa.string()), *fields])

    def batches() -> Iterator[pa.RecordBatch]:
        while rows := cursor.fetchmany(BATCH):
            columns = zip(*rows, strict=True)
            yield pa.record_batch([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _keyed(given: pa.RecordBatchReader, export: Export) -> pa.RecordBatchReader:
    """Return the batches with UUIDs as keys: an eighth of what it costs the engine, by way of texts."""
    import pyarrow as pa

    wanted = {column.name for column in export.columns if column.kind == "key"}
    schema = pa.schema([pa.field(f.name, pa.int64() if f.name in wanted else f.type) for f in given.schema])

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in given:
            columns = [
                _keys(c) if name in wanted else c for name, c in zip(batch.schema.names, batch.columns, strict=True)
            ]
            yield pa.record_batch(columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _keys(ids: pa.ExtensionArray) -> pa.Array:
    """Return the last 60 bits of UUIDs."""
    import pyarrow as pa

    raw = np.frombuffer(ids.storage.buffers()[1], dtype=">u8")[1::2][ids.offset : ids.offset + len(ids)]
    return pa.array((raw & np.uint64(KEY_BITS)).astype(np.int64), mask=~np.asarray(ids.is_valid()))


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
        address = f"file:{quote(str(settings['NAME']))}?mode=ro"
        # DuckDB pulls the batches from threads of its own, one at a time.
        with closing(
            sqlite3.connect(address, uri=True, timeout=30, isolation_level=None, check_same_thread=False)
        ) as own:
            yield from _begun(own, "sqlite", "BEGIN")
        return
    import adbc_driver_postgresql.dbapi as postgresql

    role = settings.get("OPTIONS", {}).get("assume_role")
    # Joins of whole tables spill to disk below this; one connection, once a night.
    begin = ["SET work_mem = '256MB'", *([f'SET ROLE "{role}"'] if role else [])]
    with postgresql.connect(_address(settings), autocommit=True) as connection:
        yield from _begun(connection, "postgresql", *begin, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")


def _begun(connection: Any, vendor: str, *begin: str) -> Iterator[Source]:
    with closing(connection.cursor()) as cursor:
        for statement in begin:
            cursor.execute(statement)
        try:
            yield Source(connection, vendor)
        finally:
            cursor.execute("ROLLBACK")


def _address(settings: Mapping[str, Any]) -> str:
    """Return the address of PostgreSQL as the driver takes it."""
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    given = {key: str(settings[name]) for key, name in names.items() if settings.get(name)}
    return "postgresql:///?" + urlencode(given, quote_via=quote)

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

import orjson

from anban.base.exports import Export
from anban.lake.columns import fetched, in_lake_form

if TYPE_CHECKING:
    import pyarrow as pa

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

    def state(self) -> str:
        """Return PostgreSQL's name of this state, for another connection."""
        return str(self._rows("SELECT pg_export_snapshot()")[0][0])

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
    def batches(self, export: Export, zones: Mapping[str, str], only: str = "") -> Iterator[pa.RecordBatchReader]:
        """Yield a table's rows in the lake's form, as a stream of batches; ``only`` is a condition."""
        # Two columns of one source (an id and its key) are sent once.
        sources = list(dict.fromkeys([export.root, *(column.source for column in export.columns)]))
        chosen = ", ".join(f"{source} AS c{number}" for number, source in enumerate(sources))
        where = f" WHERE {only}" if only else ""
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(f"SELECT {chosen} FROM {export.source}{where}")
            kinds = {column.source: column.kind for column in export.columns}
            given = (
                fetched(cursor, [kinds.get(source, "text") for source in sources])
                if self.vendor == "sqlite"
                else cursor.fetch_record_batch()
            )
            yield in_lake_form(given, export, sources, zones)

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(statement)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows


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
    with _postgresql(settings) as own:
        yield own


@contextmanager
def alike(settings: Mapping[str, Any], source: Source) -> Iterator[list[Source]]:
    """Yield a source and, where the database can show one state to several connections, a second one that sees the same.

    Two read faster than one: while the server sorts out the rows of one table, the other's are written.
    """
    if source.vendor == "sqlite":
        yield [source]
        return
    with _postgresql(settings, source.state()) as second:
        yield [source, second]


@contextmanager
def _postgresql(settings: Mapping[str, Any], state: str = "") -> Iterator[Source]:
    import adbc_driver_postgresql.dbapi as postgresql

    role = settings.get("OPTIONS", {}).get("assume_role")
    begin = [
        # Joins of whole tables spill to disk below this; two connections, once a night.
        "SET work_mem = '256MB'",
        *([f'SET ROLE "{role}"'] if role else []),
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        *([f"SET TRANSACTION SNAPSHOT {quoted(state)}"] if state else []),
    ]
    with postgresql.connect(_address(settings), autocommit=True) as connection:
        yield from _begun(connection, "postgresql", *begin)


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

"""Reading what the database really holds, value by value and without trust: types included, nothing converted on the way."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final, Protocol, cast
from urllib.parse import quote

import psycopg
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

Row = tuple[Any, ...]
Stored = tuple[int, int, object, object, object]
"""Position, flags, matter, body, hash: of what kind the last three are is the question."""
FETCH: Final = 2000
GOOD: Final = 7
"""The three flags of an entry whose matter and body are texts and whose hash is bytes."""

_names = count()


class Unreadable(ValueError):
    """A stored value is of a kind that its column never holds."""


class Source(Protocol):
    """A database opened for verification."""

    def rows(self, table: str, columns: tuple[str, ...], *, where: str = "", order: str = "") -> Iterator[Row]:
        """Yield rows as stored: on SQLite each value follows its type's name, and texts are bytes."""
        ...

    def entries(self, start: int, end: int) -> Iterator[Stored]:
        """Yield position, flags (7 when of the right kinds), matter, body and hash of a range, in order."""
        ...

    def texts(self, start: int, end: int) -> Generator[tuple[int, str, str, bytes], None, None]:
        """Yield position, matter, body and hash of a range, in order, as the driver reads them; fast, and trusting kinds."""
        ...

    def strays(self, size: int) -> list[str]:
        """Return what entries stand outside the positions from 0 to ``size``, as texts, at most a hundred."""
        ...

    def extent(self) -> tuple[int, int]:
        """Return how many entries are stored and the highest position among them (-1 without any)."""
        ...

    def structure(self, tables: tuple[str, ...]) -> list[str]:
        """Return what the database itself finds broken in its own pages; nothing when all is well. No table means all."""
        ...


@dataclass(frozen=True, slots=True)
class Opening:
    """How another process opens the same database by itself: SQLite's file, or PostgreSQL's parameters."""

    vendor: str
    parameters: Mapping[str, Any]

    def open(self) -> Source:
        """Open a connection that belongs to this process alone."""
        if self.vendor == "sqlite":
            uri = f"file:{quote(str(self.parameters['database']))}?mode=ro"
            raw = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30)
            raw.execute("PRAGMA mmap_size=1073741824")
            return SqliteSource(raw)
        return PostgresSource(psycopg.connect(**self.parameters, autocommit=True))


def opening_of(connection: BaseDatabaseWrapper) -> Opening:
    """Return how to open a connection's database again from another process."""
    parameters = connection.get_connection_params()
    if connection.vendor == "sqlite":
        return Opening("sqlite", {"database": parameters["database"]})
    kept = {name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if parameters.get(name)}
    return Opening("postgresql", kept)


def source_of(connection: BaseDatabaseWrapper) -> Source:
    """Return a source on the connection itself, inside whatever transaction it is in."""
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        return SqliteSource(connection.connection)
    return PostgresSource(connection.connection)


class SqliteSource:
    """SQLite keeps any kind of value in any column: each is read with its kind, texts as their bytes."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    def _run(self, statement: str) -> Iterator[Row]:
        cursor = self._raw.cursor()
        factory = self._raw.text_factory
        try:
            # The factory is asked at each fetch, and the connection may be shared with the rest of the house.
            self._raw.text_factory = bytes
            cursor.execute(statement)
            while True:
                self._raw.text_factory = bytes
                batch = cursor.fetchmany(FETCH)
                self._raw.text_factory = factory
                if not batch:
                    return
                yield from batch
        finally:
            self._raw.text_factory = factory
            cursor.close()

    def rows(self, table: str, columns: tuple[str, ...], *, where: str = "", order: str = "") -> Iterator[Row]:
        """Yield type and value of each column; the sign before a name keeps declared converters out of the way."""
        wanted = ", ".join(f'typeof("{name}"), +"{name}"' for name in columns)
        return self._run(_select(wanted, table, where, order))

    def entries(self, start: int, end: int) -> Iterator[Stored]:
        """Yield a range of entries."""
        flags = "(typeof(matter) = 'text') + 2 * (typeof(body) = 'text') + 4 * (typeof(hash) = 'blob')"
        where = f"position >= {int(start)} AND position < {int(end)}"
        wanted = f"+position, {flags}, +matter, +body, +hash"
        return cast("Iterator[Stored]", self._run(_select(wanted, "journal_entry", where, "position")))

    def texts(self, start: int, end: int) -> Generator[tuple[int, str, str, bytes], None, None]:
        """Yield a range of entries, texts decoded: what is no text comes as bytes, and what is no UTF-8 raises."""
        cursor = self._raw.cursor()
        where = f"position >= {int(start)} AND position < {int(end)}"
        try:
            yield from cursor.execute(_select("+position, +matter, +body, +hash", "journal_entry", where, "position"))
        finally:
            cursor.close()

    def strays(self, size: int) -> list[str]:
        """Return positions that are no whole number or lie outside."""
        where = f"typeof(position) <> 'integer' OR position < 0 OR position >= {int(size)}"
        wanted = "typeof(position), quote(position)"
        found = self._run(_select(wanted, "journal_entry", where, "") + " LIMIT 100")
        return [f"{_text(kind)} {_text(value)}" for kind, value in found]

    def extent(self) -> tuple[int, int]:
        """Return count and highest position."""
        wanted = "count(*), coalesce(max(CASE WHEN typeof(position) = 'integer' THEN position END), -1)"
        ((stored, last),) = self._run(_select(wanted, "journal_entry", "", ""))
        return stored, last

    def structure(self, tables: tuple[str, ...]) -> list[str]:
        """Return what SQLite's own check of pages and indexes finds."""
        checks = [f"PRAGMA integrity_check('{table}')" for table in tables] or ["PRAGMA integrity_check"]
        lines = [_text(row[0]) for statement in checks for row in self._run(statement)]
        return [line for line in lines if line != "ok"]


class PostgresSource:
    """PostgreSQL keeps the kinds of its columns; large results are read through a cursor of the server's."""

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        self._raw = raw

    def _run(self, statement: str) -> Iterator[Row]:
        with self._raw.transaction(), psycopg.ServerCursor(self._raw, f"anban_verify_{next(_names)}") as cursor:
            cursor.itersize = FETCH
            cursor.execute(statement, binary=True)
            yield from cursor

    def rows(self, table: str, columns: tuple[str, ...], *, where: str = "", order: str = "") -> Iterator[Row]:
        """Yield the values of each column."""
        return self._run(_select(", ".join(f'"{name}"' for name in columns), table, where, order))

    def entries(self, start: int, end: int) -> Iterator[Stored]:
        """Yield a range of entries."""
        wanted = f"position, {GOOD}, convert_to(matter, 'UTF8'), convert_to(body, 'UTF8'), hash"
        where = f"position >= {int(start)} AND position < {int(end)}"
        return cast("Iterator[Stored]", self._run(_select(wanted, "journal_entry", where, "position")))

    def texts(self, start: int, end: int) -> Generator[tuple[int, str, str, bytes], None, None]:
        """Yield a range of entries."""
        where = f"position >= {int(start)} AND position < {int(end)}"
        with psycopg.Cursor(self._raw) as cursor:
            cursor.execute(_select("position, matter, body, hash", "journal_entry", where, "position"), binary=True)
            yield from cursor

    def strays(self, size: int) -> list[str]:
        """Return positions that lie outside."""
        where = f"position < 0 OR position >= {int(size)}"
        return [str(row[0]) for row in self._run(_select("position", "journal_entry", where, "") + " LIMIT 100")]

    def extent(self) -> tuple[int, int]:
        """Return count and highest position."""
        ((stored, last),) = self._run(_select("count(*), coalesce(max(position), -1)", "journal_entry", "", ""))
        return stored, last

    def structure(self, tables: tuple[str, ...]) -> list[str]:
        """Return nothing: PostgreSQL checks the sums of its pages when it reads them, and says so by an error."""
        del tables
        return []


def reader_of(vendor: str, model: type[models.Model], names: tuple[str, ...]) -> Callable[[Row], list[Any]]:
    """Return a function from a stored row to the values of the named columns.

    It raises Unreadable for a value that its column never holds, naming the column.
    """
    if vendor != "sqlite":
        return list
    fields = {f.attname: f for f in model._meta.concrete_fields}
    readers = [(name, _KINDS[_kind(fields[name])]) for name in names]

    def read(row: Row) -> list[Any]:
        values: list[Any] = []
        pairs = iter(row)
        for (name, reader), kind, value in zip(readers, pairs, pairs, strict=False):
            if value is None:
                values.append(None)
                continue
            try:
                values.append(reader(kind, value))
            except ValueError as error:
                raise Unreadable(f"{name}: {_text(kind)} {_shown(value)}") from error
        return values

    return read


def columns_of(model: type[models.Model], names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the database's names of columns given by attribute name."""
    fields = {f.attname: f for f in model._meta.concrete_fields}
    return tuple(str(fields[name].column) for name in names)


def text_of(kind: object, value: object) -> str:
    """Return a stored text. Raises: ValueError when it is none, or not UTF-8."""
    if kind != b"text" or not isinstance(value, bytes):
        raise ValueError("not a text")
    return value.decode("utf-8")


def _select(wanted: str, table: str, where: str, order: str) -> str:
    statement = f'SELECT {wanted} FROM "{table}"'  # noqa: S608 - names of our own tables and columns, and whole numbers
    statement += f" WHERE {where}" if where else ""
    return statement + (f" ORDER BY {order}" if order else "")


def _shown(value: object) -> str:
    return repr(value[:40] if isinstance(value, bytes) else value)


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


_HEX32 = re.compile(rb"[0-9a-f]{32}")
_DAY = re.compile(rb"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?")


def _uuid(kind: bytes, value: Any) -> str:
    if kind != b"text" or not _HEX32.fullmatch(value):
        raise ValueError("not an id")
    return str(value, "ascii")


def _day(kind: bytes, value: Any) -> str:
    if kind != b"text" or not _DAY.fullmatch(value):
        raise ValueError("not a day")
    return datetime.strptime(value.decode(), "%Y-%m-%d").replace(tzinfo=UTC).date().isoformat()


def _instant(kind: bytes, value: Any) -> str:
    if kind != b"text" or not _INSTANT.fullmatch(value):
        raise ValueError("not an instant")
    return datetime.fromisoformat(value.decode()).isoformat(timespec="microseconds") + "+00:00"


def _whole(kind: bytes, value: Any) -> int:
    if kind != b"integer":
        raise ValueError("not a whole number")
    return int(value)


def _truth(kind: bytes, value: Any) -> bool:
    if kind != b"integer" or value not in (0, 1):
        raise ValueError("not a truth value")
    return bool(value)


def _float(kind: bytes, value: Any) -> float:
    if kind != b"real":
        raise ValueError("not a float")
    return float(value)


_KINDS: Final[dict[str, Callable[[bytes, Any], Any]]] = {
    "text": text_of,
    "uuid": _uuid,
    "day": _day,
    "instant": _instant,
    "whole": _whole,
    "truth": _truth,
    "float": _float,
}


def _kind(field: models.Field[Any, Any]) -> str:
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    for kind, types in (
        ("uuid", (models.UUIDField,)),
        ("instant", (models.DateTimeField,)),
        ("day", (models.DateField,)),
        ("truth", (models.BooleanField,)),
        ("float", (models.FloatField,)),
        ("whole", (models.IntegerField,)),
        ("text", (models.CharField, models.TextField)),
    ):
        if isinstance(field, types):
            return kind
    message = f"no way to read a stored {type(field).__name__}"
    raise TypeError(message)

"""Faults planted behind the journal's back, and the harness that flips every byte and counts what verification misses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection, transaction

from anban.base.journal import guards
from anban.base.journal.verification import verify

CELLS = {
    "journal_entry": ("position", "matter", "body", "hash"),
    "journal_head": ("id", "size", "hash", "frontier"),
    "journal_tile": ("id", "level", "index", "hash"),
    "journal_words": ("id", "matter", "kind", "text", "salt", "written_at", "erased_at"),
}
KEYS = {"journal_entry": "position", "journal_head": "id", "journal_tile": "id", "journal_words": "id"}


@dataclass
class Tally:
    """How many bytes were flipped, how many the database itself refused, and which flips went unseen."""

    flipped: int = 0
    refused: int = 0
    missed: list[str] = field(default_factory=list)


@contextmanager
def unguarded() -> Iterator[None]:
    """Take the guards away, as the owner of the database can, and put them back."""
    guards.remove(connection)
    try:
        yield
    finally:
        guards.install(connection)


def run(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Run one statement past the house."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return list(cursor.fetchall()) if cursor.description else []


def codes(**options: Any) -> set[str]:
    """Return the codes that a verification finds now."""
    return {finding.code for finding in verify(**options).findings}


def flip_everything(step: int = 1, tables: tuple[str, ...] = tuple(CELLS)) -> Tally:
    """Flip one bit of every ``step``-th byte of every stored value in turn, verify, and put it back."""
    tally = Tally()
    with unguarded():
        for table in tables:
            for column in CELLS[table]:
                for row in range(run(f"SELECT count(*) FROM {table}")[0][0]):
                    _flip_cell(tally, table, column, row, step)
    return tally


def _flip_cell(tally: Tally, table: str, column: str, row: int, step: int) -> None:
    key = KEYS[table]
    wanted = (
        f'typeof("{column}"), "{column}"'
        if connection.vendor == "sqlite"
        else f'pg_typeof("{column}")::text, "{column}"'
    )
    raw = f'CAST("{column}" AS BLOB)' if connection.vendor == "sqlite" else "NULL"
    ((identity, kind, value, as_bytes),) = run(
        f"SELECT {key}, {wanted}, {raw} FROM {table} ORDER BY {key} LIMIT 1 OFFSET {row}"
    )
    if value is None:
        return
    for place, (flipped, mark) in enumerate(_flips(kind, value, as_bytes)):
        if place % step:
            continue
        now_known_as = flipped if column == key else identity
        try:
            with transaction.atomic():
                run(f'UPDATE {table} SET "{column}" = {mark} WHERE {key} = %s', flipped, identity)
        except (DatabaseError, ValueError, OverflowError):
            tally.refused += 1
            continue
        tally.flipped += 1
        if verify(journal_only=True).ok:
            tally.missed.append(f"{table}.{column} of {identity}, byte {place}")
        run(f'UPDATE {table} SET "{column}" = {_mark_of(kind)} WHERE {key} = {_mark_of(kind) if column == key else "%s"}',
            as_bytes if kind == "text" and connection.vendor == "sqlite" else value, now_known_as)  # fmt: skip


def _mark_of(kind: str) -> str:
    return "CAST(%s AS TEXT)" if kind == "text" and connection.vendor == "sqlite" else "%s"


def _flips(kind: str, value: Any, as_bytes: bytes | None) -> Iterator[tuple[Any, str]]:
    mark = _mark_of(kind)
    if isinstance(value, bool | datetime):
        yield value + timedelta(microseconds=1), mark
    elif isinstance(value, int):
        data = value.to_bytes(8, "big", signed=True)
        for number in range(8):
            yield int.from_bytes(_with_flip(data, number), "big", signed=True), mark
    elif isinstance(value, UUID):
        for number in range(16):
            yield UUID(bytes=_with_flip(value.bytes, number)), mark
    elif connection.vendor == "sqlite":
        data = bytes(as_bytes or b"")
        for number in range(len(data)):
            yield _with_flip(data, number), mark
    elif isinstance(value, str):
        data = value.encode()
        for number in range(len(data)):
            flipped = bytearray(data)
            flipped[number] ^= 1
            try:
                yield flipped.decode(), mark
            except UnicodeDecodeError:
                continue  # this database keeps no such text
    else:
        for number in range(len(bytes(value))):
            yield _with_flip(bytes(value), number), mark


def _with_flip(data: bytes, number: int) -> bytes:
    flipped = bytearray(data)
    flipped[number] ^= 1 << (number % 8)
    return bytes(flipped)

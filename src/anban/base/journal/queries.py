"""Reads of the journal: timelines, the head, proofs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction

from anban.base.journal.models import Entry, Head, Words


@dataclass(frozen=True, slots=True)
class Line:
    """One entry on a matter's timeline; ``words`` are what persons wrote, as far as it has not been erased."""

    position: int
    at: datetime
    recorded_at: datetime
    actor: str
    verb: str
    subject: str
    data: Mapping[str, Any]
    words: Mapping[str, str]


def timeline(matter: tuple[str, UUID], limit: int = 500) -> list[Line]:
    """Return a matter's entries in order; its scope is the matter's, which the caller has checked. Two queries."""
    reference = f"{matter[0]}:{matter[1].hex}"
    rows = Entry.objects.filter(matter=reference).order_by("position").values_list("position", "body")[:limit]
    bodies = [(position, orjson.loads(body)) for position, body in rows]
    kept = dict(Words.objects.filter(matter=reference).values_list("pk", "text"))
    return [
        Line(
            position=position,
            at=datetime.fromisoformat(body["at"]),
            recorded_at=datetime.fromisoformat(body["recorded_at"]),
            actor=body["actor"],
            verb=body["verb"],
            subject=body["subject"],
            data={k: v for k, v in body["data"].items() if k != "words"},
            words={name: kept.get(UUID(ref["id"]), "") for name, ref in body["data"].get("words", {}).items()},
        )
        for position, body in bodies
    ]


def last_actor(matter: tuple[str, UUID]) -> str:
    """Return the opaque reference of whoever wrote a matter's last entry."""
    row = (
        Entry.objects.filter(matter=f"{matter[0]}:{matter[1].hex}").order_by("-position").values_list("body", flat=True)
    ).first()
    return str(orjson.loads(row)["actor"]) if row else ""


def size() -> int:
    """Return how many entries the journal has."""
    return Head.objects.filter(pk=1).values_list("size", flat=True).first() or 0


def latest(matter: str) -> int | None:
    """Return the position of the last entry of a matter (``kind:id``), or None when it has none."""
    return Entry.objects.filter(matter=matter).order_by("-position").values_list("position", flat=True).first()


def _open_by_hand() -> bool:
    """Whether a snapshot is held already: Django doesn't know of one that was begun by hand."""
    return connection.connection is not None and bool(connection.connection.in_transaction)


@contextmanager
def snapshot() -> Iterator[None]:
    """Hold one state of the whole database for reading, while others go on writing; inside a transaction, that one's.

    On SQLite it takes no lock that a writer would wait for. On PostgreSQL it is repeatable read.
    """
    if connection.in_atomic_block or (connection.vendor == "sqlite" and _open_by_hand()):
        yield
        return
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                # The state is fixed by the first read, not by the beginning.
                cursor.execute("SELECT count(*) FROM journal_head")
                cursor.fetchall()
                yield
            finally:
                cursor.execute("ROLLBACK")
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield

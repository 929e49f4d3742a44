"""The only way to change a ledger: a unit of work whose entries are written last, under one lock, in the same transaction."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Protocol
from uuid import UUID

from django.db import connection, models, transaction

from anban.base.journal.births import Births, add, open_births
from anban.base.journal.digests import row_digest, row_name, tile_id
from anban.base.journal.models import Cursor, Entry, Head, Tile, Words
from anban.kit.canonical import canonical_bytes
from anban.kit.clock import now
from anban.kit.ids import new_id
from anban.kit.merkle import Frontier, leaf_hash

GENESIS = bytes(32)
INSERT_CHUNK = 200


class Acting(Protocol):
    """What the journal needs to know of an actor."""

    @property
    def reference(self) -> str: ...
    @property
    def root(self) -> str: ...
    @property
    def channel(self) -> str: ...


class JournalMisuse(RuntimeError):
    """A change was recorded outside a unit of work, or a unit wrote nothing down."""


@dataclass(slots=True)
class Draft:
    """An entry before it has its position."""

    verb: str
    actor: str
    root: str
    channel: str
    at: datetime
    subject: str
    matter: str
    data: Mapping[str, Any]
    rows: dict[str, str]


@dataclass(slots=True)
class Unit:
    """The entries collected by one outermost unit of work, in the order they were recorded."""

    drafts: list[Draft] = field(default_factory=list)


_current: ContextVar[Unit | None] = ContextVar("journal_unit", default=None)


@contextmanager
def unit(*, savepoint: bool = True, lives: bool = False) -> Iterator[Unit]:
    """Open a transaction whose journal entries are written at its end; inside another unit, open a savepoint of it.

    A refusal raised inside an inner unit takes back that unit's rows and entries only. ``savepoint=False`` is for small
    parts of other operations that refuse nothing once they have begun to write: inside another unit they are simply of it.
    ``lives=True`` is for an outermost unit that tells many whole lives: rows born in it are written as sets (``births``).
    """
    outer = _current.get()
    if outer is not None and not savepoint:
        yield outer
        return
    if outer is not None:
        mark, births = len(outer.drafts), open_births.get()
        there = births.mark() if births is not None else None
        try:
            with transaction.atomic():
                yield outer
        except BaseException:
            del outer.drafts[mark:]
            if births is not None and there is not None:
                births.back_to(there)
            raise
        return
    with transaction.atomic():
        fresh = Unit()
        births = Births() if lives else None
        token, told = _current.set(fresh), open_births.set(births)
        try:
            yield fresh
            if births is not None:
                births.write()
            _append(fresh.drafts)
        finally:
            open_births.reset(told)
            _current.reset(token)


def record(
    verb: str,
    *,
    actor: Acting,
    at: datetime,
    subject: tuple[str, UUID | str],
    matter: tuple[str, UUID | str] | None = None,
    data: Mapping[str, Any] | None = None,
    words: Mapping[str, str] | None = None,
    wrote: Sequence[models.Model] = (),
    removed: Sequence[models.Model] = (),
) -> None:
    """Note a change in the current unit of work.

    ``verb`` is ``subject.past_participle``; ``matter`` is the root subject on whose timeline it appears (default: ``subject``).
    ``data`` holds codes, dates, numbers and opaque ids only. ``words`` (name -> what a person wrote) goes to erasable rows;
    the entry keeps a salted commitment. ``wrote`` lists the rows as saved: those of sealed models are digested into the entry.

    Raises: JournalMisuse outside a unit of work.
    """
    current = _current.get()
    if current is None:
        message = f"{verb}: record() needs an open unit of work"
        raise JournalMisuse(message)
    matter_text = _reference(matter or subject)
    facts = dict(data or {})
    if words:
        kept = {name: _keep_words(name, text, matter_text, at) for name, text in words.items() if text}
        if kept:
            facts["words"] = kept
    rows = {row_name(row): row_digest(row) for row in wrote if getattr(row, "sealed", False)}
    rows.update({row_name(row): "" for row in removed if getattr(row, "sealed", False)})
    current.drafts.append(
        Draft(verb, actor.reference, actor.root, actor.channel, at, _reference(subject), matter_text, facts, rows)
    )


def record_many(drafts: Iterable[Draft]) -> None:
    """Note many prepared entries at once, for set-based imports whose rows were digested beforehand."""
    current = _current.get()
    if current is None:
        message = "record_many() needs an open unit of work"
        raise JournalMisuse(message)
    current.drafts.extend(drafts)


def commitment(text: str, salt: str) -> str:
    """Return the salted SHA-256 that an entry keeps of erasable words."""
    return sha256(f"{salt}\n{text}".encode()).hexdigest()


def erase_words(words_id: UUID, *, actor: Acting, at: datetime, reason: str) -> None:
    """Erase what a person wrote, with its salt; the erasure is an entry and every proof still verifies.

    Source: 个人信息保护法 第47条.
    """
    with unit():
        words = Words.objects.select_for_update().get(pk=words_id)
        words.text, words.salt, words.erased_at = "", "", at
        words.save(update_fields=["text", "salt", "erased_at"])
        record(
            "words.erased",
            actor=actor,
            at=at,
            subject=("words", words.pk),
            matter=_split(words.matter),
            data={"reason": reason},
        )


def advance(name: str, position: int, *, actor: Acting, at: datetime) -> None:
    """Remember that the reader ``name`` has handled the journal up to ``position``.

    This is the one write that records no entry: a cursor is the reader's own place, not a fact of the city.
    """
    del actor, at
    Cursor.objects.update_or_create(name=name, defaults={"position": position})


def _keep_words(kind: str, text: str, matter: str, at: datetime) -> dict[str, str]:
    salt = secrets.token_hex(16)
    words = add(Words(id=new_id(), matter=matter, kind=kind, text=text, salt=salt, written_at=at))
    return {"id": str(words.pk), "commitment": commitment(text, salt)}


def _reference(subject: tuple[str, UUID | str]) -> str:
    return f"{subject[0]}:{_compact(subject[1])}"


def _compact(identity: UUID | str) -> str:
    return identity.hex if isinstance(identity, UUID) else str(identity)


def _split(reference: str) -> tuple[str, str]:
    kind, _, identity = reference.partition(":")
    return kind, identity


def _append(drafts: Sequence[Draft]) -> None:
    """Give the drafts their positions under the head's lock and write them; the lock is held until the commit."""
    if not drafts:
        return
    recorded_at = _instant(now())
    head = Head.objects.select_for_update().filter(pk=1).first()
    if head is None:
        head = Head(id=1, size=0, hash=GENESIS, frontier=Frontier().to_bytes())
    frontier = Frontier.from_bytes(bytes(head.frontier))
    chain = bytes(head.hash)
    position = head.size
    entries: list[tuple[int, str, str, bytes]] = []
    tiles: list[Tile] = []
    for draft in drafts:
        body = canonical_bytes(
            {
                "v": 1,
                "position": position,
                "recorded_at": recorded_at,
                "at": _instant(draft.at),
                "actor": draft.actor,
                "channel": draft.channel,
                "root": draft.root,
                "verb": draft.verb,
                "subject": draft.subject,
                "matter": draft.matter,
                "data": draft.data,
                "rows": draft.rows,
            }
        )
        leaf = leaf_hash(body)
        chain = sha256(chain + leaf).digest()
        entries.append((position, draft.matter, body.decode(), chain))
        for level, index, value in frontier.append(leaf):
            tiles.append(Tile(id=tile_id(level // 8, index), level=level // 8, index=index, hash=value))
        position += 1
    _insert_entries(entries)
    if tiles:
        Tile.objects.bulk_create(tiles)
    head.size, head.hash, head.frontier = position, chain, frontier.to_bytes()
    head.save()


def _insert_entries(entries: Sequence[tuple[int, str, str, bytes]]) -> None:
    """Insert the rows by the driver: a third of the cost of the ORM on the busiest table of the house."""
    table = Entry._meta.db_table
    statement = f"INSERT INTO {table} (position, matter, body, hash) VALUES (%s, %s, %s, %s)"  # noqa: S608 - a constant
    with connection.cursor() as cursor:
        cursor.executemany(statement, entries)


def _instant(at: datetime) -> str:
    if at.tzinfo is None:
        message = "an instant in the journal needs a time zone"
        raise ValueError(message)
    return at.astimezone(UTC).isoformat(timespec="microseconds")

"""The proof of the journal: every entry, hash and tile recomputed, and every ledger row held against its last entry."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sqlite3
import struct
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson
import psycopg
from django.db import DatabaseError, connection, models

from anban.base.journal.digests import columns_digest, digested_columns, sealed_models, tile_id
from anban.base.journal.models import Words
from anban.base.journal.operations import GENESIS, commitment
from anban.base.journal.queries import snapshot
from anban.base.journal.stored import (
    GOOD,
    Opening,
    Row,
    Source,
    Stored,
    Unreadable,
    columns_of,
    opening_of,
    reader_of,
    source_of,
    text_of,
)
from anban.kit.canonical import NotCanonical, canonical_bytes
from anban.kit.merkle import HASH_BYTES, Frontier
from anban.kit.signed_notes import Checkpoint

KEYS: Final = (
    "actor", "at", "channel", "data", "matter", "position", "recorded_at", "root", "rows", "subject", "v", "verb",
)  # fmt: skip
RANGE: Final = 65_536
"""Entries that one process takes at a time; a whole number of tiles of the second level."""
PARALLEL_FROM: Final = 200_000
BUCKETS: Final = 64
SHOWN: Final = 1000
JOURNAL_TABLES: Final = ("journal_entry", "journal_head", "journal_tile", "journal_words")
BROKEN: Final = (DatabaseError, sqlite3.Error, psycopg.Error)

_RECORD: Final = struct.Struct(">B16sQ16s")
_PROMISE: Final = struct.Struct(">16sQ16s16s")
_KEPT, _ERASED, _HALF_ERASED = 0, 1, 2
_REMOVED: Final = bytes(16)
_NEVER: Final = 2**64 - 1
_PAD: Final = bytes(HASH_BYTES)
_HEX: Final = frozenset("0123456789abcdef")

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "database.broken": ("数据库文件损坏：{detail}", "the database itself is damaged: {detail}"),
    "entry.missing": ("第 {position} 条记录缺失", "entry {position} is missing"),
    "entry.stray": ("存在位置不应有的记录（{detail}）", "an entry stands where none should ({detail})"),
    "entry.undecodable": ("第 {position} 条记录无法解读：{detail}", "entry {position} cannot be read: {detail}"),
    "entry.altered": ("第 {position} 条记录与其哈希链不符", "entry {position} does not fit its chain hash"),
    "entry.form": ("第 {position} 条记录的格式不规范：{detail}", "entry {position} has not the sealed form: {detail}"),
    "entry.column": ("第 {position} 条记录的 {detail} 列与内容不符", "entry {position}: the column {detail} contradicts the text"),
    "head.missing": ("日志头缺失或多余：{detail}", "the journal's head is missing or doubled: {detail}"),
    "head.altered": ("日志头被改动：{detail}", "the journal's head was altered: {detail}"),
    "tile.altered": ("子树 {detail} 被改动", "tile {detail} was altered"),
    "tile.missing": ("子树 {detail} 缺失", "tile {detail} is missing"),
    "tile.stray": ("多出子树 {detail}", "tile {detail} should not be there"),
    "words.altered": ("第 {position} 条记录的文字被改动：{detail}", "the words of entry {position} were altered: {detail}"),
    "words.missing": ("第 {position} 条记录的文字缺失：{detail}", "the words of entry {position} are missing: {detail}"),
    "words.undecodable": ("有一行文字无法解读：{detail}", "a row of words cannot be read: {detail}"),
    "words.stray": ("文字 {detail} 不属于任何记录", "the words {detail} belong to no entry"),
    "row.changed": ("{table} {number}（{id}）在系统之外被改动，上一次记录为第 {position} 条", "{table} {number} ({id}) was changed outside operations; entry {position} was the last to write it"),
    "row.removed": ("{table} {number}（{id}）在系统之外被删除，上一次记录为第 {position} 条", "{table} {number} ({id}) was removed outside operations; entry {position} was the last to write it"),
    "row.added": ("{table} {number}（{id}）在系统之外被加入", "{table} {number} ({id}) was added outside operations"),
    "row.undecodable": ("{table} 有一行无法解读：{detail}", "a row of {table} cannot be read: {detail}"),
    "head.fork": ("与保存的日志头分叉：前 {detail} 条已被改写", "this is a fork of the saved head: the first {detail} entries were rewritten"),
    "head.truncated": ("日志被截断：保存的日志头有 {detail} 条", "the journal was cut: the saved head had {detail} entries"),
    "head.foreign": ("保存的日志头不是用本机密钥签的：{detail}", "the saved head was not signed with the expected key: {detail}"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written: what, where, and of a ledger row its table, id and number."""

    code: str
    position: int | None = None
    table: str = ""
    row_id: str = ""
    number: str = ""
    detail: str = ""

    def _say(self, language: int) -> str:
        return _TEXTS[self.code][language].format(
            position="?" if self.position is None else self.position,
            table=self.table, id=self.row_id, number=self.number, detail=self.detail,
        ).replace("  ", " ")  # fmt: skip

    @property
    def zh(self) -> str:
        """The finding in Chinese."""
        return self._say(0)

    @property
    def en(self) -> str:
        """The finding in English."""
        return self._say(1)


@dataclass(slots=True)
class Report:
    """What a verification looked at and what it found; the root is over what is stored now."""

    entries: int = 0
    root: str = ""
    rows: int = 0
    words: int = 0
    journal_only: bool = False
    seconds: float = 0.0
    chain_seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    more: int = 0

    @property
    def ok(self) -> bool:
        """Whether everything is as it was written."""
        return not self.findings

    def add(self, finding: Finding) -> None:
        """Keep a finding; beyond a thousand they are only counted."""
        if len(self.findings) < SHOWN:
            self.findings.append(finding)
        else:
            self.more += 1

    def extend(self, findings: Iterable[Finding]) -> None:
        """Keep several findings."""
        for finding in findings:
            self.add(finding)


Progress = Callable[[int, int], None]


def verify(
    *,
    journal_only: bool = False,
    against: Checkpoint | None = None,
    progress: Progress | None = None,
    processes: int | None = None,
) -> Report:
    """Recompute the whole journal and compare it with what is stored, and the ledger rows with their last entries.

    ``against`` is an earlier head (its signature is the caller's to check): a fork or a cut is found. ``processes`` is how
    many work on ranges of entries at once (default: one below 200,000 entries or inside a transaction, else every core).
    Nothing in the database can make it raise: what cannot be read is a finding.
    """
    began = time.monotonic()
    report = Report(journal_only=journal_only)
    try:
        with snapshot(), tempfile.TemporaryDirectory(prefix="anban-verify-") as folder:
            _verify(report, Path(folder), against, progress, processes)
    except BROKEN as error:
        report.add(Finding("database.broken", detail=_line(error)))
    report.seconds = time.monotonic() - began
    return report


def _verify(
    report: Report, folder: Path, against: Checkpoint | None, progress: Progress | None, processes: int | None
) -> None:
    source = source_of(connection)
    try:
        head = _read_head(report, source)
        size = _extent(report, source, head)
    except BROKEN:
        _note_structure(report, _structure(source, report.journal_only))
        raise
    tables = [] if report.journal_only else list(sealed_models())
    names = {model._meta.db_table: index for index, model in enumerate(tables)}
    job = _Job(
        folder=folder, tables=names, size=size, rows=not report.journal_only,
        split=against.size if against is not None and against.size <= size else None,
    )  # fmt: skip
    began = time.monotonic()
    tree = _Tree()
    done = 0
    with _Workers(source, job, _processes(processes, size)) as workers:
        if not report.journal_only:
            _write_rows(report, source, tables, folder)
        _note_structure(report, workers.structure())
        for result in workers.results():
            report.extend(result.findings)
            report.more += result.more
            tree.add(result)
            done += result.entries
            if progress:
                progress(done, size)
    report.chain_seconds = time.monotonic() - began
    report.entries = done
    report.root = tree.root.hex()
    for stray in source.strays(size):
        report.add(Finding("entry.stray", detail=stray))
    if head:
        _check_head(report, head, tree)
    _check_tiles(report, source, tree)
    _check_words(report, source, folder, job.starts(), tree.erased)
    if not report.journal_only:
        _compare_rows(report, source, tables, folder, job.starts())
    if against is not None:
        _check_against(report, against, size, tree)


def _structure(source: Source, journal_only: bool) -> list[str]:
    """Return what the database itself finds broken, or how it fails at looking."""
    try:
        return source.structure(JOURNAL_TABLES if journal_only else ())
    except BROKEN as error:
        return [_line(error)]


def _note_structure(report: Report, lines: Iterable[str]) -> None:
    report.extend(Finding("database.broken", detail=line) for line in lines)


# The head


@dataclass(frozen=True, slots=True)
class _Head:
    size: int
    hash: bytes
    frontier: bytes


def _read_head(report: Report, source: Source) -> _Head | None:
    rows = [_typed(row) for row in source.rows("journal_head", ("id", "size", "hash", "frontier"))]
    if not rows:
        if source.extent() != (0, -1):
            report.add(Finding("head.missing", detail="0"))
        return None
    if len(rows) > 1:
        report.add(Finding("head.missing", detail=str(len(rows))))
    (id_kind, identity), (size_kind, size), (hash_kind, value), (frontier_kind, frontier) = rows[0]
    if (id_kind, size_kind, hash_kind, frontier_kind) != ("integer", "integer", "blob", "blob") or size < 0:
        report.add(Finding("head.altered", detail="a value of another kind"))
        return None
    if identity != 1:
        report.add(Finding("head.altered", detail="id"))
    return _Head(size, bytes(value), bytes(frontier))


def _check_head(report: Report, head: _Head, tree: _Tree) -> None:
    if head.hash != tree.chain:
        report.add(Finding("head.altered", detail="hash"))
    if head.frontier != tree.frontier_bytes():
        report.add(Finding("head.altered", detail="frontier"))


def _extent(report: Report, source: Source, head: _Head | None) -> int:
    """How many positions to go through: what the head says, unless there are not so many entries."""
    stored, last = source.extent()
    size = last + 1
    if head is not None and head.size < size:
        size = head.size
    elif head is not None and head.size > size:
        report.add(Finding("entry.missing", size))
        report.add(Finding("head.altered", detail=f"size {head.size}"))
    # A position or a size altered to something huge must not send us through positions that nobody ever gave.
    return min(size, stored + RANGE)


def _check_against(report: Report, against: Checkpoint, size: int, tree: _Tree) -> None:
    if against.size > size:
        report.add(Finding("head.truncated", detail=str(against.size)))
    elif tree.root_at_split(against.size) != against.root:
        report.add(Finding("head.fork", detail=str(against.size)))


# Ranges of entries


@dataclass(frozen=True, slots=True)
class _Job:
    folder: Path
    tables: dict[str, int]
    size: int
    rows: bool
    split: int | None

    def starts(self) -> range:
        return range(0, self.size, RANGE)


@dataclass(slots=True)
class _Result:
    start: int
    entries: int = 0
    chain: bytes = GENESIS
    tiles: list[bytes] = field(default_factory=list)
    rest: list[bytes] = field(default_factory=list)
    # Leaves of the tile in which a saved head ends, up to that end.
    split: list[bytes] = field(default_factory=list)
    erased: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    more: int = 0

    def add(self, finding: Finding) -> None:
        if len(self.findings) < SHOWN:
            self.findings.append(finding)
        else:
            self.more += 1


def _check_range(source: Source, job: _Job, start: int) -> _Result:
    """Check the entries of one range: kinds, columns, leaf and chain, form; give the hashes of its tiles."""
    result = _Result(start)
    walk = _Walk(job, result, min(start + RANGE, job.size), _hash_before(source, start))
    if not _walk_fast(source, walk):
        _walk_carefully(source, walk)
    result.chain = walk.chain
    _fold(result, walk.leaves, job.split)
    if job.rows:
        _write(job.folder / f"said-{start}", walk.records)
    _write(job.folder / f"promised-{start}", walk.promises)
    return result


class _Walk:
    """How far a walk through one range has come."""

    def __init__(self, job: _Job, result: _Result, end: int, chain: bytes) -> None:
        self.job = job
        self.result = result
        self.expected = result.start
        self.end = end
        self.chain = chain
        self.leaves: list[bytes] = []
        self.records = _buckets()
        self.promises = _buckets()


def _walk_fast(source: Source, walk: _Walk) -> bool:
    """Go through entries as long as each is readable, in its place and under its chain hash; tell whether that was to the end.

    A key in JSON is the only place where its quoted name stands before a colon with no backslash between. So an entry that
    names a position once, beside the matter, is known to agree with both columns without being parsed.
    """
    everything = walk.job.rows
    expected, chain, leaves = walk.expected, walk.chain, walk.leaves
    result = walk.result
    entries = source.texts(expected, walk.end)
    try:
        for position, matter, body, stored in entries:
            if position != expected or type(body) is not str or type(matter) is not str:
                break
            encoded = body.encode()
            leaf = sha256(b"\x00" + encoded).digest()
            link = sha256(chain + leaf).digest()
            if link != stored:
                break
            if everything or (
                len(parts := body.split('"position":')) != 2
                or not parts[0].endswith(f',"matter":"{matter}",')
                or not parts[1].startswith(f'{position},"recorded_at":"')
                or '"words":{' in body
                or body.endswith('"verb":"words.erased"}')
            ):
                _examine(walk, position, matter.encode(), encoded)
            chain = link
            leaves.append(leaf)
            expected += 1
    except BROKEN:
        pass  # not to be decoded, or not to be read at all: the careful walk finds out which
    finally:
        entries.close()
    result.entries += expected - walk.expected
    walk.expected, walk.chain = expected, chain
    return expected == walk.end


def _walk_carefully(source: Source, walk: _Walk) -> None:
    """Go through the rest of a range where something is wrong, and name each thing."""
    result, chain, leaves = walk.result, walk.chain, walk.leaves
    readable = _Readable(result, walk.expected)
    for position, flags, matter, body, stored in readable.through(source.entries(walk.expected, walk.end)):
        while walk.expected < position:
            result.add(Finding("entry.missing", walk.expected))
            leaves.append(_PAD)
            walk.expected += 1
        walk.expected = position + 1
        result.entries += 1
        if flags != GOOD:
            result.add(Finding("entry.undecodable", position, detail="a value of another kind"))
        if not isinstance(body, bytes) or not isinstance(stored, bytes):
            leaves.append(_PAD)
            continue
        leaf = sha256(b"\x00" + body).digest()
        leaves.append(leaf)
        if sha256(chain + leaf).digest() != stored:
            result.add(Finding("entry.altered", position))
        # Go on from what is stored: each fault is named where it is, and the next one too.
        chain = stored
        _examine(walk, position, matter, body)
    while walk.expected < walk.end:
        if not readable.broken:
            result.add(Finding("entry.missing", walk.expected))
        leaves.append(_PAD)
        walk.expected += 1
    walk.chain = chain


def _examine(walk: _Walk, position: int, matter: object, body: bytes) -> None:
    """Check one entry's form and columns, and note which words and rows it speaks of."""
    result = walk.result
    try:
        said = orjson.loads(body)
        if type(said) is not dict or orjson.dumps(said, option=orjson.OPT_SORT_KEYS) != body or tuple(said) != KEYS:
            _expect_form(said, body)
        data, rows = said["data"], said["rows"]
        if (
            said["position"] != position
            or said["v"] != 1
            or not type(said["position"]) is type(said["v"]) is int
            or type(data) is not dict
            or type(rows) is not dict
            or not _strings(said)
            or not (_flat(data) or canonical_bytes(said) == body)
        ):
            raise _Form("a field of another kind, or another position")
    except (_Form, NotCanonical) as error:
        result.add(Finding("entry.form", position, detail=str(error)))
        return
    except (ValueError, TypeError) as error:
        result.add(Finding("entry.undecodable", position, detail=_line(error)))
        return
    if said["matter"].encode() != matter:
        result.add(Finding("entry.column", position, detail="matter"))
    if "words" in data or said["verb"] == "words.erased":
        _note_words(result, walk.promises, position, said)
    if rows:
        _note_rows(result, walk.job, walk.records, position, rows)


class _Readable:
    """Entries as long as the database can read them; where it can't is a finding with the position."""

    def __init__(self, result: _Result, start: int) -> None:
        self._result = result
        self._next = start
        self.broken = False

    def through(self, entries: Iterator[Stored]) -> Iterator[Stored]:
        try:
            for entry in entries:
                self._next = entry[0] + 1
                yield entry
        except BROKEN as error:
            self.broken = True
            self._result.add(Finding("database.broken", self._next, detail=_line(error)))


class _Form(Exception):
    """What is wrong with the form of one entry."""


def _expect_form(said: Any, body: bytes) -> None:
    if type(said) is not dict or tuple(sorted(said)) != KEYS:
        raise _Form("other fields than expected")
    if canonical_bytes(said) != body:
        raise _Form("not canonical (RFC 8785)")


def _strings(said: dict[str, Any]) -> bool:
    return (
        type(said["actor"]) is type(said["at"]) is type(said["channel"]) is type(said["matter"]) is str
        and type(said["recorded_at"]) is type(said["root"]) is type(said["subject"]) is type(said["verb"]) is str
    )


_FAST: Final = frozenset({str, bool, type(None)})


def _flat(data: dict[str, Any]) -> bool:
    """Whether the fast writer and the canonical one surely agree: ASCII keys; texts, truths and small whole numbers."""
    for key, value in data.items():
        kind = type(value)
        if not key.isascii() or not (kind in _FAST or (kind is int and -(2**53) < value < 2**53)):
            if kind is dict and key.isascii() and _flat(value):
                continue
            return False
    return True


def _hash_before(source: Source, start: int) -> bytes:
    if start == 0:
        return GENESIS
    try:
        for row in source.entries(start - 1, start):
            return row[4] if isinstance(row[4], bytes) else _PAD
    except BROKEN:
        pass  # the range before names it
    return _PAD


def _note_words(result: _Result, promises: list[bytearray], position: int, said: dict[str, Any]) -> None:
    words = said["data"].get("words", {})
    if type(words) is not dict:
        result.add(Finding("entry.form", position, detail="words"))
        return
    for kind, kept in words.items():
        try:
            key = UUID(kept["id"]).bytes
            promised = bytes.fromhex(kept["commitment"])[:16]
        except (KeyError, TypeError, ValueError, AttributeError):
            result.add(Finding("entry.form", position, detail="words"))
            continue
        about = _about(kind, said["matter"], said["at"])
        promises[key[15] % BUCKETS] += _PROMISE.pack(key, position, about, promised)
    if said["verb"] == "words.erased":
        result.erased[said["subject"].rpartition(":")[2]] = said["at"]


def _note_rows(result: _Result, job: _Job, records: list[bytearray], position: int, rows: dict[str, Any]) -> None:
    for name, value in rows.items():
        table, _, identity = name.partition(":")
        if type(value) is not str or (value and not (len(value) == 64 and _HEX.issuperset(value))):
            result.add(Finding("entry.form", position, detail=f"the digest of {name}"))
            continue
        if not job.rows:
            continue
        index = job.tables.get(table)
        if index is None or len(identity) != 32 or not _HEX.issuperset(identity):
            result.add(Finding("entry.form", position, detail=f"the row {name}"))
            continue
        key = bytes.fromhex(identity)
        records[key[15] % BUCKETS] += _RECORD.pack(
            index, key, position, bytes.fromhex(value[:32]) if value else _REMOVED
        )


def _fold(result: _Result, leaves: list[bytes], split: int | None) -> None:
    """Turn the leaves into hashes of tiles of 256, and keep those that fill no tile."""
    if split is not None and result.start <= split <= result.start + len(leaves):
        begin = split - split % 256 - result.start
        result.split = leaves[max(0, begin) : split - result.start]
    whole = len(leaves) - len(leaves) % 256
    for begin in range(0, whole, 256):
        row = leaves[begin : begin + 256]
        while len(row) > 1:
            pairs = iter(row)
            row = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
        result.tiles.append(row[0])
    result.rest = leaves[whole:]


class _Tree:
    """The tree and the chain put together from ranges, which come in order."""

    def __init__(self) -> None:
        self.tiles: list[bytes] = []
        self.rest: list[bytes] = []
        self.chain = GENESIS
        self.erased: dict[str, str] = {}
        self._split: list[bytes] = []
        self._size = 0

    def add(self, result: _Result) -> None:
        self.tiles += result.tiles
        self.rest = result.rest
        self.chain = result.chain
        self._size += len(result.tiles) * 256 + len(result.rest)
        self.erased.update(result.erased)
        if result.split:
            self._split = result.split

    def frontier_bytes(self) -> bytes:
        return (
            self._size.to_bytes(8, "big")
            + _frontier_of(self.tiles).to_bytes()[8:]
            + _frontier_of(self.rest).to_bytes()[8:]
        )

    @property
    def root(self) -> bytes:
        return Frontier.from_bytes(self.frontier_bytes()).root()

    def root_at_split(self, size: int) -> bytes:
        head = size.to_bytes(8, "big")
        tiles, rest = self.tiles[: size // 256], self._split if size % 256 else []
        return Frontier.from_bytes(head + _frontier_of(tiles).to_bytes()[8:] + _frontier_of(rest).to_bytes()[8:]).root()

    def stored_tiles(self) -> Iterator[tuple[int, int, bytes]]:
        """Every tile that should be stored: level, index, hash."""
        frontier = Frontier()
        for index, tile in enumerate(self.tiles):
            yield 1, index, tile
            for level, above, value in frontier.append(tile):
                yield 1 + level // 8, above, value


def _frontier_of(nodes: Sequence[bytes]) -> Frontier:
    frontier = Frontier()
    for node in nodes:
        frontier.append(node)
    return frontier


# Several processes


class _Workers:
    """The database's structure and ranges of entries checked by processes of their own, or by this one where the journal is small."""

    def __init__(self, source: Source, job: _Job, processes: int) -> None:
        self._source = source
        self._job = job
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None
        self._structure: Future[list[str]] | None = None
        self._futures: list[Future[_Result]] = []

    def __enter__(self) -> _Workers:
        if self._processes > 1:
            # Forked children open the database anew and never touch what they inherited of it.
            self._pool = ProcessPoolExecutor(
                self._processes, multiprocessing.get_context("fork"), _open_anew, (opening_of(connection), self._job)
            )
            # The structure is one long piece: it goes first, and the other processes take ranges meanwhile.
            self._structure = self._pool.submit(_structure_apart)
            self._futures = [self._pool.submit(_check_range_apart, start) for start in self._job.starts()]
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def structure(self) -> list[str]:
        if self._structure is None:
            return _structure(self._source, not self._job.rows)
        return self._structure.result()

    def results(self) -> Iterator[_Result]:
        if self._pool is None:
            for start in self._job.starts():
                yield _check_range(self._source, self._job, start)
            return
        for future in self._futures:
            yield future.result()


_apart: tuple[Source, _Job] | None = None


def _open_anew(opening: Opening, job: _Job) -> None:
    global _apart
    # What was inherited is no garbage; looking through it again and again would copy the parent's memory page by page.
    gc.freeze()
    _apart = (opening.open(), job)


def _structure_apart() -> list[str]:
    source, job = _prepared()
    return _structure(source, not job.rows)


def _check_range_apart(start: int) -> _Result:
    return _check_range(*_prepared(), start)


def _prepared() -> tuple[Source, _Job]:
    if _apart is None:
        message = "this process was not prepared"
        raise RuntimeError(message)
    return _apart


def _processes(wanted: int | None, size: int) -> int:
    if connection.in_atomic_block and connection.vendor == "sqlite":
        return 1
    if wanted is not None:
        return wanted
    return max(1, os.cpu_count() or 1) if size > PARALLEL_FROM else 1


# Tiles and words


def _check_tiles(report: Report, source: Source, tree: _Tree) -> None:
    wanted = {tile_id(level, index): (level, index, value) for level, index, value in tree.stored_tiles()}
    for row in source.rows("journal_tile", ("id", "level", "index", "hash")):
        (id_kind, identity), (level_kind, level), (index_kind, index), (hash_kind, value) = _typed(row)
        right_kinds = (id_kind, level_kind, index_kind, hash_kind) == ("integer", "integer", "integer", "blob")
        expected = wanted.pop(identity, None) if right_kinds else None
        where = f"{level}/{index}"
        if expected is None:
            report.add(Finding("tile.stray", detail=where))
        elif expected != (level, index, bytes(value)):
            report.add(Finding("tile.altered", detail=where))
    for level, index, _ in wanted.values():
        report.add(Finding("tile.missing", detail=f"{level}/{index}"))


_WORDS: Final = ("id", "matter", "kind", "text", "salt", "written_at", "erased_at")


def _about(kind: str, matter: str, at: str) -> bytes:
    return sha256(f"{kind}\n{matter}\n{at}".encode()).digest()[:16]


def _write_words(report: Report, source: Source, folder: Path, erased: Mapping[str, str]) -> None:
    """Lay out in buckets what is stored of words; erased ones must be empty, at the instant that an entry says."""
    read = reader_of(connection.vendor, Words, _WORDS)
    rows = source.rows(Words._meta.db_table, columns_of(Words, _WORDS))
    part = 0
    while batch := list(islice(rows, RANGE)):
        records = _buckets()
        for row in batch:
            report.words += 1
            try:
                identity, matter, kind, text, salt, written_at, erased_at = read(row)
            except Unreadable as error:
                report.add(Finding("words.undecodable", detail=str(error)))
                continue
            key = identity.bytes if isinstance(identity, UUID) else bytes.fromhex(identity)
            state = _KEPT
            if erased_at is not None or key.hex() in erased:
                clean = text == salt == "" and erased.get(key.hex()) == _as_instant(erased_at)
                state = _ERASED if clean else _HALF_ERASED
            promised = bytes.fromhex(commitment(text or "", salt or ""))[:16]
            about = _about(kind, matter, _as_instant(written_at))
            records[key[15] % BUCKETS] += _PROMISE.pack(key, state, about, promised)
        _write(folder / f"words-{part}", records)
        part += 1


def _check_words(report: Report, source: Source, folder: Path, starts: range, erased: Mapping[str, str]) -> None:
    """Hold what persons wrote against what the entries promised of it."""
    _write_words(report, source, folder, erased)
    promised_files = [folder / f"promised-{start}" for start in starts]
    stored_files = sorted(folder.glob("words-*"))
    for number in range(BUCKETS):
        open_ones: dict[bytes, tuple[int, bytes, bytes]] = {}
        for path in promised_files:
            for key, position, about, promised in _PROMISE.iter_unpack(_bucket(path, number)):
                open_ones[key] = (position, about, promised)
        for path in stored_files:
            for key, state, about, stored in _PROMISE.iter_unpack(_bucket(path, number)):
                said = open_ones.pop(key, None)
                if said is None:
                    report.add(Finding("words.stray", detail=key.hex()))
                    continue
                if about != said[1]:
                    report.add(Finding("words.altered", said[0], detail=f"{key.hex()} matter, kind, written_at"))
                if state == _HALF_ERASED:
                    report.add(Finding("words.altered", said[0], detail=f"{key.hex()} erased_at"))
                elif state == _KEPT and stored != said[2]:
                    report.add(Finding("words.altered", said[0], detail=f"{key.hex()} text, salt"))
        for key, (position, _, _) in open_ones.items():
            report.add(Finding("words.missing", position, detail=key.hex()))


def _as_instant(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value)


# Ledger rows


def _write_rows(report: Report, source: Source, tables: Sequence[type[models.Model]], folder: Path) -> None:
    """Digest every row of every sealed table and lay the digests out in buckets."""
    for index, model in enumerate(tables):
        names = digested_columns(model)
        key_at = names.index("id")
        read, digest = reader_of(connection.vendor, model, names), columns_digest(names)
        rows = source.rows(model._meta.db_table, columns_of(model, names))
        part = 0
        while True:
            records = _buckets()
            batch = list(islice(rows, RANGE))
            if not batch:
                break
            for row in batch:
                report.rows += 1
                try:
                    values = read(row)
                except Unreadable as error:
                    report.add(
                        Finding("row.undecodable", table=model._meta.db_table, detail=_described(model, row, error))
                    )
                    continue
                identity = values[key_at]
                key = identity.bytes if isinstance(identity, UUID) else bytes.fromhex(identity)
                records[key[15] % BUCKETS] += _RECORD.pack(index, key, 0, bytes.fromhex(digest(values)[:32]))
            _write(folder / f"rows-{index}-{part}", records)
            part += 1


def _described(model: type[models.Model], row: Row, error: Unreadable) -> str:
    names = digested_columns(model)
    at = names.index("id")
    kind, value = row[2 * at], row[2 * at + 1]
    try:
        return f"{text_of(kind, value)} {error}"
    except ValueError:
        return f"{value!r} {error}"


def _buckets() -> list[bytearray]:
    return [bytearray() for _ in range(BUCKETS)]


def _write(path: Path, records: Sequence[bytearray]) -> None:
    """Write the buckets one after another, behind a list of their lengths."""
    if any(records):
        with path.open("wb") as out:
            out.write(struct.pack(f">{BUCKETS}Q", *(len(bucket) for bucket in records)))
            for bucket in records:
                out.write(bucket)


def _bucket(path: Path, number: int) -> bytes:
    if not path.exists():
        return b""
    with path.open("rb") as file:
        lengths = struct.unpack(f">{BUCKETS}Q", file.read(8 * BUCKETS))
        file.seek(sum(lengths[:number]), os.SEEK_CUR)
        return file.read(lengths[number])


def _compare_rows(
    report: Report, source: Source, tables: Sequence[type[models.Model]], folder: Path, starts: range
) -> None:
    """Hold the last digest of each row against the row; a bucket at a time, so that memory stays small."""
    said_files = [folder / f"said-{start}" for start in starts]
    row_files = sorted(folder.glob("rows-*"))
    for number in range(BUCKETS):
        last: dict[bytes, tuple[int, bytes]] = {}
        for path in said_files:
            for index, key, position, digest in _RECORD.iter_unpack(_bucket(path, number)):
                last[bytes([index]) + key] = (position, digest)
        for path in row_files:
            for index, key, _, digest in _RECORD.iter_unpack(_bucket(path, number)):
                position, wanted = last.pop(bytes([index]) + key, (_NEVER, _REMOVED))
                if position == _NEVER or wanted == _REMOVED:
                    _report_row(report, source, tables[index], "row.added", key, None)
                elif wanted != digest:
                    _report_row(report, source, tables[index], "row.changed", key, position)
        for name, (position, wanted) in last.items():
            if wanted != _REMOVED:
                _report_row(report, source, tables[name[0]], "row.removed", name[1:], position)


def _report_row(
    report: Report, source: Source, model: type[models.Model], code: str, key: bytes, position: int | None
) -> None:
    number = ""
    if len(report.findings) < SHOWN:
        number = _number_of(source, model, key) or _number_said(source, position)
    report.add(Finding(code, position, model._meta.db_table, key.hex(), number))


def _number_of(source: Source, model: type[models.Model], key: bytes) -> str:
    if not any(f.name == "number" for f in model._meta.concrete_fields):
        return ""
    for row in source.rows(model._meta.db_table, ("number",), where=f"id = '{key.hex()}'"):
        value = row[-1]
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return ""


def _number_said(source: Source, position: int | None) -> str:
    """The number that the last entry gives to a row that is gone, where it gives one."""
    if position is None:
        return ""
    for _, _, _, body, _ in source.entries(position, position + 1):
        try:
            return str(orjson.loads(body)["data"].get("number", "")) if isinstance(body, bytes) else ""
        except (ValueError, KeyError, TypeError, AttributeError):
            return ""
    return ""


def _typed(row: Row) -> list[tuple[str, Any]]:
    """Pairs of kind and value; PostgreSQL's kinds are those of its columns."""
    if connection.vendor == "sqlite":
        kinds = iter(row)
        return [(str(kind, "ascii"), value) for kind, value in zip(kinds, kinds, strict=True)]
    return [("integer" if isinstance(v, int) else "blob" if isinstance(v, bytes) else "other", v) for v in row]


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__

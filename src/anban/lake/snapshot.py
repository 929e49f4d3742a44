"""Columnar snapshots of the declared tables: one state of the database, parted by root and year, made anew where it changed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from anban.base.exports import Export, exports
from anban.lake.columns import schema_of
from anban.lake.duck import connected
from anban.lake.folder import Lake, file_hash, manifest_of, stamp
from anban.lake.parts import GROUP, Parts
from anban.lake.source import Source, alike, conditions, opened
from anban.rules.errors import Refusal, register

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

register(
    "lake.key_twice",
    zh="两条 {table} 记录的编号后 60 位相同，无法区分：请把其中一条合并或重新登记。",
    en="Two rows of {table} have the same last 60 bits in their ids and can't be told apart; merge or register one of them anew.",
)

FORMAT: Final = 1
SERIES: Final = "snapshots"
EMPTY: Final = "empty.parquet"
WHOLE_FROM: Final = 0.2
"""From this share of changed rows on, a table is read whole: asking for so many rows by their ids takes longer."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A published snapshot: its folder and what its manifest says."""

    folder: Path
    manifest: Mapping[str, Any]

    @classmethod
    def at(cls, folder: Path) -> Snapshot:
        """Return the snapshot in a folder."""
        return cls(folder, manifest_of(folder))

    @property
    def position(self) -> int:
        """Return the journal position up to which it holds everything."""
        return int(self.manifest["position"])

    @property
    def roots(self) -> tuple[str, ...]:
        """Return the area roots, also those without any row."""
        return tuple(sorted(self.manifest["zones"]))

    def rows(self, table: str, root: str | None = None) -> int:
        """Return how many rows a table has."""
        return sum(f["rows"] for f in self.manifest["files"] if f["table"] == table and root in (None, f["root"]))

    def files(self, table: str, root: str) -> list[Path]:
        """Return a table's files for one root; the empty one, which carries the columns, is always among them.

        It comes last: DuckDB guesses from the first file how many rows a table has, and joins by it.
        """
        own = [f for f in self.manifest["files"] if f["table"] == table and f["root"] in ("", root)]
        return [self.folder / f["path"] for f in sorted(own, key=lambda f: (not f["rows"], f["path"]))]

    @property
    def tables(self) -> tuple[str, ...]:
        """Return the names of the tables."""
        return tuple(sorted(self.manifest["tables"]))


def newest(lake: Lake) -> Snapshot | None:
    """Return the newest snapshot of a lake."""
    folder = lake.newest(SERIES)
    return Snapshot.at(folder) if folder else None


def take(
    lake: Lake, settings: Mapping[str, Any], *, at: datetime, progress: Progress | None = None, whole: bool = False
) -> Snapshot:
    """This function will publish the database's present state and return it; the caller holds ``lake.writing()``.

    Only the years of those tables are written anew in which rows changed since the last snapshot, by what the journal says;
    with ``whole``, after another release's declarations or on another history, everything. Raises: lake.key_twice.
    """
    last = None if whole else newest(lake)
    with opened(settings) as source:
        position = source.position()
        last = _usable(last, source, position)
        if last is not None and last.position == position:
            return last
        changed = source.changed(last.position, position) if last else {}
        draft = lake.draft(SERIES)
        zones = source.zones()
        if last is not None and last.manifest["zones"] != zones:
            last, changed = None, {}
        files: list[dict[str, Any]] = []
        ways: dict[str, str] = {}
        with connected(scratch=draft / ".scratch") as duck, alike(settings, source) as sources:
            work = _Work(duck, draft, zones, last, changed)
            for name, way, own in _tables(work, sources, progress):
                ways[name] = way
                files += own
        shutil.rmtree(draft / ".scratch", ignore_errors=True)
        manifest = {
            "format": FORMAT, "position": position, "chain": source.entry_hash(position), "made_at": _instant(at),
            "since": last.position if last else None, "zones": zones, "ways": ways,
            "tables": {e.name: _declaration(e) for e in exports()}, "files": files,
        }  # fmt: skip
    return Snapshot.at(lake.publish(draft, stamp(at), manifest))


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _declaration(export: Export) -> str:
    return f"{export.version}:{sha256(repr(export).encode()).hexdigest()[:16]}"


def _usable(last: Snapshot | None, source: Source, position: int) -> Snapshot | None:
    """Return the last snapshot when the rest can be added to it: same format and declarations, earlier on the same history."""
    if last is None or last.manifest["format"] != FORMAT or not 0 < last.position <= position:
        return None
    if last.manifest["tables"] != {e.name: _declaration(e) for e in exports()}:
        return None
    return last if last.manifest["chain"] == source.entry_hash(last.position) else None


@dataclass(frozen=True, slots=True)
class _Work:
    """What all tables of a snapshot are made with."""

    duck: duckdb.DuckDBPyConnection
    draft: Path
    zones: Mapping[str, str]
    last: Snapshot | None
    changed: Mapping[str, set[str]]


def _tables(
    work: _Work, sources: Sequence[Source], progress: Progress | None
) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Make every declared table, as many at once as there are sources; yield its name, how it was made, and its files."""
    free: SimpleQueue[Source] = SimpleQueue()
    for source in sources:
        free.put(source)

    def made(source: Source, export: Export) -> tuple[str, str, list[dict[str, Any]]]:
        try:
            with work.duck.cursor() as duck:
                way = _table(_Writing(source, duck, work.draft, work.zones, export), work.last, work.changed)
                files = _files(duck, work.draft, export, work.last)
                _check_unique(duck, work.draft, export, files)
                return export.name, way, files
        finally:
            free.put(source)

    declared = exports()
    with ThreadPoolExecutor(len(sources)) as pool:
        coming: list[Future[tuple[str, str, list[dict[str, Any]]]]] = []
        for number, export in enumerate(declared):
            source = free.get()
            for one in coming:
                if one.done():
                    one.result()  # What failed ends it all.
            if progress:
                progress(export.name, number, len(declared))
            coming.append(pool.submit(made, source, export))
        for one in coming:
            yield one.result()


@dataclass(frozen=True, slots=True)
class _Writing:
    """One table on its way from the database to the draft."""

    source: Source
    duck: duckdb.DuckDBPyConnection
    draft: Path
    zones: Mapping[str, str]
    export: Export

    def write(self, given: pa.RecordBatchReader) -> None:
        """Write rows into the draft, parted by root and year."""
        with Parts(self.draft / self.export.name, self.export) as parts:
            for batch in given:
                parts.add(batch)

    def write_empty(self) -> None:
        """Write a file without rows, which carries the columns where there are none."""
        import pyarrow.parquet as pq

        folder = self.draft / self.export.name
        folder.mkdir(exist_ok=True)
        pq.write_table(schema_of(self.export).empty_table(), folder / EMPTY)


def _table(work: _Writing, last: Snapshot | None, changed: Mapping[str, set[str]]) -> str:
    """Write one table into the draft; return how: whole, merged or kept."""
    export = work.export
    touched = sum(len(changed.get(table, ())) for table, _, _ in export.changed_by)
    if last is not None and export.changed_by and touched <= WHOLE_FROM * last.rows(export.name):
        if not touched:
            _link(last, work.draft, export, set())
            return "kept"
        _merge(work, last, changed)
        return "merged"
    with work.source.batches(export, work.zones) as given:
        work.write(given)
    work.write_empty()
    return "whole"


def _merge(work: _Writing, last: Snapshot, changed: Mapping[str, set[str]]) -> None:
    """Write anew the parts in which something changed: the last snapshot's rows without the changed ones, and these as they are now."""
    import pyarrow as pa

    export, duck = work.export, work.duck
    old = [str(last.folder / f["path"]) for f in last.manifest["files"] if f["table"] == export.name]
    duck.execute(f"CREATE TEMP TABLE fresh AS SELECT * FROM {_read(old)} LIMIT 0")
    for condition in conditions(export, changed):
        with work.source.batches(export, work.zones, condition) as given:
            duck.register("given", given)
            duck.table("given").insert_into("fresh")
            duck.unregister("given")
    tests = []
    for number, (table, _, key) in enumerate(export.changed_by):
        keys = pa.table({"key": pa.array((int(one[-15:], 16) for one in changed.get(table, ())), pa.int64())})
        duck.register("given", keys)
        duck.execute(f"CREATE TEMP TABLE gone_{number} AS SELECT key FROM given")
        duck.unregister("given")
        tests.append(f"COALESCE({key} IN (SELECT key FROM gone_{number}), FALSE)")
    gone = " OR ".join(tests)
    parts = duck.execute(
        f"SELECT DISTINCT root, period FROM {_read(old)} WHERE {gone} UNION SELECT DISTINCT root, period FROM fresh"
    ).fetchall()
    touched = {(str(root), int(period)) for root, period in parts}
    _link(last, work.draft, export, touched)
    again = [
        str(last.folder / f["path"])
        for f in last.manifest["files"]
        if f["table"] == export.name and (f["root"], f["period"]) in touched
    ]
    kept = f"SELECT * FROM {_read(again)} WHERE NOT ({gone}) UNION ALL " if again else ""
    if touched:
        work.write(duck.sql(f"{kept}SELECT DISTINCT * FROM fresh").to_arrow_reader(GROUP))
    for number in range(len(export.changed_by)):
        duck.execute(f"DROP TABLE gone_{number}")
    duck.execute("DROP TABLE fresh")


def _read(files: Sequence[str]) -> str:
    # Root and year stand in the rows as well, with the types that were declared.
    return f"read_parquet({list(files)!r}, hive_partitioning = false)"


def _link(last: Snapshot, draft: Path, export: Export, but: set[tuple[str, int]]) -> None:
    """Take the untouched files of the last snapshot over, without copying where the disk allows it."""
    for one in last.manifest["files"]:
        if one["table"] != export.name or (one["root"], one["period"]) in but:
            continue
        target = draft / one["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(last.folder / one["path"], target)
        except OSError:
            shutil.copy2(last.folder / one["path"], target)


def _files(duck: duckdb.DuckDBPyConnection, draft: Path, export: Export, last: Snapshot | None) -> list[dict[str, Any]]:
    """Return what the manifest says of a table's files; those taken over are known already."""
    known = {f["path"]: f for f in last.manifest["files"]} if last else {}
    found = []
    for path in sorted((draft / export.name).rglob("*.parquet")):
        name = path.relative_to(draft).as_posix()
        old = known.get(name)
        if old is not None and last is not None and path.samefile(last.folder / name):
            found.append(old)
            continue
        parts = dict(part.split("=", 1) for part in path.parent.relative_to(draft / export.name).parts)
        rows = duck.execute("SELECT sum(num_rows) FROM parquet_file_metadata(?)", [str(path)]).fetchall()[0][0]
        found.append(
            {
                "path": name, "table": export.name, "root": unquote(parts.get("root", "")),
                "period": int(parts.get("period", 0)), "rows": int(rows), "bytes": path.stat().st_size,
                "sha256": file_hash(path),
            }
        )  # fmt: skip
    return found


def _check_unique(
    duck: duckdb.DuckDBPyConnection, draft: Path, export: Export, files: Sequence[Mapping[str, Any]]
) -> None:
    """Refuse two rows under one key. Raises: lake.key_twice."""
    if not export.unique:
        return
    paths = [str(draft / f["path"]) for f in files if f["table"] == export.name]
    twice = duck.execute(
        f"SELECT count({export.unique}) <> count(DISTINCT {export.unique}) FROM read_parquet({paths!r})"
    ).fetchall()[0][0]
    if twice:
        raise Refusal("lake.key_twice", table=export.name)

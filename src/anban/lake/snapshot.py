"""Columnar snapshots of the declared tables: one state of the database, parted by root and year, made anew where it changed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from anban.base.exports import Export, exports
from anban.lake.columns import schema_of
from anban.lake.duck import connected
from anban.lake.folder import Lake, file_hash, manifest_of, stamp
from anban.lake.parts import Parts, part_path
from anban.lake.source import Source, conditions, opened, quoted
from anban.rules.errors import Refusal, register

if TYPE_CHECKING:
    import duckdb

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
        """Return a table's files for one root; the empty one, which carries the columns, is always among them."""
        return [
            self.folder / f["path"] for f in self.manifest["files"] if f["table"] == table and f["root"] in ("", root)
        ]

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
        declared = exports()
        with connected(scratch=draft / ".scratch") as duck:
            for number, export in enumerate(declared):
                if progress:
                    progress(export.name, number, len(declared))
                ways[export.name] = _table(_Writing(source, duck, draft, zones, export), last, changed)
                files += _files(duck, draft, export, last)
                _check_unique(duck, draft, export, files)
        shutil.rmtree(draft / ".scratch", ignore_errors=True)
        manifest = {
            "format": FORMAT, "position": position, "chain": source.entry_hash(position), "made_at": _instant(at),
            "since": last.position if last else None, "zones": zones, "ways": ways,
            "tables": {e.name: _declaration(e) for e in declared}, "files": files,
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
class _Writing:
    """One table on its way from the database to the draft."""

    source: Source
    duck: duckdb.DuckDBPyConnection
    draft: Path
    zones: Mapping[str, str]
    export: Export

    def write(self) -> None:
        """Write the whole table into the draft, parted by root and year."""
        with (
            self.source.batches(self.export, self.zones) as given,
            Parts(self.draft / self.export.name, self.export) as parts,
        ):
            for batch in given:
                parts.add(batch)

    def write_part(self, select: str, root: str, period: int) -> None:
        """Write a selection that is one part already."""
        path = part_path(self.draft / self.export.name, root, period)
        (rows,) = self.duck.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)").fetchall()[0]
        if not rows:
            path.unlink()

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
    work.write()
    work.write_empty()
    return "whole"


def _merge(work: _Writing, last: Snapshot, changed: Mapping[str, set[str]]) -> None:
    """Write anew the parts in which something changed: the last snapshot's rows without the changed ones, and these as they are now."""
    import pyarrow as pa

    export, duck = work.export, work.duck
    old = [str(last.folder / f["path"]) for f in last.manifest["files"] if f["table"] == export.name]
    duck.execute(f"CREATE TEMP TABLE fresh AS SELECT * FROM read_parquet({old!r}) LIMIT 0")
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
        f"SELECT DISTINCT root, period FROM read_parquet({old!r}) WHERE {gone} UNION SELECT DISTINCT root, period FROM fresh"
    ).fetchall()
    touched = {(str(root), int(period)) for root, period in parts}
    _link(last, work.draft, export, touched)
    for root, period in sorted(touched):
        again = [
            str(last.folder / f["path"])
            for f in last.manifest["files"]
            if f["table"] == export.name and (f["root"], f["period"]) == (root, period)
        ]
        kept = f"SELECT * FROM read_parquet({again!r}) WHERE NOT ({gone}) UNION ALL " if again else ""
        work.write_part(
            f"{kept}SELECT DISTINCT * FROM fresh WHERE root = {quoted(root)} AND period = {period}", root, period
        )
    for number in range(len(export.changed_by)):
        duck.execute(f"DROP TABLE gone_{number}")
    duck.execute("DROP TABLE fresh")


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

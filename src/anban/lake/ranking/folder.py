"""A folder in the generic shape: ``meta.json`` and six tables, nothing else is opened; what is broken is named by file, row and column."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from anban.lake.ranking.city import Label, Unrankable

# Table: whether it must be there, and the columns it must have.
TABLES: Final[dict[str, tuple[bool, tuple[str, ...]]]] = {
    "establishments": (True, ("establishment_id",)),
    "inspections": (True, ("inspection_id", "establishment_id", "date")),
    "hazards": (True, ("inspection_id", "code")),
    "hazard_codes": (False, ("code",)),
    "signals": (False, ("date",)),
    "test": (True, ("inspection_id", "establishment_id")),
}
DATED: Final = frozenset({"inspections", "signals"})
MOST_SHOWN: Final = 5
MOST_BROKEN: Final = 0.5
_NUMBERS: Final = frozenset({"latitude", "longitude", "n"})


@dataclass
class Folder:
    """What was read: the tables as text, the label, the window, and notes on rows that were left out."""

    tables: dict[str, pa.Table]
    as_of: date
    window_days: int
    label: Label
    notes: list[tuple[str, str]] = field(default_factory=list)


def read(path: Path) -> Folder:
    """Read a folder.

    Raises: Unrankable when the folder, ``meta.json``, a table or a column that is needed is missing or cannot be read, when more
    than half of a table is broken, or when a test row is broken or named twice (each must get exactly one score).
    """
    if not path.is_dir():
        raise Unrankable(f"没有文件夹 {path}", f"there is no folder {path}")
    as_of, window_days, label = _meta(path / "meta.json")
    folder = Folder({}, as_of, window_days, label)
    for name, (needed, columns) in TABLES.items():
        found = _file(path, name)
        if found is None:
            if needed:
                raise Unrankable(f"缺少 {name}.csv（或 .csv.gz）", f"{name}.csv (or .csv.gz) is missing")
            continue
        folder.tables[name] = _table(found, name, columns, folder)
    _cross(folder)
    return folder


def inspectors(path: Path) -> dict[str, str]:
    """Read a table of who will visit: ``inspection_id``, ``inspector_group`` (for the benchmark's track A alone)."""
    if not path.is_file():
        raise Unrankable(f"没有文件 {path}", f"there is no file {path}")
    out: dict[str, str] = {}
    header, rows = _rows(path)
    for column in ("inspection_id", "inspector_group"):
        if column not in header:
            raise Unrankable(f"{path.name} 缺少列 {column}", f"{path.name} lacks the column {column}")
    for _, row in rows:
        if len(row) == len(header):
            values = dict(zip(header, row, strict=True))
            out[values["inspection_id"].strip()] = values["inspector_group"].strip()
    return out


def _meta(path: Path) -> tuple[date, int, Label]:
    try:
        raw: Any = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as problem:
        raise Unrankable("缺少 meta.json", "meta.json is missing") from problem
    except (json.JSONDecodeError, UnicodeDecodeError) as problem:
        raise Unrankable(f"meta.json 不是 JSON：{problem}", f"meta.json is no JSON: {problem}") from problem
    if not isinstance(raw, dict):
        raise Unrankable("meta.json 应是一个对象", "meta.json must be an object")
    as_of = _date_of(raw.get("as_of"), "as_of")
    label = raw.get("label")
    if not isinstance(label, dict):
        raise Unrankable("meta.json：label 缺失", "meta.json: label is missing")
    window = raw.get("window")
    days = 60
    if window is not None:
        if not isinstance(window, list) or len(window) != 2:
            raise Unrankable("meta.json：window 应是两个日期", "meta.json: window must be two dates")
        first, last = (_date_of(each, "window") for each in window)
        days = (last - first).days + 1
        if days < 1:
            raise Unrankable("meta.json：window 的结束早于开始", "meta.json: the window ends before it begins")
    return as_of, min(max(days, 7), 366), Label.of(label)


def _date_of(raw: object, name: str) -> date:
    try:
        return date.fromisoformat(str(raw)[:10])
    except ValueError as problem:
        raise Unrankable(f"meta.json：{name} 不是日期：{raw!r}", f"meta.json: {name} is no date: {raw!r}") from problem


def _file(folder: Path, name: str) -> Path | None:
    for ending in (".csv", ".csv.gz"):
        path = folder / (name + ending)
        if path.is_file():
            return path
    return None


def _rows(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the header and the rows with the number of the line on which each ends."""
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = problem.object[: problem.start].count(b"\n") + 1
        raise Unrankable(
            f"{path.name} 第{line}行不是 UTF-8 文字", f"{path.name}, row {line}: this is not UTF-8 text"
        ) from problem
    except (gzip.BadGzipFile, EOFError, zlib.error) as problem:
        raise Unrankable(f"{path.name} 无法解压", f"{path.name} cannot be unpacked") from problem
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [each.strip() for each in next(reader, [])]
    if len(set(header)) != len(header):
        twice = next(each for each in header if header.count(each) > 1)
        raise Unrankable(f"{path.name} 列 {twice!r} 出现两次", f"{path.name}: the column {twice!r} stands twice")

    def rows() -> Iterator[tuple[int, list[str]]]:
        try:
            for row in reader:
                if row:
                    yield reader.line_num, row
        except csv.Error as problem:
            raise Unrankable(
                f"{path.name} 第{reader.line_num}行无法读取：{problem}",
                f"{path.name}, row {reader.line_num}: {problem}",
            ) from problem

    return header, rows()


def _table(path: Path, name: str, columns: tuple[str, ...], folder: Folder) -> pa.Table:
    """Read a table; rows that are broken are left out and noted, or refused where every row counts."""
    header, rows = _rows(path)
    for column in columns:
        if column not in header:
            raise Unrankable(f"{path.name} 缺少列 {column}", f"{path.name} lacks the column {column}")
    if name == "inspections" and folder.label.column not in header:
        raise Unrankable(
            f"{path.name} 缺少 meta.json 的 label 所指的列 {folder.label.column}",
            f"{path.name} lacks the column {folder.label.column} that the label of meta.json names",
        )
    checks = _checks(name, header, columns, folder)
    kept: list[list[str]] = []
    broken: list[tuple[int, str, str, str]] = []
    for line, row in rows:
        fault = _fault(row, header, checks)
        if fault is None:
            kept.append(row)
        else:
            broken.append((line, *fault))
    if broken and name == "test":
        line, column, zh, en = broken[0]
        raise Unrankable(f"{path.name} 第{line}行 {column}：{zh}", f"{path.name}, row {line}, {column}: {en}")
    if len(broken) > MOST_BROKEN * (len(kept) + len(broken)):
        line, column, zh, en = broken[0]
        raise Unrankable(
            f"{path.name} 一半以上的行有错，第一处在第{line}行 {column}：{zh}",
            f"{path.name}: more than half of the rows are broken, the first is row {line}, {column}: {en}",
        )
    for line, column, zh, en in broken[:MOST_SHOWN]:
        folder.notes.append(
            (f"{path.name} 第{line}行 {column}：{zh}，未采用", f"{path.name}, row {line}, {column}: {en}; left out")
        )
    if len(broken) > MOST_SHOWN:
        rest = len(broken) - MOST_SHOWN
        folder.notes.append((f"{path.name} 另有 {rest} 行未采用", f"{path.name}: {rest} more rows left out"))
    if not kept:
        return pa.table({each: pa.array([], pa.string()) for each in header})
    return pa.table(
        {each: pa.array(values, pa.string()) for each, values in zip(header, zip(*kept, strict=True), strict=True)}
    )


Check = Callable[[str], tuple[str, str] | None]


def _checks(name: str, header: list[str], columns: tuple[str, ...], folder: Folder) -> list[tuple[int, str, Check]]:
    """Return what is asked of each column: names must be there, dates before the day of ranking, numbers numbers."""

    def there(value: str) -> tuple[str, str] | None:
        return None if value.strip() else ("为空", "is empty")

    def dated(value: str) -> tuple[str, str] | None:
        known = seen.get(value, unseen)
        if known is not unseen:
            return known
        try:
            day = date.fromisoformat(value.strip()[:10])
        except ValueError:
            fault: tuple[str, str] | None = (f"不是日期：{value!r}", f"is no date: {value!r}")
        else:
            fault = (
                None
                if day < folder.as_of
                else (f"{value} 不早于 {folder.as_of}", f"{value} is not before {folder.as_of}")
            )
        seen[value] = fault
        return fault

    def figure(value: str) -> tuple[str, str] | None:
        try:
            return (
                None
                if not value.strip() or float(value) == float(value)
                else (f"不是数字：{value!r}", f"is no number: {value!r}")
            )
        except ValueError:
            return (f"不是数字：{value!r}", f"is no number: {value!r}")

    unseen = ("", "")
    seen: dict[str, tuple[str, str] | None] = {}
    checks: list[tuple[int, str, Check]] = [(header.index(each), each, there) for each in columns if each != "date"]
    if name in DATED:
        checks.append((header.index("date"), "date", dated))
    checks += [(header.index(each), each, figure) for each in sorted(_NUMBERS) if each in header]
    if name == "inspections" and folder.label.at_least is not None:
        checks.append((header.index(folder.label.column), folder.label.column, figure))
    return checks


def _fault(row: list[str], header: list[str], checks: list[tuple[int, str, Check]]) -> tuple[str, str, str] | None:
    if len(row) != len(header):
        return ("", f"有 {len(row)} 列，应为 {len(header)} 列", f"has {len(row)} columns instead of {len(header)}")
    for where, column, check in checks:
        fault = check(row[where])
        if fault is not None:
            return (column, *fault)
    return None


def _cross(folder: Folder) -> None:
    """Look across tables: test rows once each, visits once each, visits and codes of places and visits that are known."""
    tests = folder.tables["test"]
    ids = [each.strip() for each in tests["inspection_id"].to_pylist()]
    if not ids:
        raise Unrankable("test 没有行：没有要排序的单位", "test has no rows: there is nothing to rank")
    seen: set[str] = set()
    for number, each in enumerate(ids, start=2):
        if each in seen:
            raise Unrankable(
                f"test 第{number}行 inspection_id：{each} 出现两次",
                f"test, row {number}, inspection_id: {each} stands twice",
            )
        seen.add(each)
    visits = folder.tables["inspections"]
    first: dict[str, int] = {}
    for number, each in enumerate(visits["inspection_id"].to_pylist()):
        first.setdefault(each.strip(), number)
    twice = visits.num_rows - len(first)
    if twice:
        folder.tables["inspections"] = visits.take(pa.array(list(first.values()), pa.int64()))
        folder.notes.append(
            (
                f"inspections 有 {twice} 行编号重复，只用第一行",
                f"inspections: {twice} rows repeat an id; the first is used",
            )
        )
    places = {each.strip() for each in folder.tables["establishments"]["establishment_id"].to_pylist()}
    strange = sum(each.strip() not in places for each in folder.tables["inspections"]["establishment_id"].to_pylist())
    if strange:
        folder.notes.append(
            (
                f"inspections 有 {strange} 行的单位不在名录，未采用",
                f"inspections: {strange} rows name a place that is not on the register; left out",
            )
        )
    unseen = sum(each.strip() not in first for each in folder.tables["hazards"]["inspection_id"].to_pylist())
    if unseen:
        folder.notes.append(
            (
                f"hazards 有 {unseen} 行的检查不存在，未采用",
                f"hazards: {unseen} rows name a visit that is not there; left out",
            )
        )

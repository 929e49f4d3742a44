"""The first pass of an import: files into typed rows or problems, without a database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from anban.contexts.establishments.columns import Column
from anban.contexts.establishments.importers.mapping import Mapping
from anban.contexts.establishments.importers.targets import TARGETS, Problem, Run, Target, TypedRow, Value
from anban.kit.canonical import digest
from anban.kit.tabular import (
    CellProblem,
    FileRefused,
    Limits,
    Row,
    Table,
    Wanted,
    match_columns,
    parse_date,
    parse_decimal,
    parse_int,
    read_tables,
)

PROBLEM_COLUMN = "问题/problem"
_OUR_COLUMNS = frozenset({PROBLEM_COLUMN, "问题", "problem"})
# Columns that nobody mapped may hold telephone numbers and names of persons; they are not kept.
_PERSONAL = re.compile(
    r"电话|手机|联系方式|联系人|身份证|法人|法定代表人|负责人|姓名|邮箱|phone|mobile|e-?mail|contact|owner_?name|person|id_?card",
    re.IGNORECASE,
)
_KEY_CHARS = 120
DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read, under the name that its user gave it."""

    path: Path
    name: str = ""

    @property
    def label(self) -> str:
        """This property will give the name to show."""
        return self.name or self.path.name


@dataclass(frozen=True, slots=True)
class TableView:
    """How a table's header was understood, for the preview."""

    file: str
    sheet: str
    found: tuple[tuple[str, str], ...]
    """Field and the header text that holds it."""
    missing: tuple[str, ...]
    duplicate: tuple[str, ...]
    unknown: tuple[str, ...]
    left_out: tuple[str, ...]
    """Header texts that look personal and that nobody mapped: their cells are not kept."""
    encoding: str = ""

    @property
    def ok(self) -> bool:
        """This property will tell whether rows can be read with this header."""
        return not (self.missing or self.duplicate)


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which mapping a table of a file belongs to; None when no mapping knows its columns."""

    file: str
    sheet: str
    mapping: Mapping | None
    matched: int


def recognise(
    files: Sequence[SourceFile], mappings: Sequence[Mapping], *, limits: Limits = DEFAULT_LIMITS
) -> list[Assignment]:
    """This function will tell by their columns which mapping each table of each file belongs to.

    Raises: FileRefused.
    """
    found = []
    for file in files:
        for table in read_tables(file.path, limits=limits, name=file.label):
            scored = [(score, one) for one in mappings if (score := fit(table.header, one)) > 0]
            best = max(scored, key=lambda pair: (pair[0], bool(pair[1].root), pair[1].name), default=(0, None))
            found.append(Assignment(table.file, table.sheet, best[1], best[0]))
            for _ in table.rows:
                pass
    return found


def fit(header: Sequence[str], mapping: Mapping) -> int:
    """This function will count the columns of a header that a mapping knows; 0 when one that it requires is absent."""
    target = TARGETS.get(mapping.target)
    if target is None or not set(mapping.requires) <= set(header):
        return 0
    matched = match_columns(header, wanted(mapping, target))
    return 0 if matched.missing else len(matched.found) + len(mapping.requires)


def wanted(mapping: Mapping, target: Target) -> list[Wanted]:
    """This function will give the columns to look for: the mapping's names where it has some, else the target's own."""
    made = []
    for column in target.columns:
        required = column.required and column.field not in mapping.constants
        if column.field in mapping.columns:
            made.append(Wanted(column.field, mapping.columns[column.field], required))
        elif mapping.own_names:
            made.append(Wanted(column.field, column.wanted.names, required))
    return made


def view(table: Table, mapping: Mapping, target: Target) -> TableView:
    """This function will say how a table's header is understood."""
    matched = match_columns(_own_header(table), wanted(mapping, target))
    kept = {*mapping.attributes, *mapping.key, *mapping.requires}
    unknown = tuple(name for name in matched.unknown if name not in kept)
    return TableView(
        table.file, table.sheet, tuple(matched.found.items()), matched.missing, tuple(matched.duplicate), unknown,
        tuple(name for name in unknown if _PERSONAL.search(name)), table.encoding,
    )  # fmt: skip


def _own_header(table: Table) -> list[str]:
    return ["" if name.strip().lower() in _OUR_COLUMNS else name for name in table.header]


def tables_of(file: SourceFile, limits: Limits, problems: list[Problem]) -> Iterator[Table]:
    """This function will give the tables of a file; a file that can't be read becomes a problem, not an exception."""
    try:
        yield from read_tables(file.path, limits=limits, name=file.label)
    except FileRefused as error:
        problems.append(Problem(file.label, "", 0, "", error.code, error.zh, error.en))


def typed(run: Run, target: Target, table: Table, seen: TableView, row: Row) -> TypedRow | list[Problem]:
    """This function will read one row: its typed values, or everything that is wrong with it."""
    if row.problems:
        return [Problem(table.file, table.sheet, p.row, p.column, p.code, p.zh, p.en) for p in row.problems]
    headers = dict(seen.found)
    problems: list[Problem] = []
    values: dict[str, Value] = {}
    payload: dict[str, str] = {}
    for column in target.columns:
        header = headers.get(column.field)
        text = row.cells[header].strip() if header else run.mapping.constants.get(column.field, "")
        text = run.mapping.values.get(column.field, {}).get(text, text)
        if header is None and not text:
            continue
        try:
            values[column.field] = _value(column, text, serial=run.mapping.date_serial)
        except CellProblem as error:
            problems.append(Problem(table.file, table.sheet, row.number, header or "", error.code, error.zh, error.en))
        if header and not column.personal and row.cells[header].strip():
            payload[column.field] = row.cells[header].strip()
    if problems:
        return problems
    attributes = {name: row.cells[name].strip() for name in run.mapping.attributes if name in row.cells}
    _keep_the_rest(payload, row, seen, attributes)
    made = TypedRow(table.file, table.sheet, row.number, row.cells, values, attributes, payload, headers)
    # The digest is of what the source says, before anybody interprets it.
    made.digest = digest([[name, _text(values[name])] for name in sorted(values) if values[name] != ""]
                         + [[f"·{name}", text] for name, text in sorted(attributes.items()) if text])  # fmt: skip
    found = target.check(run, made)
    if found:
        return found
    made.key = _key(run, target, made)
    return made


def _keep_the_rest(payload: dict[str, str], row: Row, seen: TableView, attributes: dict[str, str]) -> None:
    used = {header for _, header in seen.found}
    for header, cell in row.cells.items():
        text = cell.strip()
        if not text or header in used or header.strip().lower() in _OUR_COLUMNS:
            continue
        if _PERSONAL.search(header) and header not in attributes:
            continue
        payload[header if header not in payload else f"·{header}"] = text


def _value(column: Column, text: str, *, serial: bool) -> Value:
    if not text:
        if column.required:
            raise CellProblem("blank")
        return ""
    if column.max_chars and len(text) > column.max_chars:
        raise CellProblem("cell_too_long", limit=column.max_chars)
    if column.kind == "date":
        return parse_date(text, serial=serial)
    if column.kind == "number":
        return float(parse_decimal(text))
    if column.kind == "integer":
        return parse_int(text)
    return text


def _text(value: Value) -> str:
    return value.isoformat() if isinstance(value, date) else repr(value) if isinstance(value, float) else str(value)


def _key(run: Run, target: Target, row: TypedRow) -> str:
    if run.mapping.key:
        parts = [row.text(name) if name in row.values else row.cells.get(name, "").strip() for name in run.mapping.key]
        key = "|".join(parts) if all(parts) else ""
    else:
        key = ""
    key = key or target.key(run, row)
    return key if len(key) <= _KEY_CHARS else f"#{digest(key)}"

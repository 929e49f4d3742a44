"""Reading workbooks: a guard that looks at every part before anything is opened, then the cells as text."""

import errno
import math
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, TypeVar
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from .problems import FileRefused, Params
from .tables import RATIO_FLOOR_BYTES, Limits, RawRow, Table, assemble

_CHUNK = 1 << 18
_OLE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED_FLAG = 1
_PRECISE = 10**15
_MAX_FAULTS = 100_000
_MAX_SHEETS = 256


@dataclass
class _SheetFacts:
    """What the guard saw in one part that holds cells."""

    rows: int = 0
    columns: int = 0
    formulas: int = 0
    faults: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    """Row number → (column index from 0, problem code)."""


@dataclass
class _Survey:
    sheets: dict[str, _SheetFacts] = field(default_factory=dict)
    """Part name → facts."""
    names: dict[str, str] = field(default_factory=dict)
    """Sheet name → relation id."""
    targets: dict[str, str] = field(default_factory=dict)
    """Relation id → part name."""


def read_xlsx(path: Path, *, file: str, limits: Limits) -> Iterator[Table]:
    """This function will give the tables of a workbook, sheet by sheet; hidden sheets are read and flagged.

    Raises: FileRefused.
    """
    survey = _guard(path, limits)
    workbook = _native(lambda: CalamineWorkbook.from_path(str(path)))
    with workbook:
        for meta in workbook.sheets_metadata:
            if meta.typ != SheetTypeEnum.WorkSheet:
                continue
            facts = survey.sheets.get(survey.targets.get(survey.names.get(meta.name, ""), ""))
            if facts is None:
                raise FileRefused("xlsx_broken")
            table = assemble(
                _raw_rows(workbook, meta.name, facts),
                file=file,
                sheet=meta.name,
                limits=limits,
                strict_width=False,
                hidden=meta.visible != SheetVisibleEnum.Visible,
                formulas=facts.formulas,
            )
            if table is not None:
                yield table


def _raw_rows(workbook: CalamineWorkbook, name: str, facts: _SheetFacts) -> Iterator[RawRow]:
    sheet = _native(lambda: workbook.get_sheet_by_name(name))
    if sheet.start is None and not facts.faults:
        return
    indent = sheet.start[1] if sheet.start is not None else 0
    number = 0
    for number, values in enumerate(sheet.iter_rows(), start=1):
        cells, problems = [""] * indent, []
        for value in values:
            if type(value) is str:
                cells.append(value)
                continue
            text, code = _text(value)
            if code:
                problems.append(_problem(code, len(cells)))
            cells.append(text)
        problems += [_problem(code, column) for column, code in facts.faults.get(number, ())]
        yield RawRow(number, cells, tuple(problems))
    for later in sorted(row for row in facts.faults if row > number):
        yield RawRow(later, [""] * indent, tuple(_problem(code, column) for column, code in facts.faults[later]))


_T = TypeVar("_T")


def _native(call: Callable[[], _T]) -> _T:
    try:
        return call()
    except (CalamineError, OSError, ValueError) as error:
        raise FileRefused("xlsx_broken") from error
    except BaseException as error:
        # A panic of the native reader derives from BaseException and can't be imported by name.
        if type(error).__name__ == "PanicException":
            raise FileRefused("xlsx_broken") from error
        raise


def _problem(code: str, column: int) -> tuple[str, int | None, Params]:
    kind, _, found = code.partition(" ")
    return kind, column, {"found": found} if found else {}


def _text(value: bool | int | float | date | datetime | time | timedelta | str) -> tuple[str, str]:
    if isinstance(value, bool):
        return ("TRUE" if value else "FALSE"), ""
    if isinstance(value, float | int):
        if not math.isfinite(value):
            return "", f"error_cell {value}"
        if value == int(value):
            return str(int(value)), "precision_lost" if abs(value) >= _PRECISE else ""
        # Fifteen digits are what a spreadsheet shows; the rest is the noise of binary fractions.
        return format(Decimal(format(value, ".15g")), "f"), ""
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}", ""
    if isinstance(value, datetime):
        return (value + timedelta(microseconds=500_000)).replace(microsecond=0).isoformat(), ""
    if isinstance(value, date | time):
        return value.isoformat(), ""
    return value, ""


def _guard(path: Path, limits: Limits) -> _Survey:
    with path.open("rb") as stream:
        head = stream.read(4)
        if not head:
            raise FileRefused("file_empty")
        if head == _OLE:
            raise FileRefused("xlsx_encrypted")
        if not head.startswith(b"PK"):
            raise FileRefused("xlsx_not_zip")
        try:
            return _survey(stream, path.stat().st_size, limits)
        except (
            zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, expat.ExpatError, struct.error, ValueError, RuntimeError,
        ) as error:  # fmt: skip
            raise FileRefused("xlsx_broken") from error
        except OSError as error:
            # A damaged directory sends the reader to before the file's first byte; any other fault is the disk's own.
            if error.errno != errno.EINVAL:
                raise
            raise FileRefused("xlsx_broken") from error


def _survey(stream: BinaryIO, packed: int, limits: Limits) -> _Survey:
    survey = _Survey()
    with zipfile.ZipFile(stream) as archive:
        members = archive.infolist()
        if len(members) > limits.members:
            raise FileRefused("xlsx_members", limit=limits.members)
        names = [member.filename.lower() for member in members]
        if len(set(names)) != len(names) or "xl/workbook.xml" not in names:
            raise FileRefused("xlsx_broken")
        if any(member.flag_bits & _ENCRYPTED_FLAG for member in members):
            raise FileRefused("xlsx_encrypted")
        if sum(member.file_size for member in members) > limits.xlsx_bytes:
            raise FileRefused("too_large", limit=limits.xlsx_bytes)
        if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
            raise FileRefused("xlsx_broken")
        total = 0
        for member in members:
            with archive.open(member) as part:
                look = _Look(member.filename, survey, limits)
                while chunk := part.read(_CHUNK):
                    total += len(chunk)
                    if total > limits.xlsx_bytes:
                        raise FileRefused("too_large", limit=limits.xlsx_bytes)
                    if total > RATIO_FLOOR_BYTES and total > packed * limits.ratio:
                        raise FileRefused("ratio", limit=limits.ratio)
                    look.feed(chunk)
                look.close()
    return survey


class _Look:
    """One part of the workbook, seen as XML while it is inflated; parts that are no XML pass by."""

    def __init__(self, name: str, survey: _Survey, limits: Limits) -> None:
        self._name = name
        self._survey = survey
        self._limits = limits
        self._parser: expat.XMLParserType | None = None
        self._begun = False
        self._prefix = ""
        self._facts = _SheetFacts()
        self._row = self._column = 0
        self._formula = self._value = False
        self._error: str | None = None
        self._fault_count = 0
        self._row_text = ""
        self._columns: dict[str, int] = {}
        self._value_tag = "v"

    def feed(self, chunk: bytes) -> None:
        if not self._begun:
            self._begun = True
            # UTF-16 begins with a mark or a zero byte, UTF-8 with "<" after an optional mark.
            start = chunk.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")
            if self._name.lower().endswith((".xml", ".rels", ".vml")) or start.startswith(b"<"):
                self._parser = self._new_parser()
        if self._parser is not None:
            self._parser.Parse(chunk, False)

    def close(self) -> None:
        if self._parser is not None:
            self._parser.Parse(b"", True)
            self._end_cell()

    def _new_parser(self) -> expat.XMLParserType:
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.StartElementHandler = self._root
        return parser

    def _refuse(self, *_: object) -> None:
        raise FileRefused("xlsx_entity")

    def _root(self, tag: str, attributes: dict[str, str]) -> None:
        assert self._parser is not None  # noqa: S101 - handlers run inside the parser only
        prefix, _, local = tag.rpartition(":")
        self._prefix = f"{prefix}:" if prefix else ""
        if local == "worksheet":
            self._survey.sheets[_part_key(self._name)] = self._facts
            self._parser.ordered_attributes = True
            p = self._prefix
            self._value_tag = f"{p}v"
            self._tags = {
                f"{p}c": self._cell,
                f"{p}row": self._new_row,
                f"{p}f": self._f,
                f"{p}v": self._v,
                f"{p}is": self._v,
            }
            self._parser.StartElementHandler = self._in_sheet
        elif local == "workbook" and self._name.lower() == "xl/workbook.xml":
            self._parser.StartElementHandler = self._in_workbook
        elif local == "Relationships" and self._name.lower() == "xl/_rels/workbook.xml.rels":
            self._parser.StartElementHandler = self._in_relations
        else:
            self._parser.StartElementHandler = None

    def _in_workbook(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == f"{self._prefix}sheet":
            relation = next((v for k, v in attributes.items() if k.endswith(":id")), "")
            name = attributes.get("name", "")
            if name in self._survey.names or len(self._survey.names) >= _MAX_SHEETS:
                raise FileRefused("xlsx_broken")
            self._survey.names[name] = relation

    def _in_relations(self, tag: str, attributes: dict[str, str]) -> None:
        target = attributes.get("Target", "")
        part = target.lstrip("/") if target.startswith(("/", "xl/")) else posixpath.normpath(f"xl/{target}")
        self._survey.targets[attributes.get("Id", "")] = _part_key(part)

    def _in_sheet(self, tag: str, attributes: list[str]) -> None:
        if tag == self._value_tag:
            self._value = True
            return
        handler = self._tags.get(tag)
        if handler is not None:
            handler(attributes)

    def _new_row(self, attributes: list[str]) -> None:
        self._end_cell()
        declared = dict(zip(attributes[::2], attributes[1::2], strict=True)).get("r")
        self._row = int(declared) if declared is not None else self._row + 1
        self._row_text = str(self._row)
        self._column = 0
        if not 1 <= self._row <= 1_048_576:
            raise FileRefused("xlsx_broken")

    def _cell(self, attributes: list[str]) -> None:
        if self._formula or self._error is not None:
            self._end_cell()
        if "r" in attributes[::2]:
            reference = attributes[attributes[::2].index("r") * 2 + 1]
            letters = reference.rstrip("0123456789")
            column = self._columns.get(letters)
            if column is None:
                column = self._columns[letters] = _column(letters)
            if reference[len(letters) :] != self._row_text:
                raise FileRefused("xlsx_broken")
            self._column = column
        else:
            self._column += 1
        facts = self._facts
        if self._column > facts.columns or self._row > facts.rows:
            facts.columns, facts.rows = max(self._column, facts.columns), max(self._row, facts.rows)
            if facts.rows * facts.columns > self._limits.sheet_cells:
                raise FileRefused("too_many_cells", limit=self._limits.sheet_cells)
        if "e" in attributes and "t" in attributes and self._parser is not None and _is_error(attributes):
            self._error = ""
            self._value = False
            self._parser.CharacterDataHandler = self._error_text

    def _f(self, attributes: list[str]) -> None:
        self._formula, self._value = True, False
        self._facts.formulas += 1

    def _v(self, attributes: list[str]) -> None:
        self._value = True

    def _error_text(self, text: str) -> None:
        if self._value and self._error is not None and len(self._error) < 40:
            self._error += text

    def _end_cell(self) -> None:
        if self._error is not None and self._parser is not None:
            self._fault(f"error_cell {self._error.strip()[:40] or '#'}")
            self._error = None
            self._parser.CharacterDataHandler = None
        elif self._formula and not self._value:
            self._fault("formula_without_value")
        self._formula = False

    def _fault(self, code: str) -> None:
        self._fault_count += 1
        if self._fault_count > _MAX_FAULTS:
            raise FileRefused("xlsx_broken")
        self._facts.faults.setdefault(self._row, []).append((self._column - 1, code))


def _part_key(name: str) -> str:
    return name.replace("\\", "/").lower()


def _is_error(attributes: list[str]) -> bool:
    return dict(zip(attributes[::2], attributes[1::2], strict=True)).get("t") == "e"


def _column(letters: str) -> int:
    column = 0
    for letter in letters:
        if not "A" <= letter <= "Z":
            raise FileRefused("xlsx_broken")
        column = column * 26 + ord(letter) - 64
    if not 1 <= column <= 16_384:
        raise FileRefused("xlsx_broken")
    return column

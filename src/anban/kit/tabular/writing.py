"""Writing tables, streaming: text files that open by double click and workbooks whose codes stay text."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

import xlsxwriter

from .formulas import neutralise

_SHEET_ROWS = 1_048_576
_CELL_CHARS = 32_767


class NotWritable(ValueError):
    """A table doesn't fit into the file format: too many rows, too long a cell, a row of the wrong width."""


def write_csv(target: Path | BinaryIO, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """This function will write UTF-8 with a mark, CRLF line ends and neutralised formulas; it returns the count of rows.

    A stream stays open. A row that consists of one empty cell is written quoted, so that it isn't a blank line.

    Raises: NotWritable for a row of another width than the columns.
    """
    if isinstance(target, Path):
        with target.open("wb") as stream:
            return write_csv(stream, columns, rows)
    text = io.TextIOWrapper(target, encoding="utf-8-sig", newline="", write_through=False)
    try:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow([neutralise(name) for name in columns])
        count = 0
        for count, row in enumerate(rows, start=1):
            _same_width(row, columns, count)
            writer.writerow([neutralise(cell) for cell in row])
        text.flush()
        return count
    finally:
        text.detach()


def write_xlsx(
    target: Path | BinaryIO, columns: Sequence[str], rows: Iterable[Sequence[str]], *, sheet: str = "数据"
) -> int:
    """This function will write a workbook of one sheet, every cell as text, the header frozen; it returns the count of rows.

    Raises: NotWritable.
    """
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    workbook = xlsxwriter.Workbook(str(target) if isinstance(target, Path) else target, options)
    count = 0
    try:
        worksheet = workbook.add_worksheet(sheet)
        as_text = workbook.add_format({"num_format": "@"})
        bold = workbook.add_format({"bold": True, "num_format": "@"})
        worksheet.set_column(0, max(0, len(columns) - 1), 18, as_text)
        worksheet.freeze_panes(1, 0)
        _write_row(worksheet, 0, columns, bold)
        for count, row in enumerate(rows, start=1):
            _same_width(row, columns, count)
            if count >= _SHEET_ROWS:
                raise NotWritable(f"a sheet holds {_SHEET_ROWS - 1} rows")
            _write_row(worksheet, count, row, as_text)
    finally:
        workbook.close()
    return count


def _write_row(worksheet: xlsxwriter.worksheet.Worksheet, number: int, row: Sequence[str], style: object) -> None:
    for column, cell in enumerate(row):
        if len(cell) > _CELL_CHARS:
            raise NotWritable(f"row {number}, column {column + 1}: a cell holds {_CELL_CHARS} characters")
        if cell:
            worksheet.write_string(number, column, cell, style)


def _same_width(row: Sequence[str], columns: Sequence[str], number: int) -> None:
    if len(row) != len(columns):
        raise NotWritable(f"row {number} has {len(row)} cells, the header {len(columns)}")

"""Refused rows, handed back in the source's own columns with what is wrong, so that the mended file can be imported."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from anban.contexts.establishments.importers.reading import PROBLEM_COLUMN
from anban.contexts.establishments.importers.targets import Problem
from anban.kit.tabular import Table, write_csv, write_xlsx

_MEMORY_BYTES = 4 * 2**20
_WORKBOOK_CELL_CHARS = 32_000
_WORKBOOK_ROWS = 1_000_000
# What a byte that is no text was read as; it can be stored nowhere, so the row is handed back with a mark in its place.
_NO_TEXT = re.compile("[\ud800-\udfff]")


class RefusedRows:
    """Rows kept on disk while an import runs, so that a million refused rows need no memory."""

    def __init__(self) -> None:
        self.count = 0
        self._spool = tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES)  # noqa: SIM115 - closed by __exit__
        self._tables: dict[tuple[str, str], int] = {}
        self._shapes: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
        self._extra: dict[int, int] = {}
        self._longest = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spool.close()

    def open(self, table: Table) -> None:
        """This method will learn the shape of a table; tables with the same header share a file."""
        shape = (table.header, table.columns)
        if shape not in self._shapes:
            self._shapes.append(shape)
        self._tables[table.file, table.sheet] = self._shapes.index(shape)

    def add(self, table: Table, cells: Mapping[str, str], extra: Sequence[str], problems: Sequence[Problem]) -> None:
        """This method will keep one refused row with the cells beyond its header."""
        self._keep(self._tables[table.file, table.sheet], cells, extra, problems)

    def add_cells(self, file: str, sheet: str, cells: Mapping[str, str], problems: Sequence[Problem]) -> None:
        """This method will keep one refused row of a table known by its file and sheet."""
        self._keep(self._tables[file, sheet], cells, (), problems)

    def _keep(self, shape: int, cells: Mapping[str, str], extra: Sequence[str], problems: Sequence[Problem]) -> None:
        self.count += 1
        self._extra[shape] = max(self._extra.get(shape, 0), len(extra))
        said = "；".join(
            dict.fromkeys(f"{p.column}：{p.zh} / {p.en}" if p.column else f"{p.zh} / {p.en}" for p in problems)
        )
        kept = [_NO_TEXT.sub("\ufffd", cells.get(name, "")) for name in self._shapes[shape][1]]
        self._longest = max(self._longest, *map(len, kept), *map(len, extra), 0)
        row = [shape, kept, [_NO_TEXT.sub("\ufffd", cell) for cell in extra], said]
        self._spool.write(orjson.dumps(row) + b"\n")

    def write(self, path: Path) -> list[Path]:
        """This method will write the refused rows to ``path``; a second shape goes to ``name-2`` beside it.

        What a workbook cannot hold (long cells, a million rows) is handed back whole, in a text file of the same name.
        """
        written: list[Path] = []
        if (self._longest > _WORKBOOK_CELL_CHARS or self.count > _WORKBOOK_ROWS) and path.suffix.lower() == ".xlsx":
            path = path.with_suffix(".csv")
        for shape in sorted(self._extra):
            target = path if not written else path.with_name(f"{path.stem}-{len(written) + 1}{path.suffix}")
            header = [name for name in self._shapes[shape][0] if name != PROBLEM_COLUMN]
            columns = [*header, PROBLEM_COLUMN, *[""] * self._extra[shape]]
            write = write_xlsx if path.suffix.lower() == ".xlsx" else write_csv
            write(target, columns, self._rows(shape))
            written.append(target)
        return written

    def _rows(self, shape: int) -> Iterator[list[str]]:
        header = self._shapes[shape][0]
        own = [i for i, name in enumerate(header) if name != PROBLEM_COLUMN]
        self._spool.seek(0)
        for line in self._spool:
            number, cells, extra, said = orjson.loads(line)
            if number == shape:
                padded = [*extra, *[""] * (self._extra[shape] - len(extra))]
                yield [*(cells[i] for i in own), said[:30_000], *padded]

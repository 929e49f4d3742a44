"""Reading delimited text, streaming: a broken row costs that row, not the rest of the file."""

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import TextIO

from .encodings import Encoding, decide_encoding, open_bytes
from .formulas import restore
from .problems import FileRefused, Params
from .tables import Limits, RawRow, Table, assemble

_DELIMITERS = (",", "\t", ";")
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_SURROGATE = re.compile("[\udc80-\udcff]")
_LINE_CHARS = 1_000_000
_BLOCK_CHARS = 1 << 17
# An apostrophe at the start of a cell, which may hide a neutralised formula.
_APOSTROPHE = re.compile(r"""(?:\A|[,;\t\r\n"])'""")
# How far a quoted cell may reach before its opening quote counts as a slip.
_REACH_CHARS = 4 * 32_767
_SAMPLE_LINES = 20


class _OutOfReach(Exception):
    """A quoted cell went on for too long."""


class _Lines:
    """Physical lines for ``csv.reader``, remembering those of the record being read so that they can be given back."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: deque[str] = deque()
        self.record: list[str] = []
        self._reach = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else self._stream.readline(_LINE_CHARS)
        if not line:
            raise StopIteration
        if self.record:
            self._reach += len(line)
            if self._reach > _REACH_CHARS:
                self._waiting.appendleft(line)
                raise _OutOfReach
        else:
            self._reach = 0
        self.record.append(line)
        return line

    def block(self) -> str:
        """A piece of the file that ends with a whole line, or "" while lines wait or the file has ended."""
        if self._waiting:
            return ""
        text = self._stream.read(_BLOCK_CHARS)
        return text if text.endswith("\n") else text + self._stream.readline(_LINE_CHARS)

    def wait(self, block: str) -> None:
        """Put the lines of a block in front of the rest of the file."""
        self._waiting.extend(io.StringIO(block, newline=""))

    def give_back(self) -> None:
        """Hand back all lines of the record but the first."""
        self._waiting.extendleft(reversed(self.record[1:]))
        del self.record[1:]

    def peek(self, count: int) -> list[str]:
        """The next lines, which stay where they are."""
        while len(self._waiting) < count and (line := self._stream.readline(_LINE_CHARS)):
            self._waiting.append(line)
        return list(self._waiting)

    def skip_line(self) -> None:
        """Drop the next line."""
        self.peek(1)
        if self._waiting:
            self._waiting.popleft()

    def skip_rest_of_line(self) -> None:
        """Drop the rest of a line that was cut at its limit."""
        line = "x"
        while line and not line.endswith(("\n", "\r")):
            line = self._waiting.popleft() if self._waiting else self._stream.readline(_LINE_CHARS)


def read_csv(path: Path, *, file: str, gzipped: bool, limits: Limits) -> Iterator[Table]:
    """This function will give the one table of a delimited text file.

    Raises: FileRefused.
    """
    encoding = decide_encoding(path, gzipped=gzipped, limits=limits)
    errors = "surrogateescape" if encoding.damaged else "strict"
    with (
        open_bytes(path, gzipped=gzipped) as content,
        io.TextIOWrapper(content, encoding=encoding.name, errors=errors, newline="") as stream,
    ):
        try:
            lines = _Lines(stream)
            sample = lines.peek(_SAMPLE_LINES)
            delimiter = sniff_delimiter(sample)
            offset = 0
            if declared := re.fullmatch(r"sep=(.)\s*", sample[0] if sample else "", re.IGNORECASE):
                delimiter, offset = declared[1], 1
                lines.skip_line()
            raw = _records(lines, delimiter, encoding, limits, offset)
            name = "gb18030" if encoding.name == "gb18030" else encoding.name.removesuffix("-sig")
            table = assemble(raw, file=file, sheet="", limits=limits, strict_width=True, encoding=name)
            if table is None:
                raise FileRefused("file_empty")
            yield table
        except UnicodeError as error:
            at = getattr(error, "start", 0) + 1
            raise FileRefused("encoding_unknown", byte=at) from error


def sniff_delimiter(lines: list[str]) -> str:
    """This function will choose comma, tab or semicolon: the most frequent one outside quotes in the first line with text."""
    bare = _QUOTED.sub("", next((line for line in lines if line.strip()), ""))
    return max(_DELIMITERS, key=bare.count)


def _records(lines: _Lines, delimiter: str, encoding: Encoding, limits: Limits, offset: int) -> Iterator[RawRow]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number, broken, width = offset, 0, 0
    record = lines.record
    while True:
        if width and not encoding.damaged and (block := lines.block()):
            rows = _whole_block(block, delimiter, width, limits.cell_chars)
            if rows is not None:
                yield from map(RawRow, range(number + 1, number + 1 + len(rows)), rows, repeat(()), repeat(True))
                number += len(rows)
                continue
            lines.wait(block)
        record.clear()
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _OutOfReach):
            cells = []
            wrong = True
        else:
            # A record over several lines whose width differs from the others is an open quote that met a later one.
            wrong = len(record) > 1 and bool(width) and len(cells) != width
        if wrong:
            broken += 1
            if broken > limits.broken_rows:
                raise FileRefused("quotes_broken", limit=limits.broken_rows)
            yield _broken_row(lines, number, delimiter, limits)
            continue
        if len(record) == 1:
            line = record[0]
            plain = "\0" not in line and "'" not in line and len(line) < _LINE_CHARS and not encoding.damaged
        else:
            line, plain = "".join(record), False
        if plain:
            width = width or (len(cells) if len(cells) > 1 else 0)
            yield RawRow(number, cells)
            continue
        if len(record) == 1 and len(line) >= _LINE_CHARS and not line.endswith(("\n", "\r")):
            lines.skip_rest_of_line()
            yield RawRow(number, [cell[:100] for cell in cells], (("line_too_long", None, {"limit": _LINE_CHARS}),))
            continue
        width = width or (len(cells) if len(cells) > 1 else 0)
        if "'" in line:
            cells = [restore(cell) for cell in cells]
        yield RawRow(number, cells, _text_problems(line, cells))


def _whole_block(block: str, delimiter: str, width: int, longest: int) -> list[list[str]] | None:
    # The quick way for nearly all of a file: every line is one record, nothing in it needs a second look.
    if "\0" in block or max(map(len, block.split("\n"))) > longest:
        return None
    if "'" in block and (delimiter not in _DELIMITERS or _APOSTROPHE.search(block)):
        return None
    reader = csv.reader(io.StringIO(block, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = list(reader)
    except csv.Error:
        return None
    if '"' in block and (reader.line_num != len(rows) or any(len(row) != width for row in rows)):
        return None
    return rows


def _broken_row(lines: _Lines, number: int, delimiter: str, limits: Limits) -> RawRow:
    lines.give_back()
    line = lines.record[0]
    problem: tuple[str, int | None, Params] = ("quote", None, {})
    if len(line) >= _LINE_CHARS and not line.endswith(("\n", "\r")):
        lines.skip_rest_of_line()
        problem = ("line_too_long", None, {"limit": _LINE_CHARS})
    elif max(map(len, line.split(delimiter))) > csv.field_size_limit():
        problem = ("cell_too_long", None, {"limit": limits.cell_chars})
    return RawRow(number, [part[: limits.cell_chars] for part in line.rstrip("\r\n").split(delimiter)], (problem,))


def _text_problems(line: str, cells: list[str]) -> tuple[tuple[str, int | None, Params], ...]:
    found: list[tuple[str, int | None, Params]] = []
    if "\0" in line:
        found += [("nul", i, {}) for i, cell in enumerate(cells) if "\0" in cell]
    if _SURROGATE.search(line):
        found += [("bad_bytes", i, {}) for i, cell in enumerate(cells) if _SURROGATE.search(cell)]
    return tuple(found)

"""What reading a file gives: tables, rows, limits, and the assembly of rows under a header."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .problems import FileRefused, Params, RowProblem

RATIO_FLOOR_BYTES = 16 * 2**20
"""Below this size a high compression ratio harms nobody and is common in tables."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may hold."""

    rows: int = 5_000_000
    cell_chars: int = 32_767
    columns: int = 512
    csv_bytes: int = 4 * 2**30
    xlsx_bytes: int = 2**30
    ratio: int = 200
    sheet_cells: int = 20_000_000
    """Cells in the rectangle that a sheet spans, empty ones included: one far cell must not fill the memory."""
    members: int = 2_000
    broken_rows: int = 1_000
    """Rows with unbalanced quotes before the file counts as broken."""


class Row(NamedTuple):
    """One row below the header; ``number`` is the one a spreadsheet shows. A row with problems isn't to be taken in."""

    number: int
    cells: dict[str, str]
    problems: tuple[RowProblem, ...] = ()
    extra: tuple[str, ...] = ()
    """Cells beyond the header, kept so that a refused row can be handed back whole."""


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet or one text file. ``rows`` can be walked once, before the next table is asked for."""

    file: str
    sheet: str
    header: tuple[str, ...]
    """The header as written, trimmed; it may hold blanks and duplicates."""
    columns: tuple[str, ...]
    """The keys of ``Row.cells``: the header with blanks and duplicates made distinct."""
    rows: Iterator[Row]
    header_row: int = 1
    titles: tuple[str, ...] = ()
    """Lines of one cell above the header (标题行)."""
    hidden: bool = False
    formulas: int = 0
    """How many cells hold a formula; their stored results were read."""
    encoding: str = ""


class RawRow(NamedTuple):
    """A row before the header is known; problems carry a column index or None for the row."""

    number: int
    cells: Sequence[str]
    problems: tuple[tuple[str, int | None, Params], ...] = ()
    short: bool = False
    """Whether the reader knows that no cell is too long."""


def unique_columns(header: Sequence[str]) -> tuple[str, ...]:
    """This function will make header texts distinct: blanks become ``列3``, a second ``名称`` becomes ``名称 (2)``."""
    taken: set[str] = set(header)
    given: set[str] = set()
    columns = []
    for i, name in enumerate(header, start=1):
        candidate = name or f"列{i}"
        count = 2
        while candidate in given or (candidate != name and candidate in taken):
            candidate = f"{name or f'列{i}'} ({count})"
            count += 1
        given.add(candidate)
        columns.append(candidate)
    return tuple(columns)


def assemble(
    raw: Iterator[RawRow],
    *,
    file: str,
    sheet: str,
    limits: Limits,
    strict_width: bool,
    hidden: bool = False,
    formulas: int = 0,
    encoding: str = "",
) -> Table | None:
    """This function will find the header and give the table, or None when there is no row that isn't blank.

    Rows of one cell above a wider row are titles. ``strict_width`` makes a row with fewer cells than the header a problem.

    Raises: FileRefused when the header can't be read or is too wide.
    """
    head: RawRow | None = None
    titles: list[RawRow] = []
    held: RawRow | None = None
    for row in raw:
        filled = sum(1 for cell in row.cells if cell.strip())
        if not filled and not row.problems:
            continue
        if filled == 1 and len(row.cells) > 1 and len(titles) < 5 and not row.problems:
            titles.append(row)
            continue
        if titles and filled < 2:
            held = row
            break
        head = row
        break
    if head is None:
        if not titles:
            return None
        # Nothing wider follows: the first line of one cell is the header, the others are its rows.
        head, raw, titles = titles[0], _chain(titles[1:], held, raw), []
    names = tuple(next(cell.strip() for cell in row.cells if cell.strip()) for row in titles)
    return _table(head, raw, names, file, sheet, limits, strict_width, hidden, formulas, encoding)


def _chain(first: Sequence[RawRow], held: RawRow | None, rest: Iterator[RawRow]) -> Iterator[RawRow]:
    yield from first
    if held is not None:
        yield held
    yield from rest


def _table(
    head: RawRow,
    raw: Iterator[RawRow],
    titles: tuple[str, ...],
    file: str,
    sheet: str,
    limits: Limits,
    strict_width: bool,
    hidden: bool,
    formulas: int,
    encoding: str,
) -> Table:
    if head.problems:
        raise FileRefused("header_broken")
    header = [cell.strip().strip("\ufeff").strip() for cell in head.cells]
    while header and not header[-1]:
        header.pop()
    if len(header) > limits.columns:
        raise FileRefused("too_many_columns", limit=limits.columns)
    columns = unique_columns(header)
    rows = _rows(raw, columns, sheet, limits, strict_width)
    return Table(file, sheet, tuple(header), columns, rows, head.number, titles, hidden, formulas, encoding)


def _rows(
    raw: Iterator[RawRow], columns: tuple[str, ...], sheet: str, limits: Limits, strict_width: bool
) -> Iterator[Row]:
    width, count, longest = len(columns), 0, limits.cell_chars
    for number, cells, problems, short in raw:
        if len(cells) == width and not problems and (short or len("".join(cells)) <= longest) and any(cells):
            count += 1
            if count > limits.rows:
                raise FileRefused("too_many_rows", limit=limits.rows)
            yield Row(number, dict(zip(columns, cells, strict=True)))
            continue
        if not problems and not any(cells):
            continue
        count += 1
        if count > limits.rows:
            raise FileRefused("too_many_rows", limit=limits.rows)
        yield _checked(number, cells, problems, columns, sheet, longest, strict_width)


def _checked(
    number: int,
    cells: Sequence[str],
    problems: tuple[tuple[str, int | None, Params], ...],
    columns: tuple[str, ...],
    sheet: str,
    longest: int,
    strict_width: bool,
) -> Row:
    width = len(columns)
    found = [
        RowProblem(sheet, number, "" if at is None else columns[at] if at < width else f"列{at + 1}", code, params)
        for code, at, params in problems
    ]
    extra = tuple(cells[width:])
    if not problems:
        if len(cells) < width and strict_width:
            params: Params = {"found": len(cells), "wanted": width}
            found.append(RowProblem(sheet, number, columns[len(cells)], "short_row", params))
        if any(extra):
            found.append(RowProblem(sheet, number, "", "extra_cells", {"wanted": width}))
        for i, cell in enumerate(cells[:width]):
            if len(cell) > longest:
                found.append(RowProblem(sheet, number, columns[i], "cell_too_long", {"limit": longest}))
    padded = [*cells[:width], *[""] * (width - len(cells))]
    return Row(number, dict(zip(columns, padded, strict=True)), tuple(found), extra if any(extra) else ())

"""Import files spoiled in every known way, each with good rows and bad rows planted, and what must become of them."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from xml.sax.saxutils import escape

HEADER = ("名称", "地址", "统一社会信用代码", "场所类型", "街道", "所属区", "状态日期", "经度", "纬度", "坐标系")
STREETS = (("和平街道", "东区"), ("建设街道", "东区"), ("和平街道", "西区"), ("胜利街道", "西区"))
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
EMPTY = ("",) * len(HEADER)


@dataclass
class Case:
    """Files to import at once, the names of the planted good rows, and the problems that must be named."""

    name: str
    files: list[Path] = field(default_factory=list)
    good: list[str] = field(default_factory=list)
    bad: list[tuple[str, int, str, str]] = field(default_factory=list)
    """File, row as a spreadsheet counts, column header (``*``: any), code."""
    broken: list[tuple[str, str]] = field(default_factory=list)
    """File and code of files that must be refused as a whole; ``*``: any code, or rows read from it."""
    refused_more: bool = False
    """Whether one fault may cost more rows than those planted as bad (the rest of the file still counts)."""


@dataclass
class Draft:
    """Rows before they become a file; good rows are kept apart from bad ones by their problem."""

    rng: Random
    stem: str
    rows: list[list[str]] = field(default_factory=list)
    faults: list[tuple[str, str] | None] = field(default_factory=list)
    """For each row the column and code of its fault, None for a good row."""

    @property
    def good(self) -> list[str]:
        """Names of the good rows."""
        return [row[0] for row, fault in zip(self.rows, self.faults, strict=True) if fault is None]

    def bad(self, file: str, first: int = 2) -> list[tuple[str, int, str, str]]:
        """The problems that must be named when the first row stands in line ``first``."""
        return [(file, first + n, *fault) for n, fault in enumerate(self.faults) if fault is not None]


def good_row(rng: Random, name: str) -> list[str]:
    """Return a row that must be taken in, written in one of many harmless ways."""
    street, district = rng.choice(STREETS)
    number = str(rng.randint(1, 999))
    address = f"{rng.choice('甲乙丙丁')}路{number.translate(FULL_WIDTH) if rng.random() < 0.3 else number}号"
    day = rng.choice(("", "2026-01-05", "2026/1/5", "2026.1.5", "2026年1月5日", "20260105", "２０２６-０１-０５"))
    code = rng.choice(("", "", "9.11E+17", "91110105MA00TEST", "911101050000000000", "无"))
    kind = rng.choice(("饭店", "仓库", "学校", "没听说过的类型", ""))
    place = ["116.4", "39.9", "WGS-84"] if rng.random() < 0.3 else ["", "", ""]
    return [name, address, code, kind, street, district, day, *place]


def bad_row(rng: Random, name: str) -> tuple[list[str], tuple[str, str]]:
    """Return a row that must be refused, with the column and code that must be named."""
    row = good_row(rng, name)
    column, code, spoil = rng.choice(BAD_CELLS)
    for where, text in spoil.items():
        row[HEADER.index(where)] = text
    return row, (column, code)


BAD_CELLS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("状态日期", "no_such_day", {"状态日期": "2026-02-30"}),
    ("状态日期", "no_such_day", {"状态日期": "2026年13月1日"}),
    ("状态日期", "not_a_date", {"状态日期": "去年冬天"}),
    ("状态日期", "not_a_date", {"状态日期": "45000"}),
    ("街道", "area_unknown", {"街道": "不存在街道"}),
    ("街道", "area_ambiguous", {"街道": "和平街道", "所属区": ""}),
    ("经度", "not_a_number", {"经度": "一百一十六", "纬度": "39.9", "坐标系": "WGS-84"}),
    ("经度", "position_wrong", {"经度": "1164", "纬度": "39.9", "坐标系": "WGS-84"}),
    ("纬度", "position_half", {"经度": "116.4", "纬度": "", "坐标系": "WGS-84"}),
    ("经度", "datum_missing", {"经度": "116.4", "纬度": "39.9", "坐标系": ""}),
    ("坐标系", "value_unknown", {"经度": "116.4", "纬度": "39.9", "坐标系": "北京54"}),
    ("名称", "cell_too_long", {"名称": "长" * 201}),
)


def draft(rng: Random, stem: str) -> Draft:
    """Return three to ten good rows with up to four bad ones among them, never without a good row next to a bad one."""
    made = Draft(rng, stem)
    for n in range(rng.randint(3, 10)):
        made.rows.append(good_row(rng, f"{stem}店{n}"))
        made.faults.append(None)
    for n in range(rng.randint(0, 4)):
        row, fault = bad_row(rng, f"{stem}坏{n}")
        at = rng.randint(0, len(made.rows))
        made.rows.insert(at, row)
        made.faults.insert(at, fault)
    return made


# Text files


def text_of(rows: list[list[str]], rng: Random | None = None, delimiter: str = ",") -> str:
    """Return rows as delimited text."""
    out = io.StringIO(newline="")
    quoting = rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)) if rng else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=delimiter, quoting=quoting).writerows(rows)
    return out.getvalue()


def _csv(made: Draft, folder: Path, content: bytes, suffix: str = ".csv", first: int = 2) -> Case:
    path = folder / f"{made.stem}{suffix}"
    path.write_bytes(content)
    return Case("", [path], made.good, made.bad(path.name, first))


def encoded(made: Draft, folder: Path) -> Case:
    """Any encoding, delimiter, line end, quoting."""
    rng = made.rng
    text = text_of([list(HEADER), *made.rows], rng, rng.choice(",;\t"))
    if rng.random() < 0.5:
        text = text.replace("\r\n", "\n")
    name = rng.choice(("utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"))
    return _csv(made, folder, text.encode(name))


def zipped(made: Draft, folder: Path) -> Case:
    """A gzipped text file."""
    return _csv(made, folder, gzip.compress(text_of([list(HEADER), *made.rows]).encode()), ".csv.gz")


def ragged(made: Draft, folder: Path) -> Case:
    """Rows with too few and too many cells."""
    lines = []
    for n, row in enumerate(made.rows):
        if made.faults[n] is None and made.rng.random() < 0.3 and made.good[1:]:
            if made.rng.random() < 0.5:
                made.faults[n] = ("状态日期", "short_row")
                lines.append(row[:6])
            else:
                made.faults[n] = ("", "extra_cells")
                lines.append([*row, "多", "出"])
            continue
        lines.append(row)
    return _csv(made, folder, text_of([list(HEADER), *lines]).encode())


def nul_bytes(made: Draft, folder: Path) -> Case:
    """A NUL in one row."""
    at = made.rng.randrange(len(made.rows))
    made.faults[at] = ("地址", "nul")
    made.rows[at][1] = "建设\0路"
    return _csv(made, folder, text_of([list(HEADER), *made.rows]).encode())


def bad_bytes(made: Draft, folder: Path) -> Case:
    """Bytes that are no text in one row of a UTF-8 file."""
    at = made.rng.randrange(len(made.rows))
    made.faults[at] = ("地址", "bad_bytes")
    made.rows[at][1] = "@@@"
    return _csv(made, folder, text_of([list(HEADER), *made.rows]).encode().replace(b"@@@", b"\xff\xfe\xf5"))


def titled(made: Draft, folder: Path) -> Case:
    """Title lines and blank lines above the header and between rows, more blank rows at the end."""
    above = ["某区监管对象台账", *EMPTY[1:]]
    text = text_of([above, list(HEADER), *made.rows, list(EMPTY), list(EMPTY)])
    return _csv(made, folder, text.encode(), first=3)


def open_quote(made: Draft, folder: Path) -> Case:
    """One row with a quote that is never closed: that row is refused, the others are kept."""
    at = made.rng.randrange(len(made.rows))
    made.faults[at] = ("", "quote")
    lines = text_of([list(HEADER), *made.rows]).split("\r\n")
    lines[at + 1] = f'"{lines[at + 1]}'
    return _csv(made, folder, "\r\n".join(lines).encode())


def nested_quotes(made: Draft, folder: Path) -> Case:
    """Quotes, delimiters, line ends and a formula's beginning inside of cells, properly quoted."""
    for n, row in enumerate(made.rows):
        if made.faults[n] is None:
            row[1] = made.rng.choice(('甲路"1",2号', "甲路\n二层", "=1+1号", "甲路,3号", "'+8号", '"""'))
    return _csv(made, folder, text_of([list(HEADER), *made.rows]).encode())


def long_cells(made: Draft, folder: Path) -> Case:
    """A cell of forty thousand characters, and one of a million."""
    at = made.rng.randrange(len(made.rows))
    made.faults[at] = ("*", "*")
    made.rows[at][1] = "长" * made.rng.choice((40_000, 1_000_000))
    return _csv(made, folder, text_of([list(HEADER), *made.rows]).encode())


def twice(made: Draft, folder: Path) -> Case:
    """The same row once more, and the header once more: nothing new, or one refusal."""
    made.rows.append(list(HEADER))
    made.faults.append(("状态日期", "not_a_date"))
    return _csv(made, folder, text_of([list(HEADER), *made.rows]).encode())


# Workbooks, written by hand so that anything can be put in


def sheet_xml(rows: list[list[str]], extra: str = "") -> str:
    """Return a sheet whose cells are inline texts; a cell that begins with ``<`` is put in as it is."""
    lines = []
    for r, row in enumerate(rows, start=1):
        cells = []
        for c, text in enumerate(row):
            name = f"{chr(65 + c)}{r}"
            if text.startswith("<"):
                cells.append(text.replace("@", name))
            elif text:
                cells.append(f'<c r="{name}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>')
        lines.append(f'<row r="{r}">{"".join(cells)}</row>')
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<sheetData>{''.join(lines)}</sheetData>{extra}</worksheet>"
    )


def workbook(
    path: Path, sheets: list[tuple[str, str, str]], *, date1904: bool = False, more: dict[str, bytes] | None = None
) -> Path:
    """Write a workbook of sheets: name, state (``visible``, ``hidden``, ``veryHidden``), XML."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{n}" state="{state}" r:id="rId{n}"/>'
        for n, (name, state, _) in enumerate(sheets, start=1)
    )
    properties = '<workbookPr date1904="1"/>' if date1904 else "<workbookPr/>"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/>'
        + "".join(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{kind}.worksheet+xml"/>'
                  for n in range(1, len(sheets) + 1)) + "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
        f'Type="{relation}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        f'xmlns:r="{relation}">{properties}<sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        + "".join(f'<Relationship Id="rId{n}" Type="{relation}/worksheet" Target="worksheets/sheet{n}.xml"/>'
                  for n in range(1, len(sheets) + 1))
        + f'<Relationship Id="rId99" Type="{relation}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders>'
        '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
    }  # fmt: skip
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
        for n, (_, _, xml) in enumerate(sheets, start=1):
            archive.writestr(f"xl/worksheets/sheet{n}.xml", xml)
        for name, content in (more or {}).items():
            archive.writestr(name, content)
    return path


def _xlsx(made: Draft, folder: Path, rows: list[list[str]], extra: str = "", **more: bool) -> Case:
    path = workbook(
        folder / f"{made.stem}.xlsx", [("台账", "visible", sheet_xml([list(HEADER), *rows], extra))], **more
    )
    return Case("", [path], made.good, made.bad(path.name))


def plain_workbook(made: Draft, folder: Path) -> Case:
    """A workbook like any other."""
    return _xlsx(made, folder, made.rows)


def merged_cells(made: Draft, folder: Path) -> Case:
    """Merged cells: an upper left one holds the value, the others are empty."""
    return _xlsx(
        made, folder, made.rows, '<mergeCells count="2"><mergeCell ref="C2:D2"/><mergeCell ref="L2:M9"/></mergeCells>'
    )


def hidden_sheet(made: Draft, folder: Path) -> Case:
    """A hidden sheet with rows of its own: read like the others."""
    other = draft(made.rng, f"{made.stem}隐")
    state = made.rng.choice(("hidden", "veryHidden"))
    sheets = [("台账", "visible", sheet_xml([list(HEADER), *made.rows])),
              ("附表", state, sheet_xml([list(HEADER), *other.rows]))]  # fmt: skip
    path = workbook(folder / f"{made.stem}.xlsx", sheets)
    return Case("", [path], made.good + other.good, made.bad(path.name) + other.bad(path.name))


def date_cells(made: Draft, folder: Path) -> Case:
    """Real dates, counted from 1900 or from 1904."""
    for n, row in enumerate(made.rows):
        if made.faults[n] is None:
            row[6] = f'<c r="@" s="1"><v>{made.rng.randint(43000, 44500)}</v></c>'
    return _xlsx(made, folder, made.rows, date1904=made.rng.random() < 0.5)


def number_codes(made: Draft, folder: Path) -> Case:
    """A long code stored as a number: its last digits are lost, so the row is refused with that reason."""
    at = made.rng.randrange(len(made.rows))
    made.faults[at] = ("统一社会信用代码", "precision_lost")
    made.rows[at][2] = '<c r="@"><v>9.11101050000000E+17</v></c>'
    return _xlsx(made, folder, made.rows)


def formula_cells(made: Draft, folder: Path) -> Case:
    """Formulas: one with its stored result counts, one without or with an error is refused."""
    good = [n for n, fault in enumerate(made.faults) if fault is None]
    stored, *rest = made.rng.sample(good, min(3, len(good)))
    made.rows[stored][1] = '<c r="@" t="str"><f>CONCATENATE("甲路","1号")</f><v>甲路1号</v></c>'
    for n in rest[:1]:
        made.rows[n][1] = '<c r="@" t="e"><f>1/0</f><v>#DIV/0!</v></c>'
        made.faults[n] = ("地址", "error_cell")
    for n in rest[1:2]:
        made.rows[n][1] = '<c r="@"><f>A1&amp;"x"</f></c>'
        made.faults[n] = ("地址", "formula_without_value")
    return _xlsx(made, folder, made.rows)


# Files that are refused as a whole, beside a good one


def _beside(made: Draft, folder: Path, spoiled: Path, code: str) -> Case:
    case = _csv(made, folder, text_of([list(HEADER), *made.rows]).encode())
    case.files.insert(made.rng.randint(0, 1), spoiled)
    case.broken.append((spoiled.name, code))
    return case


def truncated(made: Draft, folder: Path) -> Case:
    """A workbook or gzip cut off in the middle."""
    other = draft(made.rng, f"{made.stem}断")
    whole = _xlsx(other, folder, other.rows).files[0]
    data = whole.read_bytes()
    whole.write_bytes(data[: made.rng.randint(30, len(data) - 30)])
    return _beside(made, folder, whole, "xlsx_broken")


def zip_bomb(made: Draft, folder: Path) -> Case:
    """A workbook that is fifty megabytes of spaces once unpacked."""
    xml = sheet_xml([list(HEADER)]).replace("<sheetData>", "<sheetData>" + " " * (50 << 20)).encode()
    path = workbook(folder / f"{made.stem}弹.xlsx", [("台账", "visible", xml.decode())])
    return _beside(made, folder, path, "ratio")


def gzip_bomb(made: Draft, folder: Path) -> Case:
    """A gzip that is fifty megabytes of one letter once unpacked."""
    path = folder / f"{made.stem}弹.csv.gz"
    path.write_bytes(gzip.compress(b"a" * (50 << 20), 1))
    return _beside(made, folder, path, "ratio")


def entities(made: Draft, folder: Path) -> Case:
    """A sheet that declares an external entity."""
    secret = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet'
    xml = sheet_xml([list(HEADER), ["&e;", *EMPTY[1:]]]).replace("<worksheet", secret, 1).replace("&amp;e;", "&e;")
    path = workbook(folder / f"{made.stem}外.xlsx", [("台账", "visible", xml)])
    return _beside(made, folder, path, "xlsx_entity")


def other_kind(made: Draft, folder: Path) -> Case:
    """Something else under the name of a table: an old workbook, a PDF, nothing at all, a picture."""
    content, suffix, code = made.rng.choice(
        (
            (b"\xd0\xcf\x11\xe0" + b"x" * 600, ".xlsx", "xlsx_encrypted"),
            (b"%PDF-1.7 x", ".csv", "kind_differs"),
            (b"", ".csv", "file_empty"),
            (b"", ".xlsx", "file_empty"),
            (b"x" * 50, ".xlsx", "xlsx_not_zip"),
            (b"\x1f\x8b" + b"\0" * 40, ".csv.gz", "*"),
            (b"a,b", ".doc", "kind_unknown"),
            (b"\x00" * 3000, ".csv", "*"),
        )
    )
    path = folder / f"{made.stem}异{suffix}"
    path.write_bytes(content)
    return _beside(made, folder, path, code)


def random_bytes(made: Draft, folder: Path) -> Case:
    """Bytes changed at random in a workbook: refused, or read; never a traceback, and the good file beside it counts."""
    other = draft(made.rng, f"{made.stem}乱")
    path = _xlsx(other, folder, other.rows).files[0]
    data = bytearray(path.read_bytes())
    for _ in range(made.rng.randint(1, 40)):
        data[made.rng.randrange(len(data))] = made.rng.randrange(256)
    path.write_bytes(bytes(data))
    return _beside(made, folder, path, "*")


def wrong_header(made: Draft, folder: Path) -> Case:
    """A table of something else: refused by its header."""
    path = folder / f"{made.stem}另.csv"
    path.write_text("甲,乙\r\n1,2\r\n", encoding="utf-8")
    return _beside(made, folder, path, "*")


MUTATORS: tuple[Callable[[Draft, Path], Case], ...] = (
    encoded, zipped, ragged, nul_bytes, bad_bytes, titled, open_quote, nested_quotes, long_cells, twice, plain_workbook,
    merged_cells, hidden_sheet, date_cells, number_codes, formula_cells, truncated, zip_bomb, gzip_bomb, entities,
    other_kind, random_bytes, wrong_header,
)  # fmt: skip


def case(seed: int, folder: Path) -> Case:
    """Return the case of a number: always the same for the same number."""
    rng = Random(seed)
    mutate = MUTATORS[seed % len(MUTATORS)]
    made = mutate(draft(rng, f"例{seed}"), folder)
    made.name = f"{seed} {mutate.__name__}"
    return made

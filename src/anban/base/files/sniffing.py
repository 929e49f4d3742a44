"""What a file is, told by its content alone; its name and what the browser says of it count for nothing."""

from __future__ import annotations

import codecs
import gzip
import zipfile
import zlib
from pathlib import Path

from anban.rules.errors import Refusal, register

register(
    "file.type_unknown",
    zh="不支持这种文件。可以上传 JPEG、PNG、WebP 图片，PDF，XLSX 和 CSV 表格。",
    en="This kind of file is not taken. JPEG, PNG and WebP pictures, PDF, XLSX and CSV tables are.",
)
register(
    "file.type_not_here",
    zh="这里不能上传这种文件（{mime}）。",
    en="This kind of file ({mime}) cannot be used here.",
)
register(
    "file.heic",
    zh="暂不支持 HEIC 照片。请在手机“设置—相机—格式”中选“兼容性最佳”，或先转成 JPEG 再上传。",
    en="HEIC photos are not taken. Choose “Most Compatible” under Settings, Camera, Formats, or save the photo as JPEG first.",
)
register(
    "file.broken", zh="文件已损坏或不完整，请重新上传。", en="The file is damaged or incomplete; please send it again."
)
register(
    "file.bomb",
    zh="文件解压后过大，没有保存。",
    en="The file unpacks to far more than it should and was not kept.",
)

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"
PDF = "application/pdf"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV, GZIP = "text/csv", "application/gzip"
PICTURES = frozenset({JPEG, PNG, WEBP})
TABLES = frozenset({XLSX, CSV, GZIP})
DOCUMENTS = frozenset({PDF, XLSX, CSV})
ANYTHING = PICTURES | DOCUMENTS | TABLES
EXTENSIONS = {JPEG: ".jpg", PNG: ".png", WEBP: ".webp", PDF: ".pdf", XLSX: ".xlsx", CSV: ".csv", GZIP: ".csv.gz"}

HEAD = 64 * 1024
TAIL = 4 * 1024
HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
MOST_MEMBERS = 10_000
MOST_UNPACKED = 4 * 1024**3
UNPACKED_UNASKED = 256 * 1024**2
MOST_RATIO = 200


def mime_of(path: Path) -> str:
    """Return the media type of a file by its content.

    Raises: file.heic, file.type_unknown, file.broken, file.bomb.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS:
        raise Refusal("file.heic", "file")
    if b"%PDF-" in head[:1024]:
        return _pdf(path)
    if head.startswith(b"PK\x03\x04"):
        return _workbook(path)
    if head.startswith(b"\x1f\x8b"):
        return _packed_table(path)
    if _is_table(head, whole=len(head) < HEAD):
        return CSV
    raise Refusal("file.type_unknown", "file")


def _pdf(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL))
        if b"%%EOF" not in file.read():
            raise Refusal("file.broken", "file")
    return PDF


def _workbook(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise Refusal("file.broken", "file") from error
    names = {member.filename for member in members}
    if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
        raise Refusal("file.type_unknown", "file")
    unpacked = sum(member.file_size for member in members)
    too_dense = unpacked > UNPACKED_UNASKED and unpacked > MOST_RATIO * path.stat().st_size
    if len(members) > MOST_MEMBERS or unpacked > MOST_UNPACKED or too_dense:
        raise Refusal("file.bomb", "file")
    return XLSX


def _packed_table(path: Path) -> str:
    try:
        with gzip.open(path) as packed:
            head = packed.read(HEAD)
    except (OSError, EOFError, zlib.error) as error:
        raise Refusal("file.broken", "file") from error
    if not _is_table(head, whole=len(head) < HEAD):
        raise Refusal("file.type_unknown", "file")
    return GZIP


def _is_table(head: bytes, *, whole: bool) -> bool:
    """Tell whether this is the beginning of a text with rows and columns: neither markup nor a script."""
    if b"\0" in head or not head.strip():
        return False
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(head, final=whole)
        except UnicodeDecodeError:
            continue
        # What is not text decodes as GB 18030 now and then, but not without control characters.
        if any(ord(char) < 32 and char not in "\t\r\n\f" for char in text):
            return False
        start = text.lstrip()
        first_line = start.splitlines()[0] if start else ""
        return not start.startswith(("<", "#!", "{", "[")) and any(mark in first_line for mark in ",;\t|")
    return False

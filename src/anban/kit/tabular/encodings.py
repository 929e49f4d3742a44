"""Opening text files: plain or gzipped, with a limit, and deciding their encoding from the whole content, streaming."""

import codecs
import gzip
import re
import zlib
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from .problems import FileRefused
from .tables import RATIO_FLOOR_BYTES, Limits

_CHUNK = 1 << 20
_ESCAPED = re.compile("[\udc80-\udcff]")
_NOT_ASCII = re.compile("[^\x00-\x7f]+")
# A damaged file still counts as text of an encoding when three characters beyond ASCII are whole for each broken byte
# (the wrong codec breaks most of them), or as ASCII when at most one byte in a hundred is broken.
_WHOLE_PER_BROKEN = 3
_BYTES_PER_BROKEN = 100


class Encoding(NamedTuple):
    """The name for a decoder, the bytes of the mark at the start, and whether some bytes don't decode."""

    name: str
    damaged: bool = False


class _Tally:
    """One codec run over the whole content: how many characters beyond ASCII, how many bytes that don't decode."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._decoder = codecs.getincrementaldecoder(name)("surrogateescape")
        self.foreign = self.broken = self.common = 0

    def feed(self, chunk: bytes, final: bool = False) -> None:
        text = self._decoder.decode(chunk, final)
        if text.isascii():
            return
        for run in _NOT_ASCII.findall(text):
            broken = len(_ESCAPED.findall(run))
            self.broken += broken
            self.foreign += len(run) - broken
            if self.name == "gb18030":
                self.common += len(run.encode("gb2312", "ignore")) // 2


def open_bytes(path: Path, *, gzipped: bool) -> BinaryIO:
    """This function will open a file for reading its bytes, decompressed where it is gzipped."""
    return cast(BinaryIO, gzip.open(path, "rb")) if gzipped else path.open("rb")


def decide_encoding(path: Path, *, gzipped: bool, limits: Limits) -> Encoding:
    """This function will read the whole file once, in pieces, and say which encoding it has.

    A mark at the start (UTF-8, UTF-16) decides. Otherwise strict UTF-8, then strict GB18030 whose characters are mostly
    those of GB 2312 (Latin-1 text also decodes as GB18030, to nonsense), then either with a few broken bytes, so that a
    damaged row costs that row only.

    Raises: FileRefused ``encoding_unknown`` with the first byte that isn't UTF-8 (counted from 1), ``file_empty``,
    ``gzip_broken``, ``too_large``, ``ratio``.
    """
    packed = path.stat().st_size
    first_bad, position, head = 0, 0, b""
    strict = codecs.getincrementaldecoder("utf-8")()
    tallies: tuple[_Tally, _Tally] | None = None
    try:
        with open_bytes(path, gzipped=gzipped) as stream:
            while chunk := stream.read(_CHUNK):
                head = head or chunk[:4]
                if tallies is None:
                    pending = len(strict.getstate()[0])
                    try:
                        strict.decode(chunk)
                    except UnicodeDecodeError as error:
                        first_bad = position - pending + error.start + 1
                        tallies = _retell(path, position, gzipped)
                if tallies is not None:
                    for tally in tallies:
                        tally.feed(chunk)
                position += len(chunk)
                if position > limits.csv_bytes:
                    raise FileRefused("too_large", limit=limits.csv_bytes)
                if gzipped and position > RATIO_FLOOR_BYTES and position > packed * limits.ratio:
                    raise FileRefused("ratio", limit=limits.ratio)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileRefused("gzip_broken") from error
    if not position:
        raise FileRefused("file_empty")
    if tallies is None and (cut := len(strict.getstate()[0])):
        first_bad = position - cut + 1
        tallies = _retell(path, position, gzipped)
    return _judge(head, tallies, first_bad, position)


def _retell(path: Path, until: int, gzipped: bool) -> tuple[_Tally, _Tally]:
    # UTF-8 was right up to here, so only now the beginning is read again for the slower count.
    tallies = _Tally("utf-8"), _Tally("gb18030")
    with open_bytes(path, gzipped=gzipped) as stream:
        while until > 0 and (chunk := stream.read(min(_CHUNK, until))):
            until -= len(chunk)
            for tally in tallies:
                tally.feed(chunk)
    return tallies


def _judge(head: bytes, tallies: tuple[_Tally, _Tally] | None, first_bad: int, size: int) -> Encoding:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Encoding("utf-16")
    marked = head.startswith(codecs.BOM_UTF8)
    if tallies is None:
        return Encoding("utf-8-sig")
    utf8, gb = tallies
    for tally in tallies:
        tally.feed(b"", final=True)
    mostly_utf8 = utf8.foreign >= _WHOLE_PER_BROKEN * utf8.broken
    if marked or mostly_utf8:
        return Encoding("utf-8-sig", damaged=True)
    if gb.foreign >= _WHOLE_PER_BROKEN * gb.broken and gb.common * 2 >= gb.foreign > 0:
        return Encoding("gb18030", damaged=gb.broken > 0)
    if utf8.broken * _BYTES_PER_BROKEN <= size:
        return Encoding("utf-8-sig", damaged=True)
    raise FileRefused("encoding_unknown", byte=first_bad)

"""Cell texts to values: days, whole numbers, decimals; full-width digits are read like others."""

import re
import unicodedata
from datetime import date, timedelta
from decimal import Decimal

from .problems import CellProblem

_DATE = re.compile(
    r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|年(\d{1,2})月(\d{1,2})[日号]?)"
    r"(?:[T ]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d+)?)?)?",
    re.ASCII,
)
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_SERIAL = re.compile(r"\d{1,7}(?:\.\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.0+)?", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?", re.ASCII)
_MAX_DIGITS = 30
_SHOWN_CHARS = 40


def parse_date(text: str, *, serial: bool = False) -> date:
    """This function will read ``2026-01-05``, ``2026/1/5``, ``2026.1.5``, ``20260105`` or ``2026年1月5日``.

    A time of day behind it is checked and dropped. A serial number of a spreadsheet (days since 1899-12-30, from
    1900-03-01 on, where the two known ways of counting agree) is read only when ``serial`` says that the column holds it.

    Raises: CellProblem ``blank``, ``not_a_date``, ``no_such_day``.
    """
    clean = _clean(text)
    if serial and _SERIAL.fullmatch(clean):
        days = int(clean.split(".")[0])
        if not 61 <= days <= 2_958_465:
            raise CellProblem("not_a_date", text=_shown(clean))
        return date(1899, 12, 30) + timedelta(days=days)
    match = _DATE.fullmatch(clean) or _COMPACT_DATE.fullmatch(clean)
    if match is None:
        raise CellProblem("not_a_date", text=_shown(clean))
    if match.re is _COMPACT_DATE:
        year, month, day = match.groups()
    else:
        year, month, day = match[1], match[3] or match[5], match[4] or match[6]
        if match[7] is not None and not (int(match[7]) < 24 and int(match[8]) < 60 and int(match[9] or 0) < 60):
            raise CellProblem("not_a_date", text=_shown(clean))
    try:
        return date(int(year), int(month), int(day))
    except ValueError as error:
        raise CellProblem("no_such_day", text=_shown(clean)) from error


def parse_int(text: str) -> int:
    """This function will read a whole number, with or without thousands commas or a tail of ``.0``.

    Raises: CellProblem ``blank``, ``not_an_integer``, ``number_too_long``.
    """
    clean = _clean(text)
    if not _INTEGER.fullmatch(clean):
        raise CellProblem("not_an_integer", text=_shown(clean))
    return int(_short(clean.split(".")[0].replace(",", "")))


def parse_decimal(text: str) -> Decimal:
    """This function will read a decimal number exactly, with or without thousands commas.

    Raises: CellProblem ``blank``, ``not_a_number``, ``number_too_long``.
    """
    clean = _clean(text)
    if not _DECIMAL.fullmatch(clean):
        raise CellProblem("not_a_number", text=_shown(clean))
    return Decimal(_short(clean.replace(",", "")))


def _clean(text: str) -> str:
    clean = unicodedata.normalize("NFKC", text).replace("−", "-").strip()
    if not clean:
        raise CellProblem("blank")
    return clean


def _short(digits: str) -> str:
    if len(digits) > _MAX_DIGITS:
        raise CellProblem("number_too_long", limit=_MAX_DIGITS)
    return digits


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"

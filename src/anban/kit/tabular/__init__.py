"""Tables in files: reading them without trust, writing them for spreadsheets, matching headers, reading cells."""

from .cells import parse_date, parse_decimal, parse_int
from .formulas import neutralise, restore
from .headers import ColumnMatch, Wanted, match_columns
from .problems import TEXTS, CellProblem, FileRefused, RowProblem
from .reading import read_tables
from .tables import Limits, Row, Table
from .writing import NotWritable, write_csv, write_xlsx

__all__ = [
    "TEXTS",
    "CellProblem",
    "ColumnMatch",
    "FileRefused",
    "Limits",
    "NotWritable",
    "Row",
    "RowProblem",
    "Table",
    "Wanted",
    "match_columns",
    "neutralise",
    "parse_date",
    "parse_decimal",
    "parse_int",
    "read_tables",
    "restore",
    "write_csv",
    "write_xlsx",
]

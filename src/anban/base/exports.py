"""What a context hands to whole-city analysis: tables, typed columns, and which ledger rows they change with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from django.utils.module_loading import autodiscover_modules

Kind = Literal["key", "id", "text", "int", "float", "bool", "date", "instant_day", "street"]
"""``key``: an id as a whole number of 60 bits, for joins; ``id``: the whole id as 32 hexadecimal digits; ``instant_day``: an
instant as the day of the root's own city; ``street``: an area's path cut at the street."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in the lake, its kind, and the column of the database that it is read from."""

    name: str
    kind: Kind
    source: str


@dataclass(frozen=True, slots=True)
class Export:
    """One table of the lake.

    ``source`` is what stands behind FROM; ``root`` names the area root's column and ``period`` the lake column whose year
    parts the files (empty: not parted by time). ``changed_by`` says with which sealed rows it changes: (database table, column
    of the source, key column of the lake); empty means that the table is small and is read whole each time. ``version`` goes
    up when a column's meaning changes: the lake is then read whole once.
    """

    name: str
    version: int
    source: str
    root: str
    columns: tuple[Column, ...]
    period: str = ""
    changed_by: tuple[tuple[str, str, str], ...] = ()
    unique: str = ""
    """A key column that must name each row once: an id whose last 60 bits are another's is refused, not mixed up."""


_exports: Final[dict[str, Export]] = {}


def declare(export: Export) -> Export:
    """Enter a table into what the lake reads. Raises: ValueError for a name that already means another table."""
    known = _exports.get(export.name)
    if known is not None and known != export:
        message = f"the lake's table {export.name!r} is declared twice"
        raise ValueError(message)
    names = {column.name for column in export.columns}
    missing = {key for _, _, key in export.changed_by} | {export.period, export.unique} - {""}
    if not (missing - {""}) <= names or "root" in names or "period" in names:
        message = f"the lake's table {export.name!r} names columns that it does not have"
        raise ValueError(message)
    _exports[export.name] = export
    return export


def exports() -> tuple[Export, ...]:
    """Return every declared table, by name; the modules ``exporters`` of all apps are looked through at the first asking."""
    autodiscover_modules("exporters")
    return tuple(_exports[name] for name in sorted(_exports))

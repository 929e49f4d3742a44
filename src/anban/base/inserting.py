"""Inserting many rows of one table by the driver: values are prepared outside the transaction, the lock is held to write only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, models

Converter = Callable[[Any], Any]
M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True, slots=True)
class Prepared:
    """The rows of one table as the driver takes them."""

    statement: str
    values: Sequence[tuple[Any, ...]]


def prepared(rows: Iterable[models.Model]) -> Prepared | None:
    """This function will prepare rows of one model for ``insert``, a fraction of the cost of ``bulk_create``; None for no rows.

    Every column is written as the row has it: keys and defaults must be there, as they are in any new model instance.
    """
    listed = list(rows)
    if not listed:
        return None
    statement, columns = _shape(type(listed[0]), connection.vendor)
    return Prepared(
        statement,
        [
            tuple(
                value if convert is None or value is None else convert(value)
                for value, convert in ((getattr(row, name), convert) for name, convert in columns)
            )
            for row in listed
        ],
    )


def insert_new(rows: Iterable[M]) -> list[M]:
    """This function will insert new rows of one model, and return them as rows that the database has."""
    made = list(rows)
    insert(prepared(made))
    for row in made:
        row._state.adding, row._state.db = False, connection.alias
    return made


def insert(*tables: Prepared | None) -> None:
    """This function will insert prepared rows, table by table; the caller's unit of work records what they are."""
    with connection.cursor() as cursor:
        for table in tables:
            if table is not None:
                cursor.executemany(table.statement, table.values)


@cache
def _shape(model: type[models.Model], vendor: str) -> tuple[str, tuple[tuple[str, Converter | None], ...]]:
    fields = [f for f in model._meta.concrete_fields if not isinstance(f, models.AutoField | models.BigAutoField)]
    quote = connection.ops.quote_name
    names = ", ".join(quote(str(f.column)) for f in fields)
    marks = ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({marks})"  # noqa: S608 - names of columns
    return statement, tuple((f.attname, _converter(f, vendor)) for f in fields)


def _converter(field: Any, vendor: str) -> Converter | None:
    """Return what turns a value into what the driver takes, None where it takes the value as it is."""
    target = field
    while isinstance(target, models.ForeignKey):
        target = target.target_field
    if isinstance(target, models.UUIDField):
        return _hex if vendor == "sqlite" else None
    if isinstance(
        target, models.CharField | models.TextField | models.IntegerField | models.BooleanField | models.FloatField
    ):
        # Choices are texts by kind; the driver wants them plain.
        return str if isinstance(target, models.CharField | models.TextField) else None
    return lambda value: target.get_db_prep_save(value, connection)


def _hex(value: UUID) -> str:
    return value.hex

"""A world that many tests begin with: built once through operations, then its rows are put back as they were."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.apps import apps
from django.db import connection

from anban.base.journal.models import Head
from anban.contexts.territory.models import AreaRoot

P = ParamSpec("P")
R = TypeVar("R")
Rows = list[tuple[str, list[tuple[Any, ...]]]]
_kept: dict[Any, tuple[bytes, Rows]] = {}


def replayed(build: Callable[P, R]) -> Callable[P, R]:
    """Let a world built in an empty database be remembered, rows and all, for the next test that asks for the same one.

    The rows are those that the operations wrote, journal and digests included; in a database that is not empty the world is
    built as ever. What it returns must be what a test may change: every caller gets a copy of its own.
    """

    @wraps(build)
    def ask(*args: P.args, **kwargs: P.kwargs) -> R:
        if Head.objects.exists() or AreaRoot.objects.exists():
            return build(*args, **kwargs)
        key = (build, args, tuple(sorted(kwargs.items())), connection.vendor)
        if key not in _kept:
            made = build(*args, **kwargs)
            _kept[key] = pickle.dumps(made), _read()
            return made
        kept, rows = _kept[key]
        _write(rows)
        again: R = pickle.loads(kept)
        return again

    return ask


def _read() -> Rows:
    found: Rows = []
    quote = connection.ops.quote_name
    for model in apps.get_models():
        if not model.__module__.startswith("anban."):
            continue
        names = ", ".join(quote(str(field.column)) for field in model._meta.concrete_fields)
        table = quote(model._meta.db_table)
        with connection.cursor() as cursor:
            # The driver's own values, without the ORM's converters: they go back as they came.
            cursor.execute(f"SELECT {names} FROM {table}")
            rows = list(cursor.fetchall())
        if rows:
            marks = ", ".join(["%s"] * len(rows[0]))
            found.append((f"INSERT INTO {table} ({names}) VALUES ({marks})", rows))
    return found


def _write(rows: Rows) -> None:
    with connection.cursor() as cursor:
        for statement, values in rows:
            cursor.executemany(statement, values)

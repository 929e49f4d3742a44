"""The digest of a ledger row: what the journal says a row was when it was last written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from django.apps import apps
from django.db import models

from anban.kit.canonical import digest

EMPTY = (None, "", False)
_SAFE_INT = 2**53 - 1


def sealed_models() -> tuple[type[models.Model], ...]:
    """Return every model whose rows are digested into the journal."""
    return tuple(model for model in apps.get_models() if getattr(model, "sealed", False))


@cache
def digested_columns(model: type[models.Model]) -> tuple[str, ...]:
    """Return the attribute names that a row's digest covers: every column but the ones derived from others."""
    left_out = set(getattr(model, "undigested", ()))
    return tuple(sorted(f.attname for f in model._meta.concrete_fields if f.name not in left_out))


@cache
def _float_columns(model: type[models.Model]) -> frozenset[str]:
    return frozenset(f.attname for f in model._meta.concrete_fields if isinstance(f, models.FloatField))


def row_name(row: models.Model) -> str:
    """Return the name under which an entry keeps a row's digest: table and compact id."""
    key = row.pk
    return f"{row._meta.db_table}:{key.hex if isinstance(key, UUID) else key}"


def row_digest(row: models.Model) -> str:
    """Return the SHA-256 (hex) of a row's values."""
    values = {name: getattr(row, name) for name in digested_columns(type(row))}
    for name in _float_columns(type(row)):
        # A whole number given to such a column comes back from the database as a float.
        if values.get(name) is not None:
            values[name] = float(values[name])
    return values_digest(values)


def values_digest(values: Mapping[str, Any]) -> str:
    """Return the SHA-256 of named values; empty ones are left out, so that a later release may add a column.

    Zero counts as empty in whole numbers, never in floats: a position of 0.0 is a position.
    """
    plain = {name: _plain(value) for name, value in values.items() if value not in EMPTY or isinstance(value, float)}
    return digest(plain)


def columns_digest(names: Sequence[str]) -> Callable[[Sequence[Any]], str]:
    """Return a function that digests a tuple of values in the order of ``names`` (for verification over cursors).

    The names are ASCII, so the fast writer's order of keys is the canonical one; integers beyond 2^53 take the strict way.
    """

    def of(values: Sequence[Any]) -> str:
        plain: dict[str, str | int | bool] = {}
        for name, value in zip(names, values, strict=True):
            kind = type(value)
            if value is None:
                continue
            if kind is str:
                if value:
                    plain[name] = value
            elif kind is bool:
                if value:
                    plain[name] = True
            elif kind is int:
                if value:
                    if not -_SAFE_INT <= value <= _SAFE_INT:
                        return values_digest(dict(zip(names, values, strict=True)))
                    plain[name] = value
            else:
                plain[name] = _plain(value)
        return sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()

    return of


def tile_id(level: int, index: int) -> int:
    """Return the id that the tile ``index`` of ``level`` is stored under: its place in the tree, so that it can be checked."""
    return level << 48 | index


def _plain(value: Any) -> str | int | bool:
    if isinstance(value, str):
        return value if type(value) is str else str(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    message = f"no digest for a {type(value).__name__}"
    raise TypeError(message)

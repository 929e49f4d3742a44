"""The digest of a ledger row: what the journal says a row was when it was last written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models

from anban.kit.canonical import digest

EMPTY = (None, "", False)


def sealed_models() -> tuple[type[models.Model], ...]:
    """Return every model whose rows are digested into the journal."""
    return tuple(model for model in apps.get_models() if getattr(model, "sealed", False))


@cache
def digested_columns(model: type[models.Model]) -> tuple[str, ...]:
    """Return the attribute names that a row's digest covers: every column but the ones derived from others."""
    left_out = set(getattr(model, "undigested", ()))
    return tuple(sorted(f.attname for f in model._meta.concrete_fields if f.name not in left_out))


def row_name(row: models.Model) -> str:
    """Return the name under which an entry keeps a row's digest: table and compact id."""
    key = row.pk
    return f"{row._meta.db_table}:{key.hex if isinstance(key, UUID) else key}"


def row_digest(row: models.Model) -> str:
    """Return the SHA-256 (hex) of a row's values."""
    columns = digested_columns(type(row))
    return values_digest({name: getattr(row, name) for name in columns})


def values_digest(values: Mapping[str, Any]) -> str:
    """Return the SHA-256 of named values; empty ones are left out, so that a later release may add a column."""
    plain = {name: _plain(value) for name, value in values.items() if value not in EMPTY}
    return digest(plain)


def columns_digest(names: Sequence[str]) -> Callable[[Sequence[Any]], str]:
    """Return a function that digests a tuple of values in the order of ``names`` (for verification over cursors)."""

    def of(values: Sequence[Any]) -> str:
        return values_digest(dict(zip(names, values, strict=True)))

    return of


def _plain(value: Any) -> str | int | bool:
    if isinstance(value, (bool, str)):
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

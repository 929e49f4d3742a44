"""How long each table is kept and which of its columns are personal, read off the tables themselves."""

from __future__ import annotations

from dataclasses import dataclass

from django.apps import apps


@dataclass(frozen=True, slots=True)
class Kept:
    """One table: its name, what it holds, its retention class, its personal columns."""

    table: str
    holds: str
    retention: str
    personal: tuple[str, ...]


def kept_tables() -> tuple[Kept, ...]:
    """Return every table of the house with its retention class, by name; the framework's own tables have none."""
    found = []
    for model in apps.get_models():
        retention = getattr(model, "retention", "")
        if retention:
            holds = (model.__doc__ or "").strip().splitlines()[0]
            found.append(Kept(model._meta.db_table, holds, retention, tuple(getattr(model, "personal", ()))))
    return tuple(sorted(found, key=lambda kept: kept.table))

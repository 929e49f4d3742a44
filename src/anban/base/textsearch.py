"""Search by index, right for Chinese words of any length: one character per token, words as phrases, on both databases.

A model that is searched says so: ``searched = "search"`` names a column that holds ``spaced()`` text. SQLite keeps an external
FTS5 table beside it (triggers follow every change), PostgreSQL a GIN index over ``to_tsvector``. Both are made again after a
migrate, for Django's table rebuild on SQLite drops triggers and renumbers rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from django.apps import apps
from django.db import connection as default_connection
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import RawSQL

M = TypeVar("M", bound=models.Model)


def spaced(text: str) -> str:
    """Return a folded text with a space between all characters: what an index of single characters reads."""
    return " ".join(text.replace(" ", ""))


def searched_models() -> tuple[type[models.Model], ...]:
    """Return every model that is searched by index."""
    return tuple(model for model in apps.get_models() if getattr(model, "searched", ""))


def install(connection: BaseDatabaseWrapper, *, rebuild: bool = False) -> None:
    """Make the search index of every searched table; ``rebuild`` reads the tables anew (after a migrate on SQLite)."""
    with connection.cursor() as cursor:
        for model in searched_models():
            table, column = model._meta.db_table, model.searched  # type: ignore[attr-defined]
            if connection.vendor == "postgresql":
                cursor.execute(
                    f"CREATE INDEX IF NOT EXISTS {table}_fts ON {table} USING gin (to_tsvector('simple', {column}))"
                )
                continue
            fresh = not _exists(connection, f"{table}_fts")
            cursor.execute(
                f"CREATE VIRTUAL TABLE IF NOT EXISTS {table}_fts USING fts5("
                f"{column}, content='{table}', content_rowid='rowid', tokenize='unicode61')"
            )
            for name, statement in _triggers(table, column).items():
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
                cursor.execute(statement)
            if fresh or rebuild:
                cursor.execute(f"INSERT INTO {table}_fts({table}_fts) VALUES ('rebuild')")


def _exists(connection: BaseDatabaseWrapper, table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master WHERE name = %s", [table])
        return cursor.fetchone() is not None


def _triggers(table: str, column: str) -> dict[str, str]:
    add = f"INSERT INTO {table}_fts(rowid, {column}) VALUES (NEW.rowid, NEW.{column});"
    drop = f"INSERT INTO {table}_fts({table}_fts, rowid, {column}) VALUES ('delete', OLD.rowid, OLD.{column});"
    return {
        f"{table}_fts_insert": f"CREATE TRIGGER {table}_fts_insert AFTER INSERT ON {table} BEGIN {add} END",
        f"{table}_fts_delete": f"CREATE TRIGGER {table}_fts_delete AFTER DELETE ON {table} BEGIN {drop} END",
        f"{table}_fts_update": (
            f"CREATE TRIGGER {table}_fts_update AFTER UPDATE OF {column} ON {table} "
            f"WHEN OLD.{column} <> NEW.{column} BEGIN {drop} {add} END"
        ),
    }


def matching(rows: models.QuerySet[M], words: Iterable[str]) -> models.QuerySet[M]:
    """Return the rows whose searched text holds every one of the folded ``words`` as a phrase; none match no words."""
    phrases = [spaced(word) for word in words if word]
    if not phrases:
        return rows.none()
    model = rows.model
    table, column = model._meta.db_table, model.searched  # type: ignore[attr-defined]
    if default_connection.vendor == "postgresql":
        for phrase in phrases:
            rows = rows.filter(
                RawSQL(  # noqa: S611 - table and column are the model's own names
                    f"to_tsvector('simple', \"{table}\".\"{column}\") @@ phraseto_tsquery('simple', %s)",
                    [phrase],
                    output_field=models.BooleanField(),
                )
            )
        return rows
    query = " AND ".join('"' + phrase.replace('"', " ") + '"' for phrase in phrases)
    key = model._meta.pk.column
    return rows.filter(
        pk__in=RawSQL(  # noqa: S611 - table and column are the model's own names
            f"SELECT t.{key} FROM {table}_fts f JOIN {table} t ON t.rowid = f.rowid WHERE {table}_fts MATCH %s", [query]
        )
    )

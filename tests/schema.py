"""The empty SQLite database with all tables: migrated once, and copied by every later run until a migration changes."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import django
import pytest
from django.core import management
from django.db import connections

import anban


def _key() -> str:
    """What the tables, guards and search indexes are made from."""
    home = Path(anban.__path__[0])
    made = sha256(f"{django.VERSION} {sqlite3.sqlite_version}".encode())
    for path in sorted([*home.glob("**/migrations/*.py"), *home.glob("**/models.py"), *home.glob("base/**/*.py")]):
        made.update(path.read_bytes())
    return made.hexdigest()[:24]


@contextmanager
def migrated_once(cache: Path) -> Iterator[None]:
    """Let the test database of SQLite be a copy of one that was migrated before, kept in the folder ``cache``."""
    plain: Callable[..., Any] = management.call_command
    patch = pytest.MonkeyPatch()

    def ask(command: str, *args: Any, **options: Any) -> Any:
        connection = connections[options["database"]] if command == "migrate" else None
        if connection is None or connection.vendor != "sqlite":
            return plain(command, *args, **options)
        # The test database is made once; whatever else migrates means it.
        patch.undo()
        kept = cache / f"schema-{_key()}.sqlite3"
        connection.ensure_connection()
        if kept.exists():
            with closing(sqlite3.connect(kept)) as former:
                former.backup(connection.connection)
            return None
        plain(command, *args, **options)
        _keep(connection.connection, kept)
        return None

    patch.setattr(management, "call_command", ask)
    try:
        yield
    finally:
        patch.undo()


def _keep(made: sqlite3.Connection, kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=kept.parent, suffix=".draft")
    os.close(handle)
    with closing(sqlite3.connect(draft)) as copy:
        made.backup(copy)
    Path(draft).replace(kept)
    for former in kept.parent.glob("schema-*.sqlite3"):
        if former != kept:
            former.unlink(missing_ok=True)

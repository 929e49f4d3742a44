"""Guards in the database itself: the journal refuses update, delete and insert-over; an ended cycle refuses change.

Django's SQLite table rebuild drops triggers, so they are made again after every migrate and checked at every start.
"""

from __future__ import annotations

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

TABLES: Final = ("journal_entry", "journal_tile")
HEAD: Final = "journal_head"
CYCLES: Final = "hazards_cycle"
FUNCTION: Final = "anban_refuse"
_FUNCTION_BODY: Final = "BEGIN RAISE EXCEPTION 'anban: % is append-only', TG_TABLE_NAME; END"


def _sqlite_guard(name: str, event: str, table: str, message: str, when: str = "") -> str:
    condition = f"WHEN {when} " if when else ""
    return (
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} {condition}BEGIN SELECT RAISE(ABORT, 'anban: {message}'); END"
    )


def _sqlite() -> dict[str, tuple[str, str]]:
    """Name of each trigger with its table and statement."""
    made: dict[str, tuple[str, str]] = {}

    def guard(name: str, event: str, table: str, message: str, when: str = "") -> None:
        made[name] = (table, _sqlite_guard(name, event, table, message, when))

    for table in TABLES:
        for event in ("UPDATE", "DELETE"):
            guard(f"guard_{table}_{event.lower()}", event, table, f"{table} is append-only")
    # INSERT OR REPLACE deletes without firing a delete trigger; it is refused before it happens.
    entry_there = "EXISTS (SELECT 1 FROM journal_entry WHERE position = NEW.position)"
    guard("guard_journal_entry_insert", "INSERT", "journal_entry", "journal_entry is append-only", entry_there)
    tile_there = (
        'EXISTS (SELECT 1 FROM journal_tile WHERE id = NEW.id OR (level = NEW.level AND "index" = NEW."index"))'
    )
    guard("guard_journal_tile_insert", "INSERT", "journal_tile", "journal_tile is append-only", tile_there)
    guard("guard_journal_head_delete", "DELETE", HEAD, "the journal head stays")
    guard("guard_journal_head_insert", "INSERT", HEAD, "the journal head stays", "EXISTS (SELECT 1 FROM journal_head)")
    guard("guard_journal_head_shrink", "UPDATE", HEAD, "the journal never shrinks", "NEW.size <= OLD.size")
    guard(f"guard_{CYCLES}_delete", "DELETE", CYCLES, "a cycle is never removed")
    cycle_there = (
        "EXISTS (SELECT 1 FROM hazards_cycle WHERE id = NEW.id OR (hazard_id = NEW.hazard_id AND no = NEW.no))"
    )
    guard(f"guard_{CYCLES}_insert", "INSERT", CYCLES, "a cycle is never replaced", cycle_there)
    # UPDATE OR REPLACE would push another row out: what identifies a cycle never changes.
    moved = "NEW.id <> OLD.id OR NEW.hazard_id <> OLD.hazard_id OR NEW.no <> OLD.no"
    ended = f"OLD.ended_at IS NOT NULL OR {moved}"
    guard(f"guard_{CYCLES}_update", "UPDATE", CYCLES, "an ended cycle never changes", ended)
    return made


def _postgresql_guard(name: str, events: str, table: str, when: str = "") -> str:
    each = f"FOR EACH ROW WHEN ({when})" if when else "FOR EACH STATEMENT"
    return f"CREATE TRIGGER {name} BEFORE {events} ON {table} {each} EXECUTE FUNCTION {FUNCTION}()"


def _postgresql() -> dict[str, tuple[str, str]]:
    made: dict[str, tuple[str, str]] = {}

    def guard(name: str, events: str, table: str, when: str = "") -> None:
        made[name] = (table, _postgresql_guard(name, events, table, when))

    for table in TABLES:
        guard(f"guard_{table}", "UPDATE OR DELETE OR TRUNCATE", table)
    guard("guard_journal_head", "DELETE OR TRUNCATE", HEAD)
    guard("guard_journal_head_shrink", "UPDATE", HEAD, "NEW.size <= OLD.size")
    guard(f"guard_{CYCLES}", "DELETE OR TRUNCATE", CYCLES)
    moved = "NEW.id <> OLD.id OR NEW.hazard_id <> OLD.hazard_id OR NEW.no <> OLD.no"
    guard(f"guard_{CYCLES}_update", "UPDATE", CYCLES, f"OLD.ended_at IS NOT NULL OR {moved}")
    return made


def install(connection: BaseDatabaseWrapper) -> None:
    """Make every guard that this database should have, replacing what stands there; tables not yet made are passed over."""
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        if connection.vendor == "sqlite":
            for name, (table, statement) in _sqlite().items():
                if table in there:
                    cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
                    cursor.execute(statement)
            return
        cursor.execute(
            f"CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $${_FUNCTION_BODY}$$"
        )
        for name, (table, statement) in _postgresql().items():
            if table in there:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
                cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take every guard away, as only the owner of the tables can: for a rebuild of tables, which ends with ``install``."""
    with connection.cursor() as cursor:
        for name, (table, _) in (_sqlite() if connection.vendor == "sqlite" else _postgresql()).items():
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}" + ("" if connection.vendor == "sqlite" else f" ON {table}"))


def missing(connection: BaseDatabaseWrapper) -> tuple[str, ...]:
    """Return the names of guards that should stand in this database and don't, say something else, or are switched off."""
    with connection.cursor() as cursor:
        standing = _standing_sqlite(cursor) if connection.vendor == "sqlite" else _standing_postgresql(cursor)
    wanted = _sqlite() if connection.vendor == "sqlite" else _postgresql()
    return tuple(sorted(set(wanted) - standing))


def _standing_sqlite(cursor: CursorWrapper) -> set[str]:
    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    wanted = {name: statement for name, (_, statement) in _sqlite().items()}
    return {name for name, sql in cursor.fetchall() if wanted.get(name) == sql}


def _standing_postgresql(cursor: CursorWrapper) -> set[str]:
    cursor.execute(
        "SELECT t.tgname, t.tgrelid::regclass::text FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
        "WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND p.proname = %s AND p.prosrc = %s",
        [FUNCTION, _FUNCTION_BODY],
    )
    wanted = {name: table for name, (table, _) in _postgresql().items()}
    return {name for name, table in cursor.fetchall() if wanted.get(name) == table.rpartition(".")[2].strip('"')}


def owned_by_application(connection: BaseDatabaseWrapper) -> tuple[str, ...]:
    """Return the guarded tables that the role of this connection owns, and could therefore strip of their guards.

    On SQLite there are no owners; whoever can write the file can strip it, and the answer is empty.
    """
    if connection.vendor != "postgresql":
        return ()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relname = ANY(%s) AND c.relkind = 'r' "
            "AND pg_has_role(current_user, c.relowner, 'MEMBER') ORDER BY 1",
            [[*TABLES, HEAD, CYCLES]],
        )
        return tuple(row[0] for row in cursor.fetchall())

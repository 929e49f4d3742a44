"""Guards in the database itself: the journal refuses update, delete and insert-over; an ended cycle refuses change.

Django's SQLite table rebuild drops triggers, so they are made again after every migrate and checked at every start.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

TABLES = ("journal_entry", "journal_tile")
CYCLES = "hazards_cycle"


def _sqlite() -> dict[str, str]:
    made: dict[str, str] = {}
    for table in TABLES:
        for event in ("UPDATE", "DELETE"):
            name = f"guard_{table}_{event.lower()}"
            made[name] = (
                f"CREATE TRIGGER {name} BEFORE {event} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'anban: {table} is append-only'); END"
            )
    # INSERT OR REPLACE deletes without firing a delete trigger; refuse it before it happens.
    made["guard_journal_entry_insert"] = (
        "CREATE TRIGGER guard_journal_entry_insert BEFORE INSERT ON journal_entry "
        "WHEN EXISTS (SELECT 1 FROM journal_entry WHERE position = NEW.position) "
        "BEGIN SELECT RAISE(ABORT, 'anban: journal_entry is append-only'); END"
    )
    made["guard_journal_head_delete"] = (
        "CREATE TRIGGER guard_journal_head_delete BEFORE DELETE ON journal_head "
        "BEGIN SELECT RAISE(ABORT, 'anban: the journal head stays'); END"
    )
    made["guard_journal_head_shrink"] = (
        "CREATE TRIGGER guard_journal_head_shrink BEFORE UPDATE ON journal_head WHEN NEW.size < OLD.size "
        "BEGIN SELECT RAISE(ABORT, 'anban: the journal never shrinks'); END"
    )
    made[f"guard_{CYCLES}_delete"] = (
        f"CREATE TRIGGER guard_{CYCLES}_delete BEFORE DELETE ON {CYCLES} "
        f"BEGIN SELECT RAISE(ABORT, 'anban: a cycle is never removed'); END"
    )
    made[f"guard_{CYCLES}_update"] = (
        f"CREATE TRIGGER guard_{CYCLES}_update BEFORE UPDATE ON {CYCLES} WHEN OLD.ended_at IS NOT NULL "
        f"BEGIN SELECT RAISE(ABORT, 'anban: an ended cycle never changes'); END"
    )
    return made


def _postgresql() -> dict[str, str]:
    refuse = (
        "CREATE OR REPLACE FUNCTION anban_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION 'anban: % is append-only', TG_TABLE_NAME; END $$"
    )
    made = {"anban_refuse()": refuse}
    for table in (*TABLES, CYCLES):
        events = "DELETE OR TRUNCATE" if table == CYCLES else "UPDATE OR DELETE OR TRUNCATE"
        made[f"guard_{table}"] = (
            f"CREATE TRIGGER guard_{table} BEFORE {events} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION anban_refuse()"
        )
    made[f"guard_{CYCLES}_update"] = (
        f"CREATE TRIGGER guard_{CYCLES}_update BEFORE UPDATE ON {CYCLES} FOR EACH ROW "
        f"WHEN (OLD.ended_at IS NOT NULL) EXECUTE FUNCTION anban_refuse()"
    )
    made["guard_journal_head"] = (
        "CREATE TRIGGER guard_journal_head BEFORE DELETE OR TRUNCATE ON journal_head "
        "FOR EACH STATEMENT EXECUTE FUNCTION anban_refuse()"
    )
    made["guard_journal_head_shrink"] = (
        "CREATE TRIGGER guard_journal_head_shrink BEFORE UPDATE ON journal_head FOR EACH ROW "
        "WHEN (NEW.size < OLD.size) EXECUTE FUNCTION anban_refuse()"
    )
    return made


def _table_of(name: str, statement: str) -> str:
    return statement.split(" ON ", 1)[1].split(" ", 1)[0]


def install(connection: BaseDatabaseWrapper) -> None:
    """Make every guard that this database should have, replacing what stands there."""
    statements = _sqlite() if connection.vendor == "sqlite" else _postgresql()
    with connection.cursor() as cursor:
        for name, statement in statements.items():
            if not name.endswith("()"):
                on = "" if connection.vendor == "sqlite" else f" ON {_table_of(name, statement)}"
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")
            cursor.execute(statement)


def missing(connection: BaseDatabaseWrapper) -> tuple[str, ...]:
    """Return the names of guards that should stand in this database and don't, or are switched off."""
    if connection.vendor == "sqlite":
        wanted = set(_sqlite())
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        wanted = {name for name in _postgresql() if not name.endswith("()")}
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
    with connection.cursor() as cursor:
        cursor.execute(query)
        standing = {row[0] for row in cursor.fetchall()}
    return tuple(sorted(wanted - standing))

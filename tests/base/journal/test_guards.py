"""The database itself refuses what nobody may do, by whatever door it comes."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from anban.base.journal import guards
from anban.base.journal.verification import verify
from anban.contexts.hazards.models import Cycle
from tests.base.journal.tampering import run
from tests.factories.journals import ledger, plain
from tests.factories.town import AT, ON

pytestmark = pytest.mark.django_db

EVERYWHERE = (
    "UPDATE journal_entry SET body = 'x'",
    "UPDATE journal_entry SET position = position + 1000",
    "DELETE FROM journal_entry",
    "DELETE FROM journal_entry WHERE position = 299",
    "INSERT INTO journal_entry SELECT * FROM journal_entry WHERE position = 1 ON CONFLICT (position) DO UPDATE SET body = 'x'",
    "UPDATE journal_tile SET hash = hash",
    "DELETE FROM journal_tile",
    "INSERT INTO journal_tile SELECT * FROM journal_tile WHERE true ON CONFLICT (id) DO UPDATE SET level = 9",
    "DELETE FROM journal_head",
    "UPDATE journal_head SET size = size - 1",
    "UPDATE journal_head SET hash = hash",
    "DELETE FROM hazards_cycle",
    "UPDATE hazards_cycle SET reviews = 7",
    "UPDATE hazards_cycle SET ended_at = NULL",
)
SQLITE = (
    "INSERT INTO journal_entry SELECT * FROM journal_entry WHERE position = 1",
    "INSERT OR REPLACE INTO journal_entry SELECT * FROM journal_entry WHERE position = 1",
    "REPLACE INTO journal_entry SELECT position, matter, 'x', hash FROM journal_entry WHERE position = 1",
    "UPDATE OR REPLACE journal_entry SET position = 2 WHERE position = 1",
    "INSERT OR REPLACE INTO journal_tile SELECT * FROM journal_tile",
    'REPLACE INTO journal_tile (id, level, "index", hash) SELECT 5, level, "index", hash FROM journal_tile',
    "REPLACE INTO journal_head SELECT * FROM journal_head",
    "INSERT OR REPLACE INTO hazards_cycle SELECT * FROM hazards_cycle",
)
POSTGRESQL = (
    "TRUNCATE journal_entry",
    "TRUNCATE journal_tile",
    "TRUNCATE journal_head",
    "TRUNCATE hazards_cycle CASCADE",
)


def refused(statement: str) -> bool:
    try:
        with transaction.atomic():
            if connection.vendor == "postgresql":
                run("SET CONSTRAINTS ALL IMMEDIATE")
            run(statement)
    except DatabaseError as error:
        return "anban:" in str(error)
    return False


def test_every_door_is_shut_by_a_guard_and_open_without_it():
    ledger()
    Cycle.objects.update(ended_at=AT, ended_on=ON)
    plain(300)
    before = verify().root
    here = SQLITE if connection.vendor == "sqlite" else POSTGRESQL
    assert [statement for statement in (*EVERYWHERE, *here) if not refused(statement)] == []
    assert verify().root == before
    guards.remove(connection)
    try:
        # The planted fault: without the guards the same statements are obeyed, or stopped by nothing of ours.
        assert [statement for statement in (*EVERYWHERE, *here) if refused(statement)] == []
    finally:
        guards.install(connection)


def test_an_open_cycle_changes_but_never_its_name():
    ledger()
    Cycle.objects.update(reviews=3)
    assert Cycle.objects.get().reviews == 3
    for column, value in (("no", "9"), ("hazard_id", "id")):
        assert refused(f"UPDATE hazards_cycle SET {column} = {value}")


def test_a_guard_that_is_gone_or_says_something_else_is_missing():
    assert guards.missing(connection) == ()
    if connection.vendor == "sqlite":
        run("DROP TRIGGER guard_journal_entry_update")
        run("DROP TRIGGER guard_journal_tile_delete")
        run("CREATE TRIGGER guard_journal_tile_delete BEFORE DELETE ON journal_tile WHEN 0 BEGIN SELECT 1; END")
        gone = ("guard_journal_entry_update", "guard_journal_tile_delete")
    else:
        run("DROP TRIGGER guard_journal_entry ON journal_entry")
        run("ALTER TABLE journal_tile DISABLE TRIGGER guard_journal_tile")
        gone = ("guard_journal_entry", "guard_journal_tile")
    assert guards.missing(connection) == gone
    guards.install(connection)
    assert guards.missing(connection) == ()


def test_a_function_that_lets_everything_pass_counts_as_no_guard():
    if connection.vendor == "sqlite":
        # SQLite's guards carry their own text; there is no function to hollow out.
        assert "anban_refuse" not in str(run("SELECT sql FROM sqlite_master WHERE type = 'trigger'"))
        return
    run("CREATE OR REPLACE FUNCTION anban_refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$")
    assert len(guards.missing(connection)) == 6
    guards.install(connection)
    assert guards.missing(connection) == ()


@pytest.mark.django_db(transaction=True)
def test_migrating_makes_the_guards_again():
    guards.remove(connection)
    assert guards.missing(connection)
    call_command("migrate", verbosity=0)
    assert guards.missing(connection) == ()
    assert apps.is_installed("anban.base.journal")


def test_the_application_owns_nothing_where_there_are_owners():
    if connection.vendor == "sqlite":
        assert guards.owned_by_application(connection) == ()
        return
    assert set(guards.owned_by_application(connection)) == {*guards.TABLES, guards.HEAD, guards.CYCLES}
    run("CREATE ROLE anban_stranger NOLOGIN")
    run("SET ROLE anban_stranger")
    try:
        assert guards.owned_by_application(connection) == ()
    finally:
        run("RESET ROLE")

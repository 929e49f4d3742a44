"""A new database gets its tables in one step: they are what the migrations make one after another."""

import pytest
from django.db import connection, connections
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from anban.base import schema

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def new():
    """A database without tables: another one in memory, or another schema of the server's."""
    if connection.vendor == "sqlite":
        connections["new"] = made = DatabaseWrapper({**connection.settings_dict, "NAME": ":memory:"}, "new")
        yield made
        made.close()
        del connections["new"]
        return
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA fresh")
        cursor.execute("SET search_path TO fresh")
    yield connection
    with connection.cursor() as cursor:
        cursor.execute("SET search_path TO DEFAULT")
        cursor.execute("DROP SCHEMA fresh CASCADE")


def _tables(of):
    """Every table with its columns, constraints and indexes; columns without their order, which nobody relies on."""
    look = of.introspection
    made = {}
    with of.cursor() as cursor:
        for table in look.table_names(cursor):
            if table.startswith("sqlite_"):
                continue  # statistics that an earlier ANALYZE left
            columns = {
                (
                    c.name,
                    c.type_code,
                    c.display_size,
                    c.internal_size,
                    c.precision,
                    c.scale,
                    c.null_ok,
                    c.default,
                    c.collation,
                )
                for c in look.get_table_description(cursor, table)
            }
            held = look.get_constraints(cursor, table).items()
            named = {
                name: {key: value for key, value in facts.items() if key != "definition"}
                for name, facts in held
                if not name.startswith(("__", "sqlite_autoindex", "fk_")) and not name.endswith("_fts")
            }
            made[table] = (
                columns,
                named,
                sorted(
                    str((facts["columns"], facts["foreign_key"]))
                    for name, facts in held
                    if name not in named and facts["columns"]
                ),
            )
    return made


def test_the_tables_made_at_once_are_those_that_the_migrations_make(new):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET search_path TO public")
        expected = _tables(connection)
        with connection.cursor() as cursor:
            cursor.execute("SET search_path TO fresh")
    else:
        expected = _tables(connection)
    assert schema.is_new(new)
    assert schema.create(new) > 30
    assert not schema.is_new(new)
    executor = MigrationExecutor(new)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []
    made = _tables(new)
    # The search of words is put beside the tables after every migration, not by one.
    expected = {table: facts for table, facts in expected.items() if "_fts" not in table}
    assert set(made) == set(expected)
    for table, facts in expected.items():
        for mine, theirs in zip(made[table], facts, strict=True):
            assert mine == theirs, table

"""The tables of a new database: made in one step from what all migrations come to, instead of migration by migration."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

RECORDS = MigrationRecorder.Migration._meta.db_table


def is_new(connection: BaseDatabaseWrapper) -> bool:
    """Return whether a database has no tables yet, other than an empty record of migrations."""
    return (
        set(connection.introspection.table_names()) <= {RECORDS}
        and not MigrationRecorder(connection).applied_migrations()
    )


def create(connection: BaseDatabaseWrapper) -> int:
    """Make every table of a new database and record all migrations as applied, wholly or not at all; returns how many.

    Migrating one by one renders the models anew at each of some 200 steps. A migration that changes rows has none to change
    here, and none may put rows there: what a new installation needs is made by operations. A test holds the tables equal.
    """
    executor = MigrationExecutor(connection)
    plan = [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    models = executor.loader.project_state().apps.get_models()
    executor.recorder.ensure_schema()
    with connection.schema_editor() as editor:
        for model in models:
            editor.create_model(model)
        for migration in plan:
            executor.recorder.record_applied(migration.app_label, migration.name)
    return len(plan)

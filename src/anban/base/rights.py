"""The application's own role on PostgreSQL: it may use the tables and owns none of them."""

from __future__ import annotations

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

ROLE: Final = "anban_app"
"""What web server and worker act as; the owner of the tables is used to migrate and for nothing else."""

APPEND_ONLY: Final = ("journal_entry", "journal_tile")
READ_ONLY: Final = ("django_migrations",)


def grant_application(connection: BaseDatabaseWrapper, role: str = ROLE) -> None:
    """Make the application's role where it is missing and give it its rights: all but the journal's past and the schema.

    Nothing is done on SQLite, which knows no roles. The owner becomes a member, so that it may act as the role.
    """
    if connection.vendor != "postgresql":
        return
    quote = connection.ops.quote_name
    name = quote(role)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, current_schema(), EXISTS (SELECT 1 FROM pg_roles WHERE rolname = %s)", [role]
        )
        owner, schema, known = cursor.fetchone()
        if owner == role:
            return
        schema = quote(schema)
        if not known:
            cursor.execute(f"CREATE ROLE {name} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE")
        cursor.execute("SELECT pg_has_role(current_user, %s, 'MEMBER')", [role])
        if not cursor.fetchone()[0]:
            cursor.execute(f"GRANT {name} TO {quote(owner)}")
        cursor.execute(f"GRANT USAGE ON SCHEMA {schema} TO {name}")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {name}")
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {name}")
        for table in APPEND_ONLY:
            cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE, TRIGGER ON {quote(table)} FROM {name}")
        for table in READ_ONLY:
            cursor.execute(f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {quote(table)} FROM {name}")

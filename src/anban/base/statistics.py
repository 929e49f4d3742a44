"""What the database knows of its own tables, so that it chooses the right index: kept fresh by night and after large imports."""

from __future__ import annotations

from typing import Final

from django.db import connection

ROWS_LOOKED_AT: Final = 1000
"""How many rows of an index SQLite looks at: enough to choose by, and done in a moment at any size."""

WORTH_IT: Final = 1000
"""From so many new rows on, an import refreshes the statistics when it ends."""


def refresh() -> bool:
    """Let SQLite count its tables anew; tells whether it did. PostgreSQL's autovacuum does so by itself.

    Connections that are open read the new figures when they are opened next.
    """
    if connection.vendor != "sqlite":
        return False
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA analysis_limit = {ROWS_LOOKED_AT}")
        cursor.execute("ANALYZE")
    return True

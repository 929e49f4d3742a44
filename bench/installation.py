"""An installation of its own for a benchmark: a folder and, if asked for, a PostgreSQL server, both gone afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.city_pass import seconds_of_tree


@contextmanager
def installed(*, postgresql: bool) -> Iterator[tuple[Path, Callable[[], float]]]:
    """Set up Django over a new home folder; gives the folder and the CPU seconds of the database server (0 for SQLite)."""
    with ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix="anban-bench-"))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        os.environ["ANBAN_HOME"] = str(home)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anban.config.settings")
        server: Callable[[], float] = lambda: 0.0  # noqa: E731
        if postgresql:
            from tests.database import Cluster

            cluster = stack.enter_context(Cluster())
            os.environ["DATABASE_URL"] = cluster.url
            server = lambda: seconds_of_tree(cluster.pid)  # noqa: E731
        import django

        django.setup()
        from django.db import connection

        stack.callback(connection.close)
        yield home, server

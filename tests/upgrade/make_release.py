"""Make the small database of a release that later releases must be able to migrate: ``python -m tests.upgrade.make_release 0.1.0``."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.database import binaries, guarded_cluster

HERE = Path(__file__).parent


def fill() -> None:
    """Fill the database that the environment names with a town and one hazard's life."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anban.config.settings")
    django.setup()
    from anban.config.installation import migrate
    from tests.factories.town import town
    from tests.web.test_english import a_life

    migrate()
    a_life(town())


def run(environment: dict[str, str]) -> None:
    """Fill one database in a process of its own."""
    code = "from tests.upgrade.make_release import fill; fill()"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, **environment}, check=True)


def main(release: str) -> None:
    """Write ``release-….sqlite3.gz`` and ``release-….postgresql.sql.gz`` beside this module."""
    with tempfile.TemporaryDirectory() as home:
        run({"ANBAN_HOME": home})
        file = Path(home) / "anban.sqlite3"
        subprocess.run(
            [
                sys.executable,
                "-c",
                f"import sqlite3; sqlite3.connect({str(file)!r}).execute('PRAGMA wal_checkpoint(TRUNCATE)')",
            ],
            check=True,
        )
        with file.open("rb") as plain, gzip.GzipFile(HERE / f"release-{release}.sqlite3.gz", "wb", mtime=0) as packed:
            shutil.copyfileobj(plain, packed)
    with guarded_cluster() as url, tempfile.TemporaryDirectory() as home:
        run({"ANBAN_HOME": home, "DATABASE_URL": url})
        dump = subprocess.run(
            [str(binaries() / "pg_dump"), "--no-owner", "--no-privileges", "--dbname", url],
            check=True,
            capture_output=True,
        ).stdout
        with gzip.GzipFile(HERE / f"release-{release}.postgresql.sql.gz", "wb", mtime=0) as packed:
            packed.write(dump)


if __name__ == "__main__":
    main(sys.argv[1])

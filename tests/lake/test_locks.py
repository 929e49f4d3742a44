"""Reading SQLite for a snapshot leaves the process's own locks alone, and a night tried again publishes beside what is there."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

from anban.lake.folder import Lake
from anban.lake.source import opened

WRITE = (
    "import sqlite3, sys\n"
    "c = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n"
    "try:\n    c.execute('BEGIN IMMEDIATE')\nexcept sqlite3.OperationalError as error:\n    print(error)\nelse:\n    print('got in')\n"
)


def test_writer_keeps_its_lock_while_a_snapshot_is_read_in_the_same_process(tmp_path: Path) -> None:
    path = tmp_path / "city.sqlite3"
    own = sqlite3.connect(path, isolation_level=None)
    own.execute("PRAGMA journal_mode=WAL")
    own.execute("CREATE TABLE journal_head (size INTEGER)")
    own.execute("BEGIN IMMEDIATE")
    own.execute("INSERT INTO journal_head VALUES (1)")
    with opened({"ENGINE": "django.db.backends.sqlite3", "NAME": path}) as source:
        assert source.position() == 0
    other = subprocess.run([sys.executable, "-c", WRITE, path], check=True, capture_output=True, text=True)
    assert other.stdout.strip() == "database is locked"
    own.execute("COMMIT")
    own.close()


def test_second_publication_of_one_moment_stands_beside_the_first(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with lake.writing():
        first = lake.publish(lake.draft("snapshots"), "20261125T180000000000", {"number": 1})
        second = lake.publish(lake.draft("snapshots"), "20261125T180000000000", {"number": 2})
        later = lake.publish(lake.draft("snapshots"), "20261125T180000000001", {"number": 3})
    assert first != second
    assert lake.kept("snapshots") == [second, later]

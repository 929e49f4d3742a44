"""The promise as a newcomer tries it: save the head, bend the database file and the ledger by hand, and see both found."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.data_location import REPOSITORY


class Office:
    """An installation of its own, reached by the command line only."""

    def __init__(self, home: Path) -> None:
        self.file = home / "anban.sqlite3"
        kept = {k: v for k, v in os.environ.items() if not k.startswith("ANBAN_") and k != "DATABASE_URL"}
        self.environment = {**kept, "ANBAN_HOME": str(home)}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run Python with these words."""
        return subprocess.run(
            [sys.executable, *words], cwd=REPOSITORY, env=self.environment, capture_output=True, text=True, check=False
        )

    def anban(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Anban; whatever it meets, it never shows a traceback."""
        done = self.run("-m", "anban.config.cli", *words)
        assert "Traceback" not in done.stderr + done.stdout
        return done

    def verify(self, head: Path) -> tuple[int, set[tuple[str, str]], Any]:
        """Verify against a saved head; return the exit code, and code and table of each finding."""
        done = self.anban("journal", "verify", "--against", str(head), "--json")
        report = json.loads(done.stdout)
        return done.returncode, {(one["code"], one["table"]) for one in report["findings"]}, report


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with a small ledger, of which each test bends a copy."""
    home = tmp_path_factory.mktemp("office")
    done = Office(home).run("-m", "tests.reliability.a_ledger")
    assert done.returncode == 0, done.stderr
    return home


def test_one_byte_of_the_file_and_one_hazard_row_are_found(tmp_path: Path, made: Path) -> None:
    office = Office(shutil.copytree(made, tmp_path / "office"))
    head = tmp_path / "head.txt"
    assert office.anban("journal", "head", "--out", str(head)).returncode == 0
    code, found, report = office.verify(head)
    assert (code, found) == (0, set())
    assert report["entries"] > 50
    with sqlite3.connect(office.file) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (body,) = database.execute("SELECT body FROM journal_entry WHERE body LIKE '%hazard.entered%'").fetchone()
        database.execute("UPDATE hazards_hazard SET grade = 'major'")
        number, position = database.execute(
            "SELECT h.number, e.position FROM hazards_hazard h, journal_entry e WHERE e.body LIKE '%hazard.entered%'"
        ).fetchone()
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    # One byte of the file itself, where the text of that entry lies, past the database and its guards.
    data = office.file.read_bytes()
    text = body.encode()
    assert data.count(text) == 1
    at = data.index(text) + text.index(b'"origin":"') + len(b'"origin":"')
    office.file.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    code, found, report = office.verify(head)
    assert code == 1
    assert ("row.changed", "hazards_hazard") in found
    assert any(kind.startswith("entry.") for kind, _ in found)
    assert number in {one["number"] for one in report["findings"]}
    assert position in {one["position"] for one in report["findings"] if one["code"].startswith("entry.")}
    assert ("head.fork", "") in found


def test_a_file_that_is_no_database_any_more_is_refused_without_a_traceback(tmp_path: Path, made: Path) -> None:
    office = Office(shutil.copytree(made, tmp_path / "office"))
    head = tmp_path / "head.txt"
    assert office.anban("journal", "head", "--out", str(head)).returncode == 0
    data = bytearray(office.file.read_bytes())
    data[:4096] = b"\xff" * 4096
    office.file.write_bytes(bytes(data))
    done = office.anban("journal", "verify", "--against", str(head))
    assert done.returncode == 1
    assert done.stdout + done.stderr

"""A database made by an earlier release, with data, is brought up to date: nothing is lost, the journal verifies."""

from __future__ import annotations

import base64
import gzip
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.database import binaries, guarded_cluster

HERE = Path(__file__).parent
RELEASES = sorted(path.name.split("-", 1)[1].removesuffix(".sqlite3.gz") for path in HERE.glob("release-*.sqlite3.gz"))
COUNTS = {"hazards_hazard": 1, "hazards_cycle": 1, "establishments_place": 1, "territory_area": 6}


SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ACCOUNT = "0190a0a0a0a07000800000000000abcd"
BOUND = (
    "INSERT INTO people_account (id, password, person_id, login, is_active, language, theme, totp_secret, totp_last_step, "
    f"setup_hash, created_at) SELECT '{ACCOUNT}', '!', id, 'an.officer', {{true}}, '', '', '{SECRET}', 7, '', "
    "'2026-03-02 01:00:00+00:00' FROM people_person LIMIT 1"
)
"""A second factor as the first release kept it, in clear."""


def check_factor_is_sealed(home: Path, stored: str) -> None:
    """See that the secret that a release kept in clear is encrypted now, and still the same one."""
    assert stored.startswith("v1.")
    raw = base64.b64decode(stored.removeprefix("v1."))
    key = bytes.fromhex((home / "keys" / "factors.key").read_text())
    assert AESGCM(key).decrypt(raw[:12], raw[12:], UUID(ACCOUNT).bytes).decode() == SECRET


def anban(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command of today's release against a database."""
    kept = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "ANBAN_HOME"}}
    return subprocess.run(
        [sys.executable, "-m", "anban.config.cli", *words],
        env={**kept, **environment},
        check=False,
        capture_output=True,
        text=True,
    )


def brought_up(environment: dict[str, str]) -> None:
    """Migrate and verify, both without complaint."""
    migrated = anban(environment, "migrate")
    assert migrated.returncode == 0, migrated.stderr
    verified = anban(environment, "journal", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_there_is_a_release_to_come_from():
    assert "0.1.0" in RELEASES


@pytest.mark.parametrize("release", RELEASES)
def test_a_release_on_sqlite_is_brought_up_to_date(release, tmp_path):
    with gzip.open(HERE / f"release-{release}.sqlite3.gz") as packed, (tmp_path / "anban.sqlite3").open("wb") as file:
        shutil.copyfileobj(packed, file)
    with sqlite3.connect(tmp_path / "anban.sqlite3") as database:
        database.execute(BOUND.format(true=1))
    brought_up({"ANBAN_HOME": str(tmp_path)})
    with sqlite3.connect(tmp_path / "anban.sqlite3") as database:
        for table, wanted in COUNTS.items():
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == wanted, table
        check_factor_is_sealed(tmp_path, database.execute("SELECT totp_secret FROM people_account").fetchone()[0])
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    # Nor does it stand in what the file has given free.
    assert SECRET.encode() not in (tmp_path / "anban.sqlite3").read_bytes()


@pytest.mark.parametrize("release", RELEASES)
def test_a_release_on_postgresql_is_brought_up_to_date(release, tmp_path):
    with guarded_cluster() as url:
        loaded = subprocess.run(
            [str(binaries() / "psql"), "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", url],
            input=gzip.decompress((HERE / f"release-{release}.postgresql.sql.gz").read_bytes()),
            check=False,
            capture_output=True,
        )
        assert loaded.returncode == 0, loaded.stderr.decode()
        with psycopg.connect(url) as database:
            database.execute(BOUND.format(true="true"))
        brought_up({"ANBAN_HOME": str(tmp_path), "DATABASE_URL": url})
        with psycopg.connect(url) as database:
            for table, wanted in COUNTS.items():
                assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (wanted,), table
            (stored,) = database.execute("SELECT totp_secret FROM people_account").fetchone()
            check_factor_is_sealed(tmp_path, stored)


def test_a_bent_database_of_a_release_is_found(tmp_path):
    with (
        gzip.open(HERE / f"release-{RELEASES[-1]}.sqlite3.gz") as packed,
        (tmp_path / "anban.sqlite3").open("wb") as file,
    ):
        shutil.copyfileobj(packed, file)
    with sqlite3.connect(tmp_path / "anban.sqlite3") as database:
        database.execute("UPDATE hazards_hazard SET fact = 'nothing'")
    assert anban({"ANBAN_HOME": str(tmp_path)}, "migrate").returncode == 0
    assert anban({"ANBAN_HOME": str(tmp_path)}, "journal", "verify").returncode == 1

"""The commands a person types: head, verify, prove, check, backup and restore, between both engines and back."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tarfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from anban.base.files.models import StoredFile
from anban.base.journal import checkpoints
from anban.base.journal.models import Entry, Words
from anban.base.journal.verification import verify
from anban.base.people.models import Person
from anban.config import backups
from anban.config.cli import main
from anban.config.speaking import Trouble
from anban.contexts.hazards.models import Hazard
from tests.base.journal.tampering import run, unguarded
from tests.database import guarded_cluster
from tests.factories.journals import ACTOR, START, ledger, plain, small


@pytest.fixture
def home(tmp_path: Path, settings: Any) -> Path:
    for name in ("keys", "files"):
        (tmp_path / name).mkdir()
    settings.KEYS_ROOT, settings.FILES_ROOT = tmp_path / "keys", tmp_path / "files"
    return tmp_path


def photo(home: Path, content: bytes = b"a photograph") -> str:
    digest = sha256(content).hexdigest()
    (home / "files" / digest[:2]).mkdir(exist_ok=True)
    (home / "files" / digest[:2] / digest).write_bytes(content)
    StoredFile.objects.create(
        root="town",
        sha256=digest,
        size=len(content),
        mime="image/jpeg",
        name="x.jpg",
        stored_at=START,
        stored_by="job:set-up",
    )
    return digest


def rows_of(path: Path) -> dict[str, list[bytes]]:
    with tarfile.open(path) as archive:
        return {
            info.name.partition("-")[2]: gzip.decompress(archive.extractfile(info).read()).splitlines()  # type: ignore[union-attr]
            for info in archive
            if info.name.startswith("tables/")
        }


def empty_everything() -> None:
    with unguarded():
        for model in reversed(backups.kept_models()):
            if connection.vendor == "sqlite":
                run("PRAGMA defer_foreign_keys = ON")
            run(f'DELETE FROM "{model._meta.db_table}"')


@pytest.mark.django_db
def test_head_verify_prove_and_check_tell_by_their_exit(home: Path, capsys: pytest.CaptureFixture[str]):
    ledger()
    number = Hazard.objects.get().number
    saved = home / "head.txt"
    assert main(["journal", "head", "--out", str(saved)]) == 0
    assert main(["journal", "verify"]) == 0
    assert main(["journal", "verify", "--journal-only", "--against", str(saved)]) == 0
    capsys.readouterr()
    assert main(["journal", "head"]) == 0
    assert capsys.readouterr().out == saved.read_text()
    for what in ("0", number):
        assert main(["journal", "prove", what]) == 0
        (home / "proof.json").write_text(capsys.readouterr().out)
        assert main(["journal", "check", str(home / "proof.json"), "--key", str(home / "keys" / "journal.pub")]) == 0
        capsys.readouterr()
    proof = json.loads((home / "proof.json").read_text())
    assert "hazard" in proof["body"]
    (home / "proof.json").write_text(json.dumps({**proof, "position": 3}))
    assert main(["journal", "check", str(home / "proof.json")]) == 1
    (home / "proof.json").write_text("{")
    assert main(["journal", "check", str(home / "proof.json")]) == 2
    assert main(["journal", "prove", "HZ-1999-000001"]) == 1
    assert main(["journal", "prove", "99999"]) == 1
    assert main(["journal", "verify", "--against", str(home / "keys" / "journal.pub")]) == 2
    assert main(["journal", "verify", "--against", str(home / "none")]) == 1
    with pytest.raises(SystemExit) as wrong:
        main(["journal", "verify", "--nonsense"])
    assert wrong.value.code == 2


@pytest.mark.django_db
def test_verify_names_findings_in_both_languages_and_as_json(home: Path, capsys: pytest.CaptureFixture[str]):
    ledger()
    hazard = Hazard.objects.get()
    saved = home / "head.txt"
    main(["journal", "head", "--out", str(saved)])
    run("UPDATE hazards_hazard SET fact = 'x'")
    with unguarded():
        run("UPDATE journal_entry SET body = replace(body, 'hazard.entered', 'hazard.imagined')")
        capsys.readouterr()
        assert main(["journal", "verify"]) == 1
        out = capsys.readouterr().out
        assert hazard.number in out
        assert "在系统之外被改动" in out
        assert "was changed outside operations" in out
        assert main(["journal", "verify", "--json", "--against", str(saved)]) == 1
        told = json.loads(capsys.readouterr().out)
        assert told["ok"] is False
        assert {"entry.altered", "head.fork", "row.changed"} <= {each["code"] for each in told["findings"]}


@pytest.mark.django_db
def test_a_head_signed_by_another_key_is_named(home: Path, capsys: pytest.CaptureFixture[str]):
    plain(3)
    saved = home / "head.txt"
    main(["journal", "head", "--out", str(saved)])
    old = (home / "keys" / "journal.pub").read_text()
    for path in (home / "keys").iterdir():
        path.unlink()
    capsys.readouterr()
    assert main(["journal", "verify", "--json", "--against", str(saved)]) == 1
    assert [f["code"] for f in json.loads(capsys.readouterr().out)["findings"]] == ["head.foreign"]
    (home / "old.pub").write_text(old)
    assert main(["journal", "verify", "--against", str(saved), "--key", str(home / "old.pub")]) == 0


@pytest.mark.django_db
def test_a_backup_comes_back_whole_with_keys_and_the_journal_goes_on(home: Path):
    ledger()
    small()
    digest = photo(home)
    key = checkpoints.public_key()
    path = home / "backup.tar"
    made = backups.write(path, at=START, passphrase="a long passphrase")
    assert (made.absent, made.files, made.keys) == ([], 1, True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert (home / "keys" / "journal.key").read_bytes() not in path.read_bytes()
    before = rows_of(path)
    last = checkpoints.head()
    empty_everything()
    (home / "files" / digest[:2] / digest).unlink()
    for each in (home / "keys").iterdir():
        each.unlink()
    with pytest.raises(Trouble, match="passphrase"):
        backups.restore(path, actor=ACTOR, at=START, passphrase="wrong")
    assert Person.objects.count() == 0
    back = backups.restore(path, actor=ACTOR, at=START, passphrase="a long passphrase")
    assert (back.findings, back.rows, back.files) == ([], made.rows, 1)
    assert (home / "files" / digest[:2] / digest).read_bytes() == b"a photograph"
    assert checkpoints.public_key() == key
    said = json.loads(Entry.objects.get(pk=last.size).body)
    assert (said["verb"], said["data"]["size"], said["data"]["root"]) == (
        "journal.restored",
        last.size,
        last.root.hex(),
    )
    assert verify(against=last).ok
    again = home / "again.tar"
    backups.write(again, at=START)
    after = rows_of(again)
    assert {t: r for t, r in after.items() if not t.startswith("journal_")} == {
        t: r for t, r in before.items() if not t.startswith("journal_")
    }
    assert after["journal_entry.jsonl.gz"][:-1] == before["journal_entry.jsonl.gz"]
    with pytest.raises(Trouble, match="not empty"):
        backups.restore(path, actor=ACTOR, at=START)


@pytest.mark.django_db
def test_a_backup_without_with_keys_holds_none(home: Path):
    plain(2)
    checkpoints.public_key()
    path = home / "backup.tar"
    backups.write(path, at=START)
    with tarfile.open(path) as archive:
        assert [n for n in archive.getnames() if n == "keys.enc"] == []
    empty_everything()
    with pytest.raises(Trouble, match="no keys"):
        backups.restore(path, actor=ACTOR, at=START, passphrase="x")


@pytest.mark.django_db
def test_a_broken_archive_is_refused_and_leaves_the_target_untouched(home: Path):
    small()
    photo(home)
    path = home / "backup.tar"
    backups.write(path, at=START)
    empty_everything()
    whole = path.read_bytes()
    with tarfile.open(path) as archive:
        spans = [(info.name, info.offset_data, info.size) for info in archive]
    broken = [
        whole[: len(whole) // 2],
        whole[:100],
        b"",
        b"x" * 2000,
        whole[: spans[-1][1]] + b"{}" + whole[spans[-1][1] + 2 :],
    ]
    for name, start, size in spans:
        if size and name != "manifest.json":
            middle = start + size // 2
            broken.append(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    for number, content in enumerate(broken):
        spoilt = home / f"broken-{number}"
        spoilt.write_bytes(content)
        with pytest.raises(Trouble):
            backups.restore(spoilt, actor=ACTOR, at=START)
    extra = BytesIO(whole)
    with tarfile.open(fileobj=extra, mode="a") as archive:
        info = tarfile.TarInfo("../escape")
        archive.addfile(info, BytesIO())
    (home / "escape.tar").write_bytes(extra.getvalue())
    with pytest.raises(Trouble, match="something else"):
        backups.restore(home / "escape.tar", actor=ACTOR, at=START)
    assert (Entry.objects.count(), Words.objects.count(), StoredFile.objects.count()) == (0, 0, 0)
    assert [p for p in (home / "files").rglob("*") if p.is_file() and p.name != ".lock"] == [
        p for p in (home / "files").glob("??/*") if p.is_file()
    ]


@pytest.mark.django_db
def test_a_backup_of_a_bent_journal_is_refused_unless_asked_for(home: Path):
    small()
    with unguarded():
        run("UPDATE journal_entry SET body = replace(body, 'RG07', 'RG08') WHERE position = 3")
    path = home / "backup.tar"
    backups.write(path, at=START)
    empty_everything()
    with pytest.raises(Trouble, match="does not verify"):
        backups.restore(path, actor=ACTOR, at=START)
    assert Entry.objects.count() == 0
    back = backups.restore(path, actor=ACTOR, at=START, despite_findings=True)
    assert ("entry.altered", 3) in {(f.code, f.position) for f in back.findings}


def _anban(home: Path, url: str, *words: str) -> str:
    environment = {**os.environ, "ANBAN_HOME": str(home), "PYTHONUTF8": "1", "DATABASE_URL": url, "LANG": "C.UTF-8"}
    if not url:
        del environment["DATABASE_URL"]
    done = subprocess.run(
        [sys.executable, "-m", "anban.config.cli", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.django_db
def test_a_backup_moves_between_engines_and_comes_home_the_same(home: Path, tmp_path: Path):
    if connection.vendor != "sqlite":
        # The journey begins on SQLite; on PostgreSQL the single steps above are the test.
        assert connection.vendor == "postgresql"
        return
    ledger()
    small()
    plain(300, first=50)
    photo(home)
    first, second, third = (tmp_path / f"{name}.tar" for name in ("first", "second", "third"))
    backups.write(first, at=START)
    with guarded_cluster() as url:
        _anban(tmp_path / "city", "", "restore", str(first), "--into", url)
        _anban(tmp_path / "city", url, "journal", "verify")
        _anban(tmp_path / "city", url, "backup", str(second))
    _anban(tmp_path / "back", "", "restore", str(second))
    _anban(tmp_path / "back", "", "backup", str(third))
    start, city, back = rows_of(first), rows_of(second), rows_of(third)
    kept = {t for t in start if not t.startswith("journal_")}
    assert {t: start[t] for t in kept} == {t: city[t] for t in kept} == {t: back[t] for t in kept}
    entries = "journal_entry.jsonl.gz"
    assert start[entries] == city[entries][:-1] == back[entries][:-2]
    assert start["journal_words.jsonl.gz"] == back["journal_words.jsonl.gz"]
    assert start["journal_tile.jsonl.gz"] == back["journal_tile.jsonl.gz"]

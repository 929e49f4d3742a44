"""Backups that know no engine: one archive of every table, file and the journal's head, restored into SQLite or PostgreSQL."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import secrets
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from django.apps import apps
from django.conf import settings
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder

from anban.base.files import disk
from anban.base.files.models import StoredFile
from anban.base.journal import checkpoints, guards
from anban.base.journal.operations import record, unit
from anban.base.journal.queries import snapshot
from anban.base.journal.verification import Finding, Report, verify
from anban.base.people.actor import Actor
from anban.config.speaking import Trouble

FORMAT: Final = "anban-backup-v1"
MANIFEST: Final = "manifest.json"
KEYS: Final = "keys.enc"
BATCH: Final = 2000
CHUNK: Final = 1024 * 1024
_MEMBER: Final = re.compile(r"manifest\.json|keys\.enc|tables/[0-9]{3}-[a-z0-9_]+\.jsonl\.gz|files/[0-9a-f]{64}")
_MANIFEST_MOST: Final = 256 * CHUNK
_SCRYPT: Final = {"n": 2**15, "r": 8, "p": 1}


@dataclass(slots=True)
class Summary:
    """What a backup or a restore did: rows per table, files, the head it carries, and what was not as it should be."""

    path: Path
    tables: dict[str, int] = field(default_factory=dict)
    files: int = 0
    size: int = 0
    head: str = ""
    keys: bool = False
    absent: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows in all."""
        return sum(self.tables.values())


def kept_models() -> list[type[models.Model]]:
    """Return every table of the house with those it refers to before it; sessions are not kept: people sign in again."""
    wanted = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model.__module__.startswith("anban.") and model._meta.managed and not model._meta.proxy
    ]
    ordered: list[type[models.Model]] = []
    open_ones: set[type[models.Model]] = set()

    def visit(model: type[models.Model]) -> None:
        if model in ordered or model in open_ones or model not in wanted:
            return
        open_ones.add(model)
        for each in model._meta.concrete_fields:
            if isinstance(each, models.ForeignKey) and isinstance(each.related_model, type):
                visit(each.related_model)
        ordered.append(model)

    for model in sorted(wanted, key=lambda m: m._meta.db_table):
        visit(model)
    return ordered


# Writing


def write(path: Path, *, at: datetime, passphrase: str | None = None) -> Summary:
    """Write a backup of one consistent state while others go on working; the file appears whole or not at all.

    ``passphrase`` adds the keys, encrypted under it; without one no key leaves the house.
    """
    summary = Summary(path, keys=passphrase is not None)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as archive:
                _write_all(archive, summary, at, passphrase, path.parent)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(path)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()
    return summary


def _write_all(archive: tarfile.TarFile, summary: Summary, at: datetime, passphrase: str | None, beside: Path) -> None:
    members: dict[str, dict[str, Any]] = {}

    def add(name: str, file: IO[bytes]) -> str:
        digest, size = _measure(file)
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o600, int(at.timestamp())
        archive.addfile(info, file)
        members[name] = {"sha256": digest, "size": size}
        return digest

    with snapshot():
        head = checkpoints.head()
        summary.head, summary.size = head.note, head.size
        for number, model in enumerate(kept_models()):
            with tempfile.TemporaryFile(dir=beside) as file:
                summary.tables[model._meta.db_table] = _write_table(model, file)
                add(f"tables/{number:03d}-{model._meta.db_table}.jsonl.gz", file)
        digests = StoredFile.objects.order_by("sha256").values_list("sha256", flat=True).distinct()
        for digest in digests.iterator(chunk_size=BATCH):
            stored = disk.place(digest)
            if not stored.is_file():
                summary.absent.append(digest)
                continue
            with stored.open("rb") as content:
                if add(f"files/{digest}", content) != digest:
                    summary.absent.append(digest)
            summary.files += 1
        migrations = _applied()
    if passphrase is not None:
        with tempfile.TemporaryFile() as file:
            file.write(_sealed_keys(passphrase))
            add(KEYS, file)
    manifest = {
        "format": FORMAT, "made_at": at.isoformat(), "engine": connection.vendor, "migrations": migrations,
        "head": summary.head, "tables": summary.tables, "absent_files": summary.absent, "members": members,
    }  # fmt: skip
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(manifest, ensure_ascii=False, indent=1).encode())
        add(MANIFEST, file)


def _write_table(model: type[models.Model], file: IO[bytes]) -> int:
    names = [f.attname for f in model._meta.concrete_fields]
    rows = 0
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=3, mtime=0) as out:
        out.write(orjson.dumps(names) + b"\n")
        found = model._base_manager.order_by("pk").values_list(*names)
        for row in found.iterator(chunk_size=BATCH):
            out.write(orjson.dumps(row, default=_plain, option=orjson.OPT_APPEND_NEWLINE))
            rows += 1
    return rows


def _plain(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, Decimal):
        return str(value)
    message = f"no way to keep a {type(value).__name__}"
    raise TypeError(message)


def _measure(file: IO[bytes]) -> tuple[str, int]:
    digest, size = sha256(), 0
    file.seek(0)
    while chunk := file.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    file.seek(0)
    return digest.hexdigest(), size


def _applied() -> list[list[str]]:
    found = MigrationRecorder(connection).applied_migrations()
    return sorted([app, name] for app, name in found)


# Restoring


def read_manifest(path: Path) -> dict[str, Any]:
    """Read a whole archive, check every member against the manifest, and return the manifest.

    Raises: Trouble when anything is missing, extra, cut off or changed.
    """
    seen: dict[str, dict[str, Any]] = {}
    manifest: dict[str, Any] | None = None
    try:
        for info, file in _members(path):
            if info.name in seen:
                raise _broken(f"{info.name} 出现两次", f"{info.name} stands there twice")
            if info.name == MANIFEST:
                if info.size > _MANIFEST_MOST:
                    raise _broken("清单过大", "the manifest is too large")
                text = file.read()
                seen[MANIFEST] = {}
                manifest = json.loads(text)
                continue
            digest, size = sha256(), 0
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
            seen[info.name] = {"sha256": digest.hexdigest(), "size": size}
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise _broken(str(error), str(error)) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise _broken("没有清单", "there is no manifest")
    del seen[MANIFEST]
    if seen != manifest.get("members"):
        wrong = sorted(set(seen) ^ set(manifest["members"])) or [n for n in seen if seen[n] != manifest["members"][n]]
        raise _broken(f"与清单不符：{wrong[0]}", f"{wrong[0]} is not as the manifest says")
    return manifest


def restore(
    path: Path, *, actor: Actor, at: datetime, passphrase: str | None = None, despite_findings: bool = False
) -> Summary:
    """Load a backup into this empty, migrated installation, on either engine, and verify it; all of it or nothing.

    The journal goes on with ``journal.restored``, which names the last head that the backup knew. ``passphrase`` brings the
    keys back too. A backup whose journal doesn't verify is refused, unless ``despite_findings``.

    Raises: Trouble for a broken archive, another release's tables, a target that isn't empty, findings.
    """
    manifest = read_manifest(path)
    if manifest["migrations"] != _applied():
        raise Trouble(
            "备份来自另一版本：请用同一版本恢复，再升级",
            "the backup is of another release: restore it with that one, then upgrade",
        )
    wanted = {model._meta.db_table: model for model in kept_models()}
    if set(manifest["tables"]) != set(wanted):
        raise _broken("数据表与本版本不同", "its tables are not those of this release")
    keys = _opened_keys(path, passphrase) if passphrase is not None else {}
    summary = Summary(path, head=manifest["head"], keys=bool(keys), absent=list(manifest["absent_files"]))
    moved: list[Path] = []
    with tempfile.TemporaryDirectory(dir=settings.FILES_ROOT, prefix="restoring-") as folder:
        try:
            with transaction.atomic():
                _expect_empty(wanted.values())
                _load(path, wanted, summary, Path(folder))
                if summary.tables != manifest["tables"]:
                    raise _broken("行数与清单不符", "the rows are not as many as the manifest says")
                _reset_sequences(wanted.values())
                _say_restored(manifest, actor, at)
                report = _verified(manifest)
                summary.findings, summary.size = report.findings, report.entries
                if not report.ok and not despite_findings:
                    first = report.findings[0]
                    raise Trouble(
                        f"备份里的存证核验不通过：{first.zh}", f"the journal in the backup does not verify: {first.en}"
                    )
                _settle_files(Path(folder), moved)
        except BaseException:
            for target in moved:
                target.unlink(missing_ok=True)
            raise
    if guards.missing(connection):
        guards.install(connection)
    for name, content in keys.items():
        _put_key(Path(settings.KEYS_ROOT) / name, content)
    return summary


def _members(path: Path) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    with path.open("rb") as raw, tarfile.open(fileobj=raw, mode="r|") as archive:
        for info in archive:
            if not info.isreg() or not _MEMBER.fullmatch(info.name):
                raise _broken(f"不应有的内容 {info.name!r}", f"it holds something else: {info.name!r}")
            file = archive.extractfile(info)
            if file is None:
                raise _broken(f"不能读取 {info.name}", f"{info.name} cannot be read")
            yield info, file


def _broken(zh: str, en: str) -> Trouble:
    return Trouble(f"备份文件已损坏或不是备份：{zh}", f"the backup is damaged or is none: {en}")


def _expect_empty(kept: Iterator[type[models.Model]] | Any) -> None:
    for model in kept:
        if model._base_manager.exists():
            raise Trouble(
                f"目标不是空的（{model._meta.db_table} 已有数据），没有改动",
                f"the target is not empty ({model._meta.db_table} has rows); nothing was changed",
            )


def _load(path: Path, wanted: Mapping[str, type[models.Model]], summary: Summary, folder: Path) -> None:
    for info, file in _members(path):
        if info.name.startswith("tables/"):
            table = info.name.removesuffix(".jsonl.gz").partition("-")[2]
            if table not in wanted:
                raise _broken(f"未知的表 {table}", f"an unknown table {table}")
            try:
                summary.tables[table] = _load_table(wanted[table], file)
            except (OSError, EOFError, ValueError, TypeError) as error:
                raise _broken(f"{table}：{error}", f"{table}: {error}") from error
        elif info.name.startswith("files/"):
            with (folder / info.name.removeprefix("files/")).open("wb") as out:
                shutil.copyfileobj(file, out, CHUNK)
                out.flush()
                os.fsync(out.fileno())
            summary.files += 1


def _load_table(model: type[models.Model], file: IO[bytes]) -> int:
    fields = list(model._meta.concrete_fields)
    readers = [_reader(each) for each in fields]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(f.column)) for f in fields)
    marks = ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({marks})"  # noqa: S608 - our own names
    rows = 0
    with gzip.GzipFile(fileobj=file, mode="rb") as lines, connection.cursor() as cursor:
        if orjson.loads(lines.readline()) != [f.attname for f in fields]:
            raise ValueError("other columns than this release's")
        batch: list[list[Any]] = []
        for line in lines:
            batch.append([read(value) for read, value in zip(readers, orjson.loads(line), strict=True)])
            if len(batch) == BATCH:
                cursor.executemany(statement, batch)
                rows += len(batch)
                batch.clear()
        if batch:
            cursor.executemany(statement, batch)
            rows += len(batch)
    return rows


def _reader(column: models.Field[Any, Any]) -> Callable[[Any], Any]:
    """A function from a kept value to what the driver takes."""
    target: models.Field[Any, Any] = column
    while isinstance(target, models.ForeignKey):
        target = target.target_field
    parse: Callable[[Any], Any] = _as_it_is
    for kind, parser in _PARSERS:
        if isinstance(target, kind):
            parse = parser
            break

    def read(value: Any) -> Any:
        return None if value is None else target.get_db_prep_save(parse(value), connection)

    return read


def _as_it_is(value: Any) -> Any:
    return value


_PARSERS: Final[tuple[tuple[type[models.Field[Any, Any]], Callable[[Any], Any]], ...]] = (
    (models.UUIDField, UUID),
    (models.DateTimeField, datetime.fromisoformat),
    (models.DateField, date.fromisoformat),
    (models.DecimalField, Decimal),
    (models.BinaryField, base64.b64decode),
)


def _reset_sequences(kept: Any) -> None:
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(kept)):
            cursor.execute(statement)


def _say_restored(manifest: Mapping[str, Any], actor: Actor, at: datetime) -> None:
    last = checkpoints.parse(manifest["head"])
    with unit():
        record(
            "journal.restored", actor=actor, at=at, subject=("journal", "restored"),
            data={"size": last.size, "root": last.root.hex(), "hash": last.hash_name, "made_at": manifest["made_at"]},
        )  # fmt: skip


def _verified(manifest: Mapping[str, Any]) -> Report:
    return verify(against=checkpoints.parse(manifest["head"]))


def _settle_files(folder: Path, moved: list[Path]) -> None:
    for draft in sorted(folder.iterdir()):
        target = disk.place(draft.name)
        if not target.exists():
            moved.append(target)
            disk.settle(draft, target)


# Keys


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, **_SCRYPT).derive(passphrase.encode()))


def _sealed_keys(passphrase: str) -> bytes:
    if not passphrase:
        raise Trouble("口令不能为空", "the passphrase is empty")
    kept = {
        path.name: base64.b64encode(path.read_bytes()).decode()
        for path in sorted(Path(settings.KEYS_ROOT).iterdir())
        if path.is_file()
    }
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    return salt + nonce + _cipher(passphrase, salt).encrypt(nonce, orjson.dumps(kept), FORMAT.encode())


def _opened_keys(path: Path, passphrase: str) -> dict[str, bytes]:
    sealed = next((file.read() for info, file in _members(path) if info.name == KEYS), None)
    if sealed is None:
        raise Trouble("备份里没有密钥", "the backup holds no keys")
    try:
        opened = _cipher(passphrase, sealed[:16]).decrypt(sealed[16:28], sealed[28:], FORMAT.encode())
    except (InvalidTag, ValueError) as error:
        raise Trouble("口令不对", "the passphrase is wrong") from error
    kept: dict[str, str] = orjson.loads(opened)
    if any(Path(name).name != name for name in kept):
        raise _broken("密钥名不对", "a key with a path for a name")
    return {name: base64.b64decode(content) for name, content in kept.items()}


def _put_key(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)


def lines_of(findings: Sequence[Finding]) -> list[str]:
    """Return findings as lines in both languages."""
    return [f"✕ {finding.zh}  |  {finding.en}" for finding in findings]

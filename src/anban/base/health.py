"""Whether the house stands: database, migrations, guards, worker and disk, for /readyz, /metrics and ``anban status``."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from anban.base.jobs import queries as jobs
from anban.base.journal import guards
from anban.base.journal.models import Cursor, Head
from anban.base.people import queries as people

WORKER_SILENT: Final = timedelta(minutes=30)
"""The worker's shortest timetable is ten minutes; three missed slots mean that it does not run."""

DISK_LEAST_MIB: Final = 512
MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: its name, whether it is well, and what was found, in both languages."""

    name: str
    ok: bool
    zh: str
    en: str


def checks(at: datetime) -> tuple[Check, ...]:
    """Return everything that must be well for the house to work; later ones are left out where the database is silent."""
    database = _database()
    if not database.ok:
        return (database, _disk())
    migrated = _migrations()
    if not migrated.ok:
        return (database, migrated, _disk())
    return (database, migrated, _guards(), _factors(), _worker(at), _disk())


def readings(at: datetime) -> Mapping[str, float | Mapping[str, float]]:
    """Return the figures of the metrics; a mapping within holds one figure per label."""
    lag = jobs.lag(at)
    oldest = lag.oldest_waiting_at
    head = Head.objects.filter(pk=1).values_list("size", flat=True).first()
    return {
        "journal_entries": float(head or 0),
        "jobs_due": float(lag.waiting),
        "jobs_running": float(lag.running),
        "jobs_failed": float(lag.failed),
        "queue_lag_seconds": (at - oldest).total_seconds() if oldest else 0.0,
        "job_last_done_seconds": {name: done.timestamp() for name, done in sorted(jobs.last_done().items())},
        "sign_in_failures_15m": float(people.failures_since(at - timedelta(minutes=15))),
        "disk_free_bytes": float(shutil.disk_usage(_home()).free),
        "guards_missing": float(len(guards.missing(connection))),
    }


def _home() -> Path:
    return Path(settings.HOME)


def _database() -> Check:
    try:
        with transaction.atomic():
            # A write that is taken back: a read-only or full database says so here and not to a citizen.
            Cursor.objects.update_or_create(name="health", defaults={"position": 0})
            transaction.set_rollback(True)
    except DatabaseError as problem:
        return Check(
            "database", False, f"数据库不能写入（{type(problem).__name__}）", f"cannot write ({type(problem).__name__})"
        )
    return Check("database", True, f"可写入（{connection.vendor}）", f"can be written ({connection.vendor})")


def _migrations() -> Check:
    executor = MigrationExecutor(connection)
    behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if behind:
        return Check(
            "migrations",
            False,
            f"有 {len(behind)} 个升级未执行，请运行 anban migrate",
            f"{len(behind)} not applied: run anban migrate",
        )
    return Check("migrations", True, "已是最新", "up to date")


def _guards() -> Check:
    gone = guards.missing(connection)
    if gone:
        return Check("guards", False, f"存证防护缺失：{'、'.join(gone)}", f"missing: {', '.join(gone)}")
    return Check("guards", True, "存证防护齐全", "all standing")


def _factors() -> Check:
    unread = people.unreadable_factors()
    if unread:
        return Check(
            "factors", False,
            f"{unread} 个账号的验证器读不出（缺 keys/factors.key）：放回密钥，或逐个运行 anban set-up-link --reset-factor",
            f"the authenticators of {unread} accounts cannot be read (keys/factors.key is another one or gone): "
            "bring the key back, or run anban set-up-link --reset-factor for each",
        )  # fmt: skip
    return Check("factors", True, "验证器密钥可用", "authenticators can be read")


def _worker(at: datetime) -> Check:
    last = max(jobs.last_done().values(), default=None)
    if last is None:
        return Check("worker", False, "后台进程还没有完成过任务", "the worker has done nothing yet")
    age = at - last
    minutes = max(0, int(age.total_seconds() // 60))
    if age > WORKER_SILENT:
        return Check("worker", False, f"后台进程已 {minutes} 分钟没有动静", f"silent for {minutes} min")
    return Check("worker", True, f"{minutes} 分钟前有动静", f"heard {minutes} min ago")


def _disk() -> Check:
    free = shutil.disk_usage(_home()).free // MIB
    return Check("disk", free >= DISK_LEAST_MIB, f"剩余 {free} MiB", f"{free} MiB free")

"""A program that lets a writing process be killed at many random moments and holds the ledger against what it acknowledged.

``python -m tests.reliability.killing --vendor sqlite --points 1000`` prints one JSON object; exit 1 when something was lost.
The writer is forked from this warm process with connections of its own. kill −9 does not test fsync: the operating
system keeps what was written, so a power cut is not tested here.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

from tests.database import Cluster

FAULTS = ("ack_before_commit", "journal_apart")
POINTS_OF_A_FAULT = 10
POINTS_OF_A_GENERATION = 50
"""After so many points the database is made afresh, so that looking through all of it stays quick."""
MOST_ACKS = 7
DELAY_S = (0.0, 0.06)
FAULT_DELAY_S = (0.3, 1.0)
MOST_PROBLEMS = 50
PATIENCE_S = 90.0
FAULT_HOLD_S = 20.0
"""How long a planted fault keeps its window open: luck must not decide whether it is caught."""


def main() -> int:
    """Run the points asked for and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vendor", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--points", type=int, default=15)
    parser.add_argument("--server-kills", type=int, default=0, help="in how many points the server itself is killed")
    parser.add_argument("--seed", type=int, default=20260302)
    parser.add_argument("--faults", action="store_true", help="afterwards plant each fault and see that it is caught")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="anban-kill-")))
        os.environ["ANBAN_HOME"] = str(folder)
        os.environ.pop("DATABASE_URL", None)
        os.environ.pop("ANBAN_DATABASE_ROLE", None)
        cluster = None
        if options.vendor == "postgresql":
            cluster = stack.enter_context(Cluster(durable=True))
            os.environ["DATABASE_URL"] = cluster.url
        os.environ["DJANGO_SETTINGS_MODULE"] = "anban.config.settings"
        import django

        django.setup()
        report = Run(options, folder, cluster).all()
    sys.stdout.write(json.dumps(report, ensure_ascii=False) + "\n")
    return 1 if report["problems"] or not all(report["caught"].values()) else 0


class Run:
    """All points of one run on one database."""

    def __init__(self, options: argparse.Namespace, folder: Path, cluster: Cluster | None) -> None:
        from tests.reliability import mixed_writes

        self.writes = mixed_writes
        self.options = options
        self.folder = folder
        self.cluster = cluster
        self.world: Any = None
        self.fault = ""
        self.problems: list[str] = []
        self.acks = self.intents = self.server_kills = 0
        self.kinds: dict[str, int] = {}
        self.spread: dict[str, int] = {}

    def all(self) -> dict[str, Any]:
        """Run the points, then those with a planted fault; return the figures."""
        began = time.monotonic()
        self._prepare()
        prepared = time.monotonic()
        points = 0
        for point in range(self.options.points):
            if point % POINTS_OF_A_GENERATION == 0:
                self._fresh()
            self._point(point)
            points += 1
            if len(self.problems) > MOST_PROBLEMS:
                break
        report = {
            "vendor": self.options.vendor, "points": points, "server_kills": self.server_kills, "acks": self.acks,
            "intents": self.intents, "kinds": dict(self.kinds), "spread": self.spread,
            "problems": self.problems[:MOST_PROBLEMS], "preparing_s": round(prepared - began, 1),
            "seconds": round(time.monotonic() - prepared, 1),
        }  # fmt: skip
        return report | {"caught": {fault: self._catch(fault) for fault in FAULTS} if self.options.faults else {}}

    def _catch(self, fault: str) -> list[str]:
        """Plant a fault and return what the same points find of it."""
        self.fault, self.problems = fault, []
        for point in range(POINTS_OF_A_FAULT):
            self._fresh()
            self._point(point)
            if self.problems:
                break
        return self.problems

    # The database, and a copy of it to start again from

    def _prepare(self) -> None:
        from anban.config.installation import migrate

        migrate()
        self.world = self.writes.build(self.folder)
        close()
        if self.cluster is None:
            for name in ("", "-wal", "-shm"):
                if (self.folder / f"anban.sqlite3{name}").exists():
                    shutil.copy(self.folder / f"anban.sqlite3{name}", self.folder / f"template{name}")
        else:
            self._maintain("CREATE DATABASE template_town TEMPLATE anban")

    def _fresh(self) -> None:
        close()
        if self.cluster is None:
            for name in ("", "-wal", "-shm"):
                (self.folder / f"anban.sqlite3{name}").unlink(missing_ok=True)
                if (self.folder / f"template{name}").exists():
                    shutil.copy(self.folder / f"template{name}", self.folder / f"anban.sqlite3{name}")
        else:
            self._maintain("DROP DATABASE anban WITH (FORCE)", "CREATE DATABASE anban TEMPLATE template_town")

    def _maintain(self, *statements: str) -> None:
        import psycopg

        assert self.cluster is not None
        with psycopg.connect(self.cluster.url.rsplit("/", 1)[0] + "/postgres", autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    # One point

    def _point(self, point: int) -> None:
        rng = Random(f"{self.options.seed}-{point}")
        kill_server = self.cluster is not None and not self.fault and self._server_turn(point)
        with self._writer(point, rng) as (pid, lines):
            lines.wait_for(0 if self.fault else rng.randint(0, MOST_ACKS))
            time.sleep(rng.uniform(*(FAULT_DELAY_S if self.fault else DELAY_S)))
            if kill_server:
                assert self.cluster is not None
                self.cluster.kill()
                self.server_kills += 1
                end(pid, patiently=True)
                self.cluster.start()
            else:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            heard = lines.rest()
        self._judge(point, heard)

    def _server_turn(self, point: int) -> bool:
        every = max(1, self.options.points // self.options.server_kills) if self.options.server_kills else 0
        return bool(every) and point % every == every // 2 and self.server_kills < self.options.server_kills

    def _judge(self, point: int, heard: list[dict[str, Any]]) -> None:
        self._settle()
        acks = [line for line in heard if line["say"] == "ack"]
        self.acks += len(acks)
        self.intents += sum(line["say"] == "intent" for line in heard)
        for line in acks:
            self.kinds[line["kind"]] = self.kinds.get(line["kind"], 0) + 1
        found = [line["text"] for line in heard if line["say"] == "broken"]
        found += self.writes.lost(acks) + self.writes.half_done() + self._integrity()
        if not self.fault:
            found += self.writes.doubled(self.world, heard)
        self.problems += [f"point {point}: {text}" for text in found]
        self.spread = self.writes.spread()
        close()

    def _settle(self) -> None:
        """Wait until the server has noticed that its client is dead: what was in flight is then decided."""
        from django.db import connection

        if self.cluster is None:
            return
        until = time.monotonic() + PATIENCE_S
        with connection.cursor() as cursor:
            while time.monotonic() < until:
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = 'anban' AND backend_type = 'client backend' "
                    "AND pid <> pg_backend_pid()"
                )
                if not cursor.fetchone()[0]:
                    return
                time.sleep(0.01)
        raise RuntimeError("a dead client's session stays")

    def _integrity(self) -> list[str]:
        from django.db import connection

        if self.cluster is not None:
            return []
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA integrity_check")
            found = [row[0] for row in cursor.fetchall() if row[0] != "ok"]
            cursor.execute("PRAGMA foreign_key_check")
            return found + [f"foreign key: {row}" for row in cursor.fetchall()]

    @contextlib.contextmanager
    def _writer(self, point: int, rng: Random) -> Iterator[tuple[int, Lines]]:
        close()
        reading, writing = os.pipe()
        seed = rng.random()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            self._write(point, Random(seed), writing)
        os.close(writing)
        try:
            yield pid, Lines(reading)
        finally:
            end(pid)
            os.close(reading)

    def _write(self, point: int, rng: Random, pipe: int) -> None:
        """Be the writer until killed; never return."""

        def say(line: dict[str, Any]) -> None:
            os.write(pipe, json.dumps(line, ensure_ascii=False).encode() + b"\n")

        code = 0
        try:
            plant(self.fault)
            writer = self.writes.Writer(self.world, rng, point, say)
            if self.fault == "ack_before_commit":
                acknowledge_before_commit(writer)
            else:
                writer.run(10_000)
        except BaseException as error:  # noqa: BLE001 - a server that died under it, or a fault that is told
            code = 3
            if "OperationalError" not in type(error).__name__ and "InterfaceError" not in type(error).__name__ \
                    and "OperationalError" not in "".join(traceback.format_exception(error)):  # fmt: skip
                with contextlib.suppress(OSError):
                    say({"say": "broken", "text": "".join(traceback.format_exception(error))[-1500:]})
        finally:
            os._exit(code)


class Lines:
    """What the writer says, read as it comes."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._text = b""

    def wait_for(self, acks: int) -> None:
        """Wait until the writer has begun and so many writes were acknowledged, or it has ended."""
        until = time.monotonic() + PATIENCE_S
        while not self._text or self._text.count(b'"say": "ack"') < acks:
            if time.monotonic() > until:
                raise RuntimeError("the writer is silent")
            if select.select([self._pipe], [], [], 0.5)[0] and not self._more():
                return

    def rest(self) -> list[dict[str, Any]]:
        """Read to the end; a line that was cut off in the middle was not said."""
        while self._more():
            pass
        return [json.loads(line) for line in self._text.split(b"\n")[:-1]]

    def _more(self) -> bool:
        chunk = os.read(self._pipe, 65536)
        self._text += chunk
        return bool(chunk)


def close() -> None:
    """Close the connections of this process; a forked one must not share them."""
    from django.db import connections

    connections.close_all()


def end(pid: int, *, patiently: bool = False) -> None:
    """Make sure that a process that we started is gone."""
    until = time.monotonic() + (20 if patiently else 0)
    with contextlib.suppress(ChildProcessError, ProcessLookupError):
        while time.monotonic() < until:
            if os.waitpid(pid, os.WNOHANG) != (0, 0):
                return
            time.sleep(0.02)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


# The planted faults


def plant(fault: str) -> None:
    """Plant a fault in this process."""
    if fault == "journal_apart":
        from django.db import transaction

        from anban.base.journal import operations

        real: Callable[..., None] = operations._append

        def apart(drafts: Any) -> None:
            kept = list(drafts)

            def later() -> None:
                time.sleep(FAULT_HOLD_S)
                with transaction.atomic():
                    real(kept)

            transaction.on_commit(later)

        operations._append = apart


def acknowledge_before_commit(writer: Any) -> None:
    """Say that a write is done while its transaction is still open."""
    from anban.base.journal.operations import unit

    while True:
        with unit():
            writer.one()
            time.sleep(FAULT_HOLD_S)


if __name__ == "__main__":
    sys.exit(main())

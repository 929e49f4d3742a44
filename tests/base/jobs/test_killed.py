"""Real workers in processes of their own: killed in the middle, asked to stop, busy in both lanes."""

from __future__ import annotations

import os
import select
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connections

from anban.base.jobs import operations, registry, worker
from anban.base.jobs.models import Job
from anban.base.jobs.registry import Handle, job
from anban.base.journal.models import Entry
from anban.base.people.actor import Actor
from anban.base.people.models import Person
from anban.base.people.operations import add_person
from anban.kit.clock import now

ASKER = Actor(person_id=uuid4(), root="bj")
STEPS = 5
PATIENCE_S = 60.0


@pytest.fixture
def names() -> Iterator[list[str]]:
    """Names of jobs entered by one test."""
    entered: list[str] = []
    yield entered
    for name in entered:
        registry.forget(name)


@contextmanager
def child(work: Callable[[], int]) -> Iterator[int]:
    """Run ``work`` in a forked process with connections of its own; it is gone at the end."""
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = work()
        except BaseException:  # noqa: BLE001 - said here, for the process ends before pytest could
            traceback.print_exc()
        finally:
            os._exit(code)
    try:
        yield pid
    finally:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def wait_until(true: Callable[[], bool], what: str, worker_id: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert os.waitpid(worker_id, os.WNOHANG) == (0, 0), "the worker has ended"
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.02)


def put_down(slot: datetime, number: int) -> None:
    name = f"{slot.isoformat()} {number}"
    if not Person.objects.filter(name=name).exists():
        add_person(actor=ASKER, at=slot, root="bj", name=name)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("killed_after", [0, 2, STEPS])
def test_a_job_whose_worker_is_killed_is_done_exactly_once_after_the_restart(
    names: list[str], killed_after: int
) -> None:
    reached, tell = os.pipe()
    in_child = [False]

    def work(slot: datetime, handle: Handle) -> None:
        for number in range(STEPS + 1):
            if in_child[0] and number == killed_after:
                os.write(tell, b"x")
                signal.pause()
            if number < STEPS:
                put_down(slot, number)
                handle.progress(number + 1, STEPS)

    names.append("t.steps")
    job("t.steps")(work)
    row = operations.enqueue("t.steps", actor=ASKER, at=now())
    before = Entry.objects.count()

    def run() -> int:
        in_child[0] = True
        worker.run_once(["t.steps"])
        return 0

    with child(run) as pid:
        assert select.select([reached], [], [], PATIENCE_S)[0]
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    os.close(reached)
    os.close(tell)
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("running", 1)
    # What is shown may be half a second old; it never runs ahead of the work.
    assert row.done_steps <= killed_after
    assert Person.objects.count() == killed_after
    # Before the silence is long, nobody else may take it.
    later = now() + worker.SILENT_AFTER / 2
    assert worker.reap(later) == 0
    assert worker.run_once(["t.steps"], at=later) == 0
    later = now() + worker.SILENT_AFTER + timedelta(seconds=1)
    assert worker.reap(later) == 1
    assert worker.run_once(["t.steps"], at=later + timedelta(minutes=5)) == 1
    assert worker.run_once(["t.steps"], at=later + timedelta(minutes=9)) == 0
    row.refresh_from_db()
    assert (row.state, row.attempts, row.done_steps) == ("done", 2, STEPS)
    assert Person.objects.count() == STEPS
    assert Entry.objects.count() == before + STEPS


@pytest.mark.django_db(transaction=True)
def test_long_work_does_not_hold_up_short_work_and_sigterm_gives_it_back(names: list[str]) -> None:
    def long(slot: datetime, handle: Handle) -> None:
        while True:
            handle.progress(1, 3, "读取")
            time.sleep(0.01)

    def short(slot: datetime, handle: Handle) -> None:
        put_down(slot, 1)

    names += ["t.long", "t.short"]
    job("t.long", lane="long")(long)
    job("t.short")(short)
    held = operations.enqueue("t.long", actor=ASKER, at=now())

    with child(worker.main) as pid:
        wait_until(lambda: Job.objects.get(pk=held.pk).stage == "读取", "the long job runs", pid)
        quick = operations.enqueue("t.short", actor=ASKER, at=now())
        wait_until(lambda: Job.objects.get(pk=quick.pk).state == "done", "the short job is done", pid)
        assert Job.objects.get(pk=held.pk).state == "running"
        os.kill(pid, signal.SIGTERM)
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0
    held.refresh_from_db()
    assert (held.state, held.attempts, held.claimed_by) == ("waiting", 0, "")
    assert Person.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_job_that_says_nothing_is_kept_alive_by_its_workers_heartbeat(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def still(slot: datetime, handle: Handle) -> None:
        while not (tmp_path / "go").exists():
            time.sleep(0.01)

    monkeypatch.setattr(worker, "BEAT_EVERY_S", 0.1)
    names.append("t.still")
    job("t.still")(still)
    row = operations.enqueue("t.still", actor=ASKER, at=now())
    with child(worker.main) as pid:
        wait_until(lambda: Job.objects.get(pk=row.pk).state == "running", "the job runs", pid)
        first = Job.objects.get(pk=row.pk).heartbeat_at
        wait_until(lambda: Job.objects.get(pk=row.pk).heartbeat_at != first, "the heartbeat moves on", pid)
        (tmp_path / "go").touch()
        wait_until(lambda: Job.objects.get(pk=row.pk).state == "done", "the job is done", pid)
        os.kill(pid, signal.SIGTERM)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

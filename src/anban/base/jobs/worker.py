"""The worker: puts due slots on the table, claims one row at a time in two lanes, and outlives whatever a job does."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any
from uuid import UUID

from django.db import Error as DatabaseError
from django.db import close_old_connections, connections, transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from anban.base.jobs import registry
from anban.base.jobs.models import Job
from anban.kit.clock import now
from anban.kit.ids import new_id
from anban.rules.errors import Refusal, register

register(
    "job.failed",
    zh="任务因程序错误中断，详情已记入日志（编号 {number}）。",
    en="The task stopped on a program error; the log has the details under {number}.",
)

log = logging.getLogger("anban.jobs")

MOST_ATTEMPTS = 5
FIRST_BACKOFF = timedelta(seconds=10)
BEAT_EVERY_S = 5.0
# Longer than SQLite's busy time-out, so that a worker waiting for the write lock isn't taken for dead.
SILENT_AFTER = timedelta(seconds=60)
PLAN_EVERY_S = 5.0
POLL_S = 0.5
PROGRESS_EVERY_S = 0.5
UNFINISHED = (Job.State.WAITING, Job.State.RUNNING)


class ClaimLost(RuntimeError):
    """Another worker has this row now: this one was silent for too long and must stop at once."""


class Interrupted(RuntimeError):
    """The worker was asked to stop; the job goes back to waiting and will be taken up again."""


@dataclass(slots=True)
class Running:
    """The handle of a job at work: what it was given, and how it says how far it is."""

    job_id: UUID
    name: str
    root: str
    args: Mapping[str, Any]
    asked_by: UUID | None
    claim: str
    stop: threading.Event | None = None
    _stage: str = ""
    _said: float = field(default=float("-inf"))

    def progress(self, done: int, total: int = 0, stage: str = "") -> None:
        """Say how far the job is; call it outside transactions and often, for it is also where a job is stopped.

        Raises: Interrupted when the worker stops, ClaimLost when the row went to another worker.
        """
        if self.stop is not None and self.stop.is_set():
            raise Interrupted(self.name)
        elapsed = time.monotonic() - self._said
        if elapsed < PROGRESS_EVERY_S and stage in ("", self._stage) and done != total:
            return
        self._stage, self._said = stage or self._stage, time.monotonic()
        told = Job.objects.filter(pk=self.job_id, claimed_by=self.claim, state=Job.State.RUNNING).update(
            done_steps=done, total_steps=total, stage=self._stage[:120], heartbeat_at=now()
        )
        if told != 1:
            raise ClaimLost(self.name)


def plan(at: datetime, names: Collection[str] | None = None) -> int:
    """Put the due slots of the timetable on the table and return how many were new; two workers planning together agree."""
    made = 0
    roots = registry.roots()
    for kind in registry.kinds():
        if kind.every is None or (names is not None and kind.name not in names):
            continue
        for root, zone in roots if kind.per_root else (("", registry.zone_of("")),):
            made += _plan_one(kind, root, zone, at)
    return made


def _plan_one(kind: registry.Kind, root: str, zone: str, at: datetime) -> int:
    newest = registry.slot_at_or_before(kind, at, zone)
    last = (
        Job.objects.filter(name=kind.name, root=root, planned=True)
        .order_by("-slot")
        .values_list("slot", flat=True)
        .first()
    )
    if last is not None and last >= registry.slot_name(newest):
        return 0
    slots = [newest]
    if kind.catch_up and last is not None:
        missed = registry.slots_after(kind, datetime.fromisoformat(last), at, zone)
        slots = [slot for _, slot in zip(range(registry.MOST_SLOTS), missed, strict=False)]
    rows = [
        Job(
            name=kind.name, slot=registry.slot_name(slot), root=root, planned=True, run_after=slot, created_at=at,
        )
        for slot in slots
    ]  # fmt: skip
    with transaction.atomic():
        if not kind.catch_up:
            # A newer slot takes the place of one that was never begun.
            Job.objects.filter(
                name=kind.name, root=root, planned=True, state=Job.State.WAITING, attempts=0, slot__lt=rows[0].slot
            ).delete()
        Job.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def claim(at: datetime, names: Collection[str]) -> Job | None:
    """Take the next due row of these jobs for this worker alone, or None.

    Slots of one planned job and root run one after the other, so a slot waits for the earlier ones.
    """
    for row in _claimable(at, names)[:8]:
        token = f"{socket.gethostname()[:30]}:{os.getpid()}:{new_id().hex}"
        taken = Job.objects.filter(pk=row.pk, state=Job.State.WAITING, attempts=row.attempts).update(
            state=Job.State.RUNNING, claimed_by=token, heartbeat_at=now(), attempts=F("attempts") + 1, problem=""
        )
        if taken == 1:
            return Job.objects.get(pk=row.pk)
    return None


def _claimable(at: datetime, names: Collection[str]) -> QuerySet[Job]:
    earlier = Job.objects.filter(
        name=OuterRef("name"), root=OuterRef("root"), planned=True, state__in=UNFINISHED, slot__lt=OuterRef("slot")
    )
    rows = Job.objects.filter(state=Job.State.WAITING, run_after__lte=at, name__in=names)
    return rows.exclude(Exists(earlier.filter(planned=OuterRef("planned")))).order_by("run_after", "slot", "id")


def reap(at: datetime) -> int:
    """Set rows whose worker has been silent for long back to waiting, or to failed after the last attempt; returns how many."""
    silent = Job.objects.filter(state=Job.State.RUNNING, heartbeat_at__lt=at - SILENT_AFTER)
    reaped = 0
    for row in silent:
        over = row.attempts >= MOST_ATTEMPTS
        reaped += Job.objects.filter(pk=row.pk, state=Job.State.RUNNING, claimed_by=row.claimed_by).update(
            state=Job.State.FAILED if over else Job.State.WAITING,
            run_after=at if over else at + backoff(row.attempts),
            claimed_by="",
            problem=_texts(Refusal("job.failed", number=row.pk.hex[-8:])) if over else "",
            finished_at=at if over else None,
        )
        log.warning("job %s %s was left by its worker %s", row.name, row.slot, row.claimed_by)
    return reaped


def backoff(attempts: int) -> timedelta:
    """Return how long a job rests after so many attempts: 10 s, 40 s, 160 s, …"""
    return FIRST_BACKOFF * (1 << 2 * max(0, attempts - 1))


def perform(row: Job, stop: threading.Event | None = None) -> bool:
    """Run a claimed row and write down how it ended; tells whether it is done."""
    kind = registry.find(row.name)
    if kind is None:
        message = f"{row.name}: claimed without being known"
        raise LookupError(message)
    handle = Running(row.pk, row.name, row.root, json.loads(row.args), row.asked_by, row.claimed_by, stop)
    try:
        outcome = kind.run(_instant_of(row), handle)
    except Interrupted:
        _end(row, Job.State.WAITING, attempts=row.attempts - 1, run_after=now())
        log.info("job %s %s goes back to waiting: the worker stops", row.name, row.slot)
        return False
    except ClaimLost:
        log.warning("job %s %s went to another worker", row.name, row.slot)
        return False
    except Refusal as refusal:
        # A refusal is an answer: trying again would only hear it again.
        _end(row, Job.State.FAILED, problem=_texts(refusal), finished_at=now())
        return False
    except Exception:
        number = row.pk.hex[-8:]
        log.exception("job %s %s failed [%s], attempt %s", row.name, row.slot, number, row.attempts)
        at = now()
        if row.attempts >= MOST_ATTEMPTS:
            _end(row, Job.State.FAILED, problem=_texts(Refusal("job.failed", number=number)), finished_at=at)
        else:
            _end(row, Job.State.WAITING, run_after=at + backoff(row.attempts))
        return False
    return _end(row, Job.State.DONE, result=_result(outcome), finished_at=now())


def _end(row: Job, state: str, **columns: Any) -> bool:
    """Write how a run ended, if the row is still this run's."""
    ended = Job.objects.filter(pk=row.pk, claimed_by=row.claimed_by, state=Job.State.RUNNING).update(
        state=state, claimed_by="", **columns
    )
    return ended == 1 and state == Job.State.DONE


def _instant_of(row: Job) -> datetime:
    """Return the instant a row runs for: its slot, or when it was asked for."""
    try:
        slot = datetime.fromisoformat(row.slot)
    except ValueError:
        return row.created_at
    return slot if slot.tzinfo is not None else row.created_at


def _texts(refusal: Refusal) -> str:
    return json.dumps({"code": refusal.code, "zh": refusal.zh, "en": refusal.en}, ensure_ascii=False)


def _result(outcome: registry.Outcome) -> str:
    if outcome is None:
        return ""
    plain = dict(outcome) if isinstance(outcome, Mapping) else {"result": outcome}
    return json.dumps(plain, ensure_ascii=False, default=str)


def run_once(names: Collection[str] | None = None, *, at: datetime | None = None) -> int:
    """Plan and run everything due at ``at`` (default: now), in this thread, until nothing is left; returns how many got done."""
    moment = (at or now()).astimezone(UTC)
    wanted = {kind.name for kind in registry.kinds()} if names is None else set(names)
    done = 0
    while True:
        plan(moment, wanted)
        row = claim(moment, wanted)
        if row is None:
            return done
        done += perform(row)


def main(once: bool = False) -> int:
    """Work until told to stop (SIGTERM, SIGINT), or with ``once`` until nothing is due; returns the exit code."""
    registry.load()
    if once:
        reap(now())
        run_once()
        return 0
    stop = threading.Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    lanes: tuple[registry.Lane, ...] = ("short", "long")
    threads = [threading.Thread(target=_lane, args=(lane, stop), name=f"lane-{lane}") for lane in lanes]
    threads.append(threading.Thread(target=_beat, args=(threads.copy(), stop), name="heartbeat"))
    for thread in threads:
        thread.start()
    try:
        while not stop.is_set() and all(thread.is_alive() for thread in threads):
            _guarded(_look_around, "planning")
            stop.wait(PLAN_EVERY_S)
        # A lane that ended by itself met a fault of the program: better to end whole and be started again.
        code = 0 if stop.is_set() else 1
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        connections.close_all()
    return code


def _look_around() -> None:
    at = now()
    reap(at)
    plan(at)


def _lane(lane: registry.Lane, stop: threading.Event) -> None:
    """Work through one lane: long work, such as an import, never keeps short work waiting."""
    names = [kind.name for kind in registry.kinds() if kind.lane == lane]
    while not stop.is_set():
        if not _guarded(lambda: _next(names, stop), f"lane {lane}"):
            stop.wait(POLL_S)
    connections.close_all()


def _next(names: Collection[str], stop: threading.Event) -> bool:
    row = claim(now(), names)
    if row is None:
        return False
    with _held_lock:
        _held.add((row.pk, row.claimed_by))
    try:
        perform(row, stop)
    finally:
        with _held_lock:
            _held.discard((row.pk, row.claimed_by))
    return True


def _guarded(step: Any, what: str) -> bool:
    """Do one step; a database that is away or busy is met again at the next one."""
    close_old_connections()
    try:
        return bool(step())
    except DatabaseError:
        log.exception("%s: the database did not answer", what)
        connections.close_all()
        return False


_held: set[tuple[UUID, str]] = set()
_held_lock = threading.Lock()


def _beat(lanes: list[threading.Thread], stop: threading.Event) -> None:
    """Say for every claimed row that its worker lives, on a connection of its own, until the lanes have ended."""
    while any(lane.is_alive() for lane in lanes):
        _guarded(_say_alive, "heartbeat")
        until = time.monotonic() + BEAT_EVERY_S
        while time.monotonic() < until and any(lane.is_alive() for lane in lanes):
            if stop.is_set():
                time.sleep(0.05)
            else:
                stop.wait(min(BEAT_EVERY_S, max(0.05, until - time.monotonic())))
    connections.close_all()


def _say_alive() -> None:
    with _held_lock:
        held = list(_held)
    for job_id, token in held:
        Job.objects.filter(pk=job_id, claimed_by=token, state=Job.State.RUNNING).update(heartbeat_at=now())

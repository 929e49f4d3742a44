"""The worker: slots, catching up, claims, failures, progress; each run is at a given instant, never at the clock's."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
from django.db import connection, connections
from django.utils import translation

from anban.base.jobs import operations, queries, registry, worker
from anban.base.jobs.jobs import count_anew, tidy
from anban.base.jobs.models import Job
from anban.base.jobs.registry import Handle, Kind, job
from anban.base.journal.models import Entry
from anban.base.people.actor import Actor, Grant
from anban.base.people.models import Person
from anban.rules.errors import Refusal, register

AT = datetime(2026, 5, 4, 2, 30, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)
ASKER = Actor(person_id=uuid4(), root="bj")
ADMIN = Actor(person_id=uuid4(), root="bj", grants=(Grant("bj", "system_admin"),))
register("test.no", zh="第 {row} 行不对", en="Row {row} is wrong")


@pytest.fixture
def told() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def table(told: list[tuple[str, str]]) -> Iterator[Callable[..., None]]:
    """Enter jobs for one test: by default they tell their root and slot."""
    names = []
    roots = registry._roots[:]
    registry.roots_come_from(lambda: [("bj", "Asia/Shanghai"), ("demo", "America/Chicago")])

    def enter(name: str, run: Callable[[datetime, Handle], registry.Outcome] | None = None, **options: object) -> None:
        def tell(slot: datetime, handle: Handle) -> None:
            told.append((handle.root, registry.slot_name(slot)))

        names.append(name)
        job(name, **options)(run or tell)  # type: ignore[arg-type]

    yield enter
    for name in names:
        registry.forget(name)
    registry._roots[:] = roots


def slots(told: list[tuple[str, str]]) -> list[str]:
    return [slot[:16] for _, slot in told]


def kind(every: timedelta, offset: timedelta = timedelta(0)) -> Kind:
    return Kind("x", lambda slot, handle: None, every, offset)


@pytest.mark.parametrize(
    ("every", "offset", "zone", "expected"),
    [
        (timedelta(minutes=1), timedelta(0), "Asia/Shanghai", "2026-05-04T02:30"),
        (timedelta(minutes=15), timedelta(0), "UTC", "2026-05-04T02:30"),
        (HOUR, timedelta(minutes=20), "UTC", "2026-05-04T02:20"),
        # Midnight and eight in Shanghai.
        (timedelta(days=1), timedelta(0), "Asia/Shanghai", "2026-05-03T16:00"),
        (timedelta(days=1), 8 * HOUR, "Asia/Shanghai", "2026-05-04T00:00"),
        (timedelta(days=1), 11 * HOUR, "Asia/Shanghai", "2026-05-03T03:00"),
        # Eight in Chicago, in summer time.
        (timedelta(days=1), 8 * HOUR, "America/Chicago", "2026-05-03T13:00"),
    ],
)
def test_slot_is_a_floor_on_the_citys_clock(every: timedelta, offset: timedelta, zone: str, expected: str) -> None:
    found = registry.slot_at_or_before(kind(every, offset), AT, zone)
    assert registry.slot_name(found)[:16] == expected


def test_slots_after_are_the_missed_ones_in_order_also_over_the_change_to_summer_time() -> None:
    daily = kind(timedelta(days=1), 8 * HOUR)
    found = registry.slots_after(
        daily, datetime(2026, 3, 6, 14, tzinfo=UTC), datetime(2026, 3, 9, 13, tzinfo=UTC), "America/Chicago"
    )
    assert [registry.slot_name(slot)[:13] for slot in found] == ["2026-03-07T14", "2026-03-08T13", "2026-03-09T13"]


def test_a_name_has_one_function_and_a_step_divides_the_day(table: Callable[..., None]) -> None:
    table("t.a")
    with pytest.raises(ValueError, match="already has a function"):
        job("t.a")(lambda slot, handle: None)
    with pytest.raises(ValueError, match="divide a day"):
        table("t.b", every=timedelta(minutes=7))


@pytest.mark.django_db
def test_planning_twice_runs_a_slot_once(table: Callable[..., None], told: list[tuple[str, str]]) -> None:
    table("t.hourly", every=HOUR)
    for _ in range(3):
        worker.run_once(["t.hourly"], at=AT)
    worker.run_once(["t.hourly"], at=AT + HOUR)
    assert slots(told) == ["2026-05-04T02:00", "2026-05-04T03:00"]


@pytest.mark.django_db
def test_after_48_hours_a_catching_up_job_runs_every_slot_once_in_order(
    table: Callable[..., None], told: list[tuple[str, str]]
) -> None:
    table("t.hourly", every=HOUR, catch_up=True)
    worker.run_once(["t.hourly"], at=AT)
    told.clear()
    for _ in range(2):
        worker.run_once(["t.hourly"], at=AT + 48 * HOUR)
    start = datetime(2026, 5, 4, 3, tzinfo=UTC)
    assert slots(told) == [registry.slot_name(start + n * HOUR)[:16] for n in range(48)]


@pytest.mark.django_db
def test_after_48_hours_another_job_runs_the_newest_slot_only(
    table: Callable[..., None], told: list[tuple[str, str]]
) -> None:
    table("t.hourly", every=HOUR)
    worker.run_once(["t.hourly"], at=AT)
    worker.plan(AT + HOUR, ["t.hourly"])  # planned, and then the worker stood still
    worker.run_once(["t.hourly"], at=AT + 48 * HOUR)
    assert slots(told) == ["2026-05-04T02:00", "2026-05-06T02:00"]


@pytest.mark.django_db
def test_more_missed_slots_than_one_planning_takes_are_all_run(
    table: Callable[..., None], told: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "MOST_SLOTS", 5)
    table("t.hourly", every=HOUR, catch_up=True)
    worker.run_once(["t.hourly"], at=AT)
    worker.run_once(["t.hourly"], at=AT + 23 * HOUR)
    assert len(told) == 24
    assert slots(told) == sorted(set(slots(told)))


@pytest.mark.django_db
def test_a_job_per_root_has_slots_on_each_citys_clock(table: Callable[..., None], told: list[tuple[str, str]]) -> None:
    table("t.daily", every=timedelta(days=1), per_root=True)
    worker.run_once(["t.daily"], at=AT)
    assert sorted(told) == [("bj", "2026-05-03T16:00:00+00:00"), ("demo", "2026-05-03T05:00:00+00:00")]


@pytest.mark.django_db
def test_a_later_slot_waits_for_the_earlier_one(table: Callable[..., None]) -> None:
    table("t.hourly", every=HOUR, catch_up=True)
    worker.plan(AT, ["t.hourly"])
    worker.plan(AT + HOUR, ["t.hourly"])
    first = worker.claim(AT + HOUR, ["t.hourly"])
    assert first is not None
    assert first.slot == "2026-05-04T02:00:00+00:00"
    assert worker.claim(AT + HOUR, ["t.hourly"]) is None
    assert worker.perform(first)
    second = worker.claim(AT + HOUR, ["t.hourly"])
    assert second is not None
    assert second.slot == "2026-05-04T03:00:00+00:00"


@pytest.mark.django_db
def test_a_failing_job_is_tried_five_times_with_longer_rests_and_says_so_without_a_traceback(
    table: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    tries = []

    def fail(slot: datetime, handle: Handle) -> None:
        tries.append(slot)
        raise RuntimeError("secret detail")

    table("t.fail", fail)
    row = operations.enqueue("t.fail", actor=ASKER, at=AT)
    rests = []
    for _ in range(7):
        Job.objects.filter(pk=row.pk).update(run_after=AT)
        worker.run_once(["t.fail"], at=AT)
        row.refresh_from_db()
        if row.state == Job.State.WAITING:
            rests.append(row.run_after)
    assert len(tries) == 5
    assert len(rests) == 4
    assert [worker.backoff(n).total_seconds() for n in (1, 2, 3, 4)] == [10, 40, 160, 640]
    seen = queries.job(ASKER, row.pk)
    assert seen.failed
    assert seen.is_over
    assert row.pk.hex[-8:] in seen.problem
    assert "secret" not in seen.problem
    assert "secret detail" in caplog.text
    with translation.override("en"):
        assert queries.job(ASKER, row.pk).problem.startswith("The task stopped")
    operations.ask_again(row.pk, actor=ASKER, at=AT)
    worker.run_once(["t.fail"], at=AT)
    assert len(tries) == 6


@pytest.mark.django_db
def test_a_refusal_is_an_answer_and_is_not_tried_again(table: Callable[..., None]) -> None:
    tries = []

    def refuse(slot: datetime, handle: Handle) -> None:
        tries.append(slot)
        raise Refusal("test.no", row=7)

    table("t.refuse", refuse)
    row = operations.enqueue("t.refuse", actor=ASKER, at=AT)
    worker.run_once(["t.refuse"], at=AT)
    worker.run_once(["t.refuse"], at=AT + HOUR)
    assert len(tries) == 1
    assert queries.job(ASKER, row.pk).problem == "第 7 行不对"


@pytest.mark.django_db
def test_enqueue_is_once_per_slot_and_gives_the_job_its_arguments(table: Callable[..., None]) -> None:
    seen = []

    def work(slot: datetime, handle: Handle) -> dict[str, int]:
        seen.append((slot, handle.args, handle.root, handle.asked_by))
        handle.progress(3, 10, "读取")
        return {"new": 3}

    table("t.import", work, lane="long")
    first = operations.enqueue("t.import", actor=ASKER, at=AT, slot="file-1", args={"file": "1", "名": "甲"})
    again = operations.enqueue("t.import", actor=ASKER, at=AT + HOUR, slot="file-1", args={"file": "2"})
    assert again.pk == first.pk
    assert [json.loads(body)["verb"] for body in Entry.objects.values_list("body", flat=True)] == ["job.asked"]
    assert worker.run_once(["t.import"], at=AT) == 1
    assert seen == [(AT, {"file": "1", "名": "甲"}, "bj", ASKER.person_id)]
    shown = queries.job(ASKER, first.pk)
    assert (shown.state, shown.percent, shown.stage, shown.result) == ("done", 100, "读取", {"new": 3})


@pytest.mark.django_db
def test_a_job_asked_for_later_waits(table: Callable[..., None], told: list[tuple[str, str]]) -> None:
    table("t.later")
    operations.enqueue("t.later", actor=ASKER, at=AT, run_after=AT + HOUR)
    assert worker.run_once(["t.later"], at=AT + timedelta(minutes=59)) == 0
    assert worker.run_once(["t.later"], at=AT + HOUR) == 1


@pytest.mark.django_db
def test_only_the_asker_and_administrators_see_a_job(table: Callable[..., None]) -> None:
    table("t.a")
    row = operations.enqueue("t.a", actor=ASKER, at=AT)
    other = Actor(person_id=uuid4(), root="bj", grants=(Grant("bj", "street_director"),))
    elsewhere = Actor(person_id=ASKER.person_id, root="demo", grants=(Grant("demo", "system_admin"),))
    assert [p.id for p in queries.jobs_for(ASKER)] == [row.pk]
    assert [p.id for p in queries.jobs_for(ADMIN)] == [row.pk]
    for actor in (other, elsewhere, Actor(person_id=None, root="bj")):
        assert queries.jobs_for(actor) == ()
        with pytest.raises(Refusal) as refusal:
            queries.job(actor, row.pk)
        assert refusal.value.code == "job.not_found"
    with pytest.raises(Refusal) as refusal:
        operations.ask_again(row.pk, actor=ASKER, at=AT)
    assert refusal.value.code == "job.not_failed"


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 3])
def test_jobs_for_takes_one_query(table: Callable[..., None], count: int, django_assert_num_queries: object) -> None:
    table("t.a")
    for _ in range(count):
        operations.enqueue("t.a", actor=ASKER, at=AT)
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert len(queries.jobs_for(ASKER)) == count


@pytest.mark.django_db
def test_a_job_this_process_does_not_know_is_left_for_another(told: list[tuple[str, str]]) -> None:
    row = operations.enqueue("t.unknown", actor=ASKER, at=AT)
    assert worker.run_once(at=AT) >= 0
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("waiting", 0)


@pytest.mark.django_db
def test_reaper_takes_rows_from_silent_workers_and_the_old_claim_can_write_nothing(
    table: Callable[..., None], told: list[tuple[str, str]]
) -> None:
    table("t.slow")
    operations.enqueue("t.slow", actor=ASKER, at=AT)
    old = worker.claim(AT, ["t.slow"])
    assert old is not None
    beat = old.heartbeat_at
    assert beat is not None
    assert worker.reap(beat + worker.SILENT_AFTER) == 0
    assert worker.reap(beat + worker.SILENT_AFTER + timedelta(seconds=1)) == 1
    row = Job.objects.get()
    assert (row.state, row.attempts, row.claimed_by) == ("waiting", 1, "")
    handle = worker.Running(old.pk, old.name, old.root, {}, None, old.claimed_by)
    with pytest.raises(worker.ClaimLost):
        handle.progress(1, 2)
    assert worker.perform(old) is False
    assert Job.objects.get().state == "waiting"
    Job.objects.update(attempts=5, state="running", claimed_by="x", heartbeat_at=AT)
    assert worker.reap(AT + HOUR) == 1
    assert Job.objects.get().state == "failed"


@pytest.mark.django_db
def test_a_worker_that_stops_gives_the_job_back_without_counting_the_try(table: Callable[..., None]) -> None:
    stop = threading.Event()
    steps = []

    def long(slot: datetime, handle: Handle) -> None:
        for number in range(10):
            steps.append(number)
            if number == 3:
                stop.set()
            handle.progress(number, 10)

    table("t.long", long, lane="long")
    operations.enqueue("t.long", actor=ASKER, at=AT)
    row = worker.claim(AT, ["t.long"])
    assert row is not None
    assert worker.perform(row, stop) is False
    assert steps == [0, 1, 2, 3]
    row.refresh_from_db()
    assert (row.state, row.attempts, row.claimed_by) == ("waiting", 0, "")


@pytest.mark.django_db
def test_lag_counts_what_waits_runs_and_has_failed(table: Callable[..., None]) -> None:
    table("t.a")
    for number in range(3):
        operations.enqueue("t.a", actor=ASKER, at=AT + number * HOUR)
    worker.claim(AT, ["t.a"])
    found = queries.lag(AT + HOUR)
    assert (found.waiting, found.oldest_waiting_at, found.running, found.failed) == (1, AT + HOUR, 1, 0)


@pytest.mark.django_db
def test_tidying_keeps_the_newest_slot_of_each_job(table: Callable[..., None]) -> None:
    table("t.hourly", every=HOUR, catch_up=True)
    worker.run_once(["t.hourly"], at=AT)
    worker.run_once(["t.hourly"], at=AT + 2 * HOUR)
    Job.objects.update(finished_at=AT)
    handle = worker.Running(uuid4(), "", "", {}, None, "")
    assert tidy(AT + timedelta(days=30), handle) == {"removed": 0}
    assert tidy(AT + timedelta(days=31), handle) == {"removed": 2}
    assert Job.objects.get().slot == "2026-05-04T04:00:00+00:00"


@pytest.mark.django_db(transaction=True)
def test_four_workers_at_once_claim_every_row_once(table: Callable[..., None]) -> None:
    table("t.a")
    for number in range(12):
        operations.enqueue("t.a", actor=ASKER, at=AT, slot=str(number))
    start = threading.Barrier(4)
    claimed: list[object] = []

    def one() -> None:
        try:
            start.wait()
            misses = 0
            # A lost race gives None although rows are left; so many in a row mean that none are.
            while misses < 12:
                row = worker.claim(AT, ["t.a"])
                misses = misses + 1 if row is None else 0
                if row is not None:
                    claimed.append(row.pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 12
    assert set(Job.objects.values_list("attempts", flat=True)) == {1}


@pytest.mark.django_db
def test_the_night_refreshes_what_sqlite_knows_of_its_tables() -> None:
    Person.objects.bulk_create(Person(root="x", name=f"n{n}") for n in range(50))
    done = count_anew(AT, cast("Any", None))
    assert done == {"done": connection.vendor == "sqlite"}
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT stat FROM sqlite_stat1 WHERE tbl = 'people_person'")
            assert {row[0].split()[0] for row in cursor.fetchall()} == {"50"}

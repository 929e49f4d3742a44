"""Units of work: what is recorded stands with what was written, gapless, in the order of commits, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from anban.base.journal.models import Cursor, Entry, Head, Words
from anban.base.journal.operations import JournalMisuse, advance, commitment, erase_words, record, record_many, unit
from anban.base.journal.queries import last_actor, latest, size, timeline
from anban.base.journal.verification import verify
from tests.factories.journals import ACTOR, MATTER, START, plain, small


def note(number: int, **more: Any) -> None:
    record("test.noted", actor=ACTOR, at=START, subject=("test", MATTER), data={"n": number}, **more)


def note_and_fail(number: int, **more: Any) -> None:
    with unit():
        note(number, **more)
        raise ValueError("no")


def numbers() -> list[int]:
    return [line.data["n"] for line in timeline(("test", MATTER))]


@pytest.mark.django_db
def test_recording_outside_a_unit_raises():
    with pytest.raises(JournalMisuse):
        note(1)
    with pytest.raises(JournalMisuse):
        record_many([])
    assert size() == 0


@pytest.mark.django_db
def test_an_inner_unit_that_is_refused_takes_back_its_rows_and_entries_only():
    with unit():
        note(1)
        with pytest.raises(ValueError, match="no"):
            note_and_fail(2, words={"reason": "gone"})
        with unit():
            note(3)
    assert numbers() == [1, 3]
    assert Words.objects.count() == 0
    assert verify().ok


@pytest.mark.django_db
def test_an_outer_unit_that_fails_leaves_nothing():
    with pytest.raises(ValueError, match="no"):
        note_and_fail(1)
    assert (size(), Entry.objects.count()) == (0, 0)
    with pytest.raises(JournalMisuse):
        note(2)


@pytest.mark.django_db
def test_an_instant_without_a_zone_is_refused_and_nothing_is_kept():
    with pytest.raises(ValueError, match="time zone"), unit():
        record("test.noted", actor=ACTOR, at=START.replace(tzinfo=None), subject=("test", MATTER))
    assert size() == 0


@pytest.mark.django_db
def test_words_stand_apart_under_a_salted_commitment_and_can_be_erased():
    with unit():
        note(1, words={"reason": "报警器断电", "empty": ""})
    kept = Words.objects.get()
    body = Entry.objects.get(pk=0).body
    assert "报警器断电" not in body
    assert commitment("报警器断电", kept.salt) in body
    erase_words(kept.pk, actor=ACTOR, at=START, reason="person_asked")
    kept.refresh_from_db()
    assert (kept.text, kept.salt, kept.erased_at) == ("", "", START)
    assert next(line.words for line in timeline(("test", MATTER))) == {"reason": ""}
    assert verify().ok


@pytest.mark.django_db
def test_reading_a_matter_takes_a_fixed_number_of_queries(django_assert_num_queries: Callable[[int], Any]):
    small()
    with django_assert_num_queries(2):
        assert len(timeline(("test", MATTER))) == 10
    assert last_actor(("test", MATTER)) == "job:set-up"
    assert (latest(f"test:{MATTER.hex}"), latest("test:none")) == (9, None)


@pytest.mark.django_db
def test_a_reader_remembers_its_place():
    for position in (3, 7):
        advance("reader", position, actor=ACTOR, at=START)
    assert Cursor.objects.get(pk="reader").position == 7


WRITERS = 4
UNITS = 15


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_time_give_positions_without_gaps_in_an_unbroken_chain():
    failures: list[BaseException] = []
    ready = threading.Barrier(WRITERS)

    def write(writer: int) -> None:
        try:
            ready.wait(timeout=30)
            for turn in range(UNITS):
                with unit():
                    note(writer * 1000 + turn)
                    note(writer * 1000 + turn + 500)
        except Exception as problem:  # noqa: BLE001 - whatever a writer meets fails the test below
            failures.append(problem)
        finally:
            connection.close()

    with unit():
        note(-1)
    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert failures == []
    total = 1 + WRITERS * UNITS * 2
    assert list(Entry.objects.order_by("position").values_list("position", flat=True)) == list(range(total))
    assert Head.objects.get().size == total
    report = verify()
    assert (report.ok, report.entries) == (True, total)
    kept = numbers()
    # A unit's entries stand together, and each writer's in the order in which it wrote them.
    assert all(kept[kept.index(n) + 1] == n + 500 for n in kept if n >= 0 and n % 1000 < 500)
    for writer in range(WRITERS):
        own = [n for n in kept if n // 1000 == writer and n % 1000 < 500 and n >= 0]
        assert own == sorted(own)


@pytest.mark.django_db(transaction=True)
def test_several_processes_verify_what_one_does():
    plain(300)
    report, apart = verify(processes=1), verify(processes=2)
    assert (apart.ok, apart.entries, apart.root) == (True, 300, report.root)


@pytest.mark.django_db(transaction=True)
def test_verification_reads_one_state_while_others_write():
    plain(3)
    seen: list[int] = []

    def meanwhile(done: int, total: int) -> None:
        seen.append(total)
        thread = threading.Thread(target=more)
        thread.start()
        thread.join(timeout=60)

    def more() -> None:
        try:
            plain(2, first=50)
        finally:
            connection.close()

    report = verify(progress=meanwhile)
    assert (report.ok, report.entries, seen) == (True, 3, [3])
    assert size() == 5
    assert verify().ok
    assert not connection.in_atomic_block
    with transaction.atomic():
        assert verify(journal_only=True).ok

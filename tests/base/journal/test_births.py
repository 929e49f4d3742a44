"""Units that tell whole lives: what is born in them is written once, as it stands at the end, and a refused part leaves nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from anban.base.journal.births import add, add_all, all_born, born, born_of, change, move, once
from anban.base.journal.models import Words
from anban.base.journal.operations import record, unit
from anban.base.journal.queries import size
from anban.base.people.models import Person
from tests.factories.journals import ACTOR, MATTER, START

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)


def person(name: str) -> Person:
    return Person(root="x", name=name)


def words(text: str, matter: UUID) -> Words:
    return Words(matter=f"test:{matter.hex}", kind="reason", text=text, salt="s", written_at=AT)


def writes(queries: CaptureQueriesContext) -> list[str]:
    return [
        q["sql"] for q in queries.captured_queries if "people_person" in q["sql"] and not q["sql"].startswith("SELECT")
    ]


def test_a_row_changed_ten_times_is_written_once_as_it_stands_at_the_end():
    with CaptureQueriesContext(connection) as queries, unit(lives=True):
        one = add(person("甲"))
        for number in range(10):
            row = born(Person, one.pk)
            assert row is not None
            row.name = f"甲{number}"
            change(row, ["name"])
        assert not Person.objects.filter(pk=one.pk).exists()
    assert ["INSERT" in sql for sql in writes(queries)] == [True]
    assert Person.objects.get(pk=one.pk).name == "甲9"


def test_without_such_a_unit_rows_are_written_at_once_and_nothing_is_born():
    with unit():
        one = add(person("甲"))
        assert Person.objects.filter(pk=one.pk).exists()
        assert born(Person, one.pk) is None
        assert born_of(Words, one.pk) is None
        assert all_born(Person) == []
        one.name = "乙"
        change(one, ["name"])
    assert Person.objects.get(pk=one.pk).name == "乙"


def test_what_is_read_is_a_copy_until_it_is_changed():
    with unit(lives=True):
        one = add(person("甲"))
        row = born(Person, one.pk)
        assert row is not None
        row.name = "never saved"
    assert Person.objects.get(pk=one.pk).name == "甲"


def test_a_refused_part_takes_back_its_births_and_changes_and_nothing_else():
    with unit(lives=True):
        one = add(person("甲"))
        add_all([words("stays", one.pk)], matter=one.pk)

        def part() -> None:
            with unit():
                row = born(Person, one.pk)
                assert row is not None
                row.name = "refused"
                change(row)
                add_all([words("goes", one.pk)], matter=one.pk)
                other = add(person("乙"))
                assert born_of(Words, other.pk) == []
                record("test.noted", actor=ACTOR, at=START, subject=("test", MATTER), words={"reason": "goes"})
                raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            part()
        assert [row.text for row in born_of(Words, one.pk) or []] == ["stays"]
    assert [row.name for row in Person.objects.filter(root="x")] == ["甲"]
    assert [row.text for row in Words.objects.all()] == ["stays"]
    assert size() == 0


def test_rows_of_an_older_matter_are_written_at_once():
    with unit():
        old = add(person("甲"))
    with unit(lives=True):
        assert born_of(Words, old.pk) is None
        add(words("now", old.pk), matter=old.pk)
        assert Words.objects.filter(text="now").exists()
        old.name = "乙"
        change(old, ["name"])
        assert Person.objects.get(pk=old.pk).name == "乙"


def test_what_a_refused_part_had_fetched_is_fetched_again_and_what_it_moved_is_not_saved():
    with unit():
        counter = add(person("0"))
    fetched: list[int] = []

    def next_number() -> str:
        row = once("counter", lambda: fetched.append(1) or Person.objects.get(pk=counter.pk))
        row.name = str(int(row.name) + 1)
        move(row, ["name"])
        return row.name

    def part() -> None:
        with unit():
            next_number()
            raise ValueError("no")

    with unit(lives=True):
        with pytest.raises(ValueError, match="no"):
            part()
        assert [next_number(), next_number()] == ["1", "2"]
        with pytest.raises(ValueError, match="no"):
            part()
        assert next_number() == "4"
    assert len(fetched) == 2
    assert Person.objects.get(pk=counter.pk).name == "4"

"""Clocks of unit and persons, what stands red, and the level that repeat accidents raise."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anban.rules.accountability import (
    BASE,
    ENDED,
    LADDER,
    STEPS,
    AccidentGrade,
    Item,
    ItemState,
    Subject,
    level,
    red,
    terms,
)

ON = date(2026, 3, 2)
UNIT, PERSON = Subject.UNIT, Subject.PERSON


def codes(items: list[Item], links: tuple[str, ...] = ()) -> list[str]:
    return [reason.code.removeprefix("accountability.") for reason in red(items, links)]


def test_an_accidents_clock_is_report_then_approval_then_sanction() -> None:
    made = terms(ON, accident=True)
    assert made.unit_on == made.person_on == ON + timedelta(days=60 + 15 + 30)
    assert [source.article for source in made.sources[:2]] == ["第二十九条", "第三十二条"]
    assert terms(ON, accident=True, overrides={"oversight.person_sanction_days": 10}).person_on == ON + timedelta(
        days=85
    )
    assert terms(ON, accident=False).unit_on == ON + timedelta(days=90)


@pytest.mark.parametrize(
    ("items", "links", "said"),
    [
        ([], (), []),
        ([Item(UNIT, ItemState.OPEN), Item(PERSON, ItemState.OPEN)], (), []),
        ([Item(UNIT, ItemState.EXECUTED), Item(PERSON, ItemState.OPEN)], (), ["person_waits"]),
        ([Item(UNIT, ItemState.EXECUTED), Item(PERSON, ItemState.DECIDED)], (), ["person_waits"]),
        ([Item(UNIT, ItemState.EXECUTED), Item(PERSON, ItemState.EXECUTED)], (), []),
        ([Item(UNIT, ItemState.EXECUTED), Item(PERSON, ItemState.NOT_LIABLE)], (), []),
        ([Item(UNIT, ItemState.EXECUTED)], (), ["nobody_named"]),
        ([Item(UNIT, ItemState.DECIDED)], ("电气",), ["link_without_person"]),
        ([Item(UNIT, ItemState.OPEN)], ("电气",), []),
        ([Item(UNIT, ItemState.DECIDED), Item(PERSON, ItemState.OPEN, "电气", True)], ("电气",), []),
        (
            [Item(UNIT, ItemState.DECIDED), Item(PERSON, ItemState.OPEN, "电气", False)],
            ("电气",),
            ["link_without_person"],
        ),
    ],
)
def test_red_where_the_unit_is_done_and_the_person_is_not(
    items: list[Item], links: tuple[str, ...], said: list[str]
) -> None:
    assert codes(items, links) == said


def test_items_move_forward_and_end() -> None:
    for (state, _), after in STEPS.items():
        assert state not in ENDED
        assert list(ItemState).index(after) > list(ItemState).index(state)


@pytest.mark.parametrize(
    ("grade", "days_before", "said"),
    [
        ("general", (), "district"),
        ("general", (400,), "district_head"),
        ("general", (1095,), "district_head"),
        ("general", (1096,), "district"),
        ("general", (10, 20), "city"),
        ("general", (10, 20, 30, 40), "city_head"),
        ("larger", (), "city"),
        ("larger", (5,), "city_head"),
        ("undetermined", (), "district"),
    ],
)
def test_repeat_accidents_raise_the_level(grade: str, days_before: tuple[int, ...], said: str) -> None:
    earlier = [ON - timedelta(days=days) for days in days_before]
    assert level(AccidentGrade(grade), ON, earlier).outcome == said


@given(st.sampled_from(sorted(AccidentGrade)), st.lists(st.integers(1, 2000), max_size=6))
def test_one_more_accident_never_lowers_the_level(grade: AccidentGrade, before: list[int]) -> None:
    days = [ON - timedelta(days=n) for n in before]
    ranks = [LADDER.index(level(grade, ON, days[:n]).outcome) for n in range(len(days) + 1)]  # type: ignore[arg-type]
    assert ranks == sorted(ranks)
    assert set(BASE) == set(AccidentGrade)

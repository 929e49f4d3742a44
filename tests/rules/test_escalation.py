"""The two ladders: what an overdue matter sets off, each step once, and all that were missed after an outage."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anban.kit.workdays import china
from anban.rules import law
from anban.rules.escalation import (
    LADDERS,
    PROPOSE_CASE,
    Delay,
    Ladder,
    LadderStep,
    Pause,
    leaves_house,
    next_step,
    pause_decision,
    steps_due,
)
from anban.rules.hazard_terms import Grade

BEIJING = ZoneInfo("Asia/Shanghai")
DUE = datetime(2026, 2, 14, 23, 59, 59, tzinfo=BEIJING)
ORDERED = Delay(ordered=True)
MAJOR = Delay(grade=Grade.MAJOR, ordered=True)


def steps(
    ladder: Ladder, delay: Delay, *, days: float, taken: frozenset[str] = frozenset(), **overrides: int
) -> tuple[LadderStep, ...]:
    return steps_due(
        ladder,
        delay,
        due_at=DUE,
        now=DUE + timedelta(days=days, seconds=1),
        taken=taken,
        calendar=china(),
        zone=BEIJING,
        on=DUE.date(),
        overrides={f"hazards.{name}": value for name, value in overrides.items()},
    )


def ids(found: tuple[LadderStep, ...]) -> list[str]:
    return [each.id for each in found]


def test_nothing_is_due_before_the_deadline_has_passed() -> None:
    assert steps(Ladder.TERRITORY, MAJOR, days=-1) == ()
    found = steps_due(
        Ladder.TERRITORY, MAJOR, due_at=DUE, now=DUE, taken=(), calendar=china(), zone=BEIJING, on=DUE.date()
    )
    assert found == ()


def test_overdue_general_hazard_first_means_a_case_by_the_next_workday() -> None:
    first, *rest = steps(Ladder.SECTOR, ORDERED, days=0)
    assert first.id == PROPOSE_CASE
    assert first.due is not None
    assert first.due.at.isoformat() == "2026-02-24T23:59:59+08:00"
    assert ids(tuple(rest)) == ["sector.section"]


def test_overdue_general_hazard_never_leaves_street_or_bureau() -> None:
    assert ids(steps(Ladder.TERRITORY, ORDERED, days=400)) == [
        PROPOSE_CASE,
        "territory.community",
        "territory.street_office",
        "territory.street_deputy",
        "territory.street_director",
    ]
    assert ids(steps(Ladder.SECTOR, Delay(), days=400)) == [
        "sector.section",
        "sector.bureau_deputy",
        "sector.bureau_head",
    ]


@pytest.mark.parametrize(
    ("delay", "leaves"),
    [
        (Delay(), False),
        (Delay(rebound_count=1), False),
        (Delay(rebound_count=2), True),
        (Delay(overdue_count=2), True),
        (Delay(send_back_count=1), False),
        (Delay(send_back_count=2), True),
        (Delay(grade=Grade.MAJOR), True),
        (Delay(grade=Grade.SUSPECTED_MAJOR), True),
        (Delay(grade=Grade.UNDETERMINED), True),
    ],
)
def test_only_four_things_leave_the_house(delay: Delay, leaves: bool) -> None:
    assert leaves_house(delay, on=DUE.date()) is leaves
    told = ids(steps(Ladder.TERRITORY, delay, days=400))
    assert ("territory.city_office" in told) is leaves


def test_major_hazard_climbs_rung_by_rung() -> None:
    days = {0: 1, 1: 2, 3: 3, 5: 4, 7: 5, 15: 6, 30: 7}
    for day, count in days.items():
        assert len(steps(Ladder.TERRITORY, MAJOR, days=day)) == count
        assert len(steps(Ladder.TERRITORY, MAJOR, days=day - 0.5)) == count - 1
    assert PROPOSE_CASE not in ids(steps(Ladder.TERRITORY, MAJOR, days=400))


def test_transfer_deadlock_goes_to_the_committees_office_at_once() -> None:
    assert ids(steps(Ladder.TERRITORY, Delay(send_back_count=2), days=0)) == ["territory.district_office"]
    assert ids(steps(Ladder.SECTOR, Delay(send_back_count=2), days=22)) == ["sector.district_office"]
    assert ids(steps(Ladder.SECTOR, Delay(send_back_count=2), days=23))[-1] == "sector.city_department"


def test_settings_move_a_rung() -> None:
    early = steps(Ladder.TERRITORY, MAJOR, days=1, ladder_territory_district_office_days=1)
    assert "territory.district_office" in ids(early)


@given(
    st.sampled_from(sorted(Ladder)),
    st.builds(
        Delay,
        grade=st.sampled_from(sorted(Grade)),
        ordered=st.booleans(),
        rebound_count=st.integers(0, 3),
        overdue_count=st.integers(1, 3),
        send_back_count=st.integers(0, 3),
    ),
    st.lists(st.floats(0, 60), min_size=1, max_size=12).map(sorted),
)
def test_each_step_once_and_an_outage_loses_none(ladder: Ladder, delay: Delay, looks: list[float]) -> None:
    told: list[str] = []
    for days in looks:
        told += ids(steps(ladder, delay, days=days, taken=frozenset(told)))
    assert len(told) == len(set(told))
    assert told == ids(steps(ladder, delay, days=looks[-1]))


@pytest.mark.parametrize("ladder", Ladder)
def test_every_rung_is_an_estimate_that_a_setting_may_move(ladder: Ladder) -> None:
    keys = [rung.key(ladder) for rung in LADDERS[ladder]]
    assert set(keys) <= set(law.overridable())
    offsets = [law.value(key, on=DUE.date()).value for key in keys]
    assert offsets == sorted(offsets)
    outside = [rung.outside for rung in LADDERS[ladder]]
    assert outside == sorted(outside)


def paused(days: float, *pauses: Pause) -> list[str]:
    found = steps_due(
        Ladder.TERRITORY,
        MAJOR,
        due_at=DUE,
        now=DUE + timedelta(days=days, seconds=1),
        taken=(),
        calendar=china(),
        zone=BEIJING,
        on=DUE.date(),
        pauses=pauses,
    )
    return ids(found)


def test_a_paused_step_waits_and_none_is_told_over_its_head() -> None:
    pause = Pause("territory.street_deputy", DUE + timedelta(days=9))
    assert paused(8, pause) == ["territory.community", "territory.street_office"]
    assert paused(9, pause) == [
        "territory.community",
        "territory.street_office",
        "territory.street_deputy",
        "territory.street_director",
        "territory.district_office",
    ]
    assert paused(30, pause)[-1] == "territory.city_office"
    assert paused(1, pause) == paused(1)


@given(
    st.lists(st.tuples(st.integers(0, 6), st.floats(0, 40)), max_size=4),
    st.lists(st.floats(0, 60), min_size=1).map(sorted),
)
def test_pauses_and_outages_change_no_order_and_lose_no_step(held: list[tuple[int, float]], looks: list[float]) -> None:
    rungs = LADDERS[Ladder.TERRITORY]
    pauses = [Pause(f"territory.{rungs[n].name}", DUE + timedelta(days=days)) for n, days in held]
    told: list[str] = []
    for days in looks:
        told += [each for each in paused(days, *pauses) if each not in told]
    assert told == paused(looks[-1], *pauses)
    assert told == [f"territory.{rung.name}" for rung in rungs][: len(told)]


@pytest.mark.parametrize(
    ("until", "before", "allowed"),
    [
        ("2026-03-16", False, True),
        ("2026-03-17", False, False),
        ("2026-03-02", False, False),
        ("2026-03-10", True, False),
    ],
)
def test_a_pause_is_granted_once_for_at_most_ten_working_days(until: str, before: bool, allowed: bool) -> None:
    from_on = datetime(2026, 3, 2, tzinfo=BEIJING).date()
    made = pause_decision(
        from_on=from_on,
        until_on=datetime.fromisoformat(until).date(),
        paused_before=before,
        calendar=china(),
        on=from_on,
    )
    assert made.allowed is allowed


def test_the_next_step_is_the_lowest_that_was_not_told() -> None:
    rung = next_step(Ladder.SECTOR, {"sector.section"}, on=DUE.date())
    assert rung is not None
    assert rung.name == "bureau_deputy"
    every = {f"sector.{each.name}" for each in LADDERS[Ladder.SECTOR]}
    assert next_step(Ladder.SECTOR, every, on=DUE.date()) is None

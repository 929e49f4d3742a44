"""Deadlines over the Spring Festival and the national holiday with shifted days, terms, extensions and watches."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anban.kit.workdays import china
from anban.rules import clocks
from anban.rules.errors import LawGap, Refusal
from anban.rules.hazard_lifecycle import TABLE
from anban.rules.hazard_terms import Clock, Grade

BEIJING = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 3, 2)
CASES = list(
    csv.DictReader((Path(__file__).parent / "cases" / "deadlines.csv").read_text(encoding="utf-8").splitlines())
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kind']}-{case['at'][:10]}-{case['note']}")
def test_due_follows_the_cases(case: dict[str, str]) -> None:
    at = datetime.fromisoformat(case["at"])
    found = clocks.due(
        Clock(case["kind"]),
        at,
        calendar=china(),
        zone=BEIJING,
        on=at.astimezone(BEIJING).date(),
        fire=bool(case["fire"]),
        life_at_risk=bool(case["life_at_risk"]),
    )
    assert found.at.isoformat() == case["due"]
    assert found.provisional is bool(case["provisional"])
    assert found.law.certainty == case["certainty"]


def test_due_cases_cover_the_festival_with_shifted_days() -> None:
    assert len(CASES) >= 20
    assert all(case["note"] for case in CASES)


def test_due_review_changes_its_source_with_the_law_of_the_day() -> None:
    at = datetime(2026, 1, 31, 12, tzinfo=BEIJING)
    old = clocks.due(Clock.REVIEW, at, calendar=china(), zone=BEIJING, on=date(2026, 1, 31))
    new = clocks.due(Clock.REVIEW, at, calendar=china(), zone=BEIJING, on=date(2026, 2, 1))
    assert old.law.source.article == "第十六条"
    assert new.law.source.article == ""
    assert "18" in new.law.source.law


def test_due_refuses_a_day_before_the_law() -> None:
    with pytest.raises(LawGap) as gap:
        clocks.due(
            Clock.REVIEW, datetime(2015, 4, 30, tzinfo=BEIJING), calendar=china(), zone=BEIJING, on=date(2015, 4, 30)
        )
    assert gap.value.params["key"] == "hazards.review_days"


def test_due_refuses_a_naive_instant() -> None:
    with pytest.raises(Refusal) as refusal:
        clocks.due(Clock.VERIFY, datetime(2026, 3, 2), calendar=china(), zone=BEIJING, on=DAY)  # noqa: DTZ001
    assert refusal.value.code == "clocks.naive_instant"


def test_due_of_a_written_order_exists_for_fire_only() -> None:
    with pytest.raises(Refusal) as refusal:
        clocks.due(Clock.ORDER_PAPER, datetime(2026, 3, 2, tzinfo=BEIJING), calendar=china(), zone=BEIJING, on=DAY)
    assert refusal.value.code == "clocks.no_such_clock"


@pytest.mark.parametrize("kind", Clock)
def test_every_clock_has_a_value(kind: Clock) -> None:
    found = clocks.due(kind, datetime(2026, 3, 2, 9, tzinfo=BEIJING), calendar=china(), zone=BEIJING, on=DAY, fire=True)
    assert found.at >= datetime(2026, 3, 2, 9, tzinfo=BEIJING)


def test_every_clock_is_used_by_a_step() -> None:
    assert {step.clock for step in TABLE.values() if step.clock} == set(Clock)


def test_due_takes_a_setting_in_place_of_an_estimate() -> None:
    found = clocks.due(
        Clock.VERIFY,
        datetime(2026, 3, 2, 9, tzinfo=BEIJING),
        calendar=china(),
        zone=BEIJING,
        on=DAY,
        overrides={"hazards.verify_workdays": 1},
    )
    assert found.at == datetime(2026, 3, 3, 23, 59, 59, tzinfo=BEIJING)
    assert found.law.overridden


def test_overdue_begins_after_the_due_instant_not_on_its_day() -> None:
    due_at = clocks.end_of_day(DAY, BEIJING)
    assert not clocks.is_overdue(due_at, datetime(2026, 3, 2, 8, tzinfo=BEIJING))
    assert not clocks.is_overdue(due_at, due_at)
    assert clocks.is_overdue(due_at, due_at + timedelta(microseconds=1))
    assert not clocks.is_overdue(due_at, datetime(2026, 3, 2, 15, 59, 59, tzinfo=UTC))


@pytest.mark.parametrize(
    ("applied", "start"),
    [(None, 10), (datetime(2026, 3, 5, 9, tzinfo=BEIJING), 5), (datetime(2026, 3, 12, 9, tzinfo=BEIJING), 10)],
)
def test_review_due_counts_from_application_or_expiry_whichever_is_earlier(
    applied: datetime | None, start: int
) -> None:
    found = clocks.review_due(
        applied, clocks.end_of_day(date(2026, 3, 10), BEIJING), calendar=china(), zone=BEIJING, on=DAY
    )
    assert found.at.date() == date(2026, 3, start + 10)


def test_default_terms_are_three_seven_fifteen_thirty_days() -> None:
    assert clocks.default_terms(on=DAY) == (3, 7, 15, 30)
    assert clocks.default_terms(on=DAY, overrides={"hazards.term_urgent_days": 2}) == (2, 7, 15, 30)


def test_rectification_term_is_calendar_days_to_the_end_of_the_local_day() -> None:
    late_in_utc = datetime(2026, 2, 12, 17, tzinfo=UTC)
    assert clocks.rectification_due(late_in_utc, 7, zone=BEIJING).isoformat() == "2026-02-20T23:59:59+08:00"
    with pytest.raises(Refusal):
        clocks.rectification_due(late_in_utc, 0, zone=BEIJING)


@given(
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.none() | st.dates(date(2020, 1, 1), date(2031, 1, 1)),
    st.integers(1, 400),
)
def test_demolition_never_lengthens_a_term(day: date, demolition_on: date | None, term_days: int) -> None:
    at = datetime(day.year, day.month, day.day, 9, tzinfo=BEIJING)
    plain = clocks.rectification_due(at, term_days, zone=BEIJING)
    bounded = clocks.rectification_due(at, term_days, zone=BEIJING, demolition_on=demolition_on)
    assert bounded <= plain
    assert bounded.date() == (min(plain.date(), demolition_on) if demolition_on else plain.date())


@given(
    st.sampled_from(list(Clock)),
    st.datetimes(datetime(2016, 1, 1), datetime(2026, 12, 31), timezones=st.just(BEIJING)),  # noqa: DTZ001
    st.booleans(),
)
def test_due_is_never_before_its_start_and_keeps_order(kind: Clock, at: datetime, life_at_risk: bool) -> None:
    def run(start: datetime) -> datetime:
        return clocks.due(
            kind, start, calendar=china(), zone=BEIJING, on=at.date(), fire=True, life_at_risk=life_at_risk
        ).at

    assert run(at) >= at.replace(microsecond=0)
    assert run(at) <= run(at + timedelta(days=1))


def extension(**changes: object) -> tuple[str, set[str]]:
    facts: dict[str, object] = {
        "requested_on": date(2026, 3, 1),
        "due_on": date(2026, 3, 11),
        "new_due_on": date(2026, 3, 30),
        "extensions_so_far": 0,
        "interim_control": True,
        "on": DAY,
    }
    decision = clocks.extension_allowed(**(facts | changes))  # type: ignore[arg-type]
    assert decision.sources
    return decision.outcome, {reason.code.removeprefix("clocks.extension_") for reason in decision.reasons}


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, set()),
        ({"requested_on": date(2026, 3, 2)}, {"too_late"}),
        (
            {
                "requested_on": date(2024, 2, 20),
                "due_on": date(2024, 3, 1),
                "new_due_on": date(2024, 3, 9),
                "on": date(2024, 2, 20),
            },
            set(),
        ),
        (
            {
                "requested_on": date(2024, 2, 21),
                "due_on": date(2024, 3, 1),
                "new_due_on": date(2024, 3, 9),
                "on": date(2024, 2, 20),
            },
            {"too_late"},
        ),
        ({"new_due_on": date(2026, 3, 11)}, {"not_later"}),
        ({"extensions_so_far": 1}, {"used_up"}),
        ({"extensions_so_far": 1, "overrides": {"hazards.extension_times": 2}}, set()),
        ({"interim_control": False}, {"without_control"}),
        ({"demolition_on": date(2026, 3, 29)}, {"beyond_demolition"}),
        ({"demolition_on": date(2026, 3, 30)}, set()),
        ({"grade": Grade.MAJOR, "listed": True}, {"without_listing_body"}),
        ({"grade": Grade.MAJOR, "listed": True, "listing_consent": True}, set()),
        ({"interim_control": False, "extensions_so_far": 3}, {"without_control", "used_up"}),
    ],
)
def test_extension_needs_every_condition(changes: dict[str, object], reasons: set[str]) -> None:
    assert extension(**changes) == ("refused" if reasons else "allowed", reasons)


@pytest.mark.parametrize(("rebounds", "days"), [(0, 90), (1, 180), (2, 360), (3, 365), (1000, 365)])
def test_watch_doubles_with_each_rebound_up_to_the_limit(rebounds: int, days: int) -> None:
    until, rule = clocks.watch_until(date(2026, 1, 1), rebounds, on=DAY)
    assert until == date(2026, 1, 1) + timedelta(days=days)
    assert rule.key == "hazards.watch_days"


def test_watch_expires_by_itself_and_its_last_day_is_excluded() -> None:
    until, _ = clocks.watch_until(date(2026, 1, 1), 0, on=DAY, overrides={"hazards.watch_days": 30})
    assert until == date(2026, 1, 31)
    assert clocks.on_watch(date(2026, 1, 30), until)
    assert not clocks.on_watch(until, until)
    assert not clocks.on_watch(until, None)

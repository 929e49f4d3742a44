"""What holds for every input of a rule: more harm is never graded lower, no clock ends before it starts, order says nothing."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from anban.kit.months import add_months, add_years
from anban.rules import law
from anban.rules.accident_terms import AccidentGrade
from anban.rules.answering import ask
from anban.rules.criminal import police_decision_due, police_reconsider_due
from anban.rules.decision import CANNOT_JUDGE
from anban.rules.emergency import WarningLevel, levels_above
from anban.rules.errors import Refusal
from anban.rules.every import all_rules
from anban.rules.gas import cylinder_notice_window
from anban.rules.penalties import first_window, payment_due_on
from anban.rules.reading import SHANGHAI
from anban.rules.risk_scores import CONSEQUENCES, EXPOSURES, LIKELIHOODS
from tests.rules.worked_cases import FOLDER, cases

GRADES = [str(each) for each in AccidentGrade]
COLOURS = ["blue", "yellow", "orange", "red"]
DAYS = st.dates(date(2024, 1, 1), date(2025, 12, 31))
COUNTS = st.integers(0, 130)
YUAN = st.decimals(0, 200_000_000, places=2).map(str)
KNOWN_YEARS = st.dates(date(2023, 10, 1), date(2025, 11, 30))
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2025, 12, 31)).map(  # noqa: DTZ001 - naive on purpose
    lambda at: at.replace(tzinfo=SHANGHAI, microsecond=0)
)


def outcome(name: str, **given_: Any) -> Any:
    return ask(name, given_).ruling.outcome


def rank(grade: object) -> int:
    return GRADES.index(str(grade))


@given(COUNTS, COUNTS, COUNTS, YUAN, COUNTS, YUAN)
def test_more_harm_is_never_a_lower_grade_nor_a_lower_threshold(
    deaths: int, serious: int, poisoned: int, loss: str, more: int, more_loss: str
) -> None:
    base = {"deaths": deaths, "serious_injuries": serious, "direct_loss_yuan": loss}
    before = rank(outcome("accident_grade", **base, acute_poisonings=poisoned)["grade"])
    for change in (
        {"deaths": deaths + more},
        {"serious_injuries": serious + more},
        {"acute_poisonings": poisoned + more},
        {"direct_loss_yuan": str(Decimal(loss) + Decimal(more_loss))},
    ):
        assert rank(outcome("accident_grade", **({"acute_poisonings": poisoned} | base | change))["grade"]) >= before
    order = ["none", "base", "aggravated"]
    for main in (False, True):
        crime = order.index(outcome("accident_crime_threshold", **base, main_responsibility=main)["threshold"])
        worse = base | {"deaths": deaths + more, "direct_loss_yuan": str(Decimal(loss) + Decimal(more_loss))}
        assert order.index(outcome("accident_crime_threshold", **worse, main_responsibility=main)["threshold"]) >= crime
    assert outcome("accident_crime_threshold", **base, main_responsibility=False)["threshold"] != "aggravated"


@given(st.integers(0, 3), st.integers(0, 3), st.booleans(), YUAN)
def test_a_graver_accident_is_never_fined_less(first: int, second: int, aggravated: bool, income: str) -> None:
    low, high = sorted((first, second))
    for name, more in (
        ("unit_accident_fine", {"aggravated": aggravated}),
        ("principal_fine", {"last_year_income_yuan": income}),
    ):
        lighter, graver = (outcome(name, grade=GRADES[each], **more) for each in (low, high))
        assert lighter["min_yuan"] <= graver["min_yuan"]
        assert lighter["max_yuan"] <= graver["max_yuan"]
        assert lighter["min_yuan"] <= lighter["max_yuan"]
    report = outcome("principal_fine", grade=GRADES[low], last_year_income_yuan=income, report_offence=True)
    assert report["min_yuan"] <= report["max_yuan"] == Decimal(income)


@given(YUAN, st.integers(0, 400), st.integers(0, 400))
def test_a_surcharge_grows_with_the_days_and_never_beyond_the_fine(fine: str, first: int, second: int) -> None:
    low, high = sorted((first, second))
    shorter, longer = (
        outcome("late_payment", fine_yuan=fine, days_late=each)["surcharge_yuan"] for each in (low, high)
    )
    assert 0 <= shorter <= longer <= Decimal(fine)


@given(DAYS, st.integers(0, 400), YUAN)
def test_the_daily_penalty_is_the_fine_times_the_days(ordered: date, later: int, fine: str) -> None:
    question = {"fine_yuan": fine, "ordered_on": str(ordered), "refusal_found_on": str(ordered + timedelta(days=later))}
    decided = outcome("daily_penalty", **question, fined=True, corrected=False)
    assert decided == {"days": later, "amount_yuan": Decimal(fine) * later}
    for fined, corrected in ((False, False), (True, True), (False, True)):
        assert outcome("daily_penalty", **question, fined=fined, corrected=corrected)["amount_yuan"] == 0


@given(st.sampled_from(LIKELIHOODS), st.sampled_from(EXPOSURES), st.sampled_from(CONSEQUENCES))
def test_lec_multiplies_exactly_and_its_colours_are_in_order(likely: Decimal, exposed: Decimal, grave: Decimal) -> None:
    decided = outcome("risk_lec", likelihood=str(likely), exposure=str(exposed), consequence=str(grave))
    assert decided["score"] == likely * exposed * grave
    cuts = [Decimal(0), Decimal(70), Decimal(160), Decimal(320)]
    assert COLOURS.index(decided["colour"]) == sum(decided["score"] >= cut for cut in cuts) - 1


def test_every_cell_of_the_matrix_has_the_colour_of_its_product() -> None:
    for likely in range(1, 6):
        for severe in range(1, 6):
            decided = outcome("risk_ls", likelihood=likely, severity=severe)
            score = likely * severe
            wanted = "red" if score >= 20 else "orange" if score >= 15 else "yellow" if score >= 9 else "blue"
            assert (decided["score"], decided["colour"]) == (score, wanted)


@given(st.lists(DAYS, max_size=7), st.randoms(use_true_random=False), DAYS)
def test_closure_and_listing_know_no_order_and_more_never_helps(
    days: list[date], rng: random.Random, extra: date
) -> None:
    texts = [str(day) for day in days]
    mixed = rng.sample(texts, len(texts))
    decided = outcome("closure_proposal", major_hazard=True, penalty_dates=texts)
    assert decided == outcome("closure_proposal", major_hazard=True, penalty_dates=mixed)
    assert outcome("closure_proposal", major_hazard=False, penalty_dates=mixed)["propose"] is False
    if decided["propose"]:
        assert outcome("closure_proposal", major_hazard=True, penalty_dates=[*texts, str(extra)])["propose"] is True
    events = [{"on": text, "kind": "accident", "grade": rng.choice(GRADES)} for text in texts]
    assert outcome("dishonesty_listing", events=events) == outcome(
        "dishonesty_listing", events=rng.sample(events, len(events))
    )
    checks = [{"on": text, "found": rng.random() < 0.7, "reinspection": None} for text in texts]
    assert outcome("high_frequency", checks=checks) == outcome("high_frequency", checks=rng.sample(checks, len(checks)))


@given(st.lists(DAYS, max_size=8), st.integers(1, 4), st.integers(0, 200))
def test_a_window_is_found_exactly_where_enough_days_lie_in_it(days: list[date], count: int, length: int) -> None:
    found = first_window(tuple(days), count, lambda first: first + timedelta(days=length))
    slow = any(sum(first <= day <= first + timedelta(days=length) for day in days) >= count for first in days)
    assert (found is not None) is slow
    if found is not None:
        assert 0 <= (found[1] - found[0]).days <= length


@given(MOMENTS, st.sampled_from(GRADES), st.integers(0, 600), st.integers(0, 600))
def test_no_report_is_due_before_its_level_knew(at: datetime, grade: str, district: int, city: int) -> None:
    received, told = at + timedelta(minutes=district), at + timedelta(minutes=city)
    bare = outcome("report_chain", grade=grade, informed_at=at.isoformat())["deadlines"]
    assert [each["due_at"] - at for each in bare] == [timedelta(hours=hours) for hours in (1, 3, 5)][: len(bare)]
    assert len(bare) == (3 if rank(grade) >= 2 else 2)
    known = outcome(
        "report_chain", grade=grade, informed_at=at.isoformat(), district_received_at=received.isoformat(),
        city_received_at=told.isoformat(),
    )["deadlines"]  # fmt: skip
    for deadline, start, hours in zip(known, (at, received, told), (1, 2, 2), strict=False):
        assert deadline["due_at"] == start + timedelta(hours=hours)


@given(MOMENTS, st.integers(-10_000, 10_000))
def test_a_report_is_late_from_the_first_second_after_its_limit(due: datetime, seconds: int) -> None:
    sent = due + timedelta(seconds=seconds)
    decided = outcome("report_lateness", due_at=due.isoformat(), sent_at=sent.isoformat())
    assert decided == {"late": seconds > 0, "minutes_late": max(0, -(-seconds // 60))}


@given(DAYS, st.sampled_from(["fire", "road_traffic", "other"]), st.integers(0, 60))
def test_a_change_counts_to_the_last_day_of_its_window(accident: date, kind: str, later: int) -> None:
    window = 30 if kind == "other" else 7
    decided = outcome(
        "supplementary_window", accident_on=str(accident), kind=kind, changed_on=str(accident + timedelta(days=later))
    )
    assert decided == {"within": later <= window, "last_on": accident + timedelta(days=window)}


@given(DAYS, st.sampled_from(GRADES), st.integers(0, 60), st.integers(0, 90), st.integers(0, 99), st.integers(0, 99))
def test_the_clocks_of_an_investigation_run_forward(
    accident: date, grade: str, longer: int, appraisal: int, received: int, approved: int
) -> None:
    report = accident + timedelta(days=received)
    approval = report + timedelta(days=approved)
    decided = outcome(
        "investigation_clock", accident_on=str(accident), grade=grade, extension_days=longer, appraisal_days=appraisal,
        report_received_on=str(report), approved_on=str(approval),
    )  # fmt: skip
    assert decided["report_due_on"] == accident + timedelta(days=60 + longer + appraisal)
    assert decided["approval_due_on"] == report + timedelta(days=30 if grade == "extra_major" else 15)
    assert decided["evaluation_due_on"] == add_years(approval, 1)


@given(KNOWN_YEARS, st.integers(0, 20), st.booleans())
def test_the_clocks_of_a_case_run_forward(filed: date, later: int, harm: bool) -> None:
    told = filed + timedelta(days=later)
    decided = outcome(
        "penalty_case_clock", filed_on=str(filed), told_on=str(told), act_ended_on=str(filed), harmful_to_health=harm
    )
    assert decided["decide_due_on"] == filed + timedelta(days=90)
    assert told + timedelta(days=5) <= decided["hearing_request_due_on"]
    assert decided["limitation_on"] == add_years(filed, 5 if harm else 2)
    assert outcome("penalty_publicity", decided_on=str(filed))["last_on"] >= filed + timedelta(days=7)


@given(DAYS, st.one_of(st.none(), DAYS))
def test_a_reinspection_is_due_after_the_earlier_of_two_days(expires: date, applied: date | None) -> None:
    question = {"expires_on": str(expires)} | ({"applied_on": str(applied)} if applied else {})
    answer = ask("reinspection_due", question)
    assert answer.ruling.outcome["due_on"] == min(expires, applied or expires) + timedelta(days=10)
    assert any(reason.code == "law.unconfirmed" for reason in answer.ruling.reasons)


@given(MOMENTS, st.sampled_from([("emergency", 2), ("utility", 24), ("ordinary", 7 * 24), ("complex", 15 * 24)]))
def test_a_call_is_due_so_many_hours_after_it_came(at: datetime, kind: tuple[str, int]) -> None:
    assert outcome("hotline_due", kind=kind[0], received_at=at.isoformat())["due_at"] == at + timedelta(hours=kind[1])


@given(DAYS, st.integers(1, 120), st.integers(-5, 4000), st.booleans(), st.booleans())
def test_a_rebound_takes_place_code_and_window(closed: date, months: int, later: int, place: bool, code: bool) -> None:
    found = closed + timedelta(days=later)
    assume(found.year < 2036)
    decided = outcome(
        "rebound", closed_on=str(closed), found_on=str(found), same_place=place, same_code=code, window_months=months
    )
    assert decided["rebound"] is (place and code and closed <= found <= add_months(closed, months))


@given(
    st.lists(st.tuples(st.decimals(0, 60, places=1), st.integers(0, 9)), max_size=6), st.randoms(use_true_random=False)
)
def test_cylinders_add_up_in_any_order(stock: list[tuple[Decimal, int]], rng: random.Random) -> None:
    listed = [{"kg": str(kg), "count": count} for kg, count in stock]
    decided = outcome("cylinder_store", cylinders=listed)
    total = sum((kg * count for kg, count in stock), Decimal(0))
    wanted = "separate_building" if total >= 420 else "room" if total >= 100 else "none"
    assert (decided["total_kg"], decided["requires"]) == (total, wanted)
    assert outcome("cylinder_store", cylinders=rng.sample(listed, len(listed))) == decided


@given(st.lists(st.sampled_from(["certified_officer", "assistant", "grid_worker", "third_party", "coordination_office"]), min_size=1, max_size=6))  # fmt: skip
def test_without_two_officers_nothing_is_an_inspection(kinds: list[str]) -> None:
    standing = outcome("visit_standing", visitors=[{"kind": kind} for kind in kinds])["standing"]
    enough = kinds.count("certified_officer") >= 2
    assert (standing in ("inspection", "assistance")) is enough
    assert (standing == "assistance") is (enough and "third_party" in kinds)
    assert (standing == "patrol") is (set(kinds) == {"grid_worker"})


@given(st.sampled_from(all_rules()), st.dates(date(1900, 1, 1), date(2020, 12, 31)))
def test_a_day_before_the_first_value_cannot_be_judged(rule: Any, on: date) -> None:
    starts = [law.entry(key).provisions[0].in_force_from for key in rule.rests_on]
    assume(starts and on < min(starts) and not rule.versions)
    case = next(each for each in cases(FOLDER / f"{rule.name}.csv") if not each.error)
    answer = ask(rule.name, case.given | {"on": str(on)})
    assert answer.ruling.outcome == {"decision": CANNOT_JUDGE}
    assert answer.as_of == on


def test_the_worked_days_that_no_frozen_rule_gives() -> None:
    on = date(2024, 6, 1)
    assert payment_due_on(date(2024, 3, 1), on=on) == date(2024, 3, 16)
    assert cylinder_notice_window(date(2024, 7, 31), on=on) == (date(2024, 7, 1), date(2024, 7, 31))
    accepted = datetime(2024, 5, 9, 10, tzinfo=SHANGHAI)
    assert police_decision_due(accepted, on=on) == (date(2024, 5, 16), date(2024, 6, 8))
    assert police_reconsider_due(date(2024, 5, 16), on=on) == date(2024, 5, 19)
    assert levels_above(WarningLevel.YELLOW) == (WarningLevel.RED, WarningLevel.ORANGE)
    assert levels_above(WarningLevel.RED) == ()
    assert law.value("hazards.extension_application_days", on=on).value == 10
    assert law.value("hazards.extension_answer_days", on=on).value == 5
    assert law.value("hazards.fire_review_workdays", on=on).value == 3


def test_the_window_of_a_rebound_is_the_value_on_record() -> None:
    first = ask("rebound", {"closed_on": "2024-01-10", "found_on": "2024-02-10", "same_place": True, "same_code": True})
    assert law.value("supervision.rebound_months", on=date(2024, 2, 10)).value == 12
    assert any(source.certainty == "estimate" for source in first.ruling.sources)
    own = ask(
        "rebound",
        {
            "closed_on": "2024-01-10",
            "found_on": "2024-02-10",
            "same_place": True,
            "same_code": True,
            "window_months": 6,
        },
    )
    assert all(source.certainty != "estimate" for source in own.ruling.sources)


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)), st.integers(-600, 600))
def test_months_clamp_to_the_month_and_come_back(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)
    assert add_months(later, -months).day == later.day


@pytest.mark.parametrize("year", [2003, 2050])
def test_a_year_without_a_calendar_is_refused_by_its_field(year: int) -> None:
    with pytest.raises(Refusal) as refused:
        ask("penalty_publicity", {"decided_on": f"{year}-06-17", "on": "2024-06-17"})
    assert (refused.value.code, refused.value.field) == ("rules.calendar_gap", "decided_on")

"""Rebounds: what counts as the same danger, the windows, and what follows."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anban.rules import rebound
from anban.rules.rebound import Spot, classify, matches, windows

CASES = list(
    csv.DictReader((Path(__file__).parent / "cases" / "rebounds.csv").read_text(encoding="utf-8").splitlines())
)
DAY = date(2026, 3, 2)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["note"])
def test_classify_follows_the_cases(case: dict[str, str]) -> None:
    decision = classify(
        date.fromisoformat(case["closed_on"]),
        date.fromisoformat(case["found_on"]),
        windows(on=DAY),
        watch_until=date.fromisoformat(case["watch_until"]),
        people_bring_back=bool(case["people_bring_back"]),
        self_found_and_fixed=bool(case["self_fixed"]),
    )
    assert decision.outcome == case["outcome"]
    assert [str(each) for each in decision.consequences] == case["consequences"].split()
    assert decision.is_rebound is (case["outcome"] in ("rebound", "self_corrected"))
    assert decision.reasons
    assert decision.sources


def test_classify_uses_the_windows_of_the_settings() -> None:
    window = windows(on=DAY, overrides={"hazards.rebound_days": 30, "hazards.rebound_early_days": 10})
    assert classify(date(2026, 1, 1), date(2026, 1, 31), window).is_rebound
    assert not classify(date(2026, 1, 1), date(2026, 2, 1), window).is_rebound


@pytest.mark.parametrize(
    ("first", "second", "same", "why"),
    [
        (Spot("P1", "B1", "FIRE-03", "东门"), Spot("P1", "B1", "FIRE-03", "东门"), True, "same place, code, part"),
        (Spot("P1", "B1", "FIRE-03", "东门"), Spot("P1", "B1", "FIRE-03", ""), True, "an empty part matches any"),
        (Spot("P1", "B1", "FIRE-03", "东门"), Spot("P1", "B1", "FIRE-03", "西门"), False, "another part"),
        (Spot("P1", "B1", "FIRE-03", "东门"), Spot("P1", "B1", "FIRE-04", "东门"), False, "another code"),
        (Spot("P1", None, "GAS-01", "３层 A区"), Spot("P1", None, "GAS-01", "3层a区"), True, "one width, one case"),
        (Spot("P1", None, "GAS-01"), Spot("P2", None, "GAS-01"), False, "places without a building"),
        (Spot("P1", "B1", "FIRE-03", "北楼梯"), Spot("P2", "B1", "FIRE-03", "北楼梯"), True, "same building part"),
        (Spot("P1", "B1", "GAS-01"), Spot("P2", "B1", "GAS-01"), False, "neighbors inherit nothing"),
        (Spot("P1", "B1", "GAS-01", "厨房"), Spot("P2", "B1", "GAS-01"), False, "a neighbor's unsaid part"),
        (Spot(None, "B1", "EBIK-01"), Spot("P2", "B1", "EBIK-01", "楼道"), True, "recorded on the building"),
        (Spot(None, "B1", "EBIK-01"), Spot(None, "B2", "EBIK-01"), False, "another building"),
        (Spot(None, None, "EBIK-01"), Spot(None, None, "EBIK-01"), False, "nowhere is not a place"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_matches_place_or_building_code_and_part(first: Spot, second: Spot, same: bool, why: str) -> None:
    assert matches(first, second) is same, why


SPOTS = st.builds(
    Spot,
    st.sampled_from([None, "P1", "P2"]),
    st.sampled_from([None, "B1", "B2"]),
    st.sampled_from(["A", "B"]),
    st.sampled_from(["", "东", " 东 ", "西"]),
)


@given(SPOTS, SPOTS)
def test_matches_is_symmetric_and_never_crosses_codes(first: Spot, second: Spot) -> None:
    assert matches(first, second) == matches(second, first)
    assert not (matches(first, second) and first.code != second.code)


@given(SPOTS)
def test_matches_itself_wherever_it_is_somewhere(spot: Spot) -> None:
    assert matches(spot, spot) is (spot.place is not None or spot.building is not None)


@given(st.dates(date(2020, 1, 1), date(2028, 1, 1)), st.integers(0, 800), st.booleans(), st.booleans())
def test_a_black_mark_only_inside_the_window(closed_on: date, days: int, bring: bool, own: bool) -> None:
    found = date.fromordinal(closed_on.toordinal() + days)
    decision = classify(closed_on, found, windows(on=DAY), people_bring_back=bring, self_found_and_fixed=own)
    assert decision.is_rebound is (days <= 365)
    assert bool(decision.consequences) is (days <= 365 and not own)
    assert (rebound.Consequence.REVIEW_CHECKED in decision.consequences) is (days <= 90 and not own)
    assert (rebound.Consequence.LASTING_MEASURE in decision.consequences) is (days <= 365 and bring and not own)

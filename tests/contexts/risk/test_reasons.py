"""Reasons: each names a fact whose removal lowers the chance, for any facts; no effect is no reason."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anban.contexts.risk.reasons import EVENTS, LONGEST, PRIOR, reasons
from anban.rules.visit_index import hidden_probability

COUNTS = st.integers(0, 12)


def facts_of(counts: dict[str, int], exposure: float, unseen: int | None) -> dict[str, object]:
    known = min(3, counts["fails_730"])
    return {
        **counts, "daily": (PRIOR + sum(counts.values())) / exposure, "days_unseen": unseen, "known_last3": known,
        "fails_last3": known,
    }  # fmt: skip


def chance(counts: dict[str, int], exposure: float, unseen: int | None) -> float:
    days = LONGEST if unseen is None else min(unseen, LONGEST)
    return float(hidden_probability((PRIOR + sum(counts.values())) / exposure, days))


@given(st.fixed_dictionaries(dict.fromkeys(EVENTS, COUNTS)), st.floats(30, 20_000), st.none() | st.integers(0, 3000))
def test_removing_the_fact_of_a_reason_lowers_the_chance(
    counts: dict[str, int], exposure: float, unseen: int | None
) -> None:
    full = chance(counts, exposure, unseen)
    for why in reasons(facts_of(counts, exposure, unseen)):
        if why.fact in ("days_unseen", "never_seen"):
            without = 0.0
        else:
            name = "fails_730" if why.fact == "failing" else why.fact
            without = chance({**counts, name: 0}, exposure, unseen)
        assert without < full
        assert abs((full - without) - why.falls) < 1e-9


def test_reasons_are_told_weightiest_first() -> None:
    found = reasons(facts_of({"fails_730": 3, "rebounds_365": 1, "calls_90": 0}, 900.0, 200))
    assert [why.fact for why in found] == ["days_unseen", "failing", "rebounds_365"]
    assert found[1].number == 3


def test_a_place_seen_today_gives_no_reason() -> None:
    assert reasons(facts_of({"fails_730": 3, "rebounds_365": 0, "calls_90": 2}, 900.0, 0)) == []

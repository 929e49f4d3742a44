"""The index against worked examples, the equivalents of belief, and the night's list."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from anban.lake.ranking.choosing import choose
from anban.lake.ranking.index import belief_after, equivalent_age, index, myopic, rate_from_history, rate_of


def one(function, *values):
    return float(function(*(np.array([each], dtype=float) for each in values))[0])


@pytest.mark.parametrize(
    ("consequence", "rate", "days", "value"),
    [
        (10, 0.01, 90, 227.518),
        (1, 0.1, 90, 9.9877),
        (10, 0.01, 30, 36.936),
        (1, 0.1, 30, 8.0085),
        (5, 0.002, 365, 415.744),
    ],
)
def test_index_worked_examples(consequence, rate, days, value):
    assert one(index, consequence, rate, days) == pytest.approx(value, rel=2e-5)


def test_myopic_worked_examples():
    assert one(myopic, 10, 0.01, 90) == pytest.approx(5.934, abs=1e-3)
    assert one(myopic, 1, 0.1, 90) == pytest.approx(0.99988, abs=1e-5)


def test_index_is_smooth_where_the_terms_cancel():
    fades = np.array([0.000999, 0.001001])
    values = index(np.ones(2), np.full(2, 1e-6), fades / 1e-6)
    assert values[1] / values[0] == pytest.approx((fades[1] / fades[0]) ** 2, rel=1e-5)


def test_rate_by_history_worked_example():
    assert one(rate_from_history, 3, 252) == pytest.approx(0.0077236, abs=1e-7)
    assert one(lambda chance: rate_of(chance, 100.0), 0.5) == pytest.approx(np.log(2) / 100)


def test_belief_rises_with_time_and_falls_with_a_clean_visit():
    after = belief_after(0.0, rate=0.01, days=90.0)
    assert one(equivalent_age, after, 0.01) == pytest.approx(90.0)
    seen = belief_after(after, rate=0.01, visited=True, detection=0.7)
    assert 0 < seen < after
    assert belief_after(after, rate=0.01, visited=True, detection=1.0) == 0.0


def test_nobody_is_starved():
    """With one visit a day and twenty places, the safest is seen too: its index grows until it is the highest."""
    rates = np.geomspace(0.0005, 0.05, 20)
    since = np.ones(20)
    seen: set[int] = set()
    for _ in range(400):
        chosen = int(np.argmax(index(np.ones(20), rates, since)))
        seen.add(chosen)
        since += 1
        since[chosen] = 1
    assert seen == set(range(20))


def test_the_list_keeps_a_share_for_the_lot_that_can_be_drawn_again():
    ids = tuple(f"P{each}" for each in range(200))
    values = np.arange(200.0)
    chosen = choose(ids, values, capacity=20, lot_share=0.1, seed="s", on=date(2026, 1, 5))
    assert len({each.place_id for each in chosen}) == 20
    assert [each.place_id for each in chosen if each.why == "index"] == [f"P{each}" for each in range(199, 181, -1)]
    assert sum(each.why == "lot" for each in chosen) == 2
    assert chosen == choose(ids, values, capacity=20, lot_share=0.1, seed="s", on=date(2026, 1, 5))
    assert chosen[-2:] != choose(ids, values, capacity=20, lot_share=0.1, seed="s", on=date(2026, 1, 6))[-2:]
    assert len(choose(ids[:3], values[:3], capacity=20, seed="s", on=date(2026, 1, 5))) == 3
    with pytest.raises(ValueError, match="lot_share"):
        choose(ids, values, capacity=20, lot_share=2.0, seed="s", on=date(2026, 1, 5))


def test_every_place_can_be_drawn():
    ids = tuple(f"P{each}" for each in range(30))
    days = [date.fromordinal(740_000 + each) for each in range(600)]
    drawn = [
        choice.place_id
        for day in days
        for choice in choose(ids, np.arange(30.0), capacity=3, lot_share=0.3, seed="s", on=day)
        if choice.why == "lot"
    ]
    counts = np.array([drawn.count(each) for each in ids[:27]])
    assert counts.min() > 5
    assert counts.max() < 50

"""The night's list: by the index, which starves nobody, and by lot."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from anban.lake.ranking.choosing import choose
from anban.rules.visit_index import visit_index


def test_nobody_is_starved():
    """With one visit a day and twenty places, the safest is seen too: its index grows until it is the highest."""
    rates = np.geomspace(0.0005, 0.05, 20)
    since = np.ones(20)
    seen: set[int] = set()
    for _ in range(400):
        chosen = int(np.argmax(visit_index(np.ones(20), rates, since, exp=np.exp)))
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

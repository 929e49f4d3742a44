"""Supervision policies: from the public record alone, whom to visit today; and an oracle that knows the true rates, as a bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from anban.lab.records import Flags, Floats, Ints, RateFilter, Records
from anban.rules.visit_index import equivalent_days, hidden_probability, visit_index

RANDOM_SHARE = 0.05
"""Visits of our policy that are drawn at random (双随机): without them rates and detection cannot be estimated honestly."""
REVISIT_DAYS = 60


@dataclass(frozen=True, slots=True)
class Today:
    """What a policy is given: the day, the record, a stream of its own, and the true rates for the oracle alone."""

    day: int
    records: Records
    draw: np.random.Generator
    true_rates: Floats


@dataclass(frozen=True, slots=True)
class Policy:
    """A named way of choosing visits: a score per site, the highest are visited."""

    zh: str
    en: str
    score: Callable[[Today], Floats]
    random_share: float = 0.0
    bound: bool = False
    """Knows what nobody can know: shown as a bound, never as a choice."""


def _random(today: Today) -> Floats:
    return today.draw.random(today.records.weight.size)


def _oldest(today: Today) -> Floats:
    return _shuffled(today, today.day - today.records.seen_on)


def _violators_first(today: Today) -> Floats:
    return _shuffled(today, today.records.finds)


def _violators_then_oldest(today: Today) -> Floats:
    waited = today.day - today.records.seen_on
    return _shuffled(today, waited + np.where((today.records.finds > 0) & (waited >= REVISIT_DAYS), 1e6, 0.0))


def _highest_rate(today: Today) -> Floats:
    return _shuffled(today, today.records.rates())


def _myopic(today: Today) -> Floats:
    records = today.records
    hidden = hidden_probability(records.rates(), records.ages(today.day), exp=np.exp)
    return np.where(records.is_open, -1.0, records.weight * hidden)


def _index(today: Today) -> Floats:
    records = today.records
    score = visit_index(records.weight, records.rates(), records.ages(today.day), exp=np.exp)
    return np.where(records.is_open, -1.0, score)


def _oracle(today: Today) -> Floats:
    records = today.records
    score = visit_index(records.weight, today.true_rates, records.ages(today.day), exp=np.exp)
    return np.where(records.is_open, -1.0, score)


def _ours(today: Today) -> Floats:
    records = today.records
    known = records.filter
    if known is None:
        # The first day begins with the prior; from then on the filter learns from every visit and closing.
        known = records.filter = RateFilter.of(records.ages(today.day))
    rates = known.rates[:, None]
    value = visit_index(1.0, rates, equivalent_days(known.hidden, rates, log=np.log), exp=np.exp)
    return np.where(records.is_open, -1.0, records.weight * (known.share * value).sum(axis=0))


def _shuffled(today: Today, score: Floats) -> Floats:
    """Break ties by lot: the order of a table must not choose anybody."""
    return score + today.draw.random(score.size) * 1e-6


POLICIES: Mapping[str, Policy] = {
    "none": Policy("不检查", "no visits", lambda today: np.full(today.records.weight.size, -np.inf)),
    "random": Policy("随机（双随机）", "random", _random),
    "oldest": Policy("最久未查优先", "longest unseen first", _oldest),
    "violators_first": Policy("有前科者优先", "past violators first", _violators_first),
    "violators_then_oldest": Policy("前科者每60日一查，余按最久", "violators every 60 days, then longest unseen", _violators_then_oldest),
    "highest_rate": Policy("估计产生率最高者优先", "highest estimated rate", _highest_rate),
    "myopic": Policy("当日期望收益最大", "myopic: weight × probability", _myopic),
    "index": Policy("指数法", "index", _index),
    "ours": Policy("本系统：逐场所学习产生率的指数法，含5%随机", "ours: index over learned rates, 5 % random", _ours, random_share=RANDOM_SHARE),
    "oracle": Policy("知道真实产生率的指数法（上界）", "index with the true rates (bound)", _oracle, bound=True),
}  # fmt: skip


def choose(policy: Policy, today: Today, budget: int, among: Flags | None = None) -> Ints:
    """This function will return the sites to visit today: the highest scores, and the policy's share of random ones.

    ``among`` are the sites that may be visited at all, where somebody has said so.
    """
    score = policy.score(today)
    if among is not None:
        score = np.where(among, score, -np.inf)
    able = int(np.count_nonzero(np.isfinite(score)))
    budget = min(budget, able)
    if budget <= 0:
        return np.empty(0, dtype=np.int64)
    by_lot = int(today.draw.binomial(budget, policy.random_share)) if policy.random_share else 0
    best = budget - by_lot
    chosen = np.argpartition(-score, best - 1)[:best] if best else np.empty(0, dtype=np.int64)
    if by_lot:
        others = np.setdiff1d(np.flatnonzero(np.isfinite(score)), chosen)
        chosen = np.concatenate([chosen, today.draw.choice(others, size=by_lot, replace=False)])
    return chosen.astype(np.int64)

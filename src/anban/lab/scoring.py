"""How well estimators recover the planted truth: detection, rebound, rates, hazards nobody saw, and inspectors who fake."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import pdtr
from scipy.stats import beta

from anban.lab.records import Floats
from anban.lab.world import World

SECURE = 0.05
"""Chance of accusing even one honest inspector in a city (Bonferroni over inspectors). Source: standards C.3."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """One estimate with its 95 % interval beside the truth that was planted."""

    name: str
    estimate: float
    low95: float
    high95: float
    truth: float

    @property
    def covers(self) -> bool:
        """Whether the interval holds the truth."""
        return self.low95 <= self.truth <= self.high95


def blind_detection(world: World, *, places: int, seed: int) -> Recovered:
    """This function will send two inspectors, blind to each other, to the same places and estimate detection from what both found.

    It is done on the day after the last. Of what the second found, the share that the first had found is the
    first's detection; exact (Clopper–Pearson) interval. Source: standards C.4.
    """
    draw, hidden = np.random.default_rng([seed, 5]), world.hidden_at_end
    at = draw.choice(hidden.size, size=min(places, hidden.size), replace=False)
    able = world.city.detection
    first = (draw.random(at.size) < able[draw.integers(0, able.size, at.size)]) & hidden[at]
    second = (draw.random(at.size) < able[draw.integers(0, able.size, at.size)]) & hidden[at]
    seen, both = int(second.sum()), int((first & second).sum())
    low = float(beta.ppf(0.025, both, seen - both + 1)) if both else 0.0
    high = float(beta.ppf(0.975, both + 1, seen - both)) if both < seen else 1.0
    return Recovered("detection", both / seen if seen else math.nan, low, high, float(able.mean()))


def mean_rate(world: World, *, rounds: int = 200, resamples: int = 100, seed: int = 0) -> Recovered:
    """This function will estimate the sites' mean rate of new hazards a day from what visits found and did not find.

    The world's record must keep a rate filter (``World(..., learn=True)``): it holds each site's likelihood of every rate, misses and
    rebounds allowed for. The distribution of rates is fitted to all sites at once (maximum likelihood by EM over the filter's rates);
    interval by resampling sites. Source: Laird (1978), J. Am. Stat. Assoc. 73.
    """
    known = world.records.filter
    if known is None:
        raise ValueError("the world's record keeps no rate filter: make it with learn=True")
    draw = np.random.default_rng([seed, 6])
    sites = known.share.shape[1]
    means = [_fitted_mean(known.share, known.rates, rounds)]
    for _ in range(resamples):
        means.append(_fitted_mean(known.share[:, draw.integers(0, sites, sites)], known.rates, rounds))
    low, high = np.quantile(means[1:], (0.025, 0.975))
    return Recovered("rate_a_day", means[0], float(low), float(high), float(world.city.rate_a_day.mean()))


def _fitted_mean(likelihood: Floats, rates: Floats, rounds: int) -> float:
    weight = np.full(rates.size, 1 / rates.size)
    for _ in range(rounds):
        joint = weight[:, None] * likelihood
        weight = (joint / joint.sum(axis=0)).mean(axis=1)
    return float(weight @ rates)


def led_share(world: World, *, blocks: int = 12, resamples: int = 400, seed: int = 0) -> Recovered:
    """This function will estimate which share of visits only follows instructions, from the record of both.

    Of visits made by lot, as many fall into instructed streets as there are sites in them that day; what falls there beyond is led.
    Interval by resampling whole stretches of days. The world must have kept a log and its policy should be ``random``: another
    policy's own choice of streets passes for obedience or hides it.
    """
    if world.log is None:
        raise ValueError("the world kept no log: give it one before it runs")
    street, days = world.city.street, int(world.setting.days)
    size = np.bincount(street, minlength=int(world.setting.streets)) / street.size
    until = np.full(size.size, -1.0)
    told = {day: at for day, _, at in world.log.instructed}
    inside, expected, made = np.zeros(days), np.zeros(days), np.zeros(days)
    by_day: dict[int, list[int]] = {}
    for day, site, *_ in world.log.visits:
        by_day.setdefault(day, []).append(int(street[site]))
    for day in range(days):
        if day in told:
            until[told[day]] = day + world.setting.instruction_days
        led = until > day
        where = np.array(by_day.get(day, []), dtype=np.int64)
        made[day], inside[day] = where.size, led[where].sum()
        expected[day] = size[led].sum()

    def share(chosen: Floats) -> float:
        visits = (made * chosen).sum()
        free = 1 - (inside * chosen).sum() / visits
        # Free visits fall outside as often as sites lie outside; on the mean day of the year.
        outside = 1 - (expected * chosen).sum() / chosen.sum()
        return float(1 - free / outside)

    draw = np.random.default_rng([seed, 8])
    block = np.minimum(np.arange(days) * blocks // days, blocks - 1)
    found = [
        share(np.bincount(draw.integers(0, blocks, blocks), minlength=blocks)[block].astype(np.float64))
        for _ in range(resamples)
    ]
    low, high = np.quantile(found, (0.025, 0.975))
    truth = world.led_visits / max(len(world.log.visits), 1)
    return Recovered("led_share", share(np.ones(days)), float(low), float(high), truth)


@dataclass(frozen=True, slots=True)
class Unseen:
    """Two blind rounds over the same sites on one day, and how many hazards there really were: for the product's estimator."""

    first: int
    second: int
    both: int
    truth: int


def blind_rounds(world: World, *, share: float, follows: float = 0.0, seed: int = 0) -> Unseen:
    """This function will send two blind rounds, each to a share of all sites, that record hazards and change nothing.

    With ``follows`` above zero that share of the second round's visits goes where the first one went: dependence, under which
    capture–recapture counts too few. Visits and calls of daily work are no such pair: the first to see a hazard has it put
    right before the second can. Source: standards C.4, C.5.
    """
    draw, hidden = np.random.default_rng([seed, 7]), world.hidden_at_end
    size = hidden.size
    quota = max(1, round(share * size))
    first = draw.permutation(size)[:quota]
    copied = draw.choice(first, size=round(follows * quota), replace=False)
    others = np.setdiff1d(np.arange(size), copied)
    second = np.concatenate([copied, draw.choice(others, size=quota - copied.size, replace=False)])
    able = float(world.city.detection.mean())
    seen = [set(at[hidden[at] & (draw.random(at.size) < able)].tolist()) for at in (first, second)]
    return Unseen(len(seen[0]), len(seen[1]), len(seen[0] & seen[1]), int(hidden.sum()))


@dataclass(frozen=True, slots=True)
class Formalism:
    """How well visits for show are told from honest ones, by finds against what the places visited would lead one to expect."""

    auc: float
    """Chance that a faking inspector looks worse than an honest one; undefined (NaN) without both."""
    accused: int
    falsely_accused: int
    faking: int
    inspectors: int


def formalism(world: World) -> Formalism:
    """This function will compare each inspector's finds with those expected at the same places (exact Poisson tail, Bonferroni).

    A signal for a blind re-inspection, never proof. Source: standards C.3.
    """
    log = world.log
    if log is None:
        raise ValueError("the world kept no log: give it one before it runs")
    count = world.city.fakes.size
    begun = [row for row in log.visits if row[0] >= world.setting.burn_in_days]
    by = np.array([row[2] for row in begun], dtype=np.int64)
    found = np.bincount(by, weights=np.array([float(row[3]) for row in begun]), minlength=count)
    expected = np.bincount(by, weights=np.array([row[5] for row in begun]), minlength=count).astype(np.float64)
    # The model's level may be off for everybody; the city's own ratio sets it, which can only hide fakers, not make them.
    if float(expected.sum()):
        expected = expected * (float(found.sum()) / float(expected.sum()))
    tail = np.where(expected > 0, pdtr(found, np.maximum(expected, 1e-12)), 1.0)
    fakes = world.city.fakes
    accused = tail < SECURE / count
    pairs = tail[~fakes][:, None] - tail[fakes][None, :]
    auc = float(((pairs > 0) + 0.5 * (pairs == 0)).mean()) if pairs.size else math.nan
    return Formalism(auc, int(accused.sum()), int((accused & ~fakes).sum()), int(fakes.sum()), count)

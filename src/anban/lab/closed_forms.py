"""What mathematics says of the simplest city, held against the simulator before anything it claims is believed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from anban.lab.policies import POLICIES
from anban.lab.records import Floats
from anban.lab.setting import SCENARIOS, Setting
from anban.lab.world import World


@dataclass(frozen=True, slots=True)
class Check:
    """One closed form: what it says, what the simulator gives, how far apart they may be."""

    name: str
    expected: float
    found: float
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether the simulator agrees."""
        return abs(self.expected - self.found) <= self.tolerance


def cycle_shares(
    rate_a_day: float, visit_a_day: float, detection: float, put_right_a_day: float, rebound: float
) -> Floats:
    """This function will return the shares of time clean : hidden : known in continuous time.

    Source: renewal argument, 1/λ : 1/((1−r)νp) : 1/((1−r)μ); design reference, standards C.12.
    """
    parts = np.array(
        [1 / rate_a_day, 1 / ((1 - rebound) * visit_a_day * detection), 1 / ((1 - rebound) * put_right_a_day)]
    )
    return np.asarray(parts / parts.sum())


def daily_shares(
    rate_a_day: float, visit_a_day: float, detection: float, put_right_a_day: float, rebound: float
) -> Floats:
    """This function will return the same shares for the simulator's day: births, then visits, then closings.

    The chain of the three steps has one stationary distribution; it is that of the end of the day.
    """
    birth, find = 1 - math.exp(-rate_a_day), visit_a_day * detection
    births = np.array([[1 - birth, birth, 0], [0, 1, 0], [0, 0, 1]])
    visits = np.array([[1, 0, 0], [0, 1 - find, find], [0, 0, 1]])
    closings = np.array(
        [[1, 0, 0], [0, 1, 0], [(1 - rebound) * put_right_a_day, rebound * put_right_a_day, 1 - put_right_a_day]]
    )
    values, vectors = np.linalg.eig((births @ visits @ closings).T)
    one = np.real(vectors[:, int(np.argmax(np.real(values)))])
    return np.asarray(one / one.sum())


def checks(*, sites: int = 4500, days: int = 1500, seeds: int = 3) -> tuple[Check, ...]:
    """This function will run the simplest city under random visits, and without any, and compare with the closed forms."""
    rate, every, rebound = 1 / 200, 90, 0.2
    plain = Setting(
        sites=sites, days=days, burn_in_days=500, visits_a_day=sites / every, rate_mean_a_day=rate, rate_shape=1000,
        street_spread=0, rebound=rebound,
    )  # fmt: skip
    runs = [World(plain, SCENARIOS["base"], POLICIES["random"], seed).run().shares for seed in range(seeds)]
    found, said = np.mean(runs, axis=0), daily_shares(rate, 1 / every, 0.7, 1 / 15, rebound)
    tolerance = 4 * math.sqrt(0.25 / (sites * seeds)) / math.sqrt(3)
    made = [
        Check(f"share {name}", float(said[at]), float(found[at]), tolerance)
        for at, name in enumerate(("clean", "hidden", "known"))
    ]
    untouched = Setting(
        sites=sites * seeds, days=366, burn_in_days=365, rate_mean_a_day=rate, rate_shape=1000, street_spread=0
    )
    world = World(untouched, SCENARIOS["base"], POLICIES["none"], 0)
    alone = world.run().shares[1]
    # Before the first day each site had gone unseen for a while already.
    clean = float(np.exp(-rate * (366 + world.city.first_days)).mean())
    spread = math.sqrt(clean * (1 - clean) / (sites * seeds))
    made.append(Check("hidden after a year unseen", 1 - clean, alone, 4 * spread))
    return tuple(made)

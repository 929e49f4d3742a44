"""The index that weighs consequence, chance and time since seen: who waits long enough always comes first, so nobody is starved.

Source: derived from the indifference of the average-cost threshold problem (Whittle); hazards are born at rate λ a day at a
place of consequence c that was last cleared τ days ago: W = c · [(1 − e^(−λτ))/λ − τ·e^(−λτ)].
"""

from __future__ import annotations

from typing import Final

import numpy as np

from anban.lake.ranking.history import Floats

LONGEST_DAYS: Final = 3650.0


def index(consequence: Floats, rate: Floats, waited: Floats) -> Floats:
    """Return the index of each place: consequence, hazards born a day, days since it was last seen clear."""
    fade = rate * waited
    # Near zero the two terms cancel: (1 - e^-x) - x·e^-x = x²/2 - x³/3 + …
    small = fade**2 / 2 - fade**3 / 3 + fade**4 / 8
    exact = -np.expm1(-fade) - fade * np.exp(-fade)
    return np.asarray(consequence * np.where(fade < 1e-3, small, exact) / rate)


def myopic(consequence: Floats, rate: Floats, waited: Floats) -> Floats:
    """Return the chance-weighted consequence of a visit today, the rule that leaves some places unseen for ever."""
    return np.asarray(consequence * -np.expm1(-rate * waited))


def rate_of(chance: Floats, interval_days: float) -> Floats:
    """Return the hazards born a day that make a find this likely after the city's usual interval between visits."""
    return np.asarray(-np.log1p(-np.clip(chance, 1e-6, 1 - 1e-6)) / max(interval_days, 1.0))


def rate_from_history(
    finds: Floats, days_covered: Floats, detection: float = 1.0, shape: float = 0.8, scale: float = 240.0
) -> Floats:
    """Return the empirical Bayes rate of a place: finds over days covered, drawn toward the city's."""
    return np.asarray((shape + finds) / (scale + detection * days_covered))


def belief_after(
    belief: float, *, rate: float, days: float = 0.0, visited: bool = False, detection: float = 1.0
) -> float:
    """Return the belief that a hazard is hidden after some days and, if visited, after a visit that found nothing."""
    belief = 1 - (1 - belief) * float(np.exp(-rate * days))
    if visited:
        belief = belief * (1 - detection) / (1 - belief * detection)
    return belief


def equivalent_age(belief: Floats, rate: Floats) -> Floats:
    """Return the days since seen clear that make the same belief: what the index takes when visits may miss things."""
    return np.asarray(-np.log1p(-np.minimum(belief, 1 - 1e-12)) / rate)

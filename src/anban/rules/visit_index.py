"""The index of visits: how much the next visit to a place averts, weighing consequence and time since it was seen.

A place breeds hazards at a rate λ a day; unseen for τ days it hides one with probability q(τ) = 1 − e^(−λτ). The index is the
price of a visit at which seeing the place now and seeing it later are equally good, so the highest indices are the best visits
and whoever is never seen rises until he is: nobody is starved.

Source: Whittle (1988), "Restless bandits: activity allocation in a changing world", J. Appl. Probab. 25A; derived for this threshold
problem in the design reference (standards C.1). The functions take numbers or arrays alike: the caller passes its own ``exp`` and ``log``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


def hidden_probability(rate_a_day: Any, days: Any, *, exp: Callable[[Any], Any] = math.exp) -> Any:
    """This function will give the probability that a place unseen for ``days`` hides a hazard: 1 − e^(−λτ)."""
    return 1.0 - exp(-rate_a_day * days)


def visit_index(weight: Any, rate_a_day: Any, days: Any, *, exp: Callable[[Any], Any] = math.exp) -> Any:
    """This function will give the index c·[(1 − e^(−λτ))/λ − τ·e^(−λτ)], in weighted hazard-days averted.

    ``weight`` is the consequence c (no unit), ``rate_a_day`` λ > 0, ``days`` τ ≥ 0 since the place was last known to be clean.
    """
    decay = exp(-rate_a_day * days)
    return weight * ((1.0 - decay) / rate_a_day - days * decay)


def equivalent_days(belief: Any, rate_a_day: Any, *, log: Callable[[Any], Any] = math.log) -> Any:
    """This function will give the age −ln(1 − b)/λ at which a place would be as suspect as the belief b < 1 says it is.

    Imperfect visits and rebounds are put into the belief; the index of that age is the index on belief.
    """
    return -log(1.0 - belief) / rate_a_day

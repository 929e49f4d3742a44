"""Two periods compared by kind and area (两期对比): exact Poisson tests, with the whole look kept to one bound on false findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FALSE_SHARE = 0.05
"""Of the findings of one look, at most this share is false on average; if nothing has changed, the chance of any finding."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Counts of one kind in one area, before and after."""

    kind: str
    area: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Change:
    """What the comparison says of a pair; `ratio`, `low95`, `high95` are None where no data bound them.

    `p` is exact; `q` is p corrected for all pairs looked at together (Benjamini–Hochberg): a finding where q is small.
    """

    pair: Pair
    ratio: float | None
    low95: float
    high95: float | None
    p: float
    q: float

    @property
    def found(self) -> bool:
        """Whether this is a finding of the look as a whole."""
        return self.q <= FALSE_SHARE

    @property
    def rose(self) -> bool:
        """Whether the rate is higher than before."""
        return self.ratio is None or self.ratio > 1


def compare(pairs: Sequence[Pair], *, exposure_before: float = 1, exposure_after: float = 1) -> list[Change]:
    """This function will compare each pair exactly, and correct for looking at all of them.

    The exposures are those of all pairs alike (days of the two periods). Twins: `rules.statistics.poisson_change`, scipy.
    """
    if exposure_before <= 0 or exposure_after <= 0:
        raise ValueError("an exposure must be greater than zero")
    chance = exposure_after / (exposure_before + exposure_after)
    p = np.array([_p(each, chance) for each in pairs])
    q = corrected(p)
    scale = exposure_before / exposure_after
    return [_change(pair, scale, float(p[i]), float(q[i])) for i, pair in enumerate(pairs)]


def _p(pair: Pair, chance: float) -> float:
    from scipy import stats

    total = pair.before + pair.after
    return float(stats.binomtest(pair.after, total, chance).pvalue) if total else 1.0


def _change(pair: Pair, scale: float, p: float, q: float) -> Change:
    from scipy import stats

    before, after = pair.before, pair.after
    low = stats.beta.ppf(0.025, after, before + 1) if after else 0.0
    high = stats.beta.ppf(0.975, after + 1, before) if before else None
    return Change(
        pair,
        after / before * scale if before else None,
        float(low / (1 - low) * scale),
        float(high / (1 - high) * scale) if high is not None else None,
        p,
        q,
    )


def corrected(p: npt.NDArray[np.float64] | Iterable[float]) -> npt.NDArray[np.float64]:
    """This function will correct p-values for being looked at together (Benjamini–Hochberg), in their own order."""
    values = np.asarray(list(p), dtype=float)
    if not values.size:
        return values
    order = np.argsort(values)[::-1]
    ranks = np.arange(values.size, 0, -1)
    running = np.minimum.accumulate(values[order] * values.size / ranks)
    made = np.empty_like(values)
    made[order] = np.minimum(running, 1)
    return made

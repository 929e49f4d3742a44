"""What a supervisor of the simulated city can know: visits made, finds, closings, and what follows from them — never the truth."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.special import gammainc, gammaincinv

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

PRIOR_FINDS = 0.8
PRIOR_DAYS = 240.0
"""Empirical-Bayes prior of a site's rate: 0.8 finds in 240 days (mean 1/300 a day). Source: design reference, standards C.1."""
LEVELS = 10
WIDE_RATES = np.geomspace(2e-5, 0.2, 24)
"""Rates for an estimate that must not lean on the prior."""


def rate_levels(levels: int = LEVELS) -> Floats:
    """This function will return the mean rate a day within each of equally probable slices of the prior."""
    edges = gammaincinv(PRIOR_FINDS, np.linspace(0.0, 1.0, levels + 1))
    mass = np.diff(gammainc(PRIOR_FINDS + 1.0, edges))
    return np.asarray(mass * levels * PRIOR_FINDS / PRIOR_DAYS)


@dataclass(slots=True)
class RateFilter:
    """For each site, how probable each rate is and, under each, how probable it is that a hazard is hidden.

    An exact filter over a few rates: a visit that finds nothing speaks against high rates as far as the visit would have seen it.
    """

    rates: Floats
    share: Floats
    """Probability of each rate, levels × sites."""
    hidden: Floats
    """Probability that a hazard is hidden, given each rate, levels × sites."""

    @classmethod
    def of(cls, first_days: Floats, rates: Floats | None = None) -> RateFilter:
        """This function will begin with equal shares of the rates (default: the prior's slices), for sites last seen clean so long ago."""
        rates = rate_levels() if rates is None else rates
        share = np.full((rates.size, first_days.size), 1.0 / rates.size)
        return cls(rates, share, 1.0 - np.exp(-rates[:, None] * first_days))

    def pass_day(self, is_open: Flags) -> None:
        """This function will let a day pass: a hazard may have begun wherever none is known."""
        self.hidden = np.where(is_open, 0.0, 1.0 - (1.0 - self.hidden) * np.exp(-self.rates)[:, None])

    def note_visits(self, visited: Ints, found: Flags, is_open: Flags, detection: float) -> None:
        """This function will weigh what the day's visits found and did not find."""
        hidden = self.hidden[:, visited]
        likely = np.where(found, hidden * detection, 1.0 - hidden * detection)
        share = self.share[:, visited] * np.where(is_open, 1.0, likely)
        total = share.sum(axis=0)
        self.share[:, visited] = np.where(total > 0.0, share / np.where(total > 0.0, total, 1.0), 1.0 / self.rates.size)
        missed = hidden * (1.0 - detection) / (1.0 - hidden * detection)
        self.hidden[:, visited] = np.where(found | is_open, 0.0, missed)


@dataclass(slots=True)
class Records:
    """The public record of every site, as arrays over sites; days are counted from the simulation's first."""

    weight: Floats
    seen_on: Floats
    """Day of the last visit on record, faked ones included: nobody knows which are; before the first day at the start."""
    detection: float
    rebound: float
    """What the office believes of its inspectors and of its closings."""
    finds: Floats = field(init=False)
    covered_days: Floats = field(init=False)
    """Days that ended in a visit or a find: what the finds are spread over."""
    is_open: Flags = field(init=False)
    """A known hazard that has not been closed."""
    closed_on: Floats = field(init=False)
    """Day of the last closing; minus infinity where there was none."""
    filter: RateFilter | None = None

    def __post_init__(self) -> None:
        size = self.weight.size
        self.finds, self.covered_days = np.zeros(size), np.zeros(size)
        self.is_open = np.zeros(size, dtype=np.bool_)
        self.closed_on = np.full(size, -np.inf)

    def rates(self) -> Floats:
        """This function will estimate each site's rate of new hazards a day by empirical Bayes. Source: standards C.1."""
        return (PRIOR_FINDS + self.finds) / (PRIOR_DAYS + self.detection * self.covered_days)

    def ages(self, day: int) -> Floats:
        """This function will give the days since each site was last known to be clean, by a visit or a closing."""
        return day - np.maximum(self.seen_on, self.closed_on)

    def pass_day(self) -> None:
        """This function will let one day pass."""
        if self.filter is not None:
            self.filter.pass_day(self.is_open)

    def note_visits(self, day: int, visited: Ints, found: Flags) -> None:
        """This function will enter the day's visits; ``found`` says for each whether a hazard was recorded."""
        already = self.is_open[visited]
        if self.filter is not None:
            self.filter.note_visits(visited, found, already, self.detection)
        self.covered_days[visited] += np.where(already, 0.0, self.ages(day)[visited])
        self.seen_on[visited] = day
        self._open(visited[found])

    def note_reports(self, day: int, sites: Ints) -> None:
        """This function will enter hazards that a call or an alarm made known."""
        self.covered_days[sites] += self.ages(day)[sites]
        self._open(sites)
        if self.filter is not None:
            self.filter.hidden[:, sites] = 0.0

    def note_closings(self, day: int, sites: Ints) -> None:
        """This function will enter closings: what was known is put right, or said to be."""
        self.is_open[sites] = False
        self.closed_on[sites] = day
        if self.filter is not None:
            self.filter.hidden[:, sites] = self.rebound

    def _open(self, sites: Ints) -> None:
        self.finds[sites] += 1.0
        self.is_open[sites] = True

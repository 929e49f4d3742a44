"""The year 2020–21 of the founding documents, read honestly: 26 in a year, then four in some twenty days; minus nine percent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from scipy import stats

from anban.lake.warning.chart import chart
from anban.rules.statistics.numbers import arithmetic
from anban.rules.statistics.scan_cluster import at_least, none_anywhere

LPG_2020 = 26
DAYS_2020 = 366
WINDOW_DAYS = 20
LPG_JANUARY = 4
FALL = 0.09
"""Explosions and fires of bottled gas in 2020; four more in “over 20 days” of January 2021; fatal accidents 2020 against 2019."""


@dataclass(frozen=True, slots=True)
class FoundingYear:
    """The figures of that page: each a question of the documents with the answer the numbers allow."""

    expected_in_window: float
    p_this_window: float
    p_some_window: float
    count_for_five_percent: int
    yearly_low: float
    yearly_high: float
    chart_levels: tuple[float, ...]
    chart_false_alarm_days: float
    smallest_base_for_the_fall: int
    power_of_thirty_percent: float
    base_for_thirty_percent: int


def founding_year() -> FoundingYear:
    """This function will reckon the founding year anew. The chart takes days 3, 8, 15 and 21 as an example: the documents give none."""
    mp = arithmetic()
    mean = mp.mpf(LPG_2020) * WINDOW_DAYS / DAYS_2020
    windows = mp.mpf(DAYS_2020) / WINDOW_DAYS

    def somewhere(count: int) -> float:
        return float(1 - none_anywhere(mp, count, mean, windows))

    # The count whose chance comes nearest to one in twenty.
    enough = min(range(2, 20), key=lambda count: abs(somewhere(count) - 0.05))
    days = [date(2021, 1, day) for day in (3, 8, 15, 21)]
    made = chart(days, date(2020, 12, 31), LPG_2020, DAYS_2020)
    return FoundingYear(
        expected_in_window=float(mean),
        p_this_window=float(at_least(mp, LPG_JANUARY, mean)),
        p_some_window=somewhere(LPG_JANUARY),
        count_for_five_percent=enough,
        yearly_low=float(stats.gamma.ppf(0.025, LPG_2020)),
        yearly_high=float(stats.gamma.ppf(0.975, LPG_2020 + 1)),
        chart_levels=made.levels,
        chart_false_alarm_days=made.false_alarm_days,
        smallest_base_for_the_fall=smallest_base(FALL),
        power_of_thirty_percent=power(LPG_2020, 0.3),
        base_for_thirty_percent=base_for_power(0.3, 0.8),
    )


def smallest_base(fall: float) -> int:
    """This function will give the count before from which such a fall stands out from chance at 5 % (normal approximation)."""
    z = float(stats.norm.ppf(0.975))
    return round(z**2 * (2 - fall) / fall**2)


def power(before: float, fall: float) -> float:
    """This function will give the chance that a true fall shows at 5 % in a comparison of two years (square-root scale)."""
    shift = 2 * (before**0.5 - (before * (1 - fall)) ** 0.5) / 2**0.5
    z = float(stats.norm.ppf(0.975))
    return float(stats.norm.cdf(shift - z) + stats.norm.cdf(-shift - z))


def base_for_power(fall: float, wanted: float) -> int:
    """This function will give the count before from which a true fall shows with the wanted chance."""
    z = float(stats.norm.ppf(0.975)) + float(stats.norm.ppf(wanted))
    root: float = z * 2**0.5 / 2 / (1 - (1 - fall) ** 0.5)
    return round(root**2)

"""The figures of 2020–21 in the founding documents, read honestly: each as a question to a rule that anyone can ask again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

from anban.rules.answering import ask

LPG_2020 = 26
LPG_JANUARY = 4
WINDOW_DAYS = 20
DAYS_2020 = 366
FALL_PERCENT = 9
"""Explosions and fires of bottled gas in 2020 and in “over 20 days” of January 2021; the fall of fatal accidents in 2020."""

EXAMPLE_DATES = "2021-01-03;2021-01-08;2021-01-15;2021-01-21"
"""The documents give no days; these are an example of four in twenty."""

TRUE_FALL = 0.3
WANTED_POWER = 0.8

Question = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class FoundingYear:
    """The figures of that page; `questions` are the questions to rules that give them, by name of the figure."""

    expected_in_window: float
    p_this_window: float
    p_some_window: float
    rare_count: int
    p_rare: float
    chart_level: float
    base_for_the_fall: int
    example_before: int
    example_after: int
    p_example: float
    power: float
    base_for_power: int
    questions: Mapping[str, tuple[str, Question]]


@cache
def founding_year() -> FoundingYear:
    """This function will reckon the founding year by the rules themselves."""

    def scanned(count: int) -> Question:
        return {"count": count, "window_days": WINDOW_DAYS, "annual_rate": LPG_2020, "year_days": DAYS_2020}

    def told(rule: str, question: Mapping[str, object], name: str) -> float:
        return float(str(ask(rule, question).ruling.outcome[name]))

    anywhere = {count: told("scan_cluster", scanned(count), "p_anywhere_in_year") for count in range(LPG_JANUARY, 12)}
    rare = min(anywhere, key=lambda count: abs(anywhere[count] - 0.05))
    chart: Question = {"dates": EXAMPLE_DATES, "annual_rate": LPG_2020, "year_days": DAYS_2020}
    example: Question = {"before": 400, "after": 364}
    return FoundingYear(
        expected_in_window=LPG_2020 * WINDOW_DAYS / DAYS_2020,
        p_this_window=told("scan_cluster", scanned(LPG_JANUARY), "p_window"),
        p_some_window=anywhere[LPG_JANUARY],
        rare_count=rare,
        p_rare=anywhere[rare],
        chart_level=told("cusum", {**chart, "dates": EXAMPLE_DATES.split(";")}, "statistic"),
        base_for_the_fall=smallest_base(FALL_PERCENT / 100),
        example_before=400,
        example_after=364,
        p_example=told("poisson_change", example, "p_value"),
        power=power(LPG_2020, TRUE_FALL),
        base_for_power=base_for_power(TRUE_FALL, WANTED_POWER),
        questions={
            "window": ("scan_cluster", scanned(LPG_JANUARY)),
            "rare": ("scan_cluster", scanned(rare)),
            "chart": ("cusum", chart),
            "example": ("poisson_change", example),
        },
    )


def smallest_base(fall: float) -> int:
    """This function will give the count before from which such a fall stands out from chance at 5 % (normal approximation)."""
    z = NormalDist().inv_cdf(0.975)
    return round(z**2 * (2 - fall) / fall**2)


def power(before: float, fall: float) -> float:
    """This function will give the chance that a true fall shows at 5 % when two years are compared (square-root scale)."""
    z = NormalDist().inv_cdf(0.975)
    shift: float = 2 * (before**0.5 - (before * (1 - fall)) ** 0.5) / 2**0.5
    return NormalDist().cdf(shift - z) + NormalDist().cdf(-shift - z)


def base_for_power(fall: float, wanted: float) -> int:
    """This function will give the count before from which a true fall shows with the wanted chance."""
    z = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(wanted)
    root: float = z * 2**0.5 / 2 / (1 - (1 - fall) ** 0.5)
    return round(root**2)

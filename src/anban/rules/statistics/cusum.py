"""CUSUM of events (累积和控制图): has the rate of events risen to `ratio` times the usual one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from anban.rules.decision import Reason, Ruling, Source
from anban.rules.errors import Refusal
from anban.rules.registry import Version, asked, rule
from anban.rules.statistics.methods import METHODS_FROM
from anban.rules.statistics.numbers import shown

SOURCE = Source("Lucas 1985，计数型 CUSUM（连续时间对数似然比形式）", "", "verified")


@dataclass(frozen=True, slots=True, kw_only=True)
class CusumFacts:
    """Gaps before each event in days, or the days of the events; the usual count of a year, and what rise to look for."""

    gaps_days: tuple[Decimal, ...] | None = asked("各起之前的间隔天数", "days before each event", default=None)
    dates: tuple[date, ...] | None = asked("各起发生日期", "days of the events", unit="on", default=None)
    annual_rate: Decimal = asked("平常一年的件数", "usual events in a year", most=1_000_000)
    ratio: Decimal = asked("要发现的倍数", "rise to look for, times the usual", default=Decimal(2), most=1000)
    threshold: Decimal = asked("报警界限", "threshold of the alarm", default=Decimal(3), most=1000)
    year_days: Decimal = asked("一年按多少天", "days of the year", most=3660, default=Decimal(365))

    def __post_init__(self) -> None:
        if (self.gaps_days is None) == (self.dates is None):
            raise Refusal("statistics.exactly_one", field="gaps_days", one="gaps_days", other="dates")
        for name in ("annual_rate", "threshold", "year_days"):
            if getattr(self, name) == 0:
                raise Refusal("statistics.not_positive", field=name, name=name)
        if self.ratio <= 1:
            raise Refusal("statistics.ratio", field="ratio")


@rule(
    "cusum",
    number="",
    zh="累积和控制图",
    en="CUSUM chart of events",
    gives={
        "statistic": ("当前统计量", "statistic now"),
        "alarm": ("是否曾达到界限", "whether the threshold was reached"),
        "path": ("每起之后的统计量", "statistic after each event"),
    },
    versions=(Version(METHODS_FROM, SOURCE),),
)
def cusum(facts: CusumFacts, on: date) -> Ruling:
    """This function will follow the chart from event to event; days are put in order, the first one starts the watch."""
    gaps = _gaps(facts.dates) if facts.dates is not None else [float(each) for each in facts.gaps_days or ()]
    path = follow(gaps, float(facts.annual_rate) / float(facts.year_days), float(facts.ratio))
    limit = float(facts.threshold)
    alarm = any(each >= limit for each in path)
    last = path[-1] if path else 0.0
    outcome = {"statistic": shown(last), "alarm": alarm, "path": [shown(each) for each in path]}
    return Ruling(outcome, (_read(alarm, last, facts.threshold),), (SOURCE,))


def follow(gaps_days: Sequence[float], rate_per_day: float, ratio: float) -> list[float]:
    """This function will give the statistic after each event: max(0, S − (ratio − 1)·rate·gap) + ln ratio, from S = 0."""
    rise, fall = math.log(ratio), (ratio - 1) * rate_per_day
    path: list[float] = []
    level = 0.0
    for gap in gaps_days:
        level = max(0.0, level - fall * gap) + rise
        path.append(level)
    return path


def _gaps(days: Sequence[date]) -> list[float]:
    """Before the first event nothing is known of the gap: the chart stands at its floor, as after any long gap."""
    ordered = sorted(days)
    return [math.inf, *(float((b - a).days) for a, b in pairwise(ordered))] if ordered else []


def _read(alarm: bool, last: float, threshold: Decimal) -> Reason:
    limit = f"{threshold:f}"
    if alarm:
        zh = f"统计量达到过界限 {limit}：值得派人核实，不等于证明变多了"
        return Reason(
            "cusum.alarm",
            zh,
            f"the statistic has reached the threshold {limit}: worth a person's look, no proof of a rise",
        )
    zh = f"统计量 {last:.2f}，未达到界限 {limit}"
    return Reason("cusum.quiet", zh, f"the statistic is {last:.2f}, below the threshold {limit}")

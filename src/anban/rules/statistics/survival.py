"""Survival curves (生存曲线): how long until it happens, with what has not happened yet counted as such (Kaplan–Meier)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from anban.rules.decision import Reason, Ruling, Source
from anban.rules.errors import Refusal
from anban.rules.registry import Version, asked, rule
from anban.rules.statistics.methods import METHODS_FROM, Z95
from anban.rules.statistics.numbers import shown

SOURCE = Source("Kaplan–Meier 1958；方差 Greenwood 1926，对数—对数变换区间", "", "verified")

_HALF = 0.5 + 1e-12
"""The median is where the curve comes down to a half; products of fractions may stand a rounding above it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalFacts:
    """Durations, and for each whether it ended (True) or is still going on (False: censored)."""

    durations_days: tuple[Decimal, ...] = asked("各件时长", "durations")
    observed: tuple[bool, ...] = asked("是否已经结束", "whether each has ended")

    def __post_init__(self) -> None:
        if not self.durations_days:
            raise Refusal("statistics.empty", field="durations_days", name="durations_days")
        if len(self.durations_days) != len(self.observed):
            raise Refusal("statistics.lengths", field="observed", one="durations_days", other="observed")


@dataclass(frozen=True, slots=True)
class Step:
    """The curve from a time on: share that lasts longer, with its 95 % interval where there is one."""

    time: Decimal
    survival: float
    low95: float | None
    high95: float | None


@rule(
    "survival",
    number="",
    zh="生存曲线",
    en="Survival curve",
    gives={
        "times": ("有结束发生的时点（日）", "days at which something ended"),
        "survival": ("此后仍未结束的比例", "share not yet ended after it"),
        "low95": ("95% 区间下限", "lower end of the 95 % interval"),
        "high95": ("95% 区间上限", "upper end of the 95 % interval"),
        "median": ("中位时长（日）；不足一半结束时为空", "median in days; null where fewer than half have ended"),
    },
    versions=(Version(METHODS_FROM, SOURCE),),
)
def survival(facts: SurvivalFacts, on: date) -> Ruling:
    """This function will estimate the survival curve; the order of the durations does not matter."""
    steps = list(curve(facts.durations_days, facts.observed))
    median = next((each.time for each in steps if each.survival <= _HALF), None)
    outcome = {
        "times": [each.time for each in steps],
        "survival": [shown(each.survival) for each in steps],
        "low95": [None if each.low95 is None else shown(each.low95) for each in steps],
        "high95": [None if each.high95 is None else shown(each.high95) for each in steps],
        "median": median,
    }
    return Ruling(outcome, tuple(_read(facts, median)), (SOURCE,))


def curve(durations: Sequence[Decimal], observed: Sequence[bool]) -> Iterator[Step]:
    """This function will give the steps of the curve in order of time; equal times end before they are censored."""
    ended: dict[Decimal, int] = {}
    left: dict[Decimal, int] = {}
    for duration, has_ended in zip(durations, observed, strict=True):
        left[duration] = left.get(duration, 0) + 1
        ended[duration] = ended.get(duration, 0) + has_ended
    at_risk, share, greenwood = len(durations), 1.0, 0.0
    for time in sorted(left):
        died = ended[time]
        if died:
            share = share * (at_risk - died) / at_risk
            greenwood += died / (at_risk * (at_risk - died)) if at_risk > died else math.inf
            yield Step(time, share, *_interval(share, greenwood))
        at_risk -= left[time]


def _interval(share: float, greenwood: float) -> tuple[float | None, float | None]:
    if share <= 0:
        return None, None
    log_share = math.log(share)
    width = Z95 * math.sqrt(greenwood) / abs(log_share)
    return math.exp(log_share * math.exp(width)), math.exp(log_share * math.exp(-width))


def _read(facts: SurvivalFacts, median: Decimal | None) -> Iterator[Reason]:
    going_on = sum(not each for each in facts.observed)
    zh = f"{len(facts.observed)} 件中 {going_on} 件尚未结束，按“至少这么久”计入，没有丢掉"
    yield Reason(
        "survival.censored",
        zh,
        f"{going_on} of {len(facts.observed)} have not ended; they count as lasting at least so long",
    )
    if median is None:
        yield Reason(
            "survival.no_median", "结束的不到一半，没有中位时长", "fewer than half have ended: there is no median"
        )

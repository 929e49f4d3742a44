"""Clusters in time (时间聚集): so many events in a window, by chance in this window and anywhere in the year (Naus 1982)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import Any

from anban.rules.decision import Reason, Ruling, Source
from anban.rules.errors import Refusal
from anban.rules.registry import Version, asked, rule
from anban.rules.statistics.methods import METHODS_FROM
from anban.rules.statistics.numbers import DIGITS, arithmetic, shown

LARGEST_COUNT = 20_000
LARGEST_RATE = 1_000_000
SOURCE = Source("Naus 1982，扫描统计量分布的近似", "", "verified")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanFacts:
    """A count in a window of days, the usual count of a year, and the length of that year."""

    count: int = asked("窗口内件数", "events in the window", most=LARGEST_COUNT)
    window_days: Decimal = asked("窗口天数", "days of the window", most=3660)
    annual_rate: Decimal = asked("平常一年的件数", "usual events in a year", most=LARGEST_RATE)
    year_days: Decimal = asked("一年按多少天", "days of the year", most=3660, default=Decimal(365))

    def __post_init__(self) -> None:
        for name in ("window_days", "annual_rate", "year_days"):
            if getattr(self, name) == 0:
                raise Refusal("statistics.not_positive", field=name, name=name)
        if self.window_days > self.year_days:
            raise Refusal("statistics.more_than", field="window_days", name="window_days", limit="year_days")


@rule(
    "scan_cluster",
    number="",
    zh="时间聚集",
    en="Cluster in time",
    gives={
        "p_window": (
            "事先指定的这个窗口内，偶然达到该件数的概率",
            "chance of so many in this window, named beforehand",
        ),
        "p_anywhere_in_year": ("一年中某个窗口偶然达到该件数的概率", "chance of so many in some window of the year"),
    },
    versions=(Version(METHODS_FROM, SOURCE),),
)
def scan_cluster(facts: ScanFacts, on: date) -> Ruling:
    """This function will say how easily chance alone makes such a cluster: in this window, and somewhere in the year."""
    mp = arithmetic()
    mean = mp.mpf(str(facts.annual_rate)) * mp.mpf(str(facts.window_days)) / mp.mpf(str(facts.year_days))
    here = at_least(mp, facts.count, mean)
    windows = mp.mpf(str(facts.year_days)) / mp.mpf(str(facts.window_days))
    anywhere = max(here, 1 - none_anywhere(mp, facts.count, mean, windows)) if facts.count else mp.one
    return Ruling(
        {"p_window": shown(here), "p_anywhere_in_year": shown(anywhere)}, (_read(facts, float(anywhere)),), (SOURCE,)
    )


def at_least(mp: Any, k: int, mean: Any) -> Any:
    """This function will give the chance that a Poisson count of this mean is k or more."""
    if k <= 0:
        return mp.one
    if k <= mean:
        term = total = mp.exp(-mean)
        for j in range(1, k):
            term = term * mean / j
            total += term
        return 1 - total
    term = total = mp.exp(k * mp.log(mean) - mean - mp.loggamma(k + 1))
    j, close = k, mp.mpf(10) ** -DIGITS
    while term > total * close:
        j += 1
        term = term * mean / j
        total += term
    return total


def none_anywhere(mp: Any, k: int, mean: Any, windows: Any) -> Any:
    """This function will give the chance that no window of a period that is `windows` long reaches k (Naus 1982, eq. 3.1).

    Exact for a period of one and two windows, an interpolation between and an extrapolation beyond.
    """
    p = _probabilities(mp, mean, 2 * k + 1)
    totals = list(accumulate(p))

    def cdf(j: int) -> Any:
        return totals[j] if j >= 0 else mp.zero

    one = cdf(k - 1)
    two = one**2 - (k - 1) * p[k] * (p[k - 2] if k > 1 else 0) - (k - 1 - mean) * p[k] * cdf(k - 3)
    if windows <= 2:
        return one * (two / one) ** (windows - 1)
    a1 = 2 * p[k] * one * ((k - 1) * cdf(k - 2) - mean * cdf(k - 3))
    a2 = p[k] ** 2 / 2 * ((k - 1) * (k - 2) * cdf(k - 3) - 2 * (k - 2) * mean * cdf(k - 4) + mean**2 * cdf(k - 5))
    a3 = sum((p[2 * k - r] * cdf(r - 1) ** 2 for r in range(1, k)), mp.zero)
    a4 = sum((p[2 * k - r] * p[r] * ((r - 1) * cdf(r - 2) - mean * cdf(r - 3)) for r in range(2, k)), mp.zero)
    three = one**3 - a1 + a2 + a3 - a4
    return two * (three / two) ** (windows - 2)


def _probabilities(mp: Any, mean: Any, count: int) -> list[Any]:
    made = [mp.exp(-mean)]
    for j in range(1, count):
        made.append(made[-1] * mean / j)
    return made


def _read(facts: ScanFacts, anywhere: float) -> Reason:
    told = f"{anywhere:.2g}"
    days, count = f"{facts.window_days:f}", facts.count
    if anywhere >= 0.05:
        zh = f"一年里某个 {days} 天内出现 {count} 起，单凭偶然就有 {told} 的概率；应当关注，还不能说是异常"
        en = f"chance alone makes {count} in some {days} days of a year with probability {told}: worth watching, not yet unusual"
        return Reason("scan_cluster.chance", zh, en)
    zh = f"一年里某个 {days} 天内出现 {count} 起，单凭偶然只有 {told} 的概率"
    return Reason(
        "scan_cluster.unusual",
        zh,
        f"chance alone makes {count} in some {days} days of a year with probability {told} only",
    )

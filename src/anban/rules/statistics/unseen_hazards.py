"""Unseen hazards (未发现隐患估计): how many there are in all, from what two sources, or one source repeatedly, have seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Any

from anban.rules.decision import CANNOT_JUDGE, Reason, Ruling, Source
from anban.rules.errors import Refusal
from anban.rules.registry import Version, asked, rule
from anban.rules.statistics.methods import METHODS_FROM, Z95
from anban.rules.statistics.numbers import shown

CHAPMAN = Source("Chapman 1951（两来源捕获—再捕获）；区间 Chao 1987", "", "verified")
CHAO1 = Source("Chao 1984、1987（Chao1 下限估计）", "", "verified")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnseenFacts:
    """Two sources: what each found and what both found. Or one: seen in all, seen once, seen twice."""

    n1: int | None = asked("来源一发现数", "found by the first source", default=None)
    n2: int | None = asked("来源二发现数", "found by the second source", default=None)
    both: int | None = asked("两来源都发现数", "found by both", default=None)
    f1: int | None = asked("只被发现一次的数", "seen exactly once", default=None)
    f2: int | None = asked("被发现两次的数", "seen exactly twice", default=None)
    seen: int | None = asked("发现过的总数", "seen in all", default=None)

    def __post_init__(self) -> None:
        two, one = (self.n1, self.n2, self.both), (self.f1, self.f2, self.seen)
        given = [all(each is not None for each in group) for group in (two, one)]
        some = [any(each is not None for each in group) for group in (two, one)]
        if given != some or sum(given) != 1:
            raise Refusal("statistics.which_sources", field="n1")
        if self.both is not None:
            for name in ("n1", "n2"):
                if self.both > getattr(self, name):
                    raise Refusal("statistics.more_than", field="both", name="both", limit=name)
        if self.seen is not None and (self.f1 or 0) + (self.f2 or 0) > self.seen:
            raise Refusal("statistics.too_many_seen", field="seen")


@dataclass(frozen=True, slots=True)
class Range:
    """An estimate of all there is, with its 95 % interval."""

    estimate: float
    low95: float
    high95: float


@rule(
    "unseen_hazards",
    number="",
    zh="未发现隐患估计",
    en="Hazards in all, seen and unseen",
    gives={
        "estimate": ("总数估计（含未发现的）", "estimate of all, the unseen included"),
        "low95": ("95% 区间下限", "lower end of the 95 % interval"),
        "high95": ("95% 区间上限", "upper end of the 95 % interval"),
    },
    versions=(Version(METHODS_FROM, CHAPMAN), Version(METHODS_FROM, CHAO1)),
)
def unseen_hazards(facts: UnseenFacts, on: date) -> Ruling:
    """This function will estimate all hazards, found or not: by Chapman from two sources, by Chao1 from one."""
    if facts.n1 is not None and facts.n2 is not None and facts.both is not None:
        if not facts.n1 or not facts.n2:
            reason = Reason(
                "unseen_hazards.empty_source",
                "有一个来源什么都没有发现，无从比对",
                "one source found nothing: there is nothing to compare",
            )
            return Ruling({"decision": CANNOT_JUDGE}, (reason,), (CHAPMAN,))
        return Ruling(_outcome(chapman(facts.n1, facts.n2, facts.both)), (_TWO,), (CHAPMAN,))
    if not facts.seen:
        reason = Reason(
            "unseen_hazards.nothing_seen",
            "什么都没有发现过，无从推算",
            "nothing was ever seen: there is nothing to reckon from",
        )
        return Ruling({"decision": CANNOT_JUDGE}, (reason,), (CHAO1,))
    return Ruling(_outcome(chao1(facts.f1 or 0, facts.f2 or 0, facts.seen)), (_ONE,), (CHAO1,))


def chapman(n1: int, n2: int, both: int) -> Range:
    """This function will give Chapman's estimate with the log-normal interval around what is unseen."""
    estimate = (n1 + 1) * (n2 + 1) / (both + 1) - 1
    variance = (n1 + 1) * (n2 + 1) * (n1 - both) * (n2 - both) / ((both + 1) ** 2 * (both + 2))
    return _range(estimate, n1 + n2 - both, estimate - (n1 + n2 - both), variance)


def chao1(f1: int, f2: int, seen: int) -> Range:
    """This function will give the bias-corrected Chao1 estimate, a lower bound, with its log-normal interval.

    Where some were seen twice the interval stands around the classic form f1²/(2·f2), as its variance does.
    """
    unseen = f1 * (f1 - 1) / (2 * (f2 + 1))
    if f2:
        ratio = f1 / f2
        return _range(seen + unseen, seen, f1 * ratio / 2, f2 * (ratio**4 / 4 + ratio**3 + ratio**2 / 2))
    variance = f1 * (f1 - 1) / 2 + f1 * (2 * f1 - 1) ** 2 / 4 - f1**4 / (4 * (seen + unseen))
    return _range(seen + unseen, seen, unseen, variance)


def _range(estimate: float, seen: int, unseen: float, variance: float) -> Range:
    """The interval seen + unseen / C … seen + unseen · C, which never falls below what has been seen."""
    if unseen <= 0 or variance <= 0:
        return Range(estimate, estimate, estimate)
    spread = math.exp(Z95 * math.sqrt(math.log1p(variance / unseen**2)))
    return Range(estimate, seen + unseen / spread, seen + unseen * spread)


def _outcome(found: Range) -> dict[str, Any]:
    return {"estimate": shown(found.estimate), "low95": shown(found.low95), "high95": shown(found.high95)}


_TWO = Reason(
    "unseen_hazards.two_sources",
    "只有两个来源互不影响、每处隐患被发现的机会相近、比对无误时才成立；一个来源引来另一个时，实际更多",
    "holds only if the sources don't influence each other, hazards are equally easy to find and matching is right; "
    "where one source brings the other, there are more",
)
_ONE = Reason(
    "unseen_hazards.lower_bound",
    "这是下限：机会不均等时，实际更多",
    "this is a lower bound: where hazards are unequally easy to find, there are more",
)

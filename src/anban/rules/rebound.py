"""Rebound (反弹): when a danger found after closing is the old one come back, and what follows from it."""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import unique

from anban.rules import law
from anban.rules.decision import Decision, Reason
from anban.rules.hazard_terms import Term


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a danger is and what it is: surviving place, building, hazard code, part (部位; empty means unsaid).

    `place` is None for a danger recorded on the building itself (楼道, 屋面).
    """

    place: Hashable | None
    building: Hashable | None
    code: str
    part: str = ""


def normal_part(part: str) -> str:
    """This function will give a part as it is compared: one width, one case, no spaces (３层 东侧 = 3层东侧)."""
    return "".join(unicodedata.normalize("NFKC", part).casefold().split())


def matches(first: Spot, second: Spot) -> bool:
    """This function will say whether two findings are the same danger: same code, same place or building, same part.

    An empty part matches any within one place, and where one of the two is recorded on the building itself. Two
    different places of one building match only where both name the same part, so that neighbors do not inherit
    each other's history.
    """
    if first.code != second.code:
        return False
    a, b = normal_part(first.part), normal_part(second.part)
    parts_agree = not a or not b or a == b
    if first.place is not None and first.place == second.place:
        return parts_agree
    if first.building is None or first.building != second.building:
        return False
    if first.place is None or second.place is None:
        return parts_agree
    return bool(a) and a == b


@unique
class Consequence(Term):
    """What follows from a rebound."""

    REVIEW_CHECKED = "review_checked", "复查质量核查", "The earlier re-inspection is looked at again"
    WATCH_DOUBLED = "watch_doubled", "观察期加倍", "The watch is doubled"
    GRADE_NOT_LOWER = "grade_not_lower", "等级不降低", "The grade is not lower than before"
    SUPERVISION_UP = "supervision_up", "督办单位提高一级", "Supervised one level higher"
    HIGH_FREQUENCY = "high_frequency", "提请列入高频监管", "The place is proposed for frequent checks"
    NO_SECOND_WAIVER = "no_second_waiver", "不再适用首违不罚", "No second waiver as a first offence"
    LASTING_MEASURE = "lasting_measure", "须查明成因并采取治本措施", "A cause and a lasting measure are needed"


@dataclass(frozen=True, slots=True)
class Windows:
    """The two windows in days, both inclusive: early (复查质量核查) and rebound (反弹认定)."""

    early_days: int
    rebound_days: int
    early: law.LawValue
    rebound: law.LawValue


def windows(*, on: date, overrides: Mapping[str, int] | None = None) -> Windows:
    """This function will give the windows as they stood on a day.

    Raises: LawGap.
    """
    early = law.value("hazards.rebound_early_days", on=on, overrides=overrides)
    whole = law.value("hazards.rebound_days", on=on, overrides=overrides)
    return Windows(early.value, whole.value, early, whole)


@dataclass(frozen=True, slots=True)
class ReboundDecision(Decision):
    """A decision with what follows; outcome `rebound`, `self_corrected`, `outside_window` or `before_close`."""

    consequences: tuple[Consequence, ...] = ()

    @property
    def is_rebound(self) -> bool:
        """This property will be true where a new cycle is linked to the old one."""
        return self.outcome in (REBOUND, SELF_CORRECTED)


REBOUND = "rebound"
SELF_CORRECTED = "self_corrected"
OUTSIDE_WINDOW = "outside_window"
BEFORE_CLOSE = "before_close"


def classify(
    closed_on: date,
    found_on: date,
    window: Windows,
    *,
    watch_until: date | None = None,
    people_bring_back: bool = False,
    self_found_and_fixed: bool = False,
) -> ReboundDecision:
    """This function will decide whether a matching finding is a rebound of the cycle closed on `closed_on`.

    Days count from the closing, during the watch as well (`watch_until` exclusive); windows are inclusive.
    `people_bring_back` marks the kinds that return because people bring them back (通道堵塞、飞线、电动自行车进楼、住人).
    `self_found_and_fixed`: found by the firm itself and put right at once: linked, but no black mark.
    """
    sources = (window.early.source, window.rebound.source)
    days = (found_on - closed_on).days
    if days < 0:
        reason = Reason("rebound.before_close", "发现日期早于销号日期", "Found before the closing day")
        return ReboundDecision(BEFORE_CLOSE, (reason,), sources)
    watched = watch_until is not None and found_on < watch_until
    if days > window.rebound_days and not watched:
        reason = Reason(
            "rebound.outside_window",
            f"销号后第 {days} 日发现，超过 {window.rebound_days} 日",
            f"Found {days} days after closing, more than {window.rebound_days}",
        )
        return ReboundDecision(OUTSIDE_WINDOW, (reason,), sources)
    reason = Reason(
        "rebound.in_window",
        f"销号后第 {days} 日再次发现" + ("（观察期内）" if watched else ""),
        f"Found again {days} days after closing" + (" (on watch)" if watched else ""),
    )
    if self_found_and_fixed:
        own = Reason("rebound.self_corrected", "企业自行发现并立即改正", "Found by the firm and put right at once")
        return ReboundDecision(SELF_CORRECTED, (reason, own), sources)
    early = (Consequence.REVIEW_CHECKED,) if days <= window.early_days else ()
    lasting = (Consequence.LASTING_MEASURE,) if people_bring_back else ()
    always = (
        Consequence.WATCH_DOUBLED,
        Consequence.GRADE_NOT_LOWER,
        Consequence.SUPERVISION_UP,
        Consequence.HIGH_FREQUENCY,
        Consequence.NO_SECOND_WAIVER,
    )
    return ReboundDecision(REBOUND, (reason,), sources, (*early, *always, *lasting))

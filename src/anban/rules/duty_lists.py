"""Duty lists (岗责清单): on what ground a post owes, how often, what evidence counts, and who is head of whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from anban.rules.hazard_terms import Term


class Ground(Term):
    """Why a post owes a duty (职责依据)."""

    INDUSTRY = "industry", "管行业必须管安全", "Whoever runs the industry answers for safety"
    BUSINESS = "business", "管业务必须管安全", "Whoever runs the business answers for safety"
    OPERATION = "operation", "管生产经营必须管安全", "Whoever runs the operation answers for safety"
    PARTY_AND_GOVERNMENT = "party_and_government", "党政同责", "Party and government answer together"
    TWO_DUTIES = "two_duties", "一岗双责", "One post, two duties"
    TERRITORY = "territory", "属地管理", "The territory answers"


class Period(Term):
    """How often a duty falls due (周期)."""

    WEEK = "week", "每周", "Weekly"
    MONTH = "month", "每月", "Monthly"
    QUARTER = "quarter", "每季度", "Quarterly"
    HALF_YEAR = "half_year", "每半年", "Half-yearly"
    YEAR = "year", "每年", "Yearly"


class Evidence(Term):
    """What counts as having done a duty (履职证据): what the ledger itself shows, or a file; never a click."""

    VISIT = "visit", "检查记录", "Visits on record"
    CLOSING = "closing", "复查销号", "Hazards re-inspected and closed"
    PAPER = "paper", "执法文书", "Papers issued"
    INSTRUMENT = "instrument", "督办文书", "Instruments issued"
    OVERSIGHT = "oversight", "督察", "Oversight visits led"
    FILE = "file", "证明材料", "A file of proof"


class Vacancy(Term):
    """How a post stands on a day (到岗情况)."""

    HELD = "held", "在岗", "Held"
    DEPUTIZED = "deputized", "代理", "A deputy acts"
    ABSENT = "absent", "不在岗无代理", "Absent, no deputy"
    ENDING = "ending", "即将离任", "Ending soon"
    VACANT = "vacant", "空缺", "Vacant"


MONTHS: Mapping[Period, int] = MappingProxyType(
    {Period.MONTH: 1, Period.QUARTER: 3, Period.HALF_YEAR: 6, Period.YEAR: 12}
)


@dataclass(frozen=True, slots=True)
class Span:
    """One period of a duty: from its first day until the day after its last (exclusive)."""

    from_on: date
    until_on: date


def span_of(period: Period, on: date) -> Span:
    """This function will give the period in which a day lies: weeks begin on Monday, quarters in January."""
    if period is Period.WEEK:
        first = on - timedelta(days=on.weekday())
        return Span(first, first + timedelta(days=7))
    months = MONTHS[period]
    month = (on.month - 1) // months * months + 1
    first = date(on.year, month, 1)
    last = month + months
    return Span(first, date(on.year + (last > 12), (last - 1) % 12 + 1, 1))


def spans(period: Period, since: date, on: date, until: date | None = None) -> Iterator[Span]:
    """This function will give every period that began on or after `since` and has begun by `on`, before `until`.

    A duty that starts in the middle of a period owes nothing for that period: its first is the next one.
    """
    span = span_of(period, since)
    if span.from_on < since:
        span = span_of(period, span.until_on)
    while span.from_on <= on and (until is None or span.from_on < until):
        yield span
        span = span_of(period, span.until_on)


HEADS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "grid_worker": ("community_contact", "street_safety_office", "street_deputy", "street_director"),
        "community_contact": ("street_safety_office", "street_deputy", "street_director"),
        "safety_inspector": ("street_safety_office", "street_deputy", "street_director"),
        "certified_officer": ("street_safety_office", "street_deputy", "street_director", "district_regulator_head"),
        "street_safety_office": ("street_deputy", "street_director", "district_committee_officer"),
        "street_deputy": ("street_director", "district_committee_officer"),
        "street_director": ("district_committee_officer", "leader_viewer"),
        "district_regulator": ("district_regulator_head", "district_committee_officer"),
        "district_regulator_head": ("district_committee_officer", "leader_viewer"),
        "district_committee_officer": ("city_committee_officer",),
        "hotline_staff": ("city_committee_officer",),
        "duty_officer": ("city_committee_officer",),
    }
)
"""Which posts are head of a post, the nearest first: the direct head is the first of them that is held."""


def standing(*, held_until: date | None, held: bool, away: bool, deputy: bool, on: date, ahead_days: int) -> Vacancy:
    """This function will say how a post stands on a day, before it bites: a holder who leaves soon is already shown.

    `held_until` is the holder's last day plus one, None while open; `away` whether the holder is absent on the day.
    """
    if not held or away:
        if deputy:
            return Vacancy.DEPUTIZED
        return Vacancy.ABSENT if held else Vacancy.VACANT
    if held_until is not None and held_until <= on + timedelta(days=ahead_days):
        return Vacancy.ENDING
    return Vacancy.HELD

"""The 12345 hotline (接诉即办): by when a call is answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from anban.rules.decision import Reason, Ruling
from anban.rules.errors import Refusal, register
from anban.rules.hazard_terms import Term
from anban.rules.law import Book
from anban.rules.reading import SHANGHAI, day_of
from anban.rules.registry import asked, rule


class CallKind(Term):
    """Kinds of calls by their limit (诉求类别)."""

    EMERGENCY = "emergency", "紧急、危及生命财产", "Emergency"
    UTILITY = "utility", "水、电、气、热", "Water, power, gas, heat"
    ORDINARY = "ordinary", "一般诉求", "Ordinary"
    COMPLEX = "complex", "疑难诉求", "Complex"


_KEYS = {
    CallKind.EMERGENCY: "hotline.emergency_hours",
    CallKind.UTILITY: "hotline.utility_hours",
    CallKind.ORDINARY: "hotline.ordinary_days",
    CallKind.COMPLEX: "hotline.complex_days",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """A call and when it was received."""

    kind: CallKind = asked("诉求类别", "kind of call")
    received_at: datetime | date = asked(
        "受理时刻（按日计的可只写日期）", "when it was received; a day will do where days are counted"
    )

    def __post_init__(self) -> None:
        if not isinstance(self.received_at, datetime) and _KEYS[self.kind].endswith("_hours"):
            raise Refusal("hotline.time_needed", field="received_at")


@rule(
    "hotline_due",
    number="R26",
    zh="12345 诉求反馈期限",
    en="When a hotline call is to be answered",
    rests_on=tuple(_KEYS.values()),
    gives={"due_at": ("反馈时限", "answer due")},
    day=lambda facts: day_of(facts.received_at),
)
def hotline_due(facts: CallFacts, on: date) -> Ruling:
    """This function will give the limit, counted in hours or days from the moment of receipt.

    Days end at the same time of day, the earlier of the two readings, since the final text was not seen.
    Source: DB11/T 2021-2022, unconfirmed.
    """
    book = Book(on)
    key = _KEYS[facts.kind]
    limit = book[key]
    hours = key.endswith("_hours")
    received = facts.received_at
    start = received if isinstance(received, datetime) else datetime.combine(received, time(), SHANGHAI)
    due = start + (timedelta(hours=limit) if hours else timedelta(days=limit))
    reason = Reason(
        "hotline_due.counted",
        f"{facts.kind.zh}：自受理起 {limit} {'小时' if hours else '日'}内反馈",
        f"{facts.kind.en}: answered within {limit} {'hours' if hours else 'days'} of receipt",
    )
    return Ruling({"due_at": due}, (reason,), book.sources)


register("hotline.time_needed", zh="按小时计的诉求须填受理时刻", en="A limit in hours needs the time of receipt")

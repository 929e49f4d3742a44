"""Deadlines (时限) of a hazard: pure functions of an event, the law of its day and the working-day calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from anban.kit.workdays import Calendar
from anban.rules import law
from anban.rules.decision import ALLOWED, REFUSED, Decision, Reason
from anban.rules.errors import Refusal, register
from anban.rules.hazard_terms import Clock, Grade

END_OF_DAY = time(23, 59, 59)
Overrides = Mapping[str, int]

_KEYS: dict[Clock, str] = {
    Clock.VERIFY: "verify_workdays",
    Clock.ADVISE: "advise_days",
    Clock.HAND_OVER: "hand_over_days",
    Clock.RECEIPT: "receipt_workdays",
    Clock.SEND_BACK: "send_back_workdays",
    Clock.DESIGNATE: "designate_workdays",
    Clock.WHISTLE: "whistle_workdays",
    Clock.REVIEW: "review_days",
    Clock.EXTENSION_ANSWER: "extension_answer_days",
    Clock.FILE_CASE: "file_case_workdays",
    Clock.SUSPECT: "suspect_days",
    Clock.JUDGE: "judge_workdays",
    Clock.REGISTER_MAJOR: "register_major_workdays",
    Clock.PLAN_SUBMISSION: "plan_submission_workdays",
    Clock.PLAN_APPROVAL: "plan_approval_workdays",
    Clock.PROGRESS: "progress_days",
    Clock.ACCEPTANCE: "acceptance_days",
    Clock.DELISTING: "delisting_workdays",
}
_KEYS_FOR_FIRE = {Clock.ORDER_PAPER: "fire_order_workdays", Clock.REVIEW: "fire_review_workdays"}
_KEYS_AT_RISK_OF_LIFE = {Clock.VERIFY: "verify_life_hours", Clock.WHISTLE: "whistle_urgent_hours"}


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline: an aware local instant, whether the calendar of its year was missing, and the value it rests on."""

    at: datetime
    provisional: bool
    law: law.LawValue


def clock_key(kind: Clock, *, fire: bool, life_at_risk: bool) -> str | None:
    """This function will name the legal value that rules a clock; None where no law or custom sets one.

    Only fire authorities have a clock for the written order (消防); for others the paper is part of the visit.
    """
    special = (_KEYS_AT_RISK_OF_LIFE.get(kind) if life_at_risk else None) or (
        _KEYS_FOR_FIRE.get(kind) if fire else None
    )
    name = special or _KEYS.get(kind)
    return f"hazards.{name}" if name else None


def due(
    kind: Clock,
    at: datetime,
    *,
    calendar: Calendar,
    zone: tzinfo,
    on: date,
    fire: bool = False,
    life_at_risk: bool = False,
    overrides: Overrides | None = None,
) -> Due:
    """This function will give the deadline of a clock that started at the aware instant `at`, by the law of the day `on`.

    Hours run from the instant; days are calendar days and working days follow the calendar, both to the end of the
    local day, not counting the first. Where the calendar has a gap the deadline is provisional.
    Source: 安全生产违法行为行政处罚办法 第十六条; 消防监督检查规定; 令16 第二十三条; the rest are settings.
    Raises: LawGap; Refusal `clocks.naive_instant`, `clocks.no_such_clock`.
    """
    key = clock_key(kind, fire=fire, life_at_risk=life_at_risk)
    if key is None:
        raise Refusal("clocks.no_such_clock", clock_zh=kind.zh, clock_en=kind.en)
    return due_by(key, at, calendar=calendar, zone=zone, on=on, overrides=overrides)


def due_by(
    key: str, at: datetime, *, calendar: Calendar, zone: tzinfo, on: date, overrides: Overrides | None = None
) -> Due:
    """This function will give the deadline that a legal value sets from an instant, by the law of the day `on`.

    Raises: LawGap; Refusal `clocks.naive_instant`, `law.unknown_key`.
    """
    limit = law.value(key, on=on, overrides=overrides)
    local = _local(at, zone)
    if limit.unit == "hours":
        return Due((at + timedelta(hours=limit.value)).astimezone(zone), False, limit)
    if limit.unit == "workdays":
        day, provisional = calendar.provisional_add_workdays(local.date(), limit.value)
        return Due(end_of_day(day, zone), provisional, limit)
    return Due(end_of_day(local.date() + timedelta(days=limit.value), zone), False, limit)


def review_due(
    applied_at: datetime | None,
    expires_at: datetime,
    *,
    calendar: Calendar,
    zone: tzinfo,
    on: date,
    fire: bool = False,
    overrides: Overrides | None = None,
) -> Due:
    """This function will give the deadline of a re-inspection: from the application or the expiry, whichever was earlier.

    Source: 安全生产违法行为行政处罚办法 第十六条.
    Raises: LawGap; Refusal `clocks.naive_instant`.
    """
    start = expires_at if applied_at is None else min(applied_at, expires_at)
    return due(Clock.REVIEW, start, calendar=calendar, zone=zone, on=on, fire=fire, overrides=overrides)


def end_of_day(day: date, zone: tzinfo) -> datetime:
    """This function will give the last second of a local day as an aware instant."""
    return datetime.combine(day, END_OF_DAY, tzinfo=zone)


def is_overdue(due_at: datetime, now: datetime) -> bool:
    """This function will say whether a deadline has passed: `due < now`, never on the due day itself.

    Raises: Refusal `clocks.naive_instant`.
    """
    _require_aware(due_at)
    _require_aware(now)
    return due_at < now


def default_terms(*, on: date, overrides: Overrides | None = None) -> tuple[int, ...]:
    """This function will give the rectification terms offered to an inspector, in calendar days (整改期限).

    Raises: LawGap.
    """
    names = ("urgent", "short", "medium", "long")
    return tuple(law.value(f"hazards.term_{name}_days", on=on, overrides=overrides).value for name in names)


def rectification_due(
    ordered_at: datetime, term_days: int, *, zone: tzinfo, demolition_on: date | None = None
) -> datetime:
    """This function will give the end of a rectification term: calendar days after the local day of the order.

    A planned demolition (待拆迁) never lengthens it, but ends it when it comes first.
    Raises: Refusal `clocks.term_not_positive`, `clocks.naive_instant`.
    """
    if term_days < 1:
        raise Refusal("clocks.term_not_positive", field="term_days")
    last = _local(ordered_at, zone).date() + timedelta(days=term_days)
    return end_of_day(bounded_by_demolition(last, demolition_on), zone)


def bounded_by_demolition(due_on: date, demolition_on: date | None) -> date:
    """This function will give the earlier of a due day and a planned demolition: waiting to be pulled down buys no day."""
    return due_on if demolition_on is None else min(due_on, demolition_on)


def extension_allowed(
    *,
    requested_on: date,
    due_on: date,
    new_due_on: date,
    extensions_so_far: int,
    interim_control: bool,
    demolition_on: date | None = None,
    grade: Grade = Grade.GENERAL,
    listed: bool = False,
    listing_consent: bool = False,
    on: date,
    overrides: Overrides | None = None,
) -> Decision:
    """This function will decide whether the ordering body may extend a rectification term (同意延期).

    Asked for in time, not oftener than the setting says, with an interim control in force, never beyond a planned
    demolition, and for a listed hazard with the listing body's consent.
    Source: 安全生产违法行为行政处罚办法 第十六条 (application, 10 days); the number of extensions is a setting.
    Raises: LawGap.
    """
    ahead = law.value("hazards.extension_application_days", on=on, overrides=overrides)
    times = law.value("hazards.extension_times", on=on, overrides=overrides)
    checks = (
        (
            (due_on - requested_on).days < ahead.value,
            "clocks.extension_too_late",
            f"延期应在期满 {ahead.value} 日前书面申请",
            f"An extension is asked for in writing at least {ahead.value} days before expiry",
        ),
        (
            new_due_on <= due_on,
            "clocks.extension_not_later",
            "新的期限不晚于原期限",
            "The new date is not later than the old one",
        ),
        (
            extensions_so_far >= times.value,
            "clocks.extension_used_up",
            f"延期不超过 {times.value} 次",
            f"No more than {times.value} extensions",
        ),
        (
            not interim_control,
            "clocks.extension_without_control",
            "延期期间须有临时管控措施",
            "An extension needs an interim control",
        ),
        (
            demolition_on is not None and new_due_on > demolition_on,
            "clocks.extension_beyond_demolition",
            "待拆迁不得延长整改期限",
            "Awaiting demolition never lengthens a term",
        ),
        (
            grade is Grade.MAJOR and listed and not listing_consent,
            "clocks.extension_without_listing_body",
            "挂牌督办的隐患延期须经挂牌单位同意",
            "The listing body has to agree to the extension",
        ),
    )
    reasons = tuple(Reason(code, zh, en) for failed, code, zh, en in checks if failed)
    return Decision(REFUSED if reasons else ALLOWED, reasons, (ahead.source, times.source))


def watch_until(
    closed_on: date, rebound_count: int, *, on: date, overrides: Overrides | None = None
) -> tuple[date, law.LawValue]:
    """This function will give the first day after the watch (观察期至, exclusive), doubled for each rebound up to the limit.

    Raises: LawGap; Refusal `clocks.rebounds_negative`.
    """
    if rebound_count < 0:
        raise Refusal("clocks.rebounds_negative", field="rebound_count")
    watch = law.value("hazards.watch_days", on=on, overrides=overrides)
    factor = law.value("hazards.watch_rebound_factor_times", on=on, overrides=overrides)
    limit = law.value("hazards.watch_limit_days", on=on, overrides=overrides)
    days = watch.value
    for _ in range(rebound_count):
        if days >= limit.value or factor.value == 1:
            break
        days *= factor.value
    return closed_on + timedelta(days=max(watch.value, min(days, limit.value))), watch


def on_watch(today: date, until: date | None) -> bool:
    """This function will say whether the watch still runs: it expires by itself, nobody clicks."""
    return until is not None and today < until


def _require_aware(at: datetime) -> None:
    if at.utcoffset() is None:
        raise Refusal("clocks.naive_instant")


def _local(at: datetime, zone: tzinfo) -> datetime:
    _require_aware(at)
    return at.astimezone(zone)


register("clocks.no_such_clock", zh="“{clock_zh}”没有规定时限", en="No deadline is set for: {clock_en}")
register("clocks.naive_instant", zh="时刻缺少时区", en="An instant lacks its time zone")
register("clocks.term_not_positive", zh="整改期限至少一日", en="A rectification term is at least one day")
register("clocks.rebounds_negative", zh="反弹次数不能为负", en="The number of rebounds cannot be negative")

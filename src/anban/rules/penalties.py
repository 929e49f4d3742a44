"""Administrative penalties (行政处罚): fines by grade, daily penalty, surcharge, closure, publicity, the clocks of a case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from anban.kit.months import add_months, add_years
from anban.rules.accident_terms import AccidentGrade
from anban.rules.decision import Reason, Ruling
from anban.rules.errors import Refusal, register
from anban.rules.figures import grouped
from anban.rules.hazard_terms import Term
from anban.rules.law import Book
from anban.rules.loaded import Loaded
from anban.rules.registry import asked, rule

_GRADES = tuple(AccidentGrade)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFineFacts:
    """An accident for which the unit answers."""

    grade: AccidentGrade = asked("事故等级", "grade")
    aggravated: bool = asked("情节特别严重、影响特别恶劣", "especially serious or of especially bad effect")


@rule(
    "unit_accident_fine",
    number="R7",
    zh="事故单位罚款幅度",
    en="Fine of the unit for an accident",
    rests_on=(
        *(f"penalties.unit_{grade}_{end}_yuan" for grade in _GRADES for end in ("min", "max")),
        "penalties.unit_aggravated_min_times",
        "penalties.unit_aggravated_max_times",
        "penalties.unit_aggravated_reading_clause",
    ),
    gives={"min_yuan": ("罚款下限", "from"), "max_yuan": ("罚款上限", "to")},
)
def unit_accident_fine(facts: UnitFineFacts, on: date) -> Ruling:
    """This function will give the range of the unit's fine; aggravated, twice its lower to five times its upper end.

    Source: 安全生产法 第一百一十四条.
    """
    book = Book(on)
    least, most = book[f"penalties.unit_{facts.grade}_min_yuan"], book[f"penalties.unit_{facts.grade}_max_yuan"]
    zh, en = f"{facts.grade.zh}：{least:,} 元以上 {most:,} 元以下", f"{facts.grade.en}: {least:,} to {most:,} yuan"
    reasons = [Reason("unit_accident_fine.by_grade", zh, en)]
    if facts.aggravated:
        low, high = book["penalties.unit_aggravated_min_times"], book["penalties.unit_aggravated_max_times"]
        book.cite("penalties.unit_aggravated_reading_clause")
        least, most = least * low, most * high
        reasons.append(
            Reason(
                "unit_accident_fine.aggravated",
                f"情节特别严重、影响特别恶劣：{low} 倍以上 {high} 倍以下，为 {least:,} 至 {most:,} 元",
                f"Aggravated: {low} to {high} times, {least:,} to {most:,} yuan",
            )
        )
    return Ruling({"min_yuan": least, "max_yuan": most}, tuple(reasons), book.sources)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalFineFacts:
    """An accident for which the main person answers."""

    grade: AccidentGrade = asked("事故等级", "grade")
    last_year_income_yuan: Decimal = asked("主要负责人上一年年收入", "income of the main person last year")
    report_offence: bool = asked(
        "有瞒报、谎报、迟报等行为", "whether a report was concealed, falsified or late", default=False
    )


@rule(
    "principal_fine",
    number="R8",
    zh="主要负责人罚款",
    en="Fine of the main person",
    rests_on=(
        *(f"penalties.principal_{grade}_percent" for grade in _GRADES),
        "penalties.principal_report_min_percent",
        "penalties.principal_report_max_percent",
    ),
    gives={"min_yuan": ("罚款下限", "from"), "max_yuan": ("罚款上限", "to")},
)
def principal_fine(facts: PrincipalFineFacts, on: date) -> Ruling:
    """This function will give the main person's fine as shares of last year's income: one share, or a range for report offences.

    Source: 安全生产法 第九十五条、第一百一十条.
    """
    book = Book(on)
    if facts.report_offence:
        low = book["penalties.principal_report_min_percent"]
        high = book["penalties.principal_report_max_percent"]
        zh, en = "瞒报、谎报、迟报等", "Report offence"
    else:
        low = high = book[f"penalties.principal_{facts.grade}_percent"]
        zh, en = f"{facts.grade.zh}、未履行职责", f"{facts.grade.en} accident, duties not performed"
    share = f"{low}%" if low == high else f"{low}%–{high}%"
    reason = Reason(
        "principal_fine.share_of_income", f"{zh}：上一年年收入的 {share}", f"{en}: {share} of last year's income"
    )
    least, most = (facts.last_year_income_yuan * percent / 100 for percent in (low, high))
    return Ruling({"min_yuan": least, "max_yuan": most}, (reason,), book.sources)


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyPenaltyFacts:
    """A fine, the order beside it, and the refusal found later."""

    fine_yuan: Decimal = asked("原罚款数额", "the fine")
    ordered_on: date = asked("责令改正日", "day of the order to correct")
    refusal_found_on: date = asked("复查发现拒不改正日", "day the refusal was found")
    fined: bool = asked("是否已处罚款", "whether a fine was imposed")
    corrected: bool = asked("是否已改正", "whether it was corrected")

    def __post_init__(self) -> None:
        if self.refusal_found_on < self.ordered_on:
            raise Refusal("penalties.before_order", field="refusal_found_on")


@rule(
    "daily_penalty",
    number="R9",
    zh="按日连续处罚",
    en="Daily continuous penalty",
    rests_on=("penalties.daily_penalty_clause", "penalties.daily_penalty_end_clause"),
    gives={"days": ("计罚日数", "days"), "amount_yuan": ("按日连续处罚金额", "amount")},
    day=lambda facts: facts.ordered_on,
)
def daily_penalty(facts: DailyPenaltyFacts, on: date) -> Ruling:
    """This function will count the days from the day after the order to the day the refusal is found, each at the fine's amount.

    It takes an order, a fine and a refusal together; without one of them nothing is added.
    Source: 安全生产法 第一百一十二条.
    """
    book = Book(on)
    book.cite("penalties.daily_penalty_clause")
    if not facts.fined:
        reason = Reason(
            "daily_penalty.not_fined", "未处罚款，不适用按日连续处罚", "No fine was imposed: nothing is added"
        )
        return Ruling({"days": 0, "amount_yuan": 0}, (reason,), book.sources)
    if facts.corrected:
        reason = Reason("daily_penalty.corrected", "已改正，不适用按日连续处罚", "It was corrected: nothing is added")
        return Ruling({"days": 0, "amount_yuan": 0}, (reason,), book.sources)
    book.cite("penalties.daily_penalty_end_clause")
    days = (facts.refusal_found_on - facts.ordered_on).days
    amount = facts.fine_yuan * days
    reason = Reason(
        "daily_penalty.counted",
        f"自责令改正次日至发现拒不改正之日共 {days} 日，每日 {grouped(facts.fine_yuan)} 元",
        f"{days} days from the day after the order to the day of the refusal, {grouped(facts.fine_yuan)} yuan each",
    )
    return Ruling({"days": days, "amount_yuan": amount}, (reason,), book.sources)


@dataclass(frozen=True, slots=True, kw_only=True)
class LatePaymentFacts:
    """A fine that is paid late."""

    fine_yuan: Decimal = asked("罚款数额", "the fine")
    days_late: int = asked(
        "逾期日数（复议、诉讼期间不计）", "days late, review and suit not counted", unit="days", most=36_500
    )


@rule(
    "late_payment",
    number="R10",
    zh="逾期缴纳加处罚款",
    en="Surcharge on a fine paid late",
    rests_on=("penalties.late_payment_percent",),
    gives={"surcharge_yuan": ("加处罚款", "surcharge")},
)
def late_payment(facts: LatePaymentFacts, on: date) -> Ruling:
    """This function will give the surcharge: a share of the fine per day, never more than the fine.

    Source: 行政处罚法 第七十二条、第七十三条.
    """
    book = Book(on)
    percent = book["penalties.late_payment_percent"]
    counted = facts.fine_yuan * percent * facts.days_late / 100
    capped = counted > facts.fine_yuan
    reason = Reason(
        "late_payment.capped" if capped else "late_payment.counted",
        f"每日 {percent}%，{facts.days_late} 日{'，以罚款数额为限' if capped else ''}",
        f"{percent}% a day for {facts.days_late} days{', capped at the fine' if capped else ''}",
    )
    return Ruling({"surcharge_yuan": min(counted, facts.fine_yuan)}, (reason,), book.sources)


def payment_due_on(received_on: date, *, on: date) -> date:
    """This function will give the last day to pay a fine after its decision was received.

    Source: 行政处罚法 第六十七条. Raises: LawGap.
    """
    return received_on + timedelta(days=Book(on)["penalties.payment_days"])


class ClosureGround(Term):
    """Why closure is proposed (提请关闭事由)."""

    THREE_IN_180_DAYS = "three_in_180_days", "180日内三次处罚", "Three penalties in 180 days"
    FOUR_IN_A_YEAR = "four_in_a_year", "一年内四次处罚", "Four penalties in a year"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosureFacts:
    """A unit's major hazard and the days of its penalties."""

    major_hazard: bool = asked("是否存在重大事故隐患", "whether there is a major hazard")
    penalty_dates: tuple[date, ...] = asked("历次处罚日期", "days of the penalties")


@rule(
    "closure_proposal",
    number="R11",
    zh="提请关闭",
    en="Whether closure is to be proposed",
    rests_on=(
        "penalties.closure_window_days",
        "penalties.closure_window_times",
        "penalties.closure_long_window_months",
        "penalties.closure_long_window_times",
    ),
    gives={"propose": ("是否提请关闭", "propose closure"), "ground": ("事由", "ground")},
    day=lambda facts: max(facts.penalty_dates, default=None),
)
def closure_proposal(facts: ClosureFacts, on: date) -> Ruling:
    """This function will propose closure where a major hazard stands beside enough penalties in any one window.

    A window counts its last day. Two penalties of one day are two. A person decides, never the machine.
    Source: 安全生产法 第一百一十三条第一项.
    """
    book = Book(on)
    days, times = book["penalties.closure_window_days"], book["penalties.closure_window_times"]
    months, long_times = book["penalties.closure_long_window_months"], book["penalties.closure_long_window_times"]
    if not facts.major_hazard:
        reason = Reason("closure_proposal.no_major_hazard", "不存在重大事故隐患", "There is no major hazard")
        return Ruling({"propose": False, "ground": None}, (reason,), book.sources)
    for ground, count, last_of in (
        (ClosureGround.THREE_IN_180_DAYS, times, lambda first: first + timedelta(days=days)),
        (ClosureGround.FOUR_IN_A_YEAR, long_times, lambda first: add_months(first, months)),
    ):
        found = first_window(facts.penalty_dates, count, last_of)
        if found is not None:
            reason = Reason(
                f"closure_proposal.{ground}",
                f"{found[0]} 至 {found[1]} 受到 {count} 次处罚（{ground.zh}），由人提请政府决定",
                f"{count} penalties from {found[0]} to {found[1]} ({ground.en.lower()}); a person proposes, a government decides",
            )
            return Ruling({"propose": True, "ground": ground}, (reason,), book.sources)
    reason = Reason(
        "closure_proposal.too_few",
        f"任一 {days} 日内不足 {times} 次，任一年内不足 {long_times} 次",
        f"Fewer than {times} in any {days} days and than {long_times} in any year",
    )
    return Ruling({"propose": False, "ground": None}, (reason,), book.sources)


def first_window(days: tuple[date, ...], count: int, last_of: Callable[[date], date]) -> tuple[date, date] | None:
    """This function will find the earliest run of `count` days, in any order, of which the last is within the first one's window.

    `last_of` gives the last day (inclusive) of the window that opens on a day.
    """
    ordered = sorted(days)
    for first, last in zip(ordered, ordered[count - 1 :], strict=False):
        if last <= last_of(first):
            return first, last
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicityFacts:
    """A decided penalty."""

    decided_on: date = asked("处罚决定日", "day of the decision")


@rule(
    "penalty_publicity",
    number="R12",
    zh="处罚公示期限",
    en="A penalty is made public by",
    rests_on=("penalties.publicity_workdays",),
    gives={"last_on": ("公示最后一日", "last day")},
    day=lambda facts: facts.decided_on,
)
def penalty_publicity(facts: PublicityFacts, on: date, loaded: Loaded) -> Ruling:
    """This function will give the last working day on which a penalty is made public.

    Source: 安全生产法 第七十八条第二款. Raises: Refusal `rules.calendar_gap`.
    """
    book = Book(on)
    workdays = book["penalties.publicity_workdays"]
    last = loaded.workdays_after(facts.decided_on, workdays, field="decided_on")
    reason = Reason(
        "penalty_publicity.counted",
        f"自决定次日起 {workdays} 个工作日（扣除法定节假日，计入调休上班日）",
        f"{workdays} working days from the day after, holidays left out, shifted working days counted",
    )
    return Ruling({"last_on": last}, (reason,), book.sources)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """The days from which the clocks of a penalty case run."""

    filed_on: date = asked("立案日", "day the case was filed")
    told_on: date | None = asked("告知听证权利日", "day the party was told of the hearing", default=None)
    act_ended_on: date | None = asked("违法行为终了日", "day the act ended", default=None)
    harmful_to_health: bool = asked(
        "涉及公民生命健康安全且有危害后果", "touches life or health and did harm", default=False
    )

    def __post_init__(self) -> None:
        if self.told_on is not None and self.told_on < self.filed_on:
            raise Refusal("penalties.before_filing", field="told_on")


@rule(
    "penalty_case_clock",
    number="R27",
    zh="处罚案件期限",
    en="Clocks of a penalty case",
    rests_on=(
        "penalties.case_days",
        "penalties.hearing_request_workdays",
        "penalties.limitation_years",
        "penalties.limitation_harm_years",
    ),
    gives={
        "decide_due_on": ("作出决定的最后一日", "decision due"),
        "hearing_request_due_on": ("申请听证的最后一日", "hearing to be asked for by"),
        "limitation_on": ("追责时效届满日", "limitation ends on"),
    },
    day=lambda facts: facts.filed_on,
)
def penalty_case_clock(facts: CaseFacts, on: date, loaded: Loaded) -> Ruling:
    """This function will give the last days for decision and hearing request, and when the limitation ends.

    Source: 行政处罚法 第三十六条、第六十条、第六十四条、第八十五条. Raises: Refusal `rules.calendar_gap`.
    """
    book = Book(on)
    days = book["penalties.case_days"]
    decide = facts.filed_on + timedelta(days=days)
    reasons = [Reason("penalty_case_clock.decide", f"自立案之日起 {days} 日", f"{days} days from filing")]
    hearing = limitation = None
    if facts.told_on is not None:
        workdays = book["penalties.hearing_request_workdays"]
        hearing = loaded.workdays_after(facts.told_on, workdays, field="told_on")
        reasons.append(
            Reason(
                "penalty_case_clock.hearing",
                f"自告知起 {workdays} 个工作日内申请听证",
                f"A hearing is asked for within {workdays} working days",
            )
        )
    if facts.act_ended_on is not None:
        years = book["penalties.limitation_harm_years" if facts.harmful_to_health else "penalties.limitation_years"]
        limitation = add_years(facts.act_ended_on, years)
        expired = facts.filed_on > limitation
        reasons.append(
            Reason(
                "penalty_case_clock.limitation_over" if expired else "penalty_case_clock.limitation",
                f"自行为终了起 {years} 年，{limitation} 后不再给予处罚{'；立案时已超过' if expired else ''}",
                f"{years} years from the end of the act: none after {limitation}{'; it was over at filing' if expired else ''}",
            )
        )
    outcome = {"decide_due_on": decide, "hearing_request_due_on": hearing, "limitation_on": limitation}
    return Ruling(outcome, tuple(reasons), book.sources)


register("penalties.before_order", zh="发现拒不改正的日期早于责令改正日", en="The refusal was found before the order")
register("penalties.before_filing", zh="告知日早于立案日", en="The party was told before the case was filed")

"""Accidents (生产安全事故): grade, who reports by when, when a report is late, who investigates, and the clocks of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from anban.kit.months import add_years
from anban.rules.accident_terms import AccidentGrade
from anban.rules.decision import Reason, Ruling
from anban.rules.errors import Refusal, register
from anban.rules.figures import grouped
from anban.rules.hazard_terms import Term
from anban.rules.law import Book
from anban.rules.reading import day_of
from anban.rules.registry import asked, rule


@dataclass(frozen=True, slots=True, kw_only=True)
class AccidentFacts:
    """What an accident has cost."""

    deaths: int = asked("死亡人数", "deaths", unit="persons")
    serious_injuries: int = asked("重伤人数", "serious injuries", unit="persons")
    acute_poisonings: int = asked("急性工业中毒人数", "acute industrial poisonings", unit="persons", default=0)
    direct_loss_yuan: Decimal = asked("直接经济损失", "direct economic loss")


@rule(
    "accident_grade",
    number="R1",
    zh="事故等级",
    en="Grade of an accident",
    rests_on=(
        *(
            f"accidents.{grade}_{what}"
            for grade in ("extra_major", "major", "larger")
            for what in ("deaths_persons", "serious_injuries_persons", "direct_loss_yuan")
        ),
        "accidents.general_clause",
    ),
    gives={"grade": ("事故等级", "grade")},
)
def accident_grade(facts: AccidentFacts, on: date) -> Ruling:
    """This function will give the gravest grade that deaths, serious injuries or direct loss reach alone.

    Acute industrial poisonings count as serious injuries.
    Source: 生产安全事故报告和调查处理条例 第三条.
    """
    book = Book(on)
    hurt = facts.serious_injuries + facts.acute_poisonings
    for grade in (AccidentGrade.EXTRA_MAJOR, AccidentGrade.MAJOR, AccidentGrade.LARGER):
        reached = tuple(
            _reached(grade, zh, en, unit, amount, least)
            for zh, en, unit, amount, least in (
                ("死亡", "deaths", "人", facts.deaths, book[f"accidents.{grade}_deaths_persons"]),
                ("重伤（含急性工业中毒）", "seriously injured", "人", hurt, book[f"accidents.{grade}_serious_injuries_persons"]),
                ("直接经济损失", "yuan of direct loss", "元", facts.direct_loss_yuan, book[f"accidents.{grade}_direct_loss_yuan"]),
            )
            if amount >= least
        )  # fmt: skip
        if reached:
            return Ruling({"grade": grade}, reached, book.sources)
    book.cite("accidents.general_clause")
    reason = Reason(
        "accident_grade.below_larger", "各项均未达到较大事故起点，为一般事故", "Nothing reaches the next grade: general"
    )
    return Ruling({"grade": AccidentGrade.GENERAL}, (reason,), book.sources)


def _reached(grade: AccidentGrade, zh: str, en: str, unit: str, amount: int | Decimal, least: int) -> Reason:
    return Reason(
        "accident_grade.reached",
        f"{zh} {grouped(amount)} {unit}，达到{grade.zh}起点 {least:,} {unit}（以上含本数）",
        f"{grouped(amount)} {en}: {grade.en.lower()} from {least:,}, inclusive",
    )


class ReportLevel(Term):
    """Who reports (报告主体)."""

    UNIT = "unit", "事故单位负责人", "Head of the unit"
    DISTRICT = "district", "区应急管理部门和有关部门", "District departments"
    CITY = "city", "市应急管理部门和有关部门", "City departments"


class ReportTo(Term):
    """To whom (报告对象)."""

    DISTRICT = "district", "区应急管理部门和有关部门", "District departments"
    CITY = "city", "市应急管理部门和有关部门", "City departments"
    MINISTRY = "ministry", "应急管理部和国务院有关部门", "Ministry"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportChainFacts:
    """When each level learned of an accident."""

    grade: AccidentGrade = asked("事故等级", "grade")
    informed_at: datetime = asked("单位负责人接到报告的时刻", "when the head of the unit was told")
    district_received_at: datetime | None = asked("区级接到报告的时刻", "when the district received it", default=None)
    city_received_at: datetime | None = asked("市级接到报告的时刻", "when the city received it", default=None)


@rule(
    "report_chain",
    number="R2",
    zh="事故逐级上报时限",
    en="Who reports an accident by when",
    rests_on=(
        "accidents.unit_report_hours",
        "accidents.department_report_hours",
        "accidents.report_levels_clause",
    ),
    gives={"deadlines": ("逐级上报时限", "deadlines by level")},
    day=lambda facts: day_of(facts.informed_at),
)
def report_chain(facts: ReportChainFacts, on: date) -> Ruling:
    """This function will give each level's deadline: its own receipt, or the deadline before it, and the limit.

    In Beijing the municipality is both 设区的市 and province, so every grade ends at the city; major and graver accidents
    go on to the ministry. Source: 生产安全事故报告和调查处理条例 第九条、第十条、第十一条.
    """
    book = Book(on)
    own, next_level = book["accidents.unit_report_hours"], book["accidents.department_report_hours"]
    book.cite("accidents.report_levels_clause")
    unit_due = facts.informed_at + timedelta(hours=own)
    district_due = (facts.district_received_at or unit_due) + timedelta(hours=next_level)
    steps = [
        (ReportLevel.UNIT, ReportTo.DISTRICT, facts.informed_at, unit_due, own),
        (ReportLevel.DISTRICT, ReportTo.CITY, facts.district_received_at, district_due, next_level),
    ]
    if facts.grade.rank >= AccidentGrade.MAJOR.rank:
        city_due = (facts.city_received_at or district_due) + timedelta(hours=next_level)
        steps.append((ReportLevel.CITY, ReportTo.MINISTRY, facts.city_received_at, city_due, next_level))
        end = Reason(
            "report_chain.to_ministry",
            f"{facts.grade.zh}逐级报至国务院有关部门；市级同时报本级政府",
            f"A {facts.grade.en.lower()} accident goes on to the ministry; each level tells its own government as well",
        )
    else:
        end = Reason(
            "report_chain.to_city",
            f"{facts.grade.zh}逐级报至市级（直辖市兼省级）为止；各级同时报本级政府",
            f"A {facts.grade.en.lower()} accident ends at the city; each level tells its own government as well",
        )
    reasons = tuple(
        Reason(
            "report_chain.counted",
            f"{level.zh}：{'自接到报告' if received else '未给接报时刻，自上一级时限'}起 {hours} 小时内报{to.zh}",
            f"{level.en}: within {hours} h of {'its receipt' if received else 'the deadline before it'}, to: {to.en}",
        )
        for level, to, received, _, hours in steps
    )
    deadlines = [{"level": level, "to": to, "due_at": due} for level, to, _, due, _ in steps]
    return Ruling({"deadlines": deadlines}, (*reasons, end), book.sources)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLatenessFacts:
    """A report's deadline and when it was sent."""

    due_at: datetime = asked("报告时限", "deadline")
    sent_at: datetime = asked("报出时刻", "when it was sent")


@rule(
    "report_lateness",
    number="R3",
    zh="是否迟报",
    en="Whether a report is late",
    rests_on=("accidents.late_report_clause", "accidents.late_report_term_clause"),
    gives={"late": ("是否迟报", "late"), "minutes_late": ("迟报分钟数", "minutes late")},
    day=lambda facts: day_of(facts.due_at),
)
def report_lateness(facts: ReportLatenessFacts, on: date) -> Ruling:
    """This function will say whether a report was sent after its limit; sent exactly at the limit is in time.

    A started minute counts. Whether a report was left out (漏报), falsified (谎报) or concealed (瞒报) is for a person to
    find, never computed. Source: 生产安全事故报告和调查处理条例 第九条、第十一条; 令14.
    """
    book = Book(on)
    book.cite("accidents.late_report_clause")
    if book.has("accidents.late_report_term_clause"):
        book.cite("accidents.late_report_term_clause")
    late = facts.sent_at > facts.due_at
    minutes = -((facts.due_at - facts.sent_at) // timedelta(minutes=1)) if late else 0
    reason = (
        Reason("report_lateness.late", f"超过时限 {minutes} 分钟报出，属迟报", f"Sent {minutes} min after the limit: late")
        if late
        else Reason("report_lateness.in_time", "在时限内报出（恰在时限当刻不算迟报）", "Sent within the limit, the limit itself included")
    )  # fmt: skip
    return Ruling({"late": late, "minutes_late": minutes}, (reason,), book.sources)


class AccidentKind(Term):
    """Kind of accident as far as the window for changed casualties asks for it (事故类别)."""

    FIRE = "fire", "火灾事故", "Fire"
    ROAD_TRAFFIC = "road_traffic", "道路交通事故", "Road traffic"
    OTHER = "other", "其他事故", "Other"


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplementFacts:
    """A change of casualties after an accident."""

    accident_on: date = asked("事故发生日", "day of the accident")
    kind: AccidentKind = asked("事故类别", "kind of accident")
    changed_on: date = asked("伤亡变化日", "day the casualties changed")

    def __post_init__(self) -> None:
        if self.changed_on < self.accident_on:
            raise Refusal("accidents.before_accident", field="changed_on")


@rule(
    "supplementary_window",
    number="R4",
    zh="补报窗口",
    en="Window for changed casualties",
    rests_on=("accidents.supplement_days", "accidents.supplement_traffic_fire_days"),
    gives={"within": ("是否在窗口内", "within the window"), "last_on": ("窗口最后一日", "last day of the window")},
    day=lambda facts: facts.accident_on,
)
def supplementary_window(facts: SupplementFacts, on: date) -> Ruling:
    """This function will say whether changed casualties still count for the grade: to the last day, not moved for holidays.

    Source: 生产安全事故报告和调查处理条例 第十三条、第二十条第二款.
    """
    book = Book(on)
    days = book[
        "accidents.supplement_days" if facts.kind is AccidentKind.OTHER else "accidents.supplement_traffic_fire_days"
    ]
    last = facts.accident_on + timedelta(days=days)
    within = facts.changed_on <= last
    reason = Reason(
        "supplementary_window.within" if within else "supplementary_window.after",
        f"{facts.kind.zh}自发生之日起 {days} 日内（至 {last}）的伤亡变化应补报、计入等级；本次变化在{'内' if within else '外'}",
        f"{facts.kind.en}: changes within {days} days (to {last}) are reported and count; this one is {'inside' if within else 'outside'}",
    )
    return Ruling({"within": within, "last_on": last}, (reason,), book.sources)


class Investigator(Term):
    """Who investigates (负责事故调查的政府)."""

    DISTRICT_GOVERNMENT = "district_government", "区政府", "District government"
    CITY_GOVERNMENT = "city_government", "市政府", "City government"
    STATE_COUNCIL = "state_council", "国务院", "State Council"


_INVESTIGATORS = {
    AccidentGrade.GENERAL: Investigator.DISTRICT_GOVERNMENT,
    AccidentGrade.LARGER: Investigator.CITY_GOVERNMENT,
    AccidentGrade.MAJOR: Investigator.CITY_GOVERNMENT,
    AccidentGrade.EXTRA_MAJOR: Investigator.STATE_COUNCIL,
}
_ABOVE = {
    Investigator.DISTRICT_GOVERNMENT: Investigator.CITY_GOVERNMENT,
    Investigator.CITY_GOVERNMENT: Investigator.STATE_COUNCIL,
    Investigator.STATE_COUNCIL: Investigator.STATE_COUNCIL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InvestigatorFacts:
    """An accident as far as it decides who investigates."""

    grade: AccidentGrade = asked("事故等级", "grade")
    casualties: bool = asked("有无人员伤亡", "whether anyone was killed or hurt")
    escalated: bool = asked("是否提级调查", "whether a higher government took it over", default=False)


@rule(
    "investigating_body",
    number="R5",
    zh="事故调查主体",
    en="Who investigates an accident",
    rests_on=("accidents.investigator_clause", "accidents.investigator_raised_clause"),
    gives={
        "body": ("负责调查的政府", "investigating body"),
        "may_entrust_unit": ("可否委托事故单位调查", "whether the unit may be entrusted"),
    },
)
def investigating_body(facts: InvestigatorFacts, on: date) -> Ruling:
    """This function will name the government that investigates; taken over, it is the next one up.

    Only a general accident without casualties that stays with the district may be left to the unit itself.
    Source: 生产安全事故报告和调查处理条例 第十九条、第二十条.
    """
    book = Book(on)
    book.cite("accidents.investigator_clause")
    body = _INVESTIGATORS[facts.grade]
    zh, en = f"{facts.grade.zh}由{body.zh}负责调查", f"{facts.grade.en} accident: {body.en} investigates"
    reasons = [Reason("investigating_body.by_grade", zh, en)]
    if facts.escalated:
        book.cite("accidents.investigator_raised_clause")
        body = _ABOVE[body]
        reasons.append(
            Reason(
                "investigating_body.raised", f"提级调查：由{body.zh}负责", f"Taken over by the higher one: {body.en}"
            )
        )
    entrust = facts.grade is AccidentGrade.GENERAL and not facts.casualties and not facts.escalated
    if entrust:
        reasons.append(
            Reason(
                "investigating_body.may_entrust",
                "未造成人员伤亡的一般事故，区政府可以委托事故单位组织调查",
                "A general accident without casualties may be left to the unit",
            )
        )
    return Ruling({"body": body, "may_entrust_unit": entrust}, tuple(reasons), book.sources)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvestigationFacts:
    """The days from which the clocks of an investigation run."""

    accident_on: date = asked("事故发生日", "day of the accident")
    grade: AccidentGrade = asked("事故等级", "grade")
    extension_days: int = asked("经批准的调查延期", "approved extension of the investigation", default=0)
    appraisal_days: int = asked("技术鉴定所需时间（不计入）", "time of technical appraisal, not counted", default=0)
    report_received_on: date | None = asked(
        "政府收到调查报告日", "day the government received the report", default=None
    )
    approval_extension_days: int = asked(
        "批复延期（特别重大）", "extension of the approval, extraordinarily major", default=0
    )
    approved_on: date | None = asked("批复日", "day of the approval", default=None)

    def __post_init__(self) -> None:
        received, approved = self.report_received_on, self.approved_on
        if received is not None and received < self.accident_on:
            raise Refusal("accidents.before_accident", field="report_received_on")
        if approved is not None and approved < (received or self.accident_on):
            raise Refusal("accidents.approved_too_early", field="approved_on")
        if self.approval_extension_days and self.grade is not AccidentGrade.EXTRA_MAJOR:
            raise Refusal("accidents.approval_not_extendable", field="approval_extension_days")


@rule(
    "investigation_clock",
    number="R6",
    zh="事故调查、批复、评估期限",
    en="Clocks of an investigation",
    rests_on=(
        "accidents.investigation_days",
        "accidents.investigation_extension_days",
        "accidents.appraisal_clause",
        "accidents.approval_days",
        "accidents.approval_extra_major_days",
        "accidents.approval_extension_days",
        "accidents.evaluation_years",
    ),
    gives={
        "report_due_on": ("提交调查报告的最后一日", "report due"),
        "approval_due_on": ("批复的最后一日", "approval due"),
        "evaluation_due_on": ("整改评估的最后一日", "evaluation due"),
    },
    day=lambda facts: facts.accident_on,
)
def investigation_clock(facts: InvestigationFacts, on: date) -> Ruling:
    """This function will give the last days for report, approval and evaluation; none where its start is not given.

    The law of the accident's day rules report and approval; the evaluation is ruled by the law of the approval.
    Source: 生产安全事故报告和调查处理条例 第二十七条、第二十九条、第三十二条; 安全生产法 第八十六条.
    Raises: Refusal `accidents.extension_too_long`, `accidents.approval_extension_too_long`.
    """
    book = Book(on)
    days, limit = book["accidents.investigation_days"], book["accidents.investigation_extension_days"]
    if facts.extension_days > limit:
        raise Refusal("accidents.extension_too_long", field="extension_days", limit=limit)
    report_due = facts.accident_on + timedelta(days=days + facts.extension_days + facts.appraisal_days)
    zh = f"自事故发生之日起 {days} 日"
    en = f"{days} days from the accident"
    if facts.extension_days:
        zh, en = f"{zh}，批准延长 {facts.extension_days} 日", f"{en}, extended by {facts.extension_days}"
    if facts.appraisal_days:
        book.cite("accidents.appraisal_clause")
        zh, en = (
            f"{zh}，技术鉴定 {facts.appraisal_days} 日不计入",
            f"{en}, {facts.appraisal_days} of appraisal not counted",
        )
    reasons = [
        Reason("investigation_clock.report", f"调查报告：{zh}，至 {report_due}", f"Report: {en}, to {report_due}")
    ]
    approval_due = evaluation_due = None
    if facts.report_received_on is not None:
        approval_due = _approval_due(book, facts, facts.report_received_on, reasons)
    later = Book(on if facts.approved_on is None else max(on, facts.approved_on))
    if facts.approved_on is not None and later.has("accidents.evaluation_years"):
        years = later["accidents.evaluation_years"]
        evaluation_due = add_years(facts.approved_on, years)
        reasons.append(
            Reason(
                "investigation_clock.evaluation",
                f"整改落实评估：自批复起 {years} 年内，至 {evaluation_due}",
                f"Evaluation: within {years} year of the approval, to {evaluation_due}",
            )
        )
    elif facts.approved_on is not None:
        reasons.append(
            Reason(
                "investigation_clock.no_evaluation",
                f"{facts.approved_on} 当日没有已录入的评估期限",
                f"No term of evaluation is on record for {facts.approved_on}",
            )
        )
    outcome = {"report_due_on": report_due, "approval_due_on": approval_due, "evaluation_due_on": evaluation_due}
    return Ruling(outcome, tuple(reasons), (*book.sources, *later.sources))


def _approval_due(book: Book, facts: InvestigationFacts, received: date, reasons: list[Reason]) -> date:
    extra = facts.grade is AccidentGrade.EXTRA_MAJOR
    days = book["accidents.approval_extra_major_days" if extra else "accidents.approval_days"]
    if facts.approval_extension_days:
        limit = book["accidents.approval_extension_days"]
        if facts.approval_extension_days > limit:
            raise Refusal("accidents.approval_extension_too_long", field="approval_extension_days", limit=limit)
    due = received + timedelta(days=days + facts.approval_extension_days)
    longer = facts.approval_extension_days
    reasons.append(
        Reason(
            "investigation_clock.approval",
            f"批复：自收到报告起 {days} 日{f'，延长 {longer} 日' if longer else ''}，至 {due}",
            f"Approval: {days} days from receipt{f', extended by {longer}' if longer else ''}, to {due}",
        )
    )
    return due


register("accidents.before_accident", zh="日期早于事故发生日", en="The day lies before the accident")
register(
    "accidents.approved_too_early",
    zh="批复日早于收到报告或事故发生之日",
    en="The approval lies before the report or the accident",
)
register(
    "accidents.approval_not_extendable",
    zh="只有特别重大事故的批复可以延期",
    en="Only the approval on an extraordinarily major accident may be extended",
)
register(
    "accidents.extension_too_long",
    zh="调查延期最长 {limit} 日",
    en="An investigation may be extended by at most {limit} days",
)
register(
    "accidents.approval_extension_too_long",
    zh="批复延期最长 {limit} 日",
    en="The approval may be extended by at most {limit} days",
)

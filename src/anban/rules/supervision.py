"""Supervision (监管): re-inspection, safety staff, frequent checks, rebound, who may inspect, and the three gates of closing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from anban.kit.months import add_months
from anban.rules.decision import Reason, Ruling
from anban.rules.errors import Refusal, register
from anban.rules.hazard_terms import Term
from anban.rules.law import Book
from anban.rules.registry import asked, rule


@dataclass(frozen=True, slots=True, kw_only=True)
class ReinspectionFacts:
    """When a term of rectification ends, and when a review was asked for."""

    expires_on: date = asked("整改期限届满日", "day the term of rectification ends")
    applied_on: date | None = asked("申请复查日", "day a review was asked for", default=None)

    @property
    def start(self) -> date:
        """This property will give the earlier of the two days."""
        return self.expires_on if self.applied_on is None else min(self.expires_on, self.applied_on)


@rule(
    "reinspection_due",
    number="R13",
    zh="复查期限",
    en="When a re-inspection is due",
    rests_on=("hazards.review_days",),
    gives={"due_on": ("最迟复查日", "re-inspection due")},
    day=lambda facts: facts.start,
)
def reinspection_due(facts: ReinspectionFacts, on: date) -> Ruling:
    """This function will give the last day of a re-inspection: counted from the application or the expiry, whichever is earlier.

    Source: 安全生产违法行为行政处罚办法 第十六条, unconfirmed; from 2026-02-01 令18, whose text was not read.
    """
    book = Book(on)
    days = book["hazards.review_days"]
    applied = facts.applied_on is not None and facts.applied_on <= facts.expires_on
    due = facts.start + timedelta(days=days)
    reason = Reason(
        "reinspection_due.from_application" if applied else "reinspection_due.from_expiry",
        f"自{'申请' if applied else '期满'}之日（{facts.start}）起 {days} 日内复查",
        f"Within {days} days of the {'application' if applied else 'expiry'} ({facts.start})",
    )
    return Ruling({"due_on": due}, (reason,), book.sources)


class Sector(Term):
    """Sectors by what the law asks of their staff (行业)."""

    HIGH_RISK = "high_risk", "矿山、金属冶炼、建筑施工、运输、危险物品", "High-risk"
    OTHER = "other", "其他", "Other"


class Staffing(Term):
    """What a unit has (安全管理人员配备)."""

    NONE = "none", "未配备", "None"
    PART_TIME = "part_time", "兼职人员", "Part-time staff"
    FULL_TIME = "full_time", "专职人员", "Dedicated staff"
    DEPARTMENT = "department", "安全生产管理机构", "A department"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffingFacts:
    """A unit's sector, size and safety staff."""

    sector: Sector = asked("行业", "sector")
    employees: int = asked("从业人员人数", "employees", unit="persons")
    staffing: Staffing = asked("安全管理人员配备", "safety staff")


@rule(
    "safety_staffing",
    number="R29",
    zh="安全管理人员配备",
    en="Whether the safety staff suffices",
    rests_on=("supervision.staffing_persons", "supervision.staffing_high_risk_clause"),
    gives={"compliant": ("是否符合", "compliant")},
)
def safety_staffing(facts: StaffingFacts, on: date) -> Ruling:
    """This function will say whether the staff suffices: dedicated or a department in high-risk sectors and above the limit.

    Source: 安全生产法 第二十四条.
    """
    book = Book(on)
    limit = book["supervision.staffing_persons"]
    if facts.sector is Sector.HIGH_RISK:
        book.cite("supervision.staffing_high_risk_clause")
        zh, en = "高危行业不论人数", "High-risk sectors whatever their size"
    elif facts.employees > limit:
        zh, en = f"从业人员超过 {limit} 人", f"More than {limit} employees"
    else:
        zh, en = f"从业人员在 {limit} 人以下", f"Up to {limit} employees"
    dedicated = facts.sector is Sector.HIGH_RISK or facts.employees > limit
    enough = (Staffing.FULL_TIME, Staffing.DEPARTMENT) + (() if dedicated else (Staffing.PART_TIME,))
    compliant = facts.staffing in enough
    reason = Reason(
        "safety_staffing.compliant" if compliant else "safety_staffing.breach",
        f"{zh}，应{'设机构或配专职人员' if dedicated else '配专职或兼职人员'}；现为{facts.staffing.zh}",
        f"{en}: {'a department or dedicated staff' if dedicated else 'dedicated or part-time staff'} needed; there is: {facts.staffing.en.lower()}",
    )
    return Ruling({"compliant": compliant}, (reason,), book.sources)


class Reinspection(Term):
    """How the re-inspection of a check ended (复查结果)."""

    PASSED = "passed", "复查合格", "Passed"
    FAILED = "failed", "复查不合格", "Failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: whether (or how many) hazards were found, and how the re-inspection ended."""

    on: date = asked("检查日期", "day of the check")
    found: bool | int = asked("是否查出隐患（或隐患数）", "whether hazards were found, or how many")
    reinspection: Reinspection | None = asked("复查结果", "how the re-inspection ended", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecksFacts:
    """The checks of one place, in any order."""

    checks: tuple[Check, ...] = asked("历次检查", "checks")


class FrequentGround(Term):
    """Why a place is checked frequently (列入高频监管的事由)."""

    FAILED_REINSPECTION = "failed_reinspection", "复查不合格", "A re-inspection failed"
    CONSECUTIVE_CHECKS = "consecutive_checks", "连续查出隐患", "Hazards at every check in a row"


@rule(
    "high_frequency",
    number="R33",
    zh="高频监管对象",
    en="Whether a place is to be checked frequently",
    rests_on=(
        "supervision.high_frequency_clause",
        "supervision.failed_reinspection_times",
        "supervision.consecutive_checks_times",
    ),
    gives={"listed": ("是否列入", "listed"), "ground": ("事由", "ground")},
    day=lambda facts: max((each.on for each in facts.checks), default=None),
)
def high_frequency(facts: ChecksFacts, on: date) -> Ruling:
    """This function will say whether a place is listed: not put right at a re-inspection, or hazards at every check in a row.

    Checks count by day; the yearly cap on checks has still to be respected, or departed from with a reason.
    Source: 2021年1月23日讲话 (not put right once, or problems at every check); the numbers are an estimate.
    """
    book = Book(on)
    book.cite("supervision.high_frequency_clause")
    failed_times, row_times = (
        book["supervision.failed_reinspection_times"],
        book["supervision.consecutive_checks_times"],
    )
    failed = sum(each.reinspection is Reinspection.FAILED for each in facts.checks)
    longest = run = 0
    for each in sorted(facts.checks, key=lambda check: (check.on, bool(check.found))):
        run = run + 1 if each.found else 0
        longest = max(longest, run)
    ground = None
    if failed >= failed_times:
        ground = FrequentGround.FAILED_REINSPECTION
    elif longest >= row_times:
        ground = FrequentGround.CONSECUTIVE_CHECKS
    counts = f"复查不合格 {failed} 次（{failed_times} 次起），最长连续 {longest} 次查出隐患（{row_times} 次起）"
    counts_en = f"{failed} failed re-inspections (from {failed_times}), {longest} checks in a row with hazards (from {row_times})"
    reasons = [Reason("high_frequency.counted", counts, counts_en)]
    if ground is not None:
        reasons.append(
            Reason(
                "high_frequency.yearly_cap",
                "列入后仍须遵守年度检查频次上限，或依规定说明理由后突破",
                "The yearly cap on checks still holds, or is departed from with a reason",
            )
        )
    return Ruling({"listed": ground is not None, "ground": ground}, tuple(reasons), book.sources)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReboundFacts:
    """A hazard closed once and a finding after it."""

    closed_on: date = asked("销号日", "day of closing")
    found_on: date = asked("再次发现日", "day of the new finding")
    same_place: bool = asked("是否同一单位、同一部位", "whether the same unit and place")
    same_code: bool = asked("是否同一隐患编码", "whether the same hazard code")
    window_months: int = asked("认定窗口", "window", default=12, least=1, most=120)


@rule(
    "rebound",
    number="R34",
    zh="反弹认定",
    en="Whether a finding is a rebound",
    rests_on=("supervision.rebound_clause", "supervision.rebound_months"),
    gives={"rebound": ("是否反弹", "rebound")},
    day=lambda facts: facts.found_on,
)
def rebound(facts: ReboundFacts, on: date) -> Ruling:
    """This function will say whether a finding is the closed hazard come back, to the last day of the window.

    The ledger itself decides with its own windows in days and a watch (`rules.rebound`), which a city may set.
    Source: 2021年1月23日讲话 (整改—反弹); the window is an estimate.
    """
    book = Book(on)
    if book.has("supervision.rebound_clause"):
        book.cite("supervision.rebound_clause")
    # A window that the caller chose rests on nobody's estimate but the caller's.
    if facts.window_months == book.peek("supervision.rebound_months"):
        book.cite("supervision.rebound_months")
    last = add_months(facts.closed_on, facts.window_months)
    if not (facts.same_place and facts.same_code):
        reason = Reason("rebound.another", "不是同一部位的同一隐患", "Not the same hazard at the same place")
        return Ruling({"rebound": False}, (reason,), book.sources)
    days = (facts.found_on - facts.closed_on).days
    if days < 0:
        reason = Reason("rebound.before_close", "发现日期早于销号日期", "Found before the closing day")
    elif facts.found_on > last:
        reason = Reason(
            "rebound.outside_window",
            f"销号后第 {days} 日发现，窗口至 {last} 为止",
            f"Found {days} days after closing; the window ended on {last}",
        )
    else:
        reason = Reason(
            "rebound.in_window",
            f"销号后第 {days} 日再次发现（窗口至 {last}），与原记录关联，等级不降低",
            f"Found again {days} days after closing (window to {last}): linked to the first record, graded no lower",
        )
    return Ruling({"rebound": reason.code == "rebound.in_window"}, (reason,), book.sources)  # fmt: skip


class VisitorKind(Term):
    """Who took part in a visit (到场人员)."""

    CERTIFIED_OFFICER = "certified_officer", "持行政执法证人员", "Certified officer"
    ASSISTANT = "assistant", "行政执法辅助人员", "Assistant"
    GRID_WORKER = "grid_worker", "网格员", "Grid worker"
    THIRD_PARTY = "third_party", "第三方机构", "Third party"
    COORDINATION_OFFICE = "coordination_office", "议事协调机构（专班）", "Coordination office"


class Standing(Term):
    """What a visit is worth (到场的性质)."""

    INSPECTION = "inspection", "行政检查", "Inspection"
    PATROL = "patrol", "巡查", "Patrol"
    ASSISTANCE = "assistance", "协助检查", "Assistance"
    INVALID = "invalid", "不得作为检查", "No valid inspection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """One person at a visit."""

    kind: VisitorKind = asked("身份", "standing of the person")


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitFacts:
    """All who took part in a visit."""

    visitors: tuple[Visitor, ...] = asked("到场人员", "those present")

    def __post_init__(self) -> None:
        if not self.visitors:
            raise Refusal("supervision.nobody", field="visitors")


@rule(
    "visit_standing",
    number="R35",
    zh="谁可以检查",
    en="What a visit is worth",
    rests_on=(
        "supervision.officers_persons",
        "supervision.who_inspects_clause",
        "supervision.who_inspects_city_clause",
    ),
    gives={"standing": ("到场的性质", "standing")},
)
def visit_standing(facts: VisitFacts, on: date) -> Ruling:
    """This function will say what a visit is worth by who took part.

    Two certified officers inspect; assistants are led by them; a third party beside them assists and never inspects alone;
    a grid worker patrols and reports; a coordination office supervises governments, not enterprises.
    Source: 行政处罚法 第四十二条; 国办发〔2024〕54号; 京政办发〔2025〕10号.
    """
    book = Book(on)
    needed = book["supervision.officers_persons"]
    book.cite("supervision.who_inspects_clause")
    book.cite("supervision.who_inspects_city_clause")
    kinds = {each.kind for each in facts.visitors}
    officers = sum(each.kind is VisitorKind.CERTIFIED_OFFICER for each in facts.visitors)
    if officers >= needed and VisitorKind.THIRD_PARTY in kinds:
        standing, code = Standing.ASSISTANCE, "third_party_with_officers"
        zh, en = (
            f"{officers} 名执法人员带领，第三方只起协助作用，检查和文书由执法人员负责",
            f"{officers} officers lead; the third party assists, the inspection and its papers are the officers'",
        )
    elif officers >= needed:
        standing, code = Standing.INSPECTION, "officers"
        zh, en = (
            f"{officers} 名持证执法人员（不少于 {needed} 人）",
            f"{officers} certified officers, at least {needed} needed",
        )
    elif officers:
        standing, code = Standing.INVALID, "too_few_officers"
        zh, en = f"执法人员不足 {needed} 人，检查记录无效", f"Fewer than {needed} officers: the record is not valid"
    elif kinds == {VisitorKind.GRID_WORKER}:
        standing, code = Standing.PATROL, "grid_worker"
        zh, en = "网格员只能巡查、上报，不得实施行政检查", "Grid workers patrol and report, they do not inspect"
    else:
        standing, code = Standing.INVALID, "no_officer"
        zh, en = (
            "没有执法人员在场；议事协调机构、第三方、辅助人员不得单独检查",
            "No officer present; coordination offices, third parties and assistants may not inspect alone",
        )
    return Ruling({"standing": standing}, (Reason(f"visit_standing.{code}", zh, en),), book.sources)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFacts:
    """What a campaign's item needs before it may be closed (三不放过)."""

    inspected_complete: bool = asked("排查记录完整", "whether the record of the search is complete")
    responsible_person_named: bool = asked("责任人已明确", "whether a responsible person is named")
    rectification_accepted: bool = asked("整改已复查合格", "whether the rectification was re-inspected and passed")


_GATES = {
    "inspected_complete": ("隐患排查不到位不放过：排查记录不完整", "The record of the search is not complete"),
    "responsible_person_named": ("安全责任不落实不放过：未明确责任人", "No responsible person is named"),
    "rectification_accepted": ("整改不到位不放过：整改未复查合格", "The rectification was not re-inspected and passed"),
}


@rule(
    "three_gates",
    number="R36",
    zh="三不放过",
    en="The three gates of closing",
    rests_on=("supervision.three_gates_clause",),
    gives={"may_close": ("可否销号", "may be closed"), "missing": ("缺少的条件", "missing")},
)
def three_gates(facts: GateFacts, on: date) -> Ruling:
    """This function will say whether an item may be closed, and by name what is missing.

    Source: 2023年4月19日部署 (三不放过).
    """
    book = Book(on)
    book.cite("supervision.three_gates_clause")
    missing = [name for name in _GATES if not getattr(facts, name)]
    reasons = tuple(Reason(f"three_gates.{name}", *_GATES[name]) for name in missing)
    open_gates = Reason(
        "three_gates.open", "排查、责任、整改三项均到位", "Search, responsibility and rectification all hold"
    )
    return Ruling({"may_close": not missing, "missing": missing}, reasons or (open_gates,), book.sources)


register("supervision.nobody", zh="至少要有一名到场人员", en="At least one person has to be present")

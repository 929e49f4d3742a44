"""Where administrative law ends (行刑衔接): clocks of a transfer, the clue of dangerous operations, thresholds of accident crimes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum

from anban.rules.decision import Reason, Ruling
from anban.rules.errors import Refusal, register
from anban.rules.figures import grouped
from anban.rules.hazard_terms import Term
from anban.rules.law import Book
from anban.rules.reading import day_of
from anban.rules.registry import asked, rule


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferFacts:
    """The moments from which the clocks of a transfer run; at least one."""

    reported_at: datetime | date | None = asked("向负责人报告的时刻", "when it was reported to the head", default=None)
    approved_at: datetime | None = asked("批准移送的时刻", "when the transfer was approved", default=None)
    accepted_at: datetime | date | None = asked("公安机关受理的时刻", "when the police accepted it", default=None)
    decided_at: datetime | date | None = asked("公安机关决定的时刻", "when the police decided", default=None)
    refusal_received_at: datetime | date | None = asked(
        "收到不予立案通知的时刻", "when the notice of no filing was received", default=None
    )

    def __post_init__(self) -> None:
        if not self.starts:
            raise Refusal("criminal.no_start", field="reported_at")

    @property
    def starts(self) -> tuple[date, ...]:
        """This property will give the days of the moments that are known, in the order of the procedure."""
        known = (self.reported_at, self.approved_at, self.accepted_at, self.decided_at, self.refusal_received_at)
        return tuple(day_of(at) for at in known if at is not None)


@rule(
    "criminal_transfer_clock",
    number="R18",
    zh="涉嫌犯罪案件移送期限",
    en="Clocks of a transfer to the police",
    rests_on=(
        "criminal.transfer_decision_days",
        "criminal.transfer_hours",
        "criminal.police_decision_days",
        "criminal.police_check_days",
        "criminal.police_complex_days",
        "criminal.police_notice_days",
        "criminal.reconsideration_days",
    ),
    gives={
        "decide_due_on": ("决定是否移送的最后一日", "decision due"),
        "transfer_due_at": ("移送时限", "transfer due"),
        "police_due_on": ("公安机关决定是否立案的最后一日", "decision of the police due"),
        "notice_due_on": ("公安机关通知的最后一日", "notice of the police due"),
        "reconsider_due_on": ("提请复议的最后一日", "reconsideration to be asked for by"),
    },
    day=lambda facts: max(facts.starts),
)
def criminal_transfer_clock(facts: TransferFacts, on: date) -> Ruling:
    """This function will give the deadline of each step whose start is known; days are calendar days, hours run from the moment.

    Source: 行政执法机关移送涉嫌犯罪案件的规定 第五条、第八条、第九条; 应急〔2019〕54号.
    """
    book = Book(on)
    outcome: dict[str, object] = dict.fromkeys(
        ("decide_due_on", "transfer_due_at", "police_due_on", "notice_due_on", "reconsider_due_on")
    )
    reasons = []
    for name, start, key, zh, en in (
        ("decide_due_on", facts.reported_at, "transfer_decision", "负责人自接到报告起 {} 日内决定是否移送", "The head decides within {} days of the report"),
        ("police_due_on", facts.accepted_at, "police_decision", "公安机关自受理起 {} 日内决定是否立案", "The police decide within {} days of accepting"),
        ("notice_due_on", facts.decided_at, "police_notice", "公安机关自决定起 {} 日内通知移送机关", "The police tell within {} days of deciding"),
        ("reconsider_due_on", facts.refusal_received_at, "reconsideration", "自收到不予立案通知起 {} 日内可提请复议", "Reconsideration is asked for within {} days of the notice"),
    ):  # fmt: skip
        if start is not None:
            days = book[f"criminal.{key}_days"]
            outcome[name] = day_of(start) + timedelta(days=days)
            reasons.append(Reason(f"criminal_transfer_clock.{key}", zh.format(days), en.format(days)))
    if facts.approved_at is not None:
        hours = book["criminal.transfer_hours"]
        outcome["transfer_due_at"] = facts.approved_at + timedelta(hours=hours)
        reasons.append(
            Reason(
                "criminal_transfer_clock.transfer",
                f"批准后 {hours} 小时内向同级公安机关移送",
                f"Handed over to the police within {hours} h of the approval",
            )
        )
    if facts.accepted_at is not None:
        check, complex_case = police_decision_due(facts.accepted_at, on=on)
        reasons.append(
            Reason(
                "criminal_transfer_clock.police_longer",
                f"需要查证线索的至 {check}，重大、疑难、复杂的经批准至 {complex_case}（未核对原文）",
                f"To {check} where a clue has to be checked, to {complex_case} where grave or complex (text not checked)",
            )
        )
    return Ruling(outcome, tuple(reasons), book.sources)


def police_decision_due(accepted_at: date, *, on: date) -> tuple[date, date]:
    """This function will give the last days of the police where a clue has to be checked, and in a grave or complex case.

    Source: 应急〔2019〕54号, unconfirmed. Raises: LawGap.
    """
    book = Book(on)
    start = day_of(accepted_at)
    check, complex_case = book["criminal.police_check_days"], book["criminal.police_complex_days"]
    return start + timedelta(days=check), start + timedelta(days=complex_case)


def police_reconsider_due(requested_on: date, *, on: date) -> date:
    """This function will give the last day of the police to answer a request for reconsideration.

    Source: 行政执法机关移送涉嫌犯罪案件的规定 第九条. Raises: LawGap.
    """
    return requested_on + timedelta(days=Book(on)["criminal.police_reconsider_days"])


class DangerousCase(IntEnum):
    """Which of the three cases of 刑法第一百三十四条之一."""

    DISABLED_SAFEGUARD = 1
    REFUSED_ORDER = 2
    UNAPPROVED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DangerousFacts:
    """A breach that may be the crime of dangerous operations."""

    case: DangerousCase = asked("情形（1 关闭破坏监控报警或篡改数据；2 重大隐患被责令而拒不执行；3 未经批准）", "case: 1 safeguards disabled, 2 order refused, 3 no approval")  # fmt: skip
    real_danger: bool = asked("有造成重大伤亡等严重后果的现实危险", "whether there is a real danger of grave harm")
    ordered: bool = asked("是否因重大隐患被依法责令", "whether a lawful order was given because of a major hazard")
    refused: bool = asked("是否拒不执行", "whether it was refused")


_CASES = {
    DangerousCase.DISABLED_SAFEGUARD: (
        "关闭、破坏直接关系生产安全的设备设施或篡改数据",
        "safeguards disabled or data falsified",
    ),
    DangerousCase.REFUSED_ORDER: ("因重大隐患被依法责令而拒不执行", "a lawful order because of a major hazard refused"),
    DangerousCase.UNAPPROVED: ("未经批准从事高度危险的作业", "dangerous production without approval"),
}


@rule(
    "dangerous_operation",
    number="R19",
    zh="危险作业罪线索",
    en="Clue of the crime of dangerous operations",
    rests_on=("criminal.dangerous_operation_clause", "criminal.refusal_clause"),
    gives={"propose_referral": ("是否建议移送", "propose a referral")},
)
def dangerous_operation(facts: DangerousFacts, on: date) -> Ruling:
    """This function will say whether a referral is to be proposed; a person always decides.

    Source: 刑法 第一百三十四条之一; 法释〔2022〕19号 第三条.
    """
    book = Book(on)
    book.cite("criminal.dangerous_operation_clause")
    zh, en = _CASES[facts.case]
    refused = facts.ordered and facts.refused
    if facts.case is DangerousCase.REFUSED_ORDER and book.has("criminal.refusal_clause"):
        book.cite("criminal.refusal_clause")
    if not facts.real_danger:
        reason = Reason(
            "dangerous_operation.no_real_danger",
            "没有现实危险，不构成本罪，依法作行政处理",
            "No real danger: not this crime, an administrative matter",
        )
    elif facts.case is DangerousCase.REFUSED_ORDER and not refused:
        reason = Reason(
            "dangerous_operation.not_refused",
            "未依法责令，或已执行（即使迟延），只作行政处罚",
            "No order, or it was carried out, if late: a penalty only",
        )
    else:
        reason = Reason(
            "dangerous_operation.clue",
            f"{zh}，且有现实危险：建议移送，由负责人决定",
            f"{en.capitalize()}, with real danger: a referral is proposed; the head decides",
        )
    return Ruling({"propose_referral": reason.code == "dangerous_operation.clue"}, (reason,), book.sources)  # fmt: skip


class Threshold(Term):
    """How far an accident reaches (入罪标准)."""

    NONE = "none", "未达到", "Not reached"
    BASE = "base", "达到入罪标准", "Reached"
    AGGRAVATED = "aggravated", "情节特别恶劣", "Aggravated"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrimeFacts:
    """What an accident has cost, and the share in it."""

    deaths: int = asked("死亡人数", "deaths", unit="persons")
    serious_injuries: int = asked("重伤人数", "serious injuries", unit="persons")
    direct_loss_yuan: Decimal = asked("直接经济损失", "direct economic loss")
    main_responsibility: bool = asked("负事故主要责任", "whether mainly responsible")


@rule(
    "accident_crime_threshold",
    number="R20",
    zh="事故犯罪入罪标准",
    en="Threshold of accident crimes",
    rests_on=tuple(
        f"criminal.{threshold}_{what}"
        for threshold in ("aggravated", "base")
        for what in ("deaths_persons", "serious_injuries_persons", "direct_loss_yuan")
    ),
    gives={"threshold": ("入罪标准", "threshold")},
)
def accident_crime_threshold(facts: CrimeFacts, on: date) -> Ruling:
    """This function will say which threshold deaths, serious injuries or loss reach alone; aggravated takes main responsibility.

    Source: 法释〔2015〕22号 第六条、第七条.
    """
    book = Book(on)
    for threshold in (Threshold.AGGRAVATED, Threshold.BASE):
        if threshold is Threshold.AGGRAVATED and not facts.main_responsibility:
            continue
        reached = []
        for zh, en, unit, amount, key in (
            ("死亡", "deaths", "人", facts.deaths, "deaths_persons"),
            ("重伤", "seriously injured", "人", facts.serious_injuries, "serious_injuries_persons"),
            ("直接经济损失", "yuan of direct loss", "元", facts.direct_loss_yuan, "direct_loss_yuan"),
        ):
            # A limit that was not reached is looked at, but the ruling does not rest on it.
            if amount >= (least := book.peek(f"criminal.{threshold}_{key}")):
                book.cite(f"criminal.{threshold}_{key}")
                reached.append(
                    Reason(
                        f"accident_crime_threshold.{threshold}",
                        f"{zh} {grouped(amount)} {unit}，达到“{threshold.zh}”的 {least:,} {unit}（以上含本数）",
                        f"{grouped(amount)} {en}: {threshold.en.lower()} from {least:,}, inclusive",
                    )
                )
        if reached:
            return Ruling({"threshold": threshold}, tuple(reached), book.sources)
    book.cite("criminal.base_deaths_persons")
    reason = Reason("accident_crime_threshold.none", "各项均未达到入罪标准", "Nothing reaches the threshold")
    return Ruling({"threshold": Threshold.NONE}, (reason,), book.sources)


register("criminal.no_start", zh="至少要给出一个起算时刻", en="At least one moment to count from is needed")

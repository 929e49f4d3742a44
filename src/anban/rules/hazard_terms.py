"""The words of a hazard's life: states, actions, roles, tracks, grades, proof levels, outcomes, listings, and the table's row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Self


class Term(StrEnum):
    """A word with its identifier as value and its Chinese and English labels beside it."""

    _value_: str
    zh: str
    en: str

    def __new__(cls, value: str, zh: str = "", en: str = "") -> Self:  # defaults: looked up by value
        term = str.__new__(cls, value)
        term._value_ = value
        term.zh = zh
        term.en = en
        return term


class Chain(Term):
    """Which table a hazard is led by (链条)."""

    GENERAL = "general", "一般隐患链条", "General"
    MAJOR = "major", "重大事故隐患链条", "Major"


class State(Term):
    """Where a hazard stands (状态); one column holds the states of both chains, `closed` belongs to both."""

    UNVERIFIED = "unverified", "待核实", "To be verified"
    AWAITING_RECEIPT = "awaiting_receipt", "待签收", "Awaiting receipt"
    RECTIFYING = "rectifying", "整改中", "Being rectified"
    AWAITING_REVIEW = "awaiting_review", "待复查", "Awaiting re-inspection"
    AWAITING_ACCEPTANCE = "awaiting_acceptance", "待验收", "Awaiting the firm's acceptance"
    SUSPECTED = "suspected", "疑似重大（待判定）", "Suspected major, to be judged"
    JUDGED = "judged", "已判定", "Judged major"
    PLAN_DUE = "plan_due", "待报治理方案", "Treatment plan due"
    PLAN_REVIEW = "plan_review", "方案待审核", "Plan under review"
    TREATING = "treating", "治理中", "Under treatment"
    SELF_ASSESSED = "self_assessed", "已自评估", "Self-assessed"
    ACCEPTANCE = "acceptance", "待验收（现场审查）", "Awaiting on-site acceptance"
    DELISTING = "delisting", "验收合格待摘牌", "Accepted, awaiting delisting"
    DOWNGRADED = "downgraded", "降为一般", "Downgraded to general"
    CLOSED = "closed", "已销号", "Closed"
    NOT_FOUNDED = "not_founded", "核实不成立", "Not founded"
    MERGED = "merged", "已并案", "Merged"
    GONE = "gone", "灭失销号", "Gone"


class Action(Term):
    """What may be done to a hazard (动作)."""

    ENTER = "enter", "上账", "Enter on the ledger"
    VERIFY = "verify", "核实", "Verify"
    FIX_ON_SPOT = "fix_on_spot", "当场改正", "Put right on the spot"
    ORDER = "order", "责令限期整改", "Order rectification"
    ADVISE = "advise", "隐患告知", "Advise in writing"
    TRANSFER = "transfer", "移交", "Hand over"
    RECEIVE = "receive", "签收", "Sign for"
    SEND_BACK = "send_back", "退回", "Send back"
    RETURN_UNSIGNED = "return_unsigned", "逾期未签收退回", "Returned unsigned"
    WHISTLE = "whistle", "吹哨", "Call the departments"
    ASSIGN = "assign", "交办（指定）", "Assign"
    APPLY_REVIEW = "apply_review", "申请复查", "Apply for re-inspection"
    EXPIRE = "expire", "期满转待复查", "Term ran out"
    REVIEW = "review", "复查", "Re-inspect"
    REQUEST_EXTENSION = "request_extension", "申请延期", "Apply for an extension"
    EXTEND = "extend", "同意延期", "Grant an extension"
    REFUSE_EXTENSION = "refuse_extension", "不同意延期", "Refuse an extension"
    FILE_CASE = "file_case", "立案", "File a case"
    SIMPLE_PENALTY = "simple_penalty", "当场处罚（简易程序）", "On-the-spot penalty"
    WAIVE = "waive", "轻微免罚 / 首违不罚", "Waive the penalty"
    ACCEPT = "accept", "验收", "Accept"
    REJECT = "reject", "验收不合格", "Reject"
    SAMPLE = "sample", "抽查 / 回头看", "Sample"
    REBOUND = "rebound", "认定反弹", "Record a rebound"
    MERGE = "merge", "并案", "Merge"
    REPORT_GONE = "report_gone", "灭失核销", "Record as gone"
    SUSPECT = "suspect", "上报疑似重大", "Report as suspected major"
    SECURE = "secure", "现场处置", "Secure the site"
    RELEASE = "release", "解除现场处置", "Lift the site measure"
    JUDGE = "judge", "判定", "Judge"
    REGISTER_MAJOR = "register_major", "录入重大隐患台账并抄报", "Register as major"
    NAME_BODY = "name_body", "确定治理主体", "Name the body to treat it"
    SUBMIT_PLAN = "submit_plan", "报送治理方案", "Submit the plan"
    APPROVE_PLAN = "approve_plan", "方案审核通过", "Approve the plan"
    RETURN_PLAN = "return_plan", "方案退回修改", "Return the plan"
    PROPOSE_LIST = "propose_list", "提请挂牌", "Propose listing"
    LIST = "list", "挂牌督办", "List for supervision"
    LEAD = "lead", "包案", "Name a case leader"
    PROGRESS = "progress", "进度报告", "Report progress"
    SELF_ASSESS = "self_assess", "治理评估", "Self-assess"
    APPLY = "apply", "申请验收", "Apply for acceptance"
    DELIST = "delist", "摘牌", "Delist"
    DOWNGRADE = "downgrade", "降级", "Downgrade"
    ESCALATE_MEASURE = "escalate_measure", "提请关闭 / 移送公安", "Escalate the measure"


class Role(Term):
    """Who may do it, seen from the hazard (角色)."""

    FINDER = "finder", "发现人", "Finder"
    LIABLE_UNIT = "liable_unit", "整改责任单位", "Liable unit"
    LIABLE_PERSON = "liable_person", "整改责任人", "Liable person"
    OWNER_UNIT = "owner_unit", "产权单位", "Owner"
    MANAGING_UNIT = "managing_unit", "管理使用单位（物业）", "Manager"
    TENANT = "tenant", "承租单位", "Tenant"
    TERRITORY_OFFICER = "territory_officer", "属地责任人", "Territory officer"
    SECTOR_OFFICER = "sector_officer", "行业主管部门责任人", "Sector officer"
    SPECIAL_OFFICER = "special_officer", "专业监管部门责任人", "Special regulator's officer"
    ENFORCER = "enforcer", "执法人员", "Enforcement officer"
    REVIEWER = "reviewer", "复查人", "Re-inspector"
    ACCEPTANCE_LEAD = "acceptance_lead", "验收组组长", "Head of the acceptance group"
    SUPERVISING_UNIT = "supervising_unit", "督办单位 / 督办责任人", "Supervising unit"
    LISTING_BODY = "listing_body", "挂牌单位", "Listing body"
    CASE_LEADER = "case_leader", "包案领导", "Case leader"
    COMMUNITY_CONTACT = "community_contact", "社区（村）联络人", "Community contact"


class Track(Term):
    """The way a general hazard is rectified (轨道 甲乙丙丁)."""

    SELF_CHECK = "self_check", "企业自查自改", "Found and fixed by the firm"
    ON_SPOT = "on_spot", "即查即改", "Put right during the check"
    ORDERED = "ordered", "责令限期整改", "Ordered with a term"
    ADVISED = "advised", "告知后移交", "Advised and handed over"


class Grade(Term):
    """How grave a hazard is (等级); all but `general` carry interim control until judged or treated."""

    GENERAL = "general", "一般隐患", "General"
    SUSPECTED_MAJOR = "suspected_major", "疑似重大隐患", "Suspected major"
    MAJOR = "major", "重大事故隐患", "Major"
    UNDETERMINED = "undetermined", "不能判定", "Undetermined"


class ProofLevel(Term):
    """How a close was proved (销号依据)."""

    ON_SITE = "on_site", "现场核验", "Seen on site"
    PHOTO = "photo", "照片", "Photographs"
    DECLARED = "declared", "自报", "Declared"
    INFERRED = "inferred", "推断", "Inferred"


class Outcome(Term):
    """What became of a hazard in the end (结果); a penalty, a fine or a promise is none."""

    NONE = "none", "尚无", "None yet"
    RECTIFIED = "rectified", "已整改", "Rectified"
    NOT_FOUNDED = "not_founded", "不成立", "Not founded"
    MERGED = "merged", "并入他案", "Merged"
    GONE = "gone", "灭失", "Gone"
    DOWNGRADED = "downgraded", "降为一般", "Downgraded"


class Listing(Term):
    """Public supervision of a major hazard (挂牌)."""

    NOT_LISTED = "not_listed", "未挂牌", "Not listed"
    PROPOSED = "proposed", "拟挂牌", "Listing proposed"
    DISTRICT = "district", "区级挂牌督办", "Listed by the district"
    CITY = "city", "市级挂牌督办", "Listed by the city"
    DELISTED = "delisted", "已摘牌", "Delisted"

    @property
    def is_listed(self) -> bool:
        """This property will be true while a listing body holds the matter, so that only it can end it."""
        return self in (Listing.DISTRICT, Listing.CITY)


class Flag(Term):
    """What is true beside the state (标志)."""

    EXTENDED = "extended", "延期", "Extended"
    OVERDUE = "overdue", "逾期", "Overdue"
    OUT_OF_USE = "out_of_use", "已停用", "Out of use"
    INTERIM_CONTROL = "interim_control", "临时管控", "Interim control"
    FULL_STOP = "full_stop", "全部停产停业", "Stopped entirely"
    PARTIAL_STOP = "partial_stop", "局部停用", "Stopped in part"
    CONTROLLED_RUN = "controlled_run", "管控运行", "Running under control"
    DEADLOCK = "deadlock", "退单僵局", "Transfer deadlock"
    DESIGNATED = "designated", "指定", "Designated"
    ON_WATCH = "on_watch", "观察期", "On watch"


class Clock(Term):
    """A deadline that an action must meet (时限); `clocks.due` computes it."""

    VERIFY = "verify", "核实", "Verification"
    ORDER_PAPER = "order_paper", "责令文书", "Written order"
    ADVISE = "advise", "隐患告知", "Written advice"
    HAND_OVER = "hand_over", "移交", "Hand-over"
    RECEIPT = "receipt", "签收", "Receipt"
    SEND_BACK = "send_back", "退回", "Return"
    DESIGNATE = "designate", "指定", "Designation"
    WHISTLE = "whistle", "部门报到", "Arrival when called"
    REVIEW = "review", "复查", "Re-inspection"
    EXTENSION_ANSWER = "extension_answer", "延期答复", "Answer to an application for extension"
    FILE_CASE = "file_case", "提请立案", "Proposal to file a case"
    SUSPECT = "suspect", "上报疑似重大", "Report of a suspected major hazard"
    JUDGE = "judge", "判定", "Judgement"
    REGISTER_MAJOR = "register_major", "录入重大隐患台账", "Entry in the register of major hazards"
    PLAN_SUBMISSION = "plan_submission", "报送治理方案", "Submission of the plan"
    PLAN_APPROVAL = "plan_approval", "方案审核", "Decision on the plan"
    PROGRESS = "progress", "进度报告", "Progress report"
    ACCEPTANCE = "acceptance", "现场审查验收", "On-site acceptance"
    DELISTING = "delisting", "摘牌", "Delisting"


LISTED, UNLISTED = "listed", "unlisted"
"""Verdicts that the listing decides, not a person."""

VERDICTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "reported": ("有人反映，待核实", "Reported, to be verified"),
        "inspected": ("检查发现", "Found by an inspection party or the firm"),
        "founded": ("成立", "Founded"),
        "not_founded": ("不成立", "Not founded"),
        "suspected": ("疑似重大", "Suspected major"),
        "passed": ("合格", "Passed"),
        "failed": ("不合格", "Failed"),
        "major": ("判定为重大", "Judged major"),
        "general": ("判定为一般", "Judged general"),
        "undetermined": ("不能判定", "Cannot be judged"),
        LISTED: ("已挂牌", "Listed"),
        UNLISTED: ("未挂牌", "Not listed"),
    }
)
"""Chinese and English labels of every verdict in the two tables."""

BOTH_CHAINS = frozenset(Chain)
ANY_TRACK = frozenset(Track)
ANY_GRADE = frozenset(Grade)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row of a lifecycle table: who may do an action in a state, with which paper, by when, and where it leads.

    Exactly one of `to` (a fixed state), `verdicts` (a choice; by the listing where the keys are listed/unlisted) and
    `back` (the state remembered when the hazard was handed over) says where it leads. `parallel` steps stay where they
    are. `needs` are the facts the actor must give; `needs_if_listed` come on top while a listing body holds the matter.
    """

    action: Action
    zh: str
    en: str
    roles: frozenset[Role]
    to: State | None = None
    verdicts: Mapping[str, State] = field(default_factory=lambda: MappingProxyType({}))
    back: bool = False
    parallel: bool = False
    remembers: bool = False
    new_cycle: bool = False
    automatic: bool = False
    paper: str = ""
    clock: Clock | None = None
    basis: str = ""
    needs: tuple[str, ...] = ()
    needs_if_listed: tuple[str, ...] = ()
    roles_if_listed: frozenset[Role] | None = None
    roles_by_track: Mapping[Track, frozenset[Role]] = field(default_factory=lambda: MappingProxyType({}))
    chains: frozenset[Chain] = BOTH_CHAINS
    tracks: frozenset[Track] = ANY_TRACK
    grades: frozenset[Grade] = ANY_GRADE

    @property
    def decided_by_listing(self) -> bool:
        """This property will be true where the listing, not a person's verdict, says where the step leads."""
        return LISTED in self.verdicts

    @property
    def choices(self) -> tuple[str, ...]:
        """This property will name the verdicts among which the actor must choose; empty where there is no choice."""
        return () if self.decided_by_listing else tuple(self.verdicts)


Table = Mapping[tuple[State | None, Action], Step]
"""A lifecycle: `(state, action)` → step; the state None is the moment before a hazard is on the ledger."""

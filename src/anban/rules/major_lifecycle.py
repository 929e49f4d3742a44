"""The life of a major hazard (重大事故隐患): suspected, judged, planned, treated, assessed, accepted, delisted.

Two signatures, never one: the department's acceptance group signs 验收, the listing body signs 摘牌. A downgraded hazard
(降为一般) stays open: the body with power orders what is left, and from that order on it is led as a general one.
"""

from __future__ import annotations

from anban.rules.hazard_terms import (
    LISTED,
    UNLISTED,
    Action,
    Clock,
    Role,
    State,
    Step,
    Table,
)
from anban.rules.lifecycle_table import build, row

FIRM = frozenset({Role.LIABLE_UNIT, Role.LIABLE_PERSON})
DEPARTMENT = frozenset({Role.SECTOR_OFFICER, Role.SPECIAL_OFFICER})
"""The department competent for the sector standard (行业主管、专业监管): it judges; streets and committee's offices never do."""

LED_AS_MAJOR = (
    State.JUDGED,
    State.PLAN_DUE,
    State.PLAN_REVIEW,
    State.TREATING,
    State.SELF_ASSESSED,
    State.ACCEPTANCE,
    State.DELISTING,
)
"""From judged to delisted, in order (已判定 … 待摘牌)."""

BEFORE_DELISTING = LED_AS_MAJOR[:-1]


def _chain() -> list[tuple[State | None, Step]]:
    """The main line, and the ways back."""
    listing_body = frozenset({Role.LISTING_BODY})
    leads_group = frozenset({Role.ACCEPTANCE_LEAD})
    return [
        row(
            State.SUSPECTED,
            Action.JUDGE,
            DEPARTMENT,
            verdicts={"major": State.JUDGED, "general": State.RECTIFYING, "undetermined": State.SUSPECTED},
            paper="判定意见（集体讨论或专家论证）",
            clock=Clock.JUDGE,
            needs=("clause", "reason"),
        ),
        row(
            State.JUDGED,
            Action.REGISTER_MAJOR,
            DEPARTMENT,
            to=State.PLAN_DUE,
            paper="重大事故隐患台账",
            clock=Clock.REGISTER_MAJOR,
            basis="安全生产法 第四十一条",
        ),
        *(
            row(
                state,
                Action.NAME_BODY,
                frozenset({Role.LISTING_BODY}),
                to=State.PLAN_DUE,
                parallel=state is State.PLAN_DUE,
                paper="区政府确定治理主体的文件",
                needs=("body", "funds", "document_number"),
            )
            for state in (State.JUDGED, State.PLAN_DUE)
        ),
        row(
            State.PLAN_DUE,
            Action.SUBMIT_PLAN,
            frozenset({Role.LIABLE_PERSON}),
            to=State.PLAN_REVIEW,
            paper="治理方案",
            clock=Clock.PLAN_SUBMISSION,
            basis="安全生产事故隐患排查治理暂行规定 第十五条",
            needs=("goals", "methods", "funds", "people", "due_on", "emergency_plan"),
        ),
        row(
            State.PLAN_REVIEW,
            Action.APPROVE_PLAN,
            DEPARTMENT,
            to=State.TREATING,
            paper="方案审核意见",
            clock=Clock.PLAN_APPROVAL,
            needs=("due_on",),
            roles_if_listed=listing_body,
        ),
        row(
            State.PLAN_REVIEW,
            Action.RETURN_PLAN,
            DEPARTMENT,
            to=State.PLAN_DUE,
            paper="方案退回修改意见",
            clock=Clock.PLAN_APPROVAL,
            needs=("reason",),
            roles_if_listed=listing_body,
        ),
        row(
            State.TREATING,
            Action.SELF_ASSESS,
            FIRM,
            to=State.SELF_ASSESSED,
            paper="治理评估报告",
            basis="安全生产事故隐患排查治理暂行规定 第十八条",
            needs=("assessor", "report"),
        ),
        row(
            State.TREATING,
            Action.DOWNGRADE,
            DEPARTMENT,
            to=State.DOWNGRADED,
            paper="降级意见",
            needs=("left_over", "reason"),
            needs_if_listed=("listing_consent",),
        ),
        row(
            State.SELF_ASSESSED,
            Action.APPLY,
            FIRM,
            to=State.ACCEPTANCE,
            paper="验收（恢复生产）申请",
        ),
        row(
            State.ACCEPTANCE,
            Action.ACCEPT,
            leads_group,
            zh="现场审查验收合格",
            en="Accept on site",
            verdicts={LISTED: State.DELISTING, UNLISTED: State.CLOSED},
            paper="现场审查验收意见",
            clock=Clock.ACCEPTANCE,
            basis="安全生产事故隐患排查治理暂行规定 第二十三条",
            needs=("experts", "on_site"),
        ),
        row(
            State.ACCEPTANCE,
            Action.REJECT,
            leads_group,
            zh="现场审查验收不合格",
            en="Reject on site",
            to=State.TREATING,
            paper="现场审查验收意见",
            clock=Clock.ACCEPTANCE,
            basis="安全生产事故隐患排查治理暂行规定 第二十三条",
            needs=("reason", "due_on"),
        ),
        row(
            State.DELISTING,
            Action.DELIST,
            listing_body,
            to=State.CLOSED,
            paper="摘牌公告",
            clock=Clock.DELISTING,
            needs=("notice",),
        ),
    ]


def _beside() -> list[tuple[State | None, Step]]:
    """What runs beside the main line and stays where it is."""
    governments = frozenset({Role.LISTING_BODY})
    rows = [
        row(
            State.TREATING,
            Action.EXTEND,
            DEPARTMENT,
            parallel=True,
            paper="延期审批表",
            clock=Clock.EXTENSION_ANSWER,
            needs=("due_on", "reason", "interim_control"),
            needs_if_listed=("listing_consent",),
        ),
        row(
            State.TREATING,
            Action.REQUEST_EXTENSION,
            FIRM,
            parallel=True,
            paper="延期申请",
            needs=("due_on", "reason", "interim_control"),
        ),
        row(
            State.TREATING,
            Action.REFUSE_EXTENSION,
            DEPARTMENT,
            parallel=True,
            paper="不予延期答复",
            clock=Clock.EXTENSION_ANSWER,
            needs=("reason",),
        ),
    ]
    for state in BEFORE_DELISTING:
        rows += [
            row(
                state,
                Action.PROPOSE_LIST,
                DEPARTMENT | {Role.SUPERVISING_UNIT},
                parallel=True,
                paper="挂牌督办建议",
                needs=("level", "reason"),
            ),
            row(
                state, Action.LIST, governments, parallel=True, paper="挂牌督办通知（公告）", needs=("level", "notice")
            ),
            row(
                state,
                Action.LEAD,
                governments | {Role.SUPERVISING_UNIT},
                parallel=True,
                paper="包案通知",
                needs=("leader",),
            ),
            row(
                state,
                Action.ESCALATE_MEASURE,
                frozenset({Role.ENFORCER, Role.SPECIAL_OFFICER}),
                parallel=True,
                paper="法制审核意见、集体讨论记录",
                basis="安全生产法 第一百一十三条",
                needs=("measure", "legal_review"),
            ),
        ]
    for state in LED_AS_MAJOR[1:]:
        rows.append(
            row(
                state,
                Action.PROGRESS,
                FIRM | DEPARTMENT,
                parallel=True,
                paper="治理进度报告",
                clock=Clock.PROGRESS,
                needs=("note",),
            )
        )
    return rows


TABLE: Table = build([*_chain(), *_beside()])
"""Every row of the major chain; what both chains share (现场处置, 移交, 立案 …) stands in `hazard_lifecycle`."""

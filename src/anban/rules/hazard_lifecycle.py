"""The life of a hazard (隐患): the general table with its four tracks, what both chains share, and the questions asked of them.

The combined `TABLE` holds the major chain as well, so that a hazard has one `state` column. Nothing here reads a clock
or a database: the caller gives the facts. A state is left only by a row of the table.
"""

from __future__ import annotations

from collections.abc import Collection, Set
from dataclasses import dataclass
from types import MappingProxyType

from anban.rules import major_lifecycle
from anban.rules.errors import Refusal, register
from anban.rules.hazard_terms import (
    LISTED,
    UNLISTED,
    VERDICTS,
    Action,
    Chain,
    Clock,
    Flag,
    Grade,
    Listing,
    Outcome,
    ProofLevel,
    Role,
    State,
    Step,
    Table,
    Track,
)
from anban.rules.lifecycle_table import PENALTIES, build, row
from anban.rules.major_lifecycle import DEPARTMENT, FIRM, LED_AS_MAJOR

__all__ = [
    "FINAL",
    "GENERAL_TABLE",
    "OPEN",
    "PENALTIES",
    "TABLE",
    "VERDICTS",
    "Action",
    "Chain",
    "Clock",
    "Facts",
    "Flag",
    "Grade",
    "Listing",
    "Outcome",
    "ProofLevel",
    "Role",
    "State",
    "Step",
    "Track",
    "allowed_actions",
    "chain_after",
    "grade_after",
    "is_open",
    "label",
    "listing_after",
    "missing_needs",
    "order_of_chain",
    "outcome_after",
    "permitted_step",
    "step",
    "target",
    "targets",
    "track_after",
]

FINAL = frozenset({State.CLOSED, State.NOT_FOUNDED, State.MERGED, State.GONE})
"""States in which nothing is owed any more; `closed` may still come back as a rebound."""
OPEN = frozenset(State) - FINAL

_ORDERS: MappingProxyType[Chain, tuple[State, ...]] = MappingProxyType(
    {
        Chain.GENERAL: (
            State.UNVERIFIED,
            State.AWAITING_RECEIPT,
            State.RECTIFYING,
            State.AWAITING_REVIEW,
            State.AWAITING_ACCEPTANCE,
            State.CLOSED,
            State.NOT_FOUNDED,
            State.MERGED,
            State.GONE,
        ),
        Chain.MAJOR: (State.SUSPECTED, *LED_AS_MAJOR, State.CLOSED, State.DOWNGRADED),
    }
)

_GENERAL_OPEN = (
    State.UNVERIFIED,
    State.AWAITING_RECEIPT,
    State.RECTIFYING,
    State.AWAITING_REVIEW,
    State.AWAITING_ACCEPTANCE,
)
_ONLY_GENERAL = frozenset({Chain.GENERAL})
_PUNISHABLE = (State.RECTIFYING, State.AWAITING_REVIEW, State.AWAITING_ACCEPTANCE, State.CLOSED)
_OFFICIALS = frozenset({Role.TERRITORY_OFFICER, Role.ENFORCER}) | DEPARTMENT
_EVERYONE = frozenset(Role)
_IMPOSING = frozenset({Role.ENFORCER}) | DEPARTMENT


def _entering() -> list[tuple[State | None, Step]]:
    return [
        row(
            None,
            Action.ENTER,
            _EVERYONE,
            verdicts={"reported": State.UNVERIFIED, "inspected": State.RECTIFYING},
            paper="部位、事实、依据、照片",
            needs=("place", "description"),
        ),
        row(
            State.UNVERIFIED,
            Action.VERIFY,
            _OFFICIALS,
            verdicts={"founded": State.RECTIFYING, "not_founded": State.NOT_FOUNDED, "suspected": State.SUSPECTED},
            paper="核实记录",
            clock=Clock.VERIFY,
            needs=("reason",),
        ),
        *(
            row(
                state,
                Action.FIX_ON_SPOT,
                _OFFICIALS | {Role.REVIEWER},
                to=State.CLOSED,
                paper="现场检查记录（注明当场改正）",
                needs=("photo_before", "photo_after"),
                tracks=tracks,
                grades=frozenset({Grade.GENERAL}),
            )
            for state, tracks in (
                (State.UNVERIFIED, frozenset(Track)),
                (State.RECTIFYING, frozenset({Track.ON_SPOT})),
            )
        ),
        *(
            row(
                state,
                Action.ADVISE,
                frozenset({Role.TERRITORY_OFFICER, Role.COMMUNITY_CONTACT}),
                to=State.RECTIFYING,
                parallel=state is State.RECTIFYING,
                paper="隐患告知单",
                clock=Clock.ADVISE,
                needs=("measures",),
            )
            for state in (State.UNVERIFIED, State.RECTIFYING)
        ),
        *(
            row(
                state,
                Action.ORDER,
                frozenset({Role.ENFORCER}),
                to=State.RECTIFYING,
                parallel=state is State.RECTIFYING,
                paper="责令限期整改文书",
                clock=Clock.ORDER_PAPER,
                needs=("due_on", "basis", "measures"),
            )
            for state in (State.UNVERIFIED, State.RECTIFYING, State.DOWNGRADED)
        ),
    ]


def _ending() -> list[tuple[State | None, Step]]:
    firm_acceptor = frozenset({Role.LIABLE_UNIT, Role.OWNER_UNIT, Role.MANAGING_UNIT})
    firm_only = frozenset({Track.SELF_CHECK})
    return [
        row(
            State.RECTIFYING,
            Action.APPLY_REVIEW,
            FIRM,
            to=State.AWAITING_REVIEW,
            paper="复查申请",
            tracks=frozenset(Track) - firm_only,
        ),
        row(
            State.RECTIFYING,
            Action.EXPIRE,
            frozenset(),
            to=State.AWAITING_REVIEW,
            automatic=True,
            tracks=frozenset(Track) - firm_only,
        ),
        row(
            State.RECTIFYING,
            Action.APPLY,
            FIRM,
            to=State.AWAITING_ACCEPTANCE,
            paper="验收申请",
            tracks=firm_only,
        ),
        *(
            row(
                state,
                Action.REVIEW,
                frozenset({Role.REVIEWER}),
                verdicts={"passed": State.CLOSED, "failed": State.RECTIFYING},
                paper="整改复查意见书",
                clock=Clock.REVIEW,
                basis="安全生产违法行为行政处罚办法",
                needs=("second_person", "opinion"),
                tracks=tracks,
                roles_by_track={Track.ADVISED: frozenset({Role.TERRITORY_OFFICER})},
            )
            for state, tracks in (
                (State.RECTIFYING, frozenset(Track) - firm_only),
                (State.AWAITING_REVIEW, frozenset(Track)),
            )
        ),
        row(
            State.AWAITING_ACCEPTANCE,
            Action.ACCEPT,
            firm_acceptor,
            to=State.CLOSED,
            paper="验收记录",
            needs=("opinion",),
            tracks=firm_only,
        ),
        row(
            State.AWAITING_ACCEPTANCE,
            Action.REJECT,
            firm_acceptor,
            to=State.RECTIFYING,
            paper="验收记录",
            needs=("reason",),
            tracks=firm_only,
        ),
        row(
            State.RECTIFYING,
            Action.REQUEST_EXTENSION,
            FIRM,
            parallel=True,
            paper="延期申请",
            needs=("due_on", "reason", "interim_control"),
        ),
        row(
            State.RECTIFYING,
            Action.EXTEND,
            _IMPOSING,
            parallel=True,
            paper="延期审批表",
            clock=Clock.EXTENSION_ANSWER,
            needs=("due_on", "reason", "interim_control"),
        ),
        row(
            State.RECTIFYING,
            Action.REFUSE_EXTENSION,
            _IMPOSING,
            parallel=True,
            paper="不予延期答复",
            clock=Clock.EXTENSION_ANSWER,
            needs=("reason",),
        ),
        row(
            State.CLOSED,
            Action.SAMPLE,
            _OFFICIALS | {Role.REVIEWER, Role.SUPERVISING_UNIT},
            parallel=True,
            paper="抽查记录",
            needs=("found",),
        ),
        row(
            State.CLOSED,
            Action.REBOUND,
            _EVERYONE,
            verdicts={"reported": State.UNVERIFIED, "inspected": State.RECTIFYING},
            paper="新的部位、事实、照片",
            new_cycle=True,
            needs=("description",),
        ),
        *(
            row(
                state,
                Action.MERGE,
                _OFFICIALS,
                to=State.MERGED,
                paper="并案说明",
                needs=("into", "reason"),
                chains=_ONLY_GENERAL,
                grades=frozenset({Grade.GENERAL}),
            )
            for state in _GENERAL_OPEN
        ),
        *(
            row(
                state,
                Action.REPORT_GONE,
                _OFFICIALS | {Role.REVIEWER},
                to=State.GONE,
                paper="灭失现场核验记录",
                needs=("on_site", "photo_after", "reason"),
                chains=_ONLY_GENERAL,
            )
            for state in (*_GENERAL_OPEN, State.DOWNGRADED)
        ),
        *(
            row(
                state,
                Action.REPORT_GONE,
                DEPARTMENT | {Role.ACCEPTANCE_LEAD},
                verdicts={LISTED: State.DELISTING, UNLISTED: State.GONE},
                paper="灭失现场核验记录",
                needs=("on_site", "photo_after", "reason"),
            )
            for state in (State.SUSPECTED, *LED_AS_MAJOR[:-1])
        ),
    ]


def _moving() -> list[tuple[State | None, Step]]:
    handing = _OFFICIALS | {Role.COMMUNITY_CONTACT, Role.SUPERVISING_UNIT}
    rows = [
        row(
            State.AWAITING_RECEIPT,
            Action.RECEIVE,
            _OFFICIALS | {Role.SUPERVISING_UNIT},
            back=True,
            paper="移交单（签收栏）",
            clock=Clock.RECEIPT,
        ),
        row(
            State.AWAITING_RECEIPT,
            Action.SEND_BACK,
            _OFFICIALS | {Role.SUPERVISING_UNIT},
            back=True,
            paper="退单说明",
            clock=Clock.SEND_BACK,
            needs=("clause", "reason"),
        ),
        row(State.AWAITING_RECEIPT, Action.RETURN_UNSIGNED, frozenset(), back=True, automatic=True),
    ]
    for state in sorted(OPEN - {State.AWAITING_RECEIPT, State.DELISTING}):
        rows.append(
            row(
                state,
                Action.TRANSFER,
                handing,
                to=State.AWAITING_RECEIPT,
                remembers=True,
                paper="移交单",
                clock=Clock.HAND_OVER,
                needs=("body", "reason"),
            )
        )
    for state in sorted(OPEN - {State.DELISTING}):
        rows.append(
            row(
                state,
                Action.ASSIGN,
                frozenset({Role.SUPERVISING_UNIT, Role.CASE_LEADER}),
                to=State.AWAITING_RECEIPT,
                remembers=state is not State.AWAITING_RECEIPT,
                parallel=state is State.AWAITING_RECEIPT,
                paper="交办单（指定通知）",
                clock=Clock.DESIGNATE,
                needs=("body", "reason"),
            )
        )
    for state in (*_GENERAL_OPEN, State.DOWNGRADED):
        rows.append(
            row(
                state,
                Action.SUSPECT,
                _EVERYONE,
                to=State.SUSPECTED,
                paper="疑似重大隐患报告",
                clock=Clock.SUSPECT,
                needs=("body", "interim_control"),
                chains=_ONLY_GENERAL,
            )
        )
    return rows


def _beside() -> list[tuple[State | None, Step]]:
    rows = []
    for state in sorted(OPEN):
        rows += [
            row(
                state,
                Action.SECURE,
                _IMPOSING,
                parallel=True,
                paper="现场处理措施决定书",
                basis="安全生产法 第六十五条；消防法 第五十四条",
                needs=("measure",),
            ),
            row(state, Action.RELEASE, _IMPOSING, parallel=True, paper="解除现场处理措施", needs=("reason",)),
        ]
        if state is not State.DELISTING:
            rows.append(
                row(
                    state,
                    Action.WHISTLE,
                    frozenset({Role.TERRITORY_OFFICER}),
                    parallel=True,
                    paper="吹哨单",
                    clock=Clock.WHISTLE,
                    needs=("bodies", "reason"),
                )
            )
    for state in (*_PUNISHABLE, State.DOWNGRADED, *LED_AS_MAJOR):
        rows.append(
            row(
                state,
                Action.FILE_CASE,
                frozenset({Role.ENFORCER}),
                parallel=True,
                paper="立案审批表",
                clock=Clock.FILE_CASE,
                needs=("basis",),
            )
        )
    for state in _PUNISHABLE:
        rows += [
            row(
                state,
                Action.SIMPLE_PENALTY,
                frozenset({Role.ENFORCER}),
                parallel=True,
                paper="当场处罚决定书",
                basis="行政处罚法 第五十一条",
                needs=("basis", "second_person"),
                chains=_ONLY_GENERAL,
                grades=frozenset({Grade.GENERAL}),
            ),
            row(
                state,
                Action.WAIVE,
                frozenset({Role.ENFORCER}),
                parallel=True,
                paper="免罚记录、教育",
                basis="行政处罚法 第三十三条",
                needs=("reason", "second_person"),
                chains=_ONLY_GENERAL,
                grades=frozenset({Grade.GENERAL}),
            ),
        ]
    for state in LED_AS_MAJOR[:-1]:
        rows.append(
            row(
                state,
                Action.ORDER,
                frozenset({Role.ENFORCER}),
                parallel=True,
                paper="重大隐患整改通知书",
                clock=Clock.ORDER_PAPER,
                needs=("due_on", "basis", "measures"),
            )
        )
    return rows


GENERAL_TABLE: Table = build([*_entering(), *_ending(), *_moving(), *_beside()])
"""The general chain, and what both chains share."""

TABLE: Table = build(
    (state, each) for table in (GENERAL_TABLE, major_lifecycle.TABLE) for (state, _), each in table.items()
)
"""The whole machine: every state of both chains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a table row may ask of a hazard beside its state.

    `prior` is the state remembered when it was handed over; `designated`: the committee's office has named the holder,
    who may not send it back; `secured`: a site measure is in force; `ownerless`: nobody is liable (无主隐患).
    """

    chain: Chain = Chain.GENERAL
    track: Track | None = None
    grade: Grade = Grade.GENERAL
    listing: Listing = Listing.NOT_LISTED
    prior: State | None = None
    designated: bool = False
    extension_pending: bool = False
    secured: bool = False
    ownerless: bool = False


def is_open(state: State) -> bool:
    """This function will say whether something is still owed: unverified reports count as open (宁可信其有)."""
    return state in OPEN


def order_of_chain(chain: Chain) -> tuple[State, ...]:
    """This function will give the states of a chain in the order in which they are passed, for lists and diagrams."""
    return _ORDERS[chain]


def label(state: State, chain: Chain) -> tuple[str, str]:
    """This function will give the Chinese and English name of a state as its chain says it."""
    if state is State.CLOSED and chain is Chain.MAJOR:
        return "已核销（销号）", "Closed after acceptance"
    return state.zh, state.en


def step(state: State | None, action: Action) -> Step:
    """This function will give the row for an action in a state; None is the moment before the ledger.

    Raises: Refusal `hazard.action_not_allowed`.
    """
    found = TABLE.get((state, action))
    if found is None:
        raise _not_allowed(state, action)
    return found


def _not_allowed(state: State | None, action: Action) -> Refusal:
    return Refusal(
        "hazard.action_not_allowed",
        state_zh=state.zh if state else "未上账",
        state_en=state.en if state else "Not on the ledger",
        action_zh=action.zh,
        action_en=action.en,
    )


def targets(state: State | None, action: Action) -> frozenset[State]:
    """This function will give every state an action may lead to.

    Raises: Refusal `hazard.action_not_allowed`.
    """
    found = step(state, action)
    if found.back:
        return frozenset(left for (left, _), each in TABLE.items() if left and each.remembers)
    return frozenset(found.verdicts.values()) or frozenset({found.to} if found.to else ())


def target(state: State | None, action: Action, facts: Facts, *, verdict: str | None = None) -> State:
    """This function will give the state an action leads to, by the verdict, the listing, or the state remembered.

    Raises: Refusal `hazard.action_not_allowed`, `hazard.verdict_unknown`, `hazard.prior_state_missing`.
    """
    found = step(state, action)
    if found.back:
        if facts.prior is None or facts.prior not in targets(state, action):
            raise Refusal("hazard.prior_state_missing", field="prior")
        return facts.prior
    if found.decided_by_listing:
        return found.verdicts[LISTED if facts.listing.is_listed else UNLISTED]
    if found.verdicts:
        if verdict is None or verdict not in found.verdicts:
            raise Refusal("hazard.verdict_unknown", field="verdict", choices="、".join(found.verdicts))
        return found.verdicts[verdict]
    if found.to is None:
        raise _not_allowed(state, action)
    return found.to


def permitted_step(state: State | None, action: Action, roles: Set[Role] | None, facts: Facts) -> Step:
    """This function will give the row if these roles may do it on these facts; roles None is the system itself.

    Raises: Refusal `hazard.action_not_allowed`, `hazard.role_missing`, `hazard.track_forbids`, `hazard.grade_forbids`,
    `hazard.designated_cannot_return`, `hazard.extension_not_requested`, `hazard.not_secured`, `hazard.not_ownerless`,
    `hazard.already_listed`.
    """
    found = step(state, action)
    if facts.chain not in found.chains:
        raise _not_allowed(state, action)
    if not _may(found, roles, facts):
        raise Refusal("hazard.role_missing", action_zh=found.zh, action_en=found.en, **_names(found, facts))
    if facts.track is not None and facts.track not in found.tracks:
        raise Refusal(
            "hazard.track_forbids",
            track_zh=facts.track.zh,
            track_en=facts.track.en,
            action_zh=found.zh,
            action_en=found.en,
        )
    if facts.grade not in found.grades:
        raise Refusal(
            "hazard.grade_forbids",
            grade_zh=facts.grade.zh,
            grade_en=facts.grade.en,
            action_zh=found.zh,
            action_en=found.en,
        )
    code = _hindrance(action, facts)
    if code is not None:
        raise Refusal(code)
    return found


def _roles_needed(found: Step, facts: Facts) -> frozenset[Role]:
    if found.roles_if_listed is not None and facts.listing.is_listed:
        return found.roles_if_listed
    if facts.track is None:
        return found.roles
    return found.roles | found.roles_by_track.get(facts.track, frozenset())


def _may(found: Step, roles: Set[Role] | None, facts: Facts) -> bool:
    if roles is None:
        return found.automatic
    return not found.automatic and bool(_roles_needed(found, facts) & roles)


def _names(found: Step, facts: Facts) -> dict[str, str]:
    needed = sorted(_roles_needed(found, facts))
    return {
        "roles_zh": "、".join(each.zh for each in needed) or "系统",
        "roles_en": ", ".join(each.en for each in needed) or "the system",
    }


def _hindrance(action: Action, facts: Facts) -> str | None:
    hindered = {
        Action.SEND_BACK: (facts.designated, "hazard.designated_cannot_return"),
        Action.RETURN_UNSIGNED: (facts.designated, "hazard.designated_cannot_return"),
        Action.REFUSE_EXTENSION: (not facts.extension_pending, "hazard.extension_not_requested"),
        Action.RELEASE: (not facts.secured, "hazard.not_secured"),
        Action.NAME_BODY: (not facts.ownerless, "hazard.not_ownerless"),
        Action.PROPOSE_LIST: (facts.listing.is_listed, "hazard.already_listed"),
        Action.LIST: (facts.listing is Listing.CITY, "hazard.already_listed"),
    }
    holds, code = hindered.get(action, (False, None))
    return code if holds else None


def allowed_actions(state: State | None, roles: Set[Role], facts: Facts) -> tuple[Action, ...]:
    """This function will give the actions these roles may press on these facts, in the order of the words."""
    found = []
    for action in Action:
        if (state, action) in TABLE:
            try:
                permitted_step(state, action, roles, facts)
            except Refusal:
                continue
            found.append(action)
    return tuple(found)


def chain_after(arrived: State, before: Chain) -> Chain:
    """This function will say which chain leads a hazard once it arrived in a state.

    From `suspected` to `downgraded` it is the major chain; a judgement 一般 or the order after a downgrade leads back.
    `awaiting_receipt` and the final states keep the chain a hazard came with.
    """
    if arrived is State.AWAITING_RECEIPT or arrived in FINAL:
        return before
    return Chain.GENERAL if arrived in _ORDERS[Chain.GENERAL] else Chain.MAJOR


def grade_after(action: Action, before: Grade, *, verdict: str | None = None) -> Grade:
    """This function will give the grade after an action; only a judgement or a downgrade makes a hazard general again.

    A verdict without a loaded standard is `undetermined`, never general.
    """
    if action is Action.SUSPECT or (action is Action.VERIFY and verdict == "suspected"):
        return Grade.SUSPECTED_MAJOR
    if action is Action.JUDGE:
        return {"major": Grade.MAJOR, "general": Grade.GENERAL}.get(verdict or "", Grade.UNDETERMINED)
    return Grade.GENERAL if action is Action.DOWNGRADE else before


def track_after(action: Action, before: Track | None, chain: Chain) -> Track | None:
    """This function will give the track after an action: an order overrides every other, advice never an order."""
    if chain is Chain.GENERAL and action is Action.FIX_ON_SPOT:
        return Track.ON_SPOT
    if action is Action.ORDER:
        return Track.ORDERED
    if action is Action.ADVISE and before is not Track.ORDERED:
        return Track.ADVISED
    return before


def listing_after(action: Action, before: Listing, *, level: Listing | None = None) -> Listing:
    """This function will give the listing after an action; `level` is the one the listing body names.

    Raises: Refusal `hazard.listing_level` when 挂牌 names no level, or a lower one than before.
    """
    if action is Action.PROPOSE_LIST:
        return Listing.PROPOSED
    if action is Action.LIST:
        if level is None or not level.is_listed or (before is Listing.CITY and level is not Listing.CITY):
            raise Refusal("hazard.listing_level", field="level")
        return level
    if action is Action.DELIST or (action is Action.DOWNGRADE and before.is_listed):
        return Listing.DELISTED
    return before


def outcome_after(action: Action, arrived: State, before: Outcome) -> Outcome:
    """This function will give the outcome after an action; a penalty leaves it as it is.

    A listed hazard recorded as gone keeps that outcome through delisting; a new cycle begins with none.
    """
    if action is Action.REPORT_GONE:
        return Outcome.GONE
    if action in (Action.REBOUND, Action.ENTER):
        return Outcome.NONE
    if action is Action.DOWNGRADE:
        return Outcome.DOWNGRADED
    if arrived is State.CLOSED and action not in PENALTIES and action is not Action.SAMPLE:
        return Outcome.GONE if before is Outcome.GONE else Outcome.RECTIFIED
    return {State.NOT_FOUNDED: Outcome.NOT_FOUNDED, State.MERGED: Outcome.MERGED}.get(arrived, before)


def missing_needs(found: Step, given: Collection[str], facts: Facts) -> tuple[str, ...]:
    """This function will name the facts a step needs and the actor has not given, in the order of the form."""
    wanted = found.needs + (found.needs_if_listed if facts.listing.is_listed else ())
    return tuple(each for each in wanted if each not in given)


register(
    "hazard.action_not_allowed",
    zh="处于“{state_zh}”状态时不能“{action_zh}”",
    en="“{action_en}” is not possible in the state “{state_en}”",
)
register(
    "hazard.role_missing",
    zh="“{action_zh}”须由{roles_zh}办理",
    en="“{action_en}” is for: {roles_en}",
)
register(
    "hazard.track_forbids",
    zh="“{track_zh}”的隐患不适用“{action_zh}”",
    en="“{action_en}” does not apply to the track “{track_en}”",
)
register(
    "hazard.grade_forbids",
    zh="“{grade_zh}”不得“{action_zh}”",
    en="“{action_en}” is never possible for the grade “{grade_en}”",
)
register(
    "hazard.designated_cannot_return",
    zh="已由安委办指定办理，不能退回",
    en="Designated by the committee's office: it cannot be sent back",
)
register("hazard.extension_not_requested", zh="没有待答复的延期申请", en="No application for an extension is pending")
register("hazard.not_secured", zh="没有生效中的现场处置措施", en="No site measure is in force")
register(
    "hazard.not_ownerless", zh="已有整改责任主体，不适用无主隐患程序", en="Somebody is liable: it is not ownerless"
)
register("hazard.already_listed", zh="已经挂牌督办", en="It is already listed")
register(
    "hazard.listing_level",
    zh="挂牌须写明区级或市级，且不得低于现有级别",
    en="A listing names the district or the city, and never a lower level than before",
)
register("hazard.verdict_unknown", zh="结论须为其中之一：{choices}", en="The result must be one of: {choices}")
register(
    "hazard.prior_state_missing",
    zh="没有移交前的状态记录，不能恢复",
    en="The state before the hand-over is not known",
)

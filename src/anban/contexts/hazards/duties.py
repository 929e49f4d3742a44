"""Which duty each state of a hazard puts on whose desk, and by when: a table, and the few lines that follow it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from anban.base.files.models import Attachment
from anban.base.journal.births import born_of
from anban.base.journal.queries import last_actor
from anban.base.people.actor import Actor
from anban.base.people.models import Person
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.queries import in_charge
from anban.contexts.obligations import operations as obligations
from anban.contexts.obligations.models import Obligation
from anban.contexts.responsibility.chains import NAMING
from anban.contexts.responsibility.models import Link
from anban.contexts.responsibility.queries import OFFICER_ROLES, Answer, Resolution
from anban.contexts.territory.models import Body, Holding
from anban.contexts.territory.queries import body_by_id, posts_holder
from anban.rules.errors import Refusal, register
from anban.rules.escalation import is_deadlocked
from anban.rules.hazard_lifecycle import Action, Clock, Grade, Role, State

if TYPE_CHECKING:
    from anban.contexts.hazards.operations import Desk

register(
    "hazard.nobody_answers",
    zh="没有人能对这条隐患负责：请先在“人员与岗位”里任命数据管理员或安委办人员。",
    en="Nobody can answer for this hazard: appoint a steward or a committee officer under “People and posts” first.",
)


@dataclass(frozen=True, slots=True)
class Owed:
    """One row: the kind of duty, who owes it first (else the holder), and its clock; ``term`` takes the hazard's own term."""

    kind: str
    by: str
    clock: Clock | None = None
    term: bool = False
    rule: str = ""


TABLE: Mapping[State, Owed] = {
    State.UNVERIFIED: Owed("verify", "territory", Clock.VERIFY, rule="工作惯例：先核实"),
    State.AWAITING_RECEIPT: Owed("receive", "receiver", Clock.RECEIPT, rule="工作惯例：移交须签收"),
    State.RECTIFYING: Owed("rectify", "liable", term=True, rule="安全生产法 第四十一条"),
    State.AWAITING_REVIEW: Owed("review", "orderer", Clock.REVIEW, rule="安全生产违法行为行政处罚办法"),
    State.AWAITING_ACCEPTANCE: Owed("accept", "firm_other", rule="安全生产法 第四十一条"),
    State.SUSPECTED: Owed("judge", "department", Clock.JUDGE, rule="工作惯例：由主管部门判定"),
    State.JUDGED: Owed("register_major", "department", Clock.REGISTER_MAJOR, rule="安全生产法 第四十一条"),
    State.PLAN_DUE: Owed("submit_plan", "liable", Clock.PLAN_SUBMISSION, rule="安监总局令16 第十五条"),
    State.PLAN_REVIEW: Owed("approve_plan", "department", Clock.PLAN_APPROVAL, rule="工作惯例：方案须审核"),
    State.TREATING: Owed("treat", "liable", term=True, rule="安监总局令16 第十五条"),
    State.SELF_ASSESSED: Owed("apply", "liable", rule="安监总局令16 第十八条"),
    State.ACCEPTANCE: Owed("accept", "department", Clock.ACCEPTANCE, rule="安监总局令16 第二十三条"),
    State.DELISTING: Owed("delist", "office", Clock.DELISTING, rule="工作惯例：挂牌单位摘牌"),
    State.DOWNGRADED: Owed("order", "enforcer", rule="安全生产法 第六十五条"),
}
"""What each open state asks of whom. A state that isn't here owes nothing."""

TITLES: Mapping[str, tuple[str, str]] = {
    "verify": ("核实", "Verify"), "receive": ("签收", "Sign for"), "rectify": ("整改", "Rectify"),
    "review": ("复查", "Re-inspect"), "accept": ("验收", "Accept"), "judge": ("判定", "Judge"),
    "register_major": ("录入重大隐患台账", "Register as major"), "submit_plan": ("报送治理方案", "Submit the plan"),
    "approve_plan": ("审核治理方案", "Decide on the plan"), "treat": ("治理", "Treat"),
    "apply": ("申请验收", "Apply for acceptance"), "delist": ("摘牌", "Delist"), "order": ("责令或移交", "Order or hand over"),
    "name_person": ("落实整改责任人", "Name the liable person"), "returned": ("退回再移交", "Returned: hand over again"),
    "designate": ("指定承办单位", "Designate the body"), "propose_case": ("提请立案", "Propose a case"),
    "answer_extension": ("答复延期申请", "Answer the extension"),
}  # fmt: skip
"""The verb of each duty, in Chinese and English."""

KEPT = frozenset({"propose_case"})
"""Duties that a change of state does not end."""


def settle(
    *,
    actor: Actor,
    at: datetime,
    hazard: Hazard,
    desk: Desk,
    resolution: Resolution,
    action: Action | None = None,
    before: State | None = None,
) -> None:
    """End what the former state asked and put what the new one asks on a natural person's desk."""
    state = State(hazard.state)
    moved = before is None or before is not state or action in _RESTART
    if before is state and action in _RETIMED:
        obligations.fulfil(actor=actor, at=at, matter_id=hazard.pk, kinds=["order", "returned", "answer_extension"])
        if hazard.due_at is not None:
            obligations.move_due(
                actor=actor,
                at=at,
                matter_id=hazard.pk,
                kinds=_TERMED,
                due_at=hazard.due_at,
                provisional=hazard.provisional,
            )
        return
    if before is not None and moved:
        if action is Action.RETURN_UNSIGNED:
            # It was not signed for: nobody did what was owed.
            obligations.void(actor=actor, at=at, matter_id=hazard.pk, kinds=["receive"])
        kinds = [k for k in TITLES if k not in KEPT] if state in TABLE else None
        obligations.fulfil(actor=actor, at=at, matter_id=hazard.pk, kinds=kinds, pointless=NAMING)
    if not moved:
        _beside(actor, at, hazard, desk, resolution, action)
        return
    owed = TABLE.get(state)
    if owed is None:
        return
    person, body, unit = _who(owed.by, actor, hazard, resolution)
    kind = owed.kind
    if owed.by == "liable" and liable_id(hazard) is None:
        kind = "name_person"
    _owe(actor, at, hazard, desk, kind, person, body, unit, owed.rule, owed.clock, term=owed.term)
    if action in _RETURNS:
        _owe_return(actor, at, hazard, desk, resolution)
    elif state is State.RECTIFYING and hazard.due_at is None:
        officer = resolution.enforcer if resolution.enforcer.person is not None else _held(hazard)
        _owe_answer(actor, at, hazard, desk, "order", officer, "工作惯例：同日移交或责令", Clock.HAND_OVER)


def _owe_return(actor: Actor, at: datetime, hazard: Hazard, desk: Desk, resolution: Resolution) -> None:
    """Put what came back on the sender's desk; at a deadlock on the committee's office's, which names the body."""
    if is_deadlocked(hazard.times_returned, on=desk.on, overrides=desk.overrides):
        rule = "工作惯例：二次退回由安委办指定"
        _owe_answer(actor, at, hazard, desk, "designate", resolution.office, rule, Clock.DESIGNATE)
    else:
        rule = "工作惯例：退回的由移交人再办"
        _owe_answer(actor, at, hazard, desk, "returned", _held(hazard), rule, Clock.SEND_BACK)


_RETURNS = frozenset({Action.SEND_BACK, Action.RETURN_UNSIGNED})
"""Actions by which a transfer comes back."""

_RESTART = frozenset({Action.REVIEW, Action.REJECT, Action.ASSIGN})
"""Actions after which the same state asks anew."""

_RETIMED = frozenset({Action.ORDER, Action.EXTEND})
"""Actions that give the same duty another term: the duty, and a breach it already has, stay."""

_TERMED = ("rectify", "treat", "name_person")


def _beside(
    actor: Actor, at: datetime, hazard: Hazard, desk: Desk, resolution: Resolution, action: Action | None
) -> None:
    """Duties that arise without a change of state."""
    if action is Action.REQUEST_EXTENSION:
        officer = resolution.enforcer if hazard.grade == Grade.GENERAL.value else resolution.special
        _owe_answer(
            actor, at, hazard, desk, "answer_extension", officer, "安全生产违法行为行政处罚办法", Clock.EXTENSION_ANSWER
        )
    elif action is Action.REFUSE_EXTENSION:
        obligations.fulfil(actor=actor, at=at, matter_id=hazard.pk, kinds=["answer_extension"])
    elif action in (Action.FILE_CASE, Action.SIMPLE_PENALTY, Action.WAIVE):
        obligations.fulfil(actor=actor, at=at, matter_id=hazard.pk, kinds=["propose_case"])


def _held(hazard: Hazard) -> Answer:
    return Answer("holder", hazard.holder_body, hazard.holder, "现承办")


def _owe_answer(
    actor: Actor, at: datetime, hazard: Hazard, desk: Desk, kind: str, answer: Answer, rule: str, clock: Clock
) -> None:
    chosen = answer if answer.person is not None else _held(hazard)
    assert chosen.person is not None  # noqa: S101 - a holder is never missing
    unit = chosen.body.name if chosen.body else ""
    _owe(actor, at, hazard, desk, kind, chosen.person, chosen.body, unit, rule, clock)


def _owe(
    actor: Actor,
    at: datetime,
    hazard: Hazard,
    desk: Desk,
    kind: str,
    person: Person,
    body: Body | None,
    unit: str,
    rule: str,
    clock: Clock | None,
    *,
    term: bool = False,
) -> None:
    due_at, provisional, source = hazard.due_at if term else None, hazard.provisional and term, rule
    if clock is not None:
        due = desk.due(clock, hazard)
        if due is not None:
            due_at, provisional = due.at, due.provisional
            source = f"{rule} [{due.law.certainty}]"
    obligations.owe(
        actor=actor,
        at=at,
        duty=obligations.Duty(
            root=hazard.root,
            person=person,
            body=body,
            unit_name=unit or hazard.place_title,
            kind=kind,
            subject=("hazard", hazard.pk),
            matter_id=hazard.pk,
            cycle_no=hazard.cycle_no,
            place_id=hazard.place_id,
            area_path=hazard.area_path,
            title=hazard.fact[:200],
            place_title=hazard.place_title,
            ladder=Obligation.Ladder.SECTOR if kind in _SECTOR_KINDS else Obligation.Ladder.TERRITORY,
            grade=hazard.grade,
            due_at=due_at,
            provisional=provisional,
            source_rule=source[:200],
            link=f"/ledger/{hazard.pk}/",
        ),
    )


def owe_case(*, actor: Actor, at: datetime, hazard: Hazard, desk: Desk, resolution: Resolution) -> None:
    """Put the proposal to file a case on the desk of the ordering body's officer.

    The clock starts when it is put there: after an outage nobody is late for what they were never told.
    """
    answer = _orderer(hazard) or resolution.enforcer
    chosen = answer if answer.person is not None else _held(hazard)
    assert chosen.person is not None  # noqa: S101 - a holder is never missing
    unit = chosen.body.name if chosen.body else ""
    _owe(
        actor,
        at,
        hazard,
        desk,
        "propose_case",
        chosen.person,
        chosen.body,
        unit,
        "工作惯例：逾期即提请立案",
        Clock.FILE_CASE,
    )


_SECTOR_KINDS = frozenset(
    {"judge", "register_major", "approve_plan", "review", "order", "propose_case", "answer_extension"}
)


def _who(by: str, actor: Actor, hazard: Hazard, resolution: Resolution) -> tuple[Person, Body | None, str]:
    """Return the natural person who owes, with body and unit; there is always one."""
    if by == "liable":
        liable = _liable_link(hazard)
        if liable is not None:
            return liable.person, None, liable.unit_name
    if by == "firm_other":
        other = _other_of_firm(hazard)
        if other is not None:
            return other, None, hazard.place_title
    if by == "receiver" and hazard.sent_to_body is not None:
        holding = posts_holder(hazard.sent_to_body, hazard.area_path, hazard.entered_at)
        if holding is not None:
            return holding.person, hazard.sent_to_body, hazard.sent_to_body.name
    answers = {
        "territory": (resolution.territory,),
        "department": (_of_body(hazard), resolution.special, resolution.sector_lead),
        "enforcer": (resolution.enforcer,),
        "orderer": (_orderer(hazard), resolution.enforcer),
        "office": (resolution.office,),
    }.get(by, ())
    for answer in answers:
        if answer is not None and answer.person is not None:
            return answer.person, answer.body, answer.body.name if answer.body else ""
    return hazard.holder, hazard.holder_body, hazard.holder_body.name if hazard.holder_body else hazard.place_title


def _of_body(hazard: Hazard) -> Answer | None:
    if hazard.holder_body is None or State(hazard.state) is not State.SUSPECTED:
        return None
    holding = posts_holder(hazard.holder_body, hazard.area_path, hazard.entered_at, OFFICER_ROLES["special"])
    return Answer("department", hazard.holder_body, holding.person, "上报对象") if holding else None


def _orderer(hazard: Hazard) -> Answer | None:
    if hazard.ordering_body is None:
        return None
    holding: Holding | None = posts_holder(hazard.ordering_body, hazard.area_path, hazard.entered_at)
    return Answer("orderer", hazard.ordering_body, holding.person, "谁责令、谁复查") if holding else None


def _other_of_firm(hazard: Hazard) -> Person | None:
    applied = liable_id(hazard)
    return next((row.person for row in in_charge(hazard.place_id) if row.person_id != applied), None)


def liable_id(hazard: Hazard) -> UUID | None:
    """Return the natural person of the firm who has to rectify, or None while nobody is named."""
    liable = _liable_link(hazard)
    return liable.person_id if liable is not None else None


def _liable_link(hazard: Hazard) -> Link | None:
    wanted = Role.LIABLE_PERSON.value
    fresh = born_of(Link, hazard.pk)
    if fresh is not None:
        named = [row for row in fresh if (row.role, row.cycle_no, row.until_at) == (wanted, hazard.cycle_no, None)]
        return named[0] if named else None
    standing = Link.objects.filter(matter_id=hazard.pk, role=wanted, cycle_no=hazard.cycle_no, until_at__isnull=True)
    return standing.select_related("person").first()


def unit_of(actor: Actor, hazard: Hazard) -> str:
    """Return the name of the unit in which the actor acts."""
    for grant in actor.grants:
        if grant.place_id == hazard.place_id and grant.place_id is not None:
            return hazard.place_title
    for body_id in sorted(actor.body_ids()):
        body = body_by_id(body_id)
        return body.name if body else ""
    return ""


def photo_purposes(hazard: Hazard) -> frozenset[str]:
    """Return which photos this cycle has: ``photo_before``, ``photo_after``."""
    fresh = born_of(Attachment, hazard.pk)
    if fresh is not None:
        have = {row.purpose for row in fresh if row.cycle_no == hazard.cycle_no}
    else:
        rows = Attachment.objects.filter(matter_id=hazard.pk, cycle_no=hazard.cycle_no)
        have = set(rows.values_list("purpose", flat=True))
    return frozenset(f"photo_{p}" for p in have if p in {"before", "after"})


def last_writer(hazard: Hazard) -> str:
    """Return the name of the person who changed a hazard last, for the warning of a concurrent edit."""
    reference = last_actor(("hazard", hazard.pk))
    try:
        person = Person.objects.filter(pk=UUID(reference)).first()
    except ValueError:
        person = None
    return person.name if person and person.name else "另一位同事"


def steward(root: str) -> Person:
    """Return the root's named steward. Raises: hazard.nobody_answers."""
    person = Person.objects.filter(root=root, steward=True).order_by("id").first()
    if person is None:
        raise Refusal("hazard.nobody_answers")
    return person


def refresh(*, actor: Actor, at: datetime, hazard: Hazard, desk: Desk) -> bool:
    """Compute the provisional duties of a hazard again with the calendar as it is now; write only what moved."""
    moved = False
    rows = Obligation.objects.filter(matter_id=hazard.pk, state=Obligation.State.OPEN, provisional=True)
    by_kind = {owed.kind: owed.clock for owed in TABLE.values() if owed.clock is not None}
    for row in rows:
        clock = by_kind.get(row.kind)
        if clock is None:
            continue
        then = desk.at
        desk.at = row.opened_at
        due = desk.due(clock, hazard)
        desk.at = then
        if due is not None and not due.provisional:
            obligations.move_due(
                actor=actor, at=at, matter_id=hazard.pk, kinds=[row.kind], due_at=due.at, provisional=False
            )
            moved = True
    return moved

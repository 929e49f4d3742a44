"""Writes of boundaries: found and gone, assigned until settled, and decisions from the draft to the government's meeting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor, job_actor
from anban.contexts.obligations import operations as obligations
from anban.contexts.obligations.queries import is_owed
from anban.contexts.responsibility import policies
from anban.contexts.responsibility.clockwork import Workday, unit_of
from anban.contexts.responsibility.models import Boundary, Decision, JointMatter, JointPart
from anban.contexts.responsibility.net import Extent, Net, Scope, open_scopes
from anban.contexts.responsibility.operations import joint
from anban.contexts.responsibility.operations.mandates import add_mandates, change_mandates
from anban.contexts.responsibility.queries import Answer
from anban.contexts.responsibility.settling import plan_for
from anban.contexts.responsibility.wording import title_of
from anban.contexts.territory.models import Body
from anban.contexts.territory.operations import next_numbers
from anban.rules import boundaries as rules
from anban.rules.boundaries import Stage
from anban.rules.clocks import Due
from anban.rules.errors import Refusal, register

register(
    "boundary.not_allowed",
    zh="只有安委办（或临时代管人）可以办理责任界面。",
    en="Only the committee's office settles boundaries.",
)
register("boundary.ended", zh="这处责任界面已经界定或已不存在。", en="This boundary is settled or gone.")
register("boundary.body_unknown", zh="没有这个机构，或已撤销。", en="There is no such body, or it no longer exists.")
register(
    "boundary.decision_open",
    zh="已有一份界定方案在办，请先办结或撤回。",
    en="A decision is under way; finish or withdraw it first.",
)
register(
    "boundary.opinions_missing",
    zh="还有 {count} 个单位未答复，且未到期限。",
    en="{count} bodies have not answered and still have time.",
)
register("boundary.reason_missing", zh="请写明理由。", en="Give the reason.")
register(
    "boundary.document_missing",
    zh="请填写会议、文号、文件日期和生效日期。",
    en="Give the meeting, the document's number and date, and the day it takes effect.",
)
register("boundary.document_in_future", zh="文件日期不能在将来。", en="A document cannot be dated in the future.")
register("boundary.guard_not_allowed", zh="这件事不在您名下。", en="This is not yours.")

ASSIGNING: Final = ("assign_boundary",)
MEANWHILE: Final = ("guard_boundary", "hold_boundary", "settle_boundary")
PATH: Final = "/net/boundaries/{}/"


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look over the net changed: boundaries found, gone, and those that stand."""

    found: int
    gone: int
    standing: int


def look_over(*, actor: Actor, at: datetime) -> Looked:
    """Look over the whole net of the actor's root: what is newly open goes on desks, what is closed leaves them.

    A boundary's own office gets the duty to assign; each street concerned guards and reports meanwhile. A role that the table
    doesn't name at all is a table not begun and floods no desk; the figures show it. Run again it does nothing. Raises: responsibility.nobody_answers.
    """
    with unit():
        day = Workday.of(actor.root, at)
        everything = job_actor("responsibility.net", actor.root, zone=str(day.zone))
        net = Net.load(actor.root, day.on)
        begun = {row.role for row in net.table.rows}
        seen = {scope: extent for scope, extent in open_scopes(everything, day.on, net).items() if scope.role in begun}
        known = {
            Scope.of(row): row
            for row in Boundary.objects.select_for_update(of=("self",)).filter(root=actor.root, ended_at__isnull=True)
        }
        gone = [row for scope, row in known.items() if scope not in seen]
        for row in gone:
            _end(actor, at, row, Boundary.State.GONE, "boundary.gone")
        for scope, row in known.items():
            extent = seen.get(scope)
            if extent is not None and (row.places_count, row.since_on) != (extent.places, extent.since):
                row.places_count, row.since_on = extent.places, extent.since
                _save(actor, at, row, "boundary.measured", ["places_count", "since_on"], {"places": extent.places})
        fresh = sorted(
            ((scope, extent) for scope, extent in seen.items() if scope not in known),
            key=lambda pair: (pair[0].fault, pair[0].role, pair[0].place_kind, pair[0].hazard_class, str(pair[0].area_id), pair[0].bodies),
        )  # fmt: skip
        if fresh:
            numbers = next_numbers(actor=actor, at=at, root=actor.root, series="JM", year=day.on.year, count=len(fresh))
            for number, (scope, extent) in zip(numbers, fresh, strict=True):
                _found(actor, day, net, number, scope, extent)
        return Looked(len(fresh), len(gone), len(seen))


def _found(actor: Actor, day: Workday, net: Net, number: str, scope: Scope, extent: Extent) -> None:
    area = net.by_area[scope.area_id]
    row = Boundary.objects.create(
        root=actor.root,
        number=number,
        fault=scope.fault,
        role=scope.role,
        place_kind=scope.place_kind,
        industry=scope.industry,
        hazard_class=scope.hazard_class,
        area=area,
        area_path=area.path,
        bodies=scope.bodies,
        places_count=extent.places,
        since_on=extent.since,
        found_at=day.at,
    )
    record(
        "boundary.found",
        actor=actor,
        at=day.at,
        subject=("boundary", row.pk),
        data={"fault": row.fault, "role": row.role, "area": area.code, "places": extent.places},
        wrote=[row],
    )
    due = day.due("responsibility.assign_workdays")
    _owe(
        actor,
        day,
        row,
        "assign_boundary",
        day.office(area.path),
        f"工作惯例：三个工作日内指定 [{due.law.certainty}]",
        due,
    )
    guard = day.due("responsibility.guard_days")
    for path in sorted(extent.streets):
        street = day.answers().street_at(path)
        if street.person is not None:
            _owe(actor, day, row, "guard_boundary", street, "工作惯例：指定前街道看护并报告", guard, path)


def _owe(
    actor: Actor, day: Workday, row: Boundary, kind: str, who: Answer, rule: str, due: Due | None = None, path: str = ""
) -> None:
    assert who.person is not None  # noqa: S101 - the office's answer always names a person
    obligations.owe(
        actor=actor,
        at=day.at,
        duty=obligations.Duty(
            root=row.root,
            person=who.person,
            body=who.body,
            unit_name=unit_of(who),
            kind=kind,
            subject=("boundary", row.pk),
            matter_id=row.pk,
            area_path=path or row.area_path,
            title=title_of(row)[:300],
            title_en=title_of(row, english=True),
            place_title=f"{row.places_count} 个场所",
            due_at=due.at if due is not None else None,
            provisional=due.provisional if due is not None else False,
            source_rule=rule[:200],
            link=PATH.format(row.pk),
        ),
    )


def _save(actor: Actor, at: datetime, row: Boundary, verb: str, fields: Sequence[str], data: dict[str, object]) -> None:
    row.version += 1
    row.save(update_fields=[*fields, "version"])
    record(verb, actor=actor, at=at, subject=("boundary", row.pk), data=data, wrote=[row])


def _end(actor: Actor, at: datetime, row: Boundary, state: str, verb: str) -> None:
    """End a boundary with everything that is owed about it; a decision under way has lost its object."""
    row.state, row.ended_at = state, at
    _save(actor, at, row, verb, ["state", "ended_at"], {"state": str(state)})
    obligations.fulfil(actor=actor, at=at, matter_id=row.pk, kinds=["hold_boundary", "settle_boundary"])
    obligations.void(actor=actor, at=at, matter_id=row.pk)
    for decision in Decision.objects.select_for_update(of=("self",)).filter(boundary=row, ended_at__isnull=True):
        _withdraw(actor, at, decision)


def _open(actor: Actor, boundary_id: UUID) -> Boundary:
    row = (
        Boundary.objects.select_for_update(of=("self",))
        .select_related("area", "assigned_body")
        .filter(pk=boundary_id, root=actor.root)
        .first()
    )
    if row is None or not policies.can_settle(actor, row):
        raise Refusal("boundary.not_allowed")
    if row.ended_at is not None:
        raise Refusal("boundary.ended")
    return row


def _body(root: str, body_id: UUID, on: date) -> Body:
    body = Body.objects.select_related("area").filter(pk=body_id, root_id=root).first()
    if body is None or (body.until_on is not None and body.until_on <= on):
        raise Refusal("boundary.body_unknown", field="body")
    return body


def assign(*, actor: Actor, at: datetime, boundary_id: UUID, body_id: UUID, reason: str) -> Boundary:
    """Assign the body whose business is nearest (指定), until the government settles the boundary; it may be assigned anew.

    Raises: boundary.not_allowed, boundary.ended, boundary.body_unknown, boundary.reason_missing.
    """
    with unit():
        row = _open(actor, boundary_id)
        day = Workday.of(row.root, at)
        body = _body(row.root, body_id, day.on)
        if not reason.strip():
            raise Refusal("boundary.reason_missing", field="reason")
        row.assigned_body, row.assigned_at, row.state = body, at, Boundary.State.ASSIGNED
        row.version += 1
        row.save(update_fields=["assigned_body", "assigned_at", "state", "version"])
        record(
            "boundary.assigned",
            actor=actor,
            at=at,
            subject=("boundary", row.pk),
            data={"body": str(body.pk)},
            words={"reason": reason},
            wrote=[row],
        )
        obligations.fulfil(actor=actor, at=at, matter_id=row.pk, kinds=[*ASSIGNING, "guard_boundary"])
        obligations.void(actor=actor, at=at, matter_id=row.pk, kinds=["hold_boundary"])
        _owe(actor, day, row, "hold_boundary", day.at_body(body, row.area_path), "安委办指定：业务相近")
        if not is_owed(row.pk, "settle_boundary"):
            _owe(actor, day, row, "settle_boundary", day.office(row.area_path), "安全生产法 第十条第二款")
        return row


def report_guard(*, actor: Actor, at: datetime, boundary_id: UUID, report: str) -> Boundary:
    """Report what the street has seen and done at its places of an open boundary. Raises: boundary.guard_not_allowed, boundary.reason_missing."""
    with unit():
        row = Boundary.objects.select_for_update(of=("self",)).filter(pk=boundary_id, root=actor.root).first()
        if row is None or not report.strip():
            raise Refusal("boundary.reason_missing", field="report")
        done = obligations.fulfil_own(actor=actor, at=at, matter_id=row.pk, kinds=["guard_boundary"])
        if not done:
            raise Refusal("boundary.guard_not_allowed")
        record("boundary.guarded", actor=actor, at=at, subject=("boundary", row.pk), words={"report": report})
        return row


# Decisions


def draft(
    *, actor: Actor, at: datetime, boundary_id: UUID, body_id: UUID, reason: str, proposed_from: str = ""
) -> Decision:
    """Draft how a boundary is to be settled: which body shall have it, and why.

    Raises: boundary.not_allowed, boundary.ended, boundary.body_unknown, boundary.reason_missing, boundary.decision_open.
    """
    with unit():
        row = _open(actor, boundary_id)
        day = Workday.of(row.root, at)
        body = _body(row.root, body_id, day.on)
        if not reason.strip():
            raise Refusal("boundary.reason_missing", field="reason")
        if row.decisions.filter(ended_at__isnull=True).exists():
            raise Refusal("boundary.decision_open")
        number = next_numbers(actor=actor, at=at, root=row.root, series="JD", year=day.on.year)[0]
        made = Decision.objects.create(
            root=row.root,
            number=number,
            boundary=row,
            body=body,
            state=Stage.DRAFT.value,
            reason=reason.strip()[:500],
            proposed_from=proposed_from[:300],
            drafted_at=at,
        )
        record(
            "decision.drafted",
            actor=actor,
            at=at,
            subject=("decision", made.pk),
            matter=("boundary", row.pk),
            data={"body": str(body.pk), "number": number},
            wrote=[made],
        )
        return made


def ask_opinions(*, actor: Actor, at: datetime, decision_id: UUID, body_ids: Sequence[UUID]) -> JointMatter:
    """Ask the bodies concerned for their opinion on a draft, each with its clock.

    Raises: boundary.not_allowed, boundary.ended, boundary.wrong_stage, boundary.body_unknown.
    """
    with unit():
        decision, row = _decision(actor, decision_id, "ask_opinions")
        on = Workday.of(row.root, at).on
        bodies = [_body(row.root, one, on) for one in dict.fromkeys(body_ids)]
        if not bodies:
            raise Refusal("boundary.body_unknown", field="bodies")
        made = joint.open_joint(
            actor=actor,
            at=at,
            kind="opinion",
            title=f"{title_of(row)}：拟由{decision.body.name}负责",
            area_path=row.area_path,
            matter=("decision", decision.pk),
            parts=[joint.Asked(body, "对界定方案提出意见") for body in bodies],
        )
        _advance(actor, at, decision, "ask_opinions", [])
        return made


def to_staffing(*, actor: Actor, at: datetime, decision_id: UUID) -> Decision:
    """Send a draft on to the staffing office (编办) once the bodies have answered, or their time is up.

    Raises: boundary.not_allowed, boundary.ended, boundary.wrong_stage, boundary.opinions_missing.
    """
    with unit():
        decision, _row = _decision(actor, decision_id, "to_staffing")
        asked = JointMatter.objects.filter(matter_id=decision.pk, kind="opinion")
        silent = JointPart.objects.filter(joint__in=asked, state="waiting")
        early = silent.filter(due_at__gte=at).count()
        if early:
            raise Refusal("boundary.opinions_missing", count=early)
        for part in silent.select_related("joint"):
            joint.lapse(actor=actor, at=at, part_id=part.pk)
        return _advance(actor, at, decision, "to_staffing", [])


def to_meeting(*, actor: Actor, at: datetime, decision_id: UUID, view: str, view_on: date) -> Decision:
    """Enter what the staffing office said, and put the draft before the government's executive meeting.

    Raises: boundary.not_allowed, boundary.ended, boundary.wrong_stage, boundary.reason_missing, boundary.document_in_future.
    """
    with unit():
        decision, row = _decision(actor, decision_id, "to_meeting")
        if not view.strip():
            raise Refusal("boundary.reason_missing", field="view")
        if view_on > Workday.of(row.root, at).on:
            raise Refusal("boundary.document_in_future", field="view_on")
        decision.staffing_view, decision.staffing_on = view.strip()[:500], view_on
        return _advance(actor, at, decision, "to_meeting", ["staffing_view", "staffing_on"])


def decide(
    *,
    actor: Actor,
    at: datetime,
    decision_id: UUID,
    meeting: str,
    document_no: str,
    document_on: date | None,
    effective_on: date | None,
) -> Decision:
    """Enter the meeting's decision with its document: only now the rows of the net change, from the day it takes effect.

    Raises: boundary.not_allowed, boundary.ended, boundary.wrong_stage, boundary.document_missing, boundary.too_early,
    boundary.document_in_future. Source: 安全生产法 第十条第二款.
    """
    with unit():
        decision, row = _decision(actor, decision_id, "decide")
        day = Workday.of(row.root, at)
        if not (meeting.strip() and document_no.strip() and document_on and effective_on):
            raise Refusal("boundary.document_missing", field="document_no")
        if document_on > day.on:
            raise Refusal("boundary.document_in_future", field="document_on")
        decision.meeting, decision.document_no = meeting.strip()[:120], document_no.strip()[:80]
        decision.document_on, decision.effective_on, decision.ended_at = document_on, effective_on, at
        plan = plan_for(row, decision.body, effective_on)
        change_mandates(actor=actor, at=at, changes=[(one, effective_on, one.basis) for one in plan.ends])
        if plan.adds is not None:
            plan.adds.decision = decision
            plan.adds.basis = f"{decision.document_no}；{decision.meeting}；安全生产法 第十条第二款"[:300]
            add_mandates(actor=actor, at=at, rows=[plan.adds])
        _advance(actor, at, decision, "decide", ["meeting", "document_no", "document_on", "effective_on", "ended_at"])
        _settled(actor, at, row)
        return decision


def _settled(actor: Actor, at: datetime, row: Boundary) -> None:
    row.state, row.ended_at = Boundary.State.SETTLED, at
    _save(actor, at, row, "boundary.settled", ["state", "ended_at"], {})
    obligations.fulfil(actor=actor, at=at, matter_id=row.pk)


def withdraw(*, actor: Actor, at: datetime, decision_id: UUID, reason: str) -> Decision:
    """Withdraw a draft that is not in force; the boundary stays as it was, and a new draft may begin.

    Raises: boundary.not_allowed, boundary.wrong_stage, boundary.reason_missing.
    """
    with unit():
        decision, _row = _decision(actor, decision_id, "withdraw")
        if not reason.strip():
            raise Refusal("boundary.reason_missing", field="reason")
        return _withdraw(actor, at, decision, reason)


def _withdraw(actor: Actor, at: datetime, decision: Decision, reason: str = "") -> Decision:
    decision.ended_at = at
    for matter in JointMatter.objects.filter(matter_id=decision.pk, closed_at__isnull=True):
        joint.close_joint(actor=actor, at=at, joint_id=matter.pk)
    return _advance(actor, at, decision, "withdraw", ["ended_at"], reason)


def _decision(actor: Actor, decision_id: UUID, action: str) -> tuple[Decision, Boundary]:
    decision = (
        Decision.objects.select_for_update(of=("self",))
        .select_related("body__area")
        .filter(pk=decision_id, root=actor.root)
        .first()
    )
    if decision is None:
        raise Refusal("boundary.not_allowed")
    row = _open(actor, decision.boundary_id)
    rules.step(Stage(decision.state), action)
    return decision, row


def _advance(
    actor: Actor, at: datetime, decision: Decision, action: str, fields: Sequence[str], reason: str = ""
) -> Decision:
    decision.state = rules.step(Stage(decision.state), action).to.value
    decision.version += 1
    decision.save(update_fields=[*fields, "state", "version"])
    record(
        "decision.advanced",
        actor=actor,
        at=at,
        subject=("decision", decision.pk),
        matter=("boundary", decision.boundary_id),
        data={"action": action, "state": decision.state, "document": decision.document_no},
        words={"reason": reason},
        wrote=[decision],
    )
    return decision

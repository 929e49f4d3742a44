"""Writes of oversight visits: opened, findings put to bodies, rectified, followed up, closed (督察)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from anban.base.files.models import StoredFile
from anban.base.files.operations import attach
from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.base.people.models import Person
from anban.contexts.obligations import operations as obligations
from anban.contexts.obligations.models import Obligation
from anban.contexts.oversight import policies
from anban.contexts.oversight.models import OversightFinding, OversightVisit
from anban.contexts.oversight.queries.scope import figure
from anban.contexts.territory.models import Area, Body
from anban.contexts.territory.operations import next_numbers
from anban.contexts.territory.queries import city_date, posts_holder, root
from anban.kit.clock import day_end
from anban.rules.errors import Refusal, register

register("oversight.visit_closed", zh="这次督察已经办结。", en="This visit is closed.")
register("oversight.fact_missing", zh="请写明发现的问题。", en="Say what was found.")
register("oversight.requirement_missing", zh="请写明整改要求。", en="Say what is required.")
register("oversight.due_in_past", zh="整改期限不能早于今天。", en="It cannot be due before today.")
register("oversight.nobody_there", zh="{name}目前没有人在岗。", en="Nobody holds a post at {name} at present.")
register("oversight.statement_missing", zh="请写明整改情况。", en="Say what was put right.")
register("oversight.wrong_state", zh="这个问题现在不能这样办。", en="This cannot be done with the finding now.")
register("oversight.still_open", zh="还有 {n} 个问题没有回头看，不能办结。", en="{n} findings are not followed up yet.")
register("oversight.body_elsewhere", zh="{name}不在被督察的地区。", en="{name} does not lie in the area visited.")

SERIES = "DC"
RECTIFY, FOLLOW_UP = "rectify_finding", "follow_up"


def open_visit(
    *,
    actor: Actor,
    at: datetime,
    kind: str,
    area: Area,
    body: Body | None,
    from_on: date,
    before: OversightVisit | None = None,
) -> OversightVisit:
    """Open a visit to a district, a street or a body; never to a firm. Raises: oversight.not_allowed, oversight.body_elsewhere."""
    with unit():
        policies.require(
            area.root_id == actor.root and policies.can_oversee(actor, area.path) and actor.person_id is not None
        )
        if body is not None and not body.area.path.startswith(area.path):
            raise Refusal("oversight.body_elsewhere", field="body", name=body.name)
        number = next_numbers(actor=actor, at=at, root=actor.root, series=SERIES, year=from_on.year)[0]
        row = OversightVisit.objects.create(
            root=actor.root, number=number, kind=kind, area=area, body=body, area_path=area.path, from_on=from_on,
            leader_id=actor.person_key, before=before,
        )  # fmt: skip
        record(
            "oversight.opened", actor=actor, at=at, subject=("oversight", row.pk), wrote=[row],
            data={"number": number, "kind": kind, "area": area.code, "from": from_on.isoformat()},
        )  # fmt: skip
        return row


def add_finding(
    *,
    actor: Actor,
    at: datetime,
    visit_id: UUID,
    fact: str,
    requirement: str,
    body: Body,
    due_on: date,
    promise: str = "",
) -> OversightFinding:
    """Put what was found to a body and the person who answers there, with a term.

    Raises: oversight.not_allowed, oversight.visit_closed, oversight.fact_missing, oversight.requirement_missing,
    oversight.due_in_past, oversight.body_elsewhere, oversight.nobody_there.
    """
    with unit():
        visit = OversightVisit.objects.select_for_update(of=("self",)).get(pk=visit_id)
        policies.require(visit.root == actor.root and policies.can_oversee(actor, visit.area_path))
        if not visit.is_open:
            raise Refusal("oversight.visit_closed")
        if not fact.strip():
            raise Refusal("oversight.fact_missing", field="fact")
        if not requirement.strip():
            raise Refusal("oversight.requirement_missing", field="requirement")
        if due_on < city_date(at, actor.root):
            raise Refusal("oversight.due_in_past", field="due_on")
        if not body.area.path.startswith(visit.area_path):
            raise Refusal("oversight.body_elsewhere", field="body", name=body.name)
        holding = posts_holder(body, body.area.path, at)
        if holding is None:
            raise Refusal("oversight.nobody_there", field="body", name=body.name)
        row = OversightFinding.objects.create(
            visit=visit, no=visit.findings.count() + 1, fact=fact.strip(), requirement=requirement.strip(),
            promise=promise.strip(), body=body, person=holding.person, area_path=body.area.path, due_on=due_on,
        )  # fmt: skip
        _note("oversight.found", actor, at, row, {"body": str(body.pk), "due": due_on.isoformat()})
        _owe(actor, at, row, RECTIFY, holding.person, body, due_on, "督察整改要求")
        return row


def rectify(
    *, actor: Actor, at: datetime, finding_id: UUID, statement: str, file: StoredFile | None = None
) -> OversightFinding:
    """Report a finding as put right, by the body it was put to; the visit's leader then owes a look back.

    Raises: oversight.not_addressee, oversight.wrong_state, oversight.statement_missing.
    """
    with unit():
        row = _locked(finding_id, actor)
        policies.require(policies.can_rectify(actor, row), "oversight.not_addressee")
        if row.state != OversightFinding.State.OPEN:
            raise Refusal("oversight.wrong_state")
        if not statement.strip():
            raise Refusal("oversight.statement_missing", field="statement")
        row.state, row.rectified_at = OversightFinding.State.RECTIFIED, at
        row.version += 1
        row.save(update_fields=["state", "rectified_at", "version"])
        _note("oversight.rectified", actor, at, row, {}, {"statement": statement.strip()})
        if file is not None:
            attach(actor=actor, at=at, file=file, matter_kind="finding", matter_id=row.pk, purpose="paper")
        obligations.fulfil(actor=actor, at=at, matter_id=row.pk)
        on = city_date(at, actor.root)
        term = figure(actor, "follow_up_days", on)
        visit = OversightVisit.objects.select_related("leader").get(pk=row.visit_id)
        _owe(actor, at, row, FOLLOW_UP, visit.leader, None, on + timedelta(days=term.value), term.source.citation)
        return row


def follow_up(*, actor: Actor, at: datetime, finding_id: UUID, passed: bool, note: str = "") -> OversightFinding:
    """Look back at what was reported as put right: it holds, or it goes back to the body with a new start (回头看).

    Raises: oversight.not_allowed, oversight.wrong_state.
    """
    with unit():
        row = _locked(finding_id, actor)
        policies.require(policies.can_oversee(actor, row.area_path))
        if row.state != OversightFinding.State.RECTIFIED:
            raise Refusal("oversight.wrong_state")
        obligations.fulfil(actor=actor, at=at, matter_id=row.pk)
        if passed:
            row.state, row.verified_at = OversightFinding.State.VERIFIED, at
        else:
            row.state, row.rectified_at = OversightFinding.State.OPEN, None
            row.sent_back += 1
        row.version += 1
        row.save(update_fields=["state", "rectified_at", "verified_at", "sent_back", "version"])
        verb = "oversight.verified" if passed else "oversight.sent_back"
        _note(verb, actor, at, row, {"times": row.sent_back}, {"note": note})
        if not passed:
            # The promised day stays: what was not kept is late from that day on.
            _owe(actor, at, row, RECTIFY, row.person, row.body, row.due_on, "回头看未通过")
        return row


def close_visit(*, actor: Actor, at: datetime, visit_id: UUID) -> OversightVisit:
    """Close a visit whose findings all hold. Raises: oversight.not_allowed, oversight.visit_closed, oversight.still_open."""
    with unit():
        row = OversightVisit.objects.select_for_update(of=("self",)).get(pk=visit_id)
        policies.require(row.root == actor.root and policies.can_oversee(actor, row.area_path))
        if not row.is_open:
            raise Refusal("oversight.visit_closed")
        waiting = row.findings.exclude(state=OversightFinding.State.VERIFIED).count()
        if waiting:
            raise Refusal("oversight.still_open", n=waiting)
        row.is_open, row.until_on = False, city_date(at, actor.root)
        row.version += 1
        row.save(update_fields=["is_open", "until_on", "version"])
        record("oversight.closed", actor=actor, at=at, subject=("oversight", row.pk), wrote=[row])
        return row


def _locked(finding_id: UUID, actor: Actor) -> OversightFinding:
    rows = OversightFinding.objects.select_for_update(of=("self",)).select_related("visit", "body", "person")
    row = rows.get(pk=finding_id)
    policies.require(row.visit.root == actor.root)
    return row


def _note(
    verb: str,
    actor: Actor,
    at: datetime,
    row: OversightFinding,
    data: dict[str, object],
    words: dict[str, str] | None = None,
) -> None:
    record(
        verb, actor=actor, at=at, subject=("finding", row.pk), matter=("oversight", row.visit_id), wrote=[row],
        data={"no": row.no, **data}, words=words,
    )  # fmt: skip


def _owe(
    actor: Actor,
    at: datetime,
    row: OversightFinding,
    kind: str,
    person: Person,
    body: Body | None,
    due_on: date,
    rule: str,
) -> None:
    obligations.owe(
        actor=actor, at=at,
        duty=obligations.Duty(
            root=row.visit.root, person=person, body=body, unit_name=row.body.name, kind=kind,
            subject=("oversight", row.visit_id), matter_id=row.pk, area_path=row.area_path, title=row.fact[:200],
            place_title=row.body.name, source_rule=rule, due_at=day_end(due_on, root(row.visit.root).zone) - timedelta(seconds=1),
            link=f"/oversight/visits/{row.visit_id}/",
            ladder=Obligation.Ladder.SECTOR if body is not None and body.sector else Obligation.Ladder.TERRITORY,
        ),
    )  # fmt: skip

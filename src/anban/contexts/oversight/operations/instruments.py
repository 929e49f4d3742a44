"""Writes of the office's papers: issued from the ledger with a number without gaps, and answered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Max

from anban.base.files.models import StoredFile
from anban.base.files.operations import attach
from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.contexts.hazards.models import Hazard
from anban.contexts.obligations import operations as obligations
from anban.contexts.obligations.models import Obligation
from anban.contexts.obligations.queries import of_matter
from anban.contexts.oversight import policies
from anban.contexts.oversight.models import Instrument, OversightFinding, SanctionCase
from anban.contexts.oversight.queries.scope import COMMITTEE
from anban.contexts.territory.models import Body
from anban.contexts.territory.queries import city_date, posts_holder, root
from anban.kit.clock import day_end
from anban.rules.errors import Refusal, register
from anban.rules.escalation import Instrument as Kind

register("instrument.kind_unknown", zh="没有这种督办文书。", en="There is no such instrument.")
register("instrument.due_in_past", zh="办理期限不能早于今天。", en="It cannot be due before today.")
register(
    "instrument.nobody_there",
    zh="{name}目前没有人在岗，无法送达。",
    en="Nobody holds a post at {name}: it cannot be served.",
)
register("instrument.answered", zh="这份文书已经答复。", en="This paper has been answered.")
register("instrument.answer_missing", zh="请写明办理结果。", en="Say what was done.")
register("instrument.no_issuer", zh="您不在安委办任职，不能发文。", en="You hold no post at a committee's office.")

WRITTEN = (
    Kind.NOTE, Kind.ASSIGNMENT, Kind.SUPERVISION, Kind.WARNING, Kind.INTERVIEW, Kind.CIRCULAR, Kind.ACCOUNTABILITY,
)  # fmt: skip
"""The instruments that are papers; a telephone call is none, and a listing is the hazard's own action."""

OBLIGATION = "answer_instrument"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a paper is about: one hazard, one sanction case, or one finding of an oversight visit."""

    hazard: Hazard | None = None
    case: SanctionCase | None = None
    finding: OversightFinding | None = None

    @property
    def reference(self) -> tuple[str, UUID]:
        """The kind and id of the matter."""
        if self.hazard is not None:
            return "hazard", self.hazard.pk
        if self.case is not None:
            return "sanction", self.case.pk
        if self.finding is not None:
            return "finding", self.finding.pk
        message = "a paper is about something"
        raise ValueError(message)

    @property
    def area_path(self) -> str:
        """The area of the matter."""
        source = self.hazard or self.case or self.finding
        return source.area_path if source is not None else ""


def issue(*, actor: Actor, at: datetime, kind: str, about: About, to_body: Body, due_on: date) -> Instrument:
    """Issue a paper from the ledger: numbered without gaps, addressed to a body and the person who answers there.

    Raises: oversight.not_allowed, instrument.kind_unknown, instrument.due_in_past, instrument.nobody_there,
    instrument.no_issuer.
    """
    with unit():
        path = about.area_path
        policies.require(
            policies.can_oversee(actor, path) and to_body.root_id == actor.root and actor.person_id is not None
        )
        if kind not in {each.value for each in WRITTEN}:
            raise Refusal("instrument.kind_unknown", field="kind")
        on = city_date(at, actor.root)
        if due_on < on:
            raise Refusal("instrument.due_in_past", field="due_on")
        holding = posts_holder(to_body, path, at)
        if holding is None:
            raise Refusal("instrument.nobody_there", field="to_body", name=to_body.name)
        issuer_id = next((g.body_id for g in actor.grants if g.role in COMMITTEE and g.body_id), None)
        if issuer_id is None:
            raise Refusal("instrument.no_issuer")
        # The issuer's row is held until the commit: of two papers at once the second takes the next number, and a paper
        # that is taken back gives its number back with it.
        issuer = Body.objects.select_for_update(of=("self",)).get(pk=issuer_id)
        last = Instrument.objects.filter(root=actor.root, issuer=issuer, kind=kind, year=on.year).aggregate(
            n=Max("serial")
        )
        about_kind, about_id = about.reference
        row = Instrument.objects.create(
            root=actor.root, kind=kind, year=on.year, serial=(last["n"] or 0) + 1, issuer=issuer,
            issued_by_id=actor.person_key, issued_at=at, to_body=to_body, to_person=holding.person, area_path=path,
            hazard=about.hazard, case=about.case, about_kind=about_kind, about_id=about_id,
            facts=json.dumps(_facts(about, actor.root), ensure_ascii=False, sort_keys=True), due_on=due_on,
        )  # fmt: skip
        record(
            "instrument.issued", actor=actor, at=at, subject=("instrument", row.pk), matter=(about_kind, about_id),
            wrote=[row], data={"kind": kind, "serial": row.serial, "to": str(to_body.pk), "due": due_on.isoformat()},
        )  # fmt: skip
        obligations.owe(
            actor=actor, at=at,
            duty=obligations.Duty(
                root=row.root, person=holding.person, body=to_body, unit_name=to_body.name, kind=OBLIGATION,
                subject=("instrument", row.pk), matter_id=row.pk, area_path=path, title=row.number,
                place_title=about.hazard.place_title if about.hazard else "", source_rule=row.number,
                due_at=day_end(due_on, root(row.root).zone) - timedelta(seconds=1),
                link=f"/oversight/instruments/{row.pk}/",
                ladder=Obligation.Ladder.SECTOR if to_body.sector else Obligation.Ladder.TERRITORY,
            ),
        )  # fmt: skip
        return row


def answer(
    *, actor: Actor, at: datetime, instrument_id: UUID, words: str, file: StoredFile | None = None
) -> Instrument:
    """Answer a paper: once, in words and perhaps with a file, by the body it was addressed to.

    Raises: oversight.not_addressee, instrument.answered, instrument.answer_missing.
    """
    with unit():
        row = Instrument.objects.select_for_update(of=("self",)).get(pk=instrument_id)
        policies.require(row.root == actor.root and policies.can_answer(actor, row), "oversight.not_addressee")
        if row.answered_at is not None:
            raise Refusal("instrument.answered")
        if not words.strip():
            raise Refusal("instrument.answer_missing", field="words")
        row.answered_at, row.answered_by_id = at, actor.person_id
        row.version += 1
        row.save(update_fields=["answered_at", "answered_by", "version"])
        record(
            "instrument.answered", actor=actor, at=at, subject=("instrument", row.pk), wrote=[row],
            words={"answer": words.strip()},
        )  # fmt: skip
        if file is not None:
            attach(actor=actor, at=at, file=file, matter_kind="instrument", matter_id=row.pk, purpose="paper")
        obligations.fulfil(actor=actor, at=at, matter_id=row.pk)
        return row


def _facts(about: About, root_code: str) -> dict[str, Any]:
    """Return what the ledger says of the matter now; the paper is printed from this, also years later."""
    if about.hazard is not None:
        row = about.hazard
        late = [o.breached_at for o in of_matter(row.pk) if o.breached_at is not None]
        return {
            "number": row.number, "place": row.place_title, "fact": row.fact, "basis": row.basis, "grade": row.grade,
            "state": row.state, "found_on": row.found_on.isoformat(), "cycle": row.cycle_no, "rebounds": row.rebound_no,
            "due_on": city_date(row.due_at, root_code).isoformat() if row.due_at else "", "breaches": len(late),
        }  # fmt: skip
    if about.case is not None:
        case = about.case
        return {
            "number": case.number, "title": case.title, "level": case.level, "happened_on": case.happened_on.isoformat(),
            "items": [
                {"subject": i.subject, "unit": i.unit_name, "state": i.state, "due_on": i.due_on.isoformat()}
                for i in case.items.order_by("id")
            ],
        }  # fmt: skip
    finding = about.finding
    if finding is None:
        return {}
    return {
        "number": f"{finding.visit.number}-{finding.no}", "fact": finding.fact, "requirement": finding.requirement,
        "promise": finding.promise, "due_on": finding.due_on.isoformat(), "state": finding.state,
    }  # fmt: skip

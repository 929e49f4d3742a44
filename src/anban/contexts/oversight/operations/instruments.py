"""Writes of the office's papers: issued from the ledger with a number without gaps, and answered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Max

from anban.base.files.models import StoredFile
from anban.base.files.operations import attach
from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.base.people.models import Person
from anban.contexts.hazards.models import Hazard
from anban.contexts.obligations import operations as obligations
from anban.contexts.obligations.models import EscalationStep, Obligation
from anban.contexts.obligations.queries import of_matter
from anban.contexts.oversight import policies
from anban.contexts.oversight.models import Clue, Instrument, OversightFinding, SanctionCase, StepPaper
from anban.contexts.oversight.operations.clues import put_on_desk
from anban.contexts.oversight.queries.clues import figures_of
from anban.contexts.oversight.queries.instruments import steps_without_paper
from anban.contexts.oversight.queries.scope import COMMITTEE
from anban.contexts.territory.models import Body
from anban.contexts.territory.queries import (
    calendar,
    city_date,
    holders_of_role,
    holdings_of,
    posts_holder,
    root,
    settings_of,
)
from anban.kit.clock import day_end
from anban.rules import law
from anban.rules.clocks import due_by
from anban.rules.errors import Refusal, register
from anban.rules.escalation import WRITTEN, Rung, rung_of
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
register("instrument.reason_missing", zh="请说明原因。", en="Give the reason.")
register(
    "instrument.other_body",
    zh="这条线索说的是一个机构，只能发给它：各机构的数字只供安委办研判。",
    en="This clue is about one body and goes to that body alone: figures of bodies are for the committee's office.",
)
register("instrument.no_issuer", zh="您不在安委办任职，不能发文。", en="You hold no post at a committee's office.")

OBLIGATION = "answer_instrument"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a paper is about: one hazard, one sanction case, one finding of an oversight visit, or one clue."""

    hazard: Hazard | None = None
    case: SanctionCase | None = None
    finding: OversightFinding | None = None
    clue: Clue | None = None

    @property
    def reference(self) -> tuple[str, UUID]:
        """The kind and id of the matter."""
        if self.hazard is not None:
            return "hazard", self.hazard.pk
        if self.case is not None:
            return "sanction", self.case.pk
        if self.finding is not None:
            return "finding", self.finding.pk
        if self.clue is not None:
            return "clue", self.clue.pk
        message = "a paper is about something"
        raise ValueError(message)

    @property
    def area_path(self) -> str:
        """The area of the matter."""
        source = self.hazard or self.case or self.finding or self.clue
        return source.area_path if source is not None else ""


def issue(*, actor: Actor, at: datetime, kind: str, about: About, to_body: Body, due_on: date) -> Instrument:
    """Issue a paper from the ledger: numbered without gaps, addressed to a body and the person who answers there.

    A paper about a clue puts it on that body's desk, and a clue about a body goes to no other: its figures are for the office alone.
    Raises: oversight.not_allowed, instrument.kind_unknown, instrument.due_in_past, instrument.nobody_there,
    instrument.no_issuer, instrument.other_body, clue.dealt_with.
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
        if about.clue is not None and about.clue.body_id not in (None, to_body.pk):
            raise Refusal("instrument.other_body", field="to_body")
        # What is compared lies all over the district; who answers for it sits at the body's own ground.
        holding = posts_holder(to_body, to_body.area.path if about.clue is not None else path, at)
        if holding is None:
            raise Refusal("instrument.nobody_there", field="to_body", name=to_body.name)
        issuer_id = next((g.body_id for g in actor.grants if g.role in COMMITTEE and g.body_id), None)
        if issuer_id is None:
            raise Refusal("instrument.no_issuer")
        made = _write(actor, at, kind, about, _Sent(issuer_id, actor.person_key, to_body, holding.person), due_on)
        if about.clue is not None:
            put_on_desk(actor=actor, at=at, clue_id=about.clue.pk, paper=made.number)
        return made


@dataclass(frozen=True, slots=True)
class _Sent:
    """Who issues a paper, in whose name, and to whom."""

    issuer_id: UUID
    issued_by: UUID
    to_body: Body
    to_person: Person


def _write(
    actor: Actor, at: datetime, kind: str, about: About, sent: _Sent, due_on: date, *, step: str = ""
) -> Instrument:
    on = city_date(at, actor.root)
    # The issuer's row is held until the commit: of two papers at once the second takes the next number, and a paper
    # that is taken back gives its number back with it.
    issuer = Body.objects.select_for_update(of=("self",)).get(pk=sent.issuer_id)
    last = Instrument.objects.filter(root=actor.root, issuer=issuer, kind=kind, year=on.year).aggregate(n=Max("serial"))
    about_kind, about_id = about.reference
    facts = _facts(about, actor.root) | ({"step": step} if step else {})
    row = Instrument.objects.create(
        root=actor.root, kind=kind, year=on.year, serial=(last["n"] or 0) + 1, issuer=issuer,
        issued_by_id=sent.issued_by, issued_at=at, to_body=sent.to_body, to_person=sent.to_person, area_path=about.area_path,
        hazard=about.hazard, case=about.case, about_kind=about_kind, about_id=about_id,
        facts=json.dumps(facts, ensure_ascii=False, sort_keys=True), due_on=due_on,
    )  # fmt: skip
    record(
        "instrument.issued", actor=actor, at=at, subject=("instrument", row.pk), matter=(about_kind, about_id),
        wrote=[row],
        data={"kind": kind, "serial": row.serial, "to": str(sent.to_body.pk), "due": due_on.isoformat(), "step": step},
    )  # fmt: skip
    obligations.owe(
        actor=actor, at=at,
        duty=obligations.Duty(
            root=row.root, person=sent.to_person, body=sent.to_body, unit_name=sent.to_body.name, kind=OBLIGATION,
            subject=("instrument", row.pk), matter_id=row.pk, area_path=about.area_path, title=row.number,
            place_title=about.hazard.place_title if about.hazard else "", source_rule=row.number,
            due_at=day_end(due_on, root(row.root).zone) - timedelta(seconds=1),
            link=f"/oversight/instruments/{row.pk}/",
            ladder=Obligation.Ladder.SECTOR if sent.to_body.sector else Obligation.Ladder.TERRITORY,
        ),
    )  # fmt: skip
    return row


CITY_RUNGS = frozenset({"city_office", "city_department"})
"""Rungs whose paper the city's office issues; the others' is the district's."""


def issue_for_step(*, actor: Actor, at: datetime, step_id: UUID) -> Instrument | None:
    """Issue the paper of a ladder's step (督办升级), in the step's own transaction: numbered, addressed, due; each step once.

    A note (提示函) goes to whoever the rung tells; heavier ones, and a note where that post is vacant, go to the body that owes. Steps about one hazard and cycle on
    one rung share a paper. None where nobody is there to issue or to receive: ``issue_missing`` asks again while it is owed.
    """
    with unit():
        step = (
            EscalationStep.objects.select_for_update(of=("self",))
            .select_related("obligation__body", "told")
            .get(pk=step_id)
        )
        owed = step.obligation
        rung = rung_of(step.step)
        if rung is None or owed.state != Obligation.State.OPEN or owed.subject_kind != "hazard":
            return None
        if StepPaper.objects.filter(step=step).exists():
            return None
        hazard = Hazard.objects.select_related("holder_body").get(pk=owed.matter_id)
        earlier = StepPaper.objects.filter(
            step__step=step.step, step__obligation__matter_id=hazard.pk, step__obligation__cycle_no=owed.cycle_no
        ).select_related("instrument")
        made: Instrument | None = next((one.instrument for one in earlier.order_by("id")), None)
        if made is None:
            sent = _sent_for(step, rung, hazard, at)
            if sent is None:
                return None
            due = due_by(
                "oversight.paper_days", at, calendar=calendar(owed.root), zone=ZoneInfo(root(owed.root).zone),
                on=city_date(at, owed.root), overrides=_overrides(owed.root),
            )  # fmt: skip
            due_on = city_date(due.at, owed.root)
            made = _write(actor, at, rung.instrument.value, About(hazard=hazard), sent, due_on, step=rung.name)
        kept = StepPaper.objects.create(step=step, instrument=made)
        record(
            "step.papered", actor=actor, at=at, subject=("instrument", made.pk),
            data={"step": step.step, "of": str(kept.step_id)},
        )  # fmt: skip
        return made


def issue_missing(*, actor: Actor, at: datetime) -> int:
    """Issue the papers of steps about what is still owed that had nobody to issue or receive them when they were taken."""
    rows = list(steps_without_paper(actor.root).values_list("pk", flat=True))
    return sum(issue_for_step(actor=actor, at=at, step_id=pk) is not None for pk in rows)


def _sent_for(step: EscalationStep, rung: Rung, hazard: Hazard, at: datetime) -> _Sent | None:
    on = city_date(at, hazard.root)
    role = COMMITTEE[1] if rung.name in CITY_RUNGS else COMMITTEE[0]
    office = holders_of_role(hazard.root, role, hazard.area_path, on)
    if not office:
        return None
    by = office[0]
    if rung.instrument is Kind.NOTE and step.told is not None:
        posts = holdings_of(step.told.pk, on)
        post = next((one.post for one in posts if one.post.place_id is None), None)
        if post is not None:
            return _Sent(by.post.body_id, by.person_id, post.body, step.told)
    to_body = step.obligation.body or hazard.holder_body
    holding = posts_holder(to_body, hazard.area_path, at) if to_body else None
    if to_body is None or holding is None or to_body.pk == by.post.body_id:
        return None
    return _Sent(by.post.body_id, by.person_id, to_body, holding.person)


def _overrides(root_code: str) -> dict[str, int]:
    known = set(law.overridable())
    return {k: int(v) for k, v in settings_of(root_code).items() if k in known}


def answer(
    *, actor: Actor, at: datetime, instrument_id: UUID, words: str, reason: str = "", file: StoredFile | None = None
) -> Instrument:
    """Answer a paper: once, in words and perhaps with a file, by the body it was addressed to; about a clue with its reason too.

    Raises: oversight.not_addressee, instrument.answered, instrument.answer_missing, instrument.reason_missing.
    """
    with unit():
        row = Instrument.objects.select_for_update(of=("self",)).get(pk=instrument_id)
        policies.require(row.root == actor.root and policies.can_answer(actor, row), "oversight.not_addressee")
        if row.answered_at is not None:
            raise Refusal("instrument.answered")
        if not words.strip():
            raise Refusal("instrument.answer_missing", field="words")
        if row.about_kind == "clue" and not reason.strip():
            raise Refusal("instrument.reason_missing", field="reason")
        row.answered_at, row.answered_by_id = at, actor.person_id
        row.version += 1
        row.save(update_fields=["answered_at", "answered_by", "version"])
        record(
            "instrument.answered", actor=actor, at=at, subject=("instrument", row.pk), wrote=[row],
            words={"answer": words.strip(), **({"reason": reason.strip()} if reason.strip() else {})},
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
    if about.clue is not None:
        clue = about.clue
        told = figures_of(clue)
        return {
            "number": clue.number, "clue": clue.kind, "key": clue.key, "since": clue.since_on.isoformat(),
            "until": clue.until_on.isoformat(), "results": told["results"], "share": told.get("share"),
        }  # fmt: skip
    finding = about.finding
    if finding is None:
        return {}
    return {
        "number": f"{finding.visit.number}-{finding.no}", "fact": finding.fact, "requirement": finding.requirement,
        "promise": finding.promise, "due_on": finding.due_on.isoformat(), "state": finding.state,
    }  # fmt: skip

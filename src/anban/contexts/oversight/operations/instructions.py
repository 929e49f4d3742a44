"""Writes of instructions and upper documents: registered by number, turned into measures, done when the ledger shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.base.people.models import Person
from anban.contexts.hazards.models import Hazard
from anban.contexts.obligations import operations as obligations
from anban.contexts.obligations.models import Obligation
from anban.contexts.oversight import policies
from anban.contexts.oversight.models import InstructedMeasure, Instruction
from anban.contexts.oversight.queries.scope import figure
from anban.contexts.territory.models import Body
from anban.contexts.territory.queries import calendar, city_date, root
from anban.kit.clock import day_end
from anban.rules.errors import Refusal, register

register("instruction.number_missing", zh="请填写文号。", en="Give the document's number.")
register("instruction.number_twice", zh="文号 {number} 已经登记。", en="The number {number} is on record already.")
register(
    "instruction.requirement_missing",
    zh="请用一句话写明要求，不抄原文。",
    en="Say in one line what is asked; do not copy the text.",
)
register("instruction.dates_reversed", zh="办理期限不能早于签发日期。", en="It cannot be due before it was issued.")
register(
    "instruction.hazard_twice", zh="这条隐患已在这一批示件下。", en="This hazard is under this instruction already."
)
register("instruction.hazard_unknown", zh="没有这条隐患。", en="There is no such hazard.")
register(
    "instruction.no_evidence",
    zh="台账上还没有责令、处置或销号，不能登记为已落实。",
    en="The ledger shows no order, measure or close yet; it cannot be recorded as done.",
)

REQUIREMENT = "turn_into_measures"
MEASURE = "instructed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What is kept of an instruction: number, requirement, dates. There is no field for its text."""

    kind: str
    number: str
    requirement: str
    issued_on: date
    due_on: date
    report_on: date | None = None
    area_path: str


def register_instruction(*, actor: Actor, at: datetime, received: Received) -> Instruction:
    """Register an instruction or upper document; until it has a measure it stands red and its registrar owes one.

    Raises: oversight.not_allowed, instruction.number_missing, instruction.number_twice, instruction.requirement_missing,
    instruction.dates_reversed.
    """
    with unit():
        policies.require(policies.can_oversee(actor, received.area_path) and actor.person_id is not None)
        number = received.number.strip()
        if not number:
            raise Refusal("instruction.number_missing", field="number")
        if not received.requirement.strip():
            raise Refusal("instruction.requirement_missing", field="requirement")
        if received.due_on < received.issued_on:
            raise Refusal("instruction.dates_reversed", field="due_on")
        if Instruction.objects.filter(root=actor.root, number=number).exists():
            raise Refusal("instruction.number_twice", field="number", number=number)
        person = Person.objects.get(pk=actor.person_key)
        row = Instruction.objects.create(
            root=actor.root, kind=received.kind, number=number, requirement=received.requirement.strip(),
            issued_on=received.issued_on, due_on=received.due_on, report_on=received.report_on,
            area_path=received.area_path, registrar=person, registered_at=at,
        )  # fmt: skip
        record(
            "instruction.registered", actor=actor, at=at, subject=("instruction", row.pk), wrote=[row],
            data={"kind": row.kind, "number": number, "issued_on": row.issued_on.isoformat(), "due": row.due_on.isoformat()},
        )  # fmt: skip
        on = city_date(at, actor.root)
        term = figure(actor, "instruction_receipt_workdays", on)
        last, provisional = calendar(actor.root).provisional_add_workdays(on, term.value)
        obligations.owe(
            actor=actor, at=at,
            duty=obligations.Duty(
                root=row.root, person=person, unit_name="", kind=REQUIREMENT, subject=("instruction", row.pk),
                matter_id=row.pk, area_path=row.area_path, title=f"{number} {row.requirement}",
                source_rule=term.source.citation, due_at=_end(last, row.root), provisional=provisional,
                link=f"/oversight/instructions/{row.pk}/",
            ),
        )  # fmt: skip
        return row


def add_measure(
    *,
    actor: Actor,
    at: datetime,
    instruction_id: UUID,
    hazard_id: UUID,
    person: Person,
    body: Body | None,
    requirement: str,
    due_on: date,
) -> InstructedMeasure:
    """Turn an instruction into a measure on one matter, on a natural person's desk.

    Raises: oversight.not_allowed, instruction.requirement_missing, instruction.dates_reversed, instruction.hazard_unknown,
    instruction.hazard_twice.
    """
    with unit():
        row = Instruction.objects.select_for_update().get(pk=instruction_id)
        hazard = Hazard.objects.filter(pk=hazard_id, root=row.root).first()
        if hazard is None or row.root != actor.root:
            raise Refusal("instruction.hazard_unknown", field="hazard")
        policies.require(policies.can_oversee(actor, row.area_path) and policies.can_oversee(actor, hazard.area_path))
        if not requirement.strip():
            raise Refusal("instruction.requirement_missing", field="requirement")
        if due_on < row.issued_on:
            raise Refusal("instruction.dates_reversed", field="due_on")
        if row.measures.filter(hazard=hazard).exists():
            raise Refusal("instruction.hazard_twice", field="hazard")
        made = InstructedMeasure.objects.create(
            instruction=row, hazard=hazard, body=body, person=person, requirement=requirement.strip(), put_at=at,
            due_on=due_on,
        )  # fmt: skip
        row.measures_count += 1
        row.version += 1
        row.save(update_fields=["measures_count", "version"])
        record(
            "instruction.measure_put", actor=actor, at=at, subject=("instruction", row.pk),
            matter=("hazard", hazard.pk), wrote=[made, row],
            data={"number": row.number, "person": str(person.pk), "due": due_on.isoformat()},
        )  # fmt: skip
        obligations.fulfil(actor=actor, at=at, matter_id=row.pk, kinds=[REQUIREMENT])
        obligations.owe(
            actor=actor, at=at,
            duty=obligations.Duty(
                root=row.root, person=person, body=body, unit_name=body.name if body else "", kind=MEASURE,
                subject=("instructed", made.pk), matter_id=made.pk, place_id=hazard.place_id, area_path=hazard.area_path,
                title=f"{row.number} {made.requirement}", place_title=hazard.place_title, grade=hazard.grade,
                source_rule=row.number[:200], due_at=_end(due_on, row.root), link=f"/ledger/{hazard.pk}/",
                ladder=Obligation.Ladder.SECTOR if body is not None and body.sector else Obligation.Ladder.TERRITORY,
            ),
        )  # fmt: skip
        return made


def settle_measure(*, actor: Actor, at: datetime, measure_id: UUID) -> InstructedMeasure:
    """Record a measure as done, by what the ledger shows of its matter since it was put (报告反馈).

    Raises: oversight.not_allowed, instruction.no_evidence.
    """
    with unit():
        row = InstructedMeasure.objects.select_for_update().select_related("hazard", "instruction").get(pk=measure_id)
        mine = actor.person_id == row.person_id
        policies.require(mine or policies.can_oversee(actor, row.hazard.area_path))
        if row.state == InstructedMeasure.State.DONE:
            return row
        shown = _evidence_since(row)
        if not shown:
            raise Refusal("instruction.no_evidence")
        row.state, row.evidence, row.done_at = InstructedMeasure.State.DONE, shown, at
        row.version += 1
        row.save(update_fields=["state", "evidence", "done_at", "version"])
        record(
            "instruction.measure_done", actor=actor, at=at, subject=("instruction", row.instruction_id),
            matter=("hazard", row.hazard_id), wrote=[row], data={"evidence": shown},
        )  # fmt: skip
        obligations.fulfil(actor=actor, at=at, matter_id=row.pk)
        return row


def _evidence_since(row: InstructedMeasure) -> str:
    """Return what the ledger shows of a matter since the measure was put: close, order, measure; empty where nothing."""
    hazard = row.hazard
    if hazard.cycles.filter(ended_at__gte=row.put_at).exists():
        return "closed"
    if hazard.cycles.filter(ordered_at__gte=row.put_at).exists():
        return "ordered"
    if hazard.measures.filter(at__gte=row.put_at).exists():
        return "measure"
    return ""


def settle_closed(*, actor: Actor, at: datetime) -> int:
    """Record the open measures of closed matters as done; what is closed needs no report. Records each."""
    rows = InstructedMeasure.objects.filter(
        instruction__root=actor.root, state=InstructedMeasure.State.OPEN, hazard__is_open=False
    )
    done = 0
    for row in rows.select_related("hazard"):
        if _evidence_since(row):
            settle_measure(actor=actor, at=at, measure_id=row.pk)
            done += 1
    return done


def _end(on: date, root_code: str) -> datetime:
    return day_end(on, root(root_code).zone) - timedelta(seconds=1)

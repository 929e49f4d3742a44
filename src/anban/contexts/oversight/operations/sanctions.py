"""Writes of accountability: a case after an accident or a failure of duty, its items, their steps, and what stands red."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.base.people.models import Person
from anban.contexts.accidents.models import Accident
from anban.contexts.accidents.queries import earlier_of_firm, involved_in
from anban.contexts.hazards.models import Hazard
from anban.contexts.obligations import operations as obligations
from anban.contexts.oversight import policies
from anban.contexts.oversight.models import SanctionCase, SanctionItem
from anban.contexts.oversight.queries.sanctions import accidents_without_case, facts_of
from anban.contexts.territory.operations import next_numbers
from anban.contexts.territory.queries import city_date, holders_of_role, root, settings_of
from anban.kit.clock import day_end
from anban.rules import accountability, law
from anban.rules.accountability import ENDED, STEPS, AccidentGrade, ItemState, Subject
from anban.rules.decision import Decision
from anban.rules.errors import Refusal, register

register("sanction.twice", zh="这起事故已经立案问责。", en="There is a case for this accident already.")
register("sanction.title_missing", zh="请写明失职情形。", en="Say what the failure of duty is.")
register(
    "sanction.nobody_handles", zh="本区没有安委办人员可以承办。", en="No committee officer of the area can take it."
)
register("sanction.step_unknown", zh="这一事项现在不能作这一步。", en="This step cannot be taken now.")
register("sanction.document_missing", zh="作出决定须填写文号。", en="A decision needs its document number.")
register(
    "sanction.person_twice",
    zh="这个人在同一环节已有问责事项。",
    en="There is an item for this person and link already.",
)

SERIES = "WZ"
KIND = "sanction"


def _overrides(root_code: str) -> dict[str, int]:
    known = set(law.overridable())
    return {k: int(v) for k, v in settings_of(root_code).items() if k in known}


def open_case(
    *, actor: Actor, at: datetime, accident: Accident | None = None, hazard: Hazard | None = None, title: str = ""
) -> SanctionCase:
    """Open a case: the unit and each person named get an item of their own, each with its clock (立案问责).

    After an accident the level is raised by the firm's earlier accidents; a failure of duty stands at the district.
    Raises: oversight.not_allowed, sanction.twice, sanction.title_missing, sanction.nobody_handles, LawGap.
    """
    with unit():
        source = accident or hazard
        if source is None:
            raise Refusal("sanction.title_missing", field="title")
        policies.require(source.root == actor.root and policies.can_oversee(actor, source.area_path))
        overrides = _overrides(source.root)
        if accident is not None:
            Accident.objects.select_for_update().get(pk=accident.pk)
            if SanctionCase.objects.filter(accident=accident).exists():
                raise Refusal("sanction.twice")
            decision = accountability.level(
                AccidentGrade(accident.grade), accident.on, earlier_of_firm(accident), overrides=overrides
            )
            title, happened_on, unit_name = f"{accident.unit_name} {accident.number}", accident.on, accident.unit_name
        else:
            if not title.strip():
                raise Refusal("sanction.title_missing", field="title")
            happened_on = city_date(at, actor.root)
            decision = Decision(str(accountability.Level.DISTRICT))
            unit_name = hazard.place_title if hazard is not None else ""
        handler = _handler(actor, source.area_path, happened_on, at)
        number = next_numbers(actor=actor, at=at, root=source.root, series=SERIES, year=city_date(at, actor.root).year)[
            0
        ]
        row = SanctionCase.objects.create(
            root=source.root, number=number, accident=accident, hazard=hazard, title=title.strip()[:200],
            area_path=source.area_path, level=decision.outcome, level_reason="；".join(r.zh for r in decision.reasons)[:300],
            causes=accident.causes if accident else "", happened_on=happened_on, opened_at=at,
        )  # fmt: skip
        record(
            "sanction.opened", actor=actor, at=at, subject=("sanction", row.pk), wrote=[row],
            data={"number": number, "level": row.level, "reasons": [r.code for r in decision.reasons]},
        )  # fmt: skip
        _put_item(actor, at, row, handler, Subject.UNIT, unit_name, None, "", direct=False)
        for one in involved_in(accident.pk) if accident else ():
            _put_item(actor, at, row, handler, Subject.PERSON, one.unit_name, one.person, one.link, direct=one.direct)
        return row


def open_for_accidents(*, actor: Actor, at: datetime) -> int:
    """Open a case for every accident that has none; one without a committee's office waits. Records each case."""
    made = 0
    for accident in accidents_without_case(actor.root):
        try:
            open_case(actor=actor, at=at, accident=accident)
        except Refusal as refusal:
            if refusal.code != "sanction.nobody_handles":
                raise
        else:
            made += 1
    return made


def add_person(
    *, actor: Actor, at: datetime, case_id: UUID, person: Person, unit_name: str, link: str, direct: bool
) -> SanctionItem:
    """Name a further person in a case, with its link of the cause. Raises: oversight.not_allowed, sanction.person_twice."""
    with unit():
        row = SanctionCase.objects.select_for_update(of=("self",)).get(pk=case_id)
        policies.require(row.root == actor.root and policies.can_oversee(actor, row.area_path))
        if row.items.filter(person=person, link=link).exists():
            raise Refusal("sanction.person_twice", field="person")
        handler = _handler(actor, row.area_path, row.happened_on, at)
        made = _put_item(actor, at, row, handler, Subject.PERSON, unit_name, person, link, direct=direct)
        _look_again(actor, at, row)
        return made


def take_step(
    *, actor: Actor, at: datetime, item_id: UUID, step: str, document_number: str = "", note: str = ""
) -> SanctionItem:
    """Move an item on: proposed, decided with its number, carried out, or found not liable.

    Raises: oversight.not_allowed, sanction.step_unknown, sanction.document_missing.
    """
    with unit():
        found = SanctionItem.objects.select_for_update(of=("self",)).select_related("case").get(pk=item_id)
        row = found.case
        policies.require(row.root == actor.root and policies.can_oversee(actor, row.area_path))
        after = STEPS.get((ItemState(found.state), step))
        if after is None:
            raise Refusal("sanction.step_unknown")
        if after is ItemState.DECIDED and not document_number.strip():
            raise Refusal("sanction.document_missing", field="document_number")
        before, found.state = found.state, after.value
        if after is ItemState.DECIDED:
            found.document_number, found.decided_at = document_number.strip(), at
        if after is ItemState.EXECUTED:
            found.executed_at = at
        if after in ENDED:
            found.ended_at = at
        found.version += 1
        found.save()
        record(
            f"sanction.{_VERBS[step]}", actor=actor, at=at, subject=("sanction_item", found.pk), matter=("sanction", row.pk),
            wrote=[found], words={"note": note},
            data={"from": before, "to": found.state, "subject": found.subject, "document": found.document_number},
        )  # fmt: skip
        if after in ENDED:
            obligations.fulfil(actor=actor, at=at, matter_id=found.pk)
        _look_again(actor, at, row)
        return found


_VERBS = {"propose": "proposed", "decide": "decided", "execute": "executed", "clear": "cleared"}


def _handler(actor: Actor, path: str, on: date, at: datetime) -> Person:
    """Return who deals with the items: the acting committee officer, or the nearest one of the area."""
    if actor.person_id is not None:
        return Person.objects.get(pk=actor.person_id)
    today = max(on, city_date(at, actor.root))
    for role in ("district_committee_officer", "city_committee_officer"):
        for holding in holders_of_role(actor.root, role, path, today):
            return holding.person
    raise Refusal("sanction.nobody_handles")


def _put_item(
    actor: Actor,
    at: datetime,
    row: SanctionCase,
    handler: Person,
    subject: Subject,
    unit_name: str,
    person: Person | None,
    link: str,
    *,
    direct: bool,
) -> SanctionItem:
    terms = accountability.terms(row.happened_on, accident=row.accident_id is not None, overrides=_overrides(row.root))
    due_on = terms.unit_on if subject is Subject.UNIT else terms.person_on
    made = SanctionItem.objects.create(
        case=row, subject=subject.value, unit_name=unit_name, person=person, link=link, direct=direct, handler=handler,
        due_on=due_on,
    )  # fmt: skip
    record(
        "sanction.item_put", actor=actor, at=at, subject=("sanction_item", made.pk), matter=("sanction", row.pk),
        wrote=[made], data={"subject": subject.value, "person": str(person.pk) if person else "", "due": due_on.isoformat()},
    )  # fmt: skip
    obligations.owe(
        actor=actor, at=at,
        duty=obligations.Duty(
            root=row.root, person=handler, unit_name=unit_name, kind=KIND, subject=("sanction", row.pk), matter_id=made.pk,
            area_path=row.area_path, title=f"{row.number} {subject.zh}：{unit_name}", source_rule=terms.sources[-1].citation,
            due_at=day_end(due_on, root(row.root).zone) - timedelta(seconds=1), link=f"/oversight/sanctions/{row.pk}/",
        ),
    )  # fmt: skip
    return made


def _look_again(actor: Actor, at: datetime, row: SanctionCase) -> None:
    """Say anew whether a case stands red and whether it is open; write it down where it changed."""
    items, links = facts_of(row)
    red = bool(accountability.red(items, links))
    is_open = any(item.state not in ENDED for item in items)
    if (red, is_open) == (row.is_red, row.is_open):
        return
    row.is_red, row.is_open = red, is_open
    row.version += 1
    row.save(update_fields=["is_red", "is_open", "version"])
    record(
        "sanction.looked_at", actor=actor, at=at, subject=("sanction", row.pk), wrote=[row],
        data={"red": red, "open": is_open},
    )  # fmt: skip

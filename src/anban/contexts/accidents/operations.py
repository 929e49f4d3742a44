"""Writes of accidents: put on record, and amended when the report says otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.base.people.models import Person
from anban.base.people.operations import add_person
from anban.contexts.accidents import policies
from anban.contexts.accidents.chains import CLASS_OF, chained, demanded
from anban.contexts.accidents.models import Accident, Involved
from anban.contexts.establishments.models import Place
from anban.contexts.responsibility import operations as responsibility
from anban.contexts.responsibility.chained import Named as NamedLink
from anban.contexts.responsibility.clockwork import Workday
from anban.contexts.responsibility.models import Link
from anban.contexts.responsibility.queries import link_templates, resolve
from anban.contexts.territory.models import Body
from anban.contexts.territory.operations import next_numbers
from anban.contexts.territory.queries import city_date
from anban.rules.accountability import AccidentGrade
from anban.rules.errors import Refusal, register

register("accident.in_the_future", zh="事故日期在将来。", en="The day of the accident lies in the future.")
register("accident.unit_missing", zh="请写明事故单位。", en="Say which unit had the accident.")

SERIES = "SG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A person whom a report names: on file, or a name to be put on file."""

    name: str = ""
    person: Person | None = None
    link: str = ""
    direct: bool = False
    body: Body | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is known of an accident."""

    kind: str
    on: date
    area_path: str
    unit_name: str
    place: Place | None = None
    grade: AccidentGrade = AccidentGrade.UNDETERMINED
    deaths: int = 0
    serious_injuries: int = 0
    loss_yuan: int | None = None
    causes: tuple[str, ...] = ()
    source_key: str = ""
    named: tuple[Named, ...] = ()


def record_accident(*, actor: Actor, at: datetime, report: Report) -> Accident:
    """Put an accident on record with the persons its report names (登记事故).

    Raises: accident.not_allowed, accident.in_the_future, accident.unit_missing.
    """
    with unit():
        _require(actor, at, report)
        number = next_numbers(actor=actor, at=at, root=actor.root, series=SERIES, year=report.on.year)[0]
        row = Accident(root=actor.root, number=number, recorded_at=at, **_facts(report))
        row.save(force_insert=True)
        persons = _name(actor, at, row, report.named)
        record(
            "accident.recorded", actor=actor, at=at, subject=("accident", row.pk), wrote=[row],
            data={"number": number, "kind": row.kind, "on": row.on.isoformat(), "grade": row.grade, "persons": persons},
        )  # fmt: skip
        _chain(actor, at, row)
        return row


def amend_accident(*, actor: Actor, at: datetime, accident: Accident, report: Report) -> Accident:
    """Amend an accident by what its report says now; persons named before stay named.

    Raises: accident.not_allowed, accident.in_the_future, accident.unit_missing.
    """
    with unit():
        _require(actor, at, report)
        row = Accident.objects.select_for_update().get(pk=accident.pk)
        former = {"grade": row.grade, "deaths": row.deaths, "on": row.on.isoformat()}
        for name, value in _facts(report).items():
            setattr(row, name, value)
        row.version += 1
        row.save()
        persons = _name(actor, at, row, report.named)
        record(
            "accident.amended", actor=actor, at=at, subject=("accident", row.pk), wrote=[row],
            data={"former": former, "grade": row.grade, "persons": persons},
        )  # fmt: skip
        return row


def _require(actor: Actor, at: datetime, report: Report) -> None:
    policies.require_may_record(actor, report.area_path)
    if report.on > city_date(at, actor.root):
        raise Refusal("accident.in_the_future", field="on")
    if not report.unit_name.strip():
        raise Refusal("accident.unit_missing", field="unit_name")


def _facts(report: Report) -> dict[str, object]:
    return {
        "kind": report.kind, "on": report.on, "grade": report.grade.value, "place": report.place,
        "unit_name": report.unit_name.strip(), "area_path": report.area_path, "deaths": report.deaths,
        "serious_injuries": report.serious_injuries, "loss_yuan": report.loss_yuan, "causes": "；".join(report.causes),
        "source_key": report.source_key,
    }  # fmt: skip


def _name(actor: Actor, at: datetime, row: Accident, named: Iterable[Named]) -> list[str]:
    there = {(one.person.name, one.link) for one in row.involved.select_related("person")}
    made = []
    for one in named:
        name = one.person.name if one.person else one.name
        if (name, one.link) in there:
            continue
        person = one.person or add_person(actor=actor, at=at, root=row.root, name=one.name)
        Involved.objects.create(
            accident=row, person=person, body=one.body, unit_name=one.body.name if one.body else row.unit_name,
            link=one.link, direct=one.direct,
        )  # fmt: skip
        made.append(str(person.pk))
    return made


def name_link(*, actor: Actor, at: datetime, accident_id: UUID, role: str, given: NamedLink) -> Link:
    """Name the natural person of a link that the accident's chain lacks. Raises: as ``responsibility.name_link``."""
    with unit():
        row = Accident.objects.select_for_update(of=("self",)).get(pk=accident_id)
        return responsibility.name_link(actor=actor, at=at, matter=chained(row), role=role, given=given)


def _chain(actor: Actor, at: datetime, row: Accident) -> None:
    """Name who answers by the net, and ask for the persons of the links that are missing, in the same transaction."""
    needed = demanded(row, link_templates(row.root))
    if not needed:
        return
    day = Workday.of(row.root, at)
    resolution = resolve(row.place, CLASS_OF[row.kind], day.on) if row.place is not None else None
    names = []
    for role, answer in (
        ("territory_officer", resolution.territory if resolution else None),
        ("sector_officer", resolution.sector_lead if resolution else None),
        ("special_officer", resolution.special if resolution else None),
        ("enforcer", resolution.enforcer if resolution else None),
    ):
        if answer is not None and answer.person is not None:
            unit_name = answer.body.name if answer.body else ""
            names.append(responsibility.Naming(role, answer.person, unit_name, answer.body, answer.reason))
    matter = chained(row, day.office(row.area_path))
    responsibility.name_chain(actor=actor, at=at, root=row.root, matter=(matter.kind, row.pk), cycle_no=1, names=names)
    responsibility.complete_chain(
        actor=actor, at=at, matter=matter, needed=needed, named={one.role for one in names}, resolution=resolution,
        due=lambda: day.due("responsibility.link_workdays"),
    )  # fmt: skip

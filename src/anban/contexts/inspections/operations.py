"""The only writer of visits: recording one with its answers and findings, and re-inspecting a hazard on the spot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from anban.base.journal.births import add, add_all, born_of, change, once
from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.base.people.models import Person
from anban.contexts.catalog.queries import codes_asked, latest_code, may_order
from anban.contexts.establishments.models import Place
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import Sighting, act, enter
from anban.contexts.hazards.queries import at_hand
from anban.contexts.inspections import policies
from anban.contexts.inspections.models import Answer, Finding, Visit, Visitor
from anban.contexts.inspections.queries import certified_among
from anban.contexts.territory.models import Body
from anban.contexts.territory.operations import next_numbers
from anban.contexts.territory.queries import body_by_id, city_date
from anban.kit.remember import remembered
from anban.rules.errors import Refusal, register
from anban.rules.hazard_lifecycle import Action

register(
    "visit.place_unknown", zh="没有这个单位，或不在您的管辖范围内。", en="There is no such place in what you may see."
)
register(
    "visit.hazard_unknown", zh="没有这条隐患，或不在您的管辖范围内。", en="There is no such hazard in what you may see."
)
register("visit.in_the_future", zh="检查日期在将来。", en="The day of the visit lies in the future.")
register("visit.person_unknown", zh="检查人员不在册。", en="A person of the party is not on file.")
register("visit.not_certified", zh="所列人员在此没有执法证：{names}。", en="Without a certificate here: {names}.")
register("visit.item_unknown", zh="目录里没有检查项 {item}。", en="The catalog has no item {item}.")
register("visit.answer_unknown", zh="“{value}”不是逐项结论。", en="“{value}” is no answer to an item.")
register(
    "visit.finding_missing",
    zh="检查项 {item} 不合格，请写明看到了什么。",
    en="Item {item} failed: say what was seen.",
)
register("visit.action_not_on_site", zh="“{action}”不是现场核验的动作。", en="“{action}” is not done on site.")

SERIES = "VS"
ON_SITE = frozenset(
    {Action.REVIEW, Action.ACCEPT, Action.REJECT, Action.REPORT_GONE, Action.SAMPLE, Action.VERIFY, Action.FIX_ON_SPOT}
)
"""What may be done to a hazard while standing before it."""
_PASSED = frozenset({"passed", "not_founded"})


@dataclass(frozen=True, slots=True)
class VisitorRecord:
    """One person of the party; ``certified`` claims a certificate of enforcement, which is looked up."""

    person_id: UUID
    certified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRecord:
    """What was seen at one item, or beside every list (``code`` empty: then the class is named)."""

    fact: str
    code: str = ""
    class_code: str = ""
    part: str = ""
    basis: str = ""
    grade: str = ""
    severity: str = ""
    life_at_risk: bool = False
    interim_control: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRecord:
    """A visit as its party brings it: who, where, which lists, what was answered and found.

    ``id`` is made by the device that recorded it offline, so that sending it twice makes one visit. ``kind`` empty leaves it
    to who came. Items of ``lists`` that nobody answered are kept as 未查.
    """

    place_id: UUID
    id: UUID | None = None
    kind: str = ""
    on: date | None = None
    visitors: tuple[VisitorRecord, ...] = ()
    task_number: str = ""
    lists: tuple[str, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[FindingRecord, ...] = ()


def record_visit(*, actor: Actor, at: datetime, visit: VisitRecord) -> Visit:
    """Record a visit; each 不合格 goes on the ledger in the same transaction. A visit is never changed later.

    Source: field practice 1.1 (who comes decides what it is). Raises: visit.place_unknown, visit.in_the_future,
    visit.person_unknown, visit.not_certified, visit.committee_never_inspects, visit.not_allowed, visit.kind_not_allowed,
    visit.item_unknown, visit.answer_unknown, visit.finding_missing, and the refusals of entering a hazard.
    """
    with unit():
        known = Visit.objects.filter(pk=visit.id, root=actor.root).first() if visit.id else None
        if known is not None:
            return known
        place = _place(actor, visit.place_id)
        today = city_date(at, actor.root)
        on = visit.on or today
        if on > today:
            raise Refusal("visit.in_the_future", field="on")
        party = _party(actor, place, on, visit.visitors)
        certified = sum(one.certified for one in party)
        kind = policies.require_kind(actor, place, policies.Party(len(party), certified), visit.kind)
        answers = _answers(actor.root, on, visit)
        row = _save(actor, at, place, kind, on, answers, visit)
        _keep_party(row, party)
        add_all((Answer(visit=row, code=code, value=value) for code, value in sorted(answers.items())), matter=row.pk)
        found = [_find(actor, at, row, place, one) for one in visit.findings]
        record(
            "visit.recorded", actor=actor, at=at, subject=("visit", row.pk), matter=("place", place.pk),
            data=_said(row, party, answers, found), wrote=[row],
        )  # fmt: skip
        return row


def review_on_site(
    *,
    actor: Actor,
    at: datetime,
    hazard_id: UUID,
    action: Action,
    verdict: str | None = None,
    given: Mapping[str, Any] | None = None,
    version: int | None = None,
    task_number: str = "",
) -> Hazard:
    """Look at a hazard where it is: a visit of kind 复查, and the action with proof ``on_site`` in the same transaction.

    Only this context can show a visit, so only here is a close proved on site. Raises: visit.hazard_unknown,
    visit.action_not_on_site, visit.committee_never_inspects, visit.not_allowed and every refusal of the action.
    """
    facts = dict(given or {})
    if action not in ON_SITE:
        raise Refusal("visit.action_not_on_site", field="action", action=action.zh)
    with unit():
        hazard = at_hand(actor, hazard_id)
        if hazard is None:
            raise Refusal("visit.hazard_unknown", field="hazard_id")
        place, on = hazard.place, city_date(at, actor.root)
        named = [one for one in (actor.person_id, facts.get("second_person")) if one is not None]
        holding = certified_among(named, place, on)
        party = [VisitorRecord(person, person in holding) for person in dict.fromkeys(named)]
        kind = policies.require_kind(actor, place, policies.Party(len(party), len(holding)), "")
        if kind == Visit.Kind.OVERSIGHT:
            raise Refusal("visit.committee_never_inspects", field="kind")
        failed = verdict == "failed" or action is Action.REJECT
        result = Visit.Result.FAIL if failed else Visit.Result.PASS
        row = _new(actor, at, place, Visit.Kind.REVIEW, on, result, 1 if failed else 0, task_number)
        add(row)
        _keep_party(row, party)
        if failed:
            add(Finding(visit=row, hazard=hazard, code=hazard.code, cycle_no=hazard.cycle_no), matter=row.pk)
        record(
            "visit.recorded", actor=actor, at=at, subject=("visit", row.pk), matter=("hazard", hazard.pk),
            data={**_said(row, party, {}, []), "place": str(place.pk), "action": action.value}, wrote=[row],
        )  # fmt: skip
        return act(
            actor=actor, at=at, hazard_id=hazard_id, action=action, verdict=verdict, version=version,
            given={**facts, "on_site": True}, caller="inspections",
        )  # fmt: skip


def _place(actor: Actor, place_id: UUID) -> Place:
    row = once(
        ("place", place_id, actor.root),
        lambda: Place.objects.select_related("survivor").filter(pk=place_id, root=actor.root).first(),
    )
    if row is None:
        raise Refusal("visit.place_unknown", field="place")
    return row.survivor or row


def _party(actor: Actor, place: Place, on: date, named: tuple[VisitorRecord, ...]) -> list[VisitorRecord]:
    """Return the party with the acting person in it and certificates as they stand, not as they are claimed."""
    claims = {one.person_id: one.certified for one in named}
    if actor.person_id is not None:
        claims.setdefault(actor.person_id, False)
    persons = dict(_names(actor.root, tuple(claims)))
    if len(persons) != len(claims):
        raise Refusal("visit.person_unknown", field="visitors")
    holding = certified_among(claims, place, on)
    without = [persons[person] for person, claimed in claims.items() if claimed and person not in holding]
    if without:
        raise Refusal("visit.not_certified", field="visitors", names="、".join(without))
    return [VisitorRecord(person, person in holding) for person in claims]


@remembered
def _names(root: str, person_ids: tuple[UUID, ...]) -> tuple[tuple[UUID, str], ...]:
    rows = Person.objects.filter(pk__in=person_ids, root=root, erased_at__isnull=True)
    return tuple(rows.values_list("pk", "name"))


def _keep_party(row: Visit, party: Iterable[VisitorRecord]) -> None:
    add_all((Visitor(visit=row, person_id=one.person_id, certified=one.certified) for one in party), matter=row.pk)


def _answers(root: str, on: date, visit: VisitRecord) -> dict[str, str]:
    """Return an answer to every item of the lists: 未查 where nobody answered, 不合格 where something was found."""
    failed = {one.code for one in visit.findings if one.code}
    named = set(visit.answers) | failed
    known = codes_asked(root, on, visit.lists, named)
    for code in sorted(named - known):
        raise Refusal("visit.item_unknown", field="answers", item=code)
    answers = dict.fromkeys(sorted(known), str(Answer.Value.UNCHECKED))
    for code, value in visit.answers.items():
        if value not in Answer.Value.values:
            raise Refusal("visit.answer_unknown", field="answers", value=value)
        answers[code] = value
        if value == Answer.Value.FAIL and code not in failed:
            raise Refusal("visit.finding_missing", field="findings", item=code)
    answers.update(dict.fromkeys(failed, str(Answer.Value.FAIL)))
    return answers


def _save(
    actor: Actor, at: datetime, place: Place, kind: str, on: date, answers: Mapping[str, str], visit: VisitRecord
) -> Visit:
    values = set(answers.values())
    if visit.findings:
        result = Visit.Result.FAIL
    elif Answer.Value.PASS in values:
        result = Visit.Result.PASS
    else:
        # Nothing looked at proves nothing.
        result = Visit.Result.UNKNOWN
    row = _new(actor, at, place, kind, on, result, len(visit.findings), visit.task_number)
    if visit.id is not None:
        row.id = visit.id
    return add(row)


def _new(
    actor: Actor, at: datetime, place: Place, kind: str, on: date, result: str, findings: int, task_number: str
) -> Visit:
    number = next_numbers(actor=actor, at=at, root=place.root, series=SERIES, year=on.year)[0]
    return Visit(
        root=place.root, number=number, place=place, place_title=place.name, place_kind=place.kind,
        area_path=place.area_path, overview_code=place.overview_code, kind=kind, on=on,
        at=at if on == city_date(at, actor.root) else None, body=_body(actor, place), result=result,
        task_number=task_number.strip(), findings_count=findings, recorded_at=at,
    )  # fmt: skip


def _body(actor: Actor, place: Place) -> Body | None:
    for grant in policies.grants_here(actor, place):
        if grant.body_id:
            return body_by_id(grant.body_id)
    return None


def _find(actor: Actor, at: datetime, visit: Visit, place: Place, seen: FindingRecord) -> Finding:
    """Put one finding on the ledger and keep which visit made it."""
    item = latest_code(place.root, seen.code) if seen.code else None
    class_code = item.class_code if item else seen.class_code
    powers = may_order(place.root, class_code) or frozenset()
    entered = enter(
        actor=actor,
        at=at,
        sighting=Sighting(
            place_id=place.pk, fact=seen.fact, code=seen.code, class_code=seen.class_code, part=seen.part,
            basis=seen.basis, origin="inspection", origin_ref=visit.number, found_on=visit.on, grade=seen.grade,
            life_at_risk=seen.life_at_risk, interim_control=seen.interim_control,
            inspected=policies.has_power(actor, place, visit.kind, class_code, powers),
        ),
    )  # fmt: skip
    finding = _found(visit, entered.hazard, seen.code)
    if finding is None:
        finding = Finding(
            visit=visit, hazard=entered.hazard, code=seen.code, cycle_no=entered.hazard.cycle_no, severity=seen.severity
        )
        return add(finding, matter=visit.pk)
    finding.times += 1
    change(finding, ["times"], matter=visit.pk)
    return finding


def _found(visit: Visit, hazard: Hazard, code: str) -> Finding | None:
    """Return what this visit has found of a hazard already."""
    fresh = born_of(Finding, visit.pk)
    if fresh is None:
        return Finding.objects.filter(visit=visit, hazard=hazard, code=code).first()
    return next((row for row in fresh if (row.hazard_id, row.code) == (hazard.pk, code)), None)


def _said(row: Visit, party: list[VisitorRecord], answers: Mapping[str, str], found: list[Finding]) -> dict[str, Any]:
    tally = {value: sum(one == value for one in answers.values()) for value in sorted(set(answers.values()))}
    return {
        "number": row.number, "kind": row.kind, "on": row.on.isoformat(), "result": row.result,
        "persons": [str(one.person_id) for one in party], "certified": sum(one.certified for one in party),
        "answers": tally, "hazards": [str(one.hazard_id) for one in found],
        **({"task": row.task_number} if row.task_number else {}),
    }  # fmt: skip

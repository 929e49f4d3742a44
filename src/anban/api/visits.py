"""Visits to places (检查): list, one with its answers and findings, record."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Body, Query, Router
from pydantic import BaseModel, ConfigDict, Field

from anban.api.access import Bearer, actor_of, moment_of
from anban.api.answers import Rooted, documented, read, reply
from anban.api.conditional import unchanged
from anban.api.hazards import reachable
from anban.api.idempotency import write
from anban.api.paging import Listed, Paged, area_path, reply_page
from anban.api.values import BodyOut, Code, Day, Given, Line, PersonOut, Text, Words
from anban.base.people.operations import note_access
from anban.contexts.inspections import operations, queries
from anban.rules.errors import Refusal

router = Router(tags=["visits"])
Answer = Literal["pass", "fail", "unchecked", "absent"]


class VisitQuery(Paged):
    """The filters of the list of visits; ``area`` is a code or a path."""

    area: Annotated[str, Field(max_length=60)] = ""
    overview: Code = ""
    kind: Code = ""
    result: Code = ""
    place_kind: Code = ""
    place: UUID | None = None
    on_from: Day | None = None
    on_until: Day | None = None
    number: Code = ""
    with_findings: bool = False


class VisitRow(BaseModel):
    """One visit as a list shows it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: str
    place_id: UUID
    place_title: str
    place_kind: str
    area_path: str
    kind: str
    on: date
    at: datetime | None
    body: BodyOut | None
    result: str
    task_number: str
    findings_count: int
    historical: bool
    recorded_at: datetime
    version: int


class VisitPage(Listed):
    """A page of visits, newest first."""

    items: list[VisitRow]


class VisitorOut(BaseModel):
    """One person of the party; ``group`` stands where a source masked the person."""

    model_config = ConfigDict(from_attributes=True)

    person: PersonOut | None
    group: str
    certified: bool


class AnswerOut(BaseModel):
    """The answer to one item; what was not looked at proves nothing."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    value: str


class FindingOut(BaseModel):
    """What was found: always a hazard on the ledger."""

    model_config = ConfigDict(from_attributes=True)

    hazard_id: UUID
    code: str
    cycle_no: int
    severity: str
    times: int


class VisitOut(VisitRow, Rooted):
    """One visit with its party, answers and findings."""

    visitors: list[VisitorOut]
    answers: list[AnswerOut]
    findings: list[FindingOut]


class VisitorIn(Given):
    """One person of the party; a claimed certificate is looked up."""

    person: UUID
    certified: bool = False


class FindingIn(Given):
    """What was seen at one item, or beside every list (then name the class)."""

    fact: Text
    code: Code = ""
    class_code: Code = ""
    part: Line = ""
    basis: Words = ""
    grade: Literal["", "general", "suspected_major", "undetermined"] = ""
    severity: Annotated[str, Field(max_length=20)] = ""
    life_at_risk: bool = False
    interim_control: Words = ""


class VisitIn(Given):
    """A visit as its party brings it; ``id`` is a UUID made on the device, so that sending it twice makes one visit."""

    place: UUID
    id: UUID | None = None
    kind: Literal["", "enforcement", "assisted", "patrol", "guidance", "report", "review", "oversight"] = ""
    on: Day | None = None
    visitors: Annotated[list[VisitorIn], Field(max_length=50)] = []
    task_number: Annotated[str, Field(max_length=60)] = ""
    lists: Annotated[list[Code], Field(max_length=50)] = []
    answers: Annotated[dict[Code, Answer], Field(max_length=2000)] = {}
    findings: Annotated[list[FindingIn], Field(max_length=200)] = []


@router.get("/visits", response=documented(VisitPage), auth=Bearer("visits:read"), summary="List visits")
@read
def list_visits(request: HttpRequest, query: Query[VisitQuery]) -> HttpResponse:
    """List the visits that the caller sees, newest first."""
    actor = actor_of(request)
    filters = queries.Filters(
        area=area_path(actor.root, query.area), **query.model_dump(exclude={"after", "size", "area"})
    )
    rows, following = queries.page(actor, filters, after=query.after, size=query.size)
    items = [VisitRow.model_validate(row) for row in rows]
    return reply_page(request, VisitPage(items=items, next=str(following) if following else None))


@router.post("/visits", response=documented(VisitOut, 201), auth=Bearer("visits:write"), summary="Record a visit")
@write
def record_visit(request: HttpRequest, body: Body[VisitIn]) -> HttpResponse:
    """Record a visit; each 不合格 goes on the ledger in the same transaction."""
    actor, at = actor_of(request), moment_of(request)
    if not reachable(actor, body.place):
        raise Refusal("visit.place_unknown", field="place")
    row = operations.record_visit(
        actor=actor,
        at=at,
        visit=operations.VisitRecord(
            place_id=body.place, id=body.id, kind=body.kind, on=body.on, task_number=body.task_number,
            visitors=tuple(operations.VisitorRecord(each.person, each.certified) for each in body.visitors),
            lists=tuple(body.lists), answers=dict(body.answers),
            findings=tuple(operations.FindingRecord(**each.model_dump()) for each in body.findings),
        ),
    )  # fmt: skip
    party = tuple(row.visitors.select_related("person").order_by("id"))
    if actor.person_id not in {each.person_id for each in party}:
        # An id made elsewhere that somebody else has used already: only what the scope shows is shown.
        return _reply(request, queries.file_of(actor, row.pk), status=201)
    findings = tuple(row.findings.select_related("hazard").order_by("id"))
    answers = tuple(row.answers.order_by("code"))
    return _reply(request, queries.VisitFile(row, party, answers, findings), status=201)


@router.get("/visits/{uuid:visit_id}", response=documented(VisitOut), auth=Bearer("visits:read"), summary="One visit")
@read
def get_visit(request: HttpRequest, visit_id: UUID) -> HttpResponse:
    """Give one visit with its party, answers and findings; the read is logged."""
    found = queries.file_of(actor_of(request), visit_id)
    if unchanged(request, found.visit.version):
        return HttpResponse(status=304)
    return _reply(request, found)


def _reply(request: HttpRequest, found: queries.VisitFile, *, status: int = 200) -> HttpResponse:
    row = found.visit
    body = VisitOut(
        **VisitRow.model_validate(row).model_dump(),
        visitors=[VisitorOut.model_validate(each) for each in found.visitors],
        answers=[AnswerOut.model_validate(each) for each in found.answers],
        findings=[FindingOut.model_validate(each) for each in found.findings],
    )
    if body.visitors:
        note_access(
            actor=actor_of(request), at=moment_of(request), what="visit.party", subject=f"visit:{row.pk}",
            rows=len(body.visitors),
        )  # fmt: skip
    location = f"/api/v1/visits/{row.pk}" if status == 201 else ""
    return reply(request, body, status=status, version=row.version, location=location)

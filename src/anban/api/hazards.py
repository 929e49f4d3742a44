"""Hazards on the ledger (隐患): list, one with its whole file, enter, act, attach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Body, Query, Router
from pydantic import BaseModel, ConfigDict, Field

from anban.api.access import Bearer, actor_of, moment_of
from anban.api.answers import Rooted, documented, read, reply
from anban.api.conditional import expected, unchanged
from anban.api.idempotency import write
from anban.api.paging import Listed, Paged, area_path, reply_page
from anban.api.values import BodyOut, Code, Day, Given, Instant, Line, Name, PersonOut, Text, Words
from anban.base.files import operations as file_operations
from anban.base.files import queries as files
from anban.base.people.actor import Actor
from anban.base.people.operations import note_access
from anban.contexts.establishments import queries as establishments
from anban.contexts.hazards import operations, policies, queries
from anban.contexts.inspections.operations import review_on_site
from anban.rules.errors import Refusal, register
from anban.rules.hazard_lifecycle import Action, Chain, State, label

register(
    "api.not_party",
    zh="您与这条隐患没有办理关系，不能附加文件。",
    en="You have no part in this hazard and cannot attach to it.",
)

router = Router(tags=["hazards"])
FIRM = "enterprise_manager"
T = TypeVar("T", bound=BaseModel)


class HazardQuery(Paged):
    """The filters of the ledger, named as in its address; ``area`` is a code or a path, ``states`` stand with commas."""

    area: Annotated[str, Field(max_length=60)] = ""
    states: Words = ""
    grade: Code = ""
    kind: Code = ""
    class_code: Code = ""
    code: Code = ""
    due: Literal["", "overdue", "running"] = ""
    rebound: bool = False
    origin: Code = ""
    proof: Code = ""
    penalised: bool = False
    track: Code = ""
    found_from: Day | None = None
    found_until: Day | None = None
    place: UUID | None = None
    overview: Code = ""
    open_only: bool = False
    closed_only: bool = False
    on_watch: bool = False
    mine: bool = False
    q: Name = ""


class HazardRow(BaseModel):
    """One hazard as a list shows it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: str
    place_id: UUID
    place_title: str
    place_kind: str
    area_path: str
    overview_code: str
    class_code: str
    code: str
    part: str
    fact: str
    basis: str
    chain: str
    state: str
    state_zh: str = ""
    state_en: str = ""
    grade: str
    track: str
    origin: str
    origin_ref: str
    found_on: date
    found_at: datetime | None
    entered_at: datetime
    holder: PersonOut
    holder_body: BodyOut | None
    due_at: datetime | None
    provisional: bool
    overdue: bool = False
    extended: int
    times_returned: int
    cycle_no: int
    rebound_no: int
    interim_control: str
    secured: bool
    life_at_risk: bool
    listing: str
    designated: bool
    ownerless: bool
    penalised: bool
    outcome: str
    proof: str
    closed_on: date | None
    watch_until: date | None
    joined_to_id: UUID | None
    voices_count: int
    historical: bool
    is_open: bool
    version: int


class HazardPage(Listed):
    """A page of hazards, newest first."""

    items: list[HazardRow]


class CycleOut(BaseModel):
    """One round of a hazard; once ended it never changes."""

    model_config = ConfigDict(from_attributes=True)

    no: int
    found_on: date
    opened_at: datetime
    ordered_at: datetime | None
    due_at: datetime | None
    applied_at: datetime | None
    reviews: int
    ended_on: date | None
    ended_at: datetime | None
    outcome: str
    proof: str
    late: bool
    rectifier: PersonOut | None
    acceptor: PersonOut | None
    delister: PersonOut | None
    cause: str
    inferred: bool


class LinkOut(BaseModel):
    """One link of the chain of responsibility: a role, a natural person, a unit."""

    model_config = ConfigDict(from_attributes=True)

    role: str
    person: PersonOut
    body: BodyOut | None
    unit_name: str
    cycle_no: int
    reason: str
    from_at: datetime
    until_at: datetime | None


class PaperOut(BaseModel):
    """A paper of the procedure: what was issued, by whom, served on whom."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    cycle_no: int
    body: BodyOut | None
    issued_by: PersonOut
    issued_at: datetime
    served_on: str
    served_at: datetime | None


class MeasureOut(BaseModel):
    """A measure beside rectification; none of them closes a hazard. ``yuan`` is a text, exact to the fen."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    cycle_no: int
    body: BodyOut | None
    person: PersonOut
    at: datetime
    yuan: Decimal | None
    basis: str


class DutyOut(BaseModel):
    """Who owes what about this hazard by when."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: str
    person: PersonOut
    unit_name: str
    state: str
    due_at: datetime | None
    provisional: bool
    source_rule: str
    opened_at: datetime
    ended_at: datetime | None
    breached_at: datetime | None


class LineOut(BaseModel):
    """One entry of the journal about this hazard; ``actor`` is an opaque id or ``job:name``."""

    model_config = ConfigDict(from_attributes=True)

    position: int
    at: datetime
    recorded_at: datetime
    actor: str
    verb: str
    subject: str
    data: dict[str, Any]
    words: dict[str, str]


class AttachmentOut(BaseModel):
    """A file at a matter; its content is at ``/files/{file_id}``."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    file_id: UUID
    name: str
    mime: str
    size: int
    sha256: str
    purpose: str
    cycle_no: int
    attached_at: datetime


class HazardOut(HazardRow, Rooted):
    """One hazard with its rounds, chain, papers, measures, duties, files and timeline, and what the caller may do now."""

    allowed_actions: list[str]
    finder: PersonOut | None
    sent_to_body: BodyOut | None
    ordering_body: BodyOut | None
    cycles: list[CycleOut]
    links: list[LinkOut]
    papers: list[PaperOut]
    measures: list[MeasureOut]
    obligations: list[DutyOut]
    attachments: list[AttachmentOut]
    timeline: list[LineOut]


class EnteredOut(Rooted):
    """What became of a sighting: ``new``, ``joined`` to an open hazard as a further voice, or a ``rebound``."""

    kind: str
    hazard: HazardRow


class SightingIn(Given):
    """What somebody saw: where, what, when. ``code`` is a check item; without one name the ``class_code``."""

    place: UUID
    fact: Text
    code: Code = ""
    class_code: Code = ""
    part: Line = ""
    basis: Words = ""
    origin: Literal[
        "inspection", "patrol", "self_check", "ticket", "whistleblower", "alarm", "assigned", "transferred", "oversight",
        "third_party", "accident", "like_case",
    ] = "patrol"  # fmt: skip
    origin_ref: Line = ""
    found_on: Day | None = None
    found_at: Instant | None = None
    grade: Literal["", "general", "suspected_major", "undetermined"] = ""
    life_at_risk: bool = False
    interim_control: Words = ""


class FactsIn(Given):
    """The facts that a step of the lifecycle asks for. Photos are attached before, never claimed."""

    reason: Text | None = None
    opinion: Text | None = None
    measures: Text | None = None
    note: Text | None = None
    description: Text | None = None
    goals: Text | None = None
    methods: Text | None = None
    people: Text | None = None
    funds: Text | None = None
    emergency_plan: Text | None = None
    report: Text | None = None
    left_over: Text | None = None
    cause: Text | None = None
    lasting_measure: Text | None = None
    assessor: Text | None = None
    experts: Text | None = None
    interim_control: Text | None = None
    measure: Text | None = None
    notice: Text | None = None
    clause: Text | None = None
    found: Text | None = None
    basis: Words | None = None
    document_number: Line | None = None
    due_on: Day | None = None
    body: UUID | None = None
    bodies: Annotated[list[UUID], Field(max_length=30)] | None = None
    second_person: UUID | None = None
    leader: UUID | None = None
    into: UUID | None = None
    level: Literal["district", "city"] | None = None
    yuan: Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)] | None = None
    legal_review: bool | None = None
    listing_consent: bool | None = None
    on_site: bool | None = None


class ActionIn(Given):
    """One action: the facts it needs, and the verdict where it has one. ``on_site`` makes it a visit of its own."""

    given: FactsIn = FactsIn()
    verdict: Code | None = None
    task_number: Annotated[str, Field(max_length=60)] = ""


class AttachIn(Given):
    """A stored file and what it is for."""

    file: UUID
    purpose: Literal["before", "after", "paper", "source"]


@router.get("/hazards", response=documented(HazardPage), auth=Bearer("hazards:read"), summary="List hazards")
@read
def list_hazards(request: HttpRequest, query: Query[HazardQuery]) -> HttpResponse:
    """List the hazards that the caller sees, newest first, by the filters of the ledger."""
    return hazard_page(request, query)


def hazard_page(request: HttpRequest, query: HazardQuery) -> HttpResponse:
    """Answer one page of the ledger; that it lists persons is logged."""
    actor, at = actor_of(request), moment_of(request)
    chips = query.model_dump(exclude={"after", "size", "states", "area"})
    states = tuple(s for s in query.states.split(",") if s)
    for state in states:
        if state not in State._value2member_map_:
            raise Refusal("api.value_unknown", field="states", name="states")
    filters = queries.Filters(area=area_path(actor.root, query.area), states=states, **chips)
    rows, following = queries.page(actor, filters, at=at, after=query.after, size=query.size)
    if rows:
        note_access(actor=actor, at=at, what="hazards.list", rows=len(rows))
    items = [_row(row, at) for row in rows]
    return reply_page(request, HazardPage(items=items, next=str(following) if following else None))


@router.post(
    "/hazards", response=documented(EnteredOut, 201, 200), auth=Bearer("hazards:write"), summary="Enter a hazard"
)
@write
def enter_hazard(request: HttpRequest, body: Body[SightingIn]) -> HttpResponse:
    """Put a danger on the ledger (上账): 201 for a new one or a rebound, 200 where it joins one that is open."""
    actor, at = actor_of(request), moment_of(request)
    firm = actor.roles <= {FIRM}
    seen = operations.Sighting(
        place_id=body.place,
        self_found=firm,
        **{**body.model_dump(exclude={"place"}), **({"origin": "self_check"} if firm else {})},
    )
    entered = operations.enter(actor=actor, at=at, sighting=seen)
    row = entered.hazard
    made = EnteredOut(kind=entered.kind, hazard=_row(row, at))
    status = 200 if entered.kind == "joined" else 201
    return reply(request, made, status=status, version=row.version, location=f"/api/v1/hazards/{row.pk}")


@router.get(
    "/hazards/{uuid:hazard_id}", response=documented(HazardOut), auth=Bearer("hazards:read"), summary="One hazard"
)
@read
def get_hazard(request: HttpRequest, hazard_id: UUID) -> HttpResponse:
    """Give one hazard with all it carries and the caller's ``allowed_actions``; the read is logged."""
    return _one(request, hazard_id)


@router.post(
    "/hazards/{uuid:hazard_id}/actions/{action}", response=documented(HazardOut), auth=Bearer("hazards:write"),
    summary="Act on a hazard",
)  # fmt: skip
@write
def act_on_hazard(request: HttpRequest, hazard_id: UUID, action: Action, body: Body[ActionIn]) -> HttpResponse:
    """Do one action of the lifecycle; with ``If-Match`` only if nobody was faster."""
    actor, at = actor_of(request), moment_of(request)
    row = queries.hazard(actor, hazard_id)
    given = body.given.model_dump(exclude_none=True)
    yours = body.model_dump(mode="json", exclude_unset=True)
    version = expected(request, row.version, theirs=_row(row, at).model_dump(mode="json"), yours=yours)
    if given.pop("on_site", False):
        review_on_site(
            actor=actor, at=at, hazard_id=hazard_id, action=action, verdict=body.verdict, given=given, version=version,
            task_number=body.task_number,
        )  # fmt: skip
    else:
        operations.act(
            actor=actor, at=at, hazard_id=hazard_id, action=action, verdict=body.verdict, given=given, version=version
        )
    return _one(request, hazard_id, conditional=False)


@router.post(
    "/hazards/{uuid:hazard_id}/attachments", response=documented(AttachmentOut, 201), auth=Bearer("hazards:write"),
    summary="Attach a file",
)  # fmt: skip
@write
def attach_to_hazard(request: HttpRequest, hazard_id: UUID, body: Body[AttachIn]) -> HttpResponse:
    """Put a stored file to the present round of a hazard: one's own upload, or a file that one may read."""
    actor, at = actor_of(request), moment_of(request)
    row = queries.hazard(actor, hazard_id)
    if row.historical:
        raise Refusal("hazard.historical")
    if not queries.roles_towards(actor, row):
        raise Refusal("api.not_party")
    stored = files.file(actor, body.file)
    if stored.stored_by != actor.reference and not readable(actor, body.file):
        raise Refusal("file.not_found")
    made = file_operations.attach(
        actor=actor, at=at, file=stored, matter_kind="hazard", matter_id=row.pk, purpose=body.purpose,
        cycle_no=row.cycle_no,
    )  # fmt: skip
    found = next(each for each in files.attachments(row.pk) if each.id == made.pk)
    return reply(request, AttachmentOut.model_validate(found), status=201, location=f"/api/v1/files/{found.file_id}")


def reachable(actor: Actor, place_id: UUID) -> bool:
    """Tell whether the caller may report about a place."""
    row = establishments.places_by_id([place_id]).get(place_id)
    return row is not None and row.root == actor.root and policies.can_enter(actor, row)


def readable(actor: Actor, file_id: UUID) -> bool:
    """Tell whether the caller may read a file: only through a matter that it may see."""
    for kind, matter in files.matters_of(actor, file_id):
        if kind == "hazard" and queries.visible_to(actor).filter(pk=matter).exists():
            return True
        if kind == "place" and establishments.place(actor, matter) is not None:
            return True
    return False


def _row(row: Any, at: datetime) -> HazardRow:
    made = HazardRow.model_validate(row)
    made.state_zh, made.state_en = label(State(row.state), Chain(row.chain))
    made.overdue = bool(row.is_open and row.due_at and row.due_at < at)
    return made


def _one(request: HttpRequest, hazard_id: UUID, *, conditional: bool = True) -> HttpResponse:
    actor, at = actor_of(request), moment_of(request)
    found = queries.dossier(actor, hazard_id)
    row = found.hazard
    if conditional and unchanged(request, row.version):
        return HttpResponse(status=304)
    # A firm learns what it has to put right, not who told.
    told = not actor.roles <= {FIRM} or row.finder_id == actor.person_id
    body = HazardOut(
        **_row(row, at).model_dump(),
        allowed_actions=[action.value for action in found.actions],
        finder=PersonOut.model_validate(row.finder) if told else None,
        sent_to_body=_maybe(row.sent_to_body),
        ordering_body=_maybe(row.ordering_body),
        cycles=_each(CycleOut, found.cycles),
        links=_each(LinkOut, [link for link in found.links if told or link.role != "finder"]),
        papers=_each(PaperOut, found.papers),
        measures=_each(MeasureOut, found.measures),
        obligations=_each(DutyOut, found.obligations),
        attachments=_each(AttachmentOut, files.attachments(row.pk)),
        timeline=[LineOut(**_line(line, told)) for line in found.timeline],
    )
    note_access(actor=actor, at=at, what="hazard.file", subject=f"hazard:{row.pk}", rows=len(body.links))
    return reply(request, body, version=row.version)


def _maybe(body: Any) -> BodyOut | None:
    return BodyOut.model_validate(body) if body is not None else None


def _each(kind: type[T], rows: Iterable[Any]) -> list[T]:
    return [kind.model_validate(row) for row in rows]


def _line(line: Any, told: bool) -> Mapping[str, Any]:
    facts = LineOut.model_validate(line).model_dump()
    return facts if told or line.verb not in {"hazard.entered", "hazard.seen_again"} else {**facts, "actor": ""}

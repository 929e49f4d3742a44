"""The responsibility net (监管责任): mandates, gaps and overlaps, joint matters with their parts, mechanisms."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from anban.api.access import Bearer, actor_of, moment_of
from anban.api.answers import documented, read
from anban.api.paging import Listed, Paged, area_path, newest_first
from anban.api.values import BodyOut, Code, Day, pieces, rows_of
from anban.contexts.responsibility import policies, queries
from anban.contexts.territory.queries import city_date, within

router = Router(tags=["net"])
Ids = Annotated[list[UUID], BeforeValidator(pieces)]
Codes = Annotated[list[str], BeforeValidator(pieces)]


class MandateQuery(Paged):
    """Which mandates: of a day (today where none is given), a role, an area (code or path) and what is below it."""

    on: Day | None = None
    role: Literal["", "sector_lead", "special", "enforcer", "territory"] = ""
    area: Annotated[str, Field(max_length=60)] = ""


class AreaOut(BaseModel):
    """An area: its code and name."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    name: str
    path: str


class MandateRow(BaseModel):
    """A body's duty over a place kind or industry and hazard class in an area (监管职责), dated, with its basis."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    body: BodyOut
    role: str
    place_kind: str
    industry: str
    hazard_class: str
    area: AreaOut
    phase: str
    from_on: date | None
    until_on: date | None
    basis: str


class MandatePage(Listed):
    """A page of mandates, those entered last first."""

    items: list[MandateRow]


@router.get("/mandates", response=documented(MandatePage), auth=Bearer("net:read"), summary="List mandates of a day")
@read
def list_mandates(request: HttpRequest, query: Query[MandateQuery]) -> HttpResponse:
    """List who regulates what where on a day; no secret among officials from the street upward."""
    actor = actor_of(request)
    policies.require_may_read(actor)
    rows = queries.mandates(actor.root, query.on or city_date(moment_of(request), actor.root))
    if query.role:
        rows = rows.filter(role=query.role)
    if query.area:
        rows = rows.filter(within(area_path(actor.root, query.area), "area__path"))
    return newest_first(request, query, rows, MandatePage)


class BoundaryQuery(Paged):
    """Which boundaries: gaps or overlaps, of a role, in an area; ``state`` open is everything that is not settled."""

    fault: Literal["", "gap", "overlap"] = ""
    state: Literal["", "open", "settled", "gone"] = "open"
    role: Literal["", "sector_lead", "special", "enforcer", "territory"] = ""
    area: Annotated[str, Field(max_length=60)] = ""


class BoundaryRow(BaseModel):
    """A hole or a seam of the net (空白、交叉) until it is settled; ``bodies`` are the ids of those that overlap."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: str
    fault: str
    role: str
    place_kind: str
    industry: str
    hazard_class: str
    area: AreaOut
    bodies: Ids
    state: str
    places_count: int
    since_on: date | None
    found_at: datetime
    assigned_body: BodyOut | None
    assigned_at: datetime | None
    ended_at: datetime | None
    version: int


class BoundaryPage(Listed):
    """A page of boundaries, those found last first."""

    items: list[BoundaryRow]


@router.get(
    "/boundaries", response=documented(BoundaryPage), auth=Bearer("net:read"), summary="List gaps and overlaps"
)  # fmt: skip
@read
def list_boundaries(request: HttpRequest, query: Query[BoundaryQuery]) -> HttpResponse:
    """List the gaps and overlaps of the caller's areas, and those that its bodies are part of."""
    actor = actor_of(request)
    policies.require_may_read(actor)
    rows = queries.boundary_list(
        actor, fault=query.fault, state=query.state, role=query.role, area=area_path(actor.root, query.area)
    )
    return newest_first(request, query, rows, BoundaryPage)


class JointQuery(Paged):
    """Which joint matters: of a kind (whistle 吹哨, guidance, joint case, opinion), open or closed."""

    kind: Literal["", "joint", "whistle", "guidance", "opinion"] = ""
    closed: bool = False


class PartOut(BaseModel):
    """What one body is asked for, by when, and where it stands."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    body: BodyOut
    part: str
    state: str
    due_at: datetime
    provisional: bool
    answered_at: datetime | None


class JointRow(BaseModel):
    """Several bodies are asked for their part in one matter (协同事项)."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: str
    kind: str
    title: str
    area_path: str
    matter_kind: str
    matter_id: UUID
    mechanism_id: UUID | None
    caller: BodyOut | None
    urgent: bool
    opened_at: datetime
    closed_at: datetime | None
    parts: Annotated[list[PartOut], BeforeValidator(rows_of)]
    version: int


class JointPage(Listed):
    """A page of joint matters, newest first."""

    items: list[JointRow]


@router.get("/joints", response=documented(JointPage), auth=Bearer("net:read"), summary="List joint matters")
@read
def list_joints(request: HttpRequest, query: Query[JointQuery]) -> HttpResponse:
    """List the joint matters of the caller's areas and bodies: joint cases, whistles, requests for guidance and opinions."""
    actor = actor_of(request)
    policies.require_may_read(actor)
    return newest_first(request, query, queries.joint_list(actor, kind=query.kind, closed=query.closed), JointPage)


class MemberOut(BaseModel):
    """One body's part in a mechanism."""

    model_config = ConfigDict(from_attributes=True)

    body: BodyOut
    part: str
    limit_workdays: int


class MechanismRow(BaseModel):
    """A standing joint mechanism (联动机制): who leads, what opens it, what each member owes in how many working days."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    lead: BodyOut
    area: AreaOut
    hazard_class: str
    hazard_codes: Codes
    by_rule: bool
    basis: str
    from_on: date
    until_on: date | None
    members: Annotated[list[MemberOut], BeforeValidator(rows_of)]


class MechanismPage(Listed):
    """A page of mechanisms, those set up last first."""

    items: list[MechanismRow]


class MechanismQuery(Paged):
    """Which mechanisms: those in force on a day (today where none is given), opened by a class where one is given."""

    on: Day | None = None
    hazard_class: Code = ""


@router.get("/mechanisms", response=documented(MechanismPage), auth=Bearer("net:read"), summary="List joint mechanisms")
@read
def list_mechanisms(request: HttpRequest, query: Query[MechanismQuery]) -> HttpResponse:
    """List the joint mechanisms in force on a day; no secret among officials from the street upward."""
    actor = actor_of(request)
    policies.require_may_read(actor)
    rows = queries.mechanisms_on(actor.root, query.on or city_date(moment_of(request), actor.root))
    if query.hazard_class:
        rows = rows.filter(hazard_class=query.hazard_class)
    return newest_first(request, query, rows, MechanismPage)

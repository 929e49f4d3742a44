"""Places on the register (监管对象): list, one with its file (一企一档), put on the register, amend."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Body, Query, Router
from pydantic import BaseModel, ConfigDict, Field

from anban.api.access import Bearer, actor_of, moment_of
from anban.api.answers import Rooted, documented, read, reply
from anban.api.conditional import expected, unchanged
from anban.api.hazards import HazardPage, HazardQuery, hazard_page
from anban.api.idempotency import write
from anban.api.paging import Listed, Paged, reply_page
from anban.api.values import Code, Day, Given, Line, Name, PersonOut, Words
from anban.base.people.actor import Actor
from anban.contexts.establishments import operations, queries
from anban.contexts.territory.queries import area_by_code, city_date
from anban.rules.errors import Refusal

router = Router(tags=["places"])


class PlaceQuery(Paged):
    """The chips of the register's list; several values of one chip stand in one text, with commas."""

    area: Code = ""
    overview: Code = ""
    kind: Name = ""
    status: Name = ""
    affiliation: Name = ""
    form: Name = ""
    building: Code = ""
    source: Code = ""
    q: Name = ""


class AreaOut(BaseModel):
    """An area of the tree."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    name: str
    name_en: str
    path: str


class PlaceRow(BaseModel):
    """One place as a list shows it; positions are WGS-84."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: str
    form: str
    name: str
    address: str
    credit_code: str
    kind: str
    industry: str
    area: AreaOut
    overview_code: str
    lng_wgs84: float | None
    lat_wgs84: float | None
    affiliation: str
    status: str
    status_on: date | None
    historical: bool
    registered_at: datetime
    version: int


class PlacePage(Listed):
    """A page of places, newest first."""

    items: list[PlaceRow]


class PartyOut(BaseModel):
    """Owner, manager or tenant of a place, for a time."""

    model_config = ConfigDict(from_attributes=True)

    role: str
    name: str
    credit_code: str
    from_on: date | None
    until_on: date | None


class InChargeOut(BaseModel):
    """A person in charge at a place; reading it is logged."""

    role: str
    person: PersonOut
    from_on: date | None
    until_on: date | None


class TitleOut(BaseModel):
    """A place by id, number and name."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: str
    name: str


class SourceOut(BaseModel):
    """A source's row about a place."""

    source: str
    key: str
    flags: list[str]
    matched_by: str
    taken_at: datetime


class PlaceOut(PlaceRow, Rooted):
    """One place with its file."""

    attributes: dict[str, str]
    parties: list[PartyOut]
    in_charge: list[InChargeOut]
    building: TitleOut | None
    tenants: list[TitleOut]
    sources: list[SourceOut]
    merged_into: UUID | None


Attributes = Annotated[dict[Line, Words], Field(max_length=100)]


class PlaceIn(Given):
    """What is to be put on the register; ``area`` is the code of its street or community."""

    name: Name
    area: Code
    address: Words = ""
    credit_code: Annotated[str, Field(max_length=24)] = ""
    kind: Code = ""
    industry: Annotated[str, Field(max_length=20)] = ""
    form: Code = "unit"
    building: UUID | None = None
    lng: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None = None
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] | None = None
    datum: Code = "wgs84"
    affiliation: Code = "district"
    status: Code = "operating"
    status_on: Day | None = None
    attributes: Attributes = {}


class PlaceChange(Given):
    """What is to be changed of a place; what is not named stays."""

    name: Name | None = None
    area: Code | None = None
    address: Words | None = None
    credit_code: Annotated[str, Field(max_length=24)] | None = None
    kind: Code | None = None
    industry: Annotated[str, Field(max_length=20)] | None = None
    form: Code | None = None
    building: UUID | None = None
    lng: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None = None
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] | None = None
    affiliation: Code | None = None
    attributes: Attributes | None = None
    status: Code | None = None
    status_on: Day | None = None
    reason: Words = ""


@router.get("/places", response=documented(PlacePage), auth=Bearer("places:read"), summary="List places")
@read
def list_places(request: HttpRequest, query: Query[PlaceQuery]) -> HttpResponse:
    """List the places that the caller sees, newest first."""
    actor = actor_of(request)
    chips = {name: value for name, value in query.model_dump().items() if name not in {"after", "size"}}
    page = queries.page(actor, queries.Filters(**chips), str(query.after or ""), query.size)
    return reply_page(
        request, PlacePage(items=[PlaceRow.model_validate(row) for row in page.rows], next=page.next or None)
    )


@router.post(
    "/places", response=documented(PlaceOut, 201), auth=Bearer("places:write"), summary="Put a place on the register"
)
@write
def register_place(request: HttpRequest, body: Body[PlaceIn]) -> HttpResponse:
    """Put a place on the register (建账)."""
    actor = actor_of(request)
    facts = body.model_dump(exclude={"area", "building"})
    row = operations.register_place(
        actor=actor,
        at=moment_of(request),
        area_id=_area(actor, body.area),
        building_id=_building(actor, body.building),
        **facts,
    )
    return _one(request, row.pk, status=201)


@router.get("/places/{uuid:place_id}", response=documented(PlaceOut), auth=Bearer("places:read"), summary="One place")
@read
def get_place(request: HttpRequest, place_id: UUID) -> HttpResponse:
    """Give one place with its file; the names of persons in charge are a logged read."""
    row = queries.place(actor_of(request), place_id)
    if row is None:
        raise Refusal("place.unknown")
    if unchanged(request, row.version):
        return HttpResponse(status=304)
    return _one(request, place_id)


@router.patch(
    "/places/{uuid:place_id}", response=documented(PlaceOut), auth=Bearer("places:write"), summary="Amend a place"
)
@write
def amend_place(request: HttpRequest, place_id: UUID, body: Body[PlaceChange]) -> HttpResponse:
    """Change facts or the status of a place; with ``If-Match`` only if nobody was faster."""
    actor = actor_of(request)
    row = queries.place(actor, place_id)
    if row is None:
        raise Refusal("place.unknown")
    given = body.model_dump(exclude_unset=True)
    theirs = PlaceRow.model_validate(row).model_dump(mode="json")
    seen = expected(request, row.version, theirs=theirs, yours=body.model_dump(mode="json", exclude_unset=True))
    changes: dict[str, Any] = {
        k: v for k, v in given.items() if k not in {"area", "building", "status", "status_on", "reason"}
    }
    for name, value in changes.items():
        if value is None and name not in {"lng", "lat"}:
            raise Refusal("api.value_type", field=name, name=name)
    if "area" in given:
        changes["area_id"] = _area(actor, body.area or "")
    if "building" in given:
        changes["building_id"] = _building(actor, body.building)
    row = operations.amend(
        actor=actor, at=moment_of(request), place_id=place_id, version=seen or row.version, changes=changes
    )
    if body.status is not None:
        on = body.status_on or city_date(moment_of(request), actor.root)
        operations.set_status(
            actor=actor, at=moment_of(request), place_id=place_id, version=row.version, status=body.status, on=on,
            reason=body.reason,
        )  # fmt: skip
    return _one(request, place_id)


@router.get(
    "/places/{uuid:place_id}/hazards", response=documented(HazardPage), auth=Bearer("hazards:read"),
    summary="The hazards of a place",
)  # fmt: skip
@read
def list_hazards_of_place(request: HttpRequest, place_id: UUID, query: Query[HazardQuery]) -> HttpResponse:
    """List the hazards of a place that the caller sees, those of places merged into it included."""
    if queries.place(actor_of(request), place_id) is None:
        raise Refusal("place.unknown")
    return hazard_page(request, query.model_copy(update={"place": place_id}))


def _area(actor: Actor, code: str) -> UUID:
    area = area_by_code(actor.root, code)
    if area is None:
        raise Refusal("place.area_unknown", field="area")
    return area.pk


def _building(actor: Actor, building: UUID | None) -> UUID | None:
    if building is not None and queries.place(actor, building) is None:
        raise Refusal("place.building_wrong", field="building")
    return building


def _one(request: HttpRequest, place_id: UUID, *, status: int = 200) -> HttpResponse:
    file = operations.open_file(actor=actor_of(request), at=moment_of(request), place_id=place_id)
    row = file.place
    body = PlaceOut(
        **PlaceRow.model_validate(row).model_dump(),
        attributes=dict(file.attributes),
        parties=[PartyOut.model_validate(each) for each in file.parties],
        in_charge=[
            InChargeOut(
                role=each.role, person=PersonOut(id=each.person_id, name=each.name), from_on=each.from_on,
                until_on=each.until_on,
            )
            for each in file.in_charge
        ],
        building=TitleOut.model_validate(file.building) if file.building else None,
        tenants=[TitleOut.model_validate(each) for each in file.tenants],
        sources=[
            SourceOut(
                source=each.source_code, key=each.key, flags=list(each.flags), matched_by=each.matched_by,
                taken_at=each.taken_at,
            )
            for each in file.sources
        ],
        merged_into=row.survivor_id,
    )  # fmt: skip
    location = f"/api/v1/places/{row.pk}" if status == 201 else ""
    return reply(request, body, status=status, version=row.version, location=location)

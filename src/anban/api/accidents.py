"""Accidents (事故): the dated record of what happened where and how grave it was."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, ConfigDict, Field

from anban.api.access import Bearer, actor_of
from anban.api.answers import documented, read
from anban.api.paging import Listed, Paged, area_path, newest_first
from anban.api.values import Code, Day
from anban.contexts.accidents import queries
from anban.contexts.territory.queries import within

router = Router(tags=["accidents"])


class AccidentQuery(Paged):
    """Which accidents: of a kind, within days (``on_until`` exclusive), in an area (code or path), at a place."""

    kind: Code = ""
    on_from: Day | None = None
    on_until: Day | None = None
    area: Annotated[str, Field(max_length=60)] = ""
    place: UUID | None = None


class AccidentRow(BaseModel):
    """One accident on record; the persons whom its report names stand in its case of accountability alone."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: str
    kind: str
    on: date
    grade: str
    place_id: UUID | None
    unit_name: str
    area_path: str
    deaths: int
    serious_injuries: int
    loss_yuan: int | None
    causes: str
    recorded_at: datetime
    version: int


class AccidentPage(Listed):
    """A page of accidents, those recorded last first."""

    items: list[AccidentRow]


@router.get(
    "/accidents", response=documented(AccidentPage), auth=Bearer("accidents:read"), summary="List accidents"
)  # fmt: skip
@read
def list_accidents(request: HttpRequest, query: Query[AccidentQuery]) -> HttpResponse:
    """List the accidents of the areas that the caller's posts cover."""
    actor = actor_of(request)
    rows = queries.visible_to(actor)
    if query.kind:
        rows = rows.filter(kind=query.kind)
    if query.on_from:
        rows = rows.filter(on__gte=query.on_from)
    if query.on_until:
        rows = rows.filter(on__lt=query.on_until)
    if query.area:
        rows = rows.filter(within(area_path(actor.root, query.area)))
    if query.place:
        rows = rows.filter(place_id=query.place)
    return newest_first(request, query, rows, AccidentPage)

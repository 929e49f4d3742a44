"""Results of the city pass (风险研判): assessments with their figures, the risk order with its reasons, early warnings; read only."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, ConfigDict, Field

from anban.api.access import Bearer, actor_of
from anban.api.answers import documented, read
from anban.api.paging import Listed, Paged, reply_page
from anban.base.people.actor import Actor
from anban.contexts.risk import queries
from anban.contexts.territory.queries import area_by_code, within
from anban.lake.reading import Reading
from anban.rules.errors import Refusal

router = Router(tags=["risk"])


class AssessmentOut(BaseModel):
    """One pass over the root for a day; ``figures`` count what the caller sees, null where the result files are gone."""

    id: UUID
    as_of: date
    made_at: datetime
    position: int
    manifest_hash: str
    engine: str
    figures: dict[str, int] | None


class AssessmentPage(Listed):
    """A page of assessments, the last made first."""

    items: list[AssessmentOut]


class OrderQuery(Paged):
    """Of which assessment (default: the newest day's) and below which area, a code or a path."""

    assessment: UUID | None = None
    area: Annotated[str, Field(max_length=60)] = ""


class ReasonOut(BaseModel):
    """A fact whose removal lowers the chance: with its number (transparent score) or its words (learned order)."""

    fact: str
    number: int | None = None
    zh: str | None = None
    en: str | None = None


class RankedOut(BaseModel):
    """A place to be seen next: a proposal, never a finding. ``chance`` is null where nobody has been."""

    id: UUID
    name: str
    kind: str
    area_path: str
    chance: float | None
    hazards_open: int
    reasons: list[ReasonOut]


class RankedPage(Listed):
    """A page of the risk order, those first whose visit averts most."""

    assessment: UUID | None
    items: list[RankedOut]


class WarningQuery(Paged):
    """In which state, and below which area, a code or a path."""

    state: Literal["", "open", "answered", "passed"] = ""
    area: Annotated[str, Field(max_length=60)] = ""


class CountedOut(BaseModel):
    """A number in a warning: so many events from a day to a day, in areas (none: the warning's own), perhaps only located ones."""

    model_config = ConfigDict(populate_by_name=True)

    since: date
    until: date
    n: int
    areas: list[str]
    located: bool


class WarningOut(BaseModel):
    """A finding of the looks: a question to persons, with what they answered."""

    id: UUID
    method: str
    kind: str
    area_path: str
    level: str
    p_value: float | None
    zh: str
    en: str
    counted: list[CountedOut]
    first_on: date
    last_on: date
    state: str
    answer: str
    reason: str
    answered_at: datetime | None
    version: int


class WarningPage(Listed):
    """A page of warnings, newest first."""

    items: list[WarningOut]


@router.get(
    "/risk/assessments", response=documented(AssessmentPage), auth=Bearer("risk:read"), summary="List assessments"
)
@read
def list_assessments(request: HttpRequest, query: Query[Paged]) -> HttpResponse:
    """List the assessments of the root, with the figures of what the caller sees."""
    actor = actor_of(request)
    rows = queries.assessments(actor).order_by("-pk") if queries.reaches(actor) else queries.assessments(actor).none()
    if query.after is not None:
        rows = rows.filter(pk__lt=query.after)
    found = list(rows[: query.size + 1])
    shown = found[: query.size]
    items = [
        AssessmentOut(
            id=row.pk, as_of=row.as_of, made_at=row.made_at, position=row.position, manifest_hash=row.manifest_hash,
            engine=row.engine, figures=_figures(actor, row),
        )
        for row in shown
    ]  # fmt: skip
    return reply_page(request, AssessmentPage(items=items, next=_next(shown, found)))


def _figures(actor: Actor, of: Any) -> dict[str, int] | None:
    if not queries.below_streets(actor):
        return queries.figures(actor, of)
    try:
        return Reading.of(of.root, of.folder).figures(queries.reaches(actor))
    except Refusal:
        return None


@router.get("/risk/order", response=documented(RankedPage), auth=Bearer("risk:read"), summary="The risk order")
@read
def list_risk_order(request: HttpRequest, query: Query[OrderQuery]) -> HttpResponse:
    """List the places to be seen next of the areas and kinds that the caller sees, the first fifty of each street at most."""
    actor = actor_of(request)
    of = queries.assessment(actor, query.assessment) if query.assessment else queries.current(actor)
    if of is None:
        if query.assessment:
            raise Refusal("api.not_found")
        return reply_page(request, RankedPage(assessment=None, items=[]))
    found = queries.top_places(actor, of, area=_path(actor, query.area), limit=query.size + 1, after=query.after)
    shown = found[: query.size]
    body = RankedPage(
        assessment=of.pk, items=[_ranked(one) for one in shown],
        next=str(shown[-1].place_id) if len(found) > query.size else None,
    )  # fmt: skip
    return reply_page(request, body)


def _ranked(one: queries.Listed) -> RankedOut:
    reasons = (
        [ReasonOut(fact=why.fact, number=why.number) for why in one.reasons]
        if one.told is None
        else [ReasonOut(fact=fact, zh=zh, en=en) for fact, zh, en in one.told]
    )
    seen = one.facts.get("days_unseen") is not None
    return RankedOut(
        id=one.place_id, name=one.name, kind=one.kind, area_path=one.area_path,
        chance=round(one.chance, 4) if seen else None, hazards_open=int(one.facts["open_now"]), reasons=reasons,
    )  # fmt: skip


@router.get("/risk/warnings", response=documented(WarningPage), auth=Bearer("risk:read"), summary="List early warnings")
@read
def list_warnings(request: HttpRequest, query: Query[WarningQuery]) -> HttpResponse:
    """List the early warnings of the areas that the caller reads whole, newest first."""
    actor = actor_of(request)
    rows = queries.warnings_visible_to(actor)
    path = _path(actor, query.area)
    if path:
        rows = rows.filter(within(path))
    if query.state:
        rows = rows.filter(state=query.state)
    if query.after is not None:
        rows = rows.filter(pk__lt=query.after)
    found = list(rows.order_by("-pk")[: query.size + 1])
    shown = found[: query.size]
    return reply_page(request, WarningPage(items=[_warning(row) for row in shown], next=_next(shown, found)))


def _warning(row: Any) -> WarningOut:
    counted = [
        CountedOut(since=one["from"], until=one["until"], n=one["n"], areas=one["areas"], located=one["located"])
        for one in orjson.loads(row.counted or "[]")
    ]
    return WarningOut(
        id=row.pk, method=row.method, kind=row.kind, area_path=row.area_path, level=row.level, p_value=row.p_value,
        zh=row.zh, en=row.en, counted=counted, first_on=row.first_on, last_on=row.last_on, state=row.state,
        answer=row.answer, reason=row.reason, answered_at=row.answered_at, version=row.version,
    )  # fmt: skip


def _next(shown: list[Any], found: list[Any]) -> str | None:
    return str(shown[-1].pk) if len(found) > len(shown) else None


def _path(actor: Actor, area: str) -> str:
    """Return the path of an area given by code or path. Raises: api.value_unknown."""
    if not area or "/" in area:
        return area
    found = area_by_code(actor.root, area)
    if found is None:
        raise Refusal("api.value_unknown", field="area", name="area")
    return str(found.path)

"""Obligations (责任事项): what I owe, what an area owes, and handing over with a signature."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Body, Query, Router
from pydantic import BaseModel, ConfigDict

from anban.api.access import Bearer, actor_of, moment_of
from anban.api.answers import Rooted, documented, read, reply
from anban.api.idempotency import write
from anban.api.paging import Listed, Paged, reply_page
from anban.api.values import BodyOut, Given, PersonOut, Text
from anban.base.people.actor import Actor
from anban.base.people.operations import note_access
from anban.base.people.queries import person
from anban.contexts.hazards import queries as hazards
from anban.contexts.obligations import operations, queries
from anban.contexts.territory.queries import city_date
from anban.kit.clock import day_start
from anban.rules.errors import Refusal, register

register("obligation.person_unknown", zh="没有这个人员。", en="There is no such person.")

router = Router(tags=["obligations"])
SHOWN_HANDOVERS = 200


class ObligationQuery(Paged):
    """Whose: ``mine`` or all of the areas that the caller supervises; and which, as on the desk."""

    scope: Literal["mine", "area"] = "mine"
    only: Literal["all", "overdue", "week", "review", "returned"] = "all"


class ObligationOut(BaseModel):
    """A natural person, in a unit, must do something about a subject by an instant, under a rule."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: str
    person: PersonOut
    body: BodyOut | None
    unit_name: str
    subject_kind: str
    subject_id: UUID
    matter_id: UUID
    cycle_no: int
    place_id: UUID | None
    place_title: str
    area_path: str
    title: str
    ladder: str
    grade: str
    due_at: datetime | None
    provisional: bool
    source_rule: str
    state: str
    opened_at: datetime
    ended_at: datetime | None
    breached_at: datetime | None
    version: int


class ObligationPage(Listed):
    """A page of open obligations, newest first."""

    items: list[ObligationOut]


class ObligationOne(ObligationOut, Rooted):
    """One obligation."""


class HandoverRow(BaseModel):
    """An obligation offered to another person; the first stays responsible until the second signs."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    obligation_id: UUID
    from_person_id: UUID
    to_person_id: UUID
    offered_at: datetime
    signed_at: datetime | None
    declined_at: datetime | None


class HandoverOne(HandoverRow, Rooted):
    """One handover."""


class HandoverList(Rooted):
    """What waits for the caller's signature, the oldest first."""

    items: list[HandoverRow]


class HandoverIn(Given):
    """To whom it is handed."""

    to_person: UUID


class DeclineIn(Given):
    """Why it is not taken."""

    reason: Text


@router.get(
    "/obligations",
    response=documented(ObligationPage),
    auth=Bearer("obligations:read"),
    summary="List open obligations",
)
@read
def list_obligations(request: HttpRequest, query: Query[ObligationQuery]) -> HttpResponse:
    """List what the caller owes now, or what is owed in the areas that the caller supervises."""
    actor, at = actor_of(request), moment_of(request)
    week_end = _week_end(actor, at)
    if query.scope == "mine":
        rows = queries.desk(actor, at=at, week_end=week_end, only=query.only)
    else:
        rows = queries.narrowed(queries.visible_to(actor).filter(state="open"), query.only, at=at, week_end=week_end)
        if not any(grant.whole_root for grant in actor.grants):
            # What is owed about a hazard is seen by whoever sees the hazard: a sector sees its own.
            rows = rows.filter(person_id=actor.person_key) | rows.filter(
                matter_id__in=hazards.visible_to(actor).values("pk")
            )
    if query.after is not None:
        rows = rows.filter(pk__lt=query.after)
    found = list(rows.order_by("-pk").select_related("person", "body")[: query.size + 1])
    shown = found[: query.size]
    if query.scope == "area" and shown:
        note_access(actor=actor, at=at, what="obligations.list", rows=len(shown))
    following = str(shown[-1].pk) if len(found) > query.size else None
    return reply_page(
        request, ObligationPage(items=[ObligationOut.model_validate(row) for row in shown], next=following)
    )


@router.post(
    "/obligations/{uuid:obligation_id}/handover", response=documented(HandoverOne, 201),
    auth=Bearer("obligations:write"), summary="Hand an obligation over",
)  # fmt: skip
@write
def hand_over(request: HttpRequest, obligation_id: UUID, body: Body[HandoverIn]) -> HttpResponse:
    """Offer an obligation to another person, who has to sign for it."""
    actor = actor_of(request)
    queries.visible_to(actor).get(pk=obligation_id)
    to_person = person(actor, body.to_person)
    if to_person is None:
        raise Refusal("obligation.person_unknown", field="to_person")
    made = operations.hand_over(actor=actor, at=moment_of(request), obligation_id=obligation_id, to_person=to_person)
    return reply(request, HandoverOne.model_validate(made), status=201)


@router.get(
    "/handovers",
    response=documented(HandoverList),
    auth=Bearer("obligations:read"),
    summary="What waits for my signature",
)
@read
def list_handovers(request: HttpRequest) -> HttpResponse:
    """List what others want to hand to the caller."""
    rows = queries.handovers_to_sign(actor_of(request))[:SHOWN_HANDOVERS]
    return reply(request, HandoverList(items=[HandoverRow.model_validate(row) for row in rows]))


@router.post(
    "/handovers/{uuid:handover_id}/sign", response=documented(ObligationOne), auth=Bearer("obligations:write"),
    summary="Sign for an obligation",
)  # fmt: skip
@write
def sign_for(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Sign for an obligation: from now on it is the caller's."""
    actor = actor_of(request)
    queries.handovers_to_sign(actor).get(pk=handover_id)
    done = operations.sign_for(actor=actor, at=moment_of(request), handover_id=handover_id)
    return reply(request, ObligationOne.model_validate(done), version=done.version)


@router.post(
    "/handovers/{uuid:handover_id}/decline", response=documented(HandoverOne), auth=Bearer("obligations:write"),
    summary="Decline an obligation",
)  # fmt: skip
@write
def decline(request: HttpRequest, handover_id: UUID, body: Body[DeclineIn]) -> HttpResponse:
    """Decline an obligation offered; it stays where it is."""
    actor = actor_of(request)
    queries.handovers_to_sign(actor).get(pk=handover_id)
    done = operations.decline(actor=actor, at=moment_of(request), handover_id=handover_id, reason=body.reason)
    return reply(request, HandoverOne.model_validate(done))


def _week_end(actor: Actor, at: datetime) -> datetime:
    today: date = city_date(at, actor.root)
    return day_start(today + timedelta(days=7 - today.weekday()), actor.zone)

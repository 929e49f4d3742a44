"""Oversight (督察): the register of instructions, the office's papers, clues, and the clocks of accountability."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from anban.api.access import Bearer, actor_of, moment_of
from anban.api.answers import documented, read
from anban.api.paging import Listed, Paged, area_path, newest_first
from anban.api.values import BodyOut, Code, PersonOut, rows_of
from anban.base.people.operations import note_access
from anban.contexts.oversight.queries import clues, instructions, instruments, sanctions
from anban.contexts.territory.queries import city_date

router = Router(tags=["oversight"])


class InstructionQuery(Paged):
    """Which instructions: without a measure (``red``), with measures open, or late; in an area (code or path)."""

    only: Literal["", "red", "open", "late"] = ""
    area: Annotated[str, Field(max_length=60)] = ""


class InstructionRow(BaseModel):
    """An instruction or upper document (批示件): number, requirement and dates; its text is kept nowhere."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: str
    number: str
    requirement: str
    issued_on: date
    due_on: date
    report_on: date | None
    area_path: str
    registered_at: datetime
    measures_count: int
    version: int


class InstructionPage(Listed):
    """A page of the register, those registered last first."""

    items: list[InstructionRow]


@router.get(
    "/instructions", response=documented(InstructionPage), auth=Bearer("oversight:read"), summary="List instructions"
)  # fmt: skip
@read
def list_instructions(request: HttpRequest, query: Query[InstructionQuery]) -> HttpResponse:
    """List the register of instructions of the areas for which the caller is the committee's office or a leader."""
    actor = actor_of(request)
    on = city_date(moment_of(request), actor.root)
    rows = instructions.register_of(actor, only=query.only, area_path=area_path(actor.root, query.area), on=on)
    return newest_first(request, query, rows, InstructionPage)


class InstrumentQuery(Paged):
    """Which papers: unanswered, late or addressed to the caller's body; of a kind; in an area (code or path)."""

    only: Literal["", "unanswered", "late", "mine"] = ""
    kind: Code = ""
    area: Annotated[str, Field(max_length=60)] = ""


class InstrumentRow(BaseModel):
    """A paper with which the committee's office presses (督办文书): numbered, addressed, due, answered."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: str
    number: str
    issuer: BodyOut
    to_body: BodyOut
    to_person: PersonOut
    area_path: str
    about_kind: str
    about_id: UUID
    issued_at: datetime
    due_on: date
    answered_at: datetime | None
    version: int


class InstrumentPage(Listed):
    """A page of papers, newest first."""

    items: list[InstrumentRow]


@router.get(
    "/instruments", response=documented(InstrumentPage), auth=Bearer("oversight:read"), summary="List the office's papers"
)  # fmt: skip
@read
def list_instruments(request: HttpRequest, query: Query[InstrumentQuery]) -> HttpResponse:
    """List the papers of the areas that the caller oversees, and those addressed to the caller's person or bodies."""
    actor = actor_of(request)
    rows = instruments.listed(
        actor, only=query.only, kind=query.kind, area_path=area_path(actor.root, query.area),
        on=city_date(moment_of(request), actor.root),
    )  # fmt: skip
    return newest_first(request, query, rows, InstrumentPage)


class ClueQuery(Paged):
    """Which clues: open or dealt with; of a kind; in an area (code or path)."""

    only: Literal["", "open", "dealt"] = ""
    kind: Code = ""
    area: Annotated[str, Field(max_length=60)] = ""


def _figures(text: str) -> dict[str, Any]:
    """Return a clue's figures without the ids of its cases, which may be thousands."""
    told: dict[str, Any] = json.loads(text)
    told.pop("cases", None)
    return told


class ClueRow(BaseModel):
    """A clue (研判线索): what a comparison shows, with its figures, who decided on it, when and why."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: str
    kind: str
    key: str
    body: BodyOut | None
    area_path: str
    since_on: date
    until_on: date
    figures: Annotated[dict[str, Any], BeforeValidator(_figures)]
    earlier_id: UUID | None
    found_at: datetime
    state: str
    decided_by: PersonOut | None
    decided_at: datetime | None
    reason: str
    source: str
    version: int


class CluePage(Listed):
    """A page of clues, newest first."""

    items: list[ClueRow]


@router.get("/clues", response=documented(CluePage), auth=Bearer("oversight:read"), summary="List clues")
@read
def list_clues(request: HttpRequest, query: Query[ClueQuery]) -> HttpResponse:
    """List the clues of the areas for which the caller is the committee's office; a question to be weighed, never a verdict."""
    actor = actor_of(request)
    rows = clues.listed(actor, only=query.only, kind=query.kind, area_path=area_path(actor.root, query.area))
    return newest_first(request, query, rows, CluePage)


class SanctionQuery(Paged):
    """Which cases: those standing red or still open; in an area (code or path)."""

    only: Literal["", "red", "open"] = ""
    area: Annotated[str, Field(max_length=60)] = ""


class SanctionItemOut(BaseModel):
    """Accountability of the unit or of one person, with a clock and state of its own."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    subject: str
    unit_name: str
    person: PersonOut | None
    link: str
    direct: bool
    state: str
    due_on: date
    document_number: str
    ended_at: datetime | None


class SanctionRow(BaseModel):
    """A case of accountability (问责案件) after an accident or a failure of duty."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: str
    title: str
    accident_id: UUID | None
    hazard_id: UUID | None
    area_path: str
    level: str
    level_reason: str
    happened_on: date
    opened_at: datetime
    is_red: bool
    is_open: bool
    items: Annotated[list[SanctionItemOut], BeforeValidator(rows_of)]
    version: int


class SanctionPage(Listed):
    """A page of cases, those opened last first."""

    items: list[SanctionRow]


@router.get(
    "/sanctions", response=documented(SanctionPage), auth=Bearer("oversight:read"), summary="List clocks of accountability"
)  # fmt: skip
@read
def list_sanctions(request: HttpRequest, query: Query[SanctionQuery]) -> HttpResponse:
    """List the cases of the areas for which the caller is the committee's office or a leader; whose names are read is logged."""
    actor = actor_of(request)
    rows = sanctions.board(actor, only=query.only, area_path=area_path(actor.root, query.area))
    note_access(actor=actor, at=moment_of(request), what="sanctions.list", rows=query.size)
    return newest_first(request, query, rows, SanctionPage)

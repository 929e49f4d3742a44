"""Reads of the office's papers: issued by mine, addressed to mine, and what a paper says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from anban.base.journal.models import Words
from anban.base.people.actor import Actor
from anban.contexts.obligations.models import EscalationStep, Obligation
from anban.contexts.oversight.models import Instrument
from anban.contexts.oversight.queries.scope import COMMITTEE, LEADERS, covered
from anban.contexts.territory.queries import within
from anban.rules.escalation import written_steps


def visible_to(actor: Actor) -> QuerySet[Instrument]:
    """Return the papers of the areas the actor oversees, and those addressed to its person or bodies.

    Those about a clue tell figures of a body: among who oversees they are for the committee's office alone.
    """
    rows = Instrument.objects.filter(root=actor.root)
    if actor.system:
        return rows
    mine = Q(to_person_id=actor.person_key) | Q(to_body_id__in=list(actor.body_ids()))
    return rows.filter(covered(actor, COMMITTEE) | (covered(actor, LEADERS) & ~Q(about_kind="clue")) | mine)


def listed(
    actor: Actor, *, only: str = "", kind: str = "", area_path: str = "", on: date | None = None
) -> QuerySet[Instrument]:
    """Return the papers, the newest first; ``only`` is ``unanswered``, ``late`` or ``mine``."""
    rows = visible_to(actor).select_related("issuer", "to_body", "to_person", "issued_by")
    if area_path:
        rows = rows.filter(within(area_path))
    if kind:
        rows = rows.filter(kind=kind)
    if only in ("unanswered", "late"):
        rows = rows.filter(answered_at__isnull=True)
    if only == "late" and on is not None:
        rows = rows.filter(due_on__lt=on)
    if only == "mine":
        rows = rows.filter(Q(to_person_id=actor.person_key) | Q(to_body_id__in=list(actor.body_ids())))
    return rows.order_by("-issued_at", "-id")


def instrument(actor: Actor, instrument_id: UUID) -> Instrument | None:
    """Return one paper that the actor may see."""
    rows = visible_to(actor).select_related(
        "issuer", "to_body", "to_person", "issued_by", "hazard", "case", "answered_by"
    )
    return rows.filter(pk=instrument_id).first()


def facts_of(row: Instrument) -> dict[str, Any]:
    """Return what the ledger said on the day of issue."""
    made: dict[str, Any] = json.loads(row.facts)
    return made


def steps_without_paper(root: str) -> QuerySet[EscalationStep]:
    """Return the steps taken with a paper that have none yet, about what is still owed, in the order they were taken."""
    rows = EscalationStep.objects.filter(
        obligation__root=root, obligation__state=Obligation.State.OPEN, obligation__subject_kind="hazard",
        step__in=written_steps(), paper__isnull=True,
    )  # fmt: skip
    return rows.order_by("due_at", "id")


def about(kind: str, about_id: UUID) -> QuerySet[Instrument]:
    """Return the papers about a matter; its scope is the matter's, which the caller has checked."""
    return (
        Instrument.objects.filter(about_kind=kind, about_id=about_id)
        .select_related("to_body", "to_person")
        .order_by("issued_at")
    )


def about_each(kind: str, ids: Sequence[UUID]) -> dict[UUID, list[Instrument]]:
    """Return the papers about each of some matters; their scope is the matters', which the caller has checked."""
    found: dict[UUID, list[Instrument]] = {}
    rows = Instrument.objects.filter(about_kind=kind, about_id__in=list(ids)).select_related("to_body", "to_person")
    for row in rows.order_by("issued_at"):
        found.setdefault(row.about_id, []).append(row)
    return found


def answers_of(ids: Sequence[UUID]) -> dict[UUID, tuple[str, str]]:
    """Return the answer and the reason given to each of some papers, empty where they were erased; in one query."""
    matters = {f"instrument:{one.hex}": one for one in ids}
    found: dict[UUID, tuple[str, str]] = {}
    for row in Words.objects.filter(matter__in=list(matters), kind__in=("answer", "reason")).order_by("written_at"):
        answer, reason = found.get(matters[row.matter], ("", ""))
        found[matters[row.matter]] = (row.text, reason) if row.kind == "answer" else (answer, row.text)
    return found

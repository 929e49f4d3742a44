"""Reads of oversight visits (督察) and of what they found."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from anban.base.people.actor import Actor
from anban.contexts.oversight.models import OversightFinding, OversightVisit
from anban.contexts.oversight.queries.scope import LEADERS, covered
from anban.contexts.territory.queries import within


def visible_to(actor: Actor) -> QuerySet[OversightVisit]:
    """Return the visits to the areas the actor oversees, and those to its own bodies."""
    rows = OversightVisit.objects.filter(root=actor.root)
    if actor.system:
        return rows
    return rows.filter(covered(actor, LEADERS) | Q(body_id__in=list(actor.body_ids())))


def listed(actor: Actor, *, area_path: str = "") -> QuerySet[OversightVisit]:
    """Return the visits, the newest first, with the number of findings and of those not verified yet."""
    rows = visible_to(actor).select_related("area", "body", "leader")
    if area_path:
        rows = rows.filter(within(area_path))
    waiting = ~Q(findings__state=OversightFinding.State.VERIFIED) & Q(findings__isnull=False)
    return rows.annotate(found=Count("findings"), waiting=Count("findings", filter=waiting)).order_by("-from_on", "-id")


def visit(actor: Actor, visit_id: UUID) -> OversightVisit | None:
    """Return one visit that the actor may see."""
    return visible_to(actor).select_related("area", "body", "leader", "before").filter(pk=visit_id).first()


def findings_of(row: OversightVisit) -> QuerySet[OversightFinding]:
    """Return what a visit found, in order; its scope is the visit's."""
    return row.findings.select_related("body", "person").order_by("no")


def findings_visible_to(actor: Actor) -> QuerySet[OversightFinding]:
    """Return the findings in the areas the actor oversees, and those put to its person or bodies."""
    rows = OversightFinding.objects.filter(visit__root=actor.root)
    if actor.system:
        return rows
    mine = Q(person_id=actor.person_key) | Q(body_id__in=list(actor.body_ids()))
    return rows.filter(covered(actor, LEADERS) | mine)


def finding(actor: Actor, finding_id: UUID) -> OversightFinding | None:
    """Return one finding that the actor may see."""
    rows = findings_visible_to(actor).select_related("visit", "body", "person")
    return rows.filter(pk=finding_id).first()


def promises(actor: Actor, area_path: str, on: date | None = None) -> QuerySet[OversightFinding]:
    """Return the findings of an area that are not verified yet: what was promised at visits; with ``on`` the late ones."""
    rows = findings_visible_to(actor).filter(within(area_path)).exclude(state=OversightFinding.State.VERIFIED)
    if on is not None:
        rows = rows.filter(due_on__lt=on)
    return rows.select_related("visit", "body", "person").order_by("due_on", "id")

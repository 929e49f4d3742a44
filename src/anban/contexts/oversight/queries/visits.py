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
    """Return the visits to the areas the actor oversees, those to its own bodies, and those that put something to it."""
    rows = OversightVisit.objects.filter(root=actor.root)
    if actor.system:
        return rows
    put = OversightFinding.objects.filter(_put_to(actor)).values("visit_id")
    return rows.filter(_whole(actor) | Q(pk__in=put))


def _whole(actor: Actor) -> Q:
    """Return the predicate of the visits of which the actor sees every finding."""
    return covered(actor, LEADERS) | Q(body_id__in=list(actor.body_ids()))


def _put_to(actor: Actor, of: str = "") -> Q:
    """Return the predicate of the findings that were put to the actor's person or bodies."""
    return Q(**{f"{of}person_id": actor.person_key}) | Q(**{f"{of}body_id__in": list(actor.body_ids())})


def listed(actor: Actor, *, area_path: str = "") -> QuerySet[OversightVisit]:
    """Return the visits, the newest first, with the number of findings that the actor sees and of those not verified yet."""
    rows = visible_to(actor).select_related("area", "body", "leader")
    if area_path:
        rows = rows.filter(within(area_path))
    seen = Q(findings__isnull=False)
    if not actor.system:
        seen &= _whole(actor) | _put_to(actor, "findings__")
    waiting = seen & ~Q(findings__state=OversightFinding.State.VERIFIED)
    return rows.annotate(
        found=Count("findings", filter=seen), waiting=Count("findings", filter=waiting)
    ).order_by("-from_on", "-id")  # fmt: skip


def visit(actor: Actor, visit_id: UUID) -> OversightVisit | None:
    """Return one visit that the actor may see."""
    return visible_to(actor).select_related("area", "body", "leader", "before").filter(pk=visit_id).first()


def findings_of(actor: Actor, row: OversightVisit) -> QuerySet[OversightFinding]:
    """Return what a visit found, in order; who only answers for some of it sees that."""
    rows = row.findings.select_related("body", "person").order_by("no")
    if actor.system or OversightVisit.objects.filter(_whole(actor), pk=row.pk).exists():
        return rows
    return rows.filter(_put_to(actor))


def findings_visible_to(actor: Actor) -> QuerySet[OversightFinding]:
    """Return the findings in the areas the actor oversees, and those put to its person or bodies."""
    rows = OversightFinding.objects.filter(visit__root=actor.root)
    if actor.system:
        return rows
    return rows.filter(covered(actor, LEADERS) | _put_to(actor))


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

"""The links that a hazard's class demands beside the standing chain: who is asked to name a person, and what is still missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef

from anban.base.journal.operations import unit
from anban.base.people.actor import Actor
from anban.contexts.hazards.models import Hazard
from anban.contexts.obligations import operations as obligations
from anban.contexts.obligations.models import Obligation
from anban.contexts.responsibility.chains import LinkRow, link_rows
from anban.contexts.responsibility.clockwork import Workday
from anban.contexts.responsibility.models import Link
from anban.contexts.responsibility.queries import Answer, resolve


def waiting(root: str) -> Iterator[tuple[LinkRow, UUID]]:
    """Yield every required link of an open hazard's cycle that has no person and that nobody was asked to name yet."""
    for row in link_rows():
        mine = {"matter_id": OuterRef("pk"), "cycle_no": OuterRef("cycle_no")}
        found = Hazard.objects.filter(
            ~Exists(Link.objects.filter(role=row.role, **mine)),
            ~Exists(Obligation.objects.filter(kind=row.duty, **mine)),
            root=root,
            is_open=True,
            historical=False,
            class_code=row.hazard_class,
            found_on__gte=row.from_on,
        )
        if row.place_kind:
            found = found.filter(place_kind=row.place_kind)
        if row.until_on is not None:
            found = found.filter(found_on__lt=row.until_on)
        yield from ((row, pk) for pk in list(found.order_by("pk").values_list("pk", flat=True)))


def ask(*, actor: Actor, at: datetime, hazard_id: UUID, row: LinkRow, day: Workday) -> None:
    """Put the naming of a person for one link on the desk of whoever must name one; the holder where that post is empty."""
    with unit():
        hazard = Hazard.objects.select_for_update(of=("self",)).select_related("place", "holder", "holder_body").get(pk=hazard_id)  # fmt: skip
        if not hazard.is_open:
            return
        answer: Answer = getattr(resolve(hazard.place, hazard.class_code, day.on), row.named_by)
        person, body = (answer.person, answer.body) if answer.person else (hazard.holder, hazard.holder_body)
        due = day.due("responsibility.link_workdays")
        obligations.owe(
            actor=actor,
            at=at,
            duty=obligations.Duty(
                root=hazard.root,
                person=person,
                body=body,
                unit_name=body.name if body else hazard.place_title,
                kind=row.duty,
                subject=("hazard", hazard.pk),
                matter_id=hazard.pk,
                cycle_no=hazard.cycle_no,
                place_id=hazard.place_id,
                area_path=hazard.area_path,
                title=hazard.fact[:200],
                place_title=hazard.place_title,
                grade=hazard.grade,
                due_at=due.at,
                provisional=due.provisional,
                source_rule=f"{row.basis} [{row.certainty}]"[:200],
                link=f"/ledger/{hazard.pk}/",
            ),
        )

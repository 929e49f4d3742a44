"""Writes of mandates and of the links of a matter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.base.people.models import Person
from anban.contexts.responsibility.models import Link, Mandate
from anban.contexts.territory.models import Area, Body
from anban.contexts.territory.policies import require_may_arrange


def add_mandate(
    *,
    actor: Actor,
    at: datetime,
    body: Body,
    role: str,
    area: Area,
    place_kind: str = "",
    industry: str = "",
    hazard_class: str = "",
    from_on: date | None = None,
    basis: str = "",
) -> Mandate:
    """Enter a body's duty: a regulator over a place kind or industry and hazard class in an area, with its basis."""
    with unit():
        require_may_arrange(actor, area.path)
        mandate = Mandate.objects.create(
            root=body.root_id,
            body=body,
            role=role,
            area=area,
            place_kind=place_kind,
            industry=industry,
            hazard_class=hazard_class,
            from_on=from_on,
            basis=basis,
        )
        record(
            "mandate.added",
            actor=actor,
            at=at,
            subject=("mandate", mandate.pk),
            data={"body": str(body.pk), "role": role, "place_kind": place_kind, "hazard_class": hazard_class},
        )
        return mandate


def add_mandates(*, actor: Actor, at: datetime, rows: Iterable[Mandate]) -> list[Mandate]:
    """Enter many prepared duties of one root's bodies at once, with one entry each."""
    with unit():
        made = list(rows)
        for mandate in made:
            require_may_arrange(actor, mandate.area.path, root=mandate.root)
        Mandate.objects.bulk_create(made, batch_size=500)
        for mandate in made:
            record(
                "mandate.added",
                actor=actor,
                at=at,
                subject=("mandate", mandate.pk),
                data={
                    "body": str(mandate.body_id),
                    "role": mandate.role,
                    "place_kind": mandate.place_kind,
                    "hazard_class": mandate.hazard_class,
                },
            )
        return made


@dataclass(frozen=True, slots=True)
class Naming:
    """Who is to stand in a matter's chain: the role, the natural person, the unit and why."""

    role: str
    person: Person
    unit_name: str
    body: Body | None = None
    reason: str = ""


def name_chain(
    *, actor: Actor, at: datetime, root: str, matter: tuple[str, UUID], cycle_no: int, names: Sequence[Naming]
) -> list[Link]:
    """Name the persons of a cycle that has just been opened and has nobody in its chain yet, all at once."""
    with unit(savepoint=False):
        made = [
            Link(
                root=root,
                matter_kind=matter[0],
                matter_id=matter[1],
                role=one.role,
                person=one.person,
                body=one.body,
                unit_name=one.unit_name,
                cycle_no=cycle_no,
                reason=one.reason[:300],
                from_at=at,
            )
            for one in names
        ]
        Link.objects.bulk_create(made)
        for row in made:
            record(
                "link.named",
                actor=actor,
                at=at,
                subject=("link", row.pk),
                matter=matter,
                data={"role": row.role, "person": str(row.person_id)},
                wrote=[row],
            )
        return made


def link(
    *,
    actor: Actor,
    at: datetime,
    root: str,
    matter: tuple[str, UUID],
    role: str,
    person: Person,
    unit_name: str,
    body: Body | None = None,
    cycle_no: int = 1,
    reason: str = "",
) -> Link:
    """Put a natural person into a matter's chain in a role; whoever held the role before stays in the history."""
    with unit(savepoint=False):
        former = list(
            Link.objects.select_for_update().filter(
                matter_id=matter[1], role=role, cycle_no=cycle_no, until_at__isnull=True
            )
        )
        for row in former:
            if row.person_id == person.pk:
                return row
            row.until_at = at
            row.version += 1
            row.save(update_fields=["until_at", "version"])
        made = Link.objects.create(
            root=root,
            matter_kind=matter[0],
            matter_id=matter[1],
            role=role,
            person=person,
            body=body,
            unit_name=unit_name,
            cycle_no=cycle_no,
            reason=reason[:300],
            from_at=at,
        )
        record(
            "link.named",
            actor=actor,
            at=at,
            subject=("link", made.pk),
            matter=matter,
            data={"role": role, "person": str(person.pk)},
            wrote=[*former, made],
        )
        return made

"""Writes of the links of a matter: who stands in its chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from anban.base.journal.births import add, add_all, born_of, change
from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.base.people.models import Person
from anban.contexts.responsibility.models import Link
from anban.contexts.territory.models import Body


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
        add_all(made, matter=matter[1])
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
        former = _standing(matter[1], role, cycle_no)
        for row in former:
            if row.person_id == person.pk:
                return row
            row.until_at = at
            row.version += 1
            change(row, ["until_at", "version"], matter=matter[1])
        made = add(
            Link(
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
            ),
            matter=matter[1],
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


def _standing(matter_id: UUID, role: str, cycle_no: int) -> list[Link]:
    """Return who stands in a role of a matter's cycle, locked."""
    fresh = born_of(Link, matter_id)
    if fresh is not None:
        return [row for row in fresh if (row.role, row.cycle_no, row.until_at) == (role, cycle_no, None)]
    return list(
        Link.objects.select_for_update().filter(
            matter_id=matter_id, role=role, cycle_no=cycle_no, until_at__isnull=True
        )
    )

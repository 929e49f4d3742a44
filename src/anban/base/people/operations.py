"""Writes of persons, accounts, tokens and the log of personal reads."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.base.people.models import AccessRecord, Person


def add_person(
    *, actor: Actor, at: datetime, root: str, name: str, phone: str = "", steward: bool = False
) -> Person:
    """Put a natural person on file. The journal learns the opaque id only."""
    with unit():
        person = Person.objects.create(root=root, name=name.strip(), phone=phone.strip(), steward=steward)
        record("person.added", actor=actor, at=at, subject=("person", person.pk), data={"steward": steward})
        return person


def erase_person(person_id: UUID, *, actor: Actor, at: datetime, reason: str) -> Person:
    """Erase a person's name and telephone; the id stays in every chain, and every proof still verifies.

    Source: 个人信息保护法 第47条.
    """
    with unit():
        person = Person.objects.select_for_update().get(pk=person_id)
        person.name, person.phone, person.erased_at = "", "", at
        person.save(update_fields=["name", "phone", "erased_at"])
        record("person.erased", actor=actor, at=at, subject=("person", person.pk), words={"reason": reason})
        return person


def note_access(*, actor: Actor, at: datetime, what: str, subject: str = "", rows: int = 0) -> AccessRecord:
    """Log a read of personal data or an export, apart from the journal."""
    return AccessRecord.objects.create(
        account_id=actor.account_id, person_id=actor.person_id, at=at, what=what, subject=subject, rows=rows
    )

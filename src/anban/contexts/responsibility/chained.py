"""Matters whose chain has to be complete, of whatever kind: what is asked about one, and who must name a person for a missing link."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from anban.base.people.models import Person
from anban.contexts.responsibility.chains import LinkRow
from anban.contexts.responsibility.queries import Answer, Resolution
from anban.contexts.territory.models import Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Whom somebody names for a link: an official by his post, or the person of a unit by name and telephone."""

    person: UUID | None = None
    name: str = ""
    phone: str = ""
    unit_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chained:
    """The matter whose chain has to be complete: what it is, where, and who answers while nobody else does."""

    root: str
    kind: str
    pk: UUID
    area_path: str
    title: str
    link: str
    holder: Answer
    cycle_no: int = 1
    place_id: UUID | None = None
    place_title: str = ""
    grade: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One missing link and the natural person who must name somebody for it."""

    row: LinkRow
    person: Person
    body: Body | None
    unit_name: str

    @property
    def rule(self) -> str:
        """The rule under which it is owed."""
        return f"{self.row.basis} [{self.row.certainty}]"[:200]


def wanted_links(rows: Iterable[LinkRow], resolution: Resolution | None, matter: Chained) -> list[Wanted]:
    """Return who must name a person for each missing link; the holder of the matter where that post is empty.

    A regulator that no mandate names is no vacancy but a gap of the net, and as such on the office's desk once.
    """
    made = []
    for row in rows:
        if row.role == "regulator" and (resolution is None or resolution.special.body is None):
            continue
        answer: Answer | None = getattr(resolution, row.named_by) if resolution is not None else None
        chosen = answer if answer is not None and answer.person is not None else matter.holder
        if chosen.person is not None:
            unit_name = chosen.body.name if chosen.body else matter.place_title or chosen.reason
            made.append(Wanted(row, chosen.person, chosen.body, unit_name))
    return made

"""The chain of an accident: the class whose regulators answer, and the links that it must have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from anban.contexts.accidents.models import Accident
from anban.contexts.responsibility.chained import Chained
from anban.contexts.responsibility.chains import Asking, LinkRow, required_links
from anban.contexts.responsibility.queries import Answer

CLASS_OF: Mapping[str, str] = {
    "fire": "FIRE", "gas": "GAS", "poisoning": "CONF", "fall": "STRU", "collapse": "STRU", "electric": "ELEC",
    "mechanical": "MGMT", "lifting": "SPEC", "traffic": "MGMT", "explosion": "CHEM", "other": "MGMT",
}  # fmt: skip
"""The hazard class whose regulators answer after an accident of a kind."""


def demanded(row: Accident, templates: Iterable[LinkRow]) -> tuple[LinkRow, ...]:
    """Return the links that an accident's chain must have."""
    kind = row.place.kind if row.place is not None else ""
    asked = Asking(
        matter="accident", hazard_class=CLASS_OF[row.kind], place_kind=kind, code="", grade=row.grade, on=row.on
    )
    return required_links(templates, asked)


def chained(row: Accident, holder: Answer | None = None) -> Chained:
    """Return an accident as the matter whose chain has to be complete."""
    return Chained(
        root=row.root,
        kind="accident",
        pk=row.pk,
        area_path=row.area_path,
        title=f"{row.number} {row.get_kind_display()}",
        link="/",
        holder=holder or Answer("office", None, None, ""),
        place_id=row.place_id,
        place_title=row.unit_name,
    )

"""Which links a matter's chain must have beside the standing ones, by hazard class and kind of place: a dated, sourced table."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).parent / "data" / "link_templates.csv"

LINKS: Final = {
    "builder": ("施工单位责任人", "Builder"),
    "owner_unit": ("产权单位责任人", "Owner"),
    "managing_unit": ("物业管理单位责任人", "Property manager"),
    "supplier": ("供应单位责任人", "Supplier"),
    "installer": ("安装单位责任人", "Installer"),
    "checker": ("检测单位责任人", "Test body"),
}
"""The roles that a template may ask for, in the order of the chain."""

NAMING: Final = {f"name_{role}": (f"指定{zh}", f"Name the person: {en.lower()}") for role, (zh, en) in LINKS.items()}
"""The verb of the duty to name a person for each of them."""


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One required link: in which class and kind of place (empty means any), who must name the person, since when, by what."""

    hazard_class: str
    place_kind: str
    role: str
    named_by: str
    from_on: date
    until_on: date | None
    basis: str
    source: str
    certainty: str

    @property
    def duty(self) -> str:
        """The kind of the duty to name a person for it."""
        return f"name_{self.role}"


@cache
def link_rows() -> tuple[LinkRow, ...]:
    """Return the rows of the table. Source: field practice 1.2, 1.3, 2.0 and 3.2, each row with its own basis and certainty."""
    with FILE.open(encoding="utf-8", newline="") as lines:
        return tuple(
            LinkRow(
                row["hazard_class"],
                row["place_kind"],
                row["role"],
                row["named_by"],
                date.fromisoformat(row["from"]),
                date.fromisoformat(row["until"]) if row["until"] else None,
                row["basis"],
                row["source"],
                row["certainty"],
            )
            for row in csv.DictReader(lines)
        )


def required_links(hazard_class: str, place_kind: str, found_on: date) -> tuple[LinkRow, ...]:
    """Return the links that the chain of a matter found on a day must have beside the standing ones."""
    return tuple(
        row
        for row in link_rows()
        if row.hazard_class == hazard_class
        and row.place_kind in ("", place_kind)
        and row.from_on <= found_on
        and (row.until_on is None or found_on < row.until_on)
    )

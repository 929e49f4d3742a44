"""Which links a matter's chain must have (责任环节模板), by hazard class, kind of place, work and grade: dated, sourced rows."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

FILE: Final = Path(__file__).parent / "data" / "link_templates.csv"
STAMP: Final = "responsibility.link_templates"
"""The root's setting that names the state of its own table of templates; without it the packaged table holds."""

LINKS: Final = {
    "territory": ("属地责任人", "Territory officer"),
    "regulator": ("专业监管责任人", "Regulator"),
    "leader": ("包案领导", "Leader in charge"),
    "owner_unit": ("产权单位责任人", "Owner"),
    "managing_unit": ("物业管理单位责任人", "Property manager"),
    "builder": ("施工单位责任人", "Builder"),
    "supervisor": ("监理单位责任人", "Supervisor of works"),
    "supplier": ("供应单位责任人", "Supplier"),
    "installer": ("安装单位责任人", "Installer"),
    "checker": ("检测单位责任人", "Test body"),
    "reviewer": ("审查单位责任人", "Reviewer"),
}
"""The links that a template may ask for, in the order of the chain."""

STORED: Final = {"territory": "territory_officer", "regulator": "special_officer", "leader": "case_leader"}
"""Links that are standing roles of the chain under a name of their own."""

CARRIED: Final = frozenset({"owner_unit", "managing_unit", "supplier", "installer"})
"""Links that stay with a place: who was named for one matter there stands in the next of the same class."""

NAMERS: Final = {
    "territory": ("属地", "territory"),
    "sector_lead": ("行业主管", "sector lead"),
    "special": ("专业监管", "special regulator"),
    "enforcer": ("执法主体", "enforcer"),
    "office": ("安委办", "committee's office"),
}
"""Whose desk the naming of a person goes to."""

MATTERS: Final = {"hazard": ("隐患", "hazard"), "accident": ("事故", "accident"), "campaign": ("专项任务", "campaign")}
"""The kinds of matter that have a chain; a row without one holds for all."""

NAMING: Final = {f"name_{role}": (f"指定{zh}", f"Name the person: {en.lower()}") for role, (zh, en) in LINKS.items()}
"""The verb of the duty to name a person for each of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """One required link: for which matters (empty means any), who must name the person, since when, by what.

    ``work`` is a check list of the catalog (SW 限额以下工程, CS 工地, LS 有限空间 …): the kind of work that the matter's item is about.
    """

    matter: str
    hazard_class: str
    place_kind: str
    work: str
    grade: str
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

    @property
    def stored(self) -> str:
        """The role under which the link stands in a chain."""
        return STORED.get(self.role, self.role)

    @property
    def closeness(self) -> int:
        """How much the row says about the matters it is for: of two rows for one link the closer one holds."""
        return sum(map(bool, (self.matter, self.hazard_class, self.place_kind, self.work, self.grade)))

    def holds_on(self, day: date) -> bool:
        """Tell whether the row is in force on a day."""
        return self.from_on <= day and (self.until_on is None or day < self.until_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What the templates ask about a matter."""

    matter: str
    hazard_class: str
    place_kind: str
    code: str
    grade: str
    on: date


@cache
def link_rows() -> tuple[LinkRow, ...]:
    """Return the packaged rows. Source: field practice 1.2, 1.3, 2.0, 2.1 and 3.2, each row with its own basis and certainty."""
    with FILE.open(encoding="utf-8", newline="") as lines:
        return tuple(
            LinkRow(
                matter=row["matter"],
                hazard_class=row["hazard_class"],
                place_kind=row["place_kind"],
                work=row["work"],
                grade=row["grade"],
                role=row["role"],
                named_by=row["named_by"],
                from_on=date.fromisoformat(row["from"]),
                until_on=date.fromisoformat(row["until"]) if row["until"] else None,
                basis=row["basis"],
                source=row["source"],
                certainty=row["certainty"],
            )
            for row in csv.DictReader(lines)
        )


def required_links(rows: Iterable[LinkRow], asked: Asking) -> tuple[LinkRow, ...]:
    """Return the links that the chain of a matter must have, each by its closest row, in the order of the chain."""
    closest: dict[str, LinkRow] = {}
    for row in rows:
        if (
            row.matter in ("", asked.matter)
            and row.hazard_class in ("", asked.hazard_class)
            and row.place_kind in ("", asked.place_kind)
            and (not row.work or asked.code.startswith(row.work))
            and row.grade in ("", asked.grade)
            and row.holds_on(asked.on)
            and (row.role not in closest or row.closeness > closest[row.role].closeness)
        ):
            closest[row.role] = row
    return tuple(closest[role] for role in LINKS if role in closest)


def missing_links(rows: Iterable[LinkRow], named: Collection[str]) -> tuple[LinkRow, ...]:
    """Return those of the required links for which nobody stands in the chain (``named``: its roles)."""
    return tuple(row for row in rows if row.stored not in named)


def template_key(row: LinkRow | Stored) -> tuple[object, ...]:
    """Return what makes a row the same row in the next file."""
    return (row.matter, row.hazard_class, row.place_kind, row.work, row.grade, row.role, row.from_on)


class Stored(Protocol):
    """A row of a root's own table, as far as it says which row it is."""

    matter: Any
    hazard_class: Any
    place_kind: Any
    work: Any
    grade: Any
    role: Any
    from_on: Any

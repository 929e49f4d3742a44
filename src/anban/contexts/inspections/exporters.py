"""Visits as a file that imports back unchanged, and what visits hand to whole-city analysis."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal

from anban.base.exports import Column, Export, declare
from anban.base.people.actor import Actor
from anban.base.people.operations import note_access
from anban.contexts.inspections import queries
from anban.contexts.inspections.columns import KINDS, RESULTS, VISIT_COLUMNS, said_by
from anban.kit.tabular import write_csv, write_xlsx

EXPORTED = tuple(c for c in VISIT_COLUMNS if c.field not in ("source_key", "credit_code", "address"))
PAGE = 1_000


def export_visits(
    *,
    actor: Actor,
    at: datetime,
    filters: queries.Filters,
    out: Path | BinaryIO,
    form: Literal["csv", "xlsx"] = "csv",
    english: bool = False,
) -> int:
    """Write the actor's visits as CSV or XLSX, streaming, and log the export; returns the count of rows.

    A file written from a ledger and imported into it changes nothing. Raises: NotWritable.
    """
    header = [column.en if english else column.zh for column in EXPORTED]
    write = write_xlsx if form == "xlsx" else write_csv
    rows = write(out, header, _rows(actor, filters, english=english))
    note_access(actor=actor, at=at, what="visits.exported", subject=filters.area[:120], rows=rows)
    return rows


def _rows(actor: Actor, filters: queries.Filters, *, english: bool) -> Iterator[list[str]]:
    word = 1 if english else 0
    for visits in queries.in_pages(actor, filters, PAGE):
        for visit in visits:
            said = said_by(visit)
            said["kind"], said["result"] = KINDS[visit.kind][word], RESULTS[visit.result][word]
            yield [said.get(column.field, "") for column in EXPORTED]


VISITS = declare(
    Export(
        name="visits", version=2, source="inspections_visit v", root="v.root", period="day",
        columns=(
            Column("visit", "key", "v.id"), Column("place", "key", "v.place_id"), Column("day", "date", 'v."on"'),
            Column("kind", "text", "v.kind"), Column("result", "text", "v.result"), Column("body", "key", "v.body_id"),
            Column("historical", "bool", "v.historical"),
        ),
        changed_by=(("inspections_visit", "v.id", "visit"),),
    )
)  # fmt: skip

FINDINGS = declare(
    Export(
        name="findings", version=2,
        source="inspections_finding f JOIN inspections_visit v ON v.id = f.visit_id", root="v.root", period="day",
        columns=(
            Column("visit", "key", "f.visit_id"), Column("hazard", "key", "f.hazard_id"),
            Column("place", "key", "v.place_id"), Column("day", "date", 'v."on"'), Column("code", "text", "f.code"),
            Column("severity", "text", "f.severity"), Column("times", "int", "f.times"),
        ),
        # A finding of foreign history comes in with its hazard, one of today with its visit.
        changed_by=(("inspections_visit", "f.visit_id", "visit"), ("hazards_hazard", "f.hazard_id", "hazard")),
    )
)  # fmt: skip

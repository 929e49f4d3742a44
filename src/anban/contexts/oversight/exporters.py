"""Duty lists as a file that reads back unchanged, and the office's papers as PDF."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from anban.base.people.actor import Actor
from anban.base.people.operations import note_access
from anban.base.typesetting import pdf
from anban.contexts.oversight.importers.duties import COLUMNS
from anban.contexts.oversight.models import PostDuty
from anban.contexts.oversight.queries.duties import duty_list
from anban.kit.tabular import write_csv, write_xlsx
from anban.rules.duty_lists import Evidence, Ground, Period

HEADERS = tuple(column.zh for column in COLUMNS)


def rows_of(rows: Iterator[PostDuty]) -> Iterator[tuple[str, ...]]:
    """Yield one tuple of texts per duty, in the order of the importer's columns."""
    for row in rows:
        yield (
            row.post.body.code, row.post.role, row.post.area.code, row.post.title, row.code, row.title,
            Ground(row.ground).zh, Period(row.period).zh, Evidence(row.evidence).zh, str(row.evidence_count), row.means,
            row.basis, row.from_on.isoformat(), row.until_on.isoformat() if row.until_on else "",
        )  # fmt: skip


def export_duties(*, actor: Actor, at: datetime, on: date, out: Path, form: str, area_path: str = "") -> int:
    """This function will write the duty lists in force that the actor sees and log the export; it returns the count of rows."""
    write = write_xlsx if form == "xlsx" else write_csv
    found = duty_list(actor, on, area_path=area_path)
    written = write(out, HEADERS, rows_of(found.iterator(chunk_size=500)))
    note_access(actor=actor, at=at, what="duties.exported", subject=area_path[:120], rows=written)
    return written


def duties_as_workbook(*, actor: Actor, at: datetime, on: date, area_path: str = "") -> BinaryIO:
    """This function will give the duty lists as a workbook for a download."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "duties.xlsx"
        export_duties(actor=actor, at=at, on=on, out=path, form="xlsx", area_path=area_path)
        return BytesIO(path.read_bytes())


def paper_pdf(told: Mapping[str, Any]) -> bytes:
    """Return an office's paper (督办文书) as a PDF; ``told`` is what its page says. Raises: pdf.no_font."""
    return pdf(files("anban.contexts.oversight").joinpath("paper.typ").read_bytes(), told)

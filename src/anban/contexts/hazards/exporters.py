"""The ledger as a file that the importer of hazards reads back, and what it hands to whole-city analysis."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from io import BytesIO
from typing import BinaryIO, Final

from anban.base.exports import Column, Export, declare
from anban.base.people.actor import Actor
from anban.contexts.establishments.queries import number_of
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.queries import Filters, in_pages, source_keys
from anban.kit.clock import city_date
from anban.kit.tabular import write_csv, write_xlsx

FORMATS: Final = ("csv", "xlsx")
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SPOOLED: Final = 4 * 1024 * 1024

COLUMNS: Final = (
    ("source_key", "来源编号"),
    ("number", "隐患编号"),
    ("place_number", "单位编号"),
    ("place_name", "单位名称"),
    ("code", "检查项"),
    ("class_code", "隐患类别"),
    ("part", "部位"),
    ("fact", "事实"),
    ("basis", "依据"),
    ("state", "状态"),
    ("grade", "等级"),
    ("track", "轨道"),
    ("origin", "来源"),
    ("found_on", "发现日期"),
    ("due_on", "整改期限"),
    ("holder", "承办人"),
    ("holder_body", "承办单位"),
    ("cycle_no", "轮次"),
    ("rebound_no", "反弹次数"),
    ("closed_on", "销号日期"),
    ("proof", "销号依据"),
)
"""Field and Chinese header of each column; codes stay codes, so that a file means the same in both languages."""

HEADERS: Final = tuple(zh for _field, zh in COLUMNS)


def rows_of(rows: Sequence[Hazard], zone: str) -> Iterator[tuple[str, ...]]:
    """Yield one tuple of texts per hazard, in the order of ``COLUMNS``, days in the city's ``zone``; two queries for all.

    来源编号 is the source's own key, or the hazard's number where it did not come from a file: the natural key by which the
    file is read back.
    """
    places = number_of(row.place_id for row in rows)
    keys = source_keys(row.pk for row in rows)
    for row in rows:
        due_on = city_date(row.due_at, zone).isoformat() if row.due_at else ""
        yield (
            keys.get(row.pk, row.number),
            row.number,
            places.get(row.place_id, ""),
            row.place_title,
            row.code,
            row.class_code,
            row.part,
            row.fact,
            row.basis,
            row.state,
            row.grade,
            row.track,
            row.origin,
            row.found_on.isoformat(),
            due_on,
            row.holder.name,
            row.holder_body.name if row.holder_body else "",
            str(row.cycle_no),
            str(row.rebound_no),
            row.closed_on.isoformat() if row.closed_on else "",
            row.proof,
        )


def csv_chunks(actor: Actor, filters: Filters, *, at: datetime) -> Iterator[bytes]:
    """Yield the filtered ledger as CSV, a page at a time, so that the first bytes leave at once."""
    head = _csv([])
    yield head
    for rows in in_pages(actor, filters, at=at):
        yield _csv(list(rows_of(rows, actor.zone)))[len(head) :]


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    target = BytesIO()
    write_csv(target, HEADERS, rows)
    return target.getvalue()


def workbook(actor: Actor, filters: Filters, *, at: datetime) -> BinaryIO:
    """Return the filtered ledger as an XLSX workbook, open for reading at its beginning. Raises: NotWritable."""
    target: BinaryIO = tempfile.SpooledTemporaryFile(max_size=SPOOLED)  # type: ignore[assignment]  # noqa: SIM115 - the response closes it
    write_xlsx(
        target,
        HEADERS,
        (row for rows in in_pages(actor, filters, at=at) for row in rows_of(rows, actor.zone)),
        sheet="隐患台账",
    )
    target.seek(0)
    return target


LEDGER = declare(
    Export(
        # Grade, deadline, proof and the like are each round's own; what no analysis reads is not carried out every night.
        name="hazards", version=2, source="hazards_hazard h", root="h.root", period="found_on",
        columns=(
            Column("hazard", "key", "h.id"), Column("id", "id", "h.id"), Column("place", "key", "h.place_id"),
            Column("place_kind", "text", "h.place_kind"), Column("street", "street", "h.area_path"),
            Column("class_code", "text", "h.class_code"), Column("state", "text", "h.state"), Column("origin", "text", "h.origin"),
            Column("found_on", "date", "h.found_on"), Column("historical", "bool", "h.historical"),
        ),
        changed_by=(("hazards_hazard", "h.id", "hazard"),),
    )
)  # fmt: skip

ROUNDS = declare(
    Export(
        name="cycles", version=2, source="hazards_cycle c JOIN hazards_hazard h ON h.id = c.hazard_id",
        root="h.root", period="found_on",
        columns=(
            Column("cycle", "key", "c.id"), Column("hazard", "key", "c.hazard_id"), Column("place", "key", "h.place_id"),
            Column("place_kind", "text", "h.place_kind"), Column("street", "street", "h.area_path"),
            Column("class_code", "text", "h.class_code"), Column("code", "text", "h.code"), Column("grade", "text", "h.grade"),
            Column("origin", "text", "h.origin"), Column("state", "text", "h.state"), Column("no", "int", "c.no"),
            Column("found_on", "date", "c.found_on"), Column("due_on", "instant_day", "c.due_at"),
            Column("ended_on", "date", "c.ended_on"), Column("proof", "text", "c.proof"),
            Column("acceptor", "key", "c.acceptor_id"),
            Column("inferred", "bool", "c.inferred"), Column("last_no", "int", "h.cycle_no"),
            Column("watch_until", "date", "h.watch_until"),
        ),
        changed_by=(("hazards_cycle", "c.id", "cycle"), ("hazards_hazard", "c.hazard_id", "hazard")),
    )
)  # fmt: skip

VOICES = declare(
    Export(
        # Only of what was heard of more than once: of all others the hazard itself says by whom.
        name="voices", version=1, source="hazards_hazard h JOIN hazards_voice v ON v.hazard_id = h.id AND h.voices_count > 1",
        root="h.root", period="found_on",
        columns=(
            Column("voice", "key", "v.id"), Column("hazard", "key", "v.hazard_id"), Column("origin", "text", "v.origin"),
            Column("found_on", "date", "v.found_on"),
        ),
        changed_by=(("hazards_hazard", "v.hazard_id", "hazard"),),
    )
)  # fmt: skip

"""Mandates, bodies and link templates as files that import back unchanged, and what whole-city analysis gets of the net."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO, Literal
from uuid import UUID

from anban.base.exports import Column, Export, declare
from anban.base.people.actor import Actor
from anban.base.people.operations import note_access
from anban.contexts.catalog import queries as catalog
from anban.contexts.catalog.data.tables import body_kinds
from anban.contexts.responsibility.chains import LINKS, MATTERS, NAMERS
from anban.contexts.responsibility.columns import (
    BODY_COLUMNS,
    MANDATE_COLUMNS,
    PHASE_WORDS,
    ROLE_WORDS,
    TEMPLATE_COLUMNS,
)
from anban.contexts.responsibility.queries import link_templates, mandates
from anban.contexts.territory.models import Body
from anban.contexts.territory.queries import bodies
from anban.kit.tabular import write_csv, write_xlsx
from anban.rules.hazard_terms import Grade

MANDATES = declare(
    Export(
        name="mandates", version=1,
        source="responsibility_mandate m JOIN territory_area a ON a.id = m.area_id", root="m.root",
        columns=(
            Column("body", "key", "m.body_id"), Column("role", "text", "m.role"),
            Column("place_kind", "text", "m.place_kind"), Column("industry", "text", "m.industry"),
            Column("hazard_class", "text", "m.hazard_class"), Column("area_path", "text", "a.path"),
            Column("from_on", "date", "m.from_on"), Column("until_on", "date", "m.until_on"),
        ),
    )
)  # fmt: skip

BOUNDARIES = declare(
    Export(
        name="boundaries", version=1,
        source="responsibility_boundary b", root="b.root",
        columns=(
            Column("id", "key", "b.id"), Column("fault", "text", "b.fault"), Column("role", "text", "b.role"),
            Column("place_kind", "text", "b.place_kind"), Column("industry", "text", "b.industry"),
            Column("hazard_class", "text", "b.hazard_class"), Column("area_path", "text", "b.area_path"),
            Column("state", "text", "b.state"), Column("places", "int", "b.places_count"),
            Column("since_on", "date", "b.since_on"), Column("found_on", "instant_day", "b.found_at"),
            Column("assigned_on", "instant_day", "b.assigned_at"), Column("ended_on", "instant_day", "b.ended_at"),
        ),
    )
)  # fmt: skip


def export_mandates(
    *,
    actor: Actor,
    at: datetime,
    out: Path | BinaryIO,
    form: Literal["csv", "xlsx"] = "csv",
    on: date | None = None,
    area_path: str = "",
    words: bool = False,
) -> int:
    """This function will write the root's mandates, of a day or all, and return the count of rows; ``words`` writes terms, not codes.

    Mandates are no secret: every official may read them all. Raises: NotWritable.
    """
    write = write_xlsx if form == "xlsx" else write_csv
    header = [column.zh if words else column.field for column in MANDATE_COLUMNS]
    rows = write(out, header, _rows(actor, on, area_path, words=words))
    note_access(actor=actor, at=at, what="mandates.exported", subject=area_path[:120], rows=rows)
    return rows


def export_bodies(
    *, actor: Actor, at: datetime, out: Path | BinaryIO, form: Literal["csv", "xlsx"] = "csv", words: bool = False
) -> int:
    """This function will write the root's bodies, superiors before those below them, and return the count of rows.

    Bodies are no secret among officials; ``words`` writes terms, not codes. Raises: NotWritable.
    """
    kinds = {one.code: one.zh for one in body_kinds()} if words else {}
    found = {
        one.pk: one for one in bodies(actor.root).select_related("area", "superior").order_by("area__path", "code")
    }
    ordered: dict[UUID, Body] = {}

    def place(one: Body, below: frozenset[UUID] = frozenset()) -> None:
        over = found.get(one.superior_id) if one.superior_id else None
        if over is not None and over.pk not in ordered and over.pk not in below:
            place(over, below | {one.pk})
        ordered.setdefault(one.pk, one)

    for one in found.values():
        place(one)
    rows = [
        [
            one.code, kinds.get(one.kind, one.kind), one.name, one.name_en, one.area.code,
            one.superior.code if one.superior else "", one.from_on.isoformat() if one.from_on else "",
        ]
        for one in ordered.values()
    ]  # fmt: skip
    write = write_xlsx if form == "xlsx" else write_csv
    written = write(out, [column.zh if words else column.field for column in BODY_COLUMNS], rows)
    note_access(actor=actor, at=at, what="bodies.exported", rows=written)
    return written


def export_link_templates(
    *, actor: Actor, at: datetime, out: Path | BinaryIO, form: Literal["csv", "xlsx"] = "csv", words: bool = False
) -> int:
    """This function will write the root's templates of links and return the count of rows; ``words`` writes terms, not codes.

    The table is no secret: every official may read it. Raises: NotWritable.
    """
    kinds = dict(catalog.place_kinds(actor.root).values_list("code", "zh")) if words else {}
    classes = dict(catalog.hazard_classes(actor.root).values_list("code", "zh")) if words else {}
    roles = {code: zh for code, (zh, _en) in LINKS.items()} if words else {}
    namers = {code: zh for code, (zh, _en) in NAMERS.items()} if words else {}
    matters = {code: zh for code, (zh, _en) in MATTERS.items()} if words else {}
    grades = {one.value: one.zh for one in Grade} if words else {}
    rows = [
        [
            matters.get(row.matter, row.matter),
            classes.get(row.hazard_class, row.hazard_class),
            kinds.get(row.place_kind, row.place_kind),
            row.work,
            grades.get(row.grade, row.grade),
            roles.get(row.role, row.role),
            namers.get(row.named_by, row.named_by),
            row.from_on.isoformat(),
            row.until_on.isoformat() if row.until_on else "",
            row.basis,
            row.source,
            row.certainty,
        ]
        for row in link_templates(actor.root)
    ]
    write = write_xlsx if form == "xlsx" else write_csv
    written = write(out, [column.zh if words else column.field for column in TEMPLATE_COLUMNS], rows)
    note_access(actor=actor, at=at, what="link_templates.exported", rows=written)
    return written


def _rows(actor: Actor, on: date | None, area_path: str, *, words: bool) -> Iterator[list[str]]:
    kinds = dict(catalog.place_kinds(actor.root).values_list("code", "zh")) if words else {}
    classes = dict(catalog.hazard_classes(actor.root).values_list("code", "zh")) if words else {}
    roles = {code: names[0] for code, names in ROLE_WORDS.items()} if words else {}
    phases = {code: names[0] for code, names in PHASE_WORDS.items()} if words else {}
    found = mandates(actor.root, on)
    if area_path:
        found = found.filter(area__path__startswith=area_path)
    for row in found.order_by("role", "area__path", "place_kind", "industry", "hazard_class", "id"):
        yield [
            row.body.code,
            roles.get(row.role, row.role),
            kinds.get(row.place_kind, row.place_kind),
            row.industry,
            classes.get(row.hazard_class, row.hazard_class),
            row.area.code,
            phases.get(row.phase, row.phase),
            row.from_on.isoformat() if row.from_on else "",
            row.until_on.isoformat() if row.until_on else "",
            row.basis,
        ]

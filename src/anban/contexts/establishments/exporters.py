"""The register as a file that imports back unchanged, and what it hands to whole-city analysis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal

from anban.base.exports import Column, Export, declare
from anban.base.people.actor import Actor
from anban.base.people.operations import note_access
from anban.contexts.catalog import queries as catalog
from anban.contexts.establishments import queries
from anban.contexts.establishments.columns import PLACE_COLUMNS
from anban.contexts.establishments.models import Party, PersonInCharge, Place
from anban.contexts.establishments.vocabulary import Terms, word_of
from anban.kit.tabular import write_csv, write_xlsx

# The district is in the area's code; sources may write it, exports need not.
EXPORTED = tuple(column for column in PLACE_COLUMNS if column.field != "district")


def export_places(
    *,
    actor: Actor,
    at: datetime,
    filters: queries.Filters,
    out: Path | BinaryIO,
    form: Literal["csv", "xlsx"] = "csv",
    english: bool = False,
) -> int:
    """This function will write the actor's list as CSV or XLSX, streaming, and log the export; it returns the count of rows.

    A file written from a register and imported into it changes nothing. Raises: NotWritable.
    """
    header = [column.en if english else column.zh for column in EXPORTED]
    write = write_xlsx if form == "xlsx" else write_csv
    rows = write(out, header, _rows(actor, filters, english=english))
    note_access(actor=actor, at=at, what="places.exported", subject=filters.query[:120], rows=rows)
    return rows


def _rows(actor: Actor, filters: queries.Filters, *, english: bool) -> Iterator[list[str]]:
    kinds = _KindWords(actor.root, english=english)
    for page in queries.in_pages(actor, filters):
        ids = [row.pk for row in page]
        parties, persons = queries.standing_parties(ids), queries.standing_in_charge(ids)
        for row in page:
            yield _cells(row, parties.get(row.pk, {}), persons.get(row.pk, {}), kinds, english=english)


def _cells(
    row: Place, parties: dict[str, Party], persons: dict[str, PersonInCharge], kinds: _KindWords, *, english: bool
) -> list[str]:
    placed = row.lng_wgs84 is not None and row.lat_wgs84 is not None
    cells = {
        "number": row.number, "name": row.name, "address": row.address, "credit_code": row.credit_code,
        "kind": kinds.of(row.kind), "industry": row.industry, "area": row.area.code,
        "street": row.area.name_en if english else row.area.name,
        "lng": _degrees(row.lng_wgs84), "lat": _degrees(row.lat_wgs84), "datum": "WGS-84" if placed else "",
        "status_on": row.status_on.isoformat() if row.status_on else "",
        "building": row.building.number if row.building else "", "version": str(row.version),
    }  # fmt: skip
    for name in ("form", "status", "affiliation"):
        cells[name] = word_of(name, getattr(row, name), english=english)
    cells.update({role: party.name for role, party in parties.items()})
    cells.update({role: person.person.name for role, person in persons.items()})
    return [cells.get(column.field, "") for column in EXPORTED]


def _degrees(value: float | None) -> str:
    return "" if value is None else f"{value:.7f}".rstrip("0").rstrip(".")


class _KindWords:
    """The word for each kind of place, or its code where the word would be read as another kind."""

    def __init__(self, root: str, *, english: bool) -> None:
        rows: Sequence[tuple[str, str, str, str]] = list(
            catalog.place_kinds(root).values_list("code", "zh", "en", "aliases")
        )
        terms = Terms.of(rows)
        words = {code: en if english else zh for code, zh, en, _ in rows}
        self._words = {code: word if terms.find(word) == code else code for code, word in words.items()}

    def of(self, code: str) -> str:
        """This method will give the word to write for a kind's code."""
        return self._words.get(code, code)


PLACES = declare(
    Export(
        name="places", version=1, source="establishments_place p", root="p.root",
        columns=(
            Column("place", "key", "p.id"), Column("id", "id", "p.id"), Column("survivor", "key", "p.survivor_id"),
            Column("form", "text", "p.form"), Column("kind", "text", "p.kind"), Column("industry", "text", "p.industry"),
            Column("area_path", "text", "p.area_path"), Column("street", "street", "p.area_path"),
            Column("overview_code", "text", "p.overview_code"), Column("affiliation", "text", "p.affiliation"),
            Column("status", "text", "p.status"), Column("status_on", "date", "p.status_on"),
            Column("lng_wgs84", "float", "p.lng_wgs84"), Column("lat_wgs84", "float", "p.lat_wgs84"),
            Column("historical", "bool", "p.historical"), Column("registered_on", "instant_day", "p.registered_at"),
        ),
        changed_by=(("establishments_place", "p.id", "place"),),
        unique="place",
    )
)  # fmt: skip

"""What responsibility hands to whole-city analysis: which body answers for which kind of place where."""

from __future__ import annotations

from anban.base.exports import Column, Export, declare

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

"""What the catalog hands to whole-city analysis: the kinds of place."""

from __future__ import annotations

from anban.base.exports import Column, Export, declare

KINDS = declare(
    Export(
        name="place_kinds", version=1, source="catalog_placekind k", root="k.root",
        columns=(
            Column("code", "text", "k.code"), Column("high_risk", "bool", "k.high_risk"),
            Column("from_on", "date", "k.from_on"), Column("until_on", "date", "k.until_on"),
        ),
    )
)  # fmt: skip

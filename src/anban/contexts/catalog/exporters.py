"""What the catalog hands to whole-city analysis: the kinds of place, what the items of its checklists say, and their classes."""

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

CODES = declare(
    Export(
        name="hazard_codes", version=1, source="catalog_hazardcode c", root="c.root",
        columns=(
            Column("code", "text", "c.code"), Column("class_code", "text", "c.class_code"),
            Column("zh", "text", "c.zh"), Column("en", "text", "c.en"),
            Column("from_on", "date", "c.from_on"), Column("until_on", "date", "c.until_on"),
        ),
    )
)  # fmt: skip

CLASSES = declare(
    Export(
        name="hazard_classes", version=1, source="catalog_hazardclass c", root="c.root",
        columns=(
            Column("code", "text", "c.code"), Column("zh", "text", "c.zh"), Column("en", "text", "c.en"),
            Column("from_on", "date", "c.from_on"), Column("until_on", "date", "c.until_on"),
        ),
    )
)  # fmt: skip

"""What the territory hands to whole-city analysis: the areas."""

from __future__ import annotations

from anban.base.exports import Column, Export, declare

AREAS = declare(
    Export(
        name="areas", version=1, source="territory_area a", root="a.root_id",
        columns=(
            Column("path", "text", "a.path"), Column("code", "text", "a.code"), Column("level", "text", "a.level"),
            Column("in_overview", "bool", "a.in_overview"),
        ),
    )
)  # fmt: skip

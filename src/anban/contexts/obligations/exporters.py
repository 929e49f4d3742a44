"""What obligations hand to whole-city analysis: who owes what since when, persons by opaque keys only."""

from __future__ import annotations

from anban.base.exports import Column, Export, declare

OBLIGATIONS = declare(
    Export(
        name="obligations", version=1, source="obligations_obligation o", root="o.root", period="opened_on",
        columns=(
            Column("obligation", "key", "o.id"), Column("kind", "text", "o.kind"),
            Column("subject_kind", "text", "o.subject_kind"), Column("matter", "key", "o.matter_id"),
            Column("place", "key", "o.place_id"), Column("person", "key", "o.person_id"),
            Column("body", "key", "o.body_id"), Column("street", "street", "o.area_path"),
            Column("ladder", "text", "o.ladder"), Column("grade", "text", "o.grade"),
            Column("opened_on", "instant_day", "o.opened_at"), Column("due_on", "instant_day", "o.due_at"),
            Column("ended_on", "instant_day", "o.ended_at"), Column("state", "text", "o.state"),
        ),
        changed_by=(("obligations_obligation", "o.id", "obligation"),),
    )
)  # fmt: skip

"""Writes of the table of link templates: a root's own table begins with the packaged rows and is changed by files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.contexts.responsibility.chains import STAMP, LinkRow, link_rows, template_key
from anban.contexts.responsibility.models import LinkTemplate
from anban.contexts.territory.operations import set_setting
from anban.kit.ids import new_id


def change_templates(
    *, actor: Actor, at: datetime, added: Iterable[LinkRow], changed: Iterable[LinkRow]
) -> list[LinkTemplate]:
    """Enter templates of links, and give others another end, namer and basis, in the table of the actor's root.

    The first change makes the packaged rows the root's own. Raises: territory.not_allowed.
    """
    with unit():
        # The stamp comes first: whoever may not set figures of practice may not change the table, and of two files at once
        # the second waits here.
        set_setting(actor=actor, at=at, key=STAMP, value=new_id().hex, allowed=(STAMP,))
        kept = list(LinkTemplate.objects.filter(root=actor.root))
        begun = [] if kept else [LinkTemplate(root=actor.root, **asdict(row)) for row in link_rows()]
        LinkTemplate.objects.bulk_create(begun)
        by_key = {template_key(one): one for one in (*kept, *begun)}
        made = [LinkTemplate(root=actor.root, **asdict(row)) for row in added]
        LinkTemplate.objects.bulk_create(made)
        for row in changed:
            stored = by_key[template_key(row)]
            before = stored.until_on.isoformat() if stored.until_on else ""
            for name in CHANGEABLE:
                setattr(stored, name, getattr(row, name))
            stored.save(update_fields=list(CHANGEABLE))
            record(
                "link_template.changed", actor=actor, at=at, subject=("link_template", stored.pk),
                data={"until_before": before, "until": row.until_on.isoformat() if row.until_on else "", "named_by": row.named_by},
            )  # fmt: skip
        for one in (*begun, *made):
            record(
                "link_template.added", actor=actor, at=at, subject=("link_template", one.pk),
                data={"role": one.role, "matter": one.matter, "class": one.hazard_class, "kind": one.place_kind, "work": one.work},
            )  # fmt: skip
        return made


CHANGEABLE = ("named_by", "until_on", "basis", "source", "certainty")
"""What a file may change of a row; everything else says which row it is."""

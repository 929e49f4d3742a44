"""Writes of like cases: those left alone are put on desks, each once a cycle."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.contexts.hazards.models import Hazard
from anban.contexts.obligations import operations as obligations
from anban.contexts.oversight import policies
from anban.contexts.oversight.models import LikeCase
from anban.contexts.oversight.queries.scope import figure
from anban.contexts.territory.queries import calendar, city_date, root
from anban.kit.clock import day_end

KIND = "like_case"


def put_on_desks(*, actor: Actor, at: datetime, pairs: Iterable[tuple[UUID, UUID]]) -> list[LikeCase]:
    """Put like cases on the desks of those who hold them, each beside the case it is like; one put before is left as it is.

    ``pairs`` are a hazard and the hazard it is like. Raises: oversight.not_allowed.
    """
    made = []
    with unit():
        on = city_date(at, actor.root)
        term = figure(actor, "like_case_workdays", on)
        last, provisional = calendar(actor.root).provisional_add_workdays(on, term.value)
        due_at = day_end(last, root(actor.root).zone) - timedelta(seconds=1)
        for hazard_id, like_id in pairs:
            row = (
                Hazard.objects.select_for_update(of=("self",)).select_related("holder", "holder_body").get(pk=hazard_id)
            )
            like = Hazard.objects.get(pk=like_id)
            policies.require(row.root == actor.root and like.root == actor.root)
            policies.require(policies.can_oversee(actor, row.area_path) and actor.person_id is not None)
            if not row.is_open or LikeCase.objects.filter(hazard=row, cycle_no=row.cycle_no).exists():
                continue
            case = LikeCase.objects.create(
                hazard=row, cycle_no=row.cycle_no, like=like, person=row.holder, put_by_id=actor.person_key, put_at=at
            )
            record(
                "like_case.put", actor=actor, at=at, subject=("like_case", case.pk), matter=("hazard", row.pk),
                wrote=[case], data={"like": str(like.pk), "person": str(row.holder_id)},
            )  # fmt: skip
            unit_name = row.holder_body.name if row.holder_body else row.place_title
            obligations.owe(
                actor=actor, at=at,
                duty=obligations.Duty(
                    root=row.root, person=row.holder, body=row.holder_body, unit_name=unit_name, kind=KIND,
                    subject=("hazard", row.pk), matter_id=row.pk, cycle_no=row.cycle_no, place_id=row.place_id,
                    area_path=row.area_path, title=f"{row.fact[:120]}（同类：{like.number}）", place_title=row.place_title,
                    grade=row.grade, source_rule=term.source.citation, due_at=due_at, provisional=provisional,
                    link=f"/ledger/{row.pk}/",
                ),
            )  # fmt: skip
            made.append(case)
    return made

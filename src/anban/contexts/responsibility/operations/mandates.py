"""Writes of the table of mandates: rows entered, and rows given an end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from anban.base.inserting import insert_new
from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.contexts.responsibility.models import Mandate
from anban.contexts.territory.models import Area, Body
from anban.contexts.territory.policies import require_may_arrange
from anban.rules.errors import Refusal, register

register(
    "mandate.kind_and_industry",
    zh="场所类型和行业只能填一个。",
    en="Give a place kind or an industry, not both.",
)
register(
    "mandate.reversed", zh="终止日期（不含）须晚于起始日期。", en="The end (exclusive) must lie after the beginning."
)


def add_mandate(
    *,
    actor: Actor,
    at: datetime,
    body: Body,
    role: str,
    area: Area,
    place_kind: str = "",
    industry: str = "",
    hazard_class: str = "",
    phase: str = "",
    from_on: date | None = None,
    until_on: date | None = None,
    basis: str = "",
) -> Mandate:
    """Enter a body's duty: a regulator over a place kind or industry and hazard class in an area, with its basis.

    Raises: territory.not_allowed, mandate.kind_and_industry, mandate.reversed.
    """
    with unit():
        require_may_arrange(actor, area.path)
        if place_kind and industry:
            raise Refusal("mandate.kind_and_industry", field="industry")
        if from_on and until_on and until_on <= from_on:
            raise Refusal("mandate.reversed", field="until_on")
        mandate = Mandate.objects.create(
            root=body.root_id,
            body=body,
            role=role,
            area=area,
            place_kind=place_kind,
            industry=industry,
            hazard_class=hazard_class,
            phase=phase,
            from_on=from_on,
            until_on=until_on,
            basis=basis,
        )
        record(
            "mandate.added",
            actor=actor,
            at=at,
            subject=("mandate", mandate.pk),
            data={"body": str(body.pk), "role": role, "place_kind": place_kind, "hazard_class": hazard_class},
        )
        return mandate


def add_mandates(*, actor: Actor, at: datetime, rows: Iterable[Mandate]) -> list[Mandate]:
    """Enter many prepared duties of one root's bodies at once, with one entry each."""
    with unit():
        made = list(rows)
        for mandate in made:
            require_may_arrange(actor, mandate.area.path, root=mandate.root)
        insert_new(made)
        for mandate in made:
            record(
                "mandate.added",
                actor=actor,
                at=at,
                subject=("mandate", mandate.pk),
                data={
                    "body": str(mandate.body_id),
                    "role": mandate.role,
                    "place_kind": mandate.place_kind,
                    "hazard_class": mandate.hazard_class,
                },
            )
        return made


def change_mandates(
    *, actor: Actor, at: datetime, changes: Sequence[tuple[Mandate, date | None, str]]
) -> list[Mandate]:
    """Give duties another (exclusive) end and basis; what they were before stays in the journal.

    Raises: territory.not_allowed, mandate.reversed.
    """
    with unit():
        made = []
        for mandate, until_on, basis in changes:
            require_may_arrange(actor, mandate.area.path, root=mandate.root)
            if mandate.from_on and until_on and until_on <= mandate.from_on:
                raise Refusal("mandate.reversed", field="until_on")
            before = mandate.until_on.isoformat() if mandate.until_on else ""
            mandate.until_on, mandate.basis = until_on, basis
            mandate.save(update_fields=["until_on", "basis"])
            record(
                "mandate.changed",
                actor=actor,
                at=at,
                subject=("mandate", mandate.pk),
                data={"until_before": before, "until": until_on.isoformat() if until_on else ""},
            )
            made.append(mandate)
        return made

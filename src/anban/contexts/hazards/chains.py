"""The links that a hazard's chain must have beside the standing ones: filled from the place, asked for, and what is still missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from anban.base.journal.births import once, open_births
from anban.base.journal.operations import unit
from anban.base.people.actor import Actor
from anban.contexts.hazards.models import Hazard
from anban.contexts.obligations.models import Obligation
from anban.contexts.responsibility.chained import Chained, Wanted, wanted_links
from anban.contexts.responsibility.chains import CARRIED, Asking, LinkRow, missing_links, required_links
from anban.contexts.responsibility.models import Link
from anban.contexts.responsibility.operations import Naming, complete_chain
from anban.contexts.responsibility.queries import Answer, Resolution, link_templates, resolve
from anban.rules import clocks

if TYPE_CHECKING:
    from anban.contexts.hazards.operations import Desk

KEPT = "该单位此前同类隐患已落实"
"""Why somebody stands in a chain who was named for an earlier hazard of the class at the place."""

Standing = Mapping[tuple[UUID, str], Sequence[Link]]
"""By place and hazard class who was named there before, the newest first."""


def demanded(hazard: Hazard, templates: Iterable[LinkRow]) -> tuple[LinkRow, ...]:
    """Return the links that a hazard's chain must have."""
    return required_links(
        templates,
        Asking(
            matter="hazard",
            hazard_class=hazard.class_code,
            place_kind=hazard.place_kind,
            code=hazard.code,
            grade=hazard.grade,
            on=hazard.found_on,
        ),
    )


def standing_links(root: str, places: Collection[UUID] | None, roles: Collection[str]) -> Standing:
    """Return who stands in such links of hazards at places (None: all of the root)."""
    hazards = Hazard.objects.filter(root=root) if places is None else Hazard.objects.filter(place_id__in=places)
    rows = Link.objects.filter(
        root=root, role__in=roles, until_at__isnull=True, person__erased_at__isnull=True, matter_kind="hazard"
    )
    if places is not None:
        rows = rows.filter(matter_id__in=hazards.values("pk"))
    links = list(rows.select_related("person", "body").order_by("-from_at", "-id"))
    if not links:
        return {}
    where = {pk: (place, klass) for pk, place, klass in hazards.filter(pk__in={one.matter_id for one in links}).values_list("pk", "place_id", "class_code")}  # fmt: skip
    found: dict[tuple[UUID, str], list[Link]] = defaultdict(list)
    for one in links:
        if one.matter_id in where:
            found[where[one.matter_id]].append(one)
    return found


def kept_names(hazard: Hazard, needed: Iterable[LinkRow], standing: Standing | None = None) -> list[Naming]:
    """Return who stands in a required link because the place has named the person before for a hazard of the class."""
    roles = sorted(row.role for row in needed if row.role in CARRIED)
    if not roles:
        return []
    if standing is None and open_births.get() is None:
        standing = standing_links(hazard.root, [hazard.place_id], roles)
    elif standing is None:
        # A history of many lives asks once for the whole root: it names nobody whom the place had not named before.
        standing = once(("standing", hazard.root), lambda: standing_links(hazard.root, None, sorted(CARRIED)))
    named: dict[str, Naming] = {}
    for one in standing.get((hazard.place_id, hazard.class_code), ()):
        if one.role in roles and one.role not in named:
            named[one.role] = Naming(one.role, one.person, one.unit_name, one.body, KEPT)
    return list(named.values())


def chained(hazard: Hazard) -> Chained:
    """Return a hazard as the matter whose chain has to be complete."""
    return Chained(
        root=hazard.root,
        kind="hazard",
        pk=hazard.pk,
        cycle_no=hazard.cycle_no,
        place_id=hazard.place_id,
        place_title=hazard.place_title,
        area_path=hazard.area_path,
        title=hazard.fact,
        grade=hazard.grade,
        link=f"/ledger/{hazard.pk}/",
        holder=Answer("holder", hazard.holder_body, hazard.holder, "现承办"),
    )


def wanted(hazard: Hazard, needed: Iterable[LinkRow], named: Collection[str], resolution: Resolution) -> list[Wanted]:
    """Return who must name a person for each link of the hazard that nobody stands in."""
    return wanted_links(missing_links(needed, named), resolution, chained(hazard))


def complete(
    *,
    actor: Actor,
    hazard: Hazard,
    desk: Desk,
    needed: Iterable[LinkRow],
    named: Collection[str],
    resolution: Resolution,
) -> list[Obligation]:
    """Put what is missing of a hazard's chain on the desks of those who must name a person, in the same transaction."""
    return complete_chain(
        actor=actor, at=desk.at, matter=chained(hazard), needed=needed, named=named, resolution=resolution,
        due=lambda: link_due(desk),
    )  # fmt: skip


def link_due(desk: Desk) -> clocks.Due:
    """Return by when a person must be named."""
    return clocks.due_by(
        "responsibility.link_workdays",
        desk.at,
        calendar=desk.calendar,
        zone=desk.zone,
        on=desk.on,
        overrides=desk.overrides,
    )


def raised(*, actor: Actor, hazard: Hazard, desk: Desk, resolution: Resolution) -> list[Obligation]:
    """Ask for the links that a hazard's new grade demands, as the leader who takes a major one in charge (包案)."""
    needed = [row for row in demanded(hazard, link_templates(hazard.root, desk.settings)) if row.grade]
    if not needed:
        return []
    mine = {"matter_id": hazard.pk, "cycle_no": hazard.cycle_no}
    named = set(Link.objects.filter(until_at__isnull=True, **mine).values_list("role", flat=True))
    asked = set(Obligation.objects.filter(kind__in=[row.duty for row in needed], **mine).values_list("kind", flat=True))
    rest = [row for row in needed if row.duty not in asked]
    return complete(actor=actor, hazard=hazard, desk=desk, needed=rest, named=named, resolution=resolution)


def waiting(root: str) -> Iterator[UUID]:
    """Yield the open hazards that lack a required link in their cycle which nobody was asked to name: missed, or a table changed."""
    seen: set[UUID] = set()
    for row in link_templates(root):
        if row.matter not in ("", "hazard"):
            continue
        mine = {"matter_id": OuterRef("pk"), "cycle_no": OuterRef("cycle_no")}
        found = Hazard.objects.filter(
            ~Exists(Link.objects.filter(role=row.stored, until_at__isnull=True, **mine)),
            ~Exists(Obligation.objects.filter(kind=row.duty, **mine)),
            root=root,
            is_open=True,
            historical=False,
            found_on__gte=row.from_on,
        )
        wide = Q()
        for name, value in (("class_code", row.hazard_class), ("place_kind", row.place_kind), ("grade", row.grade)):
            if value:
                wide &= Q(**{name: value})
        if row.work:
            wide &= Q(code__startswith=row.work)
        if row.until_on is not None:
            wide &= Q(found_on__lt=row.until_on)
        fresh = [pk for pk in found.filter(wide).order_by("pk").values_list("pk", flat=True) if pk not in seen]
        seen.update(fresh)
        yield from fresh


def ask(*, actor: Actor, at: datetime, hazard_id: UUID, desk: Desk, templates: Sequence[LinkRow]) -> int:
    """Complete the chain of one hazard that was missed; returns how many persons are asked for."""
    with unit():
        hazard = Hazard.objects.select_for_update(of=("self",)).select_related("place", "holder", "holder_body").get(pk=hazard_id)  # fmt: skip
        if not hazard.is_open:
            return 0
        needed = demanded(hazard, templates)
        mine = {"matter_id": hazard.pk, "cycle_no": hazard.cycle_no}
        named = set(Link.objects.filter(until_at__isnull=True, **mine).values_list("role", flat=True))
        asked = set(
            Obligation.objects.filter(kind__in=[row.duty for row in needed], **mine).values_list("kind", flat=True)
        )
        rest = [row for row in needed if row.duty not in asked]
        if not missing_links(rest, named):
            return 0
        resolution = resolve(hazard.place, hazard.class_code, desk.on)
        return len(complete(actor=actor, hazard=hazard, desk=desk, needed=rest, named=named, resolution=resolution))

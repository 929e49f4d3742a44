"""Reads of the pass's results: the newest assessment, and of its figures and lists what an actor may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson
from django.db.models import Q, QuerySet, Sum

from anban.base.people.actor import Actor
from anban.contexts.catalog.queries import sector_scope, sectors
from anban.contexts.establishments.queries import reach_of
from anban.contexts.hazards.queries import visible_to as visible_hazards
from anban.contexts.risk.models import (
    Assessment,
    Cell,
    Curve,
    EarlyWarning,
    Event,
    Look,
    Report,
    Simulation,
    TopHazard,
    TopPlace,
)
from anban.contexts.risk.reasons import Why, reasons
from anban.contexts.territory.queries import within

FIGURES: Final = (
    "places", "never_seen", "stale", "overdue", "rebound", "repeated", "failing", "burdened", "unled", "unsettled",
)  # fmt: skip
"""The figures of the risk page: each counts places, and opens the list of exactly these."""

SHARES: Final = ("first_tenth", "drawn")
"""How visits fall on the areas: places in the first tenth of the city's order, and places drawn by lot; each opens its list too."""

HAZARDS: Final = ("hazards_open", "hazards_overdue", "hazards_major", "hazards_found", "visits", "checks")
"""Further figures of a report."""

STREET_PARTS: Final = 3
DISTRICT_PARTS: Final = 2
NOTHING: Final = Q(pk__in=[])


def assessments(actor: Actor) -> QuerySet[Assessment]:
    """Return the assessments of the actor's root, the newest day first."""
    return Assessment.objects.filter(root=actor.root).order_by("-as_of", "-made_at")


def current(actor: Actor) -> Assessment | None:
    """Return the assessment of the newest day."""
    return assessments(actor).first()


def simulation(actor: Actor) -> Simulation | None:
    """Return the newest comparison of policies published in the actor's root; it holds nothing about any place or person."""
    return Simulation.objects.filter(root=actor.root).order_by("-made_at").first()


def assessment(actor: Actor, assessment_id: UUID) -> Assessment | None:
    """Return one assessment of the actor's root."""
    return assessments(actor).filter(pk=assessment_id).first()


def reaches(actor: Actor) -> tuple[tuple[str, frozenset[str] | None], ...]:
    """Return over which areas and kinds of place the actor reads results: those of its posts, as in the register."""
    return reach_of(actor)


def below_streets(actor: Actor) -> bool:
    """Tell whether a post reaches less than a street, which the figures don't know apart."""
    return any(path.count("/") > STREET_PARTS for path, _ in reaches(actor))


def _within_reach(actor: Actor, path: str = "area_path", kind: str = "kind") -> Q:
    found = NOTHING
    for prefix, kinds in reaches(actor):
        one = within(prefix, path) if prefix else Q(pk__isnull=False)
        found |= one if kinds is None else one & Q(**{f"{kind}__in": sorted(kinds)})
    return found


def visible_to(actor: Actor, of: Assessment) -> QuerySet[Cell]:
    """Return the cells of an assessment that the actor may see."""
    return Cell.objects.filter(_within_reach(actor, "street"), assessment_id=of.pk, root=actor.root)


def figures(actor: Actor, of: Assessment, *, area: str = "", kinds: frozenset[str] | None = None) -> dict[str, int]:
    """Return the sums of every figure over what the actor sees, below an area and of some kinds."""
    rows = visible_to(actor, of)
    if area:
        rows = rows.filter(within(area, "street"))
    if kinds is not None:
        rows = rows.filter(kind__in=sorted(kinds))
    # A sum may not be called as its column is.
    names = (*FIGURES, *SHARES, *HAZARDS)
    summed: dict[str, Any] = rows.aggregate(**{f"n_{name}": Sum(name, default=0) for name in names})
    return {name: int(summed[f"n_{name}"]) for name in names}


def by_area(
    actor: Actor, of: Assessment, *, parts: int, area: str = "", kinds: frozenset[str] | None = None
) -> dict[str, dict[str, int]]:
    """Return the figures of each area so many steps below the root (2: districts, 3: streets), by path."""
    rows = visible_to(actor, of)
    if area:
        rows = rows.filter(within(area, "street"))
    if kinds is not None:
        rows = rows.filter(kind__in=sorted(kinds))
    names = (*FIGURES, *SHARES)
    summed = rows.order_by().values("street").annotate(**{f"n_{name}": Sum(name, default=0) for name in names})
    found: dict[str, dict[str, int]] = {}
    for row in summed:
        path = "".join(f"{step}/" for step in row["street"].split("/")[:parts] if step)
        sums = found.setdefault(path, dict.fromkeys(names, 0))
        counted: dict[str, Any] = dict(row)
        for name in names:
            sums[name] += int(counted[f"n_{name}"])
    return found


@dataclass(frozen=True, slots=True)
class Listed:
    """A place on the list, with why.

    ``told`` are the reasons of the learned order as (fact, Chinese, English); None where the transparent score stands.
    """

    place_id: UUID
    name: str
    area_path: str
    kind: str
    chance: float
    facts: Mapping[str, Any]
    reasons: tuple[Why, ...]
    told: tuple[tuple[str, str, str], ...] | None


NEVER_SEEN: Final = '"last_day":""'
"""How the facts of a place that nobody ever visited read (canonical JSON)."""


def top_places(
    actor: Actor,
    of: Assessment,
    *,
    area: str = "",
    limit: int = 20,
    after: UUID | None = None,
    seen: bool | None = None,
    kinds: frozenset[str] | None = None,
) -> list[Listed]:
    """Return the places to be seen next, those first whose visit averts most; ``after`` names the place behind which to go on.

    ``seen`` narrows to places where somebody was before, or where nobody ever was; ``kinds`` to some kinds of place.
    """
    rows = TopPlace.objects.filter(
        _within_reach(actor), assessment_id=of.pk, root=actor.root, place__survivor__isnull=True
    )
    if area:
        rows = rows.filter(within(area))
    if kinds is not None:
        rows = rows.filter(kind__in=kinds)
    if seen is not None:
        never = Q(facts__contains=NEVER_SEEN)
        rows = rows.filter(~never if seen else never)
    if after is not None:
        last = rows.filter(place_id=after).values_list("index_value", "id").first()
        if last is None:
            return []
        rows = rows.filter(Q(index_value__lt=last[0]) | Q(index_value=last[0], id__gt=last[1]))
    return [_listed(row) for row in rows.select_related("place").order_by("-index_value", "id")[:limit]]


def first_places(
    actor: Actor, of: Assessment, *, area: str = "", kinds: frozenset[str] | None = None, limit: int, never: int
) -> tuple[list[Listed], list[Listed]]:
    """Return the first places where somebody was before, and the first where nobody ever was: ``never`` of these at least, ``limit`` in all.

    Of places where nobody ever was there is one thing to say, and there may be so many that no other place would be read.
    """
    seen = top_places(actor, of, area=area, kinds=kinds, limit=limit - never, seen=True)
    return seen, top_places(actor, of, area=area, kinds=kinds, limit=limit - len(seen), seen=False)


def _listed(row: TopPlace) -> Listed:
    facts = orjson.loads(row.facts)
    told = facts.pop("told", None)
    return Listed(
        row.place_id, row.place.name, row.area_path, row.kind, row.chance, facts, tuple(reasons(facts)),
        None if told is None else tuple((fact, zh, en) for fact, zh, en in told),
    )  # fmt: skip


def of_place(actor: Actor, place_id: UUID) -> Listed | None:
    """Return what the newest assessment says of a place, where it is on its street's list and the actor may see it."""
    newest = current(actor)
    if newest is None:
        return None
    row = (
        TopPlace.objects.filter(_within_reach(actor), assessment_id=newest.pk, root=actor.root, place_id=place_id)
        .select_related("place")
        .first()
    )
    return None if row is None else _listed(row)


def top_hazards(actor: Actor, of: Assessment, which: str, *, area: str = "", limit: int = 10) -> list[TopHazard]:
    """Return the hazards of a list that the actor sees on the ledger."""
    rows = TopHazard.objects.filter(assessment_id=of.pk, root=actor.root, list=which, hazard__in=visible_hazards(actor))
    if area:
        rows = rows.filter(within(area, "hazard__area_path"))
    return list(rows.select_related("hazard").order_by("-weight", "on", "id")[:limit])


@dataclass(frozen=True, slots=True)
class Survival:
    """One group's curve: of ``episodes``, ``events`` had happened; ``points`` are (days, share, error, still observed)."""

    name: str
    inferred: bool
    episodes: int
    events: int
    points: tuple[tuple[int, float, float, int], ...]

    def share_at(self, days: int) -> float | None:
        """Return the share without the event after so many days; None when nobody was observed for so long."""
        if not self.points or days > self.points[-1][0]:
            return None
        reached = [share for day, share, _, _ in self.points if day <= days]
        return reached[-1] if reached else 1.0


def curves(of: Assessment, *, curve: str, what: str) -> list[Survival]:
    """Return the curves of one kind of group, the largest group first. They are about kinds, classes and proofs, not persons."""
    rows = Curve.objects.filter(assessment_id=of.pk, root=of.root, curve=curve, what=what).order_by("-episodes", "name")
    return [
        Survival(
            row.name, row.inferred, row.episodes, row.events,
            tuple((d, share / 1e6, error / 1e6, n) for d, share, error, n in orjson.loads(row.points)),
        )
        for row in rows
    ]  # fmt: skip


def reports(actor: Actor) -> QuerySet[Report]:
    """Return the area and sector assessments of which the actor may see every figure's list, the newest first."""
    rows = Report.objects.filter(root=actor.root).select_related(
        "area", "assessment", "earlier", "made_by", "signed_by"
    )
    covered = NOTHING
    for prefix, kinds in reaches(actor):
        one = within(prefix) if prefix else Q(pk__isnull=False)
        covered |= one if kinds is None else one & Q(sector__in=_sectors_within(actor.root, kinds))
    return rows.filter(covered).order_by("-id")


def _sectors_within(root: str, kinds: frozenset[str]) -> list[str]:
    """Return the sectors all of whose kinds of place are among these."""
    named = ((code, frozenset(each for each in text.split(";") if each)) for code, text in _sector_kinds(root))
    return [code for code, own in named if own and own <= kinds]


def _sector_kinds(root: str) -> list[tuple[str, str]]:
    return list(sectors(root).values_list("code", "kinds"))


def whole_sectors(actor: Actor) -> frozenset[str] | None:
    """Return of which sectors the actor reads every kind of place; None where it reads all kinds."""
    own = [kinds for _, kinds in reaches(actor)]
    if None in own:
        return None
    return frozenset(code for kinds in own if kinds for code in _sectors_within(actor.root, kinds))


def reads_whole(actor: Actor, path: str, sector: str) -> bool:
    """Tell whether the actor reads every place of an area, or of a sector in it."""
    return any(
        path.startswith(prefix) and (kinds is None or sector in _sectors_within(actor.root, kinds))
        for prefix, kinds in reaches(actor)
    )


def reported_folders(root: str) -> set[str]:
    """Return the folders of results on which reports of a root stand."""
    rows = Report.objects.filter(root=root).values_list("assessment__folder", "earlier__folder")
    return {folder for pair in rows for folder in pair if folder}


def report(actor: Actor, report_id: UUID) -> Report | None:
    """Return one report that the actor may read."""
    return reports(actor).filter(pk=report_id).first()


def kinds_of_sector(root: str, sector: str, on: date) -> frozenset[str]:
    """Return the kinds of place that a sector answers for on a day."""
    return sector_scope(root, sector, on)[1]


# Early warning


def _areas_read(actor: Actor, path: str = "area_path") -> Q:
    """Return the condition of rows without a kind of place: only posts without a sector read them."""
    if actor.system:
        return Q(pk__isnull=False)
    found = NOTHING
    for prefix, kinds in reaches(actor):
        if kinds is None:
            found |= within(prefix, path) if prefix else Q(pk__isnull=False)
    return found


def reads_everything(actor: Actor) -> bool:
    """Tell whether the actor reads the whole root, every kind of place."""
    return any(not path.strip("/").count("/") and kinds is None for path, kinds in reaches(actor))


def events_visible_to(actor: Actor) -> QuerySet[Event]:
    """Return the dated events of the areas that the actor reads, the newest first."""
    return Event.objects.filter(_areas_read(actor), root=actor.root).order_by("-on", "-id")


def warnings_visible_to(actor: Actor) -> QuerySet[EarlyWarning]:
    """Return the warnings of the areas that the actor reads: open ones first, alarms before watches."""
    return (
        EarlyWarning.objects.filter(_areas_read(actor), root=actor.root)
        .select_related("answered_by")
        .order_by("state", "level", "-last_on", "id")
    )


def warning(actor: Actor, warning_id: UUID) -> EarlyWarning | None:
    """Return one warning that the actor may see."""
    return warnings_visible_to(actor).filter(pk=warning_id).first()


def newest_look(actor: Actor) -> Look | None:
    """Return the newest look for early warning in the actor's root."""
    return Look.objects.filter(root=actor.root).order_by("-as_of", "-made_at").first()


def all_events(root: str, since: date, until: date) -> QuerySet[Event]:
    """Return a root's events of the days from ``since`` to ``until``, both included: what a job looks at."""
    return Event.objects.filter(root=root, on__gte=since, on__lte=until)


def first_event_on(root: str) -> date | None:
    """Return the day of a root's first event on record: since when such a table is kept."""
    return Event.objects.filter(root=root).order_by("on").values_list("on", flat=True).first()

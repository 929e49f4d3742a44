"""Figures of the ledger: what a board shows of each district and street, and what is open at each place of a list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet, Sum

from anban.base.people.actor import Actor, Grant
from anban.contexts.hazards.models import Cycle, Hazard, Tally
from anban.contexts.hazards.queries import FIGURES, STREET_LEVELS, arms, figures_at, street_of, visible_to
from anban.contexts.territory.queries import within

FRESH: Final = timedelta(hours=1)
SMALL: Final = 20_000
NO_BUSINESS: Final = frozenset({"system_admin", "security_admin", "audit_admin"})
Source = Literal["roll_up", "live", "none"]


@dataclass(frozen=True, slots=True)
class Figures:
    """The nine counts of an area: each is the count of the list it opens."""

    open: int = 0
    overdue: int = 0
    major: int = 0
    rebound: int = 0
    penalised_open: int = 0
    closed: int = 0
    closed_on_site: int = 0
    closed_photo: int = 0
    closed_declared: int = 0

    def __add__(self, other: Figures) -> Figures:
        """Return the sums."""
        return Figures(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})

    @property
    def closed_inferred(self) -> int:
        """Return the closes that were inferred from foreign history; they are never mixed into closing rates."""
        return self.closed - self.closed_on_site - self.closed_photo - self.closed_declared

    @property
    def total(self) -> int:
        """Return how many hazards these figures are about: open ones and closed ones."""
        return self.open + self.closed


@dataclass(frozen=True, slots=True)
class Board:
    """The figures by (overview code, street path), the instant they are true at, and where they come from."""

    cells: dict[tuple[str, str], Figures]
    made_at: datetime | None
    source: Source
    stale: bool = False
    """Whether the roll-up is older than an hour and the scope is too large to count again at once."""

    @property
    def total(self) -> Figures:
        """Return the sums over everything."""
        return sum(self.cells.values(), Figures())

    def by_overview(self) -> dict[str, Figures]:
        """Return the sums per overview area (in Beijing the 16 districts and 经开区)."""
        found: dict[str, Figures] = {}
        for (code, _path), figures in self.cells.items():
            found[code] = found.get(code, Figures()) + figures
        return found

    def of(self, overview: str) -> Board:
        """Return the board of one overview area."""
        return Board({k: v for k, v in self.cells.items() if k[0] == overview}, self.made_at, self.source, self.stale)


def board_of(actor: Actor, *, at: datetime) -> Board:
    """Return the actor's board: from the roll-up when it is fresh, counted at once when the scope is small.

    What an actor sees beyond the areas of its posts (matters it holds, is linked to or has found, its own places) is counted
    at once and added, so that each figure equals the count of the ledger's list under the same filter.
    """
    made = Tally.objects.filter(root=actor.root).aggregate(at=Max("made_at"))["at"]
    fine = _below_streets(actor)
    if made is not None and at - made <= FRESH and not fine:
        return Board(_merged(_rolled_up(actor), _counted(_personal(actor), made)), made, "roll_up")
    if fine or _is_small(actor):
        return Board(_counted(arms(actor), at), at, "live")
    if made is None:
        return Board({}, None, "none", stale=True)
    return Board(_merged(_rolled_up(actor), _counted(_personal(actor), made)), made, "roll_up", stale=True)


def _grants(actor: Actor) -> list[Grant]:
    return [g for g in actor.grants if g.root == actor.root and not g.matter_id and g.role not in NO_BUSINESS]


def _whole(actor: Actor) -> bool:
    return actor.system or any(g.whole_root for g in _grants(actor))


def _below_streets(actor: Actor) -> bool:
    """Tell whether a post reaches less than a street, which the roll-up does not know apart."""
    return not _whole(actor) and any(p.count("/") > STREET_LEVELS for g in _grants(actor) for p in g.paths)


def _personal(actor: Actor) -> list[QuerySet[Hazard]]:
    """Return what is seen beyond the areas: the last arms, disjoint from those of the areas."""
    if _whole(actor):
        return []
    return arms(actor)[-(3 if any(g.place_id for g in _grants(actor)) else 2) :]


def _is_small(actor: Actor) -> bool:
    left = SMALL
    for arm in arms(actor):
        left -= arm.order_by()[: left + 1].count()
        if left < 0:
            return False
    return True


def _rolled_up(actor: Actor) -> dict[tuple[str, str], Figures]:
    """Sum the roll-up: of everything where the areas of the actor's posts are seen whole, by class and kind for sectors."""
    grants = [g for g in _grants(actor) if not g.place_id]
    whole = _whole(actor) or not any(g.classes or g.kinds for g in grants)
    rows = Tally.objects.filter(root=actor.root, whole=whole)
    if not _whole(actor):
        covered = Q(pk__in=[])
        for grant in grants:
            for path in grant.paths or ("",):
                condition = within(path) if path else Q()
                if grant.classes or grant.kinds:
                    condition &= Q(class_code__in=grant.classes) | Q(place_kind__in=grant.kinds)
                covered |= condition
        rows = rows.filter(covered)
    summed = rows.order_by().values_list("overview_code", "area_path").annotate(*(Sum(name) for name in FIGURES))
    return {(overview, path): Figures(*figures) for overview, path, *figures in summed}


def _counted(parts: Iterable[QuerySet[Hazard]], at: datetime) -> dict[tuple[str, str], Figures]:
    wanted = figures_at(at)
    found: dict[tuple[str, str], Figures] = {}
    for part in parts:
        summed = part.order_by().values("overview_code", "area_path").annotate(
            **{f"n_{name}": Count("pk", filter=condition) for name, condition in wanted.items()}
        )  # fmt: skip
        for row in map(_plain, summed):
            key = (row["overview_code"], street_of(row["area_path"]))
            found[key] = found.get(key, Figures()) + Figures(**{name: row[f"n_{name}"] for name in wanted})
    return found


def _plain(row: Any) -> dict[str, Any]:
    """Return a summed row whose columns were named at run time."""
    return dict(row)


def _merged(
    one: dict[tuple[str, str], Figures], other: dict[tuple[str, str], Figures]
) -> dict[tuple[str, str], Figures]:
    return {key: one.get(key, Figures()) + other.get(key, Figures()) for key in {*one, *other}}


def open_by_place(actor: Actor, place_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Return how many open hazards the actor sees at each of a page's places; places without any are left out. One query."""
    ids = list(place_ids)
    if not ids:
        return {}
    rows = visible_to(actor).filter(is_open=True, place_id__in=ids).order_by().values_list("place_id")
    return dict(rows.annotate(n=Count("pk")))


def begun_at(hazard_ids: Iterable[UUID], at: datetime) -> dict[UUID, int]:
    """Return which hazards began a cycle at an instant, and the cycle's number: what a visit put on the ledger or brought back."""
    return dict(Cycle.objects.filter(hazard_id__in=list(hazard_ids), opened_at=at).values_list("hazard_id", "no"))

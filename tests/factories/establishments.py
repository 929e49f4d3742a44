"""Makes small worlds of places: a root with two districts, actors of every relation, places put there by operations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from anban.base.people.actor import Actor, Grant, job_actor
from anban.base.people.models import Person
from anban.contexts.catalog.models import PlaceKind
from anban.contexts.catalog.operations import add_terms
from anban.contexts.establishments.models import Place
from anban.contexts.establishments.operations import register_place
from anban.contexts.territory.models import Area
from anban.contexts.territory.operations import add_area, add_root
from anban.kit import credit_code as codes
from anban.kit.ids import id_from

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
ROOT = "town"
ROLES = (
    "steward", "safety_inspector", "street_safety_office", "district_regulator", "district_committee_officer",
    "city_committee_officer", "community_contact", "grid_worker", "leader_viewer", "enterprise_manager",
)  # fmt: skip
KINDS = (
    {"code": "catering", "zh": "餐饮", "en": "Catering", "aliases": "饭店;餐馆;restaurant"},
    {"code": "warehouse", "zh": "仓储物流", "en": "Warehouse", "aliases": "仓库;warehouse"},
    {"code": "school", "zh": "学校", "en": "School", "aliases": "学校;school"},
)


@dataclass(frozen=True)
class Town:
    """A root with a city, districts East and West, and two streets in each."""

    root: str
    areas: dict[str, Area]

    def area(self, code: str) -> Area:
        """Return the area with this code: C, E, W, E1, E2, W1, W2."""
        return self.areas[code]


def make_town(root: str = ROOT) -> Town:
    """Make a root with its areas, three kinds of place, and the persons whom ``actor_with`` lets act."""
    for role in ROLES:
        Person.objects.get_or_create(id=person_id(role), defaults={"root": root, "name": role})
    actor = job_actor("test", root)
    add_root(actor=actor, at=AT, code=root, name="小城", name_en="Town", kind="demonstration")
    areas: dict[str, Area] = {}
    for code, name, name_en, level, above, path in (
        ("C", "小城市", "Town", "city", None, "1/"),
        ("E", "东区", "East", "district", "C", "1/E/"),
        ("W", "西区", "West", "district", "C", "1/W/"),
        ("E1", "和平街道", "Heping", "street", "E", "1/E/1/"),
        ("E2", "建设街道", "Jianshe", "street", "E", "1/E/2/"),
        ("W1", "和平街道", "Heping", "street", "W", "1/W/1/"),
        ("W2", "胜利街道", "Shengli", "street", "W", "1/W/2/"),
    ):
        areas[code] = add_area(
            actor=actor, at=AT, root=root, code=code, name=name, name_en=name_en, level=level,
            parent=areas[above] if above else None, path=path, in_overview=level == "district",
        )  # fmt: skip
    add_terms(actor=actor, at=AT, root=root, model=PlaceKind, rows=KINDS)
    return Town(root, areas)


def person_id(name: str) -> UUID:
    """Return the id of a person of the tests."""
    return id_from("test person", name)


def actor_with(
    role: str,
    *paths: str,
    root: str = ROOT,
    kinds: Iterable[str] = (),
    classes: Iterable[str] = (),
    place_id: UUID | None = None,
) -> Actor:
    """Return an actor with one grant."""
    grant = Grant(
        root=root, role=role, paths=paths, kinds=frozenset(kinds), classes=frozenset(classes), place_id=place_id
    )
    return Actor(person_id=person_id(role), root=root, grants=(grant,))


def steward(root: str = ROOT) -> Actor:
    """Return an actor who keeps the whole root."""
    return actor_with("steward", root=root)


def make_place(town: Town, area: str = "E1", name: str = "福满楼饭店", **facts: Any) -> Place:
    """Put a place on the register by its operation."""
    facts.setdefault("address", "和平路1号")
    return register_place(actor=job_actor("test", town.root), at=AT, name=name, area_id=town.area(area).pk, **facts)


def valid_code(seed: int) -> str:
    """Return a valid credit code, another for each number."""
    body = f"MA{seed:06d}"
    first17 = f"91110105{body}{codes.body_check_char(body)}"
    return first17 + codes.check_char(first17)

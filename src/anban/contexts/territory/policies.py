"""Who may change areas, bodies, posts and settings."""

from __future__ import annotations

from anban.base.people.actor import Actor
from anban.rules.errors import Refusal

ARRANGERS = ("steward", "security_admin", "city_office", "district_office")


def can_arrange(actor: Actor, path: str) -> bool:
    """Tell whether the actor may change bodies and people in the area ``path`` (empty: of the whole root)."""
    if actor.system:
        return True
    if not path:
        return any(g.root == actor.root and g.role in {"steward", "security_admin"} for g in actor.grants)
    return actor.covers(path, roles=ARRANGERS)


def require_may_arrange(actor: Actor, path: str) -> None:
    """Refuse when the actor may not. Raises: territory.not_allowed."""
    if not can_arrange(actor, path):
        raise Refusal("territory.not_allowed")

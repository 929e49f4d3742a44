"""Who may change areas, bodies, posts and settings."""

from __future__ import annotations

from collections.abc import Iterable

from anban.base.people.actor import Actor
from anban.rules.errors import Refusal, register

register(
    "territory.duties_apart",
    zh="系统、安全、审计三个管理员岗位须由不同的人担任，也不得兼任业务岗位。",
    en="The system, security and audit administrators are three different persons, and none holds a business post.",
)
register(
    "territory.reserved_post",
    zh="管理员和数据管理员岗位只能由安全管理员或数据管理员设置和任命。",
    en="Posts of administrators and stewards are made and filled by the security administrator or a steward only.",
)

ADMINISTRATORS = frozenset({"system_admin", "security_admin", "audit_admin"})
"""The three administrators (三员). Source: GB/T 22239-2019 8.1.5, duties apart."""

RESERVED = ADMINISTRATORS | {"steward"}
"""Roles that reach over a whole root whatever the area of their post: nobody below may hand them out."""

SETTERS = frozenset({"steward"})
"""Who sets figures of practice and loads calendars: a business act, so none of the three administrators."""

ARRANGERS = ("steward", "security_admin", "city_committee_officer", "district_committee_officer")


def can_arrange(actor: Actor, path: str) -> bool:
    """Tell whether the actor may change bodies and people in the area ``path`` (empty: of the whole root)."""
    if actor.system:
        return True
    if not path:
        return actor.has("steward", "security_admin")
    return actor.covers(path, roles=ARRANGERS)


def require_may_arrange(actor: Actor, path: str, *, root: str = "") -> None:
    """Refuse when the actor may not, or ``root`` is another one than the actor's. Raises: territory.not_allowed."""
    if not can_arrange(actor, path) or (root and root != actor.root and not actor.system):
        raise Refusal("territory.not_allowed")


def require_may_hand_out(actor: Actor, role: str) -> None:
    """Refuse to let anybody else make or fill an administrator's or steward's post. Raises: territory.reserved_post."""
    if role in RESERVED and not can_arrange(actor, ""):
        raise Refusal("territory.reserved_post", field="role")


def require_duties_apart(role: str, held: Iterable[str]) -> None:
    """Refuse a role that must not meet one that the person holds. Raises: territory.duties_apart."""
    others = set(held) - {role}
    if others and (role in ADMINISTRATORS or others & ADMINISTRATORS):
        raise Refusal("territory.duties_apart", field="person")


def can_set(actor: Actor) -> bool:
    """Tell whether the actor may set figures of practice and load calendars for its root."""
    return actor.system or actor.has(*SETTERS)


def require_may_set(actor: Actor) -> None:
    """Refuse when the actor may not. Raises: territory.not_allowed."""
    if not can_set(actor):
        raise Refusal("territory.not_allowed")

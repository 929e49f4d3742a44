"""Who may keep the register: put places on it, amend, merge, name persons, take in files."""

from __future__ import annotations

from anban.base.people.actor import Actor, Grant
from anban.contexts.establishments.models import Place
from anban.rules.errors import Refusal, register

register(
    "place.not_allowed",
    zh="您的岗位不能改动该区域的监管对象台账。",
    en="Your post may not change the register of places in this area.",
)
register(
    "import.not_allowed",
    zh="您的岗位不能导入台账文件。",
    en="Your post may not import files into the register.",
)

# Whoever sees a place puts it on the register in that moment; leaders and administrators only look.
FINDERS = frozenset({"grid_worker", "community_contact", "hotline_staff", "duty_officer"})
KEEPERS = frozenset(
    {
        "safety_inspector", "certified_officer", "street_deputy", "street_director", "street_safety_office",
        "district_committee_officer", "district_regulator", "district_regulator_head", "city_committee_officer", "steward",
    }
)  # fmt: skip
# Merging, dismissing a blind spot and taking in a file touch many records at once.
STEWARDS = frozenset(
    {
        "street_safety_office", "street_deputy", "street_director", "district_committee_officer",
        "district_regulator_head", "city_committee_officer", "steward",
    }
)  # fmt: skip
ENTERPRISE = frozenset({"enterprise_manager"})


def _holds(grant: Grant, actor: Actor, roles: frozenset[str], path: str, kind: str) -> bool:
    return (
        grant.root == actor.root
        and grant.role in roles
        and not grant.place_id
        and not grant.matter_id
        and (not grant.paths or any(path.startswith(prefix) for prefix in grant.paths))
        and (not grant.kinds or not kind or kind in grant.kinds)
    )


def _may(actor: Actor, roles: frozenset[str], path: str, kind: str) -> bool:
    return actor.system or any(_holds(grant, actor, roles, path, kind) for grant in actor.grants)


def can_register(actor: Actor, path: str, kind: str = "") -> bool:
    """Tell whether the actor may put a place of this kind on the register in the area ``path``."""
    return _may(actor, KEEPERS | FINDERS, path, kind)


def can_amend(actor: Actor, place: Place) -> bool:
    """Tell whether the actor may change a place's facts, status and parties."""
    return place.root == actor.root and _may(actor, KEEPERS, place.area_path, place.kind)


def can_name_persons(actor: Actor, place: Place) -> bool:
    """Tell whether the actor may name a place's persons in charge: keepers, and the firm itself for its own place."""
    own = any(
        grant.root == actor.root
        and grant.role in ENTERPRISE
        and grant.place_id in {place.pk, place.survivor_id} - {None}
        for grant in actor.grants
    )
    return can_amend(actor, place) or (own and place.root == actor.root)


def can_settle(actor: Actor, path: str, kind: str = "") -> bool:
    """Tell whether the actor may merge places and settle blind spots in the area ``path``."""
    return _may(actor, STEWARDS, path, kind)


def can_import(actor: Actor) -> bool:
    """Tell whether the actor may take in files at all; each row is then asked for by its area."""
    return actor.system or any(
        grant.root == actor.root and grant.role in STEWARDS and not grant.place_id and not grant.matter_id
        for grant in actor.grants
    )


def require(allowed: bool, code: str = "place.not_allowed") -> None:
    """Refuse when the actor may not. Raises: place.not_allowed or the code given."""
    if not allowed:
        raise Refusal(code)

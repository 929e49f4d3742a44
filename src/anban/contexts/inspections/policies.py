"""Who came decides what a visit is (检查、执法辅助、巡查、访企、发现报告、督查) and what may follow from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from anban.base.people.actor import Actor, Grant
from anban.contexts.establishments.models import Place
from anban.contexts.inspections.models import Visit
from anban.rules.errors import Refusal, register

register(
    "visit.not_allowed",
    zh="您的岗位不能在这里记录检查。",
    en="Your post may not record a visit here.",
)
register(
    "visit.committee_never_inspects",
    zh="安委办、专班、督导组是议事协调机构，只督导政府和部门，不得对企业实施行政检查。",
    en="A committee's office supervises governments and departments; it may not inspect a firm.",
)
register(
    "visit.kind_not_allowed",
    zh="这次到场的人员不能作“{kind_zh}”：{why_zh}。",
    en="This party may not make it “{kind_en}”: {why_en}.",
)

OFFICERS = frozenset({"certified_officer", "district_regulator", "district_regulator_head"})
"""Roles whose holders carry the certificate of enforcement (行政执法证)."""
STREET = frozenset({"safety_inspector", "street_safety_office", "street_deputy", "street_director"})
COMMUNITY = frozenset({"community_contact", "grid_worker"})
COMMITTEE = frozenset({"district_committee_officer", "city_committee_officer", "leader_viewer"})
TWO = 2
"""An administrative check takes two certified officers. Source: 行政处罚法 第42条, 第55条."""

Kind = Visit.Kind
WORDS: dict[str, tuple[str, str]] = {
    Kind.ENFORCEMENT: ("行政检查", "administrative check"), Kind.ASSISTED: ("执法辅助", "assistance to officers"),
    Kind.PATROL: ("巡查", "patrol"), Kind.GUIDANCE: ("访企", "guidance visit"), Kind.REPORT: ("发现报告", "report"),
    Kind.REVIEW: ("复查", "re-inspection"), Kind.OVERSIGHT: ("督查", "supervision"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Party:
    """What a visiting party amounts to: how many persons came, and how many of them may enforce here."""

    persons: int
    certified: int


def grants_here(actor: Actor, place: Place) -> list[Grant]:
    """Return the actor's grants that reach a place by its area and its kind."""
    return [
        grant
        for grant in actor.grants
        if grant.root == place.root
        and not grant.place_id
        and not grant.matter_id
        and (not grant.paths or any(place.area_path.startswith(path) for path in grant.paths))
    ]


def kinds_allowed(actor: Actor, place: Place, party: Party) -> tuple[str, ...]:
    """Return what the actor's visit to a place may be, the likeliest first; empty when it may be nothing.

    Source: field practice 1.1; 行政执法证 and two officers for a check, 议事协调机构 never inspects.
    """
    roles = {grant.role for grant in grants_here(actor, place)}
    kinds: list[str] = []
    if roles & OFFICERS and party.certified >= TWO:
        kinds += [Kind.ENFORCEMENT, Kind.REVIEW, Kind.GUIDANCE]
    if roles & STREET:
        kinds += [Kind.ASSISTED] if party.certified >= TWO else []
        kinds += [Kind.PATROL, Kind.GUIDANCE, Kind.REVIEW]
    elif roles & OFFICERS:
        kinds += [Kind.GUIDANCE, Kind.PATROL]
    if roles & COMMUNITY:
        kinds.append(Kind.REPORT)
    if roles & COMMITTEE and place.form == Place.Form.COMPOUND:
        # 暗访 of open areas is the one thing an office may do on the ground.
        kinds.append(Kind.OVERSIGHT)
    return tuple(dict.fromkeys(str(kind) for kind in kinds))


def require_kind(actor: Actor, place: Place, party: Party, wanted: str) -> str:
    """Return the kind that a visit is: the one wanted when it is allowed, else the likeliest.

    Raises: visit.committee_never_inspects, visit.not_allowed, visit.kind_not_allowed.
    """
    kinds = kinds_allowed(actor, place, party)
    if not kinds:
        roles = {grant.role for grant in grants_here(actor, place)}
        raise Refusal("visit.committee_never_inspects" if roles & COMMITTEE else "visit.not_allowed", field="kind")
    if not wanted:
        return kinds[0]
    if wanted in kinds:
        return wanted
    zh, en = WORDS.get(wanted, (wanted, wanted))
    if wanted in (Kind.ENFORCEMENT, Kind.ASSISTED) and party.certified < TWO:
        why_zh, why_en = "行政检查须两名以上持证执法人员", "a check takes two officers with a certificate"
    else:
        why_zh, why_en = "不在您的岗位职责内", "it is not within your post"
    raise Refusal("visit.kind_not_allowed", field="kind", kind_zh=zh, kind_en=en, why_zh=why_zh, why_en=why_en)


def has_power(actor: Actor, place: Place, kind: str, class_code: str, may_order: Iterable[str]) -> bool:
    """Tell whether this visit's party may order in a hazard class: without the power it records, advises and hands over."""
    bodies = frozenset(may_order)
    return kind in (Kind.ENFORCEMENT, Kind.REVIEW) and any(
        grant.role in OFFICERS and grant.body_kind in bodies and (not grant.sector or class_code in grant.classes)
        for grant in grants_here(actor, place)
    )

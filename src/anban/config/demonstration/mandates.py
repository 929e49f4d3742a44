"""The demonstration's table of mandates, with gaps and overlaps planted in it, and the truth about them in a file beside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from anban.config.demonstration.bodies import DEVELOPMENT, ROOT, City
from anban.contexts.catalog.data.tables import hazard_classes, place_kinds
from anban.contexts.establishments.queries import visible_to
from anban.contexts.responsibility.models import Mandate
from anban.contexts.responsibility.operations import Asked, Plan, add_mandates, add_mechanism, look_over
from anban.contexts.responsibility.queries import mandates
from anban.contexts.territory.models import Area
from anban.contexts.territory.queries import city_date

TRUTH: Final = "demo-net.json"
CHAOYANG: Final = "110105"

ENFORCERS = {
    "FIRE": "district_fire", "ELEC": "district_fire", "EBIK": "district_fire", "HOT": "district_fire",
    "LITH": "district_fire", "STRU": "district_housing_construction", "CHEM": "district_emergency",
    "DUST": "district_emergency", "MGMT": "district_emergency", "CONF": "district_emergency",
    "SPEC": "district_market", "PIPE": "district_urban_enforcement",
}  # fmt: skip
"""The body that orders, per hazard class; gas is the street's own by devolved items."""

LEAD_BASIS = "安全生产法 第三条、第十条；行业主管起始表（演示）"
SPECIAL_BASIS = "安全生产法 第十条；专业监管分工（演示）"
ENFORCE_BASIS = "执法主体名录（演示）"
STREET_BASIS = "街道综合行政执法下放事项（2020-07-01）；北京市燃气管理条例"
TERRITORY_BASIS = "安全生产法 第九条：乡镇、街道属地管理（演示）"
MECHANISM_BASIS = "区安委会联动机制（演示）"

ADOPTED: Final = {
    "other_hotel": "district_commerce", "postnatal_centre": "district_health", "warehouse_logistics": "district_commerce",
    "self_storage": "district_commerce", "confined_space_site": "district_emergency",
    "demolition_area": "district_housing_construction", "campsite": "district_culture_tourism",
    "live_stream_base": "district_commerce", "drone_base": "district_emergency", "small_place": "district_commerce",
    "office_building": "district_housing_construction",
}  # fmt: skip
"""Which bureau took the kinds that the starting table leaves without a lead; other kinds go to the street."""


@dataclass(frozen=True, slots=True)
class Planted:
    """One fault of the table: what it is about, where, and (an overlap) which kinds of bodies meet there."""

    fault: str
    role: str
    district: str
    kind: str = ""
    klass: str = ""
    bodies: tuple[str, ...] = ()


PLANTED: Final = (
    Planted("gap", "sector_lead", CHAOYANG, kind="postnatal_centre"),
    Planted("gap", "sector_lead", CHAOYANG, kind="warehouse_logistics"),
    Planted("gap", "sector_lead", CHAOYANG, kind="battery_swap"),
    Planted("gap", "sector_lead", "110108", kind="esports_hotel"),
    Planted("gap", "sector_lead", "110112", kind="other_hotel"),
    Planted("gap", "special", "110114", klass="LITH"),
    Planted("gap", "enforcer", "110111", klass="PIPE"),
    Planted("gap", "territory", "110109"),
    Planted("overlap", "sector_lead", CHAOYANG, "scripted_entertainment", "", ("district_culture_tourism", "district_police", "district_commerce")),
    Planted("overlap", "sector_lead", CHAOYANG, "delivery_station", "", ("district_commerce", "district_market")),
    Planted("overlap", "sector_lead", "110108", "group_let", "", ("district_housing_construction", "district_police")),
    Planted("overlap", "sector_lead", "110108", "tutoring", "", ("district_education", "district_sports")),
    Planted("overlap", "sector_lead", "110112", "industrial", "", ("district_emergency", "district_industry_it")),
    Planted("overlap", "special", "110106", "", "EBIK", ("district_fire", "district_market")),
    Planted("overlap", "enforcer", "110102", "", "ELEC", ("district_fire", "district_emergency")),
)  # fmt: skip
"""The planted faults. In a gap of the territory the first street of the district is left out."""


def enter_mandates(city: City) -> None:
    """Enter who leads, supervises, orders and holds the ground, with the planted faults; a table that is there stays."""
    if mandates(ROOT).exists():
        return
    since = city_date(city.began, ROOT)
    add_mandates(actor=city.job, at=city.began, rows=_table(city, since))
    _mechanisms(city, since)


def _table(city: City, since: date) -> list[Mandate]:
    made: list[Mandate] = []
    gaps = {(one.role, one.district, one.kind, one.klass) for one in PLANTED if one.fault == "gap"}
    overlaps = {(one.role, one.district, one.kind, one.klass): one.bodies for one in PLANTED if one.fault == "overlap"}

    def enter(
        role: str, seat: Area, over: Area, usual: tuple[str, ...], basis: str, kind: str = "", klass: str = ""
    ) -> None:
        """Enter the first body of the usual ones that exists, none where a gap, or all where an overlap is planted."""
        key = (role, seat.code, kind, klass)
        there = [name for name in overlaps.get(key, usual) if city.body(name, seat.code)]
        for name in there if key in overlaps else there[:1]:
            if key not in gaps:
                made.append(
                    Mandate(
                        root=ROOT, body=city.bodies[f"{name}:{seat.code}"], role=role, area=over, place_kind=kind,
                        hazard_class=klass, from_on=since, basis=basis,
                    )
                )  # fmt: skip

    root_area = city.bodies["city_postal:110000"].area
    enter("sector_lead", root_area, root_area, ("city_postal",), LEAD_BASIS, kind="parcel_station")
    for district in sorted(city.districts, key=lambda row: row.code != DEVELOPMENT):
        over = city.streets[DEVELOPMENT][0] if district.code == DEVELOPMENT else district
        for row in place_kinds():
            leads = tuple(one for one in (*row.lead, ADOPTED.get(row.code, "")) if one)
            enter("sector_lead", district, over, leads, LEAD_BASIS, kind=row.code)
        for one in hazard_classes():
            enter("special", district, over, one.special_regulator, SPECIAL_BASIS, klass=one.code)
            if one.code in ENFORCERS:
                enter("enforcer", district, over, (ENFORCERS[one.code],), ENFORCE_BASIS, klass=one.code)
        for number, street in enumerate(city.streets.get(district.code, ())):
            own = ("street_safety_office",)
            enter("enforcer", street, street, ("street_enforcement",), STREET_BASIS, klass="GAS")
            # What no bureau leads, or the street coordinates by law, is the street's.
            for row in place_kinds():
                usual = [one for one in (*row.lead, ADOPTED.get(row.code, "")) if city.body(one, district.code)]
                if not usual and row.code != "parcel_station":
                    enter("sector_lead", street, street, own, LEAD_BASIS, kind=row.code)
            if number or ("territory", district.code, "", "") not in gaps:
                enter("territory", street, street, own, TERRITORY_BASIS)
    return made


def _mechanisms(city: City, since: date) -> None:
    """Set up two joint mechanisms of the district of the logins."""
    district = next(row for row in city.districts if row.code == CHAOYANG)

    def asked(kind: str, part: str, days: int) -> Asked:
        return Asked(city.bodies[f"{kind}:{CHAOYANG}"], part, days)

    add_mechanism(
        actor=city.job, at=city.began, plan=Plan(name="地下管线第三方破坏联动", lead=city.bodies[f"district_urban_management:{CHAOYANG}"],
        area=district, hazard_class="PIPE", from_on=since, basis=MECHANISM_BASIS,
        members=[
            asked("district_urban_management", "通知权属单位到场止损、交底", 1),
            asked("district_urban_enforcement", "查处施工单位", 3), asked("district_fire", "现场警戒、疏散", 1),
        ]),
    )  # fmt: skip
    add_mechanism(
        actor=city.job, at=city.began, plan=Plan(name="锂电池储能场所联动", lead=city.bodies[f"district_fire:{CHAOYANG}"],
        area=district, hazard_class="LITH", from_on=since, basis=MECHANISM_BASIS,
        members=[
            asked("district_fire", "现场核查、临时处置", 1), asked("district_urban_management", "停运、检修监督", 3),
            asked("district_emergency", "综合协调、督促整改", 5),
        ]),
    )  # fmt: skip


def look_and_tell(city: City, path: Path) -> list[dict[str, Any]]:
    """Write the truth about the planted faults that places stand in, then let the net be looked over as every night.

    The truth is told from what was planted and from the register alone: the finder has no part in it.
    """
    rows = []
    for one in PLANTED:
        area = next(row for row in city.districts if row.code == one.district)
        if one.role == "territory":
            area = city.streets[one.district][0]
        found = (
            visible_to(city.job).filter(survivor__isnull=True, area_path__startswith=area.path).exclude(status="closed")
        )
        places = (found.filter(kind=one.kind) if one.kind else found).count()
        if places:
            rows.append(
                {
                    "fault": one.fault, "role": one.role, "place_kind": one.kind, "hazard_class": one.klass, "area": area.code,
                    "places": places, "bodies": sorted(f"{kind}-{one.district}" for kind in one.bodies),
                }
            )  # fmt: skip
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
    look_over(actor=city.job, at=city.at)
    return rows

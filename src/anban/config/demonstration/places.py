"""The register of the demonstration city: rows by kind and street for the importer of places, several lists, blind spots."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from uuid import UUID

from django.db.models import QuerySet

from anban.config.demonstration.bodies import DEVELOPMENT, ROOT, SEED, City
from anban.config.demonstration.names import credit_code, firm_name, person_name, street_address
from anban.contexts.establishments.importers import Mapping, SourceFile, apply
from anban.contexts.establishments.models import PersonInCharge, Place
from anban.contexts.establishments.queries import persons_in_charge, standing_in_charge, visible_to
from anban.contexts.territory.models import Area, Body, Holding, Post
from anban.contexts.territory.operations import add_posts, appoint_many
from anban.contexts.territory.queries import city_date, posts
from anban.kit.remember import remembering

MIX: dict[str, int] = {
    "catering": 300, "small_place": 330, "personal_services": 60, "office_building": 30, "shopping_complex": 3,
    "market": 6, "hospital": 6, "clinic": 20, "elderly_care": 6, "school": 14, "tutoring": 14, "star_hotel": 4,
    "other_hotel": 12, "esports_hotel": 3, "entertainment": 8, "scripted_entertainment": 5, "residential_estate": 45,
    "ebike_parking": 80, "underground_space": 55, "warehouse_logistics": 9, "parcel_station": 14, "delivery_station": 6,
    "building_site": 6, "small_works": 40, "heritage": 3, "energy_storage": 2, "battery_swap": 6, "industrial": 8,
    "group_let": 14, "lpg_station": 1, "hazchem_user": 4, "sports_venue": 5,
}  # fmt: skip
"""Places of a street of 100,000 people by kind, an estimate; small shops are thinned out."""

RURAL = {"self_built_house": 60, "warehouse_logistics": 30, "industrial": 30, "demolition_area": 4}

FOCUS = (
    "110105026", "110105004", "110105021", "110105042", "110108010", "110108011", "110108020", "110112001",
    "110112004", "110112104",
)  # fmt: skip
"""Streets that are filled in depth from the first day; the others begin with a handful of places."""

CENTRES: dict[str, tuple[float, float]] = {
    "110101": (116.416, 39.928), "110102": (116.366, 39.912), "110105": (116.486, 39.949), "110106": (116.287, 39.858),
    "110107": (116.195, 39.914), "110108": (116.285, 39.988), "110109": (115.95, 39.98), "110111": (115.99, 39.72),
    "110112": (116.71, 39.83), "110113": (116.70, 40.13), "110114": (116.23, 40.18), "110115": (116.39, 39.68),
    "110116": (116.63, 40.33), "110117": (117.12, 40.15), "110118": (116.85, 40.40), "110119": (115.98, 40.46),
    DEVELOPMENT: (116.51, 39.79),
}  # fmt: skip
"""Roughly the middle of each area's built-up part, WGS-84."""

COLUMNS = (
    "名称", "地址", "统一社会信用代码", "场所类型", "地区代码", "经度", "纬度", "状态", "隶属关系", "产权单位", "管理使用单位",
    "承租单位", "主要负责人", "安全管理人",
)  # fmt: skip

REGISTER = Mapping(
    name="demonstration", target="places", source="licences", datum="wgs84",
    source_name="市场主体登记（演示）", source_name_en="Business licences (demonstration)",
)  # fmt: skip
LISTS = (
    Mapping(
        name="demonstration_gas", target="places", source="gas_users", register=False, datum="wgs84",
        source_name="燃气用户名册（演示）", source_name_en="Gas users (demonstration)",
    ),
    Mapping(
        name="demonstration_delivery", target="places", source="delivery_platform", register=False, datum="wgs84",
        source_name="外卖平台商户（演示）", source_name_en="Delivery platform merchants (demonstration)",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spot:
    """A place as the history needs it: where it is, what it is, and its two persons in charge."""

    place_id: UUID
    name: str
    kind: str
    district: str
    street: str
    manager: UUID | None
    principal: UUID | None
    accountable: bool
    """Whether its persons hold posts, so that the firm checks itself and accepts its own small hazards."""


CHUNK = 500
SOME = 3
RESERVED = "演示故事"
"""Marks the places of the planted stories, at which the ordinary history keeps away."""

SELF_CHECKERS = frozenset(
    {"shopping_complex", "hospital", "star_hotel", "office_building", "school", "market", "elderly_care"}
)


def register_places(city: City, *, deep: int = 85, shallow: int = 16) -> None:
    """Take generated rows into the register: ``deep`` places in each focus street, ``shallow`` in some of every district."""
    _take_in(city, SEED, deep, shallow, some=True, lists=True)


def register_more(city: City, *, deep: int, shallow: int) -> None:
    """Take in more of the register, in every street, once; a second time the rows are known."""
    _take_in(city, SEED + 1, deep, shallow, some=False, lists=False)


def _take_in(city: City, seed: int, deep: int, shallow: int, *, some: bool, lists: bool) -> None:
    rng = Random(seed)  # noqa: S311 - invented firms
    rows = list(_rows(city, rng, deep, shallow, SOME if some else None))
    if not rows:
        return
    with TemporaryDirectory() as folder, remembering():
        path = _write(Path(folder) / "register.csv", rows)
        apply([SourceFile(path)], REGISTER, actor=city.job, at=city.began)
        if lists:
            for mapping, kinds in zip(LISTS, (("catering",), ("catering", "small_place")), strict=True):
                path = _write(Path(folder) / f"{mapping.source}.csv", _other_list(rng, rows, kinds))
                apply([SourceFile(path)], mapping, actor=city.job, at=city.began)


def _rows(city: City, rng: Random, deep: int, shallow: int, some: int | None) -> Iterator[dict[str, str]]:
    for district in city.districts:
        for street in [
            row
            for n, row in enumerate(city.streets.get(district.code, ()))
            if row.code in FOCUS or some is None or n < some
        ]:
            rural = street.name.endswith(("镇", "乡", "地区"))
            mix = MIX | ({key: MIX.get(key, 0) + more for key, more in RURAL.items()} if rural else {})
            count = deep if street.code in FOCUS else shallow
            for kind in rng.choices(list(mix), weights=list(mix.values()), k=count):
                yield invented(rng, district, street, kind)


def invented(rng: Random, district: Area, street: Area, kind: str) -> dict[str, str]:
    """Return an invented place of a kind as a row of the register."""
    short = street.name.removesuffix("街道").removesuffix("地区").removesuffix("镇").removesuffix("乡")
    code = street.code[:6]
    lng, lat = CENTRES[district.code]
    owner = f"{rng.choice(('北辰', '京郊', '城南', '永定', '通惠', '西山'))}{short}资产管理中心"
    manager = f"{short}{rng.choice(('宜居', '安和', '启园', '嘉景'))}物业管理有限公司"
    status = "待拆迁" if kind == "demolition_area" or (kind == "self_built_house" and rng.random() < 0.2) else ""
    name = firm_name(rng, kind, short)
    person = person_name(rng)
    return {
        "名称": name,
        "地址": street_address(rng, district.name if district.level == "district" else "大兴区", street.name),
        "统一社会信用代码": credit_code(rng, code)
        if kind not in {"ebike_parking", "residential_estate", "group_let"}
        else "",
        "场所类型": kind,
        "地区代码": street.code,
        "经度": f"{lng + rng.gauss(0, 0.028):.6f}",
        "纬度": f"{lat + rng.gauss(0, 0.022):.6f}",
        "状态": status or rng.choices(("在营", "停业", "已关闭"), weights=(93, 4, 3))[0],
        "隶属关系": rng.choices(
            ("区属及社会单位", "市属", "央企、中央单位", "部属（医院、高校）", "村集体"), weights=(88, 4, 3, 1, 4)
        )[0],
        "产权单位": owner if rng.random() < 0.5 else "",
        "管理使用单位": manager if rng.random() < 0.4 else "",
        "承租单位": name if rng.random() < 0.3 else "",
        "主要负责人": person,
        "安全管理人": person_name(rng) if rng.random() < 0.7 or kind in SELF_CHECKERS else person,
    }


def _other_list(rng: Random, rows: Sequence[dict[str, str]], kinds: Iterable[str]) -> list[dict[str, str]]:
    """Return what another list says of the same trade: most of the places, and 5 to 12 in a hundred nobody registered."""
    wanted = set(kinds)
    known = [row for row in rows if row["场所类型"] in wanted and rng.random() < 0.6]
    made = []
    for row in known:
        if rng.random() < 0.085:
            short = row["名称"][:2]
            made.append(
                {
                    **row,
                    "名称": firm_name(rng, row["场所类型"], short),
                    "统一社会信用代码": "",
                    "地址": f"{row['地址']}旁",
                }
            )
        else:
            made.append(row)
    kept = ("名称", "地址", "统一社会信用代码", "场所类型", "地区代码")
    return [{key: row[key] for key in kept} for row in made]


def _write(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, fieldnames=[c for c in COLUMNS if rows and c in rows[0]])
        writer.writeheader()
        writer.writerows(rows)
    return path


def give_posts(city: City) -> None:
    """Give the persons in charge of larger firms their posts, so that they check and accept what is theirs."""
    known = set(posts(city.job).filter(place_id__isnull=False).values_list("place_id", flat=True))
    own = visible_to(city.job).filter(kind__in=SELF_CHECKERS, status="operating").order_by("number")
    rows = [row for row in own if row.pk not in known]
    charge = _in_charge([row.pk for row in rows])
    made: list[Post] = []
    seats: list[Holding] = []
    since = city_date(city.began, ROOT)
    areas = {street.pk: street for streets in city.streets.values() for street in streets}
    for row in rows:
        persons = charge.get(row.pk, {})
        street = areas.get(row.area_id)
        office = _office(city, street) if street is not None else None
        if office is None or len({p.person_id for p in persons.values()}) < len(PersonInCharge.Role):
            continue
        post = Post(
            root_id=ROOT,
            body=office,
            role="enterprise_manager",
            area=office.area,
            place_id=row.pk,
            title="单位安全负责人",
        )
        made.append(post)
        seats += [Holding(post=post, person=one.person, from_on=since) for one in persons.values()]
    add_posts(actor=city.job, at=city.began, rows=made)
    appoint_many(actor=city.job, at=city.began, rows=seats)


def _office(city: City, street: Area) -> Body | None:
    return city.body("street_office", street.code) or city.body("town_government", street.code)


def _in_charge(ids: Sequence[UUID]) -> dict[UUID, dict[str, PersonInCharge]]:
    found: dict[UUID, dict[str, PersonInCharge]] = {}
    for start in range(0, len(ids), CHUNK):
        found.update(standing_in_charge(ids[start : start + CHUNK]))
    return found


def spots(city: City) -> list[Spot]:
    """Return the places at which the ordinary history happens, in the order of their numbers."""
    rows = visible_to(city.job).filter(status__in=("operating", "awaiting_demolition"), form="unit")
    return spots_of(city, rows.exclude(attributes__contains=RESERVED))


def spots_of(city: City, found: QuerySet[Place]) -> list[Spot]:
    """Return places as the history needs them, in the order of their numbers."""
    rows = list(found.order_by("number").values_list("pk", "name", "kind", "area_id"))
    charge = persons_in_charge([row[0] for row in rows])
    streets = {street.pk: (code, street.code) for code, held in city.streets.items() for street in held}
    made = []
    for place_id, name, kind, area_id in rows:
        if area_id not in streets:
            continue
        persons = charge.get(place_id, {})
        manager, principal = persons.get("safety_manager"), persons.get("principal")
        own = kind in SELF_CHECKERS and manager is not None and principal not in (None, manager)
        made.append(Spot(place_id, name, kind, *streets[area_id], manager, principal, own))
    return made

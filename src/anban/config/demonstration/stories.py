"""The planted stories, so that every page has something true to show: each at a place of its own, told through operations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from anban.base.journal.operations import unit
from anban.base.people.models import Person
from anban.base.people.operations import add_people
from anban.config.demonstration.accounts import write_whole
from anban.config.demonstration.bodies import ROOT, SEED, City
from anban.config.demonstration.lives import ZONE, Day, Found, Player, Step, major_steps
from anban.config.demonstration.names import credit_code, person_name
from anban.config.demonstration.places import CENTRES, RESERVED, Spot
from anban.contexts.catalog.data.tables import check_items
from anban.contexts.establishments.models import Place
from anban.contexts.establishments.operations import register_place, set_in_charge, set_party
from anban.contexts.establishments.queries import standing_in_charge, visible_to
from anban.contexts.hazards.models import Hazard
from anban.contexts.territory.models import Holding, Post
from anban.contexts.territory.operations import add_posts, appoint_many
from anban.contexts.territory.queries import city_date
from anban.rules.hazard_lifecycle import Action

FIRMS = {"noodles": "望京知味面馆", "hotel": "望岳大酒店"}
"""Logins of two firms' managers and their places."""

WANGJING, CHAOYANG = "110105026", "110105"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PHOTO = {"photo_after": True}


@dataclass
class Told:
    """What the stories left behind: their rows for the pages, how many hazards, and the firms whose managers sign in."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    hazards: int = 0
    pictured: list[Hazard] = field(default_factory=list)
    firms: dict[str, tuple[UUID, str, Person]] = field(default_factory=dict)


class Teller:
    """Sets up the places of the stories and plays what happened there."""

    def __init__(self, city: City, photos: Mapping[str, Sequence[UUID]]) -> None:
        self.city = city
        self.player = Player(city, photos)
        self.told = Told()
        self.items = {item.code: item for item in check_items()}
        self.rng = Random(SEED + 7)  # noqa: S311 - invented names
        self.streets = {street.code: street for held in city.streets.values() for street in held}
        self.persons: dict[UUID, Person] = {}

    def place(
        self,
        name: str,
        kind: str,
        street: str = WANGJING,
        *,
        posts: bool = False,
        parties: dict[str, str] | None = None,
        **facts: Any,
    ) -> Spot:
        """Put a story's place on the register, with its parties and two persons in charge."""
        city, area = self.city, self.streets[street]
        lng, lat = CENTRES[area.code[:6]]
        row = register_place(
            actor=city.job, at=city.began, name=name, area_id=area.pk, kind=kind, attributes={RESERVED: "是"},
            address=f"演示市{area.name}槐柏路{self.rng.randint(1, 180)}号", credit_code=credit_code(self.rng, area.code[:6]),
            lng=lng + self.rng.gauss(0, 0.008), lat=lat + self.rng.gauss(0, 0.008), **facts,
        )  # fmt: skip
        for role, party in (parties or {}).items():
            set_party(actor=city.job, at=city.began, place_id=row.pk, role=role, name=party)
        principal, manager = add_people(
            actor=city.job, at=city.began, root=ROOT, names=[person_name(self.rng), person_name(self.rng)]
        )
        for role, person in (("principal", principal), ("safety_manager", manager)):
            set_in_charge(actor=city.job, at=city.began, place_id=row.pk, role=role, person_id=person.pk)
            self.persons[person.pk] = person
        if posts:
            office = city.body("street_office", street) or city.body("town_government", street)
            post = Post(root_id=ROOT, body=office, role="enterprise_manager", area=area, place_id=row.pk)
            since = city_date(city.began, ROOT)
            add_posts(actor=city.job, at=city.began, rows=[post])
            holdings = [Holding(post=post, person=one, from_on=since) for one in (principal, manager)]
            appoint_many(actor=city.job, at=city.began, rows=holdings)
        return Spot(row.pk, name, kind, area.code[:6], area.code, manager.pk, principal.pk, posts)

    def when(self, days_ago: float, hour: int = 10) -> datetime:
        """Return a working hour so many days before the present."""
        local = (self.city.at - timedelta(days=days_ago)).astimezone(ZONE).date()
        return datetime.combine(local, time(hour, 20), ZONE)

    def see(
        self,
        spot: Spot,
        code: str,
        days_ago: float,
        door: str,
        fact: str,
        steps: Sequence[Step] = (),
        *,
        part: str = "",
        which: int = 0,
        **more: Any,
    ) -> Hazard | None:
        """Let something be seen at a story's place, with what followed."""
        found = Found(self.items[code], part, fact, tuple(steps), **more)
        rows = self.player.play(Day(self.when(days_ago), door, spot, which, (found,)))
        return rows[0] if rows else None

    def clean(self, spot: Spot, days_ago: float, which: int) -> None:
        """Let a visit find nothing."""
        self.player.play(Day(self.when(days_ago, 14), "visit", spot, which, ()))

    def tell(self, number: int, zh: str, en: str, spot: Spot, hazards: Sequence[Hazard | None]) -> None:
        """Note a story for the pages, with its hazards' numbers."""
        there = {row.pk: row for row in hazards if row is not None}
        self.told.hazards += len(there)
        self.told.pictured += there.values()
        self.told.rows.append(
            {
                "story": number, "zh": zh, "en": en, "place": spot.name, "place_id": str(spot.place_id),
                "hazards": [row.number for row in there.values()], "hazard_ids": [str(pk) for pk in there],
            }
        )  # fmt: skip


def _ordered(term: int = 7, *, done: float | None = None, fine: int = 0, on_site: bool = True) -> list[Step]:
    steps = [
        Step(HOUR, "order1", Action.ORDER, {"due_days": term, "basis": "item", "measures": "class", "lasting": True})
    ]
    if fine:
        given = {"basis": "依法处以罚款", "second_person": "order2", "yuan": fine}
        steps.append(Step(HOUR * 1.2, "order1", Action.SIMPLE_PENALTY, given))
    if done is not None:
        given = {"second_person": "order2", "opinion": "复查时已恢复正常"}
        steps += [
            Step(DAY * done, "liable", Action.APPLY_REVIEW, PHOTO),
            Step(DAY * (done + 1), "order1", Action.REVIEW, given, "passed", on_site=on_site),
        ]
    return steps


def _advised(done: float | None = None) -> list[Step]:
    steps = [Step(HOUR, "inspector", Action.ADVISE, {"measures": "class"})]
    if done is not None:
        steps += [
            Step(DAY * done, "liable", Action.APPLY_REVIEW, PHOTO),
            Step(
                DAY * (done + 1),
                "inspector",
                Action.REVIEW,
                {"second_person": "office", "opinion": "单位报来整改说明"},
                "passed",
            ),
        ]
    return steps


ON_SPOT = (Step(timedelta(minutes=20), "finder", Action.FIX_ON_SPOT, {"photo_before": True, "photo_after": True}),)


def plant(city: City, path: Path, photos: Mapping[str, Sequence[UUID]]) -> Told:
    """Tell all stories and write down where they are; returns their rows, hazards and firms. What was told is only read."""
    told = list(visible_to(city.job).filter(attributes__contains=RESERVED))
    if told:
        return _read(city, path, told)
    teller = Teller(city, photos)
    with unit(lives=True):
        for story in (_hospital, _noodles, _courtyard, _escape_room, _fire_lane, _hotel, _postnatal, _contractor,
                      _inspectors, _likes, _same_photo, _lpg_van, _vacancy, _battery_site):  # fmt: skip
            story(teller)
        write_whole(path, teller.told.rows)
    return teller.told


def _read(city: City, path: Path, places: Sequence[Place]) -> Told:
    """Return what an interrupted start had told already."""
    told = Told(rows=json.loads(path.read_text(encoding="utf-8")))
    told.hazards = sum(len(row["hazards"]) for row in told.rows)
    charge = standing_in_charge([row.pk for row in places])
    for login, name in FIRMS.items():
        row = next(one for one in places if one.name == name)
        told.firms[login] = (row.pk, row.name, charge[row.pk]["safety_manager"].person)
    return told


def _hospital(teller: Teller) -> None:
    spot = teller.place("清和佳悦康复医院", "hospital")
    for days in (250, 70):
        teller.clean(spot, days, 0)
    fact = "消防设施年度检测结论不合格：排烟风机、联动控制未修复"
    rows = [
        teller.see(spot, "HO05", 310, "third_party", fact, _advised(9), part="住院楼"),
        teller.see(spot, "HO05", 160, "third_party", fact, _advised(12), part="住院楼"),
        teller.see(
            spot, "HO05", 6, "third_party", "第三次检测不合格，夜间报警后主机无联动", [
                Step(HOUR, "inspector", Action.SUSPECT, {"body": "special", "interim_control": "病区双岗看护，停用五层"}),
                Step(HOUR * 3, "special", Action.SECURE, {"measure": "临时查封住院楼五层"}),
            ], part="住院楼",
        ),
        teller.see(spot, "HO12", 6, "visit", "实有床位86张，未申报消防安全重点单位", _advised()),
        teller.see(spot, "HO03", 6, "visit", "四层病区在用同时装修，无街道开工登记", _advised(), part="四层"),
    ]  # fmt: skip
    teller.tell(
        1, "民营医院：消防检测三次不合格，从未申报重点单位，装修无登记", "A private hospital: three failed system tests, never "
        "declared as a key unit, works without registration", spot, rows,
    )  # fmt: skip


def _noodles(teller: Teller) -> None:
    spot = teller.place(FIRMS["noodles"], "catering", posts=True)
    assert spot.manager is not None  # noqa: S101 - made above
    teller.told.firms["noodles"] = (spot.place_id, spot.name, teller.persons[spot.manager])
    fact = "可燃气体报警器电源被拔下，按自检无反应"
    rows = [
        teller.see(spot, "RG07", 230, "check", fact, _ordered(7, done=5, fine=1000), part="后厨"),
        teller.see(spot, "RG07", 130, "check", fact, _ordered(7, done=6, fine=3000), part="后厨"),
        teller.see(spot, "RG05", 60, "visit", "连接软管约2.6米，接三通", ON_SPOT, part="后厨"),
        teller.see(spot, "RG05", 20, "visit", "软管又接回三通，距上次销号四十天", _advised(), part="后厨"),
        teller.see(spot, "RG07", 4, "check", "报警器第三次断电", _ordered(7), part="后厨"),
    ]
    teller.tell(
        2, "面馆：报警器三次断电、两次罚款，软管四十天后复现", "A noodle shop: alarm dead three times, fined twice, hose back after "
        "40 days", spot, rows,
    )  # fmt: skip


def _courtyard(teller: Teller) -> None:
    spot = teller.place(
        "王四营松果仓储大院", "warehouse_logistics", "110105042", status="awaiting_demolition", affiliation="village"
    )
    refused = "该院已列入拆迁，不在本局监管名录"
    steps = [
        *_advised(),
        Step(HOUR * 3, "inspector", Action.TRANSFER, {"body": "district_commerce", "reason": "库内住人，街道无权责令"}),
        Step(DAY * 1.2, "at:district_commerce", Action.SEND_BACK, {"clause": "三定方案", "reason": refused}),
        Step(DAY * 2, "inspector", Action.TRANSFER, {"body": "district_transport", "reason": "货运中转，请予认领"}),
        Step(DAY * 3.1, "at:district_transport", Action.SEND_BACK, {"clause": "三定方案", "reason": "不属货运场站"}),
        Step(DAY * 5, "committee", Action.ASSIGN, {"body": "district_commerce", "reason": "二次退回，按业务相近指定"}),
        Step(DAY * 5.5, "at:district_commerce", Action.RECEIVE),
    ]
    rows = [teller.see(spot, "WL01", 40, "visit", "库内隔间住人三名，使用电磁炉", steps, part="二号库", which=0)]
    rows.append(teller.see(spot, "DA01", 38, "visit", "已列拆迁仍经营，承租人称“快拆了不用改”", _advised()))
    teller.tell(
        3, "待拆迁村的仓储大院：两次退单，安委办指定", "A courtyard store in a village awaiting demolition: returned twice, then "
        "designated", spot, rows,
    )  # fmt: skip


def _escape_room(teller: Teller) -> None:
    mall = teller.place("望京云帆生活广场", "shopping_complex", form="building")
    spot = teller.place("半夏密室剧场", "scripted_entertainment", building_id=mall.place_id)
    send = Step(HOUR * 2, "inspector", Action.SUSPECT, {"body": "special", "interim_control": "停止接待，断电封门"})
    open_question = {"clause": "三个部门名录分列三个主管", "reason": "场所性质未定，暂不能判定"}
    rows = [
        teller.see(
            spot,
            "PE02",
            12,
            "visit",
            "断电后三间主题房门锁不释放",
            [send, Step(DAY * 2, "special", Action.JUDGE, open_question, "undetermined")],
            part="三号房",
        ),
        teller.see(spot, "PE01", 12, "visit", "设在地下二层，三张名录写着三个主管部门", _advised(), part="地下二层"),
    ]
    teller.tell(
        4,
        "商场地下的密室：三张名录写着三个主管",
        "An escape room under a mall: three lists name three leads",
        spot,
        rows,
    )


def _fire_lane(teller: Teller) -> None:
    spot = teller.place("南磨谷雨家园", "residential_estate", "110105021")
    first: Hazard | None = None
    for number in range(40):
        words = f"消防车道被占，第{number + 1}次来电反映" if number else "消防车道停放机动车六辆，无物业管理"
        steps = [
            Step(DAY, "inspector", Action.VERIFY, {"reason": "现场查看，情况属实"}, "founded"),
            Step(DAY + HOUR, "inspector", Action.ADVISE, {"measures": "class"}),
        ]
        row = teller.see(
            spot, "RC01", 55 - number * 1.3, "hotline", words, steps if not number else (), part="北门消防车道"
        )
        first = first or row
    teller.tell(
        5,
        "一条消防车道、四十个12345来电：一条隐患四十个声音",
        "Forty calls on one fire lane: one hazard with forty voices",
        spot,
        [first],
    )


def _hotel(teller: Teller) -> None:
    spot = teller.place(
        FIRMS["hotel"],
        "star_hotel",
        "110105004",
        posts=True,
        affiliation="city",
        parties={"owner_unit": "中天启明置业有限公司（央企，演示）"},
    )
    assert spot.manager is not None  # noqa: S101 - made above
    teller.told.firms["hotel"] = (spot.place_id, spot.name, teller.persons[spot.manager])
    send = Step(HOUR * 2, "inspector", Action.SUSPECT, {"body": "special", "interim_control": "停用十二层，双岗巡查"})
    rows = [
        teller.see(
            spot,
            "HT04",
            320,
            "visit",
            "自动喷水系统末端无压力，报警主机屏蔽三十二点",
            [send, *major_steps(DAY * 3, listed=True, months=4)],
            part="主楼",
        )
    ]
    teller.tell(
        6, "市属酒店（产权属央企）的重大火灾隐患：区级挂牌、延期一次、摘牌", "A listed major fire hazard in a hotel: extended once, "
        "then delisted", spot, rows,
    )  # fmt: skip


def _postnatal(teller: Teller) -> None:
    spot = teller.place("月季月子中心", "postnatal_centre", "110105004")
    rows = [
        teller.see(spot, "HT01", 15, "visit", "租用酒店六、七层，七层走到头无第二出口", [
            *_advised(), Step(HOUR * 4, "inspector", Action.TRANSFER, {"body": "special", "reason": "无行业主管，移交消防"}),
        ], part="七层"),
        teller.see(spot, "HT08", 15, "visit", "夜班护理员不会带产妇疏散", _advised()),
    ]  # fmt: skip
    teller.tell(
        7, "月子中心：没有行业主管部门", "A postnatal centre on two hotel floors: no lead department", spot, rows
    )


def _contractor(teller: Teller) -> None:
    contractor = {"tenant": "青柏园林工程有限公司（演示）"}
    first = teller.place("阜安路绿化补植工程", "small_works", parties=contractor)
    spot = teller.place("广顺街绿化提升工程", "small_works", "110105004", parties=contractor)
    rows = [
        teller.see(first, "UP08", 200, "visit", "未探坑机械开挖，碰断燃气支管", _advised(6), part="北侧绿化带"),
        teller.see(spot, "UP08", 9, "visit", "同一施工单位再次未探坑开挖，碰伤燃气管", _advised(), part="便道开挖处"),
        teller.see(spot, "UP04", 9, "visit", "街道发包的小工程，未在管线防护系统发布", _advised(), part="便道开挖处"),
    ]
    teller.tell(
        8,
        "街道绿化施工碰断燃气管：又是同一施工单位",
        "Green-belt works cut a gas pipe: the same contractor again",
        spot,
        rows,
    )


def _inspectors(teller: Teller) -> None:
    spot = teller.place("望京春晖便民菜市场", "market")
    for number in range(10):
        teller.clean(spot, 12 + number * 11, 0)
    found = (("MA01", "北侧疏散楼梯被商户库房占用"), ("MA02", "防火卷帘下摆放货架"), ("MA08", "电缆井内堆放清洁用品"))
    rows = [
        teller.see(spot, code, 10, "visit", fact, _advised(), part=f"{n + 1}区", which=1)
        for n, (code, fact) in enumerate(found)
    ]
    teller.tell(
        9, "两名检查员：同一市场，一人十次“无问题”，一人当天列出三条", "Two inspectors at one market: ten clean visits, then three "
        "findings in a day", spot, rows,
    )  # fmt: skip


def _likes(teller: Teller) -> None:
    rows = []
    spot = None
    streets = [street.code for street in teller.city.streets[CHAOYANG]][:12]
    for number, street in enumerate(streets):
        spot = teller.place(f"晨曦{number + 1}号光储充电站", "energy_storage", street)
        done = _advised(3) if number == 0 else _advised()
        rows.append(teller.see(spot, "ES08", 30, "visit", "站门口未设告知牌和断电示意图", done, part="站门"))
    if spot is not None:
        teller.tell(
            10,
            "一个批示推动一座储能站，十一座同类仍在",
            "An instruction moved one storage station; its eleven likes stay",
            spot,
            rows,
        )


def _same_photo(teller: Teller) -> None:
    spot = teller.place("望京金禾生活超市", "shopping_complex", posts=True)
    steps = [
        Step(HOUR * 5, "liable", Action.APPLY, PHOTO),
        Step(HOUR * 30, "principal", Action.ACCEPT, {"opinion": "已整改", "photo_after": True}),
    ]
    rows = [
        teller.see(spot, "MA02", 190 - 30 * n, "self_check", "自查：防火卷帘下有少量货品", steps, part=f"{n + 1}号卷帘")
        for n in range(6)
    ]
    teller.tell(
        11,
        "每月自报一条、照片总是同一张的超市",
        "A supermarket that reports itself every month with the same photo",
        spot,
        rows,
    )


def _lpg_van(teller: Teller) -> None:
    spot = teller.place("通惠液化气供应站", "lpg_station", "110112001")
    rows = [
        teller.see(spot, "LP07", 8, "tip", "配送车夜停居民楼下，车内有实瓶", part="配送车"),
        teller.see(spot, "LP08", 8, "check", "当日三户回访，随瓶安检照片与现场不符", _ordered(15)),
    ]
    teller.tell(12, "液化气配送车夜停楼下", "An LPG van that sleeps under flats", spot, rows)


def _vacancy(teller: Teller) -> None:
    spot = teller.place("中仓丰年火锅店", "catering", "110112001")
    rows = [
        teller.see(spot, "RG11", 25, "visit", "油烟管道积油，无清洗记录", _advised(), part="后厨"),
        teller.see(spot, "RG12", 25, "visit", "当班厨师不知道总阀位置", _advised(), part="后厨"),
    ]
    teller.tell(
        13, "局长离任、无人代理：行业主管环节空缺，由安委办代管", "A bureau whose head left and nobody was named: the sector's link is "
        "vacant and the office stands in", spot, rows,
    )  # fmt: skip


def _battery_site(teller: Teller) -> None:
    spot = teller.place("启明储能电站", "energy_storage", "110105042")
    send = Step(HOUR * 2, "inspector", Action.SUSPECT, {"body": "special", "interim_control": "停运该电池舱，现场看守"})
    rows = [
        teller.see(
            spot,
            "ES03",
            3,
            "visit",
            "平台记录显示氢气、温度报警通道被屏蔽四十一天",
            [send, Step(HOUR * 5, "special", Action.SECURE, {"measure": "暂时停止使用二号电池舱"})],
            part="二号电池舱",
        )
    ]
    teller.tell(14, "储能电站：报警通道被屏蔽", "A storage battery site: alarm channels muted", spot, rows)

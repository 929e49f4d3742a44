"""What waits on the desks of those who sign in: a table of fresh matters with fixed ages, whatever the day, the hour or the season."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from anban.base.people.models import Person
from anban.config.demonstration.accounts import SEATS
from anban.config.demonstration.bodies import City
from anban.config.demonstration.lives import ZONE, Day, Found, Step, Who
from anban.config.demonstration.places import Spot, spots_of
from anban.contexts.catalog.data.tables import check_items
from anban.contexts.establishments.queries import places_by_id, visible_to
from anban.contexts.responsibility.queries import resolve
from anban.rules.hazard_lifecycle import Action

OPENS, SHUTS = time(8, 30), time(18, 0)
LAST = time(16, 40)
"""What fell into the hours in which nobody is about is told as the last thing of the day before."""

APART = timedelta(minutes=10)
"""How far two acts of one matter lie apart at least, so that their order is never in doubt."""


@dataclass(frozen=True, slots=True)
class Act:
    """One act of a matter: how many hours before the present, by whom, what."""

    hours: float
    who: Who
    action: Action
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Matter:
    """One fresh matter: on whose desk it is, as which duty, and how it came there.

    ``kind`` is the kind of the place (a firm's own login says which place); ``by`` is the answer of the net that has to name
    the person of that desk: which of several officers answers depends on the place.
    """

    login: str
    duty: str
    kind: str
    code: str
    part: str
    fact: str
    door: str
    hours: float
    acts: tuple[Act, ...] = ()
    by: str = ""


def _advised(hours: float) -> Act:
    return Act(hours, "inspector", Action.ADVISE, {"measures": "class"})


def _handed_over(hours: float, body: str = "ordering") -> Act:
    return Act(hours, "inspector", Action.TRANSFER, {"body": body, "reason": "本岗位无权责令，同日移交"})


def _sent_back(hours: float) -> Act:
    return Act(hours, "order1", Action.SEND_BACK, {"clause": "部门三定方案", "reason": "不属于本单位法定职责"})


def _received(hours: float) -> Act:
    return Act(hours, "order1", Action.RECEIVE)


def _ordered(hours: float, days: int) -> Act:
    return Act(hours, "order1", Action.ORDER, {"due_days": days, "basis": "item", "measures": "class"})


def _applied(hours: float) -> Act:
    return Act(hours, "liable", Action.APPLY_REVIEW, {"photo_after": True})


def _suspected(hours: float) -> Act:
    return Act(hours, "inspector", Action.SUSPECT, {"body": "special", "interim_control": "停止使用该部位，专人看守"})


MATTERS: Final = (
    Matter("inspector", "verify", "small_place", "NS04", "收银台北侧", "来电反映收银台旁停放电动自行车充电", "hotline", 4, by="territory"),
    Matter("inspector2", "verify", "small_place", "NS03", "二层临街", "来电反映二层外窗被广告牌封死", "hotline", 5, by="territory"),
    # Nobody is named for the supplier of the gas: whoever looked into it has to name one.
    Matter("inspector2", "name_supplier", "catering", "RG07", "南侧操作间", "来电反映报警器电源被拔下", "hotline", 6, by="territory"),
    Matter("inspector", "returned", "small_place", "NS06", "东侧配电箱", "配电箱无漏电保护，插线板串接三只", "visit", 26,
           (_advised(25.5), _handed_over(25), _sent_back(4)), by="territory"),
    Matter("officer", "receive", "catering", "RG05", "南侧灶台", "灶具连接软管约2.4米，穿墙进入备餐间", "visit", 3,
           (_advised(2.8), _handed_over(2.4))),
    Matter("officer", "order", "catering", "RG06", "西侧灶台", "双眼炒灶无熄火保护装置", "visit", 28,
           (_advised(27.8), _handed_over(27), _received(4)), by="enforcer"),
    Matter("officer2", "order", "catering", "RG08", "后院存瓶处", "一只气瓶无二维码，供气合同不是该供应站", "visit", 29,
           (_advised(28.8), _handed_over(28), _received(5)), by="enforcer"),
    Matter("officer", "review", "catering", "RG09", "东侧立管", "燃气立管被橱柜包封，无法检修", "check", 150,
           (_ordered(149, 15), _applied(20))),
    Matter("gas", "judge", "catering", "RG01", "半地下库房", "半地下库房存有两只15公斤液化气瓶", "visit", 8, (_suspected(7.5),)),
    Matter("fire", "receive", "catering", "RG10", "二层包间", "二层包间外窗装有固定铁栅栏，无逃生口", "visit", 3.5,
           (_advised(3.2), _handed_over(2.5))),
    Matter("fire", "order", "small_place", "NS09", "二层营业区", "二层营业区未装独立感烟报警器", "visit", 30,
           (_advised(29.5), _handed_over(29), _received(6)), by="enforcer"),
    Matter("fire2", "order", "small_place", "NS09", "阁楼", "阁楼未装独立感烟报警器，灭火器压力在红区", "visit", 31,
           (_advised(30.5), _handed_over(30), _received(6)), by="enforcer"),
    Matter("fire", "review", "small_place", "NS02", "卷帘门", "夜间卷帘门从外面上锁，值守人员无法自行打开", "check", 120,
           (_ordered(119, 15), _applied(24))),
    Matter("market", "receive", "small_place", "WL11", "备货升降机", "二层备货用的自制简易升降机载人", "visit", 4,
           (_advised(3.8), _handed_over(3))),
    Matter("housing", "receive", "small_place", "GR09", "三层加建", "三层加建后外墙出现贯通裂缝", "visit", 4.5,
           (_advised(4.2), _handed_over(3.2))),
    Matter("emergency", "receive", "catering", "RG12", "午班", "午班厨师不知道总阀位置", "visit", 5, (_advised(4.8), _handed_over(3.4))),
    Matter("committee", "designate", "small_place", "NS05", "后院棚", "后院泡沫夹芯板搭建库房约二十平方米", "visit", 52,
           (_advised(51.5), _handed_over(51), _sent_back(30), _handed_over(28), _sent_back(6))),
    Matter("hotel", "rectify", "", "HT06", "八层电竞房", "一间客房内同时开机八台，插排烫手", "check", 30, (_ordered(29, 15),)),
)  # fmt: skip
"""What each desk is for, at least once. None is older than some days, and no transfer here is returned before tomorrow."""


def moment(at: datetime, hours: float) -> datetime:
    """Return so many hours before the present, or the end of the last working day before that."""
    local = (at - timedelta(hours=hours)).astimezone(ZONE)
    if local.time() < OPENS:
        return datetime.combine(local.date() - timedelta(days=1), LAST, ZONE)
    return local if local.time() < SHUTS else datetime.combine(local.date(), LAST, ZONE)


def plan(at: datetime, spots: Sequence[Spot]) -> list[Day]:
    """Return the day of each matter at its place, as it lies before the present."""
    items = {item.code: item for item in check_items()}
    made = []
    for one, spot in zip(MATTERS, spots, strict=True):
        seen = last = moment(at, one.hours)
        steps = []
        for act in one.acts:
            last = max(moment(at, act.hours), last + APART)
            steps.append(Step(last - seen, act.who, act.action, act.given))
        made.append(Day(seen, one.door, spot, 0, (Found(items[one.code], one.part, one.fact, tuple(steps)),)))
    return made


def places_for(city: City, own: Sequence[Spot], firms: Mapping[str, UUID]) -> list[Spot]:
    """Return a place for each matter, no two at one: the first of its kind where the net names the person of the desk."""
    classes = {item.code: item.hazard_class for item in check_items()}
    rows = places_by_id([spot.place_id for spot in own])
    left, chosen = list(own), []
    for one in MATTERS:
        if one.login in firms:
            (spot,) = spots_of(city, visible_to(city.job).filter(pk=firms[one.login]))
        else:
            holder = _holder(city, one.login)
            spot = next(
                spot
                for spot in left
                if spot.kind == one.kind
                and (
                    not one.by
                    or getattr(resolve(rows[spot.place_id], classes[one.code], city.on), one.by).person == holder
                )
            )
            left.remove(spot)
        chosen.append(spot)
    return chosen


def _holder(city: City, login: str) -> Person:
    seat = next(one for one in SEATS if one.login == login)
    return city.people(seat.body, seat.area, seat.role)[seat.which]

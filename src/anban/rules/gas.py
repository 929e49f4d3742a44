"""City gas and bottled gas (燃气): where cylinders may stand, and the fine for a missing alarm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from anban.rules.decision import Reason, Ruling
from anban.rules.figures import plain
from anban.rules.hazard_terms import Term
from anban.rules.law import Book
from anban.rules.registry import asked, rule


class CylinderRoom(Term):
    """What a stock of cylinders requires (瓶组存放要求)."""

    NONE = "none", "不需专用瓶组间", "Nothing special"
    ROOM = "room", "专用瓶组间（可与建筑毗连）", "A cylinder room, which may adjoin the building"
    SEPARATE_BUILDING = "separate_building", "独立瓶组间", "A separate building"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cylinders:
    """Cylinders of one size."""

    kg: Decimal = asked("每瓶充装量", "filling of each", unit="kg")
    count: int = asked("瓶数", "number of cylinders")


@dataclass(frozen=True, slots=True, kw_only=True)
class CylinderFacts:
    """All cylinders kept at a place."""

    cylinders: tuple[Cylinders, ...] = asked("钢瓶", "cylinders")


@rule(
    "cylinder_store",
    number="R23",
    zh="液化石油气钢瓶存放",
    en="Where LPG cylinders may stand",
    rests_on=("gas.cylinder_room_kg", "gas.cylinder_building_kg"),
    gives={"total_kg": ("总量", "total"), "requires": ("存放要求", "required")},
)
def cylinder_store(facts: CylinderFacts, on: date) -> Ruling:
    """This function will add up the cylinders and say what their store requires.

    Source: GB/T 40248-2021; GB 51142; both limits inclusive, unconfirmed.
    """
    book = Book(on)
    room, building = book["gas.cylinder_room_kg"], book["gas.cylinder_building_kg"]
    total = sum((each.kg * each.count for each in facts.cylinders), Decimal(0))
    requires = (
        CylinderRoom.SEPARATE_BUILDING
        if total >= building
        else CylinderRoom.ROOM
        if total >= room
        else CylinderRoom.NONE
    )
    reason = Reason(
        f"cylinder_store.{requires}",
        f"总量 {plain(total)} 千克：{requires.zh}（{room} 千克起须瓶组间，{building} 千克起须独立）；不得存放在地下，须装报警器",
        f"{plain(total)} kg in all: {requires.en.lower()} (a room from {room} kg, a building from {building} kg); never below ground, with a detector",
    )
    return Ruling({"total_kg": total, "requires": requires}, (reason,), book.sources)


def cylinder_notice_window(due_on: date, *, on: date) -> tuple[date, date]:
    """This function will give the first and last day on which a supplier tells a user of a cylinder's test or scrap date.

    Source: 北京市燃气管理条例 第二十四条第二款. Raises: LawGap.
    """
    return due_on - timedelta(days=Book(on)["gas.cylinder_notice_days"]), due_on


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmFacts:
    """A restaurant without a working gas alarm."""

    overdue: bool = asked("是否逾期未改正", "whether the order to correct has run out")


@rule(
    "gas_alarm_penalty",
    number="R31",
    zh="餐饮未装燃气报警装置的处罚",
    en="Fine for a restaurant without a gas alarm",
    rests_on=(
        "gas.alarm_unit_max_yuan",
        "gas.alarm_overdue_unit_min_yuan",
        "gas.alarm_overdue_unit_max_yuan",
        "gas.alarm_overdue_person_min_yuan",
        "gas.alarm_overdue_person_max_yuan",
        "gas.alarm_city_overdue_min_yuan",
        "gas.alarm_city_overdue_max_yuan",
        "gas.one_act_one_fine_clause",
    ),
    gives={
        "law": ("适用法律", "law"),
        "unit_min_yuan": ("单位罚款下限", "unit, from"),
        "unit_max_yuan": ("单位罚款上限", "unit, to"),
        "person_min_yuan": ("责任人员罚款下限", "persons, from"),
        "person_max_yuan": ("责任人员罚款上限", "persons, to"),
        "also": ("同时触犯", "also broken"),
    },
)
def gas_alarm_penalty(facts: AlarmFacts, on: date) -> Ruling:
    """This function will give the fine under the heavier of the two laws that one missing alarm breaks, and show the other.

    Source: 安全生产法 第九十九条第八项; 北京市燃气管理条例 第五十九条; 行政处罚法 第二十九条.
    """
    book = Book(on)
    if facts.overdue:
        unit = book["gas.alarm_overdue_unit_min_yuan"], book["gas.alarm_overdue_unit_max_yuan"]
        person = book["gas.alarm_overdue_person_min_yuan"], book["gas.alarm_overdue_person_max_yuan"]
        city = book["gas.alarm_city_overdue_min_yuan"], book["gas.alarm_city_overdue_max_yuan"]
        zh = f"逾期未改正：单位 {unit[0]:,} 至 {unit[1]:,} 元，责任人员 {person[0]:,} 至 {person[1]:,} 元；情节严重的责令停产停业"
        en = f"Overdue: unit {unit[0]:,} to {unit[1]:,} yuan, persons {person[0]:,} to {person[1]:,}; if serious, closed for the time being"
    else:
        unit, person, city = (0, book["gas.alarm_unit_max_yuan"]), (0, 0), (0, 0)
        zh, en = (
            f"责令限期改正，可以处 {unit[1]:,} 元以下罚款",
            f"Order to correct; a fine of up to {unit[1]:,} yuan may go with it",
        )
        book.cite("gas.alarm_city_overdue_min_yuan")
    own, local = book.sources[0], book.sources[-1]
    book.cite("gas.one_act_one_fine_clause")
    also = {"law": local.law, "article": local.article, "unit_min_yuan": city[0], "unit_max_yuan": city[1]}
    reasons = (
        Reason("gas_alarm_penalty.proposed", zh, en),
        Reason(
            "gas_alarm_penalty.one_fine",
            f"同一行为同时触犯{local.citation}，只罚一次，按罚款数额高的{own.citation}",
            f"One act breaks {local.citation} as well: one fine, under the heavier {own.citation}",
        ),
    )
    outcome = {
        "law": own.law, "unit_min_yuan": unit[0], "unit_max_yuan": unit[1],
        "person_min_yuan": person[0], "person_max_yuan": person[1], "also": also,
    }  # fmt: skip
    return Ruling(outcome, reasons, book.sources)

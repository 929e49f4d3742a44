"""Emergencies (应急): who commands at which grade, who issues which warning, when the next drill is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from anban.kit.months import add_months
from anban.rules.accident_terms import AccidentGrade
from anban.rules.decision import Reason, Ruling
from anban.rules.districts import District, district_named
from anban.rules.hazard_terms import Term
from anban.rules.law import Book
from anban.rules.registry import asked, rule


class Command(Term):
    """Who leads the response (应急指挥)."""

    DISTRICT_COMMITTEE = "district_committee", "区应急委员会", "District emergency committee"
    CITY_SPECIAL_COMMAND = "city_special_command", "市专项应急指挥部", "Special command of the city"
    CITY_COMMITTEE = "city_committee", "市应急委员会", "City emergency committee"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFacts:
    """An event by its grade and district."""

    grade: AccidentGrade = asked("事件等级", "grade of the event")
    district_code: str = asked("区代码", "code of the district, six digits")

    def __post_init__(self) -> None:
        district_named(self.district_code, field="district_code")


@rule(
    "command_level",
    number="R24",
    zh="应急指挥层级",
    en="Which committee commands",
    rests_on=("emergency.command_level_clause",),
    gives={"body": ("指挥机构", "commanding body")},
)
def command_level(facts: CommandFacts, on: date) -> Ruling:
    """This function will name the body that commands: a larger event in the six central districts is the city's.

    Source: 北京市实施《突发事件应对法》办法 第四十六条.
    """
    book = Book(on)
    book.cite("emergency.command_level_clause")
    district: District = district_named(facts.district_code, field="district_code")
    if facts.grade.rank >= AccidentGrade.MAJOR.rank:
        body = Command.CITY_COMMITTEE
    elif facts.grade is AccidentGrade.LARGER and district.central:
        body = Command.CITY_SPECIAL_COMMAND
    else:
        body = Command.DISTRICT_COMMITTEE
    reason = Reason(
        "command_level.by_grade_and_district",
        f"{district.zh}{'（中心城区）' if district.central else ''}{facts.grade.zh}：由{body.zh}指挥",
        f"{facts.grade.en} event in {district.en}{' (central district)' if district.central else ''}: {body.en}",
    )
    return Ruling({"body": body}, (reason,), book.sources)


class WarningLevel(IntEnum):
    """Level of a warning (预警级别); 1 is the highest."""

    RED = 1
    ORANGE = 2
    YELLOW = 3
    BLUE = 4


class Colour(Term):
    """The four colours, of risks and of warnings alike, from the gravest to the lightest."""

    RED = "red", "红", "Red"
    ORANGE = "orange", "橙", "Orange"
    YELLOW = "yellow", "黄", "Yellow"
    BLUE = "blue", "蓝", "Blue"


class Issuer(Term):
    """Who issues a warning (预警发布主体)."""

    DISTRICT = "district", "区政府或经授权的市有关部门", "District government or an authorized city department"
    CITY = "city", "市政府或其授权机构", "City government or its authorized body"


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningFacts:
    """A warning by its level."""

    level: WarningLevel = asked("预警级别（1 最高）", "level of the warning, 1 the highest")


@rule(
    "warning_issuer",
    number="R25",
    zh="预警颜色与发布主体",
    en="Colour and issuer of a warning",
    rests_on=("emergency.warning_colour_clause", "emergency.warning_issuer_clause"),
    gives={"colour": ("颜色", "colour"), "issuer": ("发布主体", "issuer")},
)
def warning_issuer(facts: WarningFacts, on: date) -> Ruling:
    """This function will give the colour of a warning level and who issues it.

    Source: 突发事件应对法 第六十三条; 北京市实施《突发事件应对法》办法 第四十二条.
    """
    book = Book(on)
    book.cite("emergency.warning_colour_clause")
    book.cite("emergency.warning_issuer_clause")
    colour = Colour[facts.level.name]
    issuer = Issuer.CITY if facts.level <= WarningLevel.ORANGE else Issuer.DISTRICT
    reason = Reason(
        "warning_issuer.by_level",
        f"{'一二三四'[facts.level - 1]}级预警为{colour.zh}色，由{issuer.zh}发布",
        f"Level {facts.level.value} is {colour.en.lower()}, issued by: {issuer.en}",
    )
    return Ruling({"colour": colour, "issuer": issuer}, (reason,), book.sources)


def levels_above(level: WarningLevel) -> tuple[WarningLevel, ...]:
    """This function will give the levels higher than one: above level 3 are 1 and 2, though their numbers are smaller.

    Source: 突发事件应对法 第六十三条、第七十一条 (an emergency response is counted the same way).
    """
    return tuple(each for each in WarningLevel if each < level)


class DrillDuty(Term):
    """Who has to drill (演练义务)."""

    KEY_UNIT = (
        "key_unit",
        "重点单位（危险物品、矿山、冶炼、轨道交通、建筑施工，宾馆、商场、娱乐、旅游景区等）",
        "Key unit",
    )
    GOVERNMENT = "government", "政府及其部门", "Government"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillFacts:
    """The last drill of someone who has to drill."""

    who: DrillDuty = asked("单位类别", "who has to drill")
    last_on: date = asked("上次演练日期", "day of the last drill")


@rule(
    "drill_due",
    number="R28",
    zh="应急演练期限",
    en="When the next drill is due",
    rests_on=("emergency.drill_key_unit_months", "emergency.drill_government_months"),
    gives={"due_on": ("最迟演练日", "last day for the next drill")},
    day=lambda facts: facts.last_on,
)
def drill_due(facts: DrillFacts, on: date) -> Ruling:
    """This function will give the last day for the next drill, counted on from the last one.

    Source: 生产安全事故应急条例 第八条.
    """
    book = Book(on)
    months = book[f"emergency.drill_{facts.who}_months"]
    due = add_months(facts.last_on, months)
    reason = Reason(
        "drill_due.counted",
        f"每 {months} 个月至少一次，自上次演练 {facts.last_on} 起滚动计算",
        f"At least once every {months} months, counted on from {facts.last_on}",
    )
    return Ruling({"due_on": due}, (reason,), book.sources)

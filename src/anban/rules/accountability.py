"""Accountability (问责): the clocks of unit and persons, the level that repeat accidents raise, and what stands red."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from anban.rules import law
from anban.rules.decision import Decision, Reason, Source
from anban.rules.hazard_terms import Term


class Subject(Term):
    """Against whom an item stands (问责对象): the unit and each person have items of their own."""

    UNIT = "unit", "单位", "Unit"
    PERSON = "person", "责任人", "Person"


class ItemState(Term):
    """Where an item of accountability stands (办理状态)."""

    OPEN = "open", "待处理", "To be dealt with"
    PROPOSED = "proposed", "已提出建议", "Proposed"
    DECIDED = "decided", "已作出决定", "Decided"
    EXECUTED = "executed", "已执行", "Carried out"
    NOT_LIABLE = "not_liable", "认定无责", "Found not liable"


class AccidentGrade(Term):
    """How grave an accident is (事故等级). Source: 生产安全事故报告和调查处理条例 第三条."""

    UNDETERMINED = "undetermined", "等级待定", "Not yet determined"
    GENERAL = "general", "一般事故", "General"
    LARGER = "larger", "较大事故", "Larger"
    MAJOR = "major", "重大事故", "Major"
    EXTRAORDINARY = "extraordinary", "特别重大事故", "Extraordinary"


class Level(Term):
    """Which level leads accountability (问责层级); repeat accidents of one firm raise it."""

    DISTRICT = "district", "区级", "District"
    DISTRICT_HEAD = "district_head", "区级（约谈主要负责人）", "District, its head called in"
    CITY = "city", "市级（提级）", "City, raised"
    CITY_HEAD = "city_head", "市级（挂牌督办）", "City, listed"


STEPS: Mapping[tuple[ItemState, str], ItemState] = MappingProxyType(
    {
        (ItemState.OPEN, "propose"): ItemState.PROPOSED,
        (ItemState.OPEN, "decide"): ItemState.DECIDED,
        (ItemState.PROPOSED, "decide"): ItemState.DECIDED,
        (ItemState.DECIDED, "execute"): ItemState.EXECUTED,
        (ItemState.OPEN, "clear"): ItemState.NOT_LIABLE,
        (ItemState.PROPOSED, "clear"): ItemState.NOT_LIABLE,
    }
)
"""The life of an item; an item that is carried out or cleared is at its end."""

STEP_NAMES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "propose": ("提出处理建议", "Propose a sanction"),
        "decide": ("作出处理决定", "Decide"),
        "execute": ("登记已执行", "Record as carried out"),
        "clear": ("认定无责", "Find not liable"),
    }
)
ENDED = frozenset({ItemState.EXECUTED, ItemState.NOT_LIABLE})


@dataclass(frozen=True, slots=True)
class Item:
    """What the rules ask about an item: against whom, its state, its link of the cause, and whether it names it directly."""

    subject: Subject
    state: ItemState
    link: str = ""
    direct: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """When unit and persons of a case have to be dealt with, with the law it was counted by."""

    unit_on: date
    person_on: date
    sources: tuple[Source, ...]


def terms(opened_on: date, *, accident: bool, overrides: Mapping[str, int] | None = None) -> Terms:
    """This function will give the last days for unit and persons of a case, in calendar days.

    After an accident: report, approval, then the sanction; the day of the accident counts. A failure of duty: decision first.
    Source: 生产安全事故报告和调查处理条例 第二十九条, 第三十二条. Raises: LawGap.
    """

    def days(name: str) -> law.LawValue:
        return law.value(f"oversight.{name}", on=opened_on, overrides=overrides)

    before = (
        [days("investigation_report_days"), days("approval_major_days")]
        if accident
        else [days("failure_decision_days")]
    )
    unit, person = days("unit_sanction_days"), days("person_sanction_days")
    start = opened_on + timedelta(days=sum(each.value for each in before))
    return Terms(
        start + timedelta(days=unit.value),
        start + timedelta(days=person.value),
        tuple(each.source for each in (*before, unit, person)),
    )


def red(items: Iterable[Item], links: Collection[str] = ()) -> tuple[Reason, ...]:
    """This function will say why a case stands red: the unit is done and a person is not, or a cause has no direct person.

    `links` are the links of the cause that the decision names. Source: speech 2021 (单位处理了，具体责任人迟迟不处理).
    """
    listed = tuple(items)
    units = [each for each in listed if each.subject is Subject.UNIT]
    persons = [each for each in listed if each.subject is Subject.PERSON]
    found: list[Reason] = []
    if any(each.state is ItemState.EXECUTED for each in units):
        waiting = [each for each in persons if each.state not in ENDED]
        if waiting:
            found.append(
                Reason(
                    "accountability.person_waits",
                    f"单位已处理，还有 {len(waiting)} 名责任人未处理",
                    f"The unit is dealt with, {len(waiting)} {'person is' if len(waiting) == 1 else 'persons are'} not",
                )
            )
        if not persons:
            found.append(
                Reason(
                    "accountability.nobody_named",
                    "单位已处理，没有列出一名责任人",
                    "The unit is dealt with, no person is named",
                )
            )
    decided = [each for each in listed if each.state in (ItemState.DECIDED, ItemState.EXECUTED)]
    if decided:
        named = {each.link for each in persons if each.direct}
        for link in sorted(set(links) - named):
            found.append(
                Reason(
                    "accountability.link_without_person",
                    f"决定没有为原因环节“{link}”列出直接责任人",
                    f"The decision names no direct person for the causal link “{link}”",
                )
            )
    return tuple(found)


BASE: Mapping[AccidentGrade, int] = MappingProxyType(
    {
        AccidentGrade.UNDETERMINED: 0,
        AccidentGrade.GENERAL: 0,
        AccidentGrade.LARGER: 2,
        AccidentGrade.MAJOR: 2,
        AccidentGrade.EXTRAORDINARY: 3,
    }
)
LADDER = (Level.DISTRICT, Level.DISTRICT_HEAD, Level.CITY, Level.CITY_HEAD)


def level(
    grade: AccidentGrade, on: date, earlier: Iterable[date], *, overrides: Mapping[str, int] | None = None
) -> Decision:
    """This function will give the level that leads: each earlier accident of the firm in the window raises it by one (D5).

    The window is closed at its far end: an accident exactly that many days before still counts.
    Raises: LawGap.
    """
    window = law.value("oversight.repeat_accident_days", on=on, overrides=overrides)
    since = on - timedelta(days=window.value)
    repeats = sum(since <= day < on for day in earlier)
    chosen = LADDER[min(BASE[grade] + repeats, len(LADDER) - 1)]
    reasons = [Reason("accountability.grade", f"{grade.zh}", f"{grade.en}")]
    if repeats:
        reasons.append(
            Reason(
                "accountability.repeated",
                f"{window.value} 日内此前已发生 {repeats} 起事故，提高层级",
                f"{repeats} earlier accidents within {window.value} days raise the level",
            )
        )
    return Decision(str(chosen), tuple(reasons), (window.source,))

"""Major hazards (重大事故隐患) of any sector: judged by the standard of the day, the package's or one that an office has loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from anban.rules.decision import CANNOT_JUDGE, Ruling, Source
from anban.rules.hazard_terms import Grade
from anban.rules.loaded import Loaded
from anban.rules.major_criteria import MAJOR, UNDETERMINED, Criteria, judge, kinds, packaged
from anban.rules.registry import Offered, Version, asked, rule


def items_offered(loaded: Loaded, kind: str = "") -> Iterator[Offered]:
    """This function will list the items of the standards (of one kind, or of all), each under its standard and the day it began."""
    for name, tables in kinds(loaded.criteria).items():
        for each in tables if not kind or name == kind else ():
            under_zh, under_en = _heading(each)
            for item in each.items:
                yield Offered(item.code, item.zh, item.en, under_zh, under_en)


def _heading(each: Criteria) -> tuple[str, str]:
    began = each.in_force_from
    return (f"{each.zh}（{began} 起）", f"{each.en} (since {began})") if began else (each.zh, each.en)


def _kinds_offered(loaded: Loaded) -> Iterator[Offered]:
    for kind, tables in kinds(loaded.criteria).items():
        yield Offered(kind, tables[-1].zh, tables[-1].en)


def _places_offered(loaded: Loaded) -> Iterator[Offered]:
    for tables in kinds(loaded.criteria).values():
        newest = next((each for each in reversed(tables) if each.place_kinds), None)
        if newest is not None:
            for code, (zh, en) in newest.place_kinds.items():
                yield Offered(code, zh, en, newest.zh, newest.en)


@dataclass(frozen=True, slots=True, kw_only=True)
class MajorFacts:
    """Which standard, and which of its items were found: codes such as G4.1 or 4.1; one named twice counts once."""

    kind: str = asked("判定标准", "judgement standard", offers=_kinds_offered, closed=True)
    found_on: date = asked("发现日期", "day of the finding")
    items: tuple[str, ...] = asked(
        "发现的情形（条目代码）", "codes of the items found", offers=items_offered, closed=True
    )
    place_kind: str | None = asked(
        "场所类别（标准区分时填）", "kind of place, where the standard knows any", offers=_places_offered, closed=True, default=None
    )  # fmt: skip
    exempt: bool = asked("属于不予判定的情形", "the standard's exemption holds", default=False)


@rule(
    "major_hazard",
    number="",
    zh="重大事故隐患判定（各行业标准）",
    en="Major hazards by the standard of a sector",
    gives={"grade": ("判定结果", "grade")},
    versions=tuple(
        Version(each.in_force_from, Source(each.law, "", each.certainty)) for each in packaged() if each.in_force_from
    ),
    day=lambda facts: facts.found_on,
)
def major_hazard(facts: MajorFacts, on: date, loaded: Loaded) -> Ruling:
    """This function will judge by the table of the day: major or general; where it lacks text or facts it cannot judge.

    A table loaded in part may answer major, never general. Raises: Refusal `criteria.…`.
    """
    judged = judge(facts.kind, on, facts.items, place_kind=facts.place_kind, exempt=facts.exempt, known=loaded.criteria)
    if judged.outcome == UNDETERMINED:
        return Ruling({"decision": CANNOT_JUDGE}, judged.reasons, judged.sources)
    grade = Grade.MAJOR if judged.outcome == MAJOR else Grade.GENERAL
    return Ruling({"grade": grade}, judged.reasons, judged.sources)

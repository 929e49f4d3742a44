"""Major fire hazards (重大火灾隐患): R15, by the standard in force on the day of the finding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from anban.rules.decision import CANNOT_JUDGE, Ruling, Source
from anban.rules.errors import Refusal
from anban.rules.hazard_terms import Term
from anban.rules.loaded import Loaded
from anban.rules.major_criteria import MAJOR, UNDETERMINED, judge, packaged
from anban.rules.major_hazard import items_offered
from anban.rules.registry import Offered, Version, asked, rule


class FirePlace(Term):
    """Kinds of place (场所类别) that the standard of 2017 counts combined elements for."""

    CROWDED = "crowded", "人员密集场所", "Crowded place"
    FLAMMABLE = "flammable", "易燃易爆危险品场所", "Place of flammable or explosive goods"
    OTHER = "other", "其他场所", "Other place"


def _elements_offered(loaded: Loaded) -> Iterator[Offered]:
    return items_offered(loaded, "fire")


@dataclass(frozen=True, slots=True, kw_only=True)
class FireFacts:
    """What was found where: codes of elements such as F6.6 or 7.3.1; one named twice counts once."""

    found_on: date = asked("发现日期", "day of the finding")
    place_kind: FirePlace = asked("场所类别", "kind of place")
    elements: tuple[str, ...] = asked(
        "判定要素代码", "codes of the elements found", offers=_elements_offered, closed=True
    )
    exempt: bool = asked("属于不予判定的情形", "the standard's exemption holds", default=False)


@rule(
    "major_fire_hazard",
    number="R15",
    zh="重大火灾隐患判定",
    en="Major fire hazards",
    gives={"major": ("是重大火灾隐患", "is a major fire hazard")},
    versions=tuple(
        Version(each.in_force_from, Source(each.law, "", each.certainty))
        for each in packaged()
        if each.kind == "fire" and each.in_force_from
    ),
    day=lambda facts: facts.found_on,
)
def major_fire_hazard(facts: FireFacts, on: date, loaded: Loaded) -> Ruling:
    """This function will judge by the table of the day; where none was in force or its text isn't loaded it cannot judge.

    Raises: Refusal `criteria.…`.
    """
    try:
        judged = judge(
            "fire", on, facts.elements, place_kind=facts.place_kind, exempt=facts.exempt, known=loaded.criteria
        )
    except Refusal as refusal:
        # The standard speaks of items; this rule, as its name is frozen, of elements.
        named = "elements" if refusal.field == "items" else refusal.field
        raise Refusal(refusal.code, field=named, **refusal.params) from refusal
    if judged.outcome == UNDETERMINED:
        return Ruling({"decision": CANNOT_JUDGE}, judged.reasons, judged.sources)
    return Ruling({"major": judged.outcome == MAJOR}, judged.reasons, judged.sources)

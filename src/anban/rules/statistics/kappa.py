"""Agreement of two raters (一致性): share of agreement and Cohen's kappa from the four counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from anban.rules.decision import CANNOT_JUDGE, Reason, Ruling, Source
from anban.rules.registry import Version, asked, rule
from anban.rules.statistics.methods import METHODS_FROM
from anban.rules.statistics.numbers import shown

SOURCE = Source("Cohen 1960（κ 系数）", "", "verified")


@dataclass(frozen=True, slots=True, kw_only=True)
class KappaFacts:
    """How often both said yes, only the first, only the second, neither."""

    both_yes: int = asked("两人都判“是”", "both said yes")
    first_only: int = asked("只有第一人判“是”", "only the first said yes")
    second_only: int = asked("只有第二人判“是”", "only the second said yes")
    both_no: int = asked("两人都判“否”", "both said no")


@rule(
    "kappa",
    number="",
    zh="两人判定的一致性",
    en="Agreement of two raters",
    gives={
        "agreement": ("一致的比例", "share of agreement"),
        "kappa": (
            "扣除偶然一致后的 κ；两人各只说过一个答案时为空",
            "agreement beyond chance; null where both always say the same",
        ),
    },
    versions=(Version(METHODS_FROM, SOURCE),),
)
def kappa(facts: KappaFacts, on: date) -> Ruling:
    """This function will give the share of agreement and kappa; without a single case it cannot judge."""
    n = facts.both_yes + facts.first_only + facts.second_only + facts.both_no
    if not n:
        reason = Reason("kappa.empty", "没有共同判定过的件", "there is no case that both have rated")
        return Ruling({"decision": CANNOT_JUDGE}, (reason,), (SOURCE,))
    agreed = facts.both_yes + facts.both_no
    first, second = facts.both_yes + facts.first_only, facts.both_yes + facts.second_only
    # In whole numbers, times n²: chance agreement is n² only where both have always given one and the same answer.
    chance = first * second + (n - first) * (n - second)
    value = None if chance == n * n else shown((agreed * n - chance) / (n * n - chance))
    if value is None:
        reason = Reason(
            "kappa.one_answer", "两人始终给出同一个答案，κ 没有意义", "both always gave one answer: kappa means nothing"
        )
    else:
        reason = Reason("kappa.agreed", f"{n} 件中 {agreed} 件判定一致", f"{agreed} of {n} were rated alike")
    return Ruling({"agreement": shown(agreed / n), "kappa": value}, (reason,), (SOURCE,))

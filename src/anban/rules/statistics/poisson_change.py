"""Two counts compared (两期对比): rate ratio with its exact interval and the exact conditional p-value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from anban.rules.decision import Reason, Ruling, Source
from anban.rules.errors import Refusal
from anban.rules.registry import Version, asked, rule
from anban.rules.statistics.methods import METHODS_FROM, side95
from anban.rules.statistics.numbers import arithmetic, beta_quantile, binomial_p, shown

LARGEST_COUNT = 10_000_000
SOURCE = Source("两个泊松均值的精确条件检验（Przyborowski–Wilenski 1940；区间 Clopper–Pearson 1934）", "", "verified")


@dataclass(frozen=True, slots=True, kw_only=True)
class PoissonFacts:
    """Counts of two periods and their exposures (days, places, visits: anything, but the same on both sides)."""

    before: int = asked("前期件数", "count before", most=LARGEST_COUNT)
    after: int = asked("后期件数", "count after", most=LARGEST_COUNT)
    exposure_before: Decimal = asked("前期暴露量（时长、户数等）", "exposure before", default=Decimal(1))
    exposure_after: Decimal = asked("后期暴露量", "exposure after", default=Decimal(1))

    def __post_init__(self) -> None:
        for name in ("exposure_before", "exposure_after"):
            if getattr(self, name) == 0:
                raise Refusal("statistics.not_positive", field=name, name=name)


@rule(
    "poisson_change",
    number="",
    zh="两期件数对比",
    en="Change between two counts",
    gives={
        "ratio": ("后期与前期的发生率之比", "rate after over rate before"),
        "low95": ("95% 区间下限", "lower end of the 95 % interval"),
        "high95": ("95% 区间上限", "upper end of the 95 % interval"),
        "p_value": (
            "若实际没有变化，出现这样或更大差异的概率",
            "chance of such a difference or a greater one if nothing changed",
        ),
    },
    versions=(Version(METHODS_FROM, SOURCE),),
)
def poisson_change(facts: PoissonFacts, on: date) -> Ruling:
    """This function will compare two counts by rate: without a change the later count is a binomial share of both.

    The p-value adds up all outcomes no likelier than the one seen. An end that no data bound is null (before = 0).
    """
    mp = arithmetic()
    before, after, n = facts.before, facts.after, facts.before + facts.after
    exposed_before, exposed_after = mp.mpf(str(facts.exposure_before)), mp.mpf(str(facts.exposure_after))
    scale = exposed_before / exposed_after
    low, high = mp.zero, None
    if after:
        share = beta_quantile(after, before + 1, side95(mp))
        low = share / (1 - share) * scale
    if before:
        share = beta_quantile(after + 1, before, 1 - side95(mp))
        high = share / (1 - share) * scale
    p_value = binomial_p(after, n, exposed_after / (exposed_before + exposed_after)) if n else mp.one
    outcome = {
        "ratio": shown(mp.mpf(after) / before * scale) if before else None,
        "low95": shown(low),
        "high95": None if high is None else shown(high),
        "p_value": shown(p_value),
    }
    return Ruling(outcome, (_read(n, float(p_value)),), (SOURCE,))


def _read(n: int, p_value: float) -> Reason:
    if not n:
        return Reason(
            "poisson_change.nothing",
            "两期都没有发生，说明不了变化",
            "nothing happened on either side: it tells nothing",
        )
    told = f"{p_value:.2g}"
    if p_value >= 0.05:
        zh = f"与偶然波动分不开（p = {told}）；件数少时，真实的变化也常常看不出来"
        return Reason(
            "poisson_change.chance",
            zh,
            f"not told apart from chance (p = {told}); with few events a true change often stays unseen",
        )
    zh = f"不像是偶然波动（p = {told}）；是不是政策带来的，数字本身不能说明"
    return Reason(
        "poisson_change.change",
        zh,
        f"unlikely to be chance (p = {told}); whether a policy caused it, the figures don't say",
    )

"""Statistics against their twins (scipy, statsmodels, lifelines), the worked examples of the books, and their edges."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa

from anban.rules import every
from anban.rules.answering import ask
from anban.rules.statistics import founding
from anban.rules.statistics.numbers import arithmetic, beta_quantile, beta_tails, binomial_p
from anban.rules.statistics.scan_cluster import at_least

NO_SHRINK = (Phase.explicit, Phase.reuse, Phase.generate)
"""Smaller examples of an exact tail are found at once by hand; searching them costs minutes."""

EXACT = {"rel": 1e-9, "abs": 0}


def outcome(name: str, **given: Any) -> dict[str, Any]:
    assert every.RULE_MODULES
    return {
        key: [None if each is None else float(each) for each in value]
        if isinstance(value, list)
        else float(value)
        if isinstance(value, Decimal)
        else value
        for key, value in ask(name, given).ruling.outcome.items()
    }


# --- poisson_change


@pytest.mark.parametrize(
    ("before", "after", "exposures"),
    [(*pair, e) for pair in [(400, 364), (26, 18), (0, 7), (7, 0), (1, 1), (2451, 2230), (12, 40)] for e in [(1, 1), (366, 20), (2, 5.5)]],
)  # fmt: skip
def test_poisson_change_is_the_exact_conditional_test(before: int, after: int, exposures: tuple[float, float]) -> None:
    told = outcome(
        "poisson_change", before=before, after=after, exposure_before=exposures[0], exposure_after=exposures[1]
    )
    chance = exposures[1] / (exposures[0] + exposures[1])
    twin = stats.binomtest(after, before + after, chance)
    assert told["p_value"] == pytest.approx(twin.pvalue, **EXACT)
    low, high = twin.proportion_ci(0.95, "exact")
    scale = exposures[0] / exposures[1]
    # scipy's own interval is found to about 1e-11 of the share.
    assert told["low95"] == pytest.approx(low / (1 - low) * scale, rel=1e-8, abs=1e-12)
    if before:
        assert told["high95"] == pytest.approx(high / (1 - high) * scale, rel=1e-8)
        assert told["ratio"] == pytest.approx(after / before * scale, **EXACT)
    else:
        assert told["high95"] is None
        assert told["ratio"] is None


def test_a_reported_fall_of_nine_percent_needs_many_events_to_mean_anything() -> None:
    assert outcome("poisson_change", before=400, after=364)["p_value"] == pytest.approx(0.205, abs=5e-4)


@given(st.integers(0, 400), st.integers(0, 400), st.floats(0.1, 10), st.floats(0.1, 10))
@settings(max_examples=15, deadline=None, phases=NO_SHRINK)
def test_poisson_change_turned_round_turns_the_ratio(before: int, after: int, one: float, two: float) -> None:
    there = outcome(
        "poisson_change", before=before, after=after, exposure_before=f"{one:.6f}", exposure_after=f"{two:.6f}"
    )
    back = outcome(
        "poisson_change", before=after, after=before, exposure_before=f"{two:.6f}", exposure_after=f"{one:.6f}"
    )
    assert there["p_value"] == pytest.approx(back["p_value"], rel=1e-9)
    assert 0 <= there["p_value"] <= 1  # as a float; a chance of 1e-324 is 0
    if before and after:
        assert there["ratio"] * back["ratio"] == pytest.approx(1)
        assert there["low95"] * back["high95"] == pytest.approx(1)
        assert there["low95"] < there["ratio"] < there["high95"]


@pytest.mark.parametrize(("n", "p"), list(product([1, 2, 9, 40, 5000], ["0.5", "0.05", "0.731"])))
def test_binomial_p_is_right_at_every_kind_of_outcome(n: int, p: str) -> None:
    mode = int((n + 1) * float(p))
    for k in {0, n, mode, max(0, mode - 1), min(n, mode + 1), n // 3}:
        twin = stats.binomtest(k, n, float(p)).pvalue
        if twin > 1e-250:
            assert float(binomial_p(k, n, arithmetic().mpf(p))) == pytest.approx(twin, **EXACT)


@pytest.mark.parametrize(("a", "b", "x"), [(1, 1, 0.3), (0.5, 7, 0.9), (200, 3, 0.99), (40, 60, 0.4), (2, 9, 1e-6)])
def test_beta_tails_and_quantiles(a: float, b: float, x: float) -> None:
    mp = arithmetic()
    lower, upper = beta_tails(mp.mpf(a), mp.mpf(b), mp.mpf(x))
    assert float(lower) == pytest.approx(stats.beta.cdf(x, a, b), **EXACT)
    assert float(upper) == pytest.approx(stats.beta.sf(x, a, b), **EXACT)
    assert [float(each) for each in beta_tails(a, b, 0)] == [0, 1]
    assert [float(each) for each in beta_tails(a, b, 1)] == [1, 0]
    if a >= 1:
        assert float(beta_quantile(int(a), int(b), mp.mpf("0.025"))) == pytest.approx(
            stats.beta.ppf(0.025, a, b), **EXACT
        )


# --- scan_cluster


@pytest.mark.parametrize(("count", "year_days", "expected"), [(4, 366, 0.056095), (4, 365, 0.056545)])
def test_four_in_twenty_days_in_a_window_named_beforehand(count: int, year_days: int, expected: float) -> None:
    told = outcome("scan_cluster", count=count, window_days=20, annual_rate=26, year_days=year_days)
    assert told["p_window"] == pytest.approx(expected, abs=6e-7)
    assert told["p_window"] == pytest.approx(stats.poisson.sf(count - 1, 26 * 20 / year_days), **EXACT)


@pytest.mark.parametrize(("count", "expected"), [(4, 0.90195), (5, 0.5458), (6, 0.2028), (7, 0.0536)])
def test_so_many_in_some_twenty_days_of_the_year(count: int, expected: float) -> None:
    told = outcome("scan_cluster", count=count, window_days=20, annual_rate=26, year_days=366)
    assert told["p_anywhere_in_year"] == pytest.approx(expected, abs=6e-5)


@pytest.mark.parametrize(("count", "mean"), [(1, 0.01), (3, 2.9), (3, 3.1), (90, 40), (2, 900), (400, 380.5), (60, 1)])
def test_the_tail_of_a_count(count: int, mean: float) -> None:
    mp = arithmetic()
    assert float(at_least(mp, count, mp.mpf(mean))) == pytest.approx(stats.poisson.sf(count - 1, mean), **EXACT)


@pytest.mark.parametrize(("count", "window", "rate"), [(2, 30, 3.0), (3, 10, 20.0), (2, 200, 2.0), (3, 100, 5.0)])
def test_some_window_of_the_year_as_simulated(count: int, window: float, rate: float) -> None:
    rng = np.random.default_rng(20261121)
    runs, hit = 20_000, 0
    for n in rng.poisson(rate, runs):
        if n >= count:
            days = np.sort(rng.uniform(0, 365, n))
            hit += bool(np.any(days[count - 1 :] - days[: n - count + 1] <= window))
    told = outcome("scan_cluster", count=count, window_days=window, annual_rate=rate)
    # The approximation is good to about 0.003; three standard errors of the simulation are 0.0106 at most.
    assert told["p_anywhere_in_year"] == pytest.approx(hit / runs, abs=0.003 + 3 * math.sqrt(0.25 / runs))
    assert told["p_window"] <= told["p_anywhere_in_year"]


@given(st.integers(0, 12), st.integers(1, 364), st.floats(0.1, 200))
@settings(max_examples=60, deadline=None)
def test_more_events_are_never_likelier(count: int, window: int, rate: float) -> None:
    first = outcome("scan_cluster", count=count, window_days=window, annual_rate=f"{rate:.6f}")
    second = outcome("scan_cluster", count=count + 1, window_days=window, annual_rate=f"{rate:.6f}")
    for name in ("p_window", "p_anywhere_in_year"):
        assert 0 <= second[name] <= first[name] <= 1


# --- cusum


def test_the_chart_of_january() -> None:
    told = outcome("cusum", gaps_days=[3, 5, 7, 6], annual_rate=26, year_days=366)
    assert told["path"] == pytest.approx([0.6931, 1.0311, 1.2270, 1.4939], abs=6e-5)
    assert told["statistic"] == pytest.approx(1.4939, abs=6e-5)
    assert told["alarm"] is False


def test_the_chart_takes_days_in_any_order() -> None:
    days = ["2021-01-21", "2021-01-03", "2021-01-15", "2021-01-08"]
    assert outcome("cusum", dates=days, annual_rate=26) == outcome("cusum", gaps_days=[9999, 5, 7, 6], annual_rate=26)


@pytest.mark.parametrize(("threshold", "alarm"), [("0.693147180559", True), ("0.69314718056", False)])
def test_the_threshold_itself_alarms(threshold: str, alarm: bool) -> None:
    assert outcome("cusum", gaps_days=[1], annual_rate=1, threshold=threshold)["alarm"] is alarm


def test_an_alarm_stays_when_the_chart_comes_down_again() -> None:
    told = outcome("cusum", gaps_days=[0, 0, 0, 0, 0, 5000], annual_rate=26)
    assert told["alarm"] is True
    assert told["statistic"] == pytest.approx(math.log(2), **EXACT)


# --- unseen_hazards


def test_two_sources_as_in_the_book() -> None:
    told = outcome("unseen_hazards", n1=200, n2=150, both=50)
    assert told["estimate"] == pytest.approx(594.118, abs=5e-4)
    assert (told["low95"], told["high95"]) == pytest.approx((500.5, 731.4), abs=0.06)


def test_one_source_as_in_the_book() -> None:
    told = outcome("unseen_hazards", f1=180, f2=60, seen=300)
    assert told["estimate"] == pytest.approx(564.098, abs=5e-4)
    assert (told["low95"], told["high95"]) == pytest.approx((480.9, 702.9), abs=0.06)


@given(st.integers(1, 3000), st.integers(1, 3000), st.data())
@settings(max_examples=100, deadline=None)
def test_two_sources_never_say_less_than_was_seen(n1: int, n2: int, data: st.DataObject) -> None:
    both = data.draw(st.integers(0, min(n1, n2)))
    told = outcome("unseen_hazards", n1=n1, n2=n2, both=both)
    assert told == outcome("unseen_hazards", n1=n2, n2=n1, both=both)
    assert n1 + n2 - both <= told["low95"] <= told["estimate"] + 1e-9
    assert told["estimate"] <= told["high95"] + 1e-9
    if both < min(n1, n2):
        assert told["estimate"] > outcome("unseen_hazards", n1=n1, n2=n2, both=both + 1)["estimate"]


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
@settings(max_examples=100, deadline=None)
def test_one_source_never_says_less_than_was_seen(f1: int, f2: int, more: int) -> None:
    seen = f1 + f2 + more
    if seen:
        told = outcome("unseen_hazards", f1=f1, f2=f2, seen=seen)
        assert seen <= told["low95"] <= told["high95"]
        assert told["estimate"] >= seen


# --- survival

FREIREICH = ([6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35],
             [True, True, True, False, True, False, True, False, False, True, True, False, False, False, True, True, False, False, False, False, False])  # fmt: skip


def test_the_published_curve() -> None:
    told = outcome("survival", durations_days=FREIREICH[0], observed=FREIREICH[1])
    assert told["times"] == [6, 7, 10, 13, 16, 22, 23]
    assert told["survival"] == pytest.approx([0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482], abs=5e-5)
    assert told["median"] == 23


DURATIONS = st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=80)


@given(DURATIONS, st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_curve_is_that_of_lifelines_whatever_the_order(pairs: list[tuple[int, bool]], shuffle: Any) -> None:
    told = outcome("survival", durations_days=[a for a, _ in pairs], observed=[b for _, b in pairs])
    shuffle.shuffle(pairs)
    assert told == outcome("survival", durations_days=[a for a, _ in pairs], observed=[b for _, b in pairs])
    twin = KaplanMeierFitter().fit([a for a, _ in pairs], [b for _, b in pairs])
    bounds = twin.confidence_interval_survival_function_
    assert told["times"] == sorted({float(a) for a, ended in pairs if ended})
    for time, share, low, high in zip(told["times"], told["survival"], told["low95"], told["high95"], strict=True):
        assert share == pytest.approx(twin.survival_function_.loc[time].item(), rel=1e-9, abs=1e-12)
        if share:
            assert (low, high) == pytest.approx(tuple(bounds.loc[time]), rel=1e-9)
            assert low < share < high or share == 1
        else:
            assert (low, high) == (None, None)
    median = twin.median_survival_time_
    assert told["median"] == (None if math.isinf(median) else pytest.approx(median))


# --- kappa


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
@settings(max_examples=60, deadline=None)
def test_kappa_is_that_of_statsmodels(yes: int, first: int, second: int, no: int) -> None:
    table = np.array([[yes, first], [second, no]])
    told = outcome("kappa", both_yes=yes, first_only=first, second_only=second, both_no=no)
    if not table.sum():
        assert told == {"decision": "cannot_judge"}
        return
    assert told["agreement"] == pytest.approx((yes + no) / table.sum(), **EXACT)
    if yes == table.sum() or no == table.sum():
        assert told["kappa"] is None
    else:
        assert told["kappa"] == pytest.approx(cohens_kappa(table).kappa, rel=1e-9, abs=1e-12)


# --- the founding year


def test_the_founding_year() -> None:
    year = founding.founding_year()
    assert year.expected_in_window == pytest.approx(1.420765, abs=5e-7)
    assert year.p_this_window == pytest.approx(0.056095, abs=5e-7)
    assert year.p_some_window == pytest.approx(0.90195, abs=5e-6)
    assert (year.rare_count, year.p_rare) == (7, pytest.approx(0.0536, abs=5e-5))
    assert year.chart_level == pytest.approx(1.4939, abs=5e-5)
    assert year.base_for_the_fall == 906
    assert year.p_example == pytest.approx(0.205, abs=5e-4)
    assert year.power == pytest.approx(0.22, abs=0.005)
    assert year.base_for_power == 147
    assert [founding.base_for_power(fall, 0.8) for fall in (0.5, 0.3, 0.2, 0.1)] == [46, 147, 352, 1490]

"""Early warning: twins, worked examples, and false alarms in calm years held to the bounds that the pages state."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from anban.lake.warning import change, chart, events, hidden, knox, kulldorff, scan, watch
from anban.lake.warning.events import Event
from anban.lake.warning.limits import LIMITS
from anban.rules import every
from anban.rules.answering import ask

FIRST, LAST = date(2024, 1, 1), date(2024, 12, 30)
"""365 days."""


def most_false(share: float, tries: int) -> int:
    """The most false findings a test may show: what a share that keeps its bound exceeds once in 10,000 runs."""
    return int(stats.binom.ppf(0.9999, tries, share))


def spread(rng: np.random.Generator, count: int, first: date = FIRST, days: int = 365) -> list[date]:
    return [first + timedelta(days=int(day)) for day in rng.integers(0, days, count)]


# --- events

HEADER = ["类别", "日期", "辖区", "经度", "纬度"]


def test_a_table_is_read_row_by_row_and_the_bad_rows_are_named() -> None:
    good, refused = events.read(
        HEADER,
        [
            ["火灾", "2024-03-01", "110105", "116.4", "39.9"],
            ["", "2024-03-01", "110105", "", ""],
            ["火灾", "2024-02-30", "110105", "", ""],
            ["火灾", "2025-01-01", "110105", "", ""],
            ["火灾", "2024-03-01", "110105", "116.4", ""],
            ["火灾", "2024-03-01", "110105", "x", "39"],
            ["火灾", "2024-03-01", "110105", "200", "39"],
            ["火灾", "2024-03-01", "110105", "nan", "39"],
            ["", "", "", "", ""],
            ["燃气", "2024-12-31", "110106"],
        ],
        today=date(2024, 12, 31),
    )
    assert good == [
        Event("火灾", date(2024, 3, 1), "110105", 116.4, 39.9),
        Event("燃气", date(2024, 12, 31), "110106"),
    ]
    assert [(each.row, each.column) for each in refused] == [
        (3, "kind"), (4, "on"), (5, "on"), (6, "lng"), (7, "lng"), (8, "lng"), (9, "lng"),
    ]  # fmt: skip
    assert all(each.zh and each.en for each in refused)


def test_a_table_without_a_needed_column_is_refused_whole() -> None:
    good, refused = events.read(["kind", "area"], [["火灾", "1"]], today=LAST)
    assert (good, [(each.row, each.column) for each in refused]) == ([], [(1, "on")])


def test_streams_count_each_area_and_the_whole_city() -> None:
    rows = [Event("a", LAST, "1"), Event("a", FIRST, "2"), Event("b", FIRST, "1"), Event("c", FIRST, events.WHOLE)]
    assert events.streams(rows) == {
        ("a", ""): [FIRST, LAST], ("a", "1"): [LAST], ("a", "2"): [FIRST], ("b", ""): [FIRST], ("b", "1"): [FIRST],
        ("c", ""): [FIRST],
    }  # fmt: skip
    assert events.within([FIRST, LAST], FIRST, FIRST) == [FIRST]


# --- change


@given(st.integers(0, 60), st.integers(0, 60), st.sampled_from([(1, 1), (365, 20), (2, 5)]))
@settings(max_examples=25, deadline=None)
def test_a_pair_is_compared_as_the_rule_does(before: int, after: int, exposures: tuple[int, int]) -> None:
    assert every.RULE_MODULES
    (made,) = change.compare(
        [change.Pair("k", "a", before, after)], exposure_before=exposures[0], exposure_after=exposures[1]
    )
    facts = dict(zip(("exposure_before", "exposure_after"), exposures, strict=True), before=before, after=after)
    rule: Any = ask("poisson_change", facts).ruling.outcome
    assert made.p == made.q == pytest.approx(float(rule["p_value"]), rel=1e-9)
    for name in ("ratio", "low95", "high95"):
        told = getattr(made, name)
        assert told == (None if rule[name] is None else pytest.approx(float(rule[name]), rel=1e-9))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_p_values_are_corrected_as_statsmodels_does(values: list[float]) -> None:
    assert change.corrected(values) == pytest.approx(multipletests(values, method="fdr_bh")[1], rel=1e-12, abs=1e-15)


def test_nothing_to_correct_stays_nothing() -> None:
    assert change.compare([]) == []
    with pytest.raises(ValueError, match="exposure"):
        change.compare([change.Pair("k", "a", 1, 1)], exposure_after=0)


def test_calm_pairs_show_a_finding_within_the_bound_and_a_doubling_is_found(soak: bool) -> None:
    rng = np.random.default_rng(1)
    looks = 2000 if soak else 60
    rates = rng.gamma(1.0, 20.0, 40)
    calm = sum(
        any(each.found for each in change.compare(_pairs(rng.poisson(rates), rng.poisson(rates)))) for _ in range(looks)
    )
    assert calm <= most_false(change.FALSE_SHARE, looks)
    after = rng.poisson(rates)
    after[0] = 200
    before = rng.poisson(rates)
    before[0] = 100
    (found,) = [each for each in change.compare(_pairs(before, after)) if each.found]
    assert (found.pair.area, found.rose) == ("0", True)


def _pairs(before: Any, after: Any) -> list[change.Pair]:
    return [change.Pair("k", str(i), int(b), int(a)) for i, (b, a) in enumerate(zip(before, after, strict=True))]


# --- scan


@given(st.lists(st.integers(0, 364), max_size=30), st.integers(1, 365))
@settings(max_examples=80, deadline=None)
def test_the_densest_window_is_that_of_trying_all(offsets: list[int], window: int) -> None:
    days = [FIRST + timedelta(days=each) for each in offsets]
    count, begins = scan.densest(days, FIRST, LAST, window)
    assert count == max(sum(start <= each < start + window for each in offsets) for start in range(366 - window))
    start = (begins - FIRST).days
    assert 0 <= start <= 365 - window
    assert sum(start <= each < start + window for each in offsets) == count


def test_four_in_twenty_days_happen_in_nine_years_of_ten() -> None:
    days = [date(2021, 1, day) for day in (3, 8, 15, 21)]
    found = scan.against_rate(days, date(2021, 1, 1), date(2022, 1, 1), 20, 26)
    assert (found.count, found.from_on, found.until_on) == (4, date(2021, 1, 3), date(2021, 1, 22))
    assert found.p_here == pytest.approx(0.056095, abs=5e-7)
    assert found.p_anywhere == pytest.approx(0.90195, abs=5e-6)


def test_scans_of_nothing_and_of_nonsense() -> None:
    empty = scan.against_even([], FIRST, LAST, 20, seed=1)
    assert (empty.count, empty.p_anywhere) == (0, 1)
    assert scan.against_rate([], FIRST, LAST, 20, 5).p_anywhere == 1
    for wrong in ((0, FIRST), (400, FIRST), (20, FIRST - timedelta(days=1))):
        with pytest.raises(ValueError, match=r"window|period"):
            scan.against_even([wrong[1]], FIRST, LAST, wrong[0], seed=1)
    with pytest.raises(ValueError, match="usual"):
        scan.against_rate([], FIRST, LAST, 20, 0)


@pytest.mark.parametrize("rate", [4, 26, 120])
def test_calm_years_show_a_cluster_within_the_bound(rate: int, soak: bool) -> None:
    rng = np.random.default_rng(rate)
    years = 2000 if soak else 200
    false_even = false_rate = 0
    for year in range(years):
        days = spread(rng, int(rng.poisson(rate)))
        false_even += scan.against_even(days, FIRST, LAST, 20, seed=year, runs=199).p_anywhere <= 0.05
        false_rate += scan.against_rate(days, FIRST, LAST, 20, rate).p_anywhere <= 0.05
    assert false_even <= most_false(0.05, years)
    assert false_rate <= most_false(0.05, years)


def test_a_planted_cluster_is_found() -> None:
    rng = np.random.default_rng(3)
    days = spread(rng, 20) + [date(2024, 6, 1) + timedelta(days=int(each)) for each in rng.integers(0, 15, 10)]
    found = scan.against_even(days, FIRST, LAST, 20, seed=1)
    assert found.p_anywhere <= 0.01
    assert found.from_on <= date(2024, 6, 5) <= found.until_on
    assert scan.against_rate(days, FIRST, LAST, 20, 20).p_anywhere < 1e-4


# --- chart


@pytest.mark.parametrize(
    ("ratio", "threshold", "truth"),
    [(2.0, 1.5, 1.0), (2.0, 3.0, 1.0), (2.0, 3.0, 2.0), (3.0, 3.0, 1.0), (1.5, 2.0, 0.8)],
)
def test_run_lengths_are_those_of_simulated_charts(ratio: float, threshold: float, truth: float, soak: bool) -> None:
    rng = np.random.default_rng(11)
    runs = 20_000 if soak else 4_000
    level, events_seen, live = np.zeros(runs), np.zeros(runs), np.ones(runs, dtype=bool)
    while live.any():
        gap = rng.exponential(1 / truth, int(live.sum()))
        level[live] = np.maximum(0, level[live] - (ratio - 1) * gap) + math.log(ratio)
        events_seen[live] += 1
        live &= level < threshold
    error = events_seen.std() / math.sqrt(runs)
    assert chart.run_events(ratio, threshold, truth) == pytest.approx(events_seen.mean(), abs=4 * error)


@pytest.mark.parametrize(("threshold", "days"), [(1.5, 136), (2.0, 277), (2.5, 527), (3.0, 943), (3.5, 1666)])
def test_run_lengths_of_the_reference(threshold: float, days: float) -> None:
    # The reference simulated them by days, to 1.5 %; ours are exact and 1 to 2.5 % above.
    assert chart.run_events(2.0, threshold) / (26 / 366) == pytest.approx(days, rel=0.03)


def test_delays_of_the_reference() -> None:
    rate = 26 / 366
    assert chart.run_events(2.0, 3.0, 2.0) / (2 * rate) == pytest.approx(84, rel=0.02)
    assert chart.run_events(2.0, 3.0, 0.2 / rate) / 0.2 == pytest.approx(41, rel=0.02)
    assert chart.run_events(3.0, 3.0) / rate == pytest.approx(382, rel=0.02)
    assert chart.run_events(3.0, 3.0, 3.0) / (3 * rate) == pytest.approx(26, rel=0.02)


def test_a_threshold_for_a_wanted_run() -> None:
    assert chart.run_events(2.0, chart.threshold_for(2.0, 100)) == pytest.approx(100, rel=1e-3)
    assert chart.run_events(2.0, 0.5) == 1
    for wrong in ((1.0, 3.0, 1.0), (2.0, 0.0, 1.0), (2.0, 3.0, 0.0)):
        with pytest.raises(ValueError, match="above"):
            chart.run_events(*wrong)


def test_january_is_a_watch_and_no_alarm() -> None:
    made = chart.chart([date(2021, 1, day) for day in (21, 3, 15, 8)], date(2020, 12, 31), 26, 366)
    assert made.levels == pytest.approx([0.6931, 1.0311, 1.2270, 1.4939], abs=6e-5)
    assert made.alarm_on is None
    assert made.false_alarm_low < made.false_alarm_days < made.false_alarm_high
    assert made.delay_days < made.false_alarm_days


def test_a_chart_alarms_on_the_day_it_reaches_the_threshold() -> None:
    days = [FIRST + timedelta(days=each) for each in range(6)]
    made = chart.chart(days, FIRST, 12, 365)
    assert made.alarm_on == days[4]
    assert made.level == made.levels[-1]
    for wrong in ((days, FIRST, 0, 365), (days, LAST, 12, 365)):
        with pytest.raises(ValueError, match="event"):
            chart.chart(*wrong)


def test_eighty_charts_together_alarm_falsely_as_often_as_stated() -> None:
    rates = [(26 + 29 + 2451) / 80 / 365] * 80
    expected = chart.false_alarms_in_a_year(rates, 2.0, 3.0)
    assert expected == pytest.approx(2506 / chart.run_events(2.0, 3.0))
    assert 35 < expected < 38


# --- knox


def test_small_numbers_prove_nothing() -> None:
    made = knox.knox(
        [0, 0.3, 0.2, 5, 5.1, 9], [0, 0.1, 0.2, 5, 5.2, 0], [1, 4, 9, 2, 40, 100], near_km=0.5, near_days=14, seed=1
    )
    assert (made.both, made.in_space, made.in_time, made.pairs, made.expected) == (3, 4, 6, 15, 1.6)
    assert (made.p, made.exact) == (0.2, True)


def test_closeness_without_a_tie_shows_a_finding_within_the_bound(soak: bool) -> None:
    rng = np.random.default_rng(7)
    cities = 1000 if soak else 100
    false = 0
    for city in range(cities):
        x, y, day = rng.uniform(0, 20, 40), rng.uniform(0, 20, 40), rng.uniform(0, 365, 40)
        false += knox.knox(x, y, day, near_km=3, near_days=20, seed=city, runs=99).p <= 0.05
    assert false <= most_false(0.05, cities)


def test_a_planted_series_is_found_wherever_the_map_stands() -> None:
    rng = np.random.default_rng(8)
    x = np.r_[rng.uniform(0, 20, 40), rng.normal(5, 0.3, 8)]
    y = np.r_[rng.uniform(0, 20, 40), rng.normal(5, 0.3, 8)]
    day = np.r_[rng.uniform(0, 365, 40), rng.uniform(100, 110, 8)]
    made = knox.knox(x, y, day, near_km=1.5, near_days=14, seed=2)
    assert made.p == 0.001
    assert knox.knox(x + 100, -y, day[::1] + 7, near_km=1.5, near_days=14, seed=2) == made
    with pytest.raises(ValueError, match="as many"):
        knox.knox(x, y, day[1:], near_km=1, near_days=1, seed=1)


def test_positions_are_laid_out_in_kilometres() -> None:
    x, y = knox.plane_km([116.3975, 116.3468], [39.9087, 39.7181])
    assert math.hypot(x[0] - x[1], y[0] - y[1]) == pytest.approx(21.632, rel=1e-3)
    assert knox.plane_km([], [])[0].size == 0


# --- kulldorff


def test_the_ratio_of_the_book() -> None:
    assert float(kulldorff.llr(9, 3, 100)) == pytest.approx(4.07703, abs=5e-6)
    assert float(kulldorff.llr(4, 1.4208, 26)) == pytest.approx(1.70149, abs=1e-4)
    assert float(kulldorff.llr(2, 3, 100)) == 0
    assert float(kulldorff.llr(5, 3, 5)) == pytest.approx(5 * math.log(5 / 3))


def city(rng: np.random.Generator, areas: int = 25, periods: int = 12) -> tuple[Any, Any, Any, Any]:
    x, y = rng.uniform(0, 30, areas), rng.uniform(0, 30, areas)
    expected = np.tile(rng.gamma(2, 0.4, areas), (periods, 1))
    return x, y, expected, rng.poisson(expected)


def test_calm_cities_show_a_cluster_within_the_bound(soak: bool) -> None:
    rng = np.random.default_rng(9)
    cities = 500 if soak else 60
    false = 0
    for number in range(cities):
        x, y, expected, counts = city(rng)
        found = kulldorff.scan(counts, expected, x, y, seed=number, runs=39)
        false += found is not None and found.p <= 0.05
    assert false <= most_false(0.05, cities)


def test_a_planted_cluster_is_circled_whatever_the_scale_of_the_expected() -> None:
    rng = np.random.default_rng(10)
    x, y, expected, counts = city(rng)
    near = np.argsort(np.hypot(x - x[3], y - y[3]))[:4]
    counts[-3:, near] += 4
    found = kulldorff.scan(counts, expected, x, y, seed=1, runs=199)
    assert found is not None
    assert found.p == 1 / 200
    assert set(found.areas) & set(near.tolist())
    assert found.periods in (2, 3, 4)
    assert found.seen == counts[-found.periods :, list(found.areas)].sum()
    assert found.seen > found.expected
    assert float(kulldorff.llr(found.seen, found.expected, counts.sum())) == pytest.approx(found.llr)
    scaled = kulldorff.scan(counts, expected * 7, x, y, seed=1, runs=199)
    assert scaled is not None
    assert (scaled.areas, scaled.periods, scaled.p) == (found.areas, found.periods, found.p)


def test_scans_of_an_empty_and_of_a_broken_map() -> None:
    assert kulldorff.scan([[0, 0]], [[1.0, 1.0]], [0, 1], [0, 1], seed=1) is None
    alone = kulldorff.scan([[3, 0]], [[5.0, 0.1]], [0, 1], [0, 1], seed=1, runs=9)
    assert alone is not None
    for counts, expected in ([[[1, 0]], [[1.0]]], [[[1, -1]], [[1.0, 1.0]]], [[[1, 1]], [[1.0, 0.0]]]):
        with pytest.raises(ValueError, match="expect"):
            kulldorff.scan(counts, expected, [0, 1], [0, 1], seed=1)


# --- hidden

BOOK = {"111": 12, "110": 38, "101": 30, "100": 120, "011": 10, "010": 90, "001": 60}
SOURCES = ["检查", "热线", "报警"]


def counted(book: dict[str, int]) -> dict[tuple[bool, ...], int]:
    return {tuple(mark == "1" for mark in key): count for key, count in book.items()}


def test_three_sources_as_in_the_book() -> None:
    found = hidden.hidden(counted(BOOK), SOURCES)
    assert found is not None
    by_ties = {each.tied: each for each in found.models}
    independent = by_ties[()]
    assert (independent.estimate, independent.deviance, independent.aic) == pytest.approx(
        (625.8, 6.729, 52.85), abs=0.05
    )
    best = by_ties[(("检查", "热线"), ("检查", "报警"))]
    assert (best.estimate, best.aic) == pytest.approx((900.0, 50.47), abs=0.01)
    assert max(each.estimate for each in found.models) == pytest.approx(1042.1, abs=0.05)
    assert min(each.estimate for each in found.models) == pytest.approx(600, abs=0.05)
    assert found.estimate == best.estimate
    assert found.seen == 360
    assert found.low95 < 600 < 1042.2 < found.high95
    assert found.unseen_low == found.low95 - 360


def test_the_models_are_those_of_statsmodels() -> None:
    found = hidden.hidden(counted(BOOK), SOURCES)
    assert found is not None
    cells = sorted(counted(BOOK))
    seen = [counted(BOOK)[cell] for cell in cells]
    assert len(found.models) == 8
    for model in found.models:
        columns = [[1.0] * 7] + [[float(cell[i]) for cell in cells] for i in range(3)]
        columns += [[float(cell[SOURCES.index(a)] and cell[SOURCES.index(b)]) for cell in cells] for a, b in model.tied]
        if len(columns) == len(cells):
            continue  # as many effects as cells: nothing is left to fit, and the twin divides by zero
        twin = sm.GLM(seen, np.column_stack(columns), family=sm.families.Poisson()).fit()
        assert model.estimate - 360 == pytest.approx(math.exp(twin.params[0]), rel=1e-6)
        assert model.aic == pytest.approx(twin.aic, rel=1e-9)


def test_a_source_that_found_nothing_is_left_out() -> None:
    two = hidden.hidden(counted({"110": 50, "100": 150, "010": 100}), SOURCES)
    assert two is not None
    assert (two.seen, two.estimate) == (300, pytest.approx(594.118, abs=5e-4))
    assert hidden.hidden(counted({"100": 5}), SOURCES) is None
    assert hidden.hidden(counted({"100": 5, "010": 3}), SOURCES) is None
    for wrong in ({"000": 1}, {"10": 1}, {"100": -1}):
        with pytest.raises(ValueError, match="history"):
            hidden.hidden(counted(wrong), SOURCES)
    with pytest.raises(ValueError, match="sources"):
        hidden.hidden({}, ["a"])


def test_histories_count_by_source() -> None:
    made = hidden.histories([["检查"], ["检查", "热线"], ["检查", "检查"], [], ["暗访"]], SOURCES)
    assert made == {(True, False, False): 2, (True, True, False): 1}


def lists(rng: np.random.Generator, total: int, chances: list[float], tie: float = 0.0) -> dict[tuple[bool, ...], int]:
    """Hazards found by sources, independently, or (tie) the second more often where the first has found it."""
    found = rng.random((total, len(chances))) < np.array(chances)
    if tie:
        found[:, 1] |= found[:, 0] & (rng.random(total) < tie)
    made: dict[tuple[bool, ...], int] = {}
    for row in found[found.any(axis=1)]:
        key = tuple(bool(each) for each in row)
        made[key] = made.get(key, 0) + 1
    return made


@pytest.mark.parametrize("chances", [[0.3, 0.2], [0.3, 0.2, 0.15]], ids=["two sources", "three sources"])
def test_the_range_holds_the_truth_with_independent_sources(chances: list[float]) -> None:
    rng = np.random.default_rng(12)
    held = 0
    for _ in range(400):
        found = hidden.hidden(lists(rng, 600, chances), SOURCES[: len(chances)])
        held += found is not None and found.low95 <= 600 <= found.high95
    assert held >= 0.93 * 400


def test_with_tied_sources_two_lists_fall_short_as_the_documents_say() -> None:
    rng = np.random.default_rng(13)
    held = 0
    for _ in range(100):
        found = hidden.hidden(lists(rng, 600, [0.3, 0.2], tie=0.3), SOURCES[:2])
        held += found is not None and found.low95 <= 600 <= found.high95
    assert held <= 20


# --- the look, the founding year, the limits


def calm_city(rng: np.random.Generator, rates: dict[tuple[str, str], float]) -> list[Event]:
    made = []
    for (kind, area), rate in rates.items():
        days = spread(rng, int(rng.poisson(2 * rate)), LAST - timedelta(days=729), 730)
        made += [Event(kind, day, area) for day in days]
    return made


def test_a_calm_city_alarms_within_the_bounds_and_its_watches_are_as_many_as_stated(soak: bool) -> None:
    rng = np.random.default_rng(14)
    rates = {(kind, str(area)): float(rng.gamma(2, 8)) for kind in ("火灾", "燃气") for area in range(4)}
    years = 400 if soak else 25
    by_change = by_scan = watches = 0
    expected = 0.0
    for year in range(years):
        found = watch.look(calm_city(rng, rates), LAST, seed=year, runs=99)
        alarms = {each.method for each in found.warnings if each.level == "alarm"}
        by_change += "change" in alarms
        by_scan += "scan" in alarms
        watches += sum(each.method != "cusum" for each in found.warnings)
        expected += found.expected_false_watches
        assert 8 <= found.streams <= 10, "a stream without an event in two years is none"
    assert by_change <= most_false(0.05, years)
    assert by_scan <= most_false(0.05, years)
    assert watches <= stats.poisson.ppf(0.9999, expected)


def test_a_planted_rise_is_an_alarm_in_its_area_and_says_why() -> None:
    rng = np.random.default_rng(15)
    rows = calm_city(rng, {("火灾", str(area)): 30.0 for area in range(4)})
    rows += [Event("火灾", day, "2") for day in spread(rng, 60, LAST - timedelta(days=364))]
    found = watch.look(rows, LAST, seed=1, runs=99)
    assert ("change", "火灾", "2", "alarm") in {(w.method, w.kind, w.area, w.level) for w in found.warnings}
    assert ("cusum", "火灾", "2", "watch") in {(w.method, w.kind, w.area, w.level) for w in found.warnings}
    assert all(each.zh and each.en for each in found.warnings)
    assert found == watch.look(list(reversed(rows)), LAST, seed=1, runs=99)
    assert watch.look([], LAST, seed=1).warnings == ()


GRID = {f"1/{n:02d}/": (116.0 + 0.1 * (n % 4), 39.8 + 0.1 * (n // 4)) for n in range(16)}


def located(rng: np.random.Generator, kinds: int, rate: float) -> list[Event]:
    """Two years of events in the areas of a grid, each area with a usual number of its own, somewhere within it."""
    made = []
    for kind in range(kinds):
        for area, (lng, lat) in GRID.items():
            for day in spread(rng, int(rng.poisson(2 * rate * rng.gamma(2, 0.5))), LAST - timedelta(days=729), 730):
                made.append(Event(f"k{kind}", day, area, lng + 0.05 * rng.uniform(), lat + 0.05 * rng.uniform()))
    return made


def test_calm_maps_alarm_within_the_bounds(soak: bool) -> None:
    """Neighbouring areas differ and the season moves all of them: neither is a cluster."""
    rng = np.random.default_rng(21)
    looks = 200 if soak else 10
    by_method = {"knox": 0, "kulldorff": 0}
    for number in range(looks):
        found = watch.look(located(rng, 2, 6), LAST, seed=number, runs=99, positions=GRID)
        for each in found.warnings:
            if each.method in by_method and each.level == "alarm":
                by_method[each.method] += 1
        assert found.expected_false_watches >= 0.05 * 4
    assert max(by_method.values()) <= most_false(0.05, looks)


def test_a_season_that_all_areas_share_is_no_cluster_and_a_planted_one_is_circled() -> None:
    rng = np.random.default_rng(22)
    rows = located(rng, 1, 6)
    rows += [Event("k0", day, area) for area in GRID for day in spread(rng, 5, LAST - timedelta(days=40), 40)]
    assert not [w for w in watch.look(rows, LAST, seed=1, runs=199, positions=GRID).warnings if w.method == "kulldorff"]
    near = ["1/05/", "1/06/"]
    rows += [Event("k0", day, area) for area in near for day in spread(rng, 14, LAST - timedelta(days=27), 28)]
    names = {area: (f"甲{area}", f"A{area}") for area in GRID}
    (found,) = (
        w
        for w in watch.look(rows, LAST, seed=1, runs=199, positions=GRID, names=names).warnings
        if w.method == "kulldorff"
    )
    (span,) = found.counted
    assert set(near) <= set(span.areas)
    assert (found.level, found.area) == ("alarm", "")
    inside = [row for row in rows if row.area in span.areas and span.first <= row.on <= span.last]
    assert span.count == len(inside) >= 28
    assert "甲1/05/" in found.zh
    assert "A1/05/" in found.en


def test_a_series_nearby_is_found_and_every_number_names_its_events() -> None:
    rng = np.random.default_rng(23)
    rows = located(rng, 1, 6)
    for n in range(12):
        rows.append(Event("k0", LAST - timedelta(days=100 + n), "1/05/", 116.101 + n * 0.0005, 39.901))
    found = watch.look(rows, LAST, seed=1, runs=199, positions=GRID)
    assert "knox" in {each.method for each in found.warnings}
    for each in found.warnings:
        for span in each.counted:
            areas = set(span.areas) or ({each.area} if each.area else set(GRID))
            listed = [r for r in rows if r.kind == each.kind and r.area in areas and span.first <= r.on <= span.last]
            assert span.count == len(listed), (each.method, span)
    assert found == watch.look(list(reversed(rows)), LAST, seed=1, runs=199, positions=GRID)


def test_every_method_says_what_it_can_and_cannot_tell() -> None:
    assert set(LIMITS) == {"change", "scan", "cusum", "knox", "kulldorff", "hidden"}
    for each in LIMITS.values():
        assert all(getattr(each, name) for name in each.__slots__)

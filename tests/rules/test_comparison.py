"""Like cases compared: exact tests against known values, no effect gives no finding, a planted effect is found."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from anban.rules import comparison
from anban.rules.comparison import (
    FEWEST,
    Case,
    Comparison,
    Spell,
    blocks_by_side,
    compare,
    compare_each,
    compare_moves,
    discoveries,
    median,
    proportion,
)
from anban.rules.decision import UNDECIDED


def table(group: str, ours: tuple[int, int], rest: tuple[int, int]) -> list[Case]:
    """Cases of one 2×2 table: (with a measure, without) of the marked and of the others."""
    rows = []
    for marked, (hit, miss) in ((True, ours), (False, rest)):
        for measured, count in ((True, hit), (False, miss)):
            rows += [Case(f"{group}{marked}{measured}{n}", (group,), marked, measured, 0.0) for n in range(count)]
    return rows


def times(group: str, ours: list[float], rest: list[float]) -> list[Case]:
    return [
        Case(f"{group}{n}{marked}", (group,), marked, False, days)
        for marked, listed in ((True, ours), (False, rest))
        for n, days in enumerate(listed)
    ]


def test_one_table_is_fishers_exact_test() -> None:
    made = compare("x", "measure", table("a", (8, 2), (1, 9)))
    assert made.p == pytest.approx(0.005477, abs=1e-5)
    assert made.p == pytest.approx(stats.fisher_exact([[8, 2], [1, 9]]).pvalue)
    assert made.difference == pytest.approx(0.7)


@given(st.integers(0, 15), st.integers(0, 15), st.integers(0, 15), st.integers(0, 15))
def test_every_table_agrees_with_scipy(a: int, b: int, c: int, d: int) -> None:
    made = compare("x", "measure", table("a", (a, b), (c, d)))
    if a + b < FEWEST or c + d < FEWEST:
        assert made.p is None
    else:
        assert made.p == pytest.approx(stats.fisher_exact([[a, b], [c, d]]).pvalue, abs=1e-7)


def test_groups_are_never_mixed() -> None:
    """Within each group both sides are treated alike; taken together they would seem not to be (Simpson)."""
    cases = [*table("grave", (18, 2), (9, 1)), *table("slight", (1, 9), (2, 18))]
    assert stats.fisher_exact([[19, 11], [11, 19]]).pvalue < 0.08
    made = compare("x", "measure", cases)
    assert made.difference == pytest.approx(0.0)
    assert made.p == pytest.approx(1.0)


def test_several_tables_agree_with_a_counted_enumeration() -> None:
    """The exact probability equals that of dealing the marks anew in every way, counted by drawing many of them."""
    cases = [*table("a", (5, 1), (3, 5)), *table("b", (5, 1), (2, 6))]
    made = compare("x", "measure", cases)
    rng = random.Random(5)
    outcome, draws = [], 20_000
    for _ in range(draws):
        outcome.append(sum(sum(rng.sample(hits, 6)) for hits in ([1] * 8 + [0] * 6, [1] * 7 + [0] * 7)))
    counted = {k: outcome.count(k) / draws for k in set(outcome)}
    p = sum(share for k, share in counted.items() if share <= counted[10] * 1.05)
    assert made.p == pytest.approx(p, abs=0.015)


def test_times_agree_with_the_rank_test() -> None:
    ours = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    rest = [8, 9, 10, 11, 12, 13, 14, 15, 16, 17.5]
    made = compare("x", "time", times("a", [*map(float, ours)], [*map(float, rest)]), seed=3)
    exact = stats.mannwhitneyu(ours, rest, method="asymptotic", use_continuity=False).pvalue
    assert made.p is not None
    assert made.p == pytest.approx(exact, rel=0.6)
    assert made.difference is not None
    assert made.difference < 0
    assert made == compare("x", "time", times("a", [*map(float, ours)], [*map(float, rest)]), seed=3)


def test_the_ranks_are_dealt_from_the_first_look_on_and_from_seed_0_unless_told() -> None:
    # Both sides alike: every deal is at least as far apart as none at all, so the first forty looks decide.
    alike = [float(n) for n in range(12)]
    assert compare("x", "time", times("a", alike, alike)).p == 1.0
    # No deal is as far apart as what was seen: one chance in the looks and what was seen itself.
    assert compare("x", "time", times("a", alike, [n + 30 for n in alike])).p == 1 / 2000
    apart = times("a", alike, [n + 1.5 for n in alike])
    assert compare("x", "time", apart) == compare("x", "time", apart, seed=0)
    assert compare("x", "time", apart) != compare("x", "time", apart, seed=1)
    pairs = [("ab"[case.marked], case) for case in apart]
    assert list(compare_each("x", pairs)) == list(compare_each("x", pairs, seed=0))
    assert list(compare_each("x", pairs)) != list(compare_each("x", pairs, seed=1))


def test_all_at_the_horizon_tell_nothing_apart() -> None:
    assert compare("x", "time", times("a", [60.0] * 10, [60.0] * 10)).p == 1.0


@pytest.mark.parametrize(("ours", "rest"), [(9, 40), (40, 9), (0, 0)])
def test_few_cases_say_that_they_cannot_tell(ours: int, rest: int) -> None:
    made = compare("x", "measure", table("a", (ours, 0), (0, rest)))
    assert made.p is None
    said = made.decide(False)
    assert (said.outcome, said.reasons[0].zh) == (UNDECIDED, "不足以判断")


def test_each_side_against_the_others_in_one_pass_is_each_comparison_made_alone() -> None:
    rng = random.Random(9)
    pairs = [
        (rng.choice("abc"), Case(str(n), (str(n % 3),), False, rng.random() < 0.4, float(rng.randrange(60))))
        for n in range(90)
    ]
    for side, made in compare_each("body", pairs, seed=4):
        alone = [Case(c.key, c.group, own == side, c.measured, c.days) for own, c in pairs]
        assert made == compare(f"body:{side}", made.kind, alone, seed=4)


@pytest.mark.parametrize("kind", ["measure", "time"])
def test_large_samples_read_from_the_normal_law_agree_with_the_exact_and_the_dealt_anew(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(11)
    for lift in (0.0, 0.05, 0.1):
        cases = [
            Case(str(n), (str(n % 4),), n % 3 == 0, rng.random() < 0.4 + (lift if n % 3 == 0 else 0.0),
                 round(rng.expovariate(1 / 20) * (1 - lift if n % 3 == 0 else 1.0)))
            for n in range(900)
        ]  # fmt: skip
        made = {}
        for limit in (0, 10**9):
            monkeypatch.setattr(comparison, "LARGE", limit)
            monkeypatch.setattr(comparison, "LARGE_VARIANCE", float(limit))
            made[limit] = compare("x", kind, cases, seed=1)  # type: ignore[arg-type]
        read, counted = made[0].p, made[10**9].p
        assert read is not None
        assert counted is not None
        assert read == pytest.approx(counted, rel=0.5, abs=0.03)


def test_the_normal_law_has_the_mean_and_spread_of_dealing_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "LARGE", 0)
    monkeypatch.setattr(comparison, "LARGE_VARIANCE", 0.0)
    dealt = stats.hypergeom(20, 9, 10)
    made = compare("x", "measure", table("a", (8, 2), (1, 9)))
    assert made.p == pytest.approx(2 * stats.norm.sf((8 - dealt.mean() - 0.5) / dealt.std()), rel=1e-9)
    ours, rest = [float(n) for n in range(12)], [n + 3.5 for n in range(14)]
    made = compare("x", "time", times("a", ours, rest))
    exact = stats.mannwhitneyu(ours, rest, method="asymptotic", use_continuity=False).pvalue
    assert made.p == pytest.approx(exact, rel=1e-9)


def test_a_group_with_one_side_only_is_left_out() -> None:
    cases = [*table("both", (6, 6), (6, 6)), *table("ours", (40, 0), (0, 0))]
    pairs = [("marked" if case.marked else "", case) for case in cases]
    assert [each.n for each in blocks_by_side(pairs)["marked"]] == [24]
    assert compare("x", "measure", cases).marked == 12


def test_intervals_hold_their_estimate_and_are_silent_when_few() -> None:
    share = proportion(30, 100)
    low, high = stats.binomtest(30, 100).proportion_ci(method="wilson")
    assert (share.low, share.high) == pytest.approx((low, high), abs=1e-6)
    assert not proportion(3, 9).enough
    assert proportion(3, 9).value is None
    middle = median(range(1, 21))
    assert (middle.value, middle.low, middle.high) == (10.5, 6, 15)
    assert not median([1, 2]).enough


@given(st.lists(st.integers(0, 50), min_size=FEWEST, max_size=80))
def test_the_median_lies_in_its_interval(values: list[int]) -> None:
    made = median(values)
    assert made.low is not None
    assert made.high is not None
    assert made.value is not None
    assert made.low <= made.value <= made.high


def test_discoveries_follow_benjamini_and_hochberg() -> None:
    def one(name: str, p: float | None) -> Comparison:
        return Comparison(name, "measure", 10, 10, 0.1, p)

    listed = [one("a", 0.001), one("b", 0.018), one("c", 0.04), one("d", 0.9), one("e", None)]
    found = discoveries(listed)
    adjusted = stats.false_discovery_control([0.001, 0.018, 0.04, 0.9])
    assert [found[n, "measure"] for n in "abcd"] == [bool(p <= 0.04) for p in adjusted] == [True, True, False, False]
    assert found["e", "measure"] is False


def city(seed: int, effect: float = 0.0, *, bodies: int = 5, groups: int = 4, per_group: int = 60) -> list[Comparison]:
    """All comparisons of one city with marks dealt at random; ``effect`` lifts the share of measures under instruction."""
    rng = random.Random(seed)
    rows = []
    for group in range(groups):
        base = rng.uniform(0.2, 0.6)
        for n in range(per_group):
            noted = rng.random() < 0.25
            measured = rng.random() < min(0.95, base + (effect if noted else 0.0))
            days = min(60.0, rng.expovariate(1 / 20) * (0.4 if noted and effect else 1.0))
            rows.append((f"{group}-{n}", (str(group),), noted, rng.randrange(bodies), measured, round(days)))
    made = []
    for kind in ("measure", "time"):
        made.append(compare("instruction", kind, [Case(k, g, noted, m, d) for k, g, noted, _, m, d in rows], seed=seed))
        for body in range(bodies):
            cases = [Case(k, g, b == body, m, d) for k, g, _, b, m, d in rows]
            made.append(compare(f"body {body}", kind, cases, seed=seed + body))
    return made


def test_without_an_effect_at_most_one_city_in_twenty_has_a_finding(soak: bool) -> None:
    cities = 400 if soak else 60
    false = sum(any(discoveries(city(seed)).values()) for seed in range(cities))
    print(f"false findings: {false} of {cities} null cities")
    assert false / cities <= 0.05


def test_a_planted_effect_is_found_with_the_power_that_is_stated(soak: bool) -> None:
    """Thirty points more measures under instruction, 240 cases, a quarter of them noted: found in at least nine of ten."""
    cities = 100 if soak else 20
    found = sum(discoveries(city(1000 + seed, 0.30))["instruction", "measure"] for seed in range(cities))
    print(f"planted effect found: {found} of {cities}")
    assert found >= 0.9 * cities


def test_the_null_cities_would_notice_a_test_without_control() -> None:
    """The planted fault: comparisons taken one by one at five percent, not together."""
    loud = sum(any((each.p or 1) <= 0.05 for each in city(seed)) for seed in range(30))
    assert loud > 0.2 * 30


def test_moves_told_and_untold_agree_with_a_counted_product() -> None:
    """Ten told on day five that move one after the other before eleven untold: one order of moves in 21 over 10."""
    told = [Spell(("a",), 5.0, 8.0 + n / 10) for n in range(10)]
    left = [Spell(("a",), None, None) for _ in range(11)]
    early = [Spell(("a",), None, 1.0 + n) for n in range(2)]
    made = compare_moves("x", [*told, *left, *early], 60)
    assert (made.marked, made.others) == (10, 11)
    assert made.p == pytest.approx(1 / math.comb(21, 10), rel=1e-6)
    assert made.difference is not None
    assert 0.6 < made.difference < 0.7


def test_each_move_after_a_word_of_its_own_is_found_though_no_matter_stays_untold() -> None:
    made = compare_moves("x", [Spell(("a",), 19.0 + n, 22.0 + n) for n in range(12)], 60)
    assert (made.marked, made.others) == (12, 9)
    assert made.p is None
    made = compare_moves("x", [Spell(("a",), 19.0 + n, 22.0 + n) for n in range(14)], 60)
    assert made.p is not None
    assert made.p < 0.001


def test_waiting_for_the_word_is_no_effect_of_it() -> None:
    """Matters move alike, told or not; whoever waits longer is told oftener. Taken as they end, they would seem to differ."""
    rng = random.Random(3)
    false = naive = 0
    for _ in range(200):
        spells = []
        for _ in range(60):
            moved = rng.expovariate(1 / 20)
            told = rng.expovariate(1 / 25)
            spells.append(Spell((str(rng.randrange(2)),), told, moved if moved < 60 else None))
        made = compare_moves("x", spells, 60)
        assert made.p is not None
        false += made.p < 0.05
        ends = [Case("", each.group, each.prompted, False, each.end(60)) for each in spells]
        naive += (compare("x", "time", ends).p or 1) < 0.05
    assert false <= 17
    assert naive > 150


@pytest.mark.parametrize("pull", [1.0, 0.75])
def test_many_moves_read_from_the_normal_law_agree_with_the_exact(pull: float, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(8)
    spells = []
    for n in range(500):
        told, wait = rng.uniform(0, 30) if n % 2 else None, rng.expovariate(1 / 30)
        spells.append(Spell((str(n % 3),), told, wait if told is None or wait < told else told + (wait - told) * pull))
    read = compare_moves("x", spells, 60).p
    monkeypatch.setattr(comparison, "MOVES_VARIANCE", 1e9)
    assert read == pytest.approx(compare_moves("x", spells, 60).p, rel=0.2, abs=0.01)

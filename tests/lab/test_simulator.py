"""The simulator agrees with mathematics, gives every policy the same luck, shows no policy the truth, and lets estimators find it again."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anban.lab import policies
from anban.lab.closed_forms import checks, cycle_shares, daily_shares
from anban.lab.comparison import Interval, compare, is_sound
from anban.lab.policies import POLICIES, Policy, Today, choose
from anban.lab.records import PRIOR_DAYS, PRIOR_FINDS, rate_levels
from anban.lab.scoring import Formalism, blind_detection, blind_rounds, formalism, led_share, mean_rate
from anban.lab.setting import SCENARIOS, Setting
from anban.lab.world import Log, Outcome, World
from anban.rules.errors import Refusal

SMALL = Setting(sites=800, visits_a_day=4, days=730)


def world(policy: str = "random", seed: int = 0, scenario: str = "base", **more: object) -> World:
    changes = SCENARIOS[scenario].changes
    return World(SMALL.with_values(changes), SCENARIOS[scenario], POLICIES[policy], seed, **more)  # type: ignore[arg-type]


def test_closed_forms_hold() -> None:
    held = checks(sites=2000, days=1000, seeds=2)
    assert len(held) == 4
    assert all(each.holds for each in held), held


def test_closed_forms_catch_a_simulator_whose_visits_see_less(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = World.run
    monkeypatch.setattr(
        World, "run", lambda self, **how: whole(replace(self, setting=replace(self.setting, detection=0.5)), **how)
    )
    assert not all(each.holds for each in checks(sites=2000, days=1000, seeds=2))


def test_shares_of_continuous_time_are_those_of_the_reference() -> None:
    assert cycle_shares(1 / 200, 1 / 90, 0.7, 1 / 15, 0.2) == pytest.approx([0.527059, 0.423529, 0.049412], abs=1e-6)
    assert cycle_shares(1 / 200, 1 / 90, 0.7, 1 / 15, 0.0) == pytest.approx([0.582121, 0.374220, 0.043659], abs=1e-6)


def test_daily_chain_tends_to_continuous_time() -> None:
    fine = daily_shares(1e-4, 1e-4, 0.7, 1e-3, 0.2)
    assert fine == pytest.approx(cycle_shares(1e-4, 1e-4, 0.7, 1e-3, 0.2), abs=1e-3)


def test_same_policy_with_other_luck_does_not_differ() -> None:
    same = compare(SMALL, policies=("random",), seeds=5)
    assert is_sound([same.same_p_value])
    assert same.same_against_same.high95 > same.same_against_same.low95


def test_other_policy_does_not_pass_for_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = World.run

    def drifting(self: World, *, noise: int = 0) -> Outcome:
        return whole(replace(self, policy=POLICIES["oldest"]) if noise else self, noise=noise)

    monkeypatch.setattr(World, "run", drifting)
    assert not is_sound([compare(SMALL, policies=("random",), seeds=5).same_p_value])


def test_two_policies_meet_the_same_births() -> None:
    logs = [Log(), Log()]
    for log, policy in zip(logs, ("none", "none"), strict=True):
        world(policy, log=log).run()
    assert logs[0].born == logs[1].born
    nothing, random = (World(SMALL, SCENARIOS["base"], POLICIES[name], 3) for name in ("none", "random"))
    assert np.array_equal(nothing.city.rate_a_day, random.city.rate_a_day)


def test_ours_averts_a_quarter_more_than_random_and_no_less_than_the_index() -> None:
    rows = {row.policy: row for row in compare(Setting(sites=2500, visits_a_day=10), policies=("ours",), seeds=4).rows}
    assert rows["ours"].averted_vs_random_pct.low95 > 25
    assert rows["ours"].hidden_vs_index.low95 <= 0
    assert rows["ours"].hidden_vs_index.mean < 0.03 * rows["index"].outcome.hidden_per_site_year
    assert rows["none"].outcome.visits == 0
    assert rows["random"].outcome.visits == rows["ours"].outcome.visits


def test_visiting_past_violators_only_is_worse_than_chance() -> None:
    rows = {row.policy: row for row in compare(SMALL, policies=("violators_first",), seeds=3).rows}
    assert rows["violators_first"].hidden_vs_random_pct.low95 > 0
    assert rows["violators_first"].outcome.long_unseen_share > 0.5


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_only_the_bound_looks_at_the_true_rates(name: str) -> None:
    known = world().records
    today = Today(3, known, np.random.default_rng(1), np.linspace(1e-4, 1e-2, known.weight.size))
    blind = Today(3, known, np.random.default_rng(1), np.full(known.weight.size, np.nan))
    with np.errstate(invalid="ignore"):
        alike = np.array_equal(POLICIES[name].score(today), POLICIES[name].score(blind))
    assert alike is not POLICIES[name].bound


def test_our_policy_keeps_a_share_of_random_visits() -> None:
    records = world().records
    fixed = Policy(
        "", "", lambda today: -np.arange(today.records.weight.size, dtype=float), random_share=policies.RANDOM_SHARE
    )
    by_lot = [
        int((choose(fixed, Today(0, records, np.random.default_rng(seed), records.weight), 100) >= 100).sum())
        for seed in range(200)
    ]
    assert 0.03 < np.mean(by_lot) / 100 < 0.07


@pytest.mark.parametrize("budget", [1, 7, 800, 5000])
def test_choice_is_of_the_highest_and_never_twice(budget: int) -> None:
    records = world().records
    plain = Policy("", "", lambda today: np.arange(today.records.weight.size, dtype=float))
    chosen = choose(plain, Today(0, records, np.random.default_rng(0), records.weight), budget)
    assert sorted(chosen) == list(range(max(0, 800 - budget), 800))


def test_rate_levels_have_the_priors_mean() -> None:
    assert rate_levels().mean() == pytest.approx(PRIOR_FINDS / PRIOR_DAYS)
    assert (np.diff(rate_levels()) > 0).all()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=12))
def test_interval_holds_its_mean(values: list[float]) -> None:
    made = Interval.of(values)
    assert made.low95 <= made.mean <= made.high95


def test_one_run_alone_has_no_interval() -> None:
    assert Interval.of([3.0]) == Interval(3.0, -math.inf, math.inf)
    assert not Interval.of([3.0]).tells


def test_campaign_spends_the_same_visits_and_leaves_more_hidden() -> None:
    steady, campaign = (
        [World(SMALL, SCENARIOS[name], POLICIES["index"], seed).run() for seed in range(2)]
        for name in ("base", "campaign")
    )
    for one, other in zip(steady, campaign, strict=True):
        assert other.visits == pytest.approx(one.visits, rel=0.02)
        assert other.hidden_per_site_year > one.hidden_per_site_year


def test_visits_that_only_follow_instructions_leave_more_hidden() -> None:
    """As many visits in the end, all where the news was; everywhere else nobody comes."""
    free, led = world(), world(scenario="instructed")
    ours, theirs = free.run(), led.run()
    assert theirs.visits >= 0.85 * ours.visits
    assert led.led_visits == theirs.visits
    assert theirs.hidden_per_site_year > 1.1 * ours.hidden_per_site_year
    assert theirs.long_unseen_share > ours.long_unseen_share


@pytest.mark.parametrize("planted", [0.0, 0.5, 1.0])
def test_the_share_of_visits_that_follow_instructions_is_recovered(planted: float) -> None:
    log = Log()
    setting = SMALL.with_values({"led_share": planted or 1e-9})
    one = World(setting, SCENARIOS["base"], POLICIES["random"], 3, log=log)
    one.run()
    found = led_share(one)
    assert log.instructed
    assert found.estimate == pytest.approx(found.truth, abs=0.06)
    assert found.low95 - 0.02 <= found.truth <= found.high95 + 0.02
    assert found.truth == pytest.approx(planted, abs=0.12)


def test_closing_without_fixing_shows_in_the_measure() -> None:
    honest, gaming = (World(SMALL.with_values(SCENARIOS[name].changes), SCENARIOS[name], POLICIES["random"], 1).run() for name in ("base", "false_closing"))  # fmt: skip
    assert gaming.hidden_per_site_year > honest.hidden_per_site_year
    assert gaming.rebound_days > honest.rebound_days


def test_too_few_acceptors_leave_a_backlog() -> None:
    slow = SMALL.with_values({"acceptances_a_day": 1})
    assert World(slow, SCENARIOS["base"], POLICIES["oldest"], 1).run().backlog > 5
    assert world("oldest", 1).run().backlog == 0


def test_detection_and_rate_are_recovered() -> None:
    covered = 0
    for seed in range(4):
        one = world("random", seed, learn=True)
        one.run()
        rate = mean_rate(one, resamples=60)
        assert rate.estimate == pytest.approx(rate.truth, rel=0.5)
        covered += blind_detection(one, places=400, seed=seed).covers + rate.covers
    assert covered >= 6


def test_blind_rounds_cross_and_dependence_hides_what_is_unseen() -> None:
    one = world()
    one.run()
    free = [blind_rounds(one, share=0.4, seed=seed) for seed in range(60)]
    bound = [blind_rounds(one, share=0.4, follows=0.6, seed=seed) for seed in range(60)]

    def chapman(each: list) -> float:  # type: ignore[type-arg]
        return float(np.mean([(u.first + 1) * (u.second + 1) / (u.both + 1) - 1 for u in each]))

    assert chapman(free) == pytest.approx(free[0].truth, rel=0.05)
    assert chapman(bound) < 0.8 * bound[0].truth


def test_inspectors_who_fake_are_told_from_honest_ones() -> None:
    found: list[Formalism] = []
    for seed in range(3):
        one = World(
            Setting(sites=1500, visits_a_day=8, days=900, faking_share=0.1), SCENARIOS["base"], POLICIES["random"], seed, log=Log()
        )  # fmt: skip
        one.run()
        found.append(formalism(one))
    assert min(each.auc for each in found) > 0.95
    assert sum(each.falsely_accused for each in found) == 0
    assert sum(each.accused for each in found) >= sum(each.faking for each in found) - 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"detection": 1.2}, "detection"), ({"sites": float("nan")}, "sites"), ({"days": 60, "burn_in_days": 60}, "burn_in_days"), ({"luck": 1}, "luck")],
)  # fmt: skip
def test_impossible_setting_is_refused_by_name(changes: dict[str, float], field: str) -> None:
    with pytest.raises(Refusal) as refused:
        Setting().with_values(changes)
    assert refused.value.field == field


def test_unknown_policy_and_scenario_are_refused() -> None:
    for how in ({"policies": ("magic",)}, {"world": "magic"}, {"seeds": 0}):
        with pytest.raises(Refusal):
            compare(SMALL, **how)  # type: ignore[arg-type]

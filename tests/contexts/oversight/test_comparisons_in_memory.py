"""The finder on cities that only exist in memory: how often it cries where all are treated alike, and what it finds where one is not."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from scipy.stats import beta

from anban.contexts.oversight.queries.likes import Dealt, compared, group_of

AT, ON = datetime(2026, 3, 2, 1, tzinfo=UTC), date(2026, 3, 2)
KINDS = ("catering", "school", "elderly_care", "group_let")
FIRMS = {"district": 55, "city": 15, "central": 15, "village": 15}
STREETS, HORIZON = 6, 60
CASES = 240
LIFT, NOTED = 0.4, 0.25
TEAM = 2
BODY = str(UUID(int=TEAM + 1))


def city(seed: int, *, cases: int = CASES, idle: bool = False, dependent: bool = False) -> set[tuple[str, str]]:
    """Return what the finder finds in a city in which nothing, or one team's idleness or dependence, was planted."""
    rng = random.Random(seed)
    base = {kind: rng.uniform(0.25, 0.6) for kind in KINDS}
    rows = []
    for number in range(cases):
        kind, team = rng.choice(KINDS), rng.randrange(STREETS)
        firm = rng.choices(list(FIRMS), weights=list(FIRMS.values()))[0]
        at = AT + timedelta(days=rng.uniform(0, 60))
        told, first = rng.random() < NOTED, rng.uniform(0.5, 6)
        share = base[kind] * (0.35 if idle and team == TEAM else 1.0) + (LIFT if idle and told else 0.0)
        waits = dependent and team == TEAM
        if waits:
            share = 0.9 if told else 0.05
        moved = None
        if rng.random() < share:
            after = first + 7 if told and (idle or waits) else 0.0
            moved = at + timedelta(days=after + min(50.0, rng.expovariate(1 / 15)))
        body, on = UUID(int=team + 1), ON + timedelta(days=(at - AT).days)
        rows.append(
            Dealt(
                UUID(int=number + 100), group_of("GAS", kind, "general", on), f"1/05/{team}/", on, body, "street_enforcement",
                body, firm, at, moved, moved, at + timedelta(days=first) if told else None, moved is not None, False, False,
                Decimal(0),
            )
        )  # fmt: skip
    return {(one.what, one.key) for one in compared(rows, HORIZON) if one.found}


def between(hits: int, n: int) -> str:
    """Say a share with its exact two-sided 95 % interval (Clopper and Pearson 1934)."""
    low = float(beta.ppf(0.025, hits, n - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, n - hits)) if hits < n else 1.0
    return f"{hits} of {n}: {hits / n:.1%} ({low:.1%} to {high:.1%})"


def test_cities_that_treat_all_alike_give_findings_in_at_most_one_of_twenty(soak: bool) -> None:
    cities = 2000 if soak else 60
    found = [city(seed) for seed in range(cities)]
    print("false findings", between(sum(map(bool, found)), cities))
    print("of dependence", between(sum("dependence" in {what for what, _ in one} for one in found), cities))
    assert sum(map(bool, found)) <= (0.05 * cities if soak else 8)


@pytest.mark.parametrize(("cases", "least"), [(240, 0.55), (480, 0.85)])
def test_an_idle_team_is_found_the_surer_the_more_cases_a_look_holds(cases: int, least: float, soak: bool) -> None:
    cities = 400 if soak else 20
    found = [city(1000 + seed, cases=cases, idle=True) for seed in range(cities)]
    hits = sum(("body", BODY) in one for one in found)
    print(f"idle team, {cases} cases", between(hits, cities))
    assert hits >= (least if soak else least - 0.25) * cities
    assert sum(("instruction", "") in one for one in found) >= 0.9 * cities


@pytest.mark.parametrize(("cases", "least"), [(240, 0.4), (480, 0.85)])
def test_a_dependent_team_is_found_once_ten_of_its_matters_were_told(cases: int, least: float, soak: bool) -> None:
    cities = 400 if soak else 20
    hits = sum(("dependence", BODY) in city(5000 + seed, cases=cases, dependent=True) for seed in range(cities))
    print(f"dependent team, {cases} cases", between(hits, cities))
    assert hits >= (least if soak else least - 0.25) * cities

"""Every state with every action, the invariants of the two chains, and random lives that must keep them."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anban.rules import hazard_lifecycle as life
from anban.rules.errors import Refusal
from anban.rules.hazard_lifecycle import (
    TABLE,
    Action,
    Chain,
    Facts,
    Grade,
    Listing,
    Outcome,
    Role,
    State,
    Track,
)
from anban.rules.lifecycle_table import PENALTIES

CASES = list(
    csv.DictReader((Path(__file__).parent / "cases" / "lifecycle.csv").read_text(encoding="utf-8").splitlines())
)
STATES: tuple[State | None, ...] = (None, *State)
MAJOR_GRADES = frozenset(Grade) - {Grade.GENERAL}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['state'] or 'start'}-{case['action']}-{case['note']}")
def test_target_follows_the_cases(case: dict[str, str]) -> None:
    state = State(case["state"]) if case["state"] else None
    facts = Facts(listing=Listing(case["listing"] or "not_listed"))
    assert life.target(state, Action(case["action"]), facts, verdict=case["verdict"] or None) == State(case["to"])


@pytest.mark.parametrize(("state", "action"), list(product(STATES, Action)))
def test_every_state_with_every_action_is_a_row_or_a_refusal(state: State | None, action: Action) -> None:
    if (state, action) not in TABLE:
        with pytest.raises(Refusal) as refusal:
            life.step(state, action)
        assert refusal.value.code == "hazard.action_not_allowed"
        assert action.zh in str(refusal.value)
        assert life.allowed_actions(state, frozenset(Role), Facts()).count(action) == 0
        return
    step = life.step(state, action)
    reached = life.targets(state, action)
    assert step.action is action
    assert step.zh
    assert step.en
    assert bool(step.roles) != step.automatic
    assert reached
    assert step.parallel == (reached == {state})
    assert state is None or state in life.OPEN or step.parallel or step.new_cycle
    if state is not None and step.remembers:
        assert reached == {State.AWAITING_RECEIPT}
    if action in PENALTIES:
        assert reached == {state}
    if State.CLOSED in reached and state is not State.CLOSED:
        assert action in {Action.REVIEW, Action.ACCEPT, Action.FIX_ON_SPOT, Action.DELIST}
    if State.GONE in reached:
        assert action is Action.REPORT_GONE
        assert "on_site" in step.needs


def test_only_four_actions_close_and_only_from_their_states() -> None:
    closing = {
        (state, action)
        for state, action in TABLE
        if state is not State.CLOSED and State.CLOSED in life.targets(state, action)
    }
    assert closing == {
        (State.UNVERIFIED, Action.FIX_ON_SPOT),
        (State.RECTIFYING, Action.FIX_ON_SPOT),
        (State.RECTIFYING, Action.REVIEW),
        (State.AWAITING_REVIEW, Action.REVIEW),
        (State.AWAITING_ACCEPTANCE, Action.ACCEPT),
        (State.ACCEPTANCE, Action.ACCEPT),
        (State.DELISTING, Action.DELIST),
    }


@pytest.mark.parametrize("grade", sorted(MAJOR_GRADES))
def test_nothing_graver_than_general_is_fixed_on_the_spot(grade: Grade) -> None:
    for state in State:
        assert Action.FIX_ON_SPOT not in life.allowed_actions(state, frozenset(Role), Facts(grade=grade))
    assert not any((state, Action.FIX_ON_SPOT) in TABLE for state in life.order_of_chain(Chain.MAJOR))
    with pytest.raises(Refusal) as refusal:
        life.permitted_step(State.UNVERIFIED, Action.FIX_ON_SPOT, {Role.ENFORCER}, Facts(grade=grade))
    assert refusal.value.code == "hazard.grade_forbids"


def roles_of(action: Action) -> set[frozenset[Role]]:
    return {step.roles for (_, each), step in TABLE.items() if each is action}


def test_two_signatures_the_department_accepts_and_the_listing_body_delists() -> None:
    assert roles_of(Action.DELIST) == {frozenset({Role.LISTING_BODY})}
    assert roles_of(Action.LIST) == {frozenset({Role.LISTING_BODY})}
    assert TABLE[State.ACCEPTANCE, Action.ACCEPT].roles == {Role.ACCEPTANCE_LEAD}


def test_streets_and_committee_offices_never_judge() -> None:
    assert roles_of(Action.JUDGE) == {frozenset({Role.SECTOR_OFFICER, Role.SPECIAL_OFFICER})}


def test_only_the_enforcer_orders_and_the_rectifier_never_reviews() -> None:
    assert roles_of(Action.ORDER) == {frozenset({Role.ENFORCER})}
    assert roles_of(Action.REVIEW) == {frozenset({Role.REVIEWER})}
    street = {Role.TERRITORY_OFFICER}
    ordered, advised = Facts(track=Track.ORDERED), Facts(track=Track.ADVISED)
    assert Action.REVIEW not in life.allowed_actions(State.AWAITING_REVIEW, street, ordered)
    assert Action.REVIEW in life.allowed_actions(State.AWAITING_REVIEW, street, advised)


def test_suspecting_is_possible_for_anyone_in_every_open_general_state() -> None:
    for state in life.order_of_chain(Chain.GENERAL):
        if life.is_open(state):
            assert life.target(state, Action.SUSPECT, Facts()) is State.SUSPECTED
            assert life.step(state, Action.SUSPECT).roles == frozenset(Role)


def test_securing_is_possible_in_every_open_state() -> None:
    assert {state for state, action in TABLE if action is Action.SECURE} == life.OPEN


def successors(state: State | None) -> set[State]:
    return {each for origin, action in TABLE if origin is state for each in life.targets(origin, action)}


def reachable(start: State | None) -> set[State]:
    seen: set[State] = set()
    queue: list[State | None] = [start]
    while queue:
        for each in successors(queue.pop()) - seen:
            seen.add(each)
            queue.append(each)
    return seen


def test_every_state_is_reachable() -> None:
    assert reachable(None) == set(State)


@pytest.mark.parametrize("state", sorted(life.OPEN))
def test_every_open_state_has_a_way_out(state: State) -> None:
    assert reachable(state) & life.FINAL
    assert successors(state) - {state}


def test_final_states_are_left_by_a_rebound_only() -> None:
    leaving = {(state, action) for (state, action), step in TABLE.items() if state in life.FINAL and not step.parallel}
    assert leaving == {(State.CLOSED, Action.REBOUND)}
    assert TABLE[State.CLOSED, Action.REBOUND].new_cycle


def test_every_action_state_and_role_is_used() -> None:
    assert {action for _, action in TABLE} == set(Action)
    used: set[Role] = set()
    for (_, action), step in TABLE.items():
        if action not in {Action.ENTER, Action.REBOUND, Action.SUSPECT}:
            used |= step.roles
    assert set(Role) - used == {Role.FINDER, Role.TENANT}


def test_ids_are_those_of_the_field() -> None:
    assert [str(each) for each in life.order_of_chain(Chain.GENERAL)] == (
        [
            "unverified",
            "awaiting_receipt",
            "rectifying",
            "awaiting_review",
            "awaiting_acceptance",
            "closed",
            "not_founded",
            "merged",
            "gone",
        ]
    )
    assert [str(each) for each in life.order_of_chain(Chain.MAJOR)] == (
        [
            "suspected",
            "judged",
            "plan_due",
            "plan_review",
            "treating",
            "self_assessed",
            "acceptance",
            "delisting",
            "closed",
            "downgraded",
        ]
    )
    assert {*life.order_of_chain(Chain.GENERAL), *life.order_of_chain(Chain.MAJOR)} == set(State)
    assert State("closed").zh == "已销号"
    assert life.label(State.CLOSED, Chain.MAJOR)[0] == "已核销（销号）"


def test_receipt_and_return_restore_the_state_before_the_hand_over() -> None:
    for prior in life.targets(State.AWAITING_RECEIPT, Action.RECEIVE):
        for action in (Action.RECEIVE, Action.SEND_BACK):
            assert life.target(State.AWAITING_RECEIPT, action, Facts(prior=prior)) is prior
    for wrong in (None, State.CLOSED, State.AWAITING_RECEIPT, State.DELISTING):
        with pytest.raises(Refusal) as refusal:
            life.target(State.AWAITING_RECEIPT, Action.RECEIVE, Facts(prior=wrong))
        assert refusal.value.code == "hazard.prior_state_missing"


def test_a_major_matter_on_its_way_is_neither_merged_nor_suspected_again() -> None:
    everyone = frozenset(Role)
    on_its_way = Facts(chain=Chain.MAJOR, grade=Grade.MAJOR, prior=State.TREATING)
    found = set(life.allowed_actions(State.AWAITING_RECEIPT, everyone, on_its_way))
    assert found.isdisjoint({Action.MERGE, Action.SUSPECT, Action.REPORT_GONE})
    assert {Action.MERGE, Action.SUSPECT} <= set(life.allowed_actions(State.AWAITING_RECEIPT, everyone, Facts()))


def refused(state: State, action: Action, roles: Iterable[Role] | None, facts: Facts) -> str:
    with pytest.raises(Refusal) as refusal:
        life.permitted_step(state, action, None if roles is None else frozenset(roles), facts)
    assert refusal.value.zh != refusal.value.en
    return refusal.value.code


@pytest.mark.parametrize(
    ("state", "action", "roles", "facts", "code"),
    [
        (State.AWAITING_RECEIPT, Action.SEND_BACK, Role, Facts(designated=True), "hazard.designated_cannot_return"),
        (State.RECTIFYING, Action.REFUSE_EXTENSION, Role, Facts(), "hazard.extension_not_requested"),
        (State.RECTIFYING, Action.RELEASE, Role, Facts(), "hazard.not_secured"),
        (State.JUDGED, Action.NAME_BODY, Role, Facts(chain=Chain.MAJOR), "hazard.not_ownerless"),
        (State.JUDGED, Action.LIST, Role, Facts(chain=Chain.MAJOR, listing=Listing.CITY), "hazard.already_listed"),
        (State.RECTIFYING, Action.ORDER, [Role.TERRITORY_OFFICER], Facts(), "hazard.role_missing"),
        (State.RECTIFYING, Action.EXPIRE, Role, Facts(), "hazard.role_missing"),
        (State.RECTIFYING, Action.REVIEW, None, Facts(), "hazard.role_missing"),
        (State.RECTIFYING, Action.EXPIRE, None, Facts(track=Track.SELF_CHECK), "hazard.track_forbids"),
        (State.RECTIFYING, Action.APPLY, Role, Facts(track=Track.ORDERED), "hazard.track_forbids"),
        (State.RECTIFYING, Action.FIX_ON_SPOT, Role, Facts(track=Track.ORDERED), "hazard.track_forbids"),
        (State.RECTIFYING, Action.WAIVE, Role, Facts(grade=Grade.UNDETERMINED), "hazard.grade_forbids"),
        (State.CLOSED, Action.WAIVE, Role, Facts(chain=Chain.MAJOR), "hazard.action_not_allowed"),
    ],
)
def test_permitted_step_names_what_hinders(
    state: State, action: Action, roles: Iterable[Role] | None, facts: Facts, code: str
) -> None:
    assert refused(state, action, roles, facts) == code


def test_the_system_may_only_let_time_run_out() -> None:
    assert life.permitted_step(State.RECTIFYING, Action.EXPIRE, None, Facts(track=Track.ORDERED)).automatic
    assert {action for (_, action), step in TABLE.items() if step.automatic} == {
        Action.EXPIRE,
        Action.RETURN_UNSIGNED,
    }
    assert life.permitted_step(State.AWAITING_RECEIPT, Action.RETURN_UNSIGNED, None, Facts()).automatic


def test_a_listed_plan_is_approved_by_the_listing_body_alone() -> None:
    plain = Facts(chain=Chain.MAJOR, grade=Grade.MAJOR)
    listed = replace(plain, listing=Listing.DISTRICT)
    department, body = {Role.SPECIAL_OFFICER}, {Role.LISTING_BODY}
    assert Action.APPROVE_PLAN in life.allowed_actions(State.PLAN_REVIEW, department, plain)
    assert Action.APPROVE_PLAN not in life.allowed_actions(State.PLAN_REVIEW, department, listed)
    assert Action.APPROVE_PLAN in life.allowed_actions(State.PLAN_REVIEW, body, listed)


def test_missing_needs_adds_the_listing_bodys_consent() -> None:
    step = life.step(State.TREATING, Action.EXTEND)
    given_facts = {"due_on", "reason"}
    assert life.missing_needs(step, given_facts, Facts()) == ("interim_control",)
    assert life.missing_needs(step, given_facts, Facts(listing=Listing.CITY)) == ("interim_control", "listing_consent")


def test_verdict_must_be_one_of_the_choices() -> None:
    for wrong in (None, "", "listed"):
        with pytest.raises(Refusal) as refusal:
            life.target(State.AWAITING_REVIEW, Action.REVIEW, Facts(), verdict=wrong)
        assert refusal.value.code == "hazard.verdict_unknown"
        assert "passed" in str(refusal.value)


def test_without_a_standard_the_grade_is_undetermined_never_general() -> None:
    assert life.grade_after(Action.JUDGE, Grade.SUSPECTED_MAJOR, verdict=None) is Grade.UNDETERMINED
    assert life.grade_after(Action.JUDGE, Grade.SUSPECTED_MAJOR, verdict="undetermined") is Grade.UNDETERMINED
    assert life.grade_after(Action.JUDGE, Grade.SUSPECTED_MAJOR, verdict="general") is Grade.GENERAL
    assert life.grade_after(Action.REVIEW, Grade.MAJOR) is Grade.MAJOR
    assert life.grade_after(Action.VERIFY, Grade.GENERAL, verdict="suspected") is Grade.SUSPECTED_MAJOR
    assert life.grade_after(Action.VERIFY, Grade.GENERAL, verdict="founded") is Grade.GENERAL
    assert life.grade_after(Action.REVIEW, Grade.GENERAL, verdict="suspected") is Grade.GENERAL


@pytest.mark.parametrize(
    ("action", "arrived", "before", "after"),
    [
        (Action.REPORT_GONE, State.GONE, Outcome.NONE, Outcome.GONE),
        (Action.ENTER, State.RECTIFYING, Outcome.NONE, Outcome.NONE),
        (Action.REBOUND, State.RECTIFYING, Outcome.RECTIFIED, Outcome.NONE),
        (Action.DOWNGRADE, State.DOWNGRADED, Outcome.NONE, Outcome.DOWNGRADED),
        (Action.REVIEW, State.CLOSED, Outcome.NONE, Outcome.RECTIFIED),
        (Action.DELIST, State.CLOSED, Outcome.GONE, Outcome.GONE),
        (Action.SAMPLE, State.CLOSED, Outcome.NONE, Outcome.NONE),
        (Action.FILE_CASE, State.CLOSED, Outcome.NONE, Outcome.NONE),
        (Action.VERIFY, State.NOT_FOUNDED, Outcome.NONE, Outcome.NOT_FOUNDED),
        (Action.MERGE, State.MERGED, Outcome.NONE, Outcome.MERGED),
        (Action.PROGRESS, State.TREATING, Outcome.GONE, Outcome.GONE),
    ],
)
def test_outcome_changes_with_what_ended_it(action: Action, arrived: State, before: Outcome, after: Outcome) -> None:
    assert life.outcome_after(action, arrived, before) is after


def test_track_changes_with_orders_and_advice() -> None:
    assert life.track_after(Action.ORDER, Track.SELF_CHECK, Chain.GENERAL) is Track.ORDERED
    assert life.track_after(Action.ADVISE, None, Chain.GENERAL) is Track.ADVISED
    assert life.track_after(Action.ADVISE, Track.ORDERED, Chain.GENERAL) is Track.ORDERED
    assert life.track_after(Action.FIX_ON_SPOT, None, Chain.GENERAL) is Track.ON_SPOT
    assert life.track_after(Action.REVIEW, Track.ADVISED, Chain.GENERAL) is Track.ADVISED


def test_listing_is_named_raised_and_ended_by_the_listing_body() -> None:
    assert life.listing_after(Action.PROPOSE_LIST, Listing.NOT_LISTED) is Listing.PROPOSED
    assert life.listing_after(Action.LIST, Listing.PROPOSED, level=Listing.DISTRICT) is Listing.DISTRICT
    assert life.listing_after(Action.LIST, Listing.DISTRICT, level=Listing.CITY) is Listing.CITY
    assert life.listing_after(Action.DELIST, Listing.CITY) is Listing.DELISTED
    assert life.listing_after(Action.DOWNGRADE, Listing.DISTRICT) is Listing.DELISTED
    assert life.listing_after(Action.DOWNGRADE, Listing.PROPOSED) is Listing.PROPOSED
    assert life.listing_after(Action.PROGRESS, Listing.CITY) is Listing.CITY
    for before, level in (
        (Listing.CITY, Listing.DISTRICT),
        (Listing.PROPOSED, None),
        (Listing.PROPOSED, Listing.DELISTED),
    ):
        with pytest.raises(Refusal):
            life.listing_after(Action.LIST, before, level=level)


VERDICT_OF = st.sampled_from(sorted(life.VERDICTS))


@given(st.data())
def test_random_lives_keep_the_promises(data: st.DataObject) -> None:
    state: State | None = None
    facts, outcome = Facts(track=data.draw(st.none() | st.sampled_from(sorted(Track)))), Outcome.NONE
    accepted = False
    for _ in range(40):
        choices = life.allowed_actions(state, frozenset(Role), facts)
        if not choices:
            assert state in life.FINAL
            break
        action = data.draw(st.sampled_from(choices))
        step = life.step(state, action)
        verdict = data.draw(st.sampled_from(step.choices)) if step.choices else None
        arrived = life.target(state, action, facts, verdict=verdict)
        was_listed, before = facts.listing.is_listed, outcome
        level = data.draw(st.sampled_from([Listing.DISTRICT, Listing.CITY])) if action is Action.LIST else None
        if level is not None and facts.listing.is_listed:
            level = Listing.CITY
        outcome = life.outcome_after(action, arrived, outcome)
        if step.parallel:
            assert outcome is before
            assert arrived is state
        if action is Action.ACCEPT:
            accepted = True
        if arrived in life.FINAL and state not in life.FINAL:
            assert not was_listed or action is Action.DELIST
            assert outcome is not Outcome.NONE
            if facts.grade is Grade.MAJOR and arrived is State.CLOSED:
                assert accepted or outcome is Outcome.GONE
        if action is Action.REBOUND:
            accepted = False
        facts = replace(
            facts,
            chain=life.chain_after(arrived, facts.chain),
            grade=life.grade_after(action, facts.grade, verdict=verdict),
            track=life.track_after(action, facts.track, facts.chain),
            listing=life.listing_after(action, facts.listing, level=level),
            prior=state if step.remembers else (facts.prior if arrived is State.AWAITING_RECEIPT else None),
            ownerless=data.draw(st.booleans()),
            secured=data.draw(st.booleans()),
        )
        state = arrived
        assert facts.chain is Chain.MAJOR or state not in life.order_of_chain(Chain.MAJOR)[:-2]

"""How a gap or an overlap is settled: every stage with every action, and which rows a decision ends."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from anban.rules.boundaries import TABLE, VERBS, Settlement, Stage, allowed, settlement, step
from anban.rules.errors import Refusal
from anban.rules.mandates import Row

DAY = date(2026, 5, 1)
FORWARD = {
    ("draft", "ask_opinions"): "opinions",
    ("opinions", "to_staffing"): "staffing",
    ("staffing", "to_meeting"): "meeting",
    ("meeting", "decide"): "in_force",
}
OPEN = ("draft", "opinions", "staffing", "meeting")
"""Before a decision is in force it can be withdrawn; afterwards nothing can be done to it."""


@pytest.mark.parametrize("stage", list(Stage), ids=str)
def test_every_stage_with_every_action_is_a_step_or_a_refusal(stage: Stage) -> None:
    leads = FORWARD | {(each, "withdraw"): "withdrawn" for each in OPEN}
    for action in VERBS:
        if (stage.value, action) in leads:
            assert step(stage, action).to.value == leads[stage.value, action]
        else:
            with pytest.raises(Refusal) as refused:
                step(stage, action)
            assert (refused.value.code, stage.zh in refused.value.zh) == ("boundary.wrong_stage", True)
            assert VERBS[action][0] in refused.value.zh
    assert allowed(stage) == tuple(action for (at, action) in leads if at == stage.value)
    assert len(TABLE) == len(leads)


def test_an_action_nobody_knows_is_refused_by_its_own_name() -> None:
    with pytest.raises(Refusal) as refused:
        step(Stage.DRAFT, "burn")
    assert "burn" in refused.value.en


def mandate(*, body: str, from_on: date | None = None) -> Row:
    return Row(body, body, "lead", from_on=from_on)


def test_a_decision_ends_the_others_and_adds_a_row_only_where_there_is_none() -> None:
    mine, other = mandate(body="a"), mandate(body="b")
    assert settlement([mine, other], "a", DAY) == Settlement((other,), adds=False)
    assert settlement([other], "a", DAY) == Settlement((other,), adds=True)
    assert settlement([], "a", DAY) == Settlement((), adds=True)
    assert settlement([mine], "a", DAY) == Settlement((), adds=False)


def test_a_decision_takes_effect_after_the_first_day_of_what_it_ends() -> None:
    row: Row = mandate(body="b", from_on=DAY)
    assert settlement([row], "a", DAY + timedelta(days=1)).ends == (row,)
    for day in (DAY, DAY - timedelta(days=1)):
        with pytest.raises(Refusal) as refused:
            settlement([row], "a", day)
        assert (refused.value.code, refused.value.field) == ("boundary.too_early", "effective_on")
        assert DAY.isoformat() in refused.value.zh
    # A row of the body that is chosen goes on, and one without a first day has always been there.
    assert settlement([mandate(body="a", from_on=DAY), mandate(body="c")], "a", DAY).ends == (mandate(body="c"),)

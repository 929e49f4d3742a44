"""A lifecycle table refuses rows that lead nowhere, to two places, that nobody may do, or that stand twice."""

from __future__ import annotations

import pytest

from anban.rules.hazard_terms import Action, Role, State
from anban.rules.lifecycle_table import build, row

ENFORCER = frozenset({Role.ENFORCER})


def test_row_refuses_what_leads_nowhere_or_to_two_places() -> None:
    with pytest.raises(ValueError, match="leads to one state"):
        row(State.RECTIFYING, Action.ORDER, ENFORCER)
    with pytest.raises(ValueError, match="leads to one state"):
        row(State.RECTIFYING, Action.REVIEW, ENFORCER, to=State.CLOSED, verdicts={"passed": State.CLOSED})


def test_row_refuses_a_step_nobody_may_do() -> None:
    with pytest.raises(ValueError, match="by a role or by itself"):
        row(State.RECTIFYING, Action.ORDER, frozenset(), to=State.CLOSED)


def test_row_refuses_a_penalty_that_changes_the_state() -> None:
    with pytest.raises(ValueError, match="penalty"):
        row(State.RECTIFYING, Action.SIMPLE_PENALTY, ENFORCER, to=State.CLOSED)


def test_row_refuses_a_verdict_without_a_label() -> None:
    with pytest.raises(ValueError, match="without a label"):
        row(State.RECTIFYING, Action.REVIEW, ENFORCER, verdicts={"perhaps": State.CLOSED})


def test_build_refuses_a_row_that_stands_twice() -> None:
    one = row(State.RECTIFYING, Action.ORDER, ENFORCER, parallel=True)
    with pytest.raises(ValueError, match="twice"):
        build([one, one])

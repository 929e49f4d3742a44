"""Joint matters: who may refuse what, which answers need words, and where a part stands afterwards."""

from __future__ import annotations

import pytest

from anban.rules.errors import Refusal
from anban.rules.joint import KINDS, OPEN, PartState, answered

MAY_REFUSE = {"whistle"}
"""A body may refuse a whistle alone: 北京市街道办事处条例; a part of anything else is answered."""


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_who_may_refuse_and_which_answers_need_words(kind: str) -> None:
    assert answered(kind, "waiting", refuse=False, words="已到场") is PartState.DONE
    if kind in MAY_REFUSE:
        assert answered(kind, "waiting", refuse=True, words="不属我局职责") is PartState.REFUSED
        # Who has come need not write; who refuses must say why.
        assert answered(kind, "waiting", refuse=False, words=" ") is PartState.DONE
    else:
        with pytest.raises(Refusal) as refused:
            answered(kind, "waiting", refuse=True, words="不属我局职责")
        assert refused.value.code == "joint.cannot_refuse"
    with pytest.raises(Refusal) as refused:
        answered(kind, "waiting", refuse=kind in MAY_REFUSE, words=" ")
    assert (refused.value.code, refused.value.field) == ("joint.words_missing", "words")


@pytest.mark.parametrize("state", sorted({"done", "refused", "excused"}))
def test_a_part_that_is_settled_is_not_answered_again(state: str) -> None:
    with pytest.raises(Refusal) as refused:
        answered("joint", state, refuse=False, words="x")
    assert refused.value.code == "joint.not_open"


def test_a_refused_part_is_open_until_it_is_ruled_upon() -> None:
    assert {"waiting", "refused"} == OPEN
    assert KINDS["whistle"].urgent_clock == "hazards.whistle_urgent_hours"

"""The diagram and the table of the docs show every row of the lifecycle, in both languages."""

from __future__ import annotations

import re

import pytest

from anban.rules import lifecycle_diagram
from anban.rules.hazard_lifecycle import TABLE, Chain, State
from anban.rules.lifecycle_diagram import Language
from anban.rules.major_lifecycle import TABLE as MAJOR

HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_mermaid_draws_every_state_and_every_move(language: Language) -> None:
    drawn = lifecycle_diagram.mermaid(language=language)
    assert drawn.startswith("stateDiagram-v2\n")
    for state in State:
        assert f'" as {state}\n' in drawn
    moves = sum(len(step.verdicts) or 1 for step in TABLE.values() if not step.parallel)
    ends = 4
    assert drawn.count(" --> ") == moves + ends
    assert "    delisting --> closed: " in drawn
    assert "    treating --> treating" not in drawn
    assert drawn.count("    rectifying --> rectifying: ") == 1  # a failed early re-inspection


def test_mermaid_of_the_major_chain_leaves_out_general_states() -> None:
    drawn = lifecycle_diagram.mermaid(MAJOR)
    assert " as awaiting_review" not in drawn
    assert " as delisting" in drawn
    assert "prior" not in drawn


def test_english_drawings_hold_no_chinese() -> None:
    assert not HAN.search(lifecycle_diagram.mermaid(language="en"))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_markdown_lists_every_row(language: Language) -> None:
    lines = lifecycle_diagram.markdown(language=language).splitlines()
    assert len(lines) == len(TABLE) + 2
    assert {line.count("|") for line in lines} == {7}


def test_chain_states_are_named_as_the_chain_says() -> None:
    assert lifecycle_diagram.chain_states(Chain.MAJOR)[-2:] == ("已核销（销号）", "降为一般")
    assert lifecycle_diagram.chain_states(Chain.GENERAL, language="en")[0] == "To be verified"

"""Every worked case, asked directly and through one batch of the command: both give what the row says, and the same."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from anban.rules.answering import reply
from anban.rules.every import all_rules, rule_named
from tests.rules.worked_cases import FOLDER, Case, all_cases, check

CASES = all_cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.note}")
def test_a_rule_answers_as_its_row_says(case: Case) -> None:
    text, good = reply(case.rule, json.dumps(case.given))
    assert good is not bool(case.error)
    check(case, json.loads(text))


def test_a_batch_of_all_cases_agrees_with_single_questions() -> None:
    lines = "".join(json.dumps({"rule": case.rule, "in": case.given}) + "\n" for case in CASES)
    run = subprocess.run(
        [sys.executable, "-m", "anban.config.cli", "rule", "--batch"],
        input=lines.encode(),
        capture_output=True,
        check=True,
    )
    assert run.stdout.splitlines() == [reply(case.rule, json.dumps(case.given))[0] for case in CASES]


def test_every_rule_has_cases_with_both_an_outcome_and_a_refusal() -> None:
    for rule in all_rules():
        own = [case for case in CASES if case.rule == rule.name]
        assert any(case.error for case in own), f"{rule.name} has no refused case"
        assert any(not case.error for case in own), f"{rule.name} has no decided case"
        decided = {name for case in own for name in case.outcome}
        assert decided >= set(rule.gives), f"{rule.name}: {set(rule.gives) - decided} is in no case"


def test_no_file_of_cases_is_left_over() -> None:
    for path in FOLDER.glob("*.csv"):
        assert rule_named(path.stem)


def test_the_rules_need_neither_the_framework_nor_arrays() -> None:
    code = (
        "import sys, anban.rules.answering, anban.config.commands_rules\n"
        "print([name for name in ('django', 'numpy', 'pandas', 'scipy', 'pydantic') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"

"""The worked cases of the computable rules: CSV files that a lawyer can read, one per rule, a note in every row.

A column named like an input holds its value as one would write it; lists of days are parted by `;`, other lists are JSON;
an empty cell is an input that is not given. A column `=name` is a field of the outcome (`null` for null); `=error` and
`=field` are a refusal's code and field. `=as_of` is the day whose law applied.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anban.rules.answering import reply
from anban.rules.describing import Input, inputs_of
from anban.rules.every import rule_named

FOLDER = Path(__file__).parent / "cases" / "rules"


@dataclass(frozen=True)
class Case:
    rule: str
    note: str
    given: dict[str, Any]
    outcome: dict[str, Any]
    error: str
    field: str
    as_of: str


def _value(cell: str, asked: Input | None) -> Any:
    if cell in ("null", "true", "false"):
        return json.loads(cell)
    if asked is not None and asked.many and asked.kind == "date":
        return [part.strip() for part in cell.split(";") if part.strip()]
    return json.loads(cell) if cell[0] in '[{"' else cell


def _expected(cell: str) -> Any:
    try:
        return json.loads(cell)
    except ValueError:
        return cell


def cases(path: Path) -> list[Case]:
    rule = path.stem
    inputs = {each.name: each for each in inputs_of(rule_named(rule).facts)}
    found = []
    for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
        assert row.get("note"), f"{path.name}: a case without a note: {row}"
        told = {name: cell for name, cell in row.items() if cell and name != "note"}
        found.append(
            Case(
                rule,
                row["note"],
                {name: _value(cell, inputs.get(name)) for name, cell in told.items() if not name.startswith("=")},
                {
                    name[1:]: _expected(cell)
                    for name, cell in told.items()
                    if name.startswith("=") and name not in ("=error", "=field", "=as_of")
                },
                told.get("=error", ""),
                told.get("=field", ""),
                told.get("=as_of", ""),
            )
        )
    return found


def all_cases() -> list[Case]:
    return [case for path in sorted(FOLDER.glob("*.csv")) for case in cases(path)]


def check(case: Case, answer: dict[str, Any]) -> None:
    """Hold an answer, as JSON gives it, against what the row says."""
    if case.error:
        assert "error" in answer, answer
        assert answer["error"]["code"] == case.error
        assert answer["error"].get("field", "") == case.field
        assert answer["error"]["message"]
        return
    assert "error" not in answer, answer
    assert {name: answer["outcome"].get(name) for name in case.outcome} == case.outcome
    assert all(each["text_zh"] and each["text_en"] for each in answer["reasons"])
    assert answer["reasons"]
    if case.as_of:
        assert answer["as_of"] == case.as_of
    if answer["outcome"].get("decision") != "cannot_judge":
        assert answer["sources"]


if __name__ == "__main__":
    # The quickest look at all rules, for the tool that plants faults in them.
    for each in all_cases():
        check(each, json.loads(reply(each.rule, json.dumps(each.given))[0]))

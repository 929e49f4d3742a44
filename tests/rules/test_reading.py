"""Bad input: whatever comes in, a rule answers or refuses by field; one bad line of a batch does not stop the rest."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anban.rules import reading
from anban.rules.answering import LARGEST_BYTES, reply, reply_line
from anban.rules.describing import Input, described, inputs_of
from anban.rules.errors import shown
from anban.rules.every import all_rules
from anban.rules.figures import grouped, plain
from anban.rules.registry import rule, rule_named, spoken

GRADE = {"deaths": 1, "serious_injuries": 0, "direct_loss_yuan": 0}
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["2024-02-30", "2024-02-29", "2024-02-29T10:00", "0", "-1", "1e3", "NaN", "true", "general", "9" * 40, "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def refused(name: str, given_: str | bytes | dict[str, Any]) -> tuple[str, str]:
    text, good = reply(name, json.dumps(given_) if isinstance(given_, dict) else given_)
    answer = json.loads(text)
    assert not good
    assert answer["rule"] == name
    error = answer["error"]
    assert error["message"]
    assert error["message_en"]
    assert set(error) <= {"code", "message", "message_en", "field"}
    return error["code"], error.get("field", "")


@given(st.sampled_from(all_rules()), st.data())
def test_any_value_in_any_field_is_answered_or_refused(rule_: Any, data: st.DataObject) -> None:
    def fill(each: Input) -> Any:
        if data.draw(st.booleans()):
            return data.draw(ODD)
        if each.inputs:
            return [{part.name: fill(part) for part in each.inputs} for _ in range(data.draw(st.integers(0, 2)))]
        plain_: Any = {
            "integer": 3, "number": "1.5", "boolean": True, "date": "2024-03-01", "instant": "2024-03-01T10:00:00+08:00",
            "text": "110106",
        }.get(each.kind, each.choices[0].value if each.choices else None)  # fmt: skip
        return [plain_] if each.many else plain_

    question = {each.name: fill(each) for each in inputs_of(rule_.facts) if data.draw(st.integers(0, 9))}
    text, good = reply(rule_.name, json.dumps(question))
    answer = json.loads(text)
    assert answer["rule"] == rule_.name
    assert ("outcome" in answer) is good
    assert ("error" in answer) is not good
    if not good:
        field = answer["error"].get("field")
        names = {each.name for each in inputs_of(rule_.facts)}
        assert field is None or field.split("[")[0].split(".")[0] in names, answer


@given(st.lists(st.binary(max_size=60) | ODD.map(lambda value: json.dumps(value).encode()), max_size=6))
def test_any_line_gets_one_line(lines: list[bytes]) -> None:
    for line in lines:
        answer, good = reply_line(line.replace(b"\n", b" "))
        assert not good
        assert b"\n" not in answer
        assert json.loads(answer)["error"]["code"].startswith("rules.")


@pytest.mark.parametrize(
    ("given_", "code", "field"),
    [
        ('{"deaths": NaN}', "rules.not_a_number", "deaths"),
        ('{"deaths": Infinity}', "rules.not_a_number", "deaths"),
        ('{"direct_loss_yuan": -Infinity}', "rules.not_a_number", "direct_loss_yuan"),
        ('{"deaths": 1, "deaths": 2}', "rules.field_twice", "deaths"),
        ('{"deaths": null}', "rules.wrong_type", "deaths"),
        ('{"deaths": true}', "rules.wrong_type", "deaths"),
        ('{"deaths": "three"}', "rules.wrong_type", "deaths"),
        ('{"deaths": "１"}', "rules.wrong_type", "deaths"),
        ('{"deaths": [1]}', "rules.wrong_type", "deaths"),
        ('{"deaths": {}}', "rules.wrong_type", "deaths"),
        ('{"deaths": 1.5}', "rules.wrong_type", "deaths"),
        ('{"deaths": 1e999999999}', "rules.out_of_range", "deaths"),
        ('{"deaths": ' + "9" * 5000 + "}", "rules.out_of_range", "deaths"),
        ('{"deaths": -1}', "rules.negative", "deaths"),
        ('{"deaths": -0.5}', "rules.negative", "deaths"),
        ('{"direct_loss_yuan": 1e-400}', "rules.out_of_range", "direct_loss_yuan"),
        ('{"direct_loss_yuan": 0.0000000000001}', "rules.out_of_range", "direct_loss_yuan"),
        ('{"direct_loss_yuan": 1.0000000000001}', "rules.too_fine", "direct_loss_yuan"),
        ('{"direct_loss_yuan": 1000000000000001}', "rules.out_of_range", "direct_loss_yuan"),
        ('{"death": 1}', "rules.unknown_field", "death"),
        ('{"acute_poisonings": null}', "rules.wrong_type", "acute_poisonings"),
        ('{"on": "1899-12-31"}', "rules.year_outside", "on"),
        ('{"on": "2200-01-01"}', "rules.year_outside", "on"),
        ('{"on": "2024-2-1"}', "rules.wrong_type", "on"),
        ('{"on": 20240201}', "rules.wrong_type", "on"),
        ("{}", "rules.missing_field", "deaths"),
        ("[]", "rules.not_an_object", ""),
        ("", "rules.malformed", ""),
        ("{", "rules.malformed", ""),
        ("{'deaths': 1}", "rules.malformed", ""),
        ("[" * 100_000, "rules.malformed", ""),
        (b"\xff\xfe{}", "rules.malformed", ""),
        (b"{}" + b" " * LARGEST_BYTES, "rules.too_large", ""),
    ],
    ids=str,
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_field(given_: str | bytes, code: str, field: str) -> None:
    assert refused("accident_grade", given_) == (code, field)


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ("2024-03-01T24:00:00+08:00", "rules.impossible_date"),
        ("2024-02-30T10:00:00+08:00", "rules.impossible_date"),
        ("2024-03-01T10:00:00+25:00", "rules.impossible_date"),
        ("2024-03-01 10", "rules.wrong_type"),
        ("10:00", "rules.wrong_type"),
        (1709258400, "rules.wrong_type"),
        ("2199-12-31T23:00:00-02:00", "rules.year_outside"),
        ("0001-01-01T00:00:00+14:00", "rules.impossible_date"),
    ],
)  # fmt: skip
def test_an_instant_that_is_none_is_refused(at: Any, code: str) -> None:
    assert refused("report_chain", {"grade": "major", "informed_at": at}) == (code, "informed_at")


@pytest.mark.parametrize(
    "at",
    [
        "2024-03-01T10:00:00",
        "2024-03-01T10:00",
        "2024-03-01 10:00:00.25",
        "2024-03-01T02:00Z",
        "2024-03-01T03:00:00+0100",
    ],
)
def test_an_instant_may_be_written_in_several_ways_and_is_read_as_beijing_time(at: str) -> None:
    text, good = reply("report_chain", json.dumps({"grade": "general", "informed_at": at}))
    assert good
    assert json.loads(text)["outcome"]["deadlines"][0]["due_at"] == "2024-03-01T11:00:00+08:00"


def test_a_million_items_are_refused_by_the_name_of_their_list() -> None:
    many = '{"major_hazard": true, "penalty_dates": [' + ",".join(["1"] * 1_000_000) + "]}"
    assert refused("closure_proposal", many) == ("rules.too_many", "penalty_dates")
    text, good = reply("closure_proposal", json.dumps({"major_hazard": True, "penalty_dates": ["2024-03-01"] * 9_999}))
    assert good
    assert json.loads(text)["outcome"]["propose"] is True


def test_a_long_text_and_a_surrogate_are_refused_and_can_be_written_out() -> None:
    assert refused("credit_code", {"code": "9" * (reading.LONGEST_TEXT + 1)}) == ("rules.too_long", "code")
    assert reply("credit_code", json.dumps({"code": "9" * reading.LONGEST_TEXT}))[1]
    code, field = refused("accident_grade", '{"\\ud800": 1}')
    assert (code, field) == ("rules.unknown_field", "?")
    assert shown("x" * 61) == "x" * 59 + "…"
    assert shown("x" * 60) == "x" * 60


def test_a_batch_goes_on_after_bad_lines_and_keeps_the_order() -> None:
    good = json.dumps({"rule": "accident_grade", "in": GRADE})
    lines = [
        good, "", "nonsense", '{"rule": "nothing", "in": {}}', '{"rule": 5, "in": {}}', '{"in": {}}', '{"rule": "accident_grade"}',
        '{"rule": "accident_grade", "in": []}', '{"rule": "accident_grade", "in": {}, "id": 1}', good,
    ]  # fmt: skip
    run = subprocess.run(
        [sys.executable, "-m", "anban.config.cli", "rule", "--batch"],
        input="\n".join(lines).encode(),
        capture_output=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, b"")
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert [each.get("error", {}).get("code") for each in answers] == [
        None, "rules.malformed", "rules.malformed", "rules.unknown_rule", "rules.unknown_rule", "rules.missing_field",
        "rules.missing_field", "rules.not_an_object", "rules.unknown_field", None,
    ]  # fmt: skip
    assert [each["rule"] for each in answers[3:9]] == ["nothing", None, None, *["accident_grade"] * 3]
    assert [each["error"].get("field") for each in answers[4:9]] == ["rule", "rule", "in", "in", "id"]


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["accident_grade", "--json", json.dumps(GRADE)], 0),
        (["accident_grade", "--json", json.dumps(GRADE | {"on": "1999-01-01"})], 0),
        (["accident_grade", "--json", "{}"], 2),
        (["nothing", "--json", "{}"], 2),
        (["accident_grade"], 2),
        ([], 2),
        (["--batch", "--json", "{}"], 2),
        (["--batch"], 0),
        (["--list"], 0),
    ],
)
def test_the_command_ends_as_written(words: list[str], status: int) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "anban.config.cli", "rule", *words], input=b"", capture_output=True, check=False
    )
    assert run.returncode == status, run.stderr
    assert b"Traceback" not in run.stderr
    if words == ["--list"]:
        listed = [json.loads(line) for line in run.stdout.splitlines()]
        assert [each["rule"] for each in listed] == [each.name for each in all_rules()]
        assert all(each["in"] and each["sources"] for each in listed)


def test_a_description_tells_types_units_and_choices() -> None:
    told = described(rule_named("dishonesty_listing"))
    events = next(each for each in told["in"] if each["name"] == "events")
    assert (events["type"], events["list"], events["required"]) == ("object", True, True)
    fields = {each["name"]: each for each in events["fields"]}
    assert fields["grade"]["choices"] == ["general", "larger", "major", "extra_major"]
    assert (fields["grade"]["required"], fields["grade"]["default"]) == (False, None)
    loss = next(each for each in described(rule_named("accident_grade"))["in"] if each["name"] == "direct_loss_yuan")
    assert (loss["type"], loss["unit"]) == ("number", "yuan")
    assert described(rule_named("report_chain"))["in"][1]["type"] == "instant"


def test_a_rule_is_entered_once_and_rests_on_something() -> None:
    known = rule_named("accident_grade")
    for more in ({"name": "accident_grade", "rests_on": known.rests_on}, {"name": "rests_on_nothing"}):
        with pytest.raises(ValueError, match="entered twice or rests on nothing"):
            rule(number="R1", zh="甲", en="a", gives={}, **more)(known.function)  # type: ignore[arg-type]


def test_numbers_are_written_without_idle_zeros() -> None:
    assert [plain(Decimal(each)) for each in ("12.480", "1E+3", "0.00", "100", "-0.50")] == [
        "12.48",
        "1000",
        "0",
        "100",
        "-0.5",
    ]
    assert [grouped(each) for each in (1234567, Decimal("49999999.90"), 0, 100)] == [
        "1,234,567",
        "49,999,999.9",
        "0",
        "100",
    ]


def test_a_good_line_of_a_batch_is_answered_like_a_single_question_and_a_huge_one_refused() -> None:
    line = json.dumps({"rule": "accident_grade", "in": GRADE}).encode()
    assert reply_line(line) == (*reply("accident_grade", json.dumps(GRADE)),)
    assert reply_line(line)[1] is True
    answer, good = reply_line(line[:-1] + b', "of": 1}')
    assert (good, json.loads(answer)["error"]["code"], json.loads(answer)["error"]["field"]) == (
        False,
        "rules.unknown_field",
        "of",
    )
    room = LARGEST_BYTES - len(line)
    assert reply_line(line + b" " * room)[1] is True
    answer, good = reply_line(line + b" " * (room + 1))
    assert not good
    assert json.loads(answer)["error"]["code"] == "rules.too_large"
    assert "16 MB" in json.loads(answer)["error"]["message"]
    assert reply("accident_grade", json.dumps(GRADE).ljust(LARGEST_BYTES))[1] is True
    assert LARGEST_BYTES == 16 * 1024 * 1024


def test_numbers_of_days_and_months_are_bounded() -> None:
    investigation = {"accident_on": "2024-03-01", "grade": "general"}
    assert reply("investigation_clock", json.dumps(investigation | {"appraisal_days": 36_500}))[1]
    assert refused("investigation_clock", investigation | {"appraisal_days": 36_501}) == (
        "rules.out_of_range",
        "appraisal_days",
    )
    rebound = {"closed_on": "2024-01-10", "found_on": "2024-02-10", "same_place": True, "same_code": True}
    assert reply("rebound", json.dumps(rebound | {"window_months": 120}))[1]
    assert refused("rebound", rebound | {"window_months": 121}) == ("rules.out_of_range", "window_months")
    for day in ("1900-01-01", "2199-12-31"):
        assert reply("accident_grade", json.dumps(GRADE | {"on": day}))[1]


def test_what_is_read_has_the_types_of_its_fields() -> None:
    facts, on = reading.read(rule_named("accident_grade").facts, GRADE | {"on": "2024-02-29"})
    assert (type(facts.deaths), type(facts.direct_loss_yuan), str(on)) == (int, Decimal, "2024-02-29")
    assert "收到的是 null" in json.loads(reply("accident_grade", '{"deaths": null}')[0])["error"]["message"]
    for year in (1900, 2199):
        at = {"due_at": f"{year}-06-01T10:00:00", "sent_at": "2024-03-01T10:00:00", "on": "2024-03-01"}
        assert reply("report_lateness", json.dumps(at))[1]


BOUNDS = {
    ("late_payment", "days_late"): (0, 36_500),
    ("risk_ls", "likelihood"): (1, 5),
    ("risk_ls", "severity"): (1, 5),
    ("dishonesty_listing", "fine_multiple"): (0, 5),
    ("rebound", "window_months"): (1, 120),
    ("cusum", "annual_rate"): (0, 1_000_000),
    ("cusum", "ratio"): (0, 1000),
    ("cusum", "threshold"): (0, 1000),
    ("cusum", "year_days"): (0, 3660),
    ("poisson_change", "before"): (0, 10_000_000),
    ("poisson_change", "after"): (0, 10_000_000),
    ("scan_cluster", "count"): (0, 20_000),
    ("scan_cluster", "window_days"): (0, 3660),
    ("scan_cluster", "annual_rate"): (0, 1_000_000),
    ("scan_cluster", "year_days"): (0, 3660),
}
"""The bounds of numbers that a rule sets itself, some by law, most against nonsense; all others are 0 and the common limit."""


def test_a_number_has_the_bounds_that_are_written_down_and_no_others() -> None:
    def bounds(facts: type) -> Iterator[tuple[str, tuple[int | None, int | None]]]:
        for each in fields(facts):
            asked = each.metadata["asked"]
            if (asked.least, asked.most) != (0, None):
                yield spoken(each.name), (asked.least, asked.most)
            for inner in get_args(get_type_hints(facts)[each.name]):
                if isinstance(inner, type) and is_dataclass(inner):
                    yield from bounds(inner)

    assert {(rule.name, name): bound for rule in all_rules() for name, bound in bounds(rule.facts)} == BOUNDS

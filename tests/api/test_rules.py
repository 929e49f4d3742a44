"""The computable rules over HTTP: the list, and what is no question. That answers are those of the command: tests/web/desk/test_rules_agree.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from anban.rules.every import all_rules
from tests.api.conftest import Caller
from tests.api.test_refusals import problem
from tests.factories.town import Town

pytestmark = pytest.mark.django_db
Call = Callable[..., Caller]


def test_the_list_names_every_rule_and_one_of_them_is_found_by_name(here: Town, call: Call) -> None:
    caller = call("王敏", "read")
    items = caller.get("/rules").json()["items"]
    assert [each["rule"] for each in items] == [each.name for each in all_rules()]
    assert caller.get("/rules/accident_grade").json() == items[0]


def test_what_is_no_question_is_refused(here: Town, call: Call) -> None:
    caller = call("王敏", "read")
    problem(caller.post("/rules/nothing", {}), 422, "rules.unknown_rule", "rule")
    problem(caller.get("/rules/nothing"), 422, "rules.unknown_rule", "rule")
    problem(caller.post("/rules/accident_grade", b"{"), 422, "rules.malformed")
    problem(caller.post("/rules/accident_grade", b"[]"), 422, "rules.not_an_object")
    problem(caller.post("/rules/accident_grade", b'{"deaths": NaN}'), 422, "rules.not_a_number", "deaths")
    problem(caller.post("/rules/accident_grade", b"{}", content_type="text/plain"), 415, "api.media_type")
    problem(caller.post("/rules/accident_grade?quiet=1", {}), 422, "api.field_unknown", "quiet")


def test_a_rule_asks_for_a_token(here: Town) -> None:
    del here
    answer = Client().post("/api/v1/rules/accident_grade", "{}", content_type="application/json")
    problem(answer, 401, "api.unauthenticated")


TEXT_2025 = """
kind = "fire"
code = "GB 35181-2025"
zh = "重大火灾隐患判定规则（2025）"
en = "Major fire hazards (2025)"
law = "GB 35181-2025 重大火灾隐患判定规则"
in_force_from = 2025-11-01
certainty = "verified"
partial = true
[place_kinds]
crowded = { zh = "人员密集场所", en = "crowded place" }
[[items]]
code = "5.1"
clause = "5.1"
zh = "直接判定要素"
en = "a direct element"
"""

"""One question, three ways to ask it: the page, the API and the command line give one answer, also by what an office has loaded."""

from __future__ import annotations

import html
import json
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.test import Client

from anban.config.cli import main
from anban.contexts.territory.operations import load_calendar_year, load_criteria
from anban.rules.answering import reply
from anban.rules.every import rule_named
from anban.rules.registry import Rule, unit_of
from anban.web.desk.rules import MARKS, words
from anban.web.shell import middleware
from tests.api.conftest import Caller, caller_of
from tests.api.test_rules import TEXT_2025
from tests.factories.signed import client_of
from tests.factories.town import AT, Town, town
from tests.rules.worked_cases import all_cases

pytestmark = pytest.mark.django_db

YEAR_2027 = (
    "date,kind,name\n2027-01-01,off,元旦\n2027-01-02,work,元旦调休\n2027-05-01,off,劳动节\n2027-10-01,off,国庆节\n"
)
UNSAYABLE = {"rules.missing_field", "rules.wrong_type", "rules.unknown_field"}
"""What a form cannot get wrong, or takes more kindly than a program may send it."""


@dataclass
class Asking:
    """Somebody who asks the same on the page, over the API and at the machine."""

    made: Town
    client: Client
    caller: Caller
    capture: pytest.CaptureFixture[bytes]

    def command(self, *words: str) -> bytes:
        main(["rule", *words, "--root", self.made.root])
        return self.capture.readouterr().out

    def api(self, rule: str, given: dict[str, Any]) -> Any:
        return self.caller.post(f"/rules/{rule}", json.dumps(given).encode())

    def page(self, rule: str, given: dict[str, Any]) -> tuple[int, str]:
        answer = self.client.get(address(rule, given))
        return answer.status_code, html.unescape(answer.content.decode())

    def agree(self, rule: str, given: dict[str, Any]) -> dict[str, Any]:
        """Ask all three; what they say must be one. Returns it."""
        told = self.command(rule, "--json", json.dumps(given)).rstrip(b"\n")
        assert self.api(rule, given).content == told
        said: dict[str, Any] = json.loads(told, parse_float=Decimal)
        status, page = self.page(rule, given)
        assert status == 200
        holds(page, rule, said)
        return said


def address(rule: str, given: dict[str, Any]) -> str:
    """Fill facts into the form as a browser would; what is null is left empty."""
    told: dict[str, Any] = {"ask": "1"}
    for name, value in given.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for number, row in enumerate(value):
                told |= {f"{name}.{number}.{part}": written(one) for part, one in row.items() if one is not None}
        elif value is not None:
            told[name] = "\n".join(map(written, value)) if isinstance(value, list) else written(value)
    return f"/rules/{rule}/?{urlencode(told)}"


def written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def holds(page: str, rule: str, said: dict[str, Any]) -> None:
    """Hold a page against an answer: outcome, reasons, sources and the day of the law, and nothing else of these."""
    found = rule_named(rule)
    assert f"依 {said['as_of']} 有效的规定" in page
    reasons = re.search(r'<ul class="reasons">(.*?)</ul>', page, re.DOTALL)
    assert reasons is not None
    assert re.findall(r"<li>(.*?)</li>", reasons[1]) == [each["text_zh"] for each in said["reasons"]]
    cited = [
        (each["law"] if each["certainty"] == "estimate" else f"《{each['law']}》{each['article']}", str(MARKS[each["certainty"]]))
        for each in said["sources"]
    ]  # fmt: skip
    assert re.findall(r'<tr><td lang="zh">(.*?)</td><td class="dim mark">(.*?)</td></tr>', page) == cited
    if said["outcome"] == {"decision": "cannot_judge"}:
        assert "结论：无法判定" in page
        return
    told = re.search(r"结论：(.*)", page)
    assert told is not None
    titles = {name: zh for name, (zh, _) in found.gives.items()}
    for name, value in said["outcome"].items():
        assert f"{titles[name]} {shown(value, name, found)}" in told[1], name


def shown(value: Any, name: str, found: Rule) -> str:
    """Put a value that came as JSON into the words of the page, as far as its kind can be told from JSON."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT.*", value):
        value = datetime.fromisoformat(value)
    elif isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        value = date.fromisoformat(value)
    if isinstance(value, str | list | dict):
        # Terms and lists have words of their own: tests/web/desk/test_rules_page.py reads those.
        return ""
    if isinstance(value, Decimal) and not found.number:
        value = float(value)
    return words(value, unit_of(name)[0], {}, english=False)


@pytest.fixture
def asking(db: None, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Iterator[Asking]:
    """王敏, who asks in every way."""
    del db
    cache.clear()
    monkeypatch.setattr(middleware, "now", lambda: AT)
    monkeypatch.setattr("anban.api.access.now", lambda: AT)
    monkeypatch.setattr("anban.api.access.REQUESTS_PER_MINUTE", 10_000)
    made = ready()
    yield Asking(made, client_of(made, "王敏"), caller_of(made, "王敏", "read"), capfdbinary)
    cache.clear()


def ready() -> Town:
    made = town()
    made.hold("安志远", "市安委办", "steward", "试验市")
    return made


def test_every_worked_case_has_one_answer(asking: Asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = all_cases()
    lines = tmp_path / "lines"
    lines.write_text("".join(json.dumps({"rule": each.rule, "in": each.given}) + "\n" for each in cases))
    with lines.open() as source:
        monkeypatch.setattr(sys, "stdin", source)
        answers = asking.command("--batch").splitlines()
    assert len(answers) == len(cases)
    pages = 0
    for case, told in zip(cases, answers, strict=True):
        # Without anything loaded the package alone says the same.
        assert told == reply(case.rule, json.dumps(case.given))[0]
        said, over_http = json.loads(told, parse_float=Decimal), asking.api(case.rule, case.given)
        if "error" in said:
            problem = over_http.json()
            assert over_http.status_code == 422
            assert [problem.get(key) for key in ("code", "field", "detail_zh", "detail_en")] == [
                said["error"].get(key) for key in ("code", "field", "message", "message_en")
            ]
        else:
            assert (over_http.status_code, over_http.content) == (200, told)
        # A form says neither an empty list or text nor a field that isn't there.
        if re.search(r'""|\[\]', json.dumps(case.given)) or case.error in UNSAYABLE:
            continue
        pages += 1
        status, page = asking.page(case.rule, case.given)
        assert status == (422 if case.error else 200), case
        if case.error:
            # The form names a field in its own words, where a program is told the name it sent.
            told_parts = re.split("“[^”]*”", said["error"]["message"])
            assert all(part in page for part in told_parts), case
        else:
            holds(page, case.rule, said)
    assert pages > len(cases) * 0.8


def test_a_loaded_year_decides_the_working_days_in_every_way(asking: Asking) -> None:
    questions = (
        ("penalty_publicity", {"decided_on": "2026-12-28"}, "last_on", "2027-01-06"),
        ("penalty_case_clock", {"filed_on": "2026-12-01", "told_on": "2026-12-30"}, "hearing_request_due_on", "2027-01-06"),
    )  # fmt: skip
    for rule, given, _, _ in questions:
        assert asking.api(rule, given).json()["code"] == "rules.calendar_gap"
        assert asking.page(rule, given)[0] == 422
        assert b"rules.calendar_gap" in asking.command(rule, "--json", json.dumps(given))
    load_calendar_year(actor=asking.made.actor("安志远"), at=AT, year=2027, days=YEAR_2027, source="国务院办公厅通知")
    for rule, given, field, day in questions:
        assert asking.agree(rule, given)["outcome"][field] == day
        assert b"rules.calendar_gap" in reply(rule, json.dumps(given))[0]


def test_a_loaded_standard_decides_in_every_way(asking: Asking) -> None:
    question = {"found_on": "2026-03-01", "place_kind": "crowded", "elements": ["5.1"]}
    assert asking.agree("major_fire_hazard", question)["outcome"] == {"decision": "cannot_judge"}
    load_criteria(actor=asking.made.actor("安志远"), at=AT, text=TEXT_2025, source="官方文本")
    assert asking.agree("major_fire_hazard", question)["outcome"] == {"major": True}
    assert json.loads(reply("major_fire_hazard", json.dumps(question))[0])["outcome"] == {"decision": "cannot_judge"}


def test_what_a_demonstration_loads_decides_there_alone(asking: Asking) -> None:
    invented = YEAR_2027 + "2027-01-04,off,演示\n"
    asked = {"decided_on": "2026-12-28"}
    play = town("play", "demonstration")
    play.hold("演示员", "市安委办", "steward", "试验市")
    load_calendar_year(actor=play.actor("演示员"), at=AT, year=2027, days=invented, source="演示")
    load_criteria(actor=play.actor("演示员"), at=AT, text=TEXT_2025, source="演示")
    assert asking.api("penalty_publicity", asked).json()["code"] == "rules.calendar_gap"
    there = caller_of(play, "王敏", "read")
    assert there.post("/rules/penalty_publicity", asked).json()["outcome"] == {"last_on": "2027-01-07"}
    # A real year holds in a demonstration as well, under what it has loaded itself.
    load_calendar_year(actor=asking.made.actor("安志远"), at=AT, year=2027, days=YEAR_2027, source="国务院办公厅通知")
    assert asking.agree("penalty_publicity", asked)["outcome"] == {"last_on": "2027-01-06"}
    assert there.post("/rules/penalty_publicity", asked).json()["outcome"] == {"last_on": "2027-01-07"}
    fire = {"found_on": "2026-03-01", "place_kind": "crowded", "elements": ["5.1"]}
    assert asking.agree("major_fire_hazard", fire)["outcome"] == {"decision": "cannot_judge"}
    assert there.post("/rules/major_fire_hazard", fire).json()["outcome"] == {"major": True}


def test_the_command_that_the_page_gives_gives_the_answer_of_the_page(asking: Asking) -> None:
    given = {"closed_on": "2024-01-10", "found_on": "2024-12-31", "same_place": True, "same_code": True}
    _, page = asking.page("rebound", given)
    line = re.search(r'<pre[^>]*id="command"[^>]*>(.*?)</pre>', page)
    assert line is not None
    anban, rule, *rest = shlex.split(line[1])
    assert (anban, rule) == ("anban", "rule")
    assert main(["rule", *rest]) == 0
    assert asking.capture.readouterr().out.rstrip(b"\n") == asking.api("rebound", given).content


def test_files_given_to_the_command_decide_without_any_installation(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    year, standard, broken = tmp_path / "2027.csv", tmp_path / "fire.toml", tmp_path / "broken.csv"
    year.write_text(YEAR_2027, encoding="utf-8")
    standard.write_text(TEXT_2025, encoding="utf-8")
    broken.write_text("date,kind,name\n2027-02-30,off,x\n", encoding="utf-8")
    publicity = ["rule", "penalty_publicity", "--json", '{"decided_on": "2026-12-28"}']
    fire = ["rule", "major_fire_hazard", "--json", '{"found_on": "2026-03-01", "place_kind": "crowded", "elements": ["5.1"]}']  # fmt: skip
    assert main([*publicity, "--calendar", str(year)]) == 0
    assert json.loads(capfdbinary.readouterr().out)["outcome"] == {"last_on": "2027-01-06"}
    assert main([*fire, "--criteria", str(standard)]) == 0
    assert json.loads(capfdbinary.readouterr().out)["outcome"] == {"major": True}
    for wrong, said in (
        ([*publicity, "--calendar", str(broken)], "row 2"),
        ([*publicity, "--calendar", str(tmp_path / "none.csv")], "none.csv"),
        ([*fire, "--criteria", str(year)], "TOML"),
    ):
        assert main(wrong) == 2
        out, err = capfdbinary.readouterr()
        assert out == b""
        assert said in err.decode()
        assert err.count(b"\n") == 1


def test_a_root_that_is_not_there_is_said_by_name(asking: Asking) -> None:
    assert main(["rule", "risk_ls", "--json", "{}", "--root", "nowhere"]) == 2
    assert f"There are: {asking.made.root}" in asking.capture.readouterr().err.decode()

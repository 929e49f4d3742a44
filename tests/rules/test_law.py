"""Legal values: dated, sourced, with the unit in the name; only estimates give way to settings."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from anban.rules import law
from anban.rules.errors import LawGap, Refusal

DAY = date(2026, 3, 2)

GOOD = """
[ten_days]
zh = "十日"
en = "Ten days"

[[ten_days.provisions]]
from = 2020-01-01
value = 10
law = "某法"
article = "第一条"
certainty = "verified"
"""


@pytest.mark.parametrize("entry", law.entries(), ids=lambda entry: entry.key)
def test_every_value_has_unit_titles_and_sources(entry: law.Entry) -> None:
    assert entry.unit in law.UNITS
    assert entry.key.endswith(f"_{entry.unit}")
    first = entry.provisions[0]
    assert law.value(entry.key, on=first.in_force_from).value == first.value
    with pytest.raises(LawGap):
        law.value(entry.key, on=first.in_force_from - timedelta(days=1))
    for each in entry.provisions:
        assert each.source.law
    estimates = all(each.source.certainty == "estimate" for each in entry.provisions)
    assert entry.overridable == (estimates and not entry.fixed)


@pytest.mark.parametrize(
    ("key", "value", "certainty"),
    [
        ("hazards.verify_life_hours", 2, "estimate"),
        ("hazards.verify_workdays", 3, "estimate"),
        ("hazards.fire_order_workdays", 3, "excerpt"),
        ("hazards.receipt_workdays", 1, "estimate"),
        ("hazards.send_back_workdays", 1, "estimate"),
        ("hazards.designate_workdays", 3, "estimate"),
        ("hazards.whistle_urgent_hours", 24, "estimate"),
        ("hazards.whistle_workdays", 3, "estimate"),
        ("hazards.review_days", 10, "unconfirmed"),
        ("hazards.fire_review_workdays", 3, "excerpt"),
        ("hazards.extension_application_days", 10, "unconfirmed"),
        ("hazards.extension_answer_days", 5, "unconfirmed"),
        ("hazards.extension_times", 1, "estimate"),
        ("hazards.suspect_days", 0, "estimate"),
        ("hazards.judge_workdays", 3, "estimate"),
        ("hazards.plan_approval_workdays", 5, "estimate"),
        ("hazards.progress_days", 15, "estimate"),
        ("hazards.acceptance_days", 10, "excerpt"),
        ("hazards.watch_days", 90, "estimate"),
        ("hazards.rebound_early_days", 90, "estimate"),
        ("hazards.rebound_days", 365, "estimate"),
        ("hazards.sample_percent", 3, "estimate"),
        ("hazards.simple_penalty_citizen_yuan", 200, "verified"),
        ("hazards.simple_penalty_unit_yuan", 3000, "verified"),
    ],
)
def test_value_is_that_of_the_field(key: str, value: int, certainty: str) -> None:
    found = law.value(key, on=DAY)
    assert (found.value, found.certainty, found.overridden) == (value, certainty, False)


def test_value_takes_a_setting_for_an_estimate_and_says_so() -> None:
    found = law.value("hazards.watch_days", on=DAY, overrides={"hazards.watch_days": 120})
    assert (found.value, found.overridden, found.source.law) == (120, True, law.SETTING_LAW)
    assert law.value("hazards.judge_workdays", on=DAY, overrides={"hazards.watch_days": 120}).value == 3


@pytest.mark.parametrize(
    ("key", "replacement", "code"),
    [
        ("hazards.review_days", 30, "law.not_overridable"),
        ("hazards.watch_days", 0, "law.override_invalid"),
        ("hazards.suspect_days", -1, "law.override_invalid"),
        ("hazards.watch_days", True, "law.override_invalid"),
        ("hazards.nothing_days", 1, "law.unknown_key"),
    ],
)
def test_settings_never_bend_the_law(key: str, replacement: int, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        law.value(key, on=DAY, overrides={key: replacement})
    assert refusal.value.code == code


def test_overridable_names_estimates_only() -> None:
    keys = law.overridable()
    assert "hazards.watch_days" in keys
    assert "hazards.review_days" not in keys
    assert "hazards.acceptance_days" not in keys


def test_parse_reads_a_sourced_value() -> None:
    entry = law.parse("some", GOOD)["some.ten_days"]
    assert (entry.unit, entry.provisions[0].value, entry.provisions[0].source.citation) == (
        "days",
        10,
        "《某法》第一条",
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ten_days", "ten_things", "must end in"),
        ('law = "某法"', 'law = ""', "no source"),
        ('"verified"', '"certain"', "certainty"),
        ('article = "第一条"', 'article = ""', "names its article"),
        ("value = 10", 'value = "10"', "whole number"),
        ("value = 10", "value = 0", "whole number"),
        ("from = 2020-01-01", 'from = "2020"', "must be a date"),
        ('en = "Ten days"', "", "title"),
    ],
)
def test_parse_refuses_a_value_without_unit_source_or_day(old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(ValueError, match=message):
        law.parse("some", GOOD.replace(old, new))


def test_parse_refuses_provisions_out_of_order() -> None:
    older = GOOD[GOOD.index("[[") :].replace("2020", "2019")
    with pytest.raises(ValueError, match="oldest"):
        law.parse("some", GOOD + older)

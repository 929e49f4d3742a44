"""Answers a question to a rule: reads, picks the law of the day, decides, and writes the answer as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from anban.rules import law
from anban.rules.decision import CANNOT_JUDGE, Reason, Ruling, Source
from anban.rules.errors import LawGap, Refusal, register, shown
from anban.rules.every import rule_named
from anban.rules.figures import plain
from anban.rules.loaded import Loaded, packaged
from anban.rules.reading import SHANGHAI, parse_object, read
from anban.rules.registry import Rule

LARGEST_BYTES = 16 * 1024 * 1024
"""The largest question: a million days in a list still get a refusal that names the list. Over HTTP less is taken."""

_UNSURE = {
    "unconfirmed": ("尚未核对原文", "not yet checked against the text"),
    "estimate": ("为实务估计", "an estimate"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rule said to one question, with the day whose law applied."""

    rule: Rule
    ruling: Ruling
    as_of: date


def ask(name: object, given: Mapping[str, Any], loaded: Loaded | None = None) -> Answer:
    """This function will put a question to a rule; where no version of the law is loaded for its day, it cannot judge.

    `loaded` is what the asking office has loaded from files; without it the package's calendar and standards hold.

    Raises: Refusal `rules.…`.
    """
    rule = rule_named(name)
    facts, on = read(rule.facts, given)
    return answer(rule, facts, on, loaded)


def answer(rule: Rule, facts: object, on: date | None = None, loaded: Loaded | None = None) -> Answer:
    """This function will decide typed facts by a rule and mark the values it rests on that nobody has checked.

    Raises: Refusal `rules.…`.
    """
    day = rule.day_for(facts, on)
    try:
        ruling = rule.decide(facts, day, loaded or packaged())
    except LawGap as gap:
        return Answer(rule, Ruling({"decision": CANNOT_JUDGE}, (_gap(gap, day),)), day)
    except ArithmeticError as error:
        raise Refusal("rules.not_computable") from error
    unsure = tuple(_mark(each) for each in ruling.sources if each.certainty in _UNSURE)
    if unsure:
        ruling = Ruling(ruling.outcome, (*ruling.reasons, *unsure), ruling.sources)
    return Answer(rule, ruling, day)


def _gap(gap: LawGap, day: date) -> Reason:
    missing = law.entry(str(gap.params["key"]))
    return Reason(
        gap.code,
        f"{day} 当日没有已录入的有效条款：{missing.zh}（{missing.provisions[0].source.citation}）",
        f"No provision on record was in force on {day}: {missing.en} ({missing.provisions[0].source.citation})",
    )


def _mark(source: Source) -> Reason:
    zh, en = _UNSURE[source.certainty]
    return Reason(f"law.{source.certainty}", f"{source.citation}：数值{zh}", f"{source.citation}: the value is {en}")


def body(answered: Answer) -> dict[str, Any]:
    """This function will give an answer as the object that is written out."""
    ruling = answered.ruling
    return {
        "rule": answered.rule.name,
        "outcome": ruling.outcome,
        "reasons": [{"code": each.code, "text_zh": each.zh, "text_en": each.en} for each in ruling.reasons],
        "sources": [{"law": each.law, "article": each.article, "certainty": each.certainty} for each in ruling.sources],
        "as_of": answered.as_of,
    }


def refused(name: object, refusal: Refusal) -> dict[str, Any]:
    """This function will give a refusal as the object that is written out."""
    error = {"code": refusal.code, "message": refusal.zh, "message_en": refusal.en}
    if refusal.field:
        error["field"] = refusal.field
    return {"rule": shown(name) if isinstance(name, str) else None, "error": error}


def written(value: Mapping[str, Any]) -> bytes:
    """This function will write an object as JSON: exact decimals, instants at +08:00 to the second."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return orjson.Fragment(plain(value))
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)


def reply(name: object, text: str | bytes, loaded: Loaded | None = None) -> tuple[bytes, bool]:
    """This function will answer a question given as JSON text; the second value is False where it is refused."""
    try:
        if len(text) > LARGEST_BYTES:
            raise Refusal("rules.too_large", limit_mb=LARGEST_BYTES // 1024**2)
        return written(body(ask(name, parse_object(text), loaded))), True
    except Refusal as refusal:
        return written(refused(name, refusal)), False


def reply_line(line: bytes, loaded: Loaded | None = None) -> tuple[bytes, bool]:
    """This function will answer one line `{"rule": NAME, "in": {…}}` of a batch; the second value is False where it is refused."""
    name: object = None
    try:
        if len(line) > LARGEST_BYTES:
            raise Refusal("rules.too_large", limit_mb=LARGEST_BYTES // 1024**2)
        question = parse_object(line)
        name = question.get("rule")
        for field in ("rule", "in"):
            if field not in question:
                raise Refusal("rules.missing_field", field=field, name=field)
        if len(question) > 2:
            extra = next(each for each in question if each not in ("rule", "in"))
            raise Refusal("rules.unknown_field", field=shown(extra), name=shown(extra), known="in, rule")
        given = question["in"]
        if not isinstance(given, dict):
            raise Refusal("rules.not_an_object", field="in")
        return written(body(ask(name, given, loaded))), True
    except Refusal as refusal:
        return written(refused(name, refusal)), False


register("rules.not_computable", zh="数值过大，无法计算", en="The numbers are too large to compute with")
register("rules.too_large", zh="内容超过 {limit_mb} MB", en="The content is larger than {limit_mb} MB")

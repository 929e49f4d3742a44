"""What there is to say about a computable rule: inputs, units, outcome, sources; for lists, forms and documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from anban.rules import law
from anban.rules.registry import Asked, Offers, Rule, Version, spoken, unit_of

_KINDS: dict[Any, str] = {
    int: "integer",
    Decimal: "number",
    bool: "boolean",
    date: "date",
    datetime: "instant",
    str: "text",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One value an input may take, with its titles where it has any."""

    value: str | int
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a rule as a form or a document shows it.

    `kind` is integer, number, boolean, date, instant, text, choice or object; `many` marks a list; `inputs` are the
    fields of an object. `offers` and `closed` are as in `Asked`.
    """

    name: str
    zh: str
    en: str
    kind: str
    unit: tuple[str, str]
    required: bool
    nullable: bool
    default: object
    many: bool
    choices: tuple[Choice, ...]
    inputs: tuple[Input, ...]
    offers: Offers | None = None
    closed: bool = False


def inputs_of(facts: type) -> tuple[Input, ...]:
    """This function will describe the fields of an input type, in their order."""
    return tuple(_inputs(facts))


def _inputs(facts: type) -> Iterator[Input]:
    hints = get_type_hints(facts)
    for each in fields(facts):
        asked: Asked = each.metadata["asked"]
        kind, nullable, many = _plain(hints[each.name])
        choices: tuple[Choice, ...] = ()
        inner: tuple[Input, ...] = ()
        if isinstance(kind, type) and issubclass(kind, Enum):
            choices = tuple(Choice(one.value, getattr(one, "zh", ""), getattr(one, "en", "")) for one in kind)
        elif isinstance(kind, type) and is_dataclass(kind):
            inner = inputs_of(kind)
        required = each.default is MISSING
        yield Input(
            spoken(each.name), asked.zh, asked.en, _KINDS.get(kind) or ("choice" if choices else "object"),
            unit_of(each.name, asked.unit), required, nullable, None if required else each.default, many, choices, inner,
            asked.offers, asked.closed,
        )  # fmt: skip


def _plain(kind: Any) -> tuple[Any, bool, bool]:
    """Take a type apart: what it is, whether null is taken, whether it is a list."""
    nullable = many = False
    while (origin := get_origin(kind)) is not None:
        if origin in (Union, UnionType):
            args = get_args(kind)
            nullable = nullable or type(None) in args
            rest = [each for each in args if each is not type(None)]
            # A yes or a count is described as a count, a day or an instant as an instant.
            kind = rest[0] if len(rest) == 1 else int if int in rest else datetime
        elif origin is tuple:
            many, kind = True, get_args(kind)[0]
        else:
            raise TypeError(f"{kind} cannot be read from JSON")
    return kind, nullable, many


def described(rule: Rule) -> dict[str, Any]:
    """This function will describe a rule as `anban rule --list` and the API give it."""
    return {
        "rule": rule.name,
        "number": rule.number,
        "title_zh": rule.zh,
        "title_en": rule.en,
        "in": [_described(each) for each in inputs_of(rule.facts)],
        "outcome": [
            {"name": name, "title_zh": zh, "title_en": en, "unit": unit_of(name)[1]}
            for name, (zh, en) in rule.gives.items()
        ],
        "sources": [
            {
                "law": each.source.law,
                "article": each.source.article,
                "certainty": each.source.certainty,
                "in_force_from": each.in_force_from,
            }
            for each in _distinct(rule)
        ],
    }


def _described(asked: Input) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": asked.name,
        "title_zh": asked.zh,
        "title_en": asked.en,
        "type": asked.kind,
        "list": asked.many,
        "unit": asked.unit[1],
        "required": asked.required,
    }
    if not asked.required:
        made["default"] = asked.default
    if asked.choices:
        made["choices"] = [each.value for each in asked.choices]
    if asked.inputs:
        made["fields"] = [_described(each) for each in asked.inputs]
    return made


def _distinct(rule: Rule) -> tuple[law.Provision | Version, ...]:
    """Give the provisions behind a rule, each law and article once per day in force."""
    found: dict[tuple[object, date], law.Provision | Version] = {
        (each.source, each.in_force_from): each for each in rule.versions
    }
    for key in rule.rests_on:
        for each in law.entry(key).provisions:
            found.setdefault((each.source, each.in_force_from), each)
    return tuple(found.values())

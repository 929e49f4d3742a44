"""Reads a JSON object into the typed input of a rule: what does not fit is refused by field, nothing is guessed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from anban.rules.errors import Refusal, register, shown
from anban.rules.registry import Asked, spoken

SHANGHAI = timezone(timedelta(hours=8))
"""The offset of instants that name none: Beijing has kept +08:00 without summer time since 1992, before any rule here."""

LONGEST_LIST = 100_000
LONGEST_TEXT = 200
LARGEST_DAYS = 36_500
_LARGEST = 10**15
_FIRST_YEAR, _LAST_YEAR = 1900, 2199
_FRACTION_DIGITS = 12
_NUMBER = re.compile(r"[+-]?[0-9]{1,32}(?:\.[0-9]{1,32})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)

Convert = Callable[[Any, str], Any]
Reader = Callable[[Mapping[str, Any], str], Any]


def parse_object(text: str | bytes) -> dict[str, Any]:
    """This function will parse one JSON object with exact decimals.

    NaN and Infinity pass as floats, so that the field that holds one can refuse it by name.
    Raises: Refusal `rules.malformed`, `rules.field_twice`, `rules.not_an_object`.
    """
    try:
        value = json.loads(text, parse_float=Decimal, parse_int=_whole, parse_constant=float, object_pairs_hook=_unique)
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise Refusal("rules.malformed") from error
    if not isinstance(value, dict):
        raise Refusal("rules.not_an_object")
    return value


def _whole(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < 40 else Decimal(digits)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise Refusal("rules.field_twice", field=shown(twice), name=shown(twice))
    return made


def read(facts: type, given: Mapping[str, Any]) -> tuple[Any, date | None]:
    """This function will read an input and the optional day `on` that picks the version of the law.

    Raises: Refusal `rules.…` naming the field.
    """
    on: date | None = None
    if "on" in given:
        on = None if given["on"] is None else _day(given["on"], "on")
        given = {name: value for name, value in given.items() if name != "on"}
    return _reader(facts)(given, ""), on


@cache
def _reader(facts: type) -> Reader:
    """Compile the reader of one input type: its fields are looked at once, not at every decision."""
    hints = get_type_hints(facts)
    converts: dict[str, Convert] = {}
    required: list[str] = []
    own: dict[str, str] = {}
    for each in fields(facts):
        asked: Asked = each.metadata["asked"]
        name = spoken(each.name)
        own[name] = each.name
        converts[name] = _convert(hints[each.name], asked, name)
        if each.default is MISSING:
            required.append(name)
    known, needed = frozenset(converts), tuple(required)

    def reads(given: Mapping[str, Any], where: str) -> Any:
        made = {}
        for name, value in given.items():
            convert = converts.get(name)
            if convert is None:
                raise Refusal(
                    "rules.unknown_field", field=where + shown(name), name=shown(name), known=listed(known | {"on"})
                )
            made[own[name]] = convert(value, where + name)
        for name in needed:
            if own[name] not in made:
                raise Refusal("rules.missing_field", field=where + name, name=name)
        return facts(**made)

    return reads


def listed(names: frozenset[str]) -> str:
    """This function will list names for a refusal, in alphabetical order."""
    return ", ".join(sorted(names))


def _convert(kind: Any, asked: Asked, name: str) -> Convert:
    """Choose the converter of one field by its type."""
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return _of_union(get_args(kind), asked, name)
    if origin is tuple:
        return _of_list(_convert(get_args(kind)[0], asked, name))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _of_choice(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        return _of_object(kind)
    if kind in (int, Decimal):
        return _of_number(whole=kind is int, asked=asked, name=name)
    if kind is datetime:
        return _instant
    simple: dict[Any, Convert] = {bool: _truth, date: _day, str: _text}
    return simple[kind]


def _of_union(kinds: tuple[Any, ...], asked: Asked, name: str) -> Convert:
    nullable = type(None) in kinds
    rest = [kind for kind in kinds if kind is not type(None)]
    if set(rest) == {bool, int}:
        number = _convert(int, asked, name)
        inner: Convert = lambda value, where: value if isinstance(value, bool) else number(value, where)  # noqa: E731
    elif set(rest) == {date, datetime}:
        inner = _day_or_instant
    else:
        (only,) = rest
        inner = _convert(only, asked, name)
    if not nullable:
        return inner
    return lambda value, where: None if value is None else inner(value, where)


def _of_list(item: Convert) -> Convert:
    def reads(value: Any, where: str) -> Any:
        if not isinstance(value, list):
            raise _wrong(where, "列表", "a list", value)
        if len(value) > LONGEST_LIST:
            raise Refusal("rules.too_many", field=where, name=where, limit=LONGEST_LIST, count=len(value))
        return tuple([item(each, f"{where}[{i}]") for i, each in enumerate(value)])

    return reads


def _of_choice(kind: type[Enum]) -> Convert:
    known = {each.value: each for each in kind}
    choices = ", ".join(str(each) for each in known)
    number = (
        _of_number(whole=True, asked=Asked("", "", least=None), name="") if isinstance(next(iter(known)), int) else None
    )

    def reads(value: Any, where: str) -> Any:
        if number is not None:
            value = number(value, where)
        elif not isinstance(value, str):
            raise _wrong(where, "文字", "a text", value)
        if value not in known:
            raise Refusal("rules.unknown_choice", field=where, name=where, value=shown(value), choices=choices)
        return known[value]

    return reads


def _of_object(kind: type) -> Convert:
    def reads(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise _wrong(where, "对象", "an object", value)
        try:
            return _reader(kind)(value, f"{where}.")
        except Refusal as refusal:
            # What `__post_init__` of an item refuses names the item's own field.
            if refusal.field and not refusal.field.startswith(where):
                raise Refusal(refusal.code, field=f"{where}.{refusal.field}", **refusal.params) from refusal
            raise

    return reads


def _of_number(*, whole: bool, asked: Asked, name: str) -> Convert:
    least = -_LARGEST if asked.least is None else asked.least
    most = asked.most if asked.most is not None else LARGEST_DAYS if name.endswith("_days") else _LARGEST
    words = ("整数", "a whole number") if whole else ("数", "a number")

    def reads(value: Any, where: str) -> Any:
        kind = type(value)
        if kind is int:
            number: Any = value
        elif kind is Decimal:
            number = value
        elif kind is str and _NUMBER.fullmatch(value):
            number = Decimal(value)
        elif kind is float:
            number = Decimal(repr(value))
        else:
            raise _wrong(where, *words, value)
        if kind is not int:
            if not number.is_finite():
                raise Refusal("rules.not_a_number", field=where, value=shown(str(number)))
            if number and not -_FRACTION_DIGITS <= number.adjusted() <= 20:
                raise _outside(where, number, least, most)
            if number and _fraction_digits(number) > _FRACTION_DIGITS:
                raise Refusal("rules.too_fine", field=where, name=where, limit=_FRACTION_DIGITS)
        if number < 0 and least >= 0:
            raise Refusal("rules.negative", field=where, name=where, value=shown(str(number)))
        if not least <= number <= most:
            raise _outside(where, number, least, most)
        if whole and kind is not int:
            if number != int(number):
                raise _wrong(where, *words, str(number))
            return int(number)
        return number if whole or kind is not int else Decimal(number)

    return reads


def _fraction_digits(number: Decimal) -> int:
    """Count the digits after the point that matter: 1.500 has one."""
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _truth(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(where, "true 或 false", "true or false", value)
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _wrong(where, "文字", "a text", value)
    if len(value) > LONGEST_TEXT:
        raise Refusal("rules.too_long", field=where, name=where, limit=LONGEST_TEXT)
    return value


def _day(value: Any, where: str) -> date:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise _wrong(where, "日期（如 2024-02-29）", "a date such as 2024-02-29", value)
    try:
        day = date.fromisoformat(value)
    except ValueError as error:
        raise Refusal("rules.impossible_date", field=where, name=where, value=value) from error
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise Refusal("rules.year_outside", field=where, name=where, first=_FIRST_YEAR, last=_LAST_YEAR)
    return day


def _instant(value: Any, where: str) -> datetime:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise _wrong(
            where, "时刻（如 2024-02-29T10:00:00+08:00）", "an instant such as 2024-02-29T10:00:00+08:00", value
        )
    try:
        at = datetime.fromisoformat(value)
        at = at.replace(tzinfo=SHANGHAI) if at.tzinfo is None else at.astimezone(SHANGHAI)
    except (ValueError, OverflowError) as error:
        raise Refusal("rules.impossible_date", field=where, name=where, value=shown(value)) from error
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise Refusal("rules.year_outside", field=where, name=where, first=_FIRST_YEAR, last=_LAST_YEAR)
    return at


def _day_or_instant(value: Any, where: str) -> date:
    """Read an instant, or a day where days are counted; the rule sees which of the two it was given."""
    return _day(value, where) if isinstance(value, str) and _DAY.fullmatch(value) else _instant(value, where)


def _wrong(where: str, zh: str, en: str, value: object) -> Refusal:
    if value is None:
        text = "null"
    else:
        text = shown(value if isinstance(value, str | int | float | Decimal) else type(value).__name__)
    return Refusal("rules.wrong_type", field=where, name=where, wanted_zh=zh, wanted_en=en, value=text)


def _outside(where: str, number: object, least: int, most: int) -> Refusal:
    return Refusal("rules.out_of_range", field=where, name=where, value=shown(str(number)), least=least, most=most)


def day_of(at: date) -> date:
    """This function will give the day in Beijing of an aware instant; a day is its own."""
    return at.astimezone(SHANGHAI).date() if isinstance(at, datetime) else at


register("rules.malformed", zh="内容不是可读的 JSON", en="The content is not readable JSON")
register("rules.not_an_object", zh="内容应是一个 JSON 对象", en="The content must be one JSON object")
register("rules.not_a_number", zh="{value} 不是数", en="{value} is not a number")
register("rules.field_twice", zh="“{name}”写了两次", en="{name} is given twice")
register(
    "rules.unknown_field", zh="没有“{name}”这一项；可填：{known}", en="There is no field {name}; there are: {known}"
)
register("rules.missing_field", zh="缺少“{name}”", en="{name} is missing")
register(
    "rules.wrong_type", zh="“{name}”应为{wanted_zh}，收到的是 {value}", en="{name} must be {wanted_en}, not {value}"
)
register("rules.negative", zh="“{name}”不能是负数（{value}）", en="{name} cannot be negative ({value})")
register(
    "rules.out_of_range",
    zh="“{name}”应在 {least} 至 {most} 之间，收到的是 {value}",
    en="{name} must lie between {least} and {most}, not {value}",
)
register("rules.too_fine", zh="“{name}”的小数不得超过 {limit} 位", en="{name} may have at most {limit} decimals")
register(
    "rules.unknown_choice",
    zh="“{name}”没有“{value}”这个取值；可用：{choices}",
    en="{value} is no value of {name}; there are: {choices}",
)
register("rules.impossible_date", zh="“{name}”没有 {value} 这一天或时刻", en="{name}: there is no {value}")
register(
    "rules.year_outside", zh="“{name}”的年份应在 {first} 至 {last} 之间", en="{name} must lie in {first} to {last}"
)
register(
    "rules.too_many", zh="“{name}”有 {count} 项，最多 {limit} 项", en="{name} has {count} items; the limit is {limit}"
)
register("rules.too_long", zh="“{name}”最长 {limit} 个字符", en="{name} may have at most {limit} characters")

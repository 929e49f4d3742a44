"""Judgement standards of major hazards (重大事故隐患判定标准): dated tables of items, and what found items add up to.

Unknown is not false: without a table in force whose text is loaded the answer is undetermined, and a partial table may
answer major but never "not major". A table is a TOML file (docs/formats/major-criteria.md); those of the package lie in
`tables/major/`, and a table an office has loaded replaces the one of the same code.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from anban.rules import tables
from anban.rules.decision import CERTAINTIES, Certainty, Decision, Reason, Source
from anban.rules.errors import Refusal, register, shown

MAJOR = "major"
GENERAL = "general"
UNDETERMINED = "undetermined"
LONGEST_CODE = 80

register(
    "criteria.kind_unknown",
    zh="没有名为“{kind}”的判定标准；现有：{known}",
    en="There is no judgement standard named {kind}; there are: {known}",
)
register("criteria.item_unknown", zh="“{law}”中没有“{item}”这一条", en="{law} has no item {item}")
register("criteria.place_kind_unknown", zh="“{law}”不区分“{place_kind}”这类场所", en="{law} knows no kind of place named {place_kind}")  # fmt: skip
register("criteria.item_elsewhere", zh="“{item}”不适用于这类场所", en="Item {item} is not about this kind of place")
register("criteria.file_refused", zh="判定标准文件有误：{where_zh}", en="The file of the judgement standard is wrong: {where_en}")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """One item (判定情形、要素): code, clause, short text, the kinds of place it is about (none: any).

    A `combined` item is major only together with others, by a combination.
    """

    code: str
    clause: str
    zh: str
    en: str
    place_kinds: tuple[str, ...]
    combined: bool
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class Combination:
    """So many combined items of these (none: of any) make it major at places of these kinds."""

    clause: str
    place_kinds: tuple[str, ...]
    least: int
    of: frozenset[str]


@dataclass(frozen=True, slots=True)
class Criteria:
    """One standard as a table; without items it is a name whose text has yet to be loaded."""

    kind: str
    code: str
    zh: str
    en: str
    law: str
    in_force_from: date | None
    in_force_until: date | None
    certainty: Certainty
    partial: bool
    place_kinds: Mapping[str, tuple[str, str]]
    items: tuple[Item, ...]
    combinations: tuple[Combination, ...]
    exemption: tuple[str, str, str] | None

    @property
    def loaded(self) -> bool:
        """This property will say whether the text is here at all."""
        return bool(self.items)

    def in_force(self, on: date) -> bool:
        """This function will say whether findings of that day are judged by this table, as far as its own days say."""
        began = self.in_force_from is None or self.in_force_from <= on
        return began and (self.in_force_until is None or on < self.in_force_until)

    def item(self, code: str) -> Item:
        """This function will find an item by its code, with or without the letters before it.

        Raises: Refusal `criteria.item_unknown`.
        """
        wanted = plain(code)
        for each in self.items:
            if plain(each.code) == wanted:
                return each
        raise Refusal("criteria.item_unknown", field="items", law=self.law, item=code)

    def items_for(self, place_kind: str | None) -> tuple[Item, ...]:
        """This function will list the items that an officer goes through at a place of this kind."""
        return tuple(each for each in self.items if place_kind is None or _concerns(each, place_kind))

    def source(self, clause: str, certainty: Certainty) -> Source:
        """This function will cite a clause; no surer than the table as a whole says of it."""
        return Source(self.law, clause, certainty)


def plain(code: str) -> str:
    """This function will give a code without width, case and leading letters: F6.6, f6.6 and 6.6 are one."""
    return unicodedata.normalize("NFKC", code).strip().upper().lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _concerns(item: Item, place_kind: str) -> bool:
    return not item.place_kinds or place_kind in item.place_kinds


@cache
def packaged() -> tuple[Criteria, ...]:
    """This function will read the tables of the package, once."""
    folder = resources.files(tables) / "major"
    files = sorted((each for each in folder.iterdir() if each.name.endswith(".toml")), key=lambda each: each.name)
    return tuple(parse(file.read_text(encoding="utf-8")) for file in files)


def with_loaded(loaded: Iterable[Criteria], known: Iterable[Criteria] | None = None) -> tuple[Criteria, ...]:
    """This function will give tables (the package's, if none are given) with an office's own: the same code replaces, a new one is added."""
    mine = {each.code: each for each in loaded}
    return (*(mine.pop(each.code, each) for each in (packaged() if known is None else known)), *mine.values())


def kinds(known: Iterable[Criteria] | None = None) -> dict[str, tuple[Criteria, ...]]:
    """This function will give the tables of each kind (行业领域), from the oldest to the newest."""
    found: dict[str, list[Criteria]] = {}
    for each in packaged() if known is None else known:
        found.setdefault(each.kind, []).append(each)
    return {kind: tuple(sorted(each, key=_begins)) for kind, each in sorted(found.items())}


def _begins(criteria: Criteria) -> date:
    return criteria.in_force_from or date.min


def in_force(kind: str, on: date, known: Iterable[Criteria] | None = None) -> Criteria | None:
    """This function will find the table of a kind that findings of that day are judged by, the newest that has begun.

    Raises: Refusal `criteria.kind_unknown`.
    """
    by_kind = kinds(known)
    if kind not in by_kind:
        raise Refusal("criteria.kind_unknown", field="kind", kind=shown(kind), known=", ".join(by_kind))
    current = [each for each in by_kind[kind] if each.in_force(on)]
    return current[-1] if current else None


def judge(
    kind: str,
    found_on: date,
    found: Iterable[str],
    *,
    place_kind: str | None = None,
    exempt: bool = False,
    known: Iterable[Criteria] | None = None,
) -> Decision:
    """This function will say what the items found on a day add up to: major, general or undetermined.

    `found` are codes of items; one named twice counts once. `exempt` is the finding that the standard's exemption holds.
    Raises: Refusal `criteria.…` naming what the standard doesn't have.
    """
    criteria = in_force(kind, found_on, known)
    if criteria is None:
        return _undetermined(
            "criteria.no_standard",
            f"{found_on} 没有已录入的现行判定标准",
            f"no standard on record was in force on {found_on}",
        )
    if not criteria.loaded:
        zh = f"《{criteria.law}》的条文尚未录入，不能判定"
        return _undetermined("criteria.text_not_loaded", zh, f"the text of {criteria.law} isn't loaded", criteria)
    if place_kind is not None and place_kind not in criteria.place_kinds:
        raise Refusal("criteria.place_kind_unknown", field="place_kind", law=criteria.law, place_kind=place_kind)
    items = _items(criteria, found, place_kind)
    if exempt and criteria.exemption:
        clause, zh, en = criteria.exemption
        return Decision(
            GENERAL,
            (Reason("criteria.exempt", f"不予判定：{zh}", f"not judged major: {en}"),),
            (criteria.source(clause, criteria.certainty),),
        )
    direct = [each for each in items if not each.combined]
    if direct:
        return _major(criteria, direct, "direct", "、".join(each.clause for each in direct))
    return _combined(criteria, items, place_kind)


def _items(criteria: Criteria, found: Iterable[str], place_kind: str | None) -> list[Item]:
    """The items found, each once, in the order of the standard."""
    named = {criteria.item(code) for code in found}
    for each in named:
        if place_kind is not None and not _concerns(each, place_kind):
            raise Refusal("criteria.item_elsewhere", field="items", item=each.code)
    return [each for each in criteria.items if each in named]


def _combined(criteria: Criteria, items: list[Item], place_kind: str | None) -> Decision:
    """Nothing found is enough by itself: count what counts together."""
    for each in criteria.combinations:
        counted = [item for item in items if not each.of or item.code in each.of]
        if place_kind in each.place_kinds and len(counted) >= each.least:
            return _major(criteria, counted, "combined", each.clause)
    if items and place_kind is None:
        zh = "未给出场所类别，综合判定要素的数量无从比较"
        return _undetermined(
            "criteria.place_kind_missing", zh, "without the kind of place the combined items can't be counted", criteria
        )
    if criteria.partial:
        zh = f"录入的《{criteria.law}》不完整，未发现已录入的情形不等于不是重大"
        return _undetermined(
            "criteria.partial", zh, f"{criteria.law} is loaded in part: not found there isn't not major", criteria
        )
    zh = f"未达到判定条件（发现 {len(items)} 项综合要素）" if criteria.combinations else "未发现列明的情形"
    en = (
        f"not enough to judge it major ({len(items)} combined items)"
        if criteria.combinations
        else "no listed case was found"
    )
    certainty = criteria.certainty
    return Decision(GENERAL, (Reason("criteria.not_met", zh, en),), (criteria.source(_clause_of(criteria), certainty),))


def _clause_of(criteria: Criteria) -> str:
    return criteria.combinations[0].clause if criteria.combinations else ""


def _major(criteria: Criteria, items: list[Item], code: str, clause: str) -> Decision:
    reasons = tuple(
        Reason(f"criteria.{code}.{plain(each.code)}", f"{each.code} {each.zh}", f"{each.code} {each.en}")
        for each in items
    )
    if code == "combined":
        zh, en = f"符合综合判定要素 {len(items)} 项", f"{len(items)} combined items are met"
        reasons = (Reason("criteria.combined", zh, en), *reasons)
    sure = max((each.certainty for each in items), key=CERTAINTIES.index)
    return Decision(MAJOR, reasons, (criteria.source(clause, sure),))


def _undetermined(code: str, zh: str, en: str, criteria: Criteria | None = None) -> Decision:
    sources = () if criteria is None else (criteria.source("", criteria.certainty),)
    return Decision(UNDETERMINED, (Reason(code, zh, en),), sources)


# --- reading a table


def parse(text: str) -> Criteria:
    """This function will read one table from the text of its TOML file.

    Raises: Refusal `criteria.file_refused` naming the key or the item.
    """
    try:
        facts = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _broken(f"不是有效的 TOML（{error}）", f"not valid TOML ({error})") from error
    _only(facts, {"kind", "code", "zh", "en", "law", "in_force_from", "in_force_until", "certainty", "partial", "place_kinds", "items", "combinations", "exemption"}, "")  # fmt: skip
    certainty = _certainty(facts, "")
    place_kinds = {
        key: (_text(each, "zh", f"place_kinds.{key}"), _text(each, "en", f"place_kinds.{key}"))
        for key, each in _table(facts, "place_kinds").items()
    }
    items = tuple(_item(each, n, certainty, place_kinds) for n, each in enumerate(_rows(facts, "items"), start=1))
    codes = [plain(each.code) for each in items]
    for code in codes:
        if codes.count(code) > 1:
            raise _broken(f"条目 {code} 重复", f"item {code} appears twice")
    combinations = tuple(
        _combination(each, n, {item.code for item in items if item.combined}, place_kinds)
        for n, each in enumerate(_rows(facts, "combinations"), start=1)
    )
    if len(_text(facts, "code", "")) > LONGEST_CODE:
        raise _broken(f"code 最长 {LONGEST_CODE} 个字符", f"code may have at most {LONGEST_CODE} characters")
    partial = facts.get("partial", False)
    if type(partial) is not bool:
        raise _broken("partial 应为 true 或 false", "partial must be true or false")
    return Criteria(
        kind=_text(facts, "kind", ""),
        code=_text(facts, "code", ""),
        zh=_text(facts, "zh", ""),
        en=_text(facts, "en", ""),
        law=_text(facts, "law", ""),
        in_force_from=_day(facts, "in_force_from"),
        in_force_until=_day(facts, "in_force_until"),
        certainty=certainty,
        partial=partial,
        place_kinds=MappingProxyType(place_kinds),
        items=items,
        combinations=combinations,
        exemption=_exemption(facts),
    )


def _item(row: Mapping[str, Any], number: int, certainty: Certainty, place_kinds: Mapping[str, object]) -> Item:
    where = f"items[{number}]"
    _only(row, {"code", "clause", "zh", "en", "place_kinds", "combined", "certainty"}, where)
    combined = row.get("combined", False)
    if type(combined) is not bool:
        raise _broken(f"{where}.combined 应为 true 或 false", f"{where}.combined must be true or false")
    return Item(
        code=_text(row, "code", where),
        clause=_text(row, "clause", where),
        zh=_text(row, "zh", where),
        en=_text(row, "en", where),
        place_kinds=_known(row, "place_kinds", place_kinds, where),
        combined=combined,
        certainty=_certainty(row, where) if "certainty" in row else certainty,
    )


def _combination(
    row: Mapping[str, Any], number: int, codes: set[str], place_kinds: Mapping[str, object]
) -> Combination:
    where = f"combinations[{number}]"
    _only(row, {"clause", "place_kinds", "least", "of"}, where)
    least = row.get("least")
    if type(least) is not int or least < 1:
        raise _broken(f"{where}.least 应为正整数", f"{where}.least must be a whole number of at least 1")
    chosen = _known(row, "place_kinds", place_kinds, where)
    return Combination(_text(row, "clause", where), chosen, least, frozenset(_known(row, "of", codes, where)))


def _exemption(facts: Mapping[str, Any]) -> tuple[str, str, str] | None:
    given = _table(facts, "exemption")
    if not given:
        return None
    return _text(given, "clause", "exemption"), _text(given, "zh", "exemption"), _text(given, "en", "exemption")


def _text(row: object, key: str, where: str) -> str:
    value = row.get(key) if isinstance(row, Mapping) else None
    name = f"{where}.{key}" if where else key
    if not isinstance(value, str) or not value.strip():
        raise _broken(f"缺少 {name}", f"{name} is missing")
    return value.strip()


def _day(facts: Mapping[str, Any], key: str) -> date | None:
    value = facts.get(key)
    if value is not None and type(value) is not date:
        raise _broken(f"{key} 应为日期", f"{key} must be a date")
    return value


def _certainty(row: Mapping[str, Any], where: str) -> Certainty:
    value = row.get("certainty")
    for each in CERTAINTIES:
        if value == each:
            return each
    name = f"{where}.certainty" if where else "certainty"
    raise _broken(f"{name} 应为 {', '.join(CERTAINTIES)} 之一", f"{name} must be one of {', '.join(CERTAINTIES)}")


def _known(row: Mapping[str, Any], key: str, known: Iterable[str], where: str) -> tuple[str, ...]:
    values = row.get(key, [])
    names = frozenset(known)
    if not isinstance(values, list) or not all(isinstance(each, str) and each in names for each in values):
        raise _broken(f"{where}.{key} 有未定义的代码", f"{where}.{key} names a code that isn't defined")
    return tuple(values)


def _rows(facts: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = facts.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        raise _broken(f"{key} 应为表的列表", f"{key} must be a list of tables")
    return value


def _table(facts: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = facts.get(key, {})
    if not isinstance(value, Mapping):
        raise _broken(f"{key} 应为表", f"{key} must be a table")
    return value


def _only(row: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in row:
        if key not in known:
            name = f"{where}.{key}" if where else key
            raise _broken(f"没有 {name} 这一项", f"there is no {name}")


def _broken(zh: str, en: str) -> Refusal:
    return Refusal("criteria.file_refused", field="file", where_zh=zh, where_en=en)

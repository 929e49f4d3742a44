"""Readers of the packaged catalog files: frozen rows, no database."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar, get_type_hints

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Dated:
    """Validity and provenance that most rows carry; no `from_on` means no known first day."""

    from_on: date | None
    until: date | None
    source: str
    """Codes of `sources.csv`."""
    certainty: str
    """`law`, `read`, `recalled`, `practice` or `estimate`."""


@dataclass(frozen=True, slots=True)
class HazardClassRow:
    """One hazard class (隐患类别) and who has the power over it in a district."""

    code: str
    zh: str
    en: str
    special_regulator: tuple[str, ...]
    may_order: tuple[str, ...]
    may_penalise: tuple[str, ...]
    street_may: str
    street_may_en: str
    street_may_zh: str
    note_zh: str
    dated: Dated


@dataclass(frozen=True, slots=True)
class CheckListRow:
    """One checklist (检查表)."""

    code: str
    zh: str
    en: str
    dated: Dated


@dataclass(frozen=True, slots=True)
class CheckItemRow:
    """One item of a checklist (检查项)."""

    code: str
    list_code: str
    zh: str
    how_zh: str
    en: str
    how_en: str
    hazard_class: str
    level: str
    """`on_spot` (立), `general` (一) or `suspected` (疑)."""
    skill: str
    """`A` street, `B` trained officer of the trade, `C` expert or test body."""
    basis: str
    comes_back: bool
    """Whether people bring this hazard back, so that a second cycle needs a cause and a lasting measure."""
    on_spot_default: bool
    dated: Dated


@dataclass(frozen=True, slots=True)
class PlaceKindRow:
    """One kind of place (场所类型) with its checklists and its lead body (行业主管)."""

    code: str
    zh: str
    en: str
    lists: tuple[str, ...]
    lead: tuple[str, ...]
    members: tuple[str, ...]
    high_risk_six: bool
    gbt4754: tuple[str, ...]
    aliases: tuple[str, ...]
    hole_zh: str
    dated: Dated


@dataclass(frozen=True, slots=True)
class IndustryRow:
    """One entry of GB/T 4754-2017 (国民经济行业分类)."""

    code: str
    level: str
    """`section`, `division`, `group` or `class`."""
    section: str
    zh: str
    en: str
    source: str
    certainty: str


@dataclass(frozen=True, slots=True)
class AnywhereRow:
    """One of the ten items that any visitor may record anywhere (随处可记)."""

    code: str
    zh: str
    en: str
    item: str
    also: tuple[str, ...]
    hazard_class: str
    dated: Dated


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One paper (文书) of a regulator."""

    code: str
    body_kinds: tuple[str, ...]
    regulator_zh: str
    purpose: str
    zh: str
    en: str
    binding: bool
    needs_service: bool
    dated: Dated


@dataclass(frozen=True, slots=True)
class SectorRow:
    """One sector (条线) of posts: the classes and place kinds it covers and the body kind that holds it."""

    code: str
    zh: str
    en: str
    classes: tuple[str, ...]
    place_kinds: tuple[str, ...]
    body_kind: str
    dated: Dated


@dataclass(frozen=True, slots=True)
class BodyKindRow:
    """One kind of body (机构类型); the template holds {市}, {区}, {街道}, {社区}, {管理区} or {方位}."""

    code: str
    zh: str
    name_template: str
    en: str
    level: str
    sector: str
    source: str
    certainty: str


@dataclass(frozen=True, slots=True)
class RoleRow:
    """One role of a post (岗位角色)."""

    code: str
    zh: str
    en: str
    level: str
    privileged: bool
    """Whether the role needs a second factor."""
    may_en: str
    may_zh: str
    chain_role: str
    """The role in the chain of a hazard that this post usually fills, or nothing."""
    dated: Dated


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source that the other files cite by code."""

    code: str
    text: str


_Row = TypeVar("_Row")
_COLUMNS = {"list_code": "list", "hazard_class": "class"}


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(";") if part)


def _dated(row: dict[str, str]) -> Dated:
    days = [date.fromisoformat(row[column]) if row[column] else None for column in ("from", "until")]
    return Dated(days[0], days[1], row["source"], row["certainty"])


def _read(name: str, kind: type[_Row]) -> tuple[_Row, ...]:
    """Read one file into rows of `kind`; each field's declared type says how its cell is taken."""
    types = get_type_hints(kind)

    def cell(row: dict[str, str], field: str) -> object:
        if types[field] is Dated:
            return _dated(row)
        text = row[_COLUMNS.get(field, field)]
        if types[field] is bool:
            return {"true": True, "false": False}[text]
        return text if types[field] is str else _parts(text)

    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(kind(**{field: cell(row, field) for field in types}) for row in csv.DictReader(lines))


def hazard_classes() -> tuple[HazardClassRow, ...]:
    """This function will return the thirteen hazard classes with the body kinds that regulate, order and penalise."""
    return _read("hazard_classes", HazardClassRow)


def check_lists() -> tuple[CheckListRow, ...]:
    """This function will return the twenty-four checklists."""
    return _read("check_lists", CheckListRow)


def check_items() -> tuple[CheckItemRow, ...]:
    """This function will return every item of every checklist in the order of the lists."""
    return _read("check_items", CheckItemRow)


def place_kinds() -> tuple[PlaceKindRow, ...]:
    """This function will return the kinds of places with checklists, lead and member bodies."""
    return _read("place_kinds", PlaceKindRow)


def industries() -> tuple[IndustryRow, ...]:
    """This function will return the sections of GB/T 4754-2017 and the classes that matter here."""
    return _read("industries", IndustryRow)


def ten_anywhere() -> tuple[AnywhereRow, ...]:
    """This function will return the ten items that any visitor may record anywhere."""
    return _read("ten_anywhere", AnywhereRow)


def papers() -> tuple[PaperRow, ...]:
    """This function will return the papers by regulator and the papers common to all."""
    return _read("papers", PaperRow)


def sectors() -> tuple[SectorRow, ...]:
    """This function will return the sectors of posts with their hazard classes and place kinds."""
    return _read("sectors", SectorRow)


def body_kinds() -> tuple[BodyKindRow, ...]:
    """This function will return the kinds of bodies with the template of their names."""
    return _read("body_kinds", BodyKindRow)


def roles() -> tuple[RoleRow, ...]:
    """This function will return the roles that a post can have."""
    return _read("roles", RoleRow)


def sources() -> tuple[SourceRow, ...]:
    """This function will return the sources that the other files cite."""
    return _read("sources", SourceRow)


def recognised_kind(words: str, kinds: tuple[PlaceKindRow, ...]) -> str | None:
    """This function will return the code of the place kind whose longest alias stands in `words`, or None.

    Han aliases match anywhere; of two equally long ones the one that ends later wins, because a Chinese name ends
    with what the place is. Latin aliases match whole words, in any case, also in the plural.
    """
    text = words.casefold()
    best: tuple[int, int] = (0, 0)
    found: str | None = None
    for kind in kinds:
        for alias in kind.aliases:
            folded = alias.casefold()
            if folded.isascii():
                hit = re.search(rf"(?<![a-z0-9]){re.escape(folded)}s?(?![a-z0-9])", text)
                end = hit.end() if hit else 0
            else:
                end = text.rfind(folded) + len(folded) if folded in text else 0
            if end and (len(folded), end) > best:
                best, found = (len(folded), end), kind.code
    return found


def kind_of_industry(code: str, kinds: tuple[PlaceKindRow, ...]) -> str | None:
    """This function will return the place kind whose longest GB/T 4754 prefix opens `code`, or None.

    Source: GB/T 4754-2017.
    """
    fits = [(len(prefix), kind.code) for kind in kinds for prefix in kind.gbt4754 if code.startswith(prefix)]
    longest = max((length for length, _ in fits), default=0)
    return next((kind for length, kind in fits if length == longest), None)

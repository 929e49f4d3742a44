"""Dated legal values: each with its unit in the name, the day it came into force, its law, article and certainty."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from anban.rules.decision import CERTAINTIES, Source
from anban.rules.errors import LawGap, Refusal

UNITS = (
    "hours", "days", "workdays", "months", "years", "times", "percent", "yuan",
    "persons", "points", "kg", "m2", "rooms", "beds", "clause",
)  # fmt: skip
CLAUSE = "clause"
"""The unit of an entry without a number: a clause that decides by its words, dated and sourced like a value."""
SETTING_LAW = "本系统设置"


@dataclass(frozen=True, slots=True)
class Provision:
    """One value of a key from a day on, until a later provision replaces it."""

    in_force_from: date
    value: int
    source: Source
    note: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A named legal value: unit (the last word of its name), Chinese and English title, least sensible value, provisions."""

    key: str
    unit: str
    zh: str
    en: str
    least: int
    provisions: tuple[Provision, ...]
    fixed: bool

    @property
    def overridable(self) -> bool:
        """This property will be true when no provision of the key is law: only customs of the field are settings.

        A `fixed` estimate is none either: a rule with a frozen name gives the same answer in every city.
        """
        return not self.fixed and all(each.source.certainty == "estimate" for each in self.provisions)

    def on(self, day: date) -> Provision:
        """This function will give the provision in force on a day.

        Raises: LawGap before the first one.
        """
        for provision in reversed(self.provisions):
            if provision.in_force_from <= day:
                return provision
        raise LawGap(self.key, day)


@dataclass(frozen=True, slots=True)
class LawValue:
    """A value as it stood on a day: with unit and source; `overridden` when a setting replaced an estimate."""

    key: str
    value: int
    unit: str
    source: Source
    overridden: bool = False

    @property
    def certainty(self) -> str:
        """This property will say how sure we are: verified, excerpt, unconfirmed or estimate."""
        return self.source.certainty


def parse(stem: str, text: str) -> dict[str, Entry]:
    """This function will read one file of provisions into entries keyed `<stem>.<name>`.

    Raises: ValueError for a name without unit, an unknown certainty, law without a name, or days out of order:
    no source, no build.
    """
    return {f"{stem}.{name}": _entry(f"{stem}.{name}", table) for name, table in tomllib.loads(text).items()}


def _entry(key: str, table: Mapping[str, Any]) -> Entry:
    unit = key.rsplit("_", 1)[-1]
    if unit not in UNITS:
        raise ValueError(f"{key}: the name must end in one of {', '.join(UNITS)}")
    if not table.get("zh") or not table.get("en"):
        raise ValueError(f"{key}: a title in Chinese and English is needed")
    least = int(table.get("least", 1))
    provisions = tuple(_provision(key, least, row) for row in table.get("provisions", ()))
    days = [each.in_force_from for each in provisions]
    if not days or days != sorted(set(days)):
        raise ValueError(f"{key}: provisions are needed, from the oldest to the newest")
    return Entry(key, unit, table["zh"], table["en"], least, provisions, fixed=bool(table.get("fixed", False)))


def _provision(key: str, least: int, row: Mapping[str, Any]) -> Provision:
    day, value, certainty = row.get("from"), row.get("value"), row.get("certainty")
    if key.endswith(f"_{CLAUSE}"):
        if value is not None:
            raise ValueError(f"{key}: a clause has no number")
        value = max(1, least)
    if type(day) is not date:
        raise ValueError(f"{key}: `from` must be a date")
    if type(value) is not int or value < least:
        raise ValueError(f"{key}: `value` must be a whole number of at least {least}")
    if certainty not in CERTAINTIES:
        raise ValueError(f"{key}: certainty {certainty!r} is not one of {', '.join(CERTAINTIES)}")
    if not row.get("law"):
        raise ValueError(f"{key}: no source")
    if certainty == "verified" and not row.get("article"):
        raise ValueError(f"{key}: a verified value names its article")
    return Provision(day, value, Source(row["law"], row.get("article", ""), certainty), row.get("note", ""))


def _load() -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for file in sorted(resources.files(__name__).iterdir(), key=lambda each: each.name):
        if file.name.endswith(".toml"):
            found.update(parse(file.name.removesuffix(".toml"), file.read_text(encoding="utf-8")))
    return found


_ENTRIES = _load()


def entries() -> tuple[Entry, ...]:
    """This function will give every legal value on record with all its provisions."""
    return tuple(_ENTRIES.values())


def entry(key: str) -> Entry:
    """This function will give one legal value with all its provisions.

    Raises: Refusal `law.unknown_key`.
    """
    try:
        return _ENTRIES[key]
    except KeyError:
        raise Refusal("law.unknown_key", key=key) from None


@cache
def overridable() -> tuple[str, ...]:
    """This function will name the keys that a setting may replace: those marked as estimates throughout."""
    return tuple(key for key, each in _ENTRIES.items() if each.overridable)


def value(key: str, *, on: date, overrides: Mapping[str, int] | None = None) -> LawValue:
    """This function will give the value of `key` as it stood on the day `on`, or the setting that replaces an estimate.

    Raises: LawGap before the first provision; Refusal `law.unknown_key`, `law.not_overridable`, `law.override_invalid`.
    """
    known = entry(key)
    provision = known.on(on)
    if overrides is None or key not in overrides:
        return LawValue(key, provision.value, known.unit, provision.source)
    check_override(key, overrides[key])
    return LawValue(key, overrides[key], known.unit, Source(SETTING_LAW, known.zh, "estimate"), overridden=True)


def check_override(key: str, replacement: int) -> None:
    """This function will refuse a setting that touches law or makes no sense; a settings page calls it before saving.

    Raises: Refusal `law.unknown_key`, `law.not_overridable`, `law.override_invalid`.
    """
    known = entry(key)
    if not known.overridable:
        raise Refusal("law.not_overridable", field=key, key=key)
    if type(replacement) is not int or replacement < known.least:
        raise Refusal("law.override_invalid", field=key, key=key, least=known.least, value=replacement)


class Book:
    """The law as it stood on one day (当日有效的法): gives values by key and remembers whence, for the sources of a ruling."""

    __slots__ = ("_sources", "on")

    def __init__(self, on: date) -> None:
        self.on = on
        self._sources: dict[Source, None] = {}

    def __getitem__(self, key: str) -> int:
        """This function will give a value and count its source among those that the ruling rests on.

        Raises: LawGap; Refusal `law.unknown_key`.
        """
        provision = entry(key).on(self.on)
        self._sources[provision.source] = None
        return provision.value

    def peek(self, key: str) -> int:
        """This function will give a value without resting on it: a limit that turns out not to be reached.

        Raises: LawGap; Refusal `law.unknown_key`.
        """
        return entry(key).on(self.on).value

    def cite(self, key: str) -> None:
        """This function will count a clause that decides by its words among the sources.

        Raises: LawGap; Refusal `law.unknown_key`.
        """
        self[key]

    def has(self, key: str) -> bool:
        """This function will tell whether a provision was in force on the day.

        Raises: Refusal `law.unknown_key`.
        """
        return entry(key).provisions[0].in_force_from <= self.on

    @property
    def sources(self) -> tuple[Source, ...]:
        """This property will name the sources of every value read so far, in the order of reading."""
        return tuple(self._sources)

"""The computable rules (可计算规则): each a pure function over a typed, frozen input, entered here under its frozen name.

A rule is written like this; `asked` says about an input what its type cannot:

    @dataclass(frozen=True, slots=True, kw_only=True)
    class DrillFacts:
        who: DrillDuty = asked("单位类别", "who has to drill")
        last_on: date = asked("上次演练日期", "day of the last drill")


    @rule(
        "drill_due", number="R28", zh="应急演练期限", en="When the next drill is due",
        rests_on=("emergency.drill_key_unit_months", "emergency.drill_government_months"),
        gives={"due_on": ("应于此日前（含）演练", "to be held by")}, day=lambda facts: facts.last_on,
    )
    def drill_due(facts: DrillFacts, on: date) -> Ruling:
        book = Book(on)
        months = book[f"emergency.drill_{facts.who}_months"]
        ...
        return Ruling({"due_on": due}, (Reason("drill_due.counted", "…", "…"),), book.sources)

Values come from `Book(on)`, never from the code; what was read becomes the sources. Facts that contradict each other are
refused in `__post_init__`. A rule that counts working days or reads a judgement standard takes a third argument
`loaded: Loaded`: what the asking office has loaded, handed in. The module is named in `anban.rules.every`.
docs/decisions/0010-rules.md says the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field
from datetime import date
from typing import Any, TypeVar, get_type_hints

from anban.rules import law
from anban.rules.decision import Ruling, Source
from anban.rules.errors import Refusal, register, shown
from anban.rules.loaded import Loaded

Function = Callable[..., Ruling]
F = TypeVar("F", bound=Function)

UNITS: Mapping[str, tuple[str, str]] = {
    "yuan": ("元", "yuan"),
    "days": ("日", "days"),
    "months": ("个月", "months"),
    "years": ("年", "years"),
    "hours": ("小时", "hours"),
    "minutes": ("分钟", "minutes"),
    "persons": ("人", "persons"),
    "kg": ("千克", "kg"),
    "t": ("吨", "t"),
    "m2": ("平方米", "m²"),
    "rooms": ("间", "rooms"),
    "beds": ("张", "beds"),
    "seats": ("座", "seats"),
    "500m": ("人", "persons"),
    "on": ("日期", "date"),
    "at": ("时刻", "instant"),
}
"""What the last word of an input's or an outcome's name says about its unit, in both languages."""


@dataclass(frozen=True, slots=True)
class Offered:
    """One thing that may be written into a text: the value, what it is, and the heading it stands under, in both languages."""

    value: str
    zh: str
    en: str
    under_zh: str = ""
    under_en: str = ""


Offers = Callable[[Loaded], Iterable[Offered]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader, the form and the documents know of an input beside its type.

    `least` and `most` bound a number (inclusive); `unit` names one of `UNITS` where the field's name does not end in it.
    `offers` lists what may be written into a text, by what is loaded; `closed` where there is nothing else.
    """

    zh: str
    en: str
    unit: str = ""
    least: int | None = 0
    most: int | None = None
    offers: Offers | None = None
    closed: bool = False


def asked(
    zh: str,
    en: str,
    *,
    unit: str = "",
    least: int | None = 0,
    most: int | None = None,
    offers: Offers | None = None,
    closed: bool = False,
    default: Any = MISSING,
) -> Any:
    """This function will make a dataclass field of an input with its titles; numbers are not negative unless `least` says so."""
    return field(default=default, metadata={"asked": Asked(zh, en, unit, least, most, offers, closed)})


def spoken(name: str) -> str:
    """This function will give the name of an input outside: `class_` stands for `class`, which the language keeps for itself."""
    return name.removesuffix("_")


def unit_of(name: str, told: str = "") -> tuple[str, str]:
    """This function will give the unit of an input or outcome in both languages, empty where it has none."""
    return UNITS.get(told or name.rsplit("_", 1)[-1], ("", "")) if told or "_" in name else ("", "")


@dataclass(frozen=True, slots=True)
class Version:
    """A table or method a rule rests on that is not a legal value of `law/`: from when it applies, and its source."""

    in_force_from: date
    source: Source


@dataclass(frozen=True, slots=True)
class Rule:
    """A computable rule: frozen name and number, titles, input type, outcome fields, the legal values it rests on.

    `reads_loaded`: it counts working days or reads a judgement standard, so that what an office has loaded may decide.

    `day` finds the day of the fact in an input; where there is none, the newest loaded version of `rests_on` and
    `versions` applies (`versions`: tables and methods that are not legal values).
    """

    name: str
    number: str
    zh: str
    en: str
    function: Function
    facts: type
    reads_loaded: bool
    gives: Mapping[str, tuple[str, str]]
    rests_on: tuple[str, ...]
    versions: tuple[Version, ...]
    day: Callable[[Any], date | None] | None
    newest: date

    def decide(self, facts: object, on: date, loaded: Loaded) -> Ruling:
        """This function will decide typed facts by the law of a day, and by what is loaded where the rule reads it.

        Raises: LawGap, Refusal.
        """
        return self.function(facts, on, loaded) if self.reads_loaded else self.function(facts, on)

    @property
    def is_statistic(self) -> bool:
        """This property will say whether it is a method of statistics, not of the law."""
        return self.function.__module__.startswith("anban.rules.statistics.")

    def day_for(self, facts: object, on: date | None) -> date:
        """This function will give the day whose law applies: the one asked for, the day of the fact, else the newest version."""
        return on or (self.day(facts) if self.day else None) or self.newest


_RULES: dict[str, Rule] = {}


def rule(
    name: str,
    *,
    number: str,
    zh: str,
    en: str,
    gives: Mapping[str, tuple[str, str]],
    rests_on: tuple[str, ...] = (),
    versions: tuple[Version, ...] = (),
    day: Callable[[Any], date | None] | None = None,
) -> Callable[[F], F]:
    """This function will enter a rule under its name and give its function back unchanged.

    Raises: ValueError for a name that is taken, or a rule that rests on nothing; Refusal `law.unknown_key`.
    """
    starts = [law.entry(key).provisions[-1].in_force_from for key in rests_on]
    starts += [each.in_force_from for each in versions]

    def enter(function: F) -> F:
        if name in _RULES or not starts:
            raise ValueError(f"the rule {name!r} is entered twice or rests on nothing")
        hints = get_type_hints(function)
        reads_loaded = hints.get("loaded") is Loaded
        _RULES[name] = Rule(
            name, number, zh, en, function, hints["facts"], reads_loaded, gives, rests_on, versions, day, max(starts)
        )
        return function

    return enter


def all_rules() -> tuple[Rule, ...]:
    """This function will give every rule that is entered: R1 to R36, the others, then the statistics by name."""
    return tuple(
        sorted(
            _RULES.values(),
            key=lambda each: (each.is_statistic, not each.number, int(each.number[1:] or 0), each.name),
        )
    )


def rule_named(name: object) -> Rule:
    """This function will find a rule by its frozen name.

    Raises: Refusal `rules.unknown_rule`.
    """
    found = _RULES.get(name) if isinstance(name, str) else None
    if found is None:
        raise Refusal("rules.unknown_rule", field="rule", name=shown(name))
    return found


register("rules.unknown_rule", zh="没有名为“{name}”的规则", en="There is no rule named {name}")

"""Major hazard sources (危险化学品重大危险源): S, R and level by GB 18218-2018, exact at every boundary.

A quantity is the design maximum of one unit (单元), in tonnes. Table 1 has 85 named substances; everything else goes by
its class of table 2. β comes from table 3 for the named toxic gases and by class from table 4 for the rest.
"""

from __future__ import annotations

import csv
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from functools import cache, lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from anban.rules import tables
from anban.rules.decision import CANNOT_JUDGE, Certainty, Reason, Ruling, Source
from anban.rules.errors import Refusal, register
from anban.rules.loaded import Loaded
from anban.rules.registry import Offered, Version, asked, rule

SHOWN = Context(prec=12, rounding=ROUND_FLOOR)
"""S and R are compared as fractions and shown with twelve digits, cut off: what is shown never looks like more than it is."""

register("substance.unknown", zh="不认识的化学品“{given}”：请给出表 1 的名称、CAS 号，或表 2 的类别", en="Unknown substance “{given}”: give a name or CAS number of table 1, or a class of table 2")  # fmt: skip
register(
    "substance.unnamed", zh="请给出化学品的名称、CAS 号或类别", en="Give the substance's name, CAS number or class"
)
register("substance.ambiguous", zh="“{given}”在表 1 中有多项，请写明是哪一项：{choices}", en="“{given}” has several entries in table 1; say which one: {choices}")  # fmt: skip
register("substance.contradictory", zh="名称“{name}”和 CAS 号“{cas}”不是同一种化学品", en="“{name}” and CAS {cas} are not the same substance")  # fmt: skip
register("substance.class_unknown", zh="表 2 没有类别“{given}”", en="Table 2 has no class “{given}”")
register("substance.none", zh="请至少列出一种化学品", en="List at least one substance")


@dataclass(frozen=True, slots=True)
class HazardClass:
    """One class of tables 2 and 4: code, words, threshold quantity and β."""

    code: str
    zh: str
    threshold_t: Fraction
    beta: Fraction


@dataclass(frozen=True, slots=True)
class Substance:
    """One entry of table 1 (or a good that goes by its class, `number` 0): name, CAS numbers, threshold quantity.

    `toxic_gas_beta` is its β where table 3 names it; else β is that of `class_code`.
    """

    number: int
    name: str
    aliases: tuple[str, ...]
    cas: tuple[str, ...]
    threshold_t: Fraction
    toxic_gas_beta: Fraction | None
    class_code: str


@dataclass(frozen=True, slots=True)
class Standard:
    """The standard as loaded: entries, classes, bands, and how sure each table is."""

    law: str
    in_force_from: date
    substances: tuple[Substance, ...]
    classes: Mapping[str, HazardClass]
    alpha: tuple[tuple[int, Fraction], ...]
    levels: tuple[tuple[Fraction, int], ...]
    certainty: Mapping[str, Certainty]
    by_name: Mapping[str, tuple[Substance, ...]]
    by_cas: Mapping[str, tuple[Substance, ...]]

    def source(self, table: str, article: str) -> Source:
        """This function will cite one table of the standard with its certainty."""
        return Source(self.law, article, self.certainty[table])


def _names_offered(_loaded: Loaded) -> Iterator[Offered]:
    for each in standard().substances:
        yield Offered(each.name, "、".join(each.cas), ", ".join(each.cas))


def _classes_offered(_loaded: Loaded) -> Iterator[Offered]:
    for each in standard().classes.values():
        yield Offered(each.code, each.zh, each.zh)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a unit holds: a substance by name, CAS number or class, and its design maximum in tonnes.

    A class beside a known name decides β where table 3 doesn't; a name that table 1 lacks goes by its class.
    """

    name: str | None = asked("名称", "name", offers=_names_offered, default=None)
    cas: str | None = asked("CAS 号", "CAS number", default=None)
    class_: str | None = asked("表 2 类别", "class of table 2", offers=_classes_offered, default=None)
    q_t: Decimal = asked("设计最大量", "design maximum")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """One unit's substances, and who lives near it."""

    substances: tuple[Held, ...] = asked("化学品", "substances")
    residents_500m: int = asked("厂界外 500 米内常住人口", "residents within 500 m of the boundary")

    def __post_init__(self) -> None:
        if not self.substances:
            raise Refusal("substance.none", field="substances")


@lru_cache(4096)
def normal(name: str) -> str:
    """This function will give a name without differences of width, case, brackets and spaces."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(plain.replace("[", "(").replace("]", ")").replace("、", ",").split())


@cache
def standard() -> Standard:
    """This function will read GB 18218-2018 from the package, once."""
    folder = resources.files(tables)
    facts = tomllib.loads((folder / "gb18218.toml").read_text(encoding="utf-8"))
    lines = (folder / "gb18218_substances.csv").read_text(encoding="utf-8").splitlines()
    classes = {
        code: HazardClass(code, each["zh"], Fraction(each["threshold_t"]), Fraction(each["beta"]))
        for code, each in facts["classes"].items()
    }
    substances = tuple(_substance(row) for row in csv.DictReader(lines))
    goods = tuple(
        Substance(0, each["name"], tuple(each["aliases"]), (), classes[each["class"]].threshold_t, None, each["class"])
        for each in facts["by_class"]
    )
    names: dict[str, tuple[Substance, ...]] = {}
    numbers: dict[str, tuple[Substance, ...]] = {}
    for substance in substances + goods:
        for name in _names(substance):
            names[name] = (*names.get(name, ()), substance)
        for cas in substance.cas:
            numbers[cas] = (*numbers.get(cas, ()), substance)
    return Standard(
        law=facts["law"],
        in_force_from=facts["in_force_from"],
        substances=substances,
        classes=MappingProxyType(classes),
        alpha=tuple((each["residents_from"], Fraction(each["alpha"])) for each in facts["alpha"]),
        levels=tuple((Fraction(each["r_from"]), each["level"]) for each in facts["levels"]),
        certainty=MappingProxyType(facts["certainty"]),
        by_name=MappingProxyType(names),
        by_cas=MappingProxyType(numbers),
    )


def _substance(row: Mapping[str, Any]) -> Substance:
    beta = row["toxic_gas_beta"]
    return Substance(
        int(row["no"]),
        row["name"],
        _listed(row["aliases"]),
        _listed(row["cas"]),
        Fraction(row["threshold_t"]),
        Fraction(beta) if beta else None,
        row["class"],
    )


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(filter(None, cell.split(";")))


def _names(substance: Substance) -> Iterator[str]:
    """A substance goes by its full name, its aliases, and what stands before the bracket of its name."""
    full = normal(substance.name)
    yield from dict.fromkeys([full, full.split("(")[0], *map(normal, substance.aliases)])


@rule(
    "major_hazard_source",
    number="R14",
    zh="危险化学品重大危险源辨识与分级",
    en="Major hazard sources: whether, and of which level",
    gives={
        "s": ("辨识指标 S", "S"),
        "is_source": ("构成重大危险源", "is a major hazard source"),
        "r": ("分级指标 R", "R"),
        "level": ("级别（一级最高）", "level, 1 the gravest"),
    },
    versions=(Version(date(2019, 3, 1), Source("GB 18218-2018 危险化学品重大危险源辨识", "4.2、4.3", "excerpt")),),
)
def major_hazard_source(facts: SourceFacts, on: date) -> Ruling:
    """This function will say whether what a unit holds is a major hazard source, and of which level.

    R and level are null where it is none. Before the standard of 2018 came into force it cannot judge. Raises: Refusal `substance.…` naming the entry.
    """
    table = standard()
    if on < table.in_force_from:
        return Ruling({"decision": CANNOT_JUDGE}, (_not_in_force(table, on),), (table.source("table1", "4.2"),))
    s = weighted = Fraction(0)
    own_class: dict[str, str] = {}
    for index, each in enumerate(facts.substances):
        threshold, beta, chosen = _weigh(table, each, f"substances[{index}]")
        share = Fraction(each.q_t) / threshold
        s += share
        weighted += share * beta
        own_class.update(chosen)
    if s < 1:
        outcome = {"s": _shown(s), "is_source": False, "r": None, "level": None}
        return Ruling(outcome, (_below(s),), (table.source("table1", "4.2"),))
    alpha = next(factor for least, factor in table.alpha if facts.residents_500m >= least)
    r = alpha * weighted
    level = next(level for least, level in table.levels if r >= least)
    reasons = [_at_least(s), _graded(r, alpha, level)]
    sources = [table.source("table1", "4.2"), table.source("levels", "4.3")]
    if own_class:
        reasons.append(_classes_are_ours(own_class))
        sources.append(table.source("class_of_named", "表4"))
    return Ruling({"s": _shown(s), "is_source": True, "r": _shown(r), "level": level}, tuple(reasons), tuple(sources))


def _weigh(table: Standard, held: Held, field: str) -> tuple[Fraction, Fraction, dict[str, str]]:
    """Threshold and β of one entry; and the class we chose for it where the standard names none."""
    substance = _find(table, held, field)
    code = unicodedata.normalize("NFKC", held.class_ or "").strip().upper()
    if code and code not in table.classes:
        raise Refusal("substance.class_unknown", field=f"{field}.class", given=held.class_)
    if substance is None:
        if not code:
            given = held.name or held.cas
            if not given:
                raise Refusal("substance.unnamed", field=field)
            raise Refusal("substance.unknown", field=f"{field}.{'name' if held.name else 'cas'}", given=given)
        return table.classes[code].threshold_t, table.classes[code].beta, {}
    if substance.toxic_gas_beta is not None:
        return substance.threshold_t, substance.toxic_gas_beta, {}
    beta = table.classes[code or substance.class_code].beta
    return substance.threshold_t, beta, {} if code or not substance.number else {substance.name: substance.class_code}


def _find(table: Standard, held: Held, field: str) -> Substance | None:
    named = table.by_name.get(normal(held.name), ()) if held.name else ()
    numbered = table.by_cas.get(normal(held.cas), ()) if held.cas else ()
    if named and numbered:
        both = tuple(each for each in named if each in numbered)
        if not both:
            raise Refusal("substance.contradictory", field=f"{field}.cas", name=held.name, cas=held.cas)
        named, numbered = both, ()
    found = named or numbered
    if len(found) > 1:
        key = "name" if held.name else "cas"
        choices = "；".join(each.name for each in found)
        raise Refusal("substance.ambiguous", field=f"{field}.{key}", given=held.name or held.cas, choices=choices)
    return found[0] if found else None


def _shown(value: Fraction) -> Decimal:
    return _plain(SHOWN.divide(Decimal(value.numerator), Decimal(value.denominator)))


def _plain(value: Decimal) -> Decimal:
    """2.50 as 2.5 and 1E+2 as 100."""
    return Decimal(int(value)) if value == int(value) else value.normalize()


def _not_in_force(table: Standard, on: date) -> Reason:
    zh = f"{on} 施行的版本没有录入（《{table.law}》自 {table.in_force_from} 起施行）"
    return Reason(
        "major_hazard_source.not_in_force",
        zh,
        f"the version in force on {on} isn't loaded ({table.law} begins on {table.in_force_from})",
    )


def _below(s: Fraction) -> Reason:
    shown = _shown(s)
    return Reason(
        "major_hazard_source.s_below_one",
        f"S = {shown}，小于 1，不构成重大危险源",
        f"S = {shown}, below 1: not a major hazard source",
    )


def _at_least(s: Fraction) -> Reason:
    shown = _shown(s)
    return Reason(
        "major_hazard_source.s_at_least_one",
        f"S = {shown}，不小于 1，构成重大危险源",
        f"S = {shown}, at least 1: a major hazard source",
    )


def _graded(r: Fraction, alpha: Fraction, level: int) -> Reason:
    zh = f"R = {_shown(r)}（α = {_shown(alpha)}），{'一二三四'[level - 1]}级"
    return Reason("major_hazard_source.graded", zh, f"R = {_shown(r)} (α = {_shown(alpha)}): level {level}")


def _classes_are_ours(classes: Mapping[str, str]) -> Reason:
    listed = sorted(classes.items())
    zh = "、".join(f"{name}（{code}）" for name, code in listed)
    en = ", ".join(f"{name} ({code})" for name, code in listed)
    return Reason(
        "major_hazard_source.class_unconfirmed",
        f"标准表 1 没有写明类别，β 按本系统采用的类别取值，待核：{zh}",
        f"Table 1 names no class; β follows the class taken here, unconfirmed: {en}",
    )

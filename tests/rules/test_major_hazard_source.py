"""GB 18218-2018: its tables as loaded, and what S, R and level do when quantities grow, move or are parted."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anban.rules import every
from anban.rules.answering import ask
from anban.rules.errors import Refusal
from anban.rules.major_hazard_source import normal, standard

TONNES = st.decimals("0", "900", places=3)
HELD = st.lists(
    st.one_of(
        st.fixed_dictionaries({"name": st.sampled_from([each.name for each in standard().substances]), "q_t": TONNES}),
        st.fixed_dictionaries({"class": st.sampled_from(sorted(standard().classes)), "q_t": TONNES}),
    ),
    min_size=1,
    max_size=6,
)
RESIDENTS = st.integers(0, 300)


def judged(substances: list[dict[str, Any]], residents: int) -> Any:
    assert every.RULE_MODULES
    return ask("major_hazard_source", {"substances": substances, "residents_500m": residents}).ruling.outcome


def test_the_standard_is_loaded_whole() -> None:
    table = standard()
    assert [each.number for each in table.substances] == list(range(1, 86))
    assert len(table.classes) == 24
    assert all(each.threshold_t > 0 for each in table.substances)
    assert sum(each.threshold_t for each in table.substances) == Fraction("7289.55")
    assert _toxic() == {
        "氨": 2, "二氧化氮": 10, "二氧化硫": 2, "碳酰氯": 20, "环氧乙烷": 2, "磷化氢": 20, "硫化氢": 5, "氯化氢(无水)": 3, "氯": 4,
        "煤气(CO,CO和H2、CH4的混合物等)": 2, "溴甲烷": 3, "氟化氢": 5, "氰化氢": 10, "异氰酸甲酯": 20,
    }  # fmt: skip
    assert all((each.toxic_gas_beta is None) == (each.class_code in table.classes) for each in table.substances)


def _toxic() -> dict[str, Fraction]:
    return {each.name: each.toxic_gas_beta for each in standard().substances if each.toxic_gas_beta is not None}


def test_every_cas_number_has_its_check_digit() -> None:
    for substance in standard().substances:
        for cas in substance.cas:
            digits = cas.replace("-", "")
            total = sum(int(digit) * place for place, digit in enumerate(reversed(digits[:-1]), start=1))
            assert total % 10 == int(digits[-1]), (substance.name, cas)


@pytest.mark.parametrize("number", range(1, 86))
def test_every_named_substance_is_a_source_at_its_threshold_by_every_name(number: int) -> None:
    substance = standard().substances[number - 1]
    threshold = Decimal(substance.threshold_t.numerator) / Decimal(substance.threshold_t.denominator)
    names = [{"name": name} for name in (substance.name, *substance.aliases)]
    numbers = [{"cas": cas} for cas in substance.cas if len(standard().by_cas[cas]) == 1]
    for key in names + numbers:
        assert judged([{**key, "q_t": threshold}], 1)["is_source"] is True
        assert judged([{**key, "q_t": threshold - Decimal("0.000001")}], 1)["is_source"] is False


def test_a_name_of_several_entries_is_never_guessed() -> None:
    shared = [name for name, found in standard().by_name.items() if len(found) > 1]
    assert set(shared) == {"硝化纤维素", "硝酸铵"}
    for name in shared:
        with pytest.raises(Refusal, match="多项"):
            judged([{"name": name, "q_t": 1}], 0)


@pytest.mark.parametrize(
    "written", ["ＬＰＧ", "lpg", " 液化 石油气 ", "液化石油气（含丙烷，丁烷及其混合物）", "Propane"]
)
def test_names_are_read_without_width_case_and_spaces(written: str) -> None:
    assert normal(written) in standard().by_name
    assert judged([{"name": written, "q_t": 50}], 0)["is_source"] is True


@given(HELD, RESIDENTS, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_does_not_matter(held: list[dict[str, Any]], residents: int, shuffle: Any) -> None:
    mixed = list(held)
    shuffle.shuffle(mixed)
    assert judged(mixed, residents) == judged(held, residents)


@given(HELD, RESIDENTS, TONNES, st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_more_is_never_less(held: list[dict[str, Any]], residents: int, more: Decimal, which: int) -> None:
    index = which % len(held)
    grown = [{**each, "q_t": each["q_t"] + (more if i == index else 0)} for i, each in enumerate(held)]
    first, second = judged(held, residents), judged(grown, residents)
    assert second["s"] >= first["s"]
    assert second["is_source"] >= first["is_source"]
    if first["is_source"]:
        assert second["r"] >= first["r"]
        assert second["level"] <= first["level"]
        crowded = judged(held, residents + 50)
        assert crowded["r"] >= first["r"]
        assert crowded["level"] <= first["level"]


@given(HELD, RESIDENTS)
@settings(max_examples=60, deadline=None)
def test_what_is_parted_counts_as_one(held: list[dict[str, Any]], residents: int) -> None:
    parted = [{**each, "q_t": each["q_t"] / 2} for each in held for _ in range(2)]
    assert judged(parted, residents) == judged(held, residents)


@given(HELD, RESIDENTS)
@settings(max_examples=60, deadline=None)
def test_outcome_agrees_with_itself(held: list[dict[str, Any]], residents: int) -> None:
    told = judged(held, residents)
    assert told["is_source"] is (told["s"] >= 1)
    if not told["is_source"]:
        assert told["r"] is None
        assert told["level"] is None
        return
    bands = [(100, 1), (50, 2), (10, 3), (0, 4)]
    assert told["level"] == next(level for least, level in bands if told["r"] >= least)


def test_a_class_we_chose_shows_as_unconfirmed_and_one_that_is_given_does_not() -> None:
    ours = ask("major_hazard_source", {"substances": [{"name": "乙炔", "q_t": 1}], "residents_500m": 0}).ruling
    assert any(each.code == "major_hazard_source.class_unconfirmed" for each in ours.reasons)
    assert any(each.certainty == "unconfirmed" for each in ours.sources)
    given_class = {"name": "乙炔", "class": "W2", "q_t": 1}
    theirs = ask("major_hazard_source", {"substances": [given_class], "residents_500m": 0}).ruling
    assert not any(each.certainty == "unconfirmed" for each in theirs.sources)
    assert ours.outcome == theirs.outcome

"""Credit codes: the vectors of the standard and of real and made-up firms, normalisation, spreadsheet damage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anban.kit.credit_code import (
    ALPHABET,
    PROBLEMS,
    body_check_char,
    check_char,
    is_mangled,
    is_valid,
    is_valid_body,
    normalise,
    problems,
)

VALID = [
    "91350100M000100Y43",  # the standard's own example
    "91110108551385082Q",
    "91110000710926094P",
    "9144030071526726XG",  # X in the organisation code
    "91110106MA00TE5T29",
    "92110106MA00FT1202",
    "911101060000000940",  # the sum is a multiple of 31
]


@pytest.mark.parametrize("code", VALID)
def test_valid_codes_have_no_problem(code: str) -> None:
    assert problems(code) == ()
    assert check_char(code[:17]) == code[17]
    assert is_valid_body(code[8:17])


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("91350100M000100Y4Z", ("alphabet",)),
        ("91110108551385028Q", ("body_check", "check")),
        ("91110108551385082G", ("check",)),
        ("91110108S51385082Q", ("alphabet",)),
        ("9111010855138508Q", ("length",)),
        ("", ("length",)),
        ("911100001000013428", ("check",)),
        ("91110000100000001W", ("body_check",)),
        ("91310115MA1H8R7C6D", ("body_check", "check")),
        ("9.11E+17", ("mangled",)),
        ("9.1110108551385E+17", ("mangled",)),
        ("9.11e17", ("mangled",)),
        ("911101085513850820.0", ("mangled",)),
        ("９．１１Ｅ＋１７", ("mangled",)),
    ],
)
def test_problems_are_named(code: str, expected: tuple[str, ...]) -> None:
    assert problems(code) == expected
    assert not is_valid(code)
    assert set(expected) <= set(PROBLEMS)


def test_authority_and_area_are_looked_at() -> None:
    first = "94110108551385082"
    assert problems(first + check_char(first)) == ("authority",)
    second = "911A0108551385082"
    assert problems(second + check_char(second)) == ("area",)


@pytest.mark.parametrize(
    ("body", "valid"),
    [("M000100Y4", True), ("D2143569X", True), ("D2143569-X", True), ("M000100Y5", False), ("M000", False)],
)
def test_organisation_codes(body: str, valid: bool) -> None:
    assert is_valid_body(body) is valid


def test_check_characters_of_the_worked_examples() -> None:
    assert check_char("91110108551385082") == "Q"
    assert check_char("91350100M000100Y4") == "3"
    assert body_check_char("55138508") == "2"
    for misshapen in ("9135", "9135O100M000100Y4"):
        with pytest.raises(ValueError, match="17 characters"):
            check_char(misshapen)
    with pytest.raises(ValueError, match="eight"):
        body_check_char("5513850é")


def test_normalise_repairs_what_keyboards_do() -> None:
    assert normalise(" ９１３５０１００-m000100y43\u3000") == "91350100M000100Y43"
    assert is_valid("91 3501 00m0 0010 0y43")
    assert normalise(normalise("９１-ａ")) == normalise("９１-ａ") == "91A"


def test_a_plain_valid_code_is_never_called_mangled() -> None:
    assert not any(is_mangled(code) for code in VALID)
    assert not is_mangled("911101060000000940")


@given(st.sampled_from(VALID), st.integers(0, 17), st.sampled_from(ALPHABET))
def test_every_single_wrong_character_is_found(code: str, position: int, char: str) -> None:
    changed = code[:position] + char + code[position + 1 :]
    assert is_valid(changed) is (changed == code)


@given(st.text(max_size=30))
def test_any_text_gets_an_answer(text: str) -> None:
    assert set(problems(text)) <= set(PROBLEMS)

"""Canonical JSON: the vectors of RFC 8785 and equality with the reference library."""

import hashlib
from datetime import date
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from anban.kit.canonical import NotCanonical, canonical_bytes, digest

SAFE = 2**53 - 1
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-SAFE, SAFE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
KEYS = st.text(st.characters(exclude_categories=["Cs"])) | st.text(st.characters(max_codepoint=127))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20)
# Without floats and with ASCII keys: the values that take the fast path.
FAST = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE, SAFE) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner),
    max_leaves=20,
)


@given(VALUES)
def test_any_value_gives_the_bytes_of_the_reference(value: Any) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)


@given(FAST)
def test_the_fast_path_gives_the_bytes_of_the_reference(value: Any) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)


def test_keys_are_sorted_by_utf16_and_numbers_written_as_ecmascript_does() -> None:
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\xf6": 7}
    assert list(canonical_bytes(value).decode()) == list(
        '{"\\r":2,"1":4,"\x80":6,"\xf6":7,"\u20ac":1,"\U0001f600":5,"\ufb33":3}'
    )
    assert canonical_bytes([333333333.33333329, 1e30, 4.50, 2e-3, 1e-27, -0.0]) == (
        b"[333333333.3333333,1e+30,4.5,0.002,1e-27,0]"
    )
    assert canonical_bytes({"b": (1, 2), "a": "\x1f\x7f/\u2028"}) == b'{"a":"\\u001f\x7f/\xe2\x80\xa8","b":[1,2]}'


@pytest.mark.parametrize(
    "value",
    [
        2**53, -(2**53), [float("nan")], {"a": float("inf")}, "\ud800", {"\ud800": 1}, {1: 2}, date(2026, 1, 1), {"a": {1}}, b"x",
    ],
)  # fmt: skip
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical_bytes(value)


def test_great_depth_is_refused_and_not_a_crash() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(NotCanonical):
        canonical_bytes(deep)


def test_digest_is_the_sha256_of_the_bytes() -> None:
    assert digest({"b": 1, "a": "隐患"}) == hashlib.sha256('{"a":"隐患","b":1}'.encode()).hexdigest()
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})

"""Identifiers: order, determinism, no collisions of joined parts."""

import uuid

import pytest

from anban.kit.ids import id_from, new_id


def test_new_id_is_a_standard_uuid_of_version_7_and_ordered() -> None:
    ids = [new_id() for _ in range(1000)]
    assert all(type(one) is uuid.UUID and one.version == 7 for one in ids)
    assert len(set(ids)) == 1000
    assert [one.int >> 80 for one in ids] == sorted(one.int >> 80 for one in ids)


def test_id_from_is_fixed_for_ever() -> None:
    assert id_from("place", "91110108551385082Q") == uuid.UUID("cd26781e-19de-5264-b89f-327d3ff3e46a")
    assert id_from("place", "91110108551385082Q").version == 5


def test_id_from_separates_parts_and_namespaces() -> None:
    assert len({id_from("a", "ab", "c"), id_from("a", "a", "bc"), id_from("a", "abc"), id_from("b", "abc")}) == 4


def test_id_from_refuses_an_empty_key() -> None:
    with pytest.raises(ValueError, match="at least one part"):
        id_from("place")

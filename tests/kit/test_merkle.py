"""The Merkle tree: published vectors, a second implementation, tiles, and every kind of false proof."""

import hashlib
from collections.abc import Callable

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anban.kit.merkle import (
    HASHES,
    Frontier,
    Subtree,
    TiledTree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    range_root,
    root,
    sha256,
    sm3,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [
    bytes.fromhex(h)
    for h in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZES = 130


def _source(hashes: list[bytes]) -> Callable[[int, int], bytes]:
    return TiledTree(lambda a, b: hashes[a:b], lambda level, index: None).subtree


def _entry(i: int) -> bytes:
    return f"entry {i}".encode()


HASHED = [leaf_hash(_entry(i)) for i in range(SIZES)]
SUBTREE = _source(HASHED)


@pytest.fixture(scope="module")
def other() -> pymerkle.InmemoryTree:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for i in range(SIZES):
        tree.append_entry(_entry(i))
    return tree


@pytest.mark.parametrize("size", range(9))
def test_roots_of_the_published_vectors(size: int) -> None:
    assert root(LEAVES[:size]).hex() == ROOTS[size]
    hashes = [leaf_hash(leaf) for leaf in LEAVES]
    assert range_root(0, size, _source(hashes)).hex() == ROOTS[size]


def test_inclusion_proof_of_the_published_vector() -> None:
    hashes = [leaf_hash(leaf) for leaf in LEAVES]
    assert [p.hex() for p in inclusion_proof(5, 8, _source(hashes))] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_roots_and_inclusion_proofs_equal_those_of_a_second_implementation(other: pymerkle.InmemoryTree) -> None:
    for size in range(1, SIZES + 1):
        expected = other.get_root(size)
        assert range_root(0, size, SUBTREE) == expected
        for index in range(size):
            proof = inclusion_proof(index, size, SUBTREE)
            # The other implementation starts its path with the leaf itself.
            assert [HASHED[index], *proof] == other.prove_inclusion(index + 1, size).path
            assert verify_inclusion(HASHED[index], index, size, proof, expected)


def _subproof(m: int, start: int, end: int, whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 9162 §2.1.4.1, word for word."""
    n = end - start
    if m == n:
        return [] if whole else [range_root(start, end, SUBTREE)]
    k = 1
    while k * 2 < n:
        k *= 2
    if m <= k:
        return [*_subproof(m, start, start + k, whole), range_root(start + k, end, SUBTREE)]
    return [*_subproof(m - k, start + k, end, False), range_root(start, start + k, SUBTREE)]


def test_consistency_proofs_are_those_of_the_standard_and_verify(other: pymerkle.InmemoryTree) -> None:
    roots = [other.get_root(size) for size in range(SIZES + 1)]
    for second in range(1, SIZES + 1):
        for first in range(1, second + 1):
            proof = consistency_proof(first, second, SUBTREE)
            assert proof == _subproof(first, 0, second, True)
            assert verify_consistency(first, second, roots[first], roots[second], proof)


@pytest.mark.parametrize("second", [2, 7, 8, 65, 130])
def test_roots_satisfy_the_consistency_proofs_of_a_second_implementation(
    other: pymerkle.InmemoryTree, second: int
) -> None:
    for first in range(1, second + 1):
        theirs = other.prove_consistency(first, second)
        pymerkle.verify_consistency(range_root(0, first, SUBTREE), range_root(0, second, SUBTREE), theirs)
        with pytest.raises(pymerkle.InvalidProof):
            pymerkle.verify_consistency(sha256(b"fork"), range_root(0, second, SUBTREE), theirs)


def test_false_inclusion_proofs_are_refused() -> None:
    for size in (1, 2, 3, 7, 8, 13, 64, 65):
        expected = range_root(0, size, SUBTREE)
        for index in range(size):
            proof = inclusion_proof(index, size, SUBTREE)
            assert not verify_inclusion(HASHED[index + 1], index, size, proof, expected)
            assert not verify_inclusion(HASHED[index], index, size, [*proof, expected], expected)
            assert not verify_inclusion(HASHED[index], size, size, proof, expected)
            assert not verify_inclusion(HASHED[index], -1, size, proof, expected)
            assert not verify_inclusion(HASHED[index], index, size, proof, expected[::-1])
            for i in range(len(proof)):
                bent = [*proof[:i], sha256(proof[i]), *proof[i + 1 :]]
                assert not verify_inclusion(HASHED[index], index, size, bent, expected)
                assert not verify_inclusion(HASHED[index], index, size, proof[:i] + proof[i + 1 :], expected)
            for wrong in range(size):
                assert verify_inclusion(HASHED[index], wrong, size, proof, expected) is (wrong == index)


def test_false_consistency_proofs_are_refused() -> None:
    roots = [range_root(0, size, SUBTREE) for size in range(41)]
    for second in range(2, 41):
        for first in range(1, second):
            proof = consistency_proof(first, second, SUBTREE)
            fork = sha256(roots[first])
            assert not verify_consistency(first, second, fork, roots[second], proof)
            assert not verify_consistency(first, second, roots[first], sha256(roots[second]), proof)
            assert not verify_consistency(second, first, roots[second], roots[first], proof)
            assert not verify_consistency(first, second, roots[first], roots[second], [*proof, fork])
            assert not verify_consistency(first, second, roots[first], roots[second], [])
            for i in range(len(proof)):
                bent = [*proof[:i], sha256(proof[i]), *proof[i + 1 :]]
                assert not verify_consistency(first, second, roots[first], roots[second], bent)


def test_consistency_at_the_edges() -> None:
    empty, one = sha256(b""), range_root(0, 1, SUBTREE)
    assert consistency_proof(0, 1, SUBTREE) == []
    assert verify_consistency(0, 1, empty, one, [])
    assert verify_consistency(0, 0, empty, empty, [])
    assert not verify_consistency(0, 0, empty, one, [])
    assert not verify_consistency(0, 1, one, one, [])
    assert not verify_consistency(0, 1, empty, one, [one])
    assert verify_consistency(1, 1, one, one, [])
    assert not verify_consistency(1, 1, one, empty, [])


def test_impossible_proofs_are_refused() -> None:
    for index, size in ((0, 0), (5, 5), (-1, 5)):
        with pytest.raises(ValueError, match="no leaf"):
            inclusion_proof(index, size, SUBTREE)
    with pytest.raises(ValueError, match="no prefix"):
        consistency_proof(6, 5, SUBTREE)


def test_frontier_equals_the_tree_at_every_size_and_survives_storage() -> None:
    frontier = Frontier()
    for size in range(SIZES + 1):
        assert frontier.size == size
        assert frontier.root() == range_root(0, size, SUBTREE)
        stored = frontier.to_bytes()
        assert len(stored) == 8 + 32 * size.bit_count()
        again = Frontier.from_bytes(stored)
        assert again.root() == frontier.root()
        if size < SIZES:
            twin = frontier.copy()
            twin.append(HASHED[size])
            assert frontier.size == size
            frontier = again
            frontier.append(HASHED[size])
            assert twin.to_bytes() == frontier.to_bytes()


@pytest.mark.parametrize("data", [b"", b"\0" * 7, b"\0" * 9, (3).to_bytes(8, "big") + b"\0" * 32])
def test_a_damaged_frontier_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a frontier"):
        Frontier.from_bytes(data)


def test_tiles_are_reported_as_they_complete_and_answer_proofs_without_the_leaves() -> None:
    size = 65_536 + 700
    hashes = [leaf_hash(i.to_bytes(4, "big")) for i in range(size)]
    frontier = Frontier()
    tiles: dict[tuple[int, int], bytes] = {}
    for i, one in enumerate(hashes):
        done = frontier.append(one)
        assert bool(done) is ((i + 1) % 256 == 0)
        for subtree in done:
            assert isinstance(subtree, Subtree)
            tiles[subtree.level, subtree.position] = subtree.hash
    assert sorted(tiles) == [(8, i) for i in range(size // 256)] + [(16, 0)]

    read: list[int] = []

    def leaves(start: int, end: int) -> list[bytes]:
        read.append(end - start)
        return hashes[start:end]

    plain = _source(hashes)
    tiled = TiledTree(leaves, lambda level, index: tiles.get((level, index))).subtree
    assert all(tiles[level, index] == plain(level, index) for level, index in [(8, 0), (8, 3), (8, 255), (16, 0)])
    for index in (0, 255, 256, 40_000, 65_535, 65_536, size - 1):
        read.clear()
        proof = inclusion_proof(index, size, tiled)
        assert sum(read) <= 2 * 256
        assert verify_inclusion(hashes[index], index, size, proof, frontier.root())
        assert proof == inclusion_proof(index, size, plain)
    for first in (1, 300, 65_536, 65_900):
        read.clear()
        proof = consistency_proof(first, size, tiled)
        assert sum(read) <= 3 * 256
        assert verify_consistency(first, size, range_root(0, first, plain), frontier.root(), proof)


def test_missing_leaves_are_noticed() -> None:
    tree = TiledTree(lambda a, b: HASHED[a:b], lambda level, index: None)
    with pytest.raises(LookupError):
        tree.subtree(7, 1)


def test_the_hash_is_pluggable() -> None:
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert HASHES["sm3"] is sm3
    assert root([b"abc"], sm3) == sm3(b"\x00abc")
    a, b = leaf_hash(b"a", sm3), leaf_hash(b"b", sm3)
    tree = TiledTree(lambda i, j: [a, b][i:j], lambda level, index: None, sm3)
    assert root([b"a", b"b"], sm3) == node_hash(a, b, sm3) == range_root(0, 2, tree.subtree, sm3)
    assert verify_inclusion(b, 1, 2, inclusion_proof(1, 2, tree.subtree, sm3), root([b"a", b"b"], sm3), sm3)
    assert not verify_inclusion(b, 1, 2, inclusion_proof(1, 2, tree.subtree, sm3), root([b"a", b"b"], sm3))


@given(st.lists(st.binary(max_size=8), max_size=40))
def test_leaves_and_nodes_are_separated(leaves: list[bytes]) -> None:
    def reference(part: list[bytes]) -> bytes:
        if not part:
            return hashlib.sha256(b"").digest()
        if len(part) == 1:
            return hashlib.sha256(b"\x00" + part[0]).digest()
        k = 1
        while k * 2 < len(part):
            k *= 2
        return hashlib.sha256(b"\x01" + reference(part[:k]) + reference(part[k:])).digest()

    assert root(leaves) == reference(leaves)

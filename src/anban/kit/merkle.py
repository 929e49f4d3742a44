"""The Merkle tree of RFC 6962 and RFC 9162: roots, proofs, their verification, and a frontier that grows leaf by leaf."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Self

from cryptography.hazmat.primitives import hashes

Hash = Callable[[bytes], bytes]
"""Bytes in, 32 bytes out."""
SubtreeSource = Callable[[int, int], bytes]
"""``(level, index)`` → hash of the complete subtree over leaves ``[index << level, (index + 1) << level)``."""

HASH_BYTES = 32
TILE_LEVEL = 8
"""Subtrees of every eighth level (256, 65,536, … leaves) are reported as they complete, to be stored as tiles."""


def sha256(data: bytes) -> bytes:
    """This function will hash with SHA-256."""
    return hashlib.sha256(data).digest()


def sm3(data: bytes) -> bytes:
    """This function will hash with SM3. Source: GB/T 32905-2016."""
    context = hashes.Hash(hashes.SM3())
    context.update(data)
    return context.finalize()


HASHES: dict[str, Hash] = {"sha256": sha256, "sm3": sm3}
"""The hashes a checkpoint may name."""


class Subtree(NamedTuple):
    """A complete subtree: its level, its position among the subtrees of that level (from 0), its hash."""

    level: int
    position: int
    hash: bytes


def leaf_hash(data: bytes, hash_of: Hash = sha256) -> bytes:
    """This function will hash the bytes of one entry as a leaf. Source: RFC 9162 §2.1.1."""
    return hash_of(b"\x00" + data)


def node_hash(left: bytes, right: bytes, hash_of: Hash = sha256) -> bytes:
    """This function will hash two children as their parent. Source: RFC 9162 §2.1.1."""
    return hash_of(b"\x01" + left + right)


def root(leaves: Iterable[bytes], hash_of: Hash = sha256) -> bytes:
    """This function will give the root over entries (their bytes, not their hashes). Source: RFC 9162 §2.1.1."""
    frontier = Frontier(hash_of)
    for leaf in leaves:
        frontier.append(leaf_hash(leaf, hash_of))
    return frontier.root()


class Frontier:
    """A tree that remembers only the roots of its complete subtrees: O(log n) to keep, amortised O(1) to grow."""

    __slots__ = ("_hash", "_nodes", "_size")

    def __init__(self, hash_of: Hash = sha256) -> None:
        self._hash = hash_of
        self._size = 0
        # One hash per bit set in the size, from the highest bit to the lowest.
        self._nodes: list[bytes] = []

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return self._size

    def append(self, leaf: bytes) -> tuple[Subtree, ...]:
        """This function will add one leaf hash and tell which tiles (levels 8, 16, …) it completed, lowest first."""
        hash_of, nodes, size = self._hash, self._nodes, self._size
        self._size = size + 1
        level = 0
        done: list[Subtree] = []
        while size & 1:
            leaf = hash_of(b"\x01" + nodes.pop() + leaf)
            size >>= 1
            level += 1
            if not level % TILE_LEVEL:
                done.append(Subtree(level, size, leaf))
        nodes.append(leaf)
        return tuple(done)

    def root(self) -> bytes:
        """This function will give the root of all leaves so far; without leaves, the hash of nothing."""
        if not self._nodes:
            return self._hash(b"")
        node = self._nodes[-1]
        for left in reversed(self._nodes[:-1]):
            node = self._hash(b"\x01" + left + node)
        return node

    def copy(self) -> Self:
        """This function will give a frontier that grows apart from this one."""
        twin = type(self)(self._hash)
        twin._size, twin._nodes = self._size, self._nodes.copy()
        return twin

    def to_bytes(self) -> bytes:
        """This function will write the frontier: the size in eight bytes, big-endian, then its hashes of 32 bytes."""
        return self._size.to_bytes(8, "big") + b"".join(self._nodes)

    @classmethod
    def from_bytes(cls, data: bytes, hash_of: Hash = sha256) -> Self:
        """This function will read what ``to_bytes`` wrote.

        Raises: ValueError when the length doesn't fit the size.
        """
        size = int.from_bytes(data[:8], "big")
        if len(data) != 8 + HASH_BYTES * size.bit_count():
            raise ValueError(f"not a frontier of {size} leaves: {len(data)} bytes")
        frontier = cls(hash_of)
        frontier._size = size
        frontier._nodes = [data[i : i + HASH_BYTES] for i in range(8, len(data), HASH_BYTES)]
        return frontier


class TiledTree:
    """A source of subtrees that reads stored tiles where it can and at most 256 leaf hashes per request where it can't.

    ``leaves(start, end)`` gives the leaf hashes of a range; ``tile(level, index)`` the stored hash of a complete subtree
    (levels 8, 16, …) or None when it isn't stored.
    """

    __slots__ = ("_hash", "_leaves", "_tile")

    def __init__(
        self,
        leaves: Callable[[int, int], Sequence[bytes]],
        tile: Callable[[int, int], bytes | None],
        hash_of: Hash = sha256,
    ) -> None:
        self._leaves = leaves
        self._tile = tile
        self._hash = hash_of

    def subtree(self, level: int, index: int) -> bytes:
        """This function will give the hash of a complete subtree.

        Raises: LookupError when the leaves it needs aren't there.
        """
        if level and not level % TILE_LEVEL:
            stored = self._tile(level, index)
            if stored is not None:
                return stored
        if level <= TILE_LEVEL:
            return self._from_leaves(level, index)
        left, right = self.subtree(level - 1, 2 * index), self.subtree(level - 1, 2 * index + 1)
        return self._hash(b"\x01" + left + right)

    def _from_leaves(self, level: int, index: int) -> bytes:
        start, end = index << level, (index + 1) << level
        row = list(self._leaves(start, end))
        if len(row) != end - start:
            raise LookupError(f"leaves {start} to {end} are not all there")
        while len(row) > 1:
            row = [self._hash(b"\x01" + row[i] + row[i + 1]) for i in range(0, len(row), 2)]
        return row[0]


def range_root(start: int, end: int, subtree: SubtreeSource, hash_of: Hash = sha256) -> bytes:
    """This function will give the hash over leaves ``[start, end)`` of a tree, for a start aligned as RFC 9162 splits.

    With ``start`` 0 that is the root of the tree of ``end`` leaves.
    """
    size = end - start
    if size == 0:
        return hash_of(b"")
    parts = []
    while size:
        level = size.bit_length() - 1
        parts.append(subtree(level, start >> level))
        start, size = start + (1 << level), size - (1 << level)
    node = parts.pop()
    while parts:
        node = hash_of(b"\x01" + parts.pop() + node)
    return node


def inclusion_proof(index: int, size: int, subtree: SubtreeSource, hash_of: Hash = sha256) -> list[bytes]:
    """This function will prove that leaf ``index`` (from 0) is in the tree of ``size`` leaves. Source: RFC 9162 §2.1.3.1.

    Raises: ValueError when there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    proof = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(range_root(middle, end, subtree, hash_of))
            end = middle
        else:
            proof.append(range_root(start, middle, subtree, hash_of))
            start = middle
    proof.reverse()
    return proof


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes, hash_of: Hash = sha256
) -> bool:
    """This function will check a proof that the leaf hash ``leaf`` is number ``index``. Source: RFC 9162 §2.1.3.2."""
    if not 0 <= index < size:
        return False
    fn, sn, node = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            node = hash_of(b"\x01" + sibling + node)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = hash_of(b"\x01" + node + sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and node == expected_root


def consistency_proof(first: int, second: int, subtree: SubtreeSource, hash_of: Hash = sha256) -> list[bytes]:
    """This function will prove that the tree of ``first`` leaves is a prefix of ``second``. Source: RFC 9162 §2.1.4.1.

    An empty first tree, or two equal sizes, need no hashes.

    Raises: ValueError when ``first`` is beyond ``second``.
    """
    if not 0 <= first <= second:
        raise ValueError(f"a tree of {first} is no prefix of a tree of {second}")
    if first in (0, second):
        return []
    proof = []
    start, end, whole = 0, second, True
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            proof.append(range_root(middle, end, subtree, hash_of))
            end = middle
        else:
            proof.append(range_root(start, middle, subtree, hash_of))
            start, whole = middle, False
    if not whole:
        proof.append(range_root(start, end, subtree, hash_of))
    proof.reverse()
    return proof


def verify_consistency(
    first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes], hash_of: Hash = sha256
) -> bool:
    """This function will check that nothing of the first tree was changed in the second. Source: RFC 9162 §2.1.4.2.

    The empty tree is a prefix of every tree, provided that its root is the hash of nothing.
    """
    if not 0 <= first <= second:
        return False
    if first == 0 or first == second:
        same = first_root == (hash_of(b"") if first == 0 else second_root)
        return same and not proof and (second > 0 or second_root == first_root)
    path = list(proof)
    if not first & (first - 1):
        path.insert(0, first_root)
    if not path:
        return False
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for node in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = hash_of(b"\x01" + node + fr), hash_of(b"\x01" + node + sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = hash_of(b"\x01" + sr + node)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == first_root and sr == second_root


def _split(size: int) -> int:
    # The largest power of two below the size.
    return 1 << ((size - 1).bit_length() - 1)

"""The journal's signed head, and proofs that an entry is in it and that an earlier head is its prefix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from anban.base.journal.digests import tile_id
from anban.base.journal.models import Entry, Head, Tile
from anban.base.journal.queries import latest, snapshot
from anban.base.keyfiles import key_file, put_once
from anban.kit.merkle import (
    TILE_LEVEL,
    Frontier,
    TiledTree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    range_root,
    verify_consistency,
)
from anban.kit.signed_notes import (
    CONSISTENCY,
    INCLUSION,
    Checkpoint,
    NotANote,
    is_signed_by,
    parse,
    problems_of,
    sign,
)

__all__ = [
    "Checkpoint", "NotANote", "check_proof", "consistency", "consistent", "head", "parse", "problems_of", "proof_of", "prove",
    "prove_matter", "public_key", "root_at", "signing_key", "verify_signature",
]  # fmt: skip

ORIGIN: Final = "anban/journal"
KEY_FILE: Final = "journal.key"
PUBLIC_FILE: Final = "journal.pub"


def signing_key() -> Ed25519PrivateKey:
    """Return the installation's signing key, made at random the first time; two processes starting together agree on one.

    It is 32 bytes in hexadecimal, readable by its owner alone; its public half stands beside it.
    """
    path, public = key_file(KEY_FILE), key_file(PUBLIC_FILE)
    if not path.exists():
        put_once(path, Ed25519PrivateKey.generate().private_bytes_raw().hex(), 0o600)
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text().strip()))
    if not public.exists():
        put_once(public, key.public_key().public_bytes_raw().hex(), 0o644)
    return key


def public_key() -> bytes:
    """Return the 32 bytes with which anybody can check this installation's heads and proofs."""
    return signing_key().public_key().public_bytes_raw()


def head() -> Checkpoint:
    """Return the journal's head as it is now, signed."""
    row = Head.objects.filter(pk=1).first()
    frontier = Frontier.from_bytes(bytes(row.frontier)) if row else Frontier()
    return sign(Checkpoint(ORIGIN, frontier.size, frontier.root()), ORIGIN, signing_key())


def verify_signature(checkpoint: Checkpoint, key: bytes | None = None) -> bool:
    """Tell whether a head was signed with ``key`` (32 bytes; default: this installation's own)."""
    return is_signed_by(checkpoint, key or public_key())


def root_at(size: int) -> bytes:
    """Return the root over the first ``size`` entries, from the stored tiles and entries.

    Raises: LookupError when there are not so many.
    """
    return range_root(0, size, _tree().subtree)


def consistent(old: Checkpoint, now: Checkpoint) -> bool:
    """Tell by a proof whether ``old`` is a prefix of ``now``, which is a head of this journal; False on fork or truncation."""
    if old.hash_name != now.hash_name or old.size > now.size:
        return False
    try:
        path = consistency_proof(old.size, now.size, _tree().subtree)
    except LookupError:
        return False
    return verify_consistency(old.size, now.size, old.root, now.root, path)


def proof_of(position: int) -> dict[str, Any]:
    """Return the proof that the entry at ``position`` is under the present head; it tells nothing of what the entry says.

    Raises: LookupError when there is no such entry.
    """
    with snapshot():
        now = head()
        if not 0 <= position < now.size:
            raise LookupError(f"no entry {position} in a journal of {now.size}")
        tree = _tree()
        return {
            "kind": INCLUSION,
            "position": position,
            "size": now.size,
            "leaf": tree.subtree(0, position).hex(),
            "path": [node.hex() for node in inclusion_proof(position, now.size, tree.subtree)],
            "checkpoint": now.note,
            "public_key": public_key().hex(),
        }


def prove(position: int) -> dict[str, Any]:
    """Return the proof of an entry together with the entry's text, so that a reader sees what it is that was sealed.

    Raises: LookupError when there is no such entry.
    """
    with snapshot():
        proof = proof_of(position)
        body = Entry.objects.filter(pk=position).values_list("body", flat=True).get()
    return {**proof, "body": body}


def prove_matter(matter: str) -> dict[str, Any]:
    """Return the proof of the last entry of a matter (``kind:id``, as in ``hazard:0192…``).

    Raises: LookupError when the matter has no entry.
    """
    position = latest(matter)
    if position is None:
        raise LookupError(f"no entry about {matter}")
    return prove(position)


def consistency(first: int, second: int | None = None) -> dict[str, Any]:
    """Return the proof that the journal of ``first`` entries is a prefix of the present one (or of its first ``second``).

    The signed head belongs to the present size; for an earlier ``second`` its root stands in ``second_root`` unsigned.

    Raises: LookupError when the journal is shorter than that, ValueError when ``first`` is beyond ``second``.
    """
    with snapshot():
        now = head()
        upto = now.size if second is None else second
        if not 0 <= first <= upto:
            raise ValueError(f"a journal of {first} is no prefix of one of {upto}")
        if upto > now.size:
            raise LookupError(f"the journal has {now.size} entries, not {upto}")
        tree = _tree()
        return {
            "kind": CONSISTENCY,
            "first": first,
            "second": upto,
            "first_root": range_root(0, first, tree.subtree).hex(),
            "second_root": range_root(0, upto, tree.subtree).hex(),
            "path": [node.hex() for node in consistency_proof(first, upto, tree.subtree)],
            "checkpoint": now.note,
            "public_key": public_key().hex(),
        }


def check_proof(proof: Mapping[str, Any], key: bytes | None = None) -> list[str]:
    """Return what is wrong with a proof; nothing when it holds. Without ``key`` the proof's own key is taken.

    A proof that brings its own key shows only that whoever holds that key said so: compare the key with the published one.
    """
    if key is None:
        try:
            key = bytes.fromhex(str(proof["public_key"]))
        except (KeyError, ValueError, TypeError):
            return ["the proof names no public key"]
    if len(key) != 32:
        return ["a public key has 32 bytes"]
    return problems_of(proof, key)


def _tree() -> TiledTree:
    return TiledTree(_leaves, _tile)


def _leaves(start: int, end: int) -> Sequence[bytes]:
    rows = Entry.objects.filter(position__gte=start, position__lt=end).order_by("position")
    return [leaf_hash(body.encode()) for body in rows.values_list("body", flat=True)]


def _tile(level: int, index: int) -> bytes | None:
    value = Tile.objects.filter(pk=tile_id(level // TILE_LEVEL, index)).values_list("hash", flat=True).first()
    return None if value is None else bytes(value)

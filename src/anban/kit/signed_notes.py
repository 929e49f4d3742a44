"""Signed notes and checkpoints of a log, and proofs that need nothing but this module and the log's public key."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from anban.kit.merkle import HASH_BYTES, HASHES, leaf_hash, verify_consistency, verify_inclusion

_ED25519 = b"\x01"
_DASH = "\u2014 "
_HASH_LINE = "hash "
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
INCLUSION = "anban-journal-inclusion-v1"
CONSISTENCY = "anban-journal-consistency-v1"


class NotANote(ValueError):
    """A text is not a signed checkpoint, or not one this release can read."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature under a note: the signer's name, the four bytes that tell its key, and the signature itself."""

    name: str
    key_id: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: its name, how many entries it has, and the root over them, under a named hash."""

    origin: str
    size: int
    root: bytes
    hash_name: str = "sha256"
    signatures: tuple[Signature, ...] = ()

    @property
    def text(self) -> str:
        """This property will give the lines that are signed."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n{_HASH_LINE}{self.hash_name}\n"

    @property
    def note(self) -> str:
        """This property will give the whole signed note, as it is saved and published."""
        signed = "".join(f"{_DASH}{s.name} {_base64(s.key_id + s.value)}\n" for s in self.signatures)
        return f"{self.text}\n{signed}"


def key_id(name: str, public_key: bytes) -> bytes:
    """This function will give the four bytes by which a note names an Ed25519 key. Source: C2SP signed-note."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:4]


def sign(checkpoint: Checkpoint, name: str, key: Ed25519PrivateKey) -> Checkpoint:
    """This function will give the checkpoint with one more signature."""
    public = key.public_key().public_bytes_raw()
    signature = Signature(name, key_id(name, public), key.sign(checkpoint.text.encode()))
    return Checkpoint(
        checkpoint.origin, checkpoint.size, checkpoint.root, checkpoint.hash_name, (*checkpoint.signatures, signature)
    )


def parse(note: str) -> Checkpoint:
    """This function will read a signed checkpoint, exactly as ``note`` wrote it.

    Raises: NotANote.
    """
    text, separator, signed = note.replace("\r\n", "\n").partition("\n\n")
    lines = text.split("\n")
    if not separator or len(lines) != 4 or not lines[0] or not lines[3].startswith(_HASH_LINE):
        raise NotANote("not a checkpoint: four lines, an empty one and a signature were expected")
    hash_name = lines[3].removeprefix(_HASH_LINE)
    if hash_name not in HASHES:
        raise NotANote(f"the hash {hash_name!r} is not known here")
    if not _SIZE.fullmatch(lines[1]):
        raise NotANote(f"{lines[1]!r} is no number of entries")
    root = _bytes(lines[2])
    if len(root) != HASH_BYTES:
        raise NotANote("the root is not 32 bytes long")
    signatures = tuple(_signature(line) for line in signed.split("\n") if line)
    if not signatures:
        raise NotANote("the checkpoint carries no signature")
    return Checkpoint(lines[0], int(lines[1]), root, hash_name, signatures)


def is_signed_by(checkpoint: Checkpoint, public_key: bytes) -> bool:
    """This function will tell whether one of the signatures is a true one of this Ed25519 key (32 bytes)."""
    key = Ed25519PublicKey.from_public_bytes(public_key)
    for signature in checkpoint.signatures:
        if signature.key_id != key_id(signature.name, public_key):
            continue
        try:
            key.verify(signature.value, checkpoint.text.encode())
        except InvalidSignature:
            continue
        return True
    return False


def problems_of(proof: Mapping[str, Any], public_key: bytes) -> list[str]:
    """This function will check a proof against the log's public key and tell what is wrong with it; nothing when it holds.

    ``proof`` is the JSON object of an inclusion proof (with or without the entry's text) or of a consistency proof.
    """
    try:
        kind = proof["kind"]
        if kind == INCLUSION:
            return _inclusion_problems(proof, public_key)
        if kind == CONSISTENCY:
            return _consistency_problems(proof, public_key)
    except (KeyError, TypeError, ValueError) as error:
        return [f"the proof cannot be read: {type(error).__name__}: {error}"]
    return [f"unknown kind of proof: {kind!r}"]


def _inclusion_problems(proof: Mapping[str, Any], public_key: bytes) -> list[str]:
    checkpoint = parse(_text(proof["checkpoint"]))
    hash_of = HASHES[checkpoint.hash_name]
    leaf = bytes.fromhex(_text(proof["leaf"]))
    found = [] if is_signed_by(checkpoint, public_key) else ["the checkpoint is not signed by this key"]
    position, size = _number(proof["position"]), _number(proof["size"])
    if size != checkpoint.size:
        found.append("the proof and its checkpoint are of different sizes")
    if "body" in proof:
        body = _text(proof["body"])
        if leaf_hash(body.encode(), hash_of) != leaf:
            found.append("the entry's text is not the one that was sealed")
        elif json.loads(body)["position"] != position:
            found.append("the entry's text names another position")
    path = [bytes.fromhex(_text(node)) for node in proof["path"]]
    if not verify_inclusion(leaf, position, size, path, checkpoint.root, hash_of):
        found.append("the path does not lead from the entry to the signed root")
    return found


def _consistency_problems(proof: Mapping[str, Any], public_key: bytes) -> list[str]:
    first_root = bytes.fromhex(_text(proof["first_root"]))
    checkpoint = parse(_text(proof["checkpoint"]))
    hash_of = HASHES[checkpoint.hash_name]
    found = [] if is_signed_by(checkpoint, public_key) else ["the checkpoint is not signed by this key"]
    first, second = _number(proof["first"]), _number(proof["second"])
    if second != checkpoint.size:
        found.append("the proof and its checkpoint are of different sizes")
    path = [bytes.fromhex(_text(node)) for node in proof["path"]]
    if not verify_consistency(first, second, first_root, checkpoint.root, path, hash_of):
        found.append("the earlier root is no prefix of the signed one")
    return found


def _signature(line: str) -> Signature:
    if not line.startswith(_DASH):
        raise NotANote("a signature line begins with a dash")
    name, _, encoded = line.removeprefix(_DASH).rpartition(" ")
    data = _bytes(encoded)
    if not name or len(data) <= 4:
        raise NotANote("a signature line holds a name and a signature")
    return Signature(name, data[:4], data[4:])


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotANote("not base64") from error
    if _base64(data) != text:
        raise NotANote("not the one base64 form")
    return data


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value


def _number(value: object) -> int:
    if type(value) is not int:
        raise TypeError("a number was expected")
    return value

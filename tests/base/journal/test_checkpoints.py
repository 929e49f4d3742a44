"""Signed heads and proofs: they hold for what is there, and for nothing else."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from anban.base.journal import checkpoints
from anban.base.journal.models import Entry
from anban.base.journal.verification import verify
from anban.kit.merkle import root
from anban.kit.signed_notes import NotANote, parse, sign
from tests.factories.journals import MATTER, plain, small

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, settings: Any) -> Path:
    settings.KEYS_ROOT = tmp_path
    return tmp_path


def test_the_key_is_made_once_and_is_its_owners_alone(keys: Path):
    first = checkpoints.public_key()
    assert checkpoints.public_key() == first
    assert (keys / "journal.key").stat().st_mode & 0o777 == 0o600
    assert bytes.fromhex((keys / "journal.pub").read_text()) == first
    assert sorted(path.name for path in keys.iterdir()) == ["journal.key", "journal.pub"]


def test_the_head_names_its_hash_and_reads_back_exactly():
    plain(300)
    head = checkpoints.head()
    lines = head.note.split("\n")
    assert lines[:2] == ["anban/journal", "300"]
    assert lines[3] == "hash sha256"
    assert parse(head.note) == head
    bodies = Entry.objects.order_by("position").values_list("body", flat=True)
    assert head.root == root(body.encode() for body in bodies)
    assert checkpoints.verify_signature(head)
    assert not checkpoints.verify_signature(head, Ed25519PrivateKey.generate().public_key().public_bytes_raw())


def test_every_changed_character_of_a_head_is_refused_or_unsigned():
    plain(5)
    note = checkpoints.head().note
    for place, character in enumerate(note):
        spoilt = note[:place] + chr(ord(character) ^ 1) + note[place + 1 :]
        try:
            assert not checkpoints.verify_signature(parse(spoilt)), place
        except NotANote:
            continue


@pytest.mark.parametrize(
    "text", ["", "x", "a\n1\nb\nhash sha256\n\n", "a\n01\nAAAA\nhash sha256\n\n\u2014 a AAAA\n", "a\n1\nAAAA\nhash md5\n\n\u2014 a AAAAAAAA\n"]
)  # fmt: skip
def test_what_is_no_head_is_refused(text: str):
    with pytest.raises(NotANote):
        parse(text)


@pytest.mark.parametrize("count", [1, 2, 3, 255, 256, 257, 300])
def test_every_entry_is_proved_by_its_own_proof(count: int):
    plain(count)
    for position in {0, 1, count // 2, count - 2, count - 1} & set(range(count)):
        proof = json.loads(json.dumps(checkpoints.prove(position)))
        assert checkpoints.check_proof(proof, checkpoints.public_key()) == []
        assert json.loads(proof["body"])["position"] == position
        assert "body" not in checkpoints.proof_of(position)


def test_a_spoilt_proof_fails():
    plain(20)
    proof = checkpoints.prove(7)
    key = checkpoints.public_key()

    def spoilt(**changes: Any) -> list[str]:
        return checkpoints.check_proof({**copy.deepcopy(proof), **changes}, key)

    assert spoilt() == []
    assert spoilt(position=8)
    assert spoilt(size=19)
    assert spoilt(body=proof["body"].replace("RG07", "RG08"))
    assert spoilt(leaf="00" * 32)
    assert spoilt(path=proof["path"][1:])
    assert spoilt(path=[*proof["path"], "00" * 32])
    assert spoilt(path="zz")
    assert spoilt(kind="x")
    assert spoilt(checkpoint="x")
    assert spoilt(position="7")
    foreign = Ed25519PrivateKey.generate()
    forged = sign(checkpoints.Checkpoint("anban/journal", 20, checkpoints.head().root), "anban/journal", foreign)
    assert spoilt(checkpoint=forged.note)
    assert checkpoints.check_proof({}) == ["the proof names no public key"]
    assert checkpoints.check_proof(proof) == []


def test_a_later_journal_is_consistent_with_every_earlier_head():
    heads = [checkpoints.head()]
    for number in range(6):
        plain(70, first=number)
        heads.append(checkpoints.head())
    last = heads[-1]
    for head in heads:
        assert checkpoints.consistent(head, last)
        assert checkpoints.root_at(head.size) == head.root
        proof = json.loads(json.dumps(checkpoints.consistency(head.size)))
        assert checkpoints.check_proof(proof, checkpoints.public_key()) == []
        assert proof["first_root"] == head.root.hex()
        assert not checkpoints.consistent(checkpoints.Checkpoint(head.origin, head.size, bytes(32)), last)
    assert not checkpoints.consistent(last, heads[0])
    assert verify(against=heads[2]).ok


def test_proofs_of_what_is_not_there_are_refused():
    small()
    for position in (-1, 10):
        with pytest.raises(LookupError):
            checkpoints.proof_of(position)
    with pytest.raises(LookupError):
        checkpoints.prove_matter("hazard:none")
    with pytest.raises(LookupError):
        checkpoints.consistency(3, 11)
    with pytest.raises(ValueError, match="prefix"):
        checkpoints.consistency(5, 4)
    assert checkpoints.prove_matter(f"test:{MATTER.hex}")["position"] == 9

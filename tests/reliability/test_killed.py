"""kill −9 at random moments of mixed writes, the PostgreSQL server's own included: nothing acknowledged is lost, nothing is half done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.db import connection

from tests.data_location import REPOSITORY

POINTS, SERVER_KILLS = 15, 1
SOAK_POINTS, SOAK_SERVER_KILLS = 1000, 20


@pytest.fixture(scope="module")
def outcome(soak: bool) -> dict[str, Any]:
    """What the program of killing found on the database of this run, in a database of its own."""
    vendor = connection.vendor
    words = [sys.executable, "-m", "tests.reliability.killing", "--vendor", vendor, "--faults"]
    words += ["--points", str(SOAK_POINTS if soak else POINTS)]
    if vendor == "postgresql":
        words += ["--server-kills", str(SOAK_SERVER_KILLS if soak else SERVER_KILLS)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ANBAN_")}
    done = subprocess.run(words, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("{"), done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_acknowledged_write_survives_and_nothing_is_half_done(outcome: dict[str, Any], soak: bool) -> None:
    assert outcome["problems"] == []
    assert outcome["points"] == (SOAK_POINTS if soak else POINTS)
    # Every kind of write was under way, and in some points a write was cut off: else nothing was tested.
    assert set(outcome["kinds"]) >= {"enter", "act", "post", "batch"}
    assert outcome["acks"] > outcome["points"]
    assert outcome["intents"] > outcome["points"]
    if outcome["vendor"] == "postgresql":
        assert outcome["server_kills"] == (SOAK_SERVER_KILLS if soak else SERVER_KILLS)


@pytest.mark.parametrize(
    ("fault", "words"),
    [("ack_before_commit", ("no hazard", "0 of ")), ("journal_apart", ("outside operations",))],
)
def test_a_planted_fault_is_caught(outcome: dict[str, Any], fault: str, words: tuple[str, ...]) -> None:
    found = outcome["caught"][fault]
    assert any(word in line for line in found for word in words), found

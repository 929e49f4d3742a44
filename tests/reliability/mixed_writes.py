"""What a process does that will be killed: every kind of write in a random order, each acknowledged once it is committed."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from django.db import OperationalError
from django.db.models import Count, F
from django.test import Client

from anban.api import access
from anban.base.journal.models import Entry
from anban.base.journal.verification import verify
from anban.base.people.operations import issue_token, open_account
from anban.contexts.establishments.importers import apply, mapping_named, running
from anban.contexts.establishments.models import Observation, Place
from anban.contexts.hazards.models import Hazard, Voice
from anban.contexts.hazards.operations import Sighting, act, enter
from anban.contexts.obligations.models import Handover, Obligation
from anban.contexts.obligations.operations import hand_over, sign_for
from anban.rules.errors import Refusal
from anban.rules.hazard_lifecycle import Action
from tests.factories.town import AT, ON, Town, town

Line = dict[str, Any]
Say = Callable[[Line], None]

LATER = AT + timedelta(hours=2)
KINDS = ("enter", "again", "act", "hand_over", "bring_in", "post")
WEIGHTS = (4, 2, 6, 3, 2, 4)
ROWS_OF_A_FILE = 12
HEADER = ("名称", "地址", "场所类型", "街道", "所属区")
WAY = (
    (Action.VERIFY, "王敏", "founded", {"reason": "属实"}),
    (Action.ORDER, "孙倩", None, {"due_on": ON + timedelta(days=7), "basis": "条例", "measures": "更换"}),
    (Action.APPLY_REVIEW, "李强", None, {"photo_after": True}),
    (Action.REVIEW, "孙倩", "failed", {"opinion": "未修好"}),
    (Action.APPLY_REVIEW, "李强", None, {"photo_after": True}),
    (Action.REVIEW, "孙倩", "passed", {"opinion": "已修好"}),
)
"""The way of a hazard from unverified to closed, returned once."""


@dataclass
class World:
    """The town that is written to: its places, and the token of its inspector."""

    made: Town
    places: list[UUID]
    token: str
    folder: Path


def build(folder: Path) -> World:
    """Build the town with six places, and let imports commit every few rows."""
    running.FIRST_BATCH = running.SMALLEST_BATCH = running.LARGEST_BATCH = running.SERVER_BATCH = 4
    access.now = lambda: LATER  # type: ignore[attr-defined, assignment]
    made = town()
    places = [made.place(f"面馆{n}").pk for n in range(6)]
    account, _ = open_account(actor=made.job, at=AT, person=made.people["王敏"], login="wang-min")
    _, token = issue_token(actor=made.job, at=AT, account=account, scope="read write", days=30)
    world = World(made, places, token, folder)
    # One write of each kind loads everything that the writers, which are forked from here, will need.
    writer = Writer(world, Random(1), -1, lambda line: None)
    for number, kind in enumerate(KINDS):
        getattr(writer, f"_{kind}")({"kind": kind, "mark": f"first-{number}"})
    return world


def post_hazard(world: World, key: str, place: str) -> Line:
    """Enter a hazard by the API under an idempotency key; return its id and whether the answer was a stored one."""
    answer = Client(SERVER_NAME="localhost").post(
        "/api/v1/hazards", json.dumps({"place": place, "code": "RG07", "part": key, "fact": key}),
        content_type="application/json", HTTP_AUTHORIZATION=f"Bearer {world.token}", HTTP_IDEMPOTENCY_KEY=key,
    )  # fmt: skip
    if answer.status_code == 503:
        raise OperationalError("the server is gone, and the interface says so")
    if answer.status_code != 201:
        raise RuntimeError(f"{answer.status_code} {answer.content[:300]!r}")
    return {"hazard": answer.json()["hazard"]["id"], "replayed": "Idempotent-Replay" in answer}


@dataclass
class Writer:
    """One process's writes; an intent is said before each write, an acknowledgement after its commit."""

    world: World
    rng: Random
    point: int
    say: Say
    mine: dict[str, int] = field(default_factory=dict)
    """Hazards entered here, each with the number of steps of its way that were done."""
    done: int = 0

    def run(self, most: int) -> None:
        """Write until ``most`` writes were done, or until killed."""
        while self.done < most:
            self.one()

    def one(self) -> None:
        """Do the next write."""
        self.done += 1
        kind = self.rng.choices(KINDS, WEIGHTS)[0]
        if kind in ("act", "again", "hand_over") and not self.mine:
            kind = "enter"
        intent: Line = {"say": "intent", "kind": kind, "mark": f"w{self.point}-{self.done}"}
        fact = getattr(self, f"_{kind}")(intent)
        self.say({**intent, **fact, "say": "ack"})

    def _enter(self, intent: Line) -> Line:
        intent["place"] = str(self.rng.choice(self.world.places))
        self.say(intent)
        made = enter_here(self.world, intent)
        self.mine[str(made.pk)] = 0
        return {"hazard": str(made.pk), "version": made.version}

    def _again(self, intent: Line) -> Line:
        known = Hazard.objects.get(pk=self.rng.choice(sorted(self.mine)))
        self.say(intent)
        sighting = Sighting(place_id=known.place_id, code=known.code, part=known.part, fact="又见")
        made = enter(actor=self.world.made.actor("刘洋"), at=AT, sighting=sighting).hazard
        return {"hazard": str(made.pk), "version": made.version, "voices": made.voices_count}

    def _act(self, intent: Line) -> Line:
        hazard = self.rng.choice(sorted(self.mine))
        step = self.mine[hazard]
        if step >= len(WAY):
            return self._enter(intent | {"kind": "enter"}) | {"kind": "enter"}
        seen = Hazard.objects.get(pk=hazard).version
        intent |= {"hazard": hazard, "step": step, "seen": seen}
        self.say(intent)
        row = act_here(self.world, intent)
        self.mine[hazard] = step + 1
        return {"version": row.version}

    def _hand_over(self, intent: Line) -> Line:
        mine = Obligation.objects.filter(
            matter_id__in=list(self.mine), state="open", person=self.world.made.people["王敏"]
        )
        row = mine.order_by("id").exclude(handovers__isnull=False).first()
        if row is None:
            return self._enter(intent | {"kind": "enter"}) | {"kind": "enter"}
        self.say(intent)
        made = self.world.made
        offered = hand_over(actor=made.actor("王敏"), at=AT, obligation_id=row.pk, to_person=made.people["刘洋"])
        signed = self.rng.random() < 0.5
        if signed:
            sign_for(actor=made.actor("刘洋"), at=AT, handover_id=offered.pk)
        return {"handover": str(offered.pk), "signed": signed}

    def _bring_in(self, intent: Line) -> Line:
        intent["path"] = str(self.world.folder / f"{intent['mark']}.csv")
        write_file(Path(intent["path"]), intent["mark"])
        self.say(intent)

        def progress(rows: int, _expected: int, stage: str) -> None:
            if stage == "writing":
                self.say({**intent, "say": "ack", "kind": "batch", "rows": rows})

        result = take_in(self.world, intent["path"], progress)
        return {"rows": result["new"]}

    def _post(self, intent: Line) -> Line:
        intent["place"] = str(self.rng.choice(self.world.places))
        self.say(intent)
        return post_hazard(self.world, intent["mark"], intent["place"])


def enter_here(world: World, line: Line) -> Hazard:
    """Enter the hazard of an intent."""
    sighting = Sighting(place_id=UUID(line["place"]), code="RG07", part=line["mark"], fact=line["mark"])
    return enter(actor=world.made.actor("王敏"), at=AT, sighting=sighting).hazard


def act_here(world: World, line: Line) -> Hazard:
    """Do the step of an intent to its hazard, on the version that was seen."""
    action, who, verdict, given = WAY[line["step"]]
    facts: dict[str, Any] = dict(given)
    if action is Action.REVIEW:
        facts["second_person"] = world.made.people["吴桐"].pk
    return act(
        actor=world.made.actor(who), at=AT, hazard_id=UUID(line["hazard"]), action=action, given=facts,
        verdict=verdict, version=line["seen"],
    )  # fmt: skip


def write_file(path: Path, mark: str) -> None:
    """Write a file of places whose names begin with a mark."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(HEADER)
        out.writerows((f"{mark}号店{n}", f"{mark}路{n}号", "餐饮", "望京街道", "朝阳区") for n in range(ROWS_OF_A_FILE))


def take_in(world: World, path: str, progress: Any = None) -> dict[str, int]:
    """Import a file of places and return its counts."""
    result = apply([Path(path)], mapping_named("places"), actor=world.made.job, at=AT, progress=progress)
    return result.counts


# What must be true afterwards


def lost(acks: list[Line]) -> list[str]:
    """Return every acknowledged write that isn't there."""
    return [f"{line['kind']} {line['mark']}: {why}" for line in acks if (why := _missing(line))]


def _missing(line: Line) -> str:
    if line["kind"] in ("batch", "bring_in"):
        there = _brought(line["mark"])
        return "" if there >= line["rows"] else f"{there} of {line['rows']} rows"
    if line["kind"] == "hand_over":
        row = Handover.objects.filter(pk=line["handover"]).first()
        return "no handover" if row is None else "not signed" if line["signed"] and row.signed_at is None else ""
    row = Hazard.objects.filter(pk=line["hazard"]).first()
    if row is None:
        return "no hazard"
    if line["kind"] in ("enter", "post") and row.fact != line["mark"]:
        return f"another hazard: {row.fact}"
    if row.version < line.get("version", 0) or row.voices_count < line.get("voices", 0):
        return f"version {row.version}, {row.voices_count} voices"
    return "" if Entry.objects.filter(matter=f"hazard:{row.pk.hex}").exists() else "no entry"


def _brought(mark: str) -> int:
    places = Place.objects.filter(name__startswith=f"{mark}号店").count()
    taken = Observation.objects.filter(place__name__startswith=f"{mark}号店").count()
    if places != taken:
        raise AssertionError(f"{mark}: {places} places and {taken} observations")
    return places


def half_done() -> list[str]:
    """Return everything that is there by half: rows without entries and the reverse, voices and cycles that don't add up."""
    found = [finding.en for finding in verify(processes=1).findings]
    rows = Hazard.objects.annotate(heard=Count("voices", distinct=True), cycled=Count("cycles", distinct=True))
    for row in rows.exclude(heard=F("voices_count"), cycled=F("cycle_no")):
        found.append(
            f"{row.number}: {row.voices_count} voices, {row.heard} rows; cycle {row.cycle_no}, {row.cycled} rows"
        )
    found += [f"{row.number} has nobody" for row in Hazard.objects.filter(is_open=True, holder__isnull=True)]
    numbers = Hazard.objects.values("number").annotate(n=Count("pk")).filter(n__gt=1)
    found += [f"number {row['number']} is given twice" for row in numbers]
    for row in Handover.objects.filter(signed_at__isnull=False).exclude(obligation__person=F("to_person")):
        found.append(f"handover {row.pk} is signed and its duty is not moved")
    return found


def doubled(world: World, lines: list[Line]) -> list[str]:
    """Try again whatever may be tried again, acknowledged or not; return what is there twice afterwards."""
    found: list[str] = []
    acks = {line["mark"]: line for line in lines if line["say"] == "ack" and line["kind"] != "batch"}
    for line in lines:
        if line["say"] != "intent":
            continue
        ack = acks.get(line["mark"])
        found += _again(world, line, ack)
    return [f"{line}" for line in found]


def _again(world: World, line: Line, ack: Line | None) -> list[str]:
    mark, kind = line["mark"], line["kind"]
    if kind == "bring_in":
        counts = take_in(world, line["path"])
        whole = counts["new"] + counts["same"] == ROWS_OF_A_FILE == _brought(mark)
        return (
            []
            if whole and not counts["refused"] and not counts["changed"]
            else [f"{mark}: {counts}, {_brought(mark)} places"]
        )
    if kind == "post":
        answer = post_hazard(world, mark, line["place"])
        rows = list(Hazard.objects.filter(fact=mark))
        good = len(rows) == 1 and rows[0].voices_count == 1 and (ack is None or ack["hazard"] == answer["hazard"])
        replayed = ack is None or answer["replayed"]
        return [] if good and replayed else [f"{mark}: {len(rows)} hazards, answer {answer}, acknowledged {ack}"]
    if kind == "enter" and ack is None:
        enter_here(world, line)
        rows = list(Hazard.objects.filter(part=mark))
        return [] if len(rows) == 1 and rows[0].voices_count in (1, 2) else [f"{mark}: {len(rows)} hazards"]
    if kind == "act" and "seen" in line and ack is None:
        try:
            act_here(world, line)
        except Refusal as refusal:
            # It was done after all, and says so cleanly.
            if refusal.code != "hazard.changed_meanwhile":
                return [f"{mark}: {refusal.code}"]
        version = Hazard.objects.get(pk=line["hazard"]).version
        return [] if version == line["seen"] + 1 else [f"{mark}: version {version} after {line['seen']}"]
    return []


def spread() -> dict[str, int]:
    """Return how much there is of each kind, to show that something was written at all."""
    return {
        "hazards": Hazard.objects.count(), "voices": Voice.objects.count(), "entries": Entry.objects.count(),
        "handovers": Handover.objects.count(), "places": Place.objects.count(),
    }  # fmt: skip

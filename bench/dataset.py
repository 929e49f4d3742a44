"""The big city that the benchmarks run on: places, hazards with cycles and links, and a journal, written set by set."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.db import connection

from anban.base.journal.operations import Draft, record_many, unit
from anban.base.people.actor import Actor, Grant, job_actor
from anban.base.people.models import Person
from anban.base.people.operations import add_person
from anban.contexts.catalog.operations import load_standard
from anban.contexts.catalog.queries import hazard_codes, place_kinds
from anban.contexts.establishments.models import Place
from anban.contexts.establishments.search import search_text
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import tally
from anban.contexts.territory.models import Area
from anban.contexts.territory.operations import add_root, load_beijing
from anban.kit.ids import new_id

AT = datetime(2026, 11, 1, tzinfo=UTC)
ROOT = "bench"
CHUNK = 5000

STATES = (
    ("closed", 70), ("rectifying", 12), ("awaiting_review", 6), ("unverified", 4), ("awaiting_receipt", 2), ("not_founded", 2),
    ("suspected", 1), ("treating", 1), ("merged", 1), ("gone", 1),
)  # fmt: skip
ORIGINS = (("inspection", 55), ("patrol", 20), ("self_check", 8), ("hotline", 12), ("transfer", 3), ("testing", 2))
TRACKS = (("ordered", 45), ("on_spot", 40), ("advised", 10), ("self_check", 5))
PROOFS = (("on_site", 50), ("photo", 30), ("declared", 20))


@dataclass(frozen=True, slots=True)
class Size:
    """How big: places, hazards, journal entries."""

    places: int = 200_000
    hazards: int = 1_000_000
    entries: int = 5_000_000


def _pick(random_: random.Random, weighted: tuple[tuple[str, int], ...]) -> str:
    return random_.choices([w[0] for w in weighted], [w[1] for w in weighted])[0]


def build(size: Size, *, say: bool = True) -> dict[str, float]:
    """Fill an empty database with a city of this size. Returns seconds per part."""
    took: dict[str, float] = {}
    actor = job_actor("bench", ROOT)
    started = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal started
        took[name] = time.perf_counter() - started
        if say:
            print(f"  {name}: {took[name]:.1f} s", flush=True)
        started = time.perf_counter()

    add_root(actor=actor, at=AT, code=ROOT, name="测试城市", name_en="Bench City", kind="sample")
    load_beijing(actor=actor, at=AT, root=ROOT)
    load_standard(actor=actor, at=AT, root=ROOT)
    person = add_person(actor=actor, at=AT, root=ROOT, name="管理人", steward=True)
    people = [Person(id=new_id(), root=ROOT, name=f"检查员{n}") for n in range(2000)]
    Person.objects.bulk_create(people)
    lap("areas")
    places = list(_places(size.places))
    for start in range(0, len(places), CHUNK):
        Place.objects.bulk_create(places[start : start + CHUNK])
    lap("places")
    ids: list[UUID] = []
    batch: list[Hazard] = []
    # A million rows into fifteen indexes at random takes half an hour; sorted once at the end, a minute.
    with connection.schema_editor() as editor:
        for index in Hazard._meta.indexes:
            editor.remove_index(Hazard, index)
    for hazard in _hazards(size.hazards, places, people):
        batch.append(hazard)
        if len(batch) == CHUNK:
            Hazard.objects.bulk_create(batch)
            ids.extend(h.pk for h in batch)
            batch.clear()
    Hazard.objects.bulk_create(batch)
    ids.extend(h.pk for h in batch)
    with connection.schema_editor() as editor:
        for index in Hazard._meta.indexes:
            editor.add_index(Hazard, index)
    lap("hazards")
    drafts: list[Draft] = []
    for number in range(size.entries):
        key = ids[number % len(ids)].hex
        drafts.append(
            Draft(
                "hazard.reviewed",
                str(person.pk),
                ROOT,
                "web",
                AT,
                f"hazard:{key}",
                f"hazard:{key}",
                {"action": "review", "from": "awaiting_review", "to": "closed", "cycle": 1, "verdict": "passed"},
                {f"hazards_hazard:{key}": "0" * 64},
            )
        )
        if len(drafts) == 20_000:
            with unit():
                record_many(drafts)
            drafts.clear()
    with unit():
        record_many(drafts)
    lap("entries")
    tally(actor=job_actor("bench", ROOT), at=AT)
    lap("tally")
    return took


def _places(count: int) -> Iterator[Place]:
    random_ = random.Random(1)
    streets = list(Area.objects.filter(root_id=ROOT, level="street").select_related("parent").order_by("path"))
    kinds = [k.code for k in place_kinds(ROOT)]
    weights = [1 / (1 + n) for n in range(len(kinds))]
    for number in range(count):
        street = random_.choice(streets)
        name = f"{random_.choice('福顺兴隆和盛鑫源')}{random_.choice('达泰宏远')}{number}号店"
        yield Place(
            id=new_id(), root=ROOT, number=f"EST-{number:06d}", name=name, address=f"{street.name}{number % 300}号",
            kind=random_.choices(kinds, weights)[0], area=street, area_path=street.path,
            overview_code=street.parent.code if street.parent else "", registered_at=AT, search=name,
        )  # fmt: skip


def _hazards(count: int, places: list[Place], people: list[Person]) -> Iterator[Hazard]:
    random_ = random.Random(2)
    items = list(hazard_codes(ROOT))
    for number in range(count):
        place = random_.choice(places)
        item = random_.choice(items)
        state = _pick(random_, STATES)
        is_open = state not in {"closed", "not_founded", "merged", "gone"}
        found = date(2023, 11, 1) + timedelta(days=random_.randrange(1095))
        major = state in {"suspected", "treating"}
        closed_on = found + timedelta(days=random_.randrange(1, 40)) if state in {"closed", "gone"} else None
        due_at = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(days=random_.randrange(-20, 60)) if is_open else None
        number_text = f"HZ-{found.year}-{number:06d}"
        yield Hazard(
            id=new_id(), root=ROOT, number=number_text, place=place, place_title=place.name, place_kind=place.kind,
            area_path=place.area_path, overview_code=place.overview_code, class_code=item.class_code, code=item.code,
            fact=item.zh, chain="major" if major else "general", state=state,
            grade="suspected_major" if state == "suspected" else "major" if major else "general",
            track="" if major else _pick(random_, TRACKS), origin=_pick(random_, ORIGINS), found_on=found, entered_at=AT,
            finder=random_.choice(people), holder=random_.choice(people), is_open=is_open, due_at=due_at, closed_on=closed_on,
            proof=_pick(random_, PROOFS) if closed_on else "", outcome="rectified" if state == "closed" else "",
            rebound_no=int(random_.random() < 0.06), penalised=random_.random() < 0.02,
            watch_until=closed_on + timedelta(days=90) if state == "closed" and closed_on else None,
            search=search_text(number_text, place.name, item.zh),
        )  # fmt: skip


def grants() -> tuple[Actor, Actor]:
    """Return an actor of the whole city and one of a single street, as the benchmark's two readers."""
    street = Area.objects.filter(root_id=ROOT, level="street").order_by("path")[30]
    # Somebody who found none of the hazards: the steward of the data set stands in every one.
    reader = add_person(actor=job_actor("bench", ROOT), at=AT, root=ROOT, name="读者").pk
    return (
        Actor(person_id=reader, root=ROOT, grants=(Grant(ROOT, "city_committee_officer"),)),
        Actor(person_id=reader, root=ROOT, grants=(Grant(ROOT, "safety_inspector", paths=(street.path,)),)),
    )

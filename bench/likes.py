"""The live comparison of like cases at two sizes: ``python -m bench.likes`` (200,000 hazards and a tenth)."""

from __future__ import annotations

import argparse
import os
import platform
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

ON = date(2026, 11, 1)
AT = datetime(2026, 11, 1, tzinfo=UTC)
HORIZON, LOOK_BACK = 60, 548
CHUNK = 5000
AFFILIATIONS = {"district": 80, "city": 6, "central": 6, "ministry": 3, "village": 5}


def main() -> None:
    """Build two cities and measure what the pages of like cases, left-alone likes and dependence ask."""
    parser = argparse.ArgumentParser(prog="bench.likes")
    parser.add_argument("--hazards", type=int, default=200_000)
    options = parser.parse_args()
    os.environ["ANBAN_HOME"] = tempfile.mkdtemp(prefix="anban-bench-")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anban.config.settings")
    import django

    django.setup()
    from anban.config.installation import migrate

    migrate()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(
        "| hazards | compared | comparisons | found | question | wall s | CPU s | memory MiB |\n|---|---|---|---|---|---|---|---|"
    )
    for hazards in (options.hazards // 10, options.hazards):
        measure(hazards)


def measure(hazards: int) -> None:
    """Build one city in a root of its own and print its lines."""
    from django.db import connection

    from anban.base.people.actor import job_actor
    from anban.contexts.oversight.queries import instructions, likes

    root = f"l{hazards}"
    build(root, hazards)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    actor = job_actor("bench", root)
    kept: dict[str, Any] = {}

    def ask(what: str, question: Callable[[], Any]) -> None:
        wall, busy = time.perf_counter(), time.process_time()
        kept[what] = question()
        wall, busy = time.perf_counter() - wall, time.process_time() - busy
        results = kept.get("comparing", ())
        made, found = sum(one.comparison.p is not None for one in results), sum(one.found for one in results)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"| {hazards:,} | {len(kept.get('reading', ())):,} | {made} | {found} | {what} | {wall:.1f} | {busy:.1f} | {memory:.0f} |",
            flush=True,
        )

    since, until = ON - timedelta(days=LOOK_BACK), ON - timedelta(days=HORIZON + likes.LANDMARK_DAYS)
    ask("reading", lambda: likes.dealt(actor, since=since, until=until))
    ask("comparing", lambda: likes.compared(kept["reading"], HORIZON))
    ask("likes left alone", lambda: likes.left_alone(actor, AT))
    ask("dependence", lambda: instructions.dependence(actor, ON - timedelta(days=365)))


def build(root: str, hazards: int) -> None:
    """Fill a root with Beijing's areas, a team and an office per street, places, hazards with their cycles, and instructions."""
    from anban.base.people.actor import job_actor
    from anban.base.people.models import Person
    from anban.base.people.operations import add_person
    from anban.contexts.catalog.operations import load_standard
    from anban.contexts.catalog.queries import hazard_codes, place_kinds
    from anban.contexts.establishments.models import Place
    from anban.contexts.hazards.models import Cycle, Hazard
    from anban.contexts.oversight.models import InstructedMeasure, Instruction
    from anban.contexts.territory.models import Area, Body
    from anban.contexts.territory.operations import add_root, load_beijing
    from anban.kit.ids import new_id

    actor = job_actor("bench", root)
    add_root(actor=actor, at=AT, code=root, name="测试城市", name_en="Bench City", kind="sample")
    load_beijing(actor=actor, at=AT, root=root)
    load_standard(actor=actor, at=AT, root=root)
    person: Person = add_person(actor=actor, at=AT, root=root, name="检查员")
    rng = random.Random(3)
    streets = list(Area.objects.filter(root_id=root, level="street").order_by("path"))
    bodies: dict[str, list[Body]] = {}
    for street in streets:
        bodies[street.path] = [
            Body(
                id=new_id(),
                root_id=root,
                code=f"{kind}-{street.code}",
                kind=kind,
                name=f"{street.name}{kind}",
                area=street,
            )
            for kind in ("street_safety_office", "street_enforcement")
        ]
    Body.objects.bulk_create([one for held in bodies.values() for one in held])
    kinds = [kind.code for kind in place_kinds(root)]
    weights = [1 / (1 + n) for n in range(len(kinds))]
    names, shares = list(AFFILIATIONS), list(AFFILIATIONS.values())
    places = [
        Place(
            id=new_id(), root=root, number=f"EST-{n:06d}", name=f"{n}号店", kind=rng.choices(kinds, weights)[0], area=street,
            area_path=street.path, registered_at=AT, search="", affiliation=rng.choices(names, shares)[0],
        )
        for n in range(hazards // 2) for street in (rng.choice(streets),)
    ]  # fmt: skip
    for start in range(0, len(places), CHUNK):
        Place.objects.bulk_create(places[start : start + CHUNK])
    items = list(hazard_codes(root))
    told = Instruction.objects.create(
        root=root, kind="instruction", number=f"批{root}", requirement="整改", issued_on=ON, due_on=ON, area_path="",
        registrar=person, registered_at=AT,
    )  # fmt: skip

    def rows() -> Iterator[tuple[Hazard, Cycle, InstructedMeasure | None]]:
        for n in range(hazards):
            place, item = rng.choice(places), rng.choice(items)
            days = rng.randrange(HORIZON + 10, LOOK_BACK - 5)
            at = AT - timedelta(days=days)
            ordered = at + timedelta(days=rng.expovariate(1 / 12)) if rng.random() < 0.45 else None
            applied = at + timedelta(days=rng.expovariate(1 / 20)) if rng.random() < 0.8 else None
            hazard = Hazard(
                id=new_id(), root=root, number=f"HZ-{n:07d}", place=place, place_title=place.name, place_kind=place.kind,
                area_path=place.area_path, class_code=item.class_code, code=item.code, state="rectifying", grade="general",
                origin="inspection", found_on=at.date(), entered_at=at, finder=person, holder=person,
                holder_body=bodies[place.area_path][rng.random() < 0.3], is_open=True, search="",
            )  # fmt: skip
            cycle = Cycle(
                id=new_id(),
                hazard=hazard,
                no=1,
                found_on=at.date(),
                opened_at=at,
                ordered_at=ordered,
                applied_at=applied,
            )
            noted = None
            if rng.random() < 0.02:
                noted = InstructedMeasure(
                    id=new_id(), instruction=told, hazard=hazard, person=person, requirement="整改",
                    put_at=at + timedelta(days=rng.uniform(0, 20)), due_on=ON,
                )  # fmt: skip
            yield hazard, cycle, noted

    batch: list[tuple[Hazard, Cycle, InstructedMeasure | None]] = []

    def write() -> None:
        Hazard.objects.bulk_create([one for one, _, _ in batch])
        Cycle.objects.bulk_create([one for _, one, _ in batch])
        InstructedMeasure.objects.bulk_create([one for _, _, one in batch if one is not None])
        batch.clear()

    for row in rows():
        batch.append(row)
        if len(batch) == CHUNK:
            write()
    write()


if __name__ == "__main__":
    main()
